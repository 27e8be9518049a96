"""How sure a mean over users is: 95 % percentile bootstrap intervals (Efron, Tibshirani 1993, §13).

Users are drawn with replacement, since it is users that a dataset happens to have and not others.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
"""Of how many datasets drawn alike the interval is to hold the true mean."""

_CELLS = 1 << 22
"""Users drawn at a time: keeps temporaries near 50 MB however many there are."""


def mean_interval(
    values: NDArray[np.floating[Any]], draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The interval of the mean of `values` (n,), one a user. Same values and seed: same interval.

    Raises ValueError where there are no values, or no draws.
    """
    if not len(values):
        raise ValueError("values: there is nobody to draw from")
    if draws < 1:
        raise ValueError(f"draws: must be 1 or more, not {draws}")
    random = np.random.default_rng(seed)
    means = np.empty(draws)
    size = max(1, _CELLS // len(values))
    for start in range(0, draws, size):
        part = means[start : start + size]
        picks = random.integers(0, len(values), (len(part), len(values)), dtype=np.int32)
        part[:] = values[picks].mean(axis=1, dtype=np.float64)
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def paired_interval(
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """The interval of mean(first) − mean(second), both (n,) of the same users in the same order.

    Drawing whole users keeps what is hard about a user hard for both, so that a difference shows
    where the intervals of the two means overlap. An interval that holds 0 is no difference.

    Raises ValueError where the lengths differ, and as `mean_interval` does.
    """
    if first.shape != second.shape:
        raise ValueError(f"second: expected {len(first)} values, of the same users")
    return mean_interval(first - second, draws, seed)
