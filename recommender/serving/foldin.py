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


def rated_movies(person: User, version: ModelVersion) -> RatedMovies:
    """Read the person's ratings with the movies' vectors, weighed as training weighs them.

    Those that they left out are as if they had not been given, as in training's snapshot.
    """
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT movie_id, value, (extract(epoch FROM rated_at) * 1000000)::bigint"
            " FROM users_rating AS rating WHERE user_id = %s"
            " AND NOT EXISTS (SELECT FROM users_leftout AS left_out"
            " WHERE left_out.user_id = rating.user_id AND left_out.movie_id = rating.movie_id)"
            " ORDER BY movie_id",
            [person.pk],
        )
        rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 3)
    movie_ids, values, rated_at = rows[:, 0], rows[:, 1].astype(np.int8), rows[:, 2]
    # The middle is that of all ratings, those of films outside the space too.
    confidences = model_of(version).weighting.confidences(values, rated_at)
    films = of_films(version, movie_ids)
    return RatedMovies(
        movie_ids=movie_ids[films.is_known],
        values=values[films.is_known],
        rated=Rated(films.vectors, films.inputs, confidences[films.is_known]),
    )


def _stored(people: Sequence[User], version: ModelVersion) -> dict[int, NDArray[np.float32]]:
    """Those of the people's vectors that are true, by user id."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT stored.user_id, stored.vector FROM recommender_uservector AS stored"
            " JOIN users_user AS person ON person.id = stored.user_id"
            " AND person.taste_revision = stored.taste_revision"
            " WHERE stored.user_id = ANY(%s) AND stored.version_id = %s",
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
