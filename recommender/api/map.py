"""The map of films, whole, as columns."""

import gzip
import json
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from recommender.api.endpoint import Endpoint
from recommender.serving import atlas


def _numbers(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.IntegerField(), help_text=help_text)


class MapFilmsSerializer(serializers.Serializer[Any]):
    id = _numbers("The films, those with the most ratings first; the other columns are in order.")
    x = _numbers("To the right, nearly all from 0 to `side`.")
    y = _numbers("Upwards, likewise.")
    year = _numbers("0 where it is not known.")
    ratings = _numbers("How many people have rated it.")
    genres = _numbers("The sum of 2 to the power of each of its genres' places in `genres`.")
    title = serializers.ListField(
        child=serializers.CharField(), help_text=f"Of the first {atlas.TITLED} films."
    )


class MapRegionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="What its films are more often than others.")
    x = serializers.IntegerField()
    y = serializers.IntegerField()
    films = serializers.IntegerField(help_text="How many there are.")
    stars = _numbers("Its best-known films, by their places in the columns.")
    lines = serializers.ListField(
        child=_numbers("Two places in `stars`."),
        help_text="Lines that join its stars to a constellation.",
    )


class MapSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(help_text="The model version whose map it is.")
    side = serializers.IntegerField(help_text="The longer side of the map.")
    genres = serializers.ListField(child=serializers.CharField())
    films = MapFilmsSerializer()
    regions = MapRegionSerializer(many=True)


class MapView(Endpoint):
    serializer_class = MapSerializer

    @extend_schema(operation_id="map_retrieve")
    def get(self, request: Request) -> Response:
        """The map of films: the nearer two films lie, the more the same people like both.

        It is drawn when a version has been trained; until then it is that of the version before,
        and 404 where there is none. Titles and counts are up to an hour old.
        """
        found = atlas.shown()
        if found is None:
            raise NotFound("There is no map yet: it is drawn when the model is trained.")
        return Response(json.loads(gzip.decompress(found.packed)))
