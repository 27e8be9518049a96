"""A person's vector in a version's space, true to the rating that they gave a moment ago.

A stored vector is true while it carries the person's own `taste_revision`. Where it does not, the
vector is folded in again from the vectors of the films that the person has rated, and stored;
training writes the very same thing for everyone at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recommender.embedders import EMBEDDERS, FoldIn, Rated
from recommender.interactions import Weighting
from recommender.models import ModelVersion
from recommender.recipe import Recipe
from recommender.serving.kept_vectors import of_films
from recommender.vectors import binary_cursor
from users.models import User

SAMPLED_PEOPLE = 5_000


@dataclass(frozen=True)
class Model:
    """What folding in needs of a version besides its movie vectors."""

    weighting: Weighting
    fold_in: FoldIn


@dataclass(frozen=True)
class CountedRatings:
    """Ratings of a person that count for their taste, and how their films are rated by all."""

    movie_ids: NDArray[np.int64]
    """(n,) ascending."""
    values: NDArray[np.int8]
    """(n,) half stars."""
    rated_at: NDArray[np.int64]
    """(n,) microseconds."""
    film_counts: NDArray[np.int64]
    """(n,) how many ratings the film has."""
    film_sums: NDArray[np.int64]
    """(n,) their half stars."""

    def __len__(self) -> int:
        return len(self.movie_ids)

    def latest(self, most: int) -> "CountedRatings":
        """Return the latest of them, of two at once the one with the lower id."""
        if len(self) <= most:
            return self
        rows = np.sort(np.lexsort([self.movie_ids, -self.rated_at])[:most])
        return CountedRatings(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True)
class RatedMovies:
    """A person's ratings of the movies that a version knows."""

    movie_ids: NDArray[np.int64]
    """(n,)"""
    values: NDArray[np.int8]
    """(n,) half stars."""
    rated: Rated
    """What the model makes of them."""


def user_vector(person: User, version: ModelVersion) -> NDArray[np.float32] | None:
    """Return the person's vector (d,), or None where nothing is known of them."""
    (vector,) = user_vectors([person], version)
    return vector if vector.any() else None


def user_vectors(people: Sequence[User], version: ModelVersion) -> NDArray[np.float32]:
    """Return the people's vectors (m, d), zeros where nothing is known of one of them."""
    stored = _stored(people, version)
    return np.array(
        [
            stored[person.pk] if person.pk in stored else _solve_and_store(person, version)
            for person in people
        ],
        dtype=np.float32,
    )


def average_vector(version: ModelVersion) -> NDArray[np.float32]:
    """Return the mean (d,) of the version's people, of a sample where they are many.

    Zeros where it has none.
    """
    return _average(version.pk)


@lru_cache(maxsize=4)
def _average(version_id: int) -> NDArray[np.float32]:
    vectors = sampled_vectors(version_id)
    return np.asarray(vectors.sum(axis=0) / max(len(vectors), 1), dtype=np.float32)


def sampled_vectors(version_id: int) -> NDArray[np.float32]:
    """Return the vectors (n, d) of the version's people, of some thousands where they are more."""
    version = ModelVersion.objects.defer("gramian").get(pk=version_id)
    percent = min(100.0, 100.0 * SAMPLED_PEOPLE / max(version.user_count, 1))
    with binary_cursor() as cursor:
        # Whole pages of the table are drawn, so that the rest need not be read.
        cursor.execute(
            "SELECT vector FROM recommender_uservector TABLESAMPLE SYSTEM (%s) REPEATABLE (0)"
            " WHERE version_id = %s",
            [percent, version_id],
        )
        vectors = [row[0].to_numpy() for row in cursor.fetchall()]
    return np.array(vectors, dtype=np.float32).reshape(-1, version.dimensions)


def model_of(version: ModelVersion) -> Model:
    """Return the version's fold-in model; a version never changes, so it is kept in memory."""
    return _model(version.pk)


