"""The nearest movies to a vector, by SQL: always as many as were asked for, if they exist."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import BooleanField, Func, QuerySet
from django.db.models.functions import Cast
from numpy.typing import NDArray
from pgvector.django import CosineDistance, MaxInnerProduct, VectorField

from movies.models import Movie, MovieQuerySet
from recommender.models import Metric, ModelVersion, MovieVector
from recommender.vectors import binary_cursor, of_sent
from users.models import User

# Of 87,000 films these miss one of two hundred of the exact top 20: see docs/architecture.md.
EF_SEARCH = 100
OVERSAMPLING = 4

NEW_EVERY = 10
"""Of the first n places of a list at most ⌊n / 10⌋ are of new films, as long as there are others: a
catalogue may have far more films that nobody has rated than films that anybody has, and what a
list begins with is what people judge it by."""

Allowed = MovieQuerySet | QuerySet[MovieVector]
"""What may be answered with: movies, or vectors of them, which spares looking the movies up."""

Row = tuple[Any, ...]
"""A movie's id, its distance, whether its vector is predicted, and whatever else was asked for."""


@dataclass(frozen=True)
class Filters:
    """Which films may be answered with; whatever the person has settled never may."""

    genre: str | None = None
    """A genre's slug."""
    first_year: int | None = None
    last_year: int | None = None
    most_ratings: int | None = None
    """Only films with so many ratings or fewer: what is left is little known."""
    fewest_ratings: int = 0
    """Only films with so many ratings or more: 1 leaves out what nobody has rated."""


class Settled(Func):
    """Whether the person has rated the film, dismissed it, seen it, or wants fewer like it.

    One condition in plain words, as four are composed and planned anew for every list.
    """

    arity = 1
    output_field = BooleanField()
    template = """%(expressions)s IN (
        SELECT movie_id FROM users_rating WHERE user_id = %(person)d
        UNION ALL SELECT movie_id FROM users_dismissal WHERE user_id = %(person)d
        UNION ALL SELECT movie_id FROM users_seen WHERE user_id = %(person)d
        UNION ALL SELECT movie_id FROM users_lesslike WHERE user_id = %(person)d
    )"""


@dataclass(frozen=True)
class Neighbour:
    """A movie and its score against the vector: the inner product, or the cosine similarity."""

    movie_id: int
    score: float


@dataclass(frozen=True)
class Pool:
    """The movies nearest to a vector, nearest first, with all that re-ranking weighs."""

    movie_ids: NDArray[np.int64]
    """(n,)"""
    scores: NDArray[np.float64]
    """(n,) the version's own: inner products, or cosines."""
    vectors: NDArray[np.float32]
    """(n, d)"""
    genres: NDArray[np.bool_]
    """(n, g) which of the g genres that occur here each movie is of."""
    years: NDArray[np.float64]
    """(n,) NaN where it is not known."""
    rating_counts: NDArray[np.int64]
    """(n,)"""

    def __len__(self) -> int:
        return len(self.movie_ids)


def candidates(person: User | AnonymousUser | None, filters: Filters) -> MovieQuerySet:
    """Return the movies that the filters allow and that the person has not settled already."""
    movies = Movie.objects.from_years(filters.first_year, filters.last_year)
    movies = movies.rated_at_least(filters.fewest_ratings)
    if filters.genre is not None:
        movies = movies.of_genre(filters.genre)
    if filters.most_ratings is not None:
        movies = movies.filter(rating_count__lte=filters.most_ratings)
    if isinstance(person, User):
        movies = movies.exclude(Settled("pk", person=person.pk))
    return movies


def allowed_in(
    version: ModelVersion, person: User | AnonymousUser | None, filters: Filters
) -> Allowed:
    """Return `candidates`: without filters their vectors, so that no movie is looked up."""
    if filters != Filters():
        return candidates(person, filters)
    placed = MovieVector.objects.filter(version=version)
    if isinstance(person, User):
        placed = placed.exclude(Settled("movie_id", person=person.pk))
    return placed


