"""Logistic matrix factorization."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recommender.embedders import factors
from recommender.parameters import Search, number

if TYPE_CHECKING:
    from implicit.cpu.lmf import LogisticMatrixFactorization


@dataclass(frozen=True)
class Settings(factors.Settings):
    """What a person may choose about logistic matrix factorization."""

    factors: int = number(32, 1, 1024, Search(16, 96, log=True))
    """Length of a vector, without the bias."""

    iterations: int = number(20, 1, 500, Search(8, 60, log=True, glance=6))
    """How often all users and then all movies take a step. Too many are worse than too few."""

    learning_rate: float = number(0.5, 1e-3, 10.0, Search(0.2, 3, log=True))
    """Of AdaGrad: the length of the first step."""

    regularization: float = number(1.0, 0.0, 100.0, Search(0.1, 10, log=True))
    """λ: how much long vectors cost."""

    negatives: int = number(20, 1, 1000, Search(5, 60, log=True))
    """Movies not liked that are drawn for each one that is."""

    fold_in_regularization: float = number(1.0, 1e-6, 1000.0, Search(0.1, 10, log=True))
    """See `factors.Settings`."""

    popularity: float = number(1.0, 0.0, 5.0, Search(0.0, 2))
    """See `factors.Settings`."""


class LogisticFactorization(factors.Factorization[Settings]):
    r"""Likes as the outcome of x_u·y_i + b_u + b_i, by the logistic function.

    By alternating gradient ascent with AdaGrad on the likelihood of the likes and of a sample of
    what was not liked (Johnson, "Logistic Matrix Factorization for Implicit Feedback Data", NIPS
    workshop 2014). A person's bias moves all their scores alike and is left out. People are folded
    in as `factors.FoldIn` says.
    """

    kind = Settings
    extra_columns = 2

    def model(self) -> "LogisticMatrixFactorization":
        """See `factors.Factorization`."""
        from implicit.cpu.lmf import LogisticMatrixFactorization

        settings = self._settings
        return LogisticMatrixFactorization(
            factors=settings.factors,
            learning_rate=settings.learning_rate,
            regularization=settings.regularization,
            iterations=settings.iterations,
            neg_prop=settings.negatives,
            random_state=settings.seed,
            num_threads=1,
        )