@lru_cache(maxsize=4)
def _model(version_id: int) -> Model:
    version = ModelVersion.objects.get(pk=version_id)
    parameters = dict(version.parameters)
    numbers = parameters.pop("fold_in")
    gramian = np.frombuffer(bytes(version.gramian or b""), dtype=np.float32)
    side = math.isqrt(len(gramian))
    fold_in = EMBEDDERS[version.embedder].fold_in(numbers, gramian.reshape(side, side))
    return Model(Recipe.of(version.embedder, parameters).weighting, fold_in)


# One person's, each film looked up: a join with all films takes longer.
_COUNTED = """
    SELECT rating.*, film.rating_count, film.rating_sum FROM (
        SELECT user_id, movie_id, value, (extract(epoch FROM rated_at) * 1000000)::bigint
        FROM users_rating WHERE user_id = %s
        AND movie_id NOT IN (SELECT movie_id FROM users_leftout WHERE user_id = %s)
        ORDER BY rated_at DESC, movie_id LIMIT %s
    ) AS rating CROSS JOIN LATERAL
        (SELECT rating_count, rating_sum FROM movies_movie WHERE id = movie_id LIMIT 1) AS film
"""


def counted_ratings(people: Sequence[User], most: int | None = None) -> dict[int, CountedRatings]:
    """Read people's ratings that count, the latest `most` of each, by user id.

    Those that they left out are as if they had not been given, as in training's snapshot.
    """
    statement = " UNION ALL ".join(f"({_COUNTED})" for _ in people)
    asked = [each for person in people for each in (person.pk, person.pk, most)]
    with binary_cursor() as cursor:
        cursor.execute(statement, asked)
        rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 6)
    found = {}
    for person in people:
        own = rows[rows[:, 0] == person.pk, 1:]
        movie_ids, values, *rest = own[np.argsort(own[:, 0])].T
        found[person.pk] = CountedRatings(movie_ids, values.astype(np.int8), *rest)
    return found


def rated_movies(
    person: User, version: ModelVersion, ratings: CountedRatings | None = None
) -> RatedMovies:
    """Return the person's ratings with the movies' vectors, weighed as training weighs them.

    `ratings` are all that count, if read.
    """
    if ratings is None:
        ratings = counted_ratings([person])[person.pk]
    # The middle is that of all ratings, those of films outside the space too.
    confidences = model_of(version).weighting.confidences(ratings.values, ratings.rated_at)
    films = of_films(version, ratings.movie_ids)
    return RatedMovies(
        movie_ids=ratings.movie_ids[films.is_known],
        values=ratings.values[films.is_known],
        rated=Rated(films.vectors, films.inputs, confidences[films.is_known]),
    )


def _stored(people: Sequence[User], version: ModelVersion) -> dict[int, NDArray[np.float32]]:
    """Those of the people's vectors that are true, by user id."""
    with binary_cursor() as cursor:
        cursor.execute(
            # A join with a table of partitions takes PostgreSQL longer to plan than to make.
            "SELECT user_id, vector FROM recommender_uservector"
            " WHERE user_id = ANY(%s) AND version_id = %s"
            " AND taste_revision = (SELECT taste_revision FROM users_user WHERE id = user_id)",
            [[person.pk for person in people], version.pk],
        )
        return {user_id: vector.to_numpy() for user_id, vector in cursor.fetchall()}


def _solve_and_store(person: User, version: ModelVersion) -> NDArray[np.float32]:
    # The revision is read before the ratings: a rating that comes between makes the stored vector
    # look older than it is, and it is solved again; never the other way round.
    revision = User.objects.values_list("taste_revision", flat=True).get(pk=person.pk)
    rated = rated_movies(person, version).rated
    if len(rated.confidences):
        vector = model_of(version).fold_in.vector(rated)
    else:
        vector = np.zeros(version.dimensions, dtype=np.float32)
    _store(person, version, revision, vector)
    return vector


def _store(person: User, version: ModelVersion, revision: int, vector: NDArray[np.float32]) -> None:
    with binary_cursor() as cursor:
        cursor.execute(
            "INSERT INTO recommender_uservector (user_id, version_id, taste_revision, vector)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (user_id, version_id) DO UPDATE"
            " SET taste_revision = excluded.taste_revision, vector = excluded.vector",
            [person.pk, version.pk, revision, vector],
        )