def nearest(
    version: ModelVersion,
    vector: NDArray[np.float32],
    allowed: Allowed,
    k: int,
    metric: str | None = None,
) -> list[Neighbour]:
    """Return the k movies among `allowed` nearest to `vector` (d,), nearest first.

    Small spaces, few movies, and metrics other than the version's own, are scanned exactly. Others
    are searched by the HNSW index with an iterative scan, and exactly where that comes back short.
    """
    metric = metric or version.metric
    by_index = metric == version.metric and _are_many(version, allowed)
    rows = _few_new(
        version,
        lambda placed, most: _rows(version, placed, vector, metric, most, by_index),
        allowed,
        k,
    )
    nearest_score = _nearest_score(metric)
    return [Neighbour(row[0], nearest_score - row[1]) for row in rows]


def pool(version: ModelVersion, vector: NDArray[np.float32], allowed: Allowed, size: int) -> Pool:
    """Return the `size` movies among `allowed` nearest to `vector` (d,).

    As `nearest`, but for the candidates beyond the size: at the end of a pool of hundreds, what
    the index misses is not missed.
    """
    by_index = _are_many(version, allowed)
    rows = _few_new(
        version,
        lambda placed, most: _pool_rows(version, placed, vector, most, by_index),
        allowed,
        size,
    )
    return _as_pool(version, rows)


def exact(
    version: ModelVersion, vector: NDArray[np.float32], allowed: Allowed, k: int, metric: str
) -> list[Neighbour]:
    """Scan every allowed movie of the version: no misses, and new films wherever they lie."""
    placed = _placed(version, allowed)
    rows = _exact_rows(placed, _distance(metric, "vector", vector), k)
    return [Neighbour(row[0], _nearest_score(metric) - row[1]) for row in rows]


def _are_many(version: ModelVersion, allowed: Allowed) -> bool:
    """Whether a scan of what is allowed takes longer than the index: it misses nothing."""
    most = settings.EXACT_SCAN_MAX_VECTORS
    if version.vector_count <= most:
        return False
    return not isinstance(allowed, MovieQuerySet) or allowed.order_by()[: most + 1].count() > most


def _few_new(
    version: ModelVersion,
    look: "Callable[[QuerySet[MovieVector], int], list[Row]]",
    allowed: Allowed,
    size: int,
) -> list[Row]:
    """Return the `size` nearest rows by `look`, of which few are new films; see `NEW_EVERY`."""
    placed = _placed(version, allowed)
    if not version.predicted_count:
        return look(placed, size)
    known = look(placed.filter(predicted=False), size)
    most_new = size - len(known) + size // NEW_EVERY
    return _merged(known, look(placed.filter(predicted=True), most_new), size)


def _merged(known: list[Row], new: list[Row], size: int) -> list[Row]:
    """Merge two lists, both nearest first. A new film that has to wait stands as far as its place.

    The first rows do not hang on how many are asked for.
    """
    merged: list[Row] = []
    known, new = known[::-1], new[::-1]
    placed = 0
    while len(merged) < size and (known or new):
        has_room = placed < (len(merged) + 1) // NEW_EVERY
        if new and (not known or (has_room and new[-1][1] < known[-1][1])):
            movie_id, distance, *rest = new.pop()
            farthest = merged[-1][1] if merged else distance
            merged.append((movie_id, max(distance, farthest), *rest))
            placed += 1
        else:
            merged.append(known.pop())
    return merged


def _rows(
    version: ModelVersion,
    placed: "QuerySet[MovieVector]",
    vector: NDArray[np.float32],
    metric: str,
    k: int,
    by_index: bool,
) -> list[Row]:
    if by_index:
        found = _index_rows(placed, _distance(metric, _column(version), vector), k)
        if len(found) == k:
            return found
    return _exact_rows(placed, _distance(metric, "vector", vector), k)


def _exact_rows(
    placed: "QuerySet[MovieVector]", distance: MaxInnerProduct | CosineDistance, k: int
) -> list[Row]:
    return list(_told(placed, distance, "movie_id")[:k])


def _index_rows(
    placed: "QuerySet[MovieVector]", distance: MaxInnerProduct | CosineDistance, k: int
) -> list[Row]:
    with _wide_index_scan():
        found = list(_told(placed, distance)[: k * OVERSAMPLING])
    return sorted(found, key=lambda row: (row[1], row[0]))[:k]


