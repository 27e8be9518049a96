"""The nearest movies to a vector, by SQL: always as many as were asked for, if they exist."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import BooleanField, Func, QuerySet
from numpy.typing import NDArray

from movies.models import Movie, MovieQuerySet
from recommender.models import Metric, ModelVersion, MovieVector
from recommender.serving.kept_vectors import NONE, Numbers, numbers_of, of_films
from recommender.vectors import binary_cursor
from users.models import User

# Of 87,000 films these miss one of two hundred of the exact top 20: see docs/architecture.md.
EF_SEARCH = 100
OVERSAMPLING = 4

NEW_EVERY = 10
"""Of the first n places of a list at most ⌊n / 10⌋ are of new films, as long as there are others: a
catalogue may have far more films that nobody has rated than films that anybody has, and what a
list begins with is what people judge it by."""

_SETTLED = """(
        SELECT movie_id FROM users_rating WHERE user_id = %(person)d
        UNION ALL SELECT movie_id FROM users_dismissal WHERE user_id = %(person)d
        UNION ALL SELECT movie_id FROM users_seen WHERE user_id = %(person)d
        UNION ALL SELECT movie_id FROM users_lesslike WHERE user_id = %(person)d
    )"""

_OPERATORS = {Metric.INNER_PRODUCT: "<#>", Metric.COSINE: "<=>"}

Row = tuple[Any, ...]
"""A movie's id, its distance, whether its vector is predicted, and whatever else was asked for."""

Statement = tuple[str, tuple[Any, ...]]
"""SQL and its parameters."""


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
    template = f"%(expressions)s IN {_SETTLED}"


@dataclass(frozen=True)
class Unsettled:
    """Every film that has a place, but for those that the person has settled.

    In plain words, and no movie is looked up: it is what most lists are of.
    """

    person_id: int | None
    """None where there is nobody who could have settled any."""

    @property
    def settled(self) -> str:
        """What a statement begins with that reads `placed`, once or more often."""
        if self.person_id is None:
            return ""
        # PostgreSQL reads it once for two searches, and as a part of a single one, which lets it
        # scan with several processes.
        return f"WITH settled AS {_SETTLED % {'person': self.person_id}}"

    def placed(self, version: ModelVersion) -> Statement:
        """See `_placed`."""
        sql = (
            "SELECT movie_id, vector, input, predicted"
            " FROM recommender_movievector WHERE version_id = %s"
        )
        if self.person_id is not None:
            sql += " AND movie_id NOT IN (SELECT movie_id FROM settled)"
        return sql, (version.pk,)


Allowed = MovieQuerySet | QuerySet[MovieVector] | Unsettled
"""What may be answered with: movies, or vectors of them, which spares looking the movies up."""


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
    """(n,) NaN where it is not known; (0,) where the films' facts were not asked for."""
    rating_counts: NDArray[np.int64]
    """(n,) or (0,) likewise."""
    predicted: Mapping[int, Numbers] = field(default_factory=dict)
    """What was read of films whose vectors are predicted, which nobody keeps, by movie id."""

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


def open_to(person: User | AnonymousUser | None, filters: Filters) -> Allowed:
    """Return `candidates`, without filters in a shape that takes less time."""
    if filters != Filters():
        return candidates(person, filters)
    return Unsettled(person.pk if isinstance(person, User) else None)


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


def pool(
    version: ModelVersion,
    vector: NDArray[np.float32],
    allowed: Allowed,
    size: int,
    with_facts: bool = False,
) -> Pool:
    """Return the `size` movies among `allowed` nearest to `vector` (d,).

    As `nearest`, but for the candidates beyond the size: at the end of a pool of hundreds, what
    the index misses is not missed. `with_facts` reads years and counts of ratings.
    """
    look = _Look(version, vector, allowed, version.metric, _WITH_FACTS if with_facts else _TOLD)
    rows = (_are_many(version, allowed) and look.by_index(size)) or look.exactly(size)
    return _as_pool(version, rows)


