"""The nearest movies to a vector, by SQL: always as many as were asked for, if they exist."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Cast
from numpy.typing import NDArray
from pgvector.django import CosineDistance, MaxInnerProduct, VectorField

from movies.models import Movie, MovieQuerySet
from recommender.models import Metric, ModelVersion, MovieVector
from users.models import Dismissal, Rating, User

# At ef_search 400 and inner product, the index alone misses about one of a hundred; the candidates
# beyond the page make up for most of these.
EF_SEARCH = 400
OVERSAMPLING = 4


@dataclass(frozen=True)
class Filters:
    """Which films may be answered with; whatever the person rated or dismissed never may."""

    genre: str | None = None
    """A genre's slug."""
    first_year: int | None = None
    last_year: int | None = None
    most_ratings: int | None = None
    """Only films with so many ratings or fewer: what is left is little known."""


@dataclass(frozen=True)
class Neighbour:
    """A movie and its score against the vector: the inner product, or the cosine similarity."""

    movie_id: int
    score: float


def candidates(person: User | AnonymousUser | None, filters: Filters) -> MovieQuerySet:
    """Return the movies that the filters allow and that the person has not settled already."""
    movies = Movie.objects.from_years(filters.first_year, filters.last_year)
    if filters.genre is not None:
        movies = movies.of_genre(filters.genre)
    if filters.most_ratings is not None:
        movies = movies.filter(rating_count__lte=filters.most_ratings)
    if isinstance(person, User):
        movies = movies.exclude(pk__in=Rating.objects.filter(user=person).values("movie_id"))
        movies = movies.exclude(pk__in=Dismissal.objects.filter(user=person).values("movie_id"))
    return movies


def nearest(
    version: ModelVersion,
    vector: NDArray[np.float32],
    allowed: MovieQuerySet,
    k: int,
    metric: str | None = None,
) -> list[Neighbour]:
    """Return the k movies among `allowed` nearest to `vector` (d,), nearest first.

    Small spaces, and metrics other than the version's own, are scanned exactly. Larger ones are
    searched by the HNSW index with an iterative scan, and exactly where that comes back short.
    """
    metric = metric or version.metric
    if metric == version.metric and version.movie_count > settings.EXACT_SCAN_MAX_VECTORS:
        found = _by_index(version, vector, allowed, k)
        if len(found) == k:
            return found
    return exact(version, vector, allowed, k, metric)


def exact(
    version: ModelVersion, vector: NDArray[np.float32], allowed: MovieQuerySet, k: int, metric: str
) -> list[Neighbour]:
    """Scan every allowed movie of the version: no misses."""
    distance = _distance(metric, "vector", vector)
    return _neighbours(_pairs(version, allowed, distance, "movie_id")[:k], metric)


def _by_index(
    version: ModelVersion, vector: NDArray[np.float32], allowed: MovieQuerySet, k: int
) -> list[Neighbour]:
    # The index is on the cast: the column has no dimension of its own.
    placed = Cast("vector", VectorField(dimensions=version.dimensions))
    pairs = _pairs(version, allowed, _distance(version.metric, placed, vector))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.ef_search = %s",
            [EF_SEARCH],
        )
        found = _neighbours(pairs[: k * OVERSAMPLING], version.metric)
    return sorted(found, key=lambda neighbour: (-neighbour.score, neighbour.movie_id))[:k]


def _pairs(
    version: ModelVersion,
    allowed: MovieQuerySet,
    distance: MaxInnerProduct | CosineDistance,
    *tie_breaks: str,
) -> "QuerySet[MovieVector, tuple[int, float]]":
    """Movie ids and distances, nearest first. An index is of use only without tie breaks."""
    placed = MovieVector.objects.filter(version=version, movie__in=allowed)
    ordered = placed.annotate(distance=distance).order_by("distance", *tie_breaks)
    return ordered.values_list("movie_id", "distance")


def _distance(
    metric: str, column: str | Cast, vector: NDArray[np.float32]
) -> MaxInnerProduct | CosineDistance:
    function = MaxInnerProduct if metric == Metric.INNER_PRODUCT else CosineDistance
    return function(column, vector)


def _neighbours(pairs: Iterable[tuple[int, float]], metric: str) -> list[Neighbour]:
    nearest = 0.0 if metric == Metric.INNER_PRODUCT else 1.0
    return [Neighbour(movie_id, nearest - distance) for movie_id, distance in pairs]
