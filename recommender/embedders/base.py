"""What every embedder takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from recommender.interactions import Interactions
from recommender.parameters import Parameters


class Progress(Protocol):
    """Told how far a fit has come. May raise, which ends the fit: that is how one cancels it."""

    def __call__(self, fraction: float, message: str, /) -> None:
        """`fraction` is between 0 and 1 and never falls; `message` is for a person to read."""


def silent(fraction: float, message: str, /) -> None:
    """A `Progress` that tells nobody."""


@dataclass(frozen=True)
class Embedding:
    """Vectors of one space, rows in the order of the `Interactions` they were fitted on."""

    user_vectors: NDArray[np.float32]
    """(U, d)"""
    movie_vectors: NDArray[np.float32]
    """(I, d); a user's score for a movie is the inner product of their vectors."""


class Embedder(Protocol):
    """A technique that fills a space with vectors."""

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """An embedder with these settings. Raises ValueError naming a bad field."""

    @property
    def settings(self) -> Parameters:
        """The settings it was made with."""

    def fit(self, interactions: Interactions, progress: Progress = silent) -> Embedding:
        """Learn vectors. Same interactions, settings and seed: same vectors."""
