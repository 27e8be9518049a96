"""One list out of several: the nearest films of some spaces, each with its weight.

Each space names its nearest films. A film's score is the sum over the spaces of weight · place,
where place is 1 / (60 + rank): reciprocal rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

POOL = 200
"""How many films each space names."""

_DAMPING = 60


def fuse(
    named: Mapping[str, NDArray[np.int64]], weights: Mapping[str, float]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the films (n,) that any space with a weight names, best first, and their scores (n,).

    `named` are each space's nearest films, the nearest first. Of equal scores the lower id leads.
    """
    films = [movies for space, movies in named.items() if weights.get(space, 0) > 0]
    shares = [
        weights[space] / (_DAMPING + 1 + np.arange(len(movies)))
        for space, movies in named.items()
        if weights.get(space, 0) > 0
    ]
    if not films:
        return np.empty(0, dtype=np.int64), np.empty(0)
    ids, rows = np.unique(np.concatenate(films), return_inverse=True)
    scores = np.bincount(rows, weights=np.concatenate(shares)).astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    return ids[order], scores[order]
