"""The stars that a person would give to films: said where they are honest, and not elsewhere."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.auth.models import AnonymousUser

from movies.models import Movie
from recommender.models import ModelVersion
from recommender.stars import MOST_RATINGS, StarsModel
from recommender.vectors import binary_cursor, of_sent
from users.models import User


@dataclass(frozen=True)
class Prediction:
    """What a person would give to a film that they have not rated."""

    stars: float
    """0.5 to 5, any number between."""
    within: float
    """Two times in three the stars that people gave were no further off; rounded up to tenths."""


def predicted_stars(
    person: User | AnonymousUser | None,
    movies: Iterable[Movie],
    version: ModelVersion | None = None,
) -> dict[int, Prediction]:
    """Return predictions by movie id, only for the films where they are honest.

    That is: the live version did better on held-out ratings than a baseline without taste, by more
    than chance explains; the person and the film have as many ratings as those it was measured on;
    the film is in the space. See `training.stars.measure`. `version` is the live one, if looked up.
    """
    if not isinstance(person, User) or not person.stars:
        return {}
    return predicted_stars_of([person], movies, version)[person.pk]


def predicted_stars_of(
    people: Sequence[User], movies: Iterable[Movie], version: ModelVersion | None = None
) -> dict[int, dict[int, Prediction]]:
    """Return each one's `predicted_stars` by user id, for all of them by one query."""
    found: dict[int, dict[int, Prediction]] = {person.pk: {} for person in people}
    version = version or ModelVersion.objects.live()
    measured = version.metrics.get("stars") if version else None
    if not version or not measured or not measured["is_honest"]:
        return found
    asked = [movie.pk for movie in movies if movie.rating_count >= measured["fewest_of_film"]]
    rows = _read(people, version, asked) if asked else []
    model = StarsModel.from_dict(measured["model"])
    for person in people:
        films = [row[2:] for row in rows if row[0] is None and row[2] not in person.stars]
        own = [row for row in rows if row[0] == person.pk]
        if films and own and own[0][1] >= measured["fewest_ratings"]:
            rated = [row[2:] for row in own]
            found[person.pk] = _predict(films, rated, model, measured["within"])
    return found


def _predict(
    films: Sequence[Any], rated: Sequence[Any], model: StarsModel, within: float
) -> dict[int, Prediction]:
    """Rows as `_read` gives them, from the movie id on."""
    movie_ids, _, counts, sums, vectors = zip(*films, strict=True)
    _, stars, rated_counts, rated_sums, rated_vectors = zip(*rated, strict=True)
    predicted = model.predict(
        of_sent(rated_vectors),
        model.film_parts(np.array(rated_counts), np.array(rated_sums)),
        np.array(stars) / 2,
        of_sent(vectors),
        model.film_parts(np.array(counts), np.array(sums)),
    )
    within = math.ceil(10 * within) / 10
    return {
        movie_id: Prediction(float(one), within)
        for movie_id, one in zip(movie_ids, predicted, strict=True)
    }


def _read(
    people: Sequence[User], version: ModelVersion, movie_ids: list[int]
) -> list[tuple[Any, ...]]:
    """Each one's latest films that count and the films asked about, those that are in the space.

    Rows of user id (None where asked about), how many of their ratings count, movie id, half stars
    (None where asked about), the film's count and sum of ratings as they are now, and its vector.
    """
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT chosen.user_id, chosen.counted, film.id, chosen.value,"
            " film.rating_count, film.rating_sum, vector_send(placed.vector)"
            " FROM (SELECT latest.* FROM unnest(%s::bigint[]) AS person(id) CROSS JOIN LATERAL"
            " (SELECT user_id, count(*) OVER () AS counted, movie_id, value"
            " FROM users_rating AS rating WHERE user_id = person.id"
            " AND NOT EXISTS (SELECT FROM users_leftout AS left_out"
            " WHERE left_out.user_id = rating.user_id AND left_out.movie_id = rating.movie_id)"
            " ORDER BY rated_at DESC, movie_id LIMIT %s) AS latest"
            " UNION ALL SELECT NULL, NULL, unnest(%s::bigint[]), NULL) AS chosen"
            " JOIN movies_movie AS film ON film.id = chosen.movie_id"
            " JOIN recommender_movievector AS placed"
            " ON placed.movie_id = film.id AND placed.version_id = %s",
            [[person.pk for person in people], MOST_RATINGS, movie_ids, version.pk],
        )
        return cursor.fetchall()
