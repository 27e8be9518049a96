"""Recommenders of the package `implicit`."""

from collections.abc import Iterator

import numpy as np
import optuna
import threadpoolctl
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import (
    BM25Recommender,
    CosineRecommender,
    ItemItemRecommender,
    TFIDFRecommender,
)
from scipy import sparse

from benchmarks.peers.base import FEEDS, Peer, Settings
from recommender.training.evaluation import Scorer


class ItemKNN(Peer):
    """Item-based nearest neighbours, by cosine, TF-IDF or BM25."""

    title = "Item-kNN"
    package = "implicit"
    feeds = FEEDS
    defaults = {"similarity": "bm25", "K": 20, "K1": 1.2, "B": 0.75}

    def suggest(self, trial: optuna.Trial) -> None:
        """The similarity, the neighbours that count, and what BM25 has of its own."""
        trial.suggest_categorical("similarity", ["cosine", "tfidf", "bm25"])
        trial.suggest_int("K", 5, 1000, log=True)
        trial.suggest_float("K1", 0.1, 300, log=True)
        trial.suggest_float("B", 0, 1)

    def fit(self, matrix: sparse.csr_matrix, settings: Settings, seed: int) -> Iterator[Scorer]:
        """Score as the package's own `recommend` does: the row times the similarities."""
        model = self._model(settings)
        model.fit(matrix, show_progress=False)
        similarity = model.similarity
        # Where a movie's weights are all 0, its similarities are no numbers.
        similarity.data = np.nan_to_num(similarity.data)
        yield lambda rows: (matrix[rows] @ similarity).toarray().astype(np.float32)

    def _model(self, settings: Settings) -> ItemItemRecommender:
        if settings["similarity"] == "bm25":
            return BM25Recommender(K=settings["K"], K1=settings["K1"], B=settings["B"])
        kinds = {"cosine": CosineRecommender, "tfidf": TFIDFRecommender}
        return kinds[settings["similarity"]](K=settings["K"])


class ALS(Peer):
    """Implicit ALS with one constant λ."""

    title = "iALS, constant λ"
    package = "implicit"
    feeds = FEEDS
    defaults = {"factors": 100, "regularization": 0.01, "alpha": 1.0, "iterations": 15}

    def suggest(self, trial: optuna.Trial) -> None:
        """All that the constructor takes, but for precision and solver."""
        trial.suggest_int("factors", 16, 256, log=True)
        trial.suggest_float("regularization", 0.01, 300, log=True)
        trial.suggest_float("alpha", 0.1, 100, log=True)
        trial.suggest_int("iterations", 5, 30)

    def fit(self, matrix: sparse.csr_matrix, settings: Settings, seed: int) -> Iterator[Scorer]:
        """Fit, with the package's own threads alone."""
        model = AlternatingLeastSquares(**settings, random_state=seed)
        with threadpoolctl.threadpool_limits(1, "blas"):
            model.fit(matrix, show_progress=False)
        yield lambda rows: model.user_factors[rows] @ model.item_factors.T


class BPR(Peer):
    """Bayesian personalized ranking, by stochastic gradient descent."""

    title = "BPR"
    package = "implicit"
    feeds = ("all", "liked")
    defaults = {"factors": 100, "learning_rate": 0.01, "regularization": 0.01, "stages": 4}

    STAGE = 25
    """Epochs of a stage."""

    def suggest(self, trial: optuna.Trial) -> None:
        """All that the constructor takes; epochs in stages, of which tuning keeps the best."""
        trial.suggest_int("factors", 16, 256, log=True)
        trial.suggest_float("learning_rate", 0.003, 0.3, log=True)
        trial.suggest_float("regularization", 1e-4, 0.3, log=True)
        trial.suggest_int("stages", 2, 16)

    def fit(self, matrix: sparse.csr_matrix, settings: Settings, seed: int) -> Iterator[Scorer]:
        """Fit stage by stage, on one thread: several write over each other's steps, and would
        give another result each time (they were no faster either)."""
        model = BayesianPersonalizedRanking(
            factors=settings["factors"],
            learning_rate=settings["learning_rate"],
            regularization=settings["regularization"],
            iterations=self.STAGE,
            num_threads=1,
            random_state=np.random.default_rng(seed),
        )
        for _ in range(settings["stages"]):
            # Fitting again goes on from where it was.
            model.fit(matrix, show_progress=False)
            yield lambda rows: model.user_factors[rows] @ model.item_factors.T
