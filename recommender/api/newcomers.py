"""For a person of whom little is known: films to ask them about, and films they have not seen."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender.api.catalogue import CountQuery, MovieSerializer
from recommender.api.endpoint import Endpoint
from recommender.api.personal import MarkListView, MarkView
from recommender.api.problems import Conflict, ProblemSerializer
from recommender.serving.welcome import films_to_rate
from users import ratings
from users.models import NotSeen


class MoviesToRateSerializer(serializers.Serializer[Any]):
    results = MovieSerializer(many=True, help_text="The one to ask first comes first.")


class MoviesToRateView(Endpoint):
    permission_classes = [IsAuthenticated]
    query_class = CountQuery
    serializer_class = MoviesToRateSerializer

    @extend_schema(operation_id="movies_to_rate_list")
    def get(self, request: Request) -> Response:
        """The films whose stars would tell the most of your taste.

        They are well known and varied, and follow what you have rated and not seen. None of them
        is one that you have rated, dismissed, put on your watchlist or not seen.
        """
        films = films_to_rate(request.user, self.query["k"])
        return Response(self.get_serializer({"results": films}).data)


class NotSeenSerializer(serializers.ModelSerializer[NotSeen]):
    movie = MovieSerializer(read_only=True)

    class Meta:
        model = NotSeen
        fields = ["movie", "said_at"]
        read_only_fields = ["said_at"]


class NotSeenListView(MarkListView):
    serializer_class = NotSeenSerializer
    moment = "said_at"

    @extend_schema(operation_id="not_seen_list")
    def get(self, request: Request) -> Response:
        """The films that you have not seen, as far as you said so, the latest first.

        You are not asked to rate them. They may be recommended, and are no part of your taste.
        """
        return self.list(request)


@extend_schema_view(
    put=extend_schema(
        operation_id="not_seen_update",
        summary="Say that you have not seen a film; 200 where you had said so",
        request=None,
        responses={
            201: NotSeenSerializer,
            200: NotSeenSerializer,
            409: OpenApiResponse(ProblemSerializer, "You have rated the film."),
        },
    ),
    delete=extend_schema(
        operation_id="not_seen_destroy", summary="Take back that you have not seen a film"
    ),
)
class NotSeenView(MarkView):
    serializer_class = NotSeenSerializer
    mark = staticmethod(ratings.not_seen)
    unmark = staticmethod(ratings.forget_not_seen)

    def put(self, request: Request, movie_id: int) -> Response:
        if request.user.ratings.filter(movie_id=movie_id).exists():
            raise Conflict("You have rated this film: withdraw that first.", code="rated")
        return super().put(request, movie_id)