def exact(
    version: ModelVersion, vector: NDArray[np.float32], allowed: Allowed, k: int, metric: str
) -> list[Neighbour]:
    """Scan every allowed movie of the version: no misses, and new films wherever they lie."""
    rows = _Look(version, vector, allowed, metric).at_once(k)
    nearest_score = _nearest_score(metric)
    return [Neighbour(row[0], nearest_score - row[1]) for row in rows]


def _are_many(version: ModelVersion, allowed: Allowed) -> bool:
    """Whether a scan of what is allowed takes longer than the index: it misses nothing."""
    most = settings.EXACT_SCAN_MAX_VECTORS
    if version.vector_count <= most:
        return False
    return not isinstance(allowed, MovieQuerySet) or allowed.order_by()[: most + 1].count() > most


def _merged(rows: list[Row], size: int) -> list[Row]:
    """Put the first of both kinds in a row, each nearest first.

    A new film that has to wait stands as far as its place. The first rows do not hang on how many
    are asked for.
    """
    known = [row for row in rows if not row[2]]
    merged = known[:size]
    for placed, (movie_id, distance, *rest) in enumerate(row for row in rows if row[2]):
        nearer = bisect_right(known, distance, key=itemgetter(1)) + placed
        place = min(max(nearer, NEW_EVERY * (placed + 1) - 1), len(known) + placed)
        if place >= size:
            break
        farthest = merged[place - 1][1] if place else distance
        merged.insert(place, (movie_id, max(distance, farthest), *rest))
    return merged[:size]


# Lets the HNSW index look far, and go on looking until the query has all its rows.
_WIDE_INDEX_SCAN = """
    SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
        set_config('hnsw.ef_search', %s, true)
"""

# Those that ratings tell of, and those that are new; see `NEW_EVERY`.
_BOTH_KINDS = ("NOT predicted", "predicted")
_TIES = ", movie_id"

_NEAREST = """
    (SELECT movie_id, {column} {operator} %s AS distance, predicted{more} FROM ({placed}) AS placed
    WHERE {which} ORDER BY distance{ties} LIMIT %s)
"""
# Others are kept, see `kept_vectors`.
_PREDICTED = (
    ", CASE WHEN predicted THEN vector END AS vector, CASE WHEN predicted THEN input END AS input"
)

