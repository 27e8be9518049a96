"""The stars that a person would give to films: said where they are honest, and not elsewhere."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.auth.models import AnonymousUser

from movies.models import Movie
from recommender.models import ModelVersion
from recommender.serving.foldin import CountedRatings, counted_ratings
from recommender.serving.kept_vectors import NONE, Numbers, of_films
from recommender.stars import MOST_RATINGS, StarsModel
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
    measured = _honest(version) if version else None
    asked = _well_known(movies, measured) if measured else []
    if not version or not asked:
        return found
    ratings = counted_ratings(people, MOST_RATINGS)
    for person in people:
        films = [movie for movie in asked if movie.pk not in person.stars]
        found[person.pk] = predict(films, ratings[person.pk], version)
    return found


def predict(
    films: Iterable[Movie],
    ratings: CountedRatings,
    version: ModelVersion,
    read: Mapping[int, Numbers] = NONE,
) -> dict[int, Prediction]:
    """Return what `predicted_stars` does, by ratings of a person who has rated none of the films.

    `ratings` are their latest `MOST_RATINGS` or more; `read` are vectors of films at hand.
    """
    measured = _honest(version)
    if not measured or len(ratings) < measured["fewest_ratings"]:
        return {}
    model = StarsModel.from_dict(measured["model"])
    asked = np.array(
        [(film.pk, film.rating_count, film.rating_sum) for film in _well_known(films, measured)],
        dtype=np.int64,
    ).reshape(-1, 3)
    ratings = ratings.latest(MOST_RATINGS)
    places, rated_places = (
        of_films(version, asked[:, 0], read),
        of_films(version, ratings.movie_ids),
    )
    asked, is_rated = asked[places.is_known], rated_places.is_known
    if not len(asked) or not is_rated.any():
        return {}
    predicted = model.predict(
        rated_places.vectors,
        model.film_parts(ratings.film_counts[is_rated], ratings.film_sums[is_rated]),
        ratings.values[is_rated] / 2,
        places.vectors,
        model.film_parts(asked[:, 1], asked[:, 2]),
    )
    within = math.ceil(10 * measured["within"]) / 10
    return {
        movie_id: Prediction(stars, within)
        for movie_id, stars in zip(asked[:, 0].tolist(), predicted.tolist(), strict=True)
    }


def _honest(version: ModelVersion) -> dict[str, Any] | None:
    """How the version's stars were measured, None where they are not to be shown."""
    measured: dict[str, Any] | None = version.metrics.get("stars")
    return measured if measured and measured["is_honest"] else None


def _well_known(movies: Iterable[Movie], measured: Mapping[str, Any]) -> list[Movie]:
    return [movie for movie in movies if movie.rating_count >= measured["fewest_of_film"]]
