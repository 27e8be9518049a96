"""The stars that a person would give to films: said where they are honest, and not elsewhere."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.auth.models import AnonymousUser
from numpy.typing import NDArray

from movies.models import Movie
from recommender.models import ModelVersion
from recommender.serving.kept_vectors import of_films
from recommender.stars import MOST_RATINGS, StarsModel
from recommender.vectors import binary_cursor
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
    asked = [movie for movie in movies if movie.rating_count >= measured["fewest_of_film"]]
    rated = _latest(people) if asked else {}
    for person in people:
        films = [movie for movie in asked if movie.pk not in person.stars]
        own = rated.get(person.pk)
        if films and own is not None and own[0, 4] >= measured["fewest_ratings"]:
            found[person.pk] = _predict(films, own, version, measured)
    return found


def _predict(
    films: Sequence[Movie], rated: NDArray[np.int64], version: ModelVersion, measured: Any
) -> dict[int, Prediction]:
    """Of the films that are in the space; `rated` is as of `_latest`."""
    model = StarsModel.from_dict(measured["model"])
    asked = np.array(
        [(film.pk, film.rating_count, film.rating_sum) for film in films], dtype=np.int64
    )
    places, rated_places = of_films(version, asked[:, 0]), of_films(version, rated[:, 0])
    asked, rated = asked[places.is_known], rated[rated_places.is_known]
    if not len(rated):
        return {}
    predicted = model.predict(
        rated_places.vectors,
        model.film_parts(*rated[:, 1:3].T.astype(np.float64)),
        rated[:, 3] / 2,
        places.vectors,
        model.film_parts(*asked[:, 1:3].T.astype(np.float64)),
    )
    within = math.ceil(10 * measured["within"]) / 10
    return {
        movie_id: Prediction(stars, within)
        for movie_id, stars in zip(asked[:, 0].tolist(), predicted.tolist(), strict=True)
    }


def _latest(people: Sequence[User]) -> dict[int, NDArray[np.int64]]:
    """Each one's latest ratings that count, by user id, of those who have any.

    Five columns: movie id, the film's count and sum of ratings as they are now, half stars, and
    how many of the person's ratings count.
    """
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT latest.user_id, film.id, film.rating_count, film.rating_sum, latest.value,"
            " latest.counted"
            " FROM unnest(%s::bigint[]) AS person(id) CROSS JOIN LATERAL"
            " (SELECT user_id, count(*) OVER () AS counted, movie_id, value"
            " FROM users_rating AS rating WHERE user_id = person.id"
            " AND NOT EXISTS (SELECT FROM users_leftout AS left_out"
            " WHERE left_out.user_id = rating.user_id AND left_out.movie_id = rating.movie_id)"
            " ORDER BY rated_at DESC, movie_id LIMIT %s) AS latest"
            " JOIN movies_movie AS film ON film.id = latest.movie_id",
            [[person.pk for person in people], MOST_RATINGS],
        )
        rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 6)
    return {int(user_id): rows[rows[:, 0] == user_id, 1:] for user_id in np.unique(rows[:, 0])}
