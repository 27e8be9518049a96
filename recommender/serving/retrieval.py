"""The nearest movies to a vector, by SQL: always as many as were asked for, if they exist."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import BooleanField, Func, QuerySet
from numpy.typing import NDArray
from pgvector.django import CosineDistance, MaxInnerProduct

from movies.models import Movie, MovieQuerySet
from recommender.models import Metric, ModelVersion, MovieVector
from recommender.serving.kept_vectors import of_films
from recommender.vectors import binary_cursor
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

_OPERATORS = {Metric.INNER_PRODUCT: "<#>", Metric.COSINE: "<=>"}

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
    look = _Look(version, vector, allowed, metric)
    rows = (by_index and look.by_index(k, OVERSAMPLING)) or look.exactly(k)
    nearest_score = _nearest_score(metric)
    return [Neighbour(row[0], nearest_score - row[1]) for row in rows]


def pool(version: ModelVersion, vector: NDArray[np.float32], allowed: Allowed, size: int) -> Pool:
    """Return the `size` movies among `allowed` nearest to `vector` (d,).

    As `nearest`, but for the candidates beyond the size: at the end of a pool of hundreds, what
    the index misses is not missed.
    """
    look = _Look(version, vector, allowed, version.metric, _TOLD)
    rows = (_are_many(version, allowed) and look.by_index(size)) or look.exactly(size)
    return _as_pool(version, rows)


def exact(
    version: ModelVersion, vector: NDArray[np.float32], allowed: Allowed, k: int, metric: str
) -> list[Neighbour]:
    """Scan every allowed movie of the version: no misses, and new films wherever they lie."""
    function = MaxInnerProduct if metric == Metric.INNER_PRODUCT else CosineDistance
    placed = _placed(version, allowed).annotate(distance=function("vector", vector))
    rows = placed.order_by("distance", "movie_id").values_list("movie_id", "distance")[:k]
    return [Neighbour(row[0], _nearest_score(metric) - row[1]) for row in rows]


def _are_many(version: ModelVersion, allowed: Allowed) -> bool:
    """Whether a scan of what is allowed takes longer than the index: it misses nothing."""
    most = settings.EXACT_SCAN_MAX_VECTORS
    if version.vector_count <= most:
        return False
    return not isinstance(allowed, MovieQuerySet) or allowed.order_by()[: most + 1].count() > most


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


@contextmanager
def _wide_index_scan() -> Iterator[None]:
    """Let the HNSW index look far, and go on looking until the query has all its rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.ef_search = %s",
            [EF_SEARCH],
        )
        yield


# Those that ratings tell of and those that are new, each by an index of its own where there are
# many; see `NEW_EVERY`.
_NEAREST = """
    (SELECT movie_id, {column} {operator} %s AS distance, predicted FROM ({placed}) AS placed
    WHERE {which} ORDER BY distance{ties} LIMIT %s)
"""

# Only what is found is looked up: sorting all films with the rest takes longer than scoring.
_TOLD = """
    WITH nearest (movie_id, distance, predicted) AS MATERIALIZED ({nearest})
    SELECT nearest.*,
        ARRAY(SELECT genre_id FROM movies_movie_genres WHERE movie_id = nearest.movie_id),
        film.year, film.rating_count
    FROM nearest JOIN movies_movie AS film ON film.id = nearest.movie_id
"""


@dataclass(frozen=True)
class _Look:
    """One statement for the nearest of what is allowed, in plain words but for that.

    Composing it all would take half as long as the scan, and so would a vector that goes as text.
    """

    version: ModelVersion
    vector: NDArray[np.float32]
    allowed: Allowed
    metric: str
    told: str = "{nearest}"
    """What is asked of the nearest."""

    def exactly(self, size: int) -> list[Row]:
        """Scan all that is allowed."""
        return _merged(*self._read("vector", size, size, ", movie_id"), size)

    def by_index(self, size: int, oversampling: int = 1) -> list[Row] | None:
        """Search by the index; None where that comes back short."""
        # The column as the index has it: on its own it has no dimension.
        column = f"vector::vector({self.version.dimensions})"
        with _wide_index_scan():
            known, new = self._read(column, size * oversampling, size // NEW_EVERY * oversampling)
        return _merged(known, new, size) if len(known) >= size else None

    def _read(
        self, column: str, most_known: int, most_new: int, ties: str = ""
    ) -> tuple[list[Row], list[Row]]:
        """Films that ratings tell of and new ones, both nearest first."""
        placed = _placed(self.version, self.allowed).order_by()
        inner, given = placed.values_list("movie_id", "vector", "predicted").query.sql_with_params()
        limits = {"NOT predicted": most_known}
        if self.version.predicted_count:
            limits["predicted"] = most_new
        nearest = " UNION ALL ".join(
            _NEAREST.format(
                column=column,
                operator=_OPERATORS[Metric(self.metric)],
                placed=inner,
                which=which,
                ties=ties,
            )
            for which in limits
        )
        # A vector that Django has read is a list.
        vector = np.asarray(self.vector, dtype=np.float32)
        parameters = [each for most in limits.values() for each in (vector, *given, most)]
        with binary_cursor() as cursor:
            cursor.execute(self.told.format(nearest=nearest), parameters)
            rows = sorted(cursor.fetchall(), key=lambda row: (row[1], row[0]))
        return [row for row in rows if not row[2]], [row for row in rows if row[2]]


def _as_pool(version: ModelVersion, rows: list[Row]) -> Pool:
    nearest = _nearest_score(version.metric)
    films = of_films(version, np.array([row[0] for row in rows], dtype=np.int64))
    # One may be deleted between the two queries.
    rows = [row for row, is_known in zip(rows, films.is_known, strict=True) if is_known]
    ids = [genre_id for row in rows for genre_id in row[3]]
    genre_ids, columns = np.unique(np.array(ids, dtype=np.int64), return_inverse=True)
    genres = np.zeros((len(rows), len(genre_ids)), dtype=np.bool_)
    genres[np.repeat(np.arange(len(rows)), [len(row[3]) for row in rows]), columns] = True
    return Pool(
        movie_ids=np.array([row[0] for row in rows], dtype=np.int64),
        scores=np.array([nearest - row[1] for row in rows], dtype=np.float64),
        vectors=films.vectors,
        genres=genres,
        years=np.array([row[4] or np.nan for row in rows], dtype=np.float64),
        rating_counts=np.array([row[5] for row in rows], dtype=np.int64),
    )


def _placed(version: ModelVersion, allowed: Allowed) -> QuerySet[MovieVector]:
    if isinstance(allowed, MovieQuerySet):
        return MovieVector.objects.filter(version=version, movie__in=allowed)
    return allowed


def _nearest_score(metric: str) -> float:
    """What a distance is taken from to give the score."""
    return 0.0 if metric == Metric.INNER_PRODUCT else 1.0
