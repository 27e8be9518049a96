"""For a person of whom little is known: films to ask them about, and films they have not seen."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender.api.catalogue import CountQuery, MovieSerializer
from recommender.api.endpoint import Endpoint
from recommender.api.personal import MarkListView, MarkView, described_mark
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


@described_mark(
    "not_seen",
    NotSeenSerializer,
    put="Say that you have not seen a film; 200 where you had said so",
    delete="Take back that you have not seen a film",
    conflict="You have rated the film.",
)
class NotSeenView(MarkView):
    serializer_class = NotSeenSerializer
    mark = staticmethod(ratings.not_seen)
    unmark = staticmethod(ratings.forget_not_seen)
    refusal_if_rated = "You have rated this film: withdraw that first."
