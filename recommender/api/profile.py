"""A person's portrait: what their ratings say of them, for their eyes alone."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender.api.catalogue import MovieSerializer
from recommender.api.endpoint import Endpoint
from recommender.serving import neighbours, seeds
from users.portrait import portray

DEFINING, SEEDS = 20, 50


class KindSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="The genre's slug, or the decade's first year.")
    name = serializers.CharField()
    films = serializers.IntegerField(help_text="That you rated.")
    share = serializers.FloatField(help_text="Of your ratings, 0 to 1.")
    everyones_share = serializers.FloatField(help_text="Of everyone's.")
    mean = serializers.FloatField(help_text="Your mean in stars; 0 where you rated none.")
    everyones_mean = serializers.FloatField()
    love = serializers.FloatField(
        help_text="Stars above what others gave the same films, beyond what you give above others"
        " everywhere; shrunk towards 0 where you rated few."
    )
    reach = serializers.FloatField(
        help_text="Your share as a multiple of everyone's; shrunk towards 1 where you rated few."
    )


class PeriodSerializer(serializers.Serializer[Any]):
    start = serializers.DateField()
    films = serializers.IntegerField()
    mean = serializers.FloatField(allow_null=True, help_text="In stars; null where there are none.")


class MakerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="person.name")
    films = serializers.IntegerField()
    mean = serializers.FloatField(help_text="Your mean in stars.")
    love = serializers.FloatField(help_text="As of genres.")


class ContrarySerializer(serializers.Serializer[Any]):
    movie = MovieSerializer()
    stars = serializers.FloatField(help_text="Yours.")
    others_mean = serializers.FloatField(help_text="In stars.")
    others = serializers.IntegerField(help_text="How many others rated it.")


class SeedSerializer(serializers.Serializer[Any]):
    movie = MovieSerializer()
    stars = serializers.FloatField(help_text="What you gave it.")
    share = serializers.FloatField(help_text="Of all that speaks for these films, 0 to 1.")
    first_for = serializers.IntegerField(
        help_text="For how many of them it is the strongest reason."
    )


class LovedSerializer(serializers.Serializer[Any]):
    movie = MovieSerializer()
    lovers = serializers.IntegerField(help_text="Of the neighbours: at least three.")


class NeighboursSerializer(serializers.Serializer[Any]):
    alike = serializers.ListField(
        child=serializers.FloatField(),
        help_text="How alike each one's taste is, the nearest first: 1 is the same, 0 is chance.",
    )
    shared = serializers.IntegerField(help_text="Stars they gave to films that you rated too.")
    close = serializers.FloatField(help_text="The part of these within half a star of yours.")
    loved = LovedSerializer(many=True, help_text="Films that they love and you have not rated.")


class ProfileSerializer(serializers.Serializer[Any]):
    films = serializers.IntegerField(help_text="That you rated.")
    mean = serializers.FloatField(help_text="In stars; 0 where there are none.")
    everyones_mean = serializers.FloatField(source="everyone.mean")
    distribution = serializers.ListField(
        child=serializers.IntegerField(), help_text="Your ratings of each value, half a star first."
    )
    everyones_distribution = serializers.ListField(
        source="everyone.distribution",
        child=serializers.FloatField(),
        help_text="The share of each value, 0 to 1.",
    )
    over_time = PeriodSerializer(
        many=True, help_text="By day, month or year, as long as your ratings reach."
    )
    genres = KindSerializer(many=True, help_text="The most loved first.")
    decades = KindSerializer(many=True, help_text="The earliest first.")
    directors = MakerSerializer(many=True, help_text="The best liked, of two films or more.")
    actors = MakerSerializer(many=True, help_text="The best liked, of three films or more.")
    contrary = ContrarySerializer(many=True, help_text="The farthest from the others first.")
    defining = SeedSerializer(
        many=True, help_text="The films that the films nearest to your taste owe most to."
    )
    seeds = SeedSerializer(
        many=True, help_text="The films that your first recommendations are made of."
    )
    neighbours = NeighboursSerializer(
        help_text="The people of the nearest taste, together; empty where there are too few."
    )


class ProfileView(Endpoint):
    permission_classes = [IsAuthenticated]
    serializer_class = ProfileSerializer

    @extend_schema(operation_id="profile_retrieve")
    def get(self, request: Request) -> Response:
        """What your ratings say of you, beside everyone's. Nobody else can ask for it."""
        person = request.user
        portrait = portray(person)
        found = {
            **vars(portrait),
            **vars(seeds.ingredients(person, DEFINING, SEEDS)),
            "neighbours": neighbours.neighbours_of(person),
        }
        return Response(self.get_serializer(found).data)
