"""Why a film was recommended: the person's own ratings that its score is made of."""

from dataclasses import dataclass

import numpy as np

from movies.models import Movie
from recommender.embedders import als
from recommender.models import ModelVersion, MovieVector
from recommender.serving.foldin import RatedMovies, model_of, rated_movies
from users.models import User


@dataclass(frozen=True)
class Reason:
    """One of the person's own ratings that speaks for a recommendation."""

    movie: Movie
    stars: float
    share: float
    """Of the positive part of the score, 0 to 1."""

    @property
    def percent(self) -> int:
        return round(100 * self.share)


def explain(
    person: User, version: ModelVersion, movie_ids: list[int], most: int
) -> dict[int, list[Reason]]:
    """Return each film's reasons, weightiest first, none where the space does not know the film.

    A score is a sum over the films that the person liked (Hu, Koren, Volinsky 2008, §5), so the
    reasons are the model's own.
    """
    rated = rated_movies(person, version)
    stored = MovieVector.objects.filter(version=version, movie_id__in=movie_ids)
    places = dict(stored.values_list("movie_id", "vector"))
    if not places or not len(rated.movie_ids):
        return {movie_id: [] for movie_id in movie_ids}
    contributions = als.contributions(
        model_of(version).gramian,
        rated.vectors,
        rated.confidences,
        rated.regularization,
        np.array(list(places.values()), dtype=np.float32),
    )
    rows = dict(zip(places, contributions, strict=True))
    chosen = {movie_id: _weightiest(row, most) for movie_id, row in rows.items()}
    movies = Movie.objects.in_bulk({int(rated.movie_ids[j]) for js in chosen.values() for j in js})
    return {
        movie_id: [_reason(rated, rows[movie_id], j, movies) for j in chosen.get(movie_id, [])]
        for movie_id in movie_ids
    }


def _weightiest(row: np.ndarray, most: int) -> list[int]:
    """Return the positions of the highest positive contributions (n,), highest first."""
    order = np.argsort(-row, kind="stable")[:most]
    return [int(position) for position in order if row[position] > 0]


def _reason(rated: RatedMovies, row: np.ndarray, j: int, movies: dict[int, Movie]) -> Reason:
    share = float(row[j] / row[row > 0].sum())
    return Reason(movies[int(rated.movie_ids[j])], float(rated.values[j]) / 2, share)
