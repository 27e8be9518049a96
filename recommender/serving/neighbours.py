"""The people whose taste is nearest to a person's: what they have in common, never who they are."""

from dataclasses import dataclass, field

import numpy as np
from django.db import connection
from django.db.models import Count, F, FloatField, Value
from django.db.models.functions import Cast, Greatest, Sqrt
from numpy.typing import NDArray

from movies.listing import listed
from movies.models import Movie
from recommender.models import ModelVersion
from recommender.serving import foldin, retrieval
from recommender.vectors import binary_cursor
from users.models import Rating, User

FEWEST_RATINGS = 10
"""Of the person and of each neighbour: a vector made of fewer says little of who is near."""
NEIGHBOURS = 20
FEWEST_NEIGHBOURS = 5
FEWEST_LOVERS = 3
"""What fewer of them love is not told: it would tell of a single person."""
LOVED_HALF_STARS = 8
COMPARED_PEOPLE = 20_000
"""Of more, so many are drawn: the time that a comparison takes has an end, and near ones are among
so many."""


@dataclass(frozen=True)
class Loved:
    """A film that the person has not seen, and how many of their neighbours gave it four stars."""

    movie: Movie
    lovers: int


@dataclass(frozen=True)
class Neighbours:
    """The people nearest to somebody, taken together."""

    alike: list[float] = field(default_factory=list)
    """How alike each one's taste is, the nearest first: 1 is the same, 0 as good as chance."""
    shared: int = 0
    """Stars that they gave to films that the person rated too."""
    close: float = 0.0
    """The part of these within half a star of the person's own."""
    loved: list[Loved] = field(default_factory=list)
    """What sets them apart most first."""

    @property
    def percents(self) -> tuple[int, int]:
        """How alike the farthest and the nearest of them are, in percent."""
        return round(100 * self.alike[-1]), round(100 * self.alike[0])

    @property
    def close_percent(self) -> int:
        return round(100 * self.close)

    def __bool__(self) -> bool:
        return bool(self.alike)


def neighbours_of(person: User, most: int = 14) -> Neighbours:
    """Return the person's neighbours and at most so many films that they love.

    There are none before the first version, for people of few ratings, and where too few people
    have rated enough to be told of together.
    """
    version = ModelVersion.objects.live()
    if version is None or person.counted_ratings < FEWEST_RATINGS:
        return Neighbours()
    vector = foldin.user_vector(person, version)
    nearest = _nearest(person, version, vector) if vector is not None else []
    if len(nearest) < FEWEST_NEIGHBOURS:
        return Neighbours()
    user_ids = [user_id for user_id, _ in nearest]
    shared, close = _in_common(person, user_ids)
    loved = _loved(person, version, user_ids, most)
    return Neighbours([alike for _, alike in nearest], shared, close, loved)


def _nearest(
    person: User, version: ModelVersion, vector: NDArray[np.float32]
) -> list[tuple[int, float]]:
    """The ids of the people nearest to the vector (d,), and the cosine of each.

    Vectors are taken from the middle of all people's: what everybody likes makes nobody alike.
    Nor does it make people alike that the version starts from the same for both.
    """
    middle = foldin.average_vector(version)
    taste = len(vector) - foldin.model_of(version).fold_in.start_length
    percent = min(100.0, 100.0 * COMPARED_PEOPLE / max(version.user_count, 1))
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT near.user_id, 1 - near.distance FROM ("
            " SELECT stored.user_id, subvector(stored.vector - %(middle)s, 1, %(taste)s)"
            " <=> %(vector)s AS distance"
            " FROM recommender_uservector AS stored TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (0)"
            " JOIN users_user AS other ON other.id = stored.user_id"
            " AND other.taste_revision = stored.taste_revision"
            " WHERE stored.version_id = %(version)s AND stored.user_id <> %(person)s"
            " ORDER BY distance, stored.user_id LIMIT %(tries)s) AS near"
            " WHERE EXISTS (SELECT FROM users_rating WHERE user_id = near.user_id"
            " OFFSET %(fewest)s - 1) ORDER BY near.distance, near.user_id LIMIT %(most)s",
            {
                "middle": middle,
                "taste": taste,
                "vector": (vector - middle)[:taste],
                "percent": percent,
                "version": version.pk,
                "person": person.pk,
                "tries": 5 * NEIGHBOURS,
                "fewest": FEWEST_RATINGS,
                "most": NEIGHBOURS,
            },
        )
        return [(user_id, float(alike)) for user_id, alike in cursor.fetchall()]


def _in_common(person: User, user_ids: list[int]) -> tuple[int, float]:
    """How many stars these people gave to the person's films, and the part that is close."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE abs(theirs.value - own.value) <= 1)"
            " FROM users_rating AS own JOIN users_rating AS theirs USING (movie_id)"
            " WHERE own.user_id = %s AND theirs.user_id = ANY(%s)",
            [person.pk, user_ids],
        )
        shared, close = cursor.fetchone()
    return shared, close / max(shared, 1)


def _loved(person: User, version: ModelVersion, user_ids: list[int], most: int) -> list[Loved]:
    """What these people love more often than anybody would, of the films open to the person."""
    ratings = Rating.objects.filter(
        user__in=user_ids,
        value__gte=LOVED_HALF_STARS,
        movie__in=retrieval.candidates(person, retrieval.Filters()),
    )
    share = len(user_ids) / max(version.user_count, 1)
    expected = Cast(F("movie__rating_count"), FloatField()) * share
    rows = (
        ratings.counted()
        .order_by()
        .values("movie_id")
        .annotate(lovers=Count("user_id"))
        .filter(lovers__gte=FEWEST_LOVERS)
        .annotate(lift=(F("lovers") - expected) / Sqrt(Greatest(expected, Value(1.0))))
        .order_by("-lift", "movie_id")[:most]
    )
    lovers = {row["movie_id"]: row["lovers"] for row in rows}
    movies = listed(lovers)
    return [Loved(movies[movie_id], count) for movie_id, count in lovers.items()]
