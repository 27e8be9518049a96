"""Why a film was recommended: the ratings that its score is made of, and how it got its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from django.contrib.humanize.templatetags.humanize import ordinal
from numpy.typing import NDArray

from movies.listing import listed
from movies.models import Movie
from recommender.embedders.base import Floats, FoldIn, Rated
from recommender.models import ModelVersion
from recommender.serving.foldin import RatedMovies, model_of, rated_movies
from recommender.serving.kept_vectors import NONE, Numbers, of_films
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
class Part:
    """A reason by its film's id."""

    movie_id: int
    stars: float
    share: float


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
    """Return each film's reasons, weightiest first, none where the space does not know the film."""
    found = weightiest(rated_movies(person, version), version, movie_ids, most)
    movies = listed({part.movie_id for parts in found.values() for part in parts})
    return {movie_id: told(parts, movies) for movie_id, parts in found.items()}


def told(parts: list[Part], movies: Mapping[int, Movie]) -> list[Reason]:
    """Return the parts as reasons; `movies` has their films."""
    return [Reason(movies[part.movie_id], part.stars, part.share) for part in parts]


def weightiest(
    rated: RatedMovies,
    version: ModelVersion,
    movie_ids: list[int],
    most: int,
    read: Mapping[int, Numbers] = NONE,
) -> dict[int, list[Part]]:
    """Return what `explain` does by what a person has rated, without reading the films.

    A score is a sum over the films that the person liked (Hu, Koren, Volinsky 2008, §5) and of
    what most people like, so the reasons are the model's own, and their shares add up to 1 only
    together with that. `read` are vectors of films that are at hand.
    """
    asked = np.array(movie_ids, dtype=np.int64)
    films = of_films(version, asked, read)
    if not films.is_known.any() or not len(rated.movie_ids):
        return {movie_id: [] for movie_id in movie_ids}
    parts = shares(rated.rated, films.vectors, model_of(version).fold_in)
    known = asked[films.is_known]
    # A film that the person has rated is no reason for itself.
    parts[known[:, None] == rated.movie_ids] = 0
    rows = dict(zip(known.tolist(), parts, strict=True))
    return {
        movie_id: _highest(rated, rows[movie_id], most) if movie_id in rows else []
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


def _highest(rated: RatedMovies, row: NDArray[np.float32], most: int) -> list[Part]:
    """Return the highest shares (n,) that there are, highest first."""
    order = np.argsort(-row, kind="stable")[:most]
    return [
        Part(int(rated.movie_ids[j]), float(rated.values[j]) / 2, float(row[j]))
        for j in order
        if row[j] > 0
    ]


def _about(pull: Pull) -> str:
    points = round(100 * pull.share)
    amount = f"{abs(points)} point{'' if abs(points) == 1 else 's'}"
    if pull.name == "less_like":
        return f"It is near to a film that you want fewer like: {amount} off."
    change = f"adds {amount}" if points >= 0 else f"takes {amount} off"
    return f"Your dial “{pull.word}” {change}."
