"""Matrix factorization by Bayesian personalized ranking (BPR)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import threadpoolctl
from implicit.cpu.bpr import BayesianPersonalizedRanking

from recommender.embedders import factors
from recommender.embedders.base import Embedding, Progress, silent
from recommender.embedders.factors import FoldIn, Matrix
from recommender.interactions import Interactions
from recommender.parameters import Search, number


@dataclass(frozen=True)
class Settings(factors.Settings):
    """What a person may choose about BPR."""

    iterations: int = number(200, 1, 2000, Search(50, 400, log=True, glance=40))
    """How often as many pairs are drawn as there are likes."""

    learning_rate: float = number(0.01, 1e-5, 1.0, Search(0.005, 0.1, log=True))
    """How far each pair moves the vectors."""

    regularization: float = number(0.005, 0.0, 10.0, Search(1e-3, 0.05))
    """How much each step shortens them."""


class BayesianRanking:
    r"""BPR over likes: each liked movie should stand before one that is not.

    By stochastic gradient ascent on Σ ln σ(x_u·(y_i − y_j) + b_i − b_j) − λ(‖x‖² + ‖y‖² + b²), over
    pairs of a movie i that u likes and a movie j drawn as often as it is liked, by others
    (Rendle, Freudenthaler, Gantner, Schmidt-Thieme, UAI 2009). What somebody rated low counts as
    what they did not rate. One thread works, as several would overwrite each other differently
    each time. People are folded in as `factors.FoldIn` says.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """From the fields of `Settings`. Raises ValueError naming a bad field."""
        return cls(Settings.from_dict(values))

    @staticmethod
    def fold_in(numbers: Mapping[str, Any], matrix: Matrix) -> FoldIn:
        """The fold-in whose `state()` these are."""
        return FoldIn(gramian=matrix, **numbers)

    @property
    def settings(self) -> Settings:
        """The settings it was made with."""
        return self._settings

    def fit(self, interactions: Interactions, progress: Progress = silent) -> Embedding:
        """Learn vectors; what `progress` raises ends the fit and is passed on.

        Raises ValueError where nothing was liked.
        """
        settings = self._settings
        model = BayesianPersonalizedRanking(
            factors=settings.factors,
            learning_rate=settings.learning_rate,
            regularization=settings.regularization,
            iterations=settings.iterations,
            random_state=settings.seed,
            num_threads=1,
        )

        def after(iteration: int, *_: float) -> None:
            done = iteration + 1
            progress(0.8 * done / settings.iterations, f"iteration {done} of {settings.iterations}")

        with threadpoolctl.threadpool_limits(1, "blas"):
            model.fit(factors.likes(interactions), show_progress=False, callback=after)
            # The last column holds the movies' biases, against ones of the users.
            return factors.embedding(
                model.user_factors[:, :-1],
                model.item_factors[:, :-1],
                model.item_factors[:, -1],
                interactions,
                settings,
                progress,
            )