def _told(
    placed: "QuerySet[MovieVector]",
    distance: MaxInnerProduct | CosineDistance,
    *tie_breaks: str,
) -> "QuerySet[MovieVector, Row]":
    """Rows, nearest first. An index is of use only without tie breaks."""
    ordered = placed.annotate(distance=distance).order_by("distance", *tie_breaks)
    return ordered.values_list("movie_id", "distance", "predicted")


@contextmanager
def _wide_index_scan() -> Iterator[None]:
    """Let the HNSW index look far, and go on looking until the query has all its rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.ef_search = %s",
            [EF_SEARCH],
        )
        yield


def _pool_rows(
    version: ModelVersion,
    placed: "QuerySet[MovieVector]",
    vector: NDArray[np.float32],
    size: int,
    by_index: bool,
) -> list[Row]:
    """Rows with the movie's vector, genre ids, year and count of ratings besides."""
    if by_index:
        with _wide_index_scan():
            found = _pool_query(
                version, placed, _distance(version.metric, _column(version), vector), size
            )
        if len(found) == size:
            return found
    return _pool_query(
        version, placed, _distance(version.metric, "vector", vector), size, "movie_id"
    )


def _pool_query(
    version: ModelVersion,
    placed: "QuerySet[MovieVector]",
    distance: MaxInnerProduct | CosineDistance,
    size: int,
    *tie_breaks: str,
) -> list[Row]:
    nearest, parameters = _told(placed, distance, *tie_breaks)[:size].query.sql_with_params()
    with binary_cursor() as cursor:
        # Django would read each vector from text, number by number.
        cursor.execute(_POOL.replace("{nearest}", nearest), [*parameters, version.pk])
        return cursor.fetchall()


# Only what is found is looked up: sorting all films with their vectors takes longer than scoring.
_POOL = """
    WITH nearest (movie_id, distance, predicted) AS MATERIALIZED ({nearest})
    SELECT nearest.*, vector_send(placed.vector),
        ARRAY(SELECT genre_id FROM movies_movie_genres WHERE movie_id = nearest.movie_id),
        film.year, film.rating_count
    FROM nearest
    JOIN recommender_movievector AS placed
        ON placed.movie_id = nearest.movie_id AND placed.version_id = %s
    JOIN movies_movie AS film ON film.id = nearest.movie_id
    ORDER BY nearest.distance, nearest.movie_id
"""


def _as_pool(version: ModelVersion, rows: list[Row]) -> Pool:
    nearest = _nearest_score(version.metric)
    genre_ids = sorted({genre_id for row in rows for genre_id in row[4]})
    return Pool(
        movie_ids=np.array([row[0] for row in rows], dtype=np.int64),
        scores=np.array([nearest - row[1] for row in rows], dtype=np.float64),
        vectors=of_sent([row[3] for row in rows]).reshape(-1, version.dimensions),
        genres=np.array(
            [[genre_id in row[4] for genre_id in genre_ids] for row in rows], dtype=np.bool_
        ).reshape(len(rows), len(genre_ids)),
        years=np.array([row[5] or np.nan for row in rows], dtype=np.float64),
        rating_counts=np.array([row[6] for row in rows], dtype=np.int64),
    )


def _placed(version: ModelVersion, allowed: Allowed) -> QuerySet[MovieVector]:
    if isinstance(allowed, MovieQuerySet):
        return MovieVector.objects.filter(version=version, movie__in=allowed)
    return allowed


def _column(version: ModelVersion) -> Cast:
    """The column as the index has it: on its own it has no dimension."""
    return Cast("vector", VectorField(dimensions=version.dimensions))


def _distance(
    metric: str, column: str | Cast, vector: NDArray[np.float32]
) -> MaxInnerProduct | CosineDistance:
    function = MaxInnerProduct if metric == Metric.INNER_PRODUCT else CosineDistance
    return function(column, vector)


def _nearest_score(metric: str) -> float:
    """What a distance is taken from to give the score."""
    return 0.0 if metric == Metric.INNER_PRODUCT else 1.0