# Only what is found is looked up, film by film: sorting all films with the rest takes longer than
# scoring, and so does joining what is found with all films.
_TOLD = """
    WITH nearest AS MATERIALIZED ({nearest})
    SELECT movie_id, distance, predicted, vector_send(vector), vector_send(input),
        ARRAY(SELECT genre_id FROM movies_movie_genres WHERE movie_id = nearest.movie_id)
    FROM nearest
"""
_WITH_FACTS = """
    WITH nearest AS MATERIALIZED ({nearest})
    SELECT movie_id, distance, predicted, vector_send(vector), vector_send(input),
        ARRAY(SELECT genre_id FROM movies_movie_genres WHERE movie_id = nearest.movie_id),
        film.year, film.rating_count
    FROM nearest CROSS JOIN LATERAL
        (SELECT year, rating_count FROM movies_movie WHERE id = nearest.movie_id LIMIT 1) AS film
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
    told: str = ""
    """What is asked of the nearest, if anything is."""

    def exactly(self, size: int) -> list[Row]:
        """Scan all that is allowed."""
        few = self.version.predicted_count
        if few <= size:
            # So many more hold as many that ratings tell of: one scan takes half the time of two.
            return _merged(self.at_once(size + few), size)
        return _merged(self._read("vector", _BOTH_KINDS, [size, size], _TIES), size)

    def at_once(self, size: int) -> list[Row]:
        """Scan all that is allowed, new films as if they were no others."""
        return self._read("vector", ["true"], [size], _TIES)

    def by_index(self, size: int, oversampling: int = 1) -> list[Row] | None:
        """Search by the index; None where that comes back short."""
        # The column as the index has it: on its own it has no dimension.
        column = f"vector::vector({self.version.dimensions})"
        kinds = _BOTH_KINDS if self.version.predicted_count else _BOTH_KINDS[:1]
        limits = [size * oversampling, size // NEW_EVERY * oversampling]
        # What is sent at once is one transaction, which the settings last for.
        with binary_cursor() as cursor, cursor.connection.pipeline():
            cursor.execute(_WIDE_INDEX_SCAN, [str(EF_SEARCH)])
            rows = self._read(column, kinds, limits)
        is_short = sum(not row[2] for row in rows) < size
        return None if is_short else _merged(rows, size)

    def _read(
        self, column: str, kinds: Sequence[str], limits: Sequence[int], ties: str = ""
    ) -> list[Row]:
        """So many of each kind, nearest first, together by distance."""
        placed, given = _placed(self.version, self.allowed)
        nearest = " UNION ALL ".join(
            _NEAREST.format(
                column=column,
                operator=_OPERATORS[Metric(self.metric)],
                more=_PREDICTED if self.told else "",
                placed=placed,
                which=kind,
                ties=ties,
            )
            for kind in kinds
        )
        if isinstance(self.allowed, Unsettled):
            nearest = self.allowed.settled + nearest
        statement = self.told.format(nearest=nearest) if self.told else nearest
        # A vector that Django has read is a list.
        vector = np.asarray(self.vector, dtype=np.float32)
        asked = zip(kinds, limits, strict=False)
        parameters = [each for _, most in asked for each in (vector, *given, most)]
        with binary_cursor() as cursor:
            cursor.execute(statement, parameters)
            return sorted(cursor.fetchall(), key=itemgetter(1, 0))


def _as_pool(version: ModelVersion, rows: list[Row]) -> Pool:
    nearest = _nearest_score(version.metric)
    sent = {row[0]: row[3:5] for row in rows if row[2]}
    predicted = dict(zip(sent, numbers_of(sent.values()), strict=True)) if sent else NONE
    films = of_films(version, np.array([row[0] for row in rows], dtype=np.int64), predicted)
    # One may be deleted between the two queries.
    rows = [row for row, is_known in zip(rows, films.is_known, strict=True) if is_known]
    ids = [genre_id for row in rows for genre_id in row[5]]
    genre_ids, columns = np.unique(np.array(ids, dtype=np.int64), return_inverse=True)
    genres = np.zeros((len(rows), len(genre_ids)), dtype=np.bool_)
    genres[np.repeat(np.arange(len(rows)), [len(row[5]) for row in rows]), columns] = True
    facts = [row[6:] for row in rows if row[6:]]
    return Pool(
        movie_ids=np.array([row[0] for row in rows], dtype=np.int64),
        scores=np.array([nearest - row[1] for row in rows], dtype=np.float64),
        vectors=films.vectors,
        genres=genres,
        years=np.array([year or np.nan for year, _ in facts], dtype=np.float64),
        rating_counts=np.array([count for _, count in facts], dtype=np.int64),
        predicted=predicted,
    )


def _placed(version: ModelVersion, allowed: Allowed) -> Statement:
    """SQL for the rows that `_NEAREST` reads, of what is allowed."""
    if isinstance(allowed, Unsettled):
        return allowed.placed(version)
    if isinstance(allowed, MovieQuerySet):
        allowed = MovieVector.objects.filter(version=version, movie__in=allowed)
    placed = allowed.order_by().values_list("movie_id", "vector", "input", "predicted")
    sql, given = placed.query.sql_with_params()
    return sql, tuple(given)


def _nearest_score(metric: str) -> float:
    """What a distance is taken from to give the score."""
    return 0.0 if metric == Metric.INNER_PRODUCT else 1.0
