"""Most popular: the same list for everybody."""

from collections.abc import Iterator, Mapping

import numpy as np
import optuna
from scipy import sparse

from benchmarks.peers.base import FEEDS, Peer, Settings
from recommender.training.evaluation import Scorer


class MostPopular(Peer):
    """By how many users rated a movie, liked it, or by the sum of its stars."""

    title = "Most popular"
    package = "numpy"
    feeds = FEEDS
    defaults: Mapping[str, object] = {}

    def suggest(self, trial: optuna.Trial) -> None:
        """Nothing but the feed."""

    def fit(self, matrix: sparse.csr_matrix, settings: Settings, seed: int) -> Iterator[Scorer]:
        """Add up."""
        totals = np.asarray(matrix.sum(axis=0), dtype=np.float32).ravel()
        yield lambda rows: np.tile(totals, (len(rows), 1))
