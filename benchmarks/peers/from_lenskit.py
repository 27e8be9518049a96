"""Recommenders of LensKit (https://lenskit.org)."""

from collections.abc import Iterator

import numpy as np
import optuna
import pandas as pd
import psutil
from lenskit.als import ImplicitMFScorer
from lenskit.data import Dataset, from_interactions_df
from lenskit.knn import EASEScorer
from lenskit.training import TrainingOptions
from scipy import sparse

from benchmarks.peers.base import FEEDS, Peer, Settings, TooLarge
from recommender.training.evaluation import Scorer


class EASE(Peer):
    """Embarrassingly shallow autoencoder: one inverse of an I × I matrix (Steck, WWW 2019)."""

    title = "EASE"
    package = "lenskit"
    feeds = ("all", "liked")
    defaults = {"regularization": 1.0}

    COPIES = 4
    """Matrices of I × I in single precision that a fit and its scores take at the most."""

    def suggest(self, trial: optuna.Trial) -> None:
        """The one setting that it has."""
        trial.suggest_float("regularization", 1, 20_000, log=True)

    def fit(self, matrix: sparse.csr_matrix, settings: Settings, seed: int) -> Iterator[Scorer]:
        """Score as the package does: the row times the weights."""
        movies = matrix.shape[1]
        needed = self.COPIES * 4 * movies**2
        if needed > psutil.virtual_memory().available:
            raise TooLarge(f"{movies:,} movies need {needed / 2**30:.0f} GiB for their inverse")
        model = EASEScorer(regularization=settings["regularization"])
        model.train(_dataset(matrix))
        yield lambda rows: np.asarray(matrix[rows] @ model.weights, dtype=np.float32)


class ImplicitMF(Peer):
    """Implicit ALS with one constant λ and exact solutions."""

    title = "ImplicitMF"
    package = "lenskit"
    feeds = FEEDS
    defaults = {"embedding_size": 50, "epochs": 10, "regularization": 0.1, "weight": 40.0}

    def suggest(self, trial: optuna.Trial) -> None:
        """All that its configuration has."""
        trial.suggest_int("embedding_size", 16, 256, log=True)
        trial.suggest_int("epochs", 3, 20)
        trial.suggest_float("regularization", 0.01, 300, log=True)
        trial.suggest_float("weight", 0.1, 100, log=True)

    def fit(self, matrix: sparse.csr_matrix, settings: Settings, seed: int) -> Iterator[Scorer]:
        """Score by the vectors of training (`user_embeddings="prefer"`)."""
        model = ImplicitMFScorer(**settings, use_ratings=True, user_embeddings="prefer")
        model.train(_dataset(matrix), TrainingOptions(rng=seed))
        yield lambda rows: model.user_embeddings[rows] @ model.item_embeddings.T


def _dataset(matrix: sparse.csr_matrix) -> Dataset:
    """The matrix with LensKit's own numbers of users and items equal to rows and columns."""
    entries = matrix.tocoo()
    frame = pd.DataFrame({"user_id": entries.row, "item_id": entries.col, "rating": entries.data})
    users, items = (np.arange(size) for size in matrix.shape)
    return from_interactions_df(frame, users=users, items=items)
