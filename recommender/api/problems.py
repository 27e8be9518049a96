"""Problem answers: `type`, and `errors` of which each has a code, a sentence and the field."""

from django.core.exceptions import RequestDataTooBig
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import serializers, status
from rest_framework.exceptions import APIException

from recommender.errors import RETRY_AFTER_SECONDS, is_database_away


class ErrorSerializer(serializers.Serializer[object]):
    code = serializers.CharField(help_text="A short word for programs, such as `required`.")
    detail = serializers.CharField(help_text="A sentence for people.")
    attr = serializers.CharField(
        allow_null=True, help_text="The field or query parameter that is wrong, if one is."
    )


class ProblemSerializer(serializers.Serializer[object]):
    """What is wrong with a request, or here."""

    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = ErrorSerializer(many=True)


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = "This is at odds with how things stand now."


class Unavailable(APIException):
    """Something that we need is away; the same request may work soon."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = "The database is away. Try again."
    wait = RETRY_AFTER_SECONDS


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The request's body is too large."


class ProblemHandler(ExceptionHandler):
    """Also tells a database that is away from a mistake of ours."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if is_database_away(exc):
            return Unavailable()
        if isinstance(exc, RequestDataTooBig):
            return TooLarge()
        converted: Exception = super().convert_known_exceptions(exc)
        return converted
