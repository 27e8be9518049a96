r"""What a film is worth to several people, from what it is worth to each: a mean with a dial.

With relevances r_i of a film to m people, each a share of what that person's best film has,

    M_p = (1/m Σ_i r_i^p)^(1/p)

is the average for p = 1, the product (its m-th root) for p → 0, and the least for p → −∞; a higher
p lets those count who would love it, a lower one those who would not. The same in welfare
economics: Atkinson, "On the Measurement of Inequality", J. Econ. Theory 2(3), 1970.

Nothing here knows of pages or of the database; see `recommender.serving.together` for these.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POWERS = (2.0, 1.0, 0.0, -2.0, -np.inf)
"""The power of the mean at each stop of the dial, from the most joy to the least misery."""
MIDDLE = 2
"""The stop where the dial stands unless it is turned."""
LEAST = 0.02
"""The least that a film counts for anybody: a mean of powers takes positive numbers."""
POOL = 400
"""Films that are best by the average, among which the best by any of the powers are looked for."""


def mean_of_powers(relevances: Floats, power: float) -> Floats:
    """The mean (n,) of relevances (n, m) of n films to m people; NaN is nobody's.

    Every film has to be somebody's. Relevances below `LEAST` count as that.
    """
    counted = np.maximum(relevances, LEAST)
    if power == -np.inf:
        return np.asarray(np.nanmin(counted, axis=1))
    if power == 0:
        return np.asarray(np.exp(np.nanmean(np.log(counted), axis=1)))
    return np.asarray(np.nanmean(counted**power, axis=1) ** (1 / power))
