"""Why a film was recommended: the ratings that its score is made of, and how it got its place."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.contrib.humanize.templatetags.humanize import ordinal
from numpy.typing import NDArray

from movies.models import Movie
from recommender import vectors
from recommender.embedders.base import Floats, FoldIn, Rated
from recommender.models import ModelVersion
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


@dataclass(frozen=True)
class Pull:
    """What a dial, or a film of which fewer were asked for, adds to a film's relevance."""

    name: str
    """The dial's, or "less_like"."""
    word: str
    """What the dial asks for, such as "more obscure"; empty for "less_like"."""
    share: float
    """Of the best film's score, negative where it speaks against the film."""


@dataclass(frozen=True)
class Placing:
    """How a film came to its place: the model's score, then the pulls, then variety."""

    place: int
    """Where it stands, from 1."""
    by_taste: int
    """Where the model's score alone would have put it."""
    by_relevance: int
    """Where the score and the pulls would have put it."""
    relevance: float
    """The model's score as a share of the best film's."""
    pulls: tuple[Pull, ...] = ()

    def sentences(self) -> Iterator[str]:
        """Say in plain words what has moved the film, if anything has, in points of 100."""
        is_varied = abs(self.by_relevance - self.place) >= MOVED
        if not self.pulls and not is_varied:
            return
        points = round(100 * self.relevance)
        yield (
            f"By your taste alone it stands {ordinal(self.by_taste)}:"
            f" {points} points, where your best film has 100."
        )
        for pull in self.pulls:
            yield _about(pull)
        if self.pulls:
            total = points + sum(round(100 * pull.share) for pull in self.pulls)
            yield f"That makes {total} points: {ordinal(self.by_relevance)}."
        if is_varied:
            way = "up" if self.place < self.by_relevance else "down"
            yield f"Moved {way} to {ordinal(self.place)} for variety."


MOVED = 3
"""Places that are worth a word: by one or two a film moves when others are held back."""


def explain(
    person: User, version: ModelVersion, movie_ids: list[int], most: int
) -> dict[int, list[Reason]]:
    """Return each film's reasons, weightiest first, none where the space does not know the film.

    A score is a sum over the films that the person liked (Hu, Koren, Volinsky 2008, §5) and of
    what most people like, so the reasons are the model's own, and their shares add up to 1 only
    together with that.
    """
    rated = rated_movies(person, version)
    places = vectors.of_movies(version, movie_ids)
    if not places or not len(rated.movie_ids):
        return {movie_id: [] for movie_id in movie_ids}
    candidates = np.array(list(places.values()), dtype=np.float32)
    parts = shares(rated.rated, candidates, model_of(version).fold_in)
    # A film that the person has rated is no reason for itself.
    rows = {
        movie_id: np.where(rated.movie_ids == movie_id, 0, row)
        for movie_id, row in zip(places, parts, strict=True)
    }
    chosen = {movie_id: _weightiest(row, most) for movie_id, row in rows.items()}
    movies = Movie.objects.in_bulk({int(rated.movie_ids[j]) for js in chosen.values() for j in js})
    return {
        movie_id: [_reason(rated, rows[movie_id], j, movies) for j in chosen.get(movie_id, [])]
        for movie_id in movie_ids
    }


def shares(rated: Rated, candidates: Floats, fold_in: FoldIn) -> NDArray[np.float32]:
    """Return each rated film's share of what speaks for each candidate (m, d), as (m, n).

    Zero where it does not speak for the candidate. The rest of 1 is what most people like.
    """
    positive = np.maximum(fold_in.contributions(rated, candidates), 0)
    given = np.maximum(fold_in.given(rated, candidates), 0)
    whole = positive.sum(axis=1) + given
    return np.asarray(positive / np.where(whole > 0, whole, 1)[:, None], dtype=np.float32)


def _weightiest(row: NDArray[np.float32], most: int) -> list[int]:
    """Return the positions of the highest shares (n,), highest first."""
    order = np.argsort(-row, kind="stable")[:most]
    return [int(position) for position in order if row[position] > 0]


def _reason(
    rated: RatedMovies, row: NDArray[np.float32], j: int, movies: dict[int, Movie]
) -> Reason:
    return Reason(movies[int(rated.movie_ids[j])], float(rated.values[j]) / 2, float(row[j]))


def _about(pull: Pull) -> str:
    points = round(100 * pull.share)
    amount = f"{abs(points)} point{'' if abs(points) == 1 else 's'}"
    if pull.name == "less_like":
        return f"It is near to a film that you want fewer like: {amount} off."
    change = f"adds {amount}" if points >= 0 else f"takes {amount} off"
    return f"Your dial “{pull.word}” {change}."
