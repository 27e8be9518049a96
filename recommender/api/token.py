"""How a program signs in."""

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender.api.endpoint import Endpoint


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = authenticate(self.context["request"], **attrs)
        if user is None:
            raise serializers.ValidationError(
                "This is not a name and password that we know.", code="authorization"
            )
        return {"user": user}


class TokenSerializer(serializers.Serializer[Token]):
    token = serializers.CharField(
        source="key", help_text="Send it along as `Authorization: Token …`."
    )


class TokenView(Endpoint):
    """The person's token for programs, as good as their password until it is taken back."""

    throttle_scope = "token"
    serializer_class = TokenSerializer

    def get_authenticators(self) -> list[BaseAuthentication]:
        # A token is asked for by who has none yet, whatever the browser's session says.
        is_new = self.request is not None and self.request.method == "POST"
        return [] if is_new else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        return [] if self.request.method == "POST" else [IsAuthenticated()]

    @extend_schema(request=CredentialsSerializer, responses=TokenSerializer, auth=[])
    def post(self, request: Request) -> Response:
        """Give name and password, get the token."""
        credentials = CredentialsSerializer(data=request.data, context={"request": request})
        credentials.is_valid(raise_exception=True)
        token, _ = Token.objects.get_or_create(user=credentials.validated_data["user"])
        return Response(TokenSerializer(token).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Take the token back; programs that use it are signed out."""
        Token.objects.filter(user=request.user).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
