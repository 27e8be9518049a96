"""What a person's recommendations are made of: the shares of the films that they rated."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from movies.listing import listed
from movies.models import Movie
from recommender.models import ModelVersion, MovieVector
from recommender.serving import foldin, retrieval
from recommender.serving.explain import shares
from recommender.serving.foldin import RatedMovies
from recommender.serving.recommend import recommend
from users.models import User

TASTE = 200
"""The films nearest to a person that stand for their taste."""
FIRST = 20
"""The recommendations that a person sees first."""


@dataclass(frozen=True)
class Seed:
    """A film that the person rated, and what it does for others."""

    movie: Movie
    stars: float
    share: float
    """Of what speaks for these films, 0 to 1, taken over all of them."""
    beside_first: float
    """The share as a part of the largest one's."""
    first_for: int
    """For how many of them it is the strongest reason."""

    @property
    def percent(self) -> float:
        return 100 * self.share

    @property
    def width(self) -> int:
        """Of its bar, in percent."""
        return round(100 * self.beside_first)


@dataclass(frozen=True)
class Ingredients:
    """What a person's taste, and the recommendations that they see first, are made of."""

    defining: list[Seed] = field(default_factory=list)
    """By the scores of the 200 films nearest to the person."""
    seeds: list[Seed] = field(default_factory=list)
    """By those of their first recommendations, as the dials stand."""


def ingredients(person: User, most_defining: int, most_seeds: int) -> Ingredients:
    """Return the films that add most to the person's scores, the weightiest first."""
    version = ModelVersion.objects.live()
    vector = foldin.user_vector(person, version) if version else None
    if version is None or vector is None:
        return Ingredients()
    rated = foldin.rated_movies(person, version)
    nearest = _nearest(person, version, vector)
    first = _first(person, version)
    parts = shares(rated.rated, np.vstack([nearest, first]), foldin.model_of(version).fold_in)
    return Ingredients(
        _seeds(rated, parts[: len(nearest)], most_defining),
        _seeds(rated, parts[len(nearest) :], most_seeds),
    )


def _nearest(
    person: User, version: ModelVersion, vector: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The vectors (m, d) of the films nearest to the person."""
    allowed = retrieval.candidates(person, retrieval.Filters(fewest_ratings=1))
    return retrieval.pool(version, vector, allowed, TASTE).vectors


def _first(person: User, version: ModelVersion) -> NDArray[np.float32]:
    """The vectors (m, d) of the person's first recommendations."""
    movie_ids = [found.movie.pk for found in recommend(person, FIRST) if found.is_personal]
    placed = MovieVector.objects.filter(version=version, movie_id__in=movie_ids)
    vectors = np.array(list(placed.values_list("vector", flat=True)), dtype=np.float32)
    return vectors.reshape(-1, version.dimensions)


def _seeds(rated: RatedMovies, parts: NDArray[np.float32], most: int) -> list[Seed]:
    """The rated films (n) that have the largest parts in these films' scores (m, n)."""
    if not parts.any():
        return []
    means = parts.mean(axis=0)
    firsts = np.bincount(parts[parts.any(axis=1)].argmax(axis=1), minlength=len(means))
    order = [int(j) for j in np.argsort(-means, kind="stable")[:most] if means[j] > 0]
    movies = listed(rated.movie_ids[order].tolist())
    return [
        Seed(
            movies[int(rated.movie_ids[j])],
            float(rated.values[j]) / 2,
            float(means[j]),
            float(means[j] / means.max()),
            int(firsts[j]),
        )
        for j in order
    ]
