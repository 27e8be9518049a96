"""Matrix factorization by Bayesian personalized ranking (BPR)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recommender.embedders import factors
from recommender.parameters import Search, number

if TYPE_CHECKING:
    from implicit.cpu.bpr import BayesianPersonalizedRanking


@dataclass(frozen=True)
class Settings(factors.Settings):
    """What a person may choose about BPR."""

    iterations: int = number(200, 1, 2000, Search(50, 400, log=True, glance=40))
    """How often as many pairs are drawn as there are likes."""

    learning_rate: float = number(0.01, 1e-5, 1.0, Search(0.005, 0.1, log=True))
    """How far each pair moves the vectors."""

    regularization: float = number(0.005, 0.0, 10.0, Search(1e-3, 0.05))
    """How much each step shortens them."""


class BayesianRanking(factors.Factorization[Settings]):
    r"""BPR over likes: each liked movie should stand before one that is not.

    By stochastic gradient ascent on Σ ln σ(x_u·(y_i − y_j) + b_i − b_j) − λ(‖x‖² + ‖y‖² + b²), over
    pairs of a movie i that u likes and a movie j drawn as often as it is liked, by others
    (Rendle, Freudenthaler, Gantner, Schmidt-Thieme, UAI 2009). What somebody rated low counts as
    what they did not rate. One thread works, as several would overwrite each other differently
    each time. People are folded in as `factors.FoldIn` says.
    """

    kind = Settings
    extra_columns = 1

    def model(self) -> "BayesianPersonalizedRanking":
        """See `factors.Factorization`."""
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        settings = self._settings
        return BayesianPersonalizedRanking(
            factors=settings.factors,
            learning_rate=settings.learning_rate,
            regularization=settings.regularization,
            iterations=settings.iterations,
            random_state=settings.seed,
            num_threads=1,
        )
