"""What a peer is, and what ratings it can be fed."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import optuna
from scipy import sparse

from recommender.interactions import HALF_STARS, Interactions, Ratings, Weighting
from recommender.training.evaluation import Scorer

Settings = Mapping[str, Any]


class Peer(ABC):
    """A recommender of another package, with the settings that its makers expose."""

    title: ClassVar[str]
    package: ClassVar[str]
    """The distribution that it comes from."""
    feeds: ClassVar[Sequence[str]]
    """Which of FEEDS it can tell apart: tuning chooses among them."""
    defaults: ClassVar[Settings]
    """The package's own defaults: the first trial."""

    @abstractmethod
    def suggest(self, trial: optuna.Trial) -> None:
        """Name every setting that is searched, with its range."""

    @abstractmethod
    def fit(self, matrix: sparse.csr_matrix, settings: Settings, seed: int) -> Iterator[Scorer]:
        """Learn from the matrix (U, I) float32, positives only.

        Yields a scorer of all movies after each stage of learning, the last when all is learned;
        one whose learning has no stages yields once. Raises TooLarge where memory cannot do.
        """


class TooLarge(Exception):
    """The data are more than the peer can be fitted on here; the message says why."""


FEEDS = ("all", "liked", "stars")
"""What a peer learns from: every rating as 1; those at or above the user's own middle as 1 (as
`Weighting(below=0)` has it); or every rating as its stars."""


def feeds_of(ratings: Ratings, peer: Peer) -> list[str]:
    """The feeds worth trying: one where all ratings are the same."""
    if not len(ratings) or (ratings.values == ratings.values[0]).all():
        return ["all"]
    return list(peer.feeds)


def feed(ratings: Ratings, name: str) -> sparse.csr_matrix:
    """The ratings as a matrix (U, I) float32; all feeds have the same rows and columns."""
    # Below 0 keeps every entry; of the confidences only the signs are of use.
    matrix = Interactions.build(ratings, Weighting(below=-1.0)).matrix
    if name == "liked":
        matrix.data = (matrix.data > 0).astype(np.float32)
        matrix.eliminate_zeros()
    elif name == "stars":
        in_order = np.lexsort((ratings.movie_ids, ratings.user_ids))
        matrix.data = (ratings.values[in_order] / HALF_STARS).astype(np.float32)
    else:
        matrix.data = np.ones_like(matrix.data)
    return matrix
