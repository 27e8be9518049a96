"""What a person's dials, and the films they want fewer like, do to relevance.

Relevance is the model's score as a share of the best film's. Each dial adds its *pull*, a share of
that same size, to every film of the pool; the films stand in the order of the sum. With the dials
in the middle and nothing asked for, there are no pulls.
"""

import math

import numpy as np
from numpy.typing import NDArray

from recommender.serving.rerank import VARIETY, unit
from recommender.serving.retrieval import Pool
from users.dials import Dials

POOL = 400
"""Films that the dials choose from: turned, they bring up films from far down."""

OBSCURITY = 0.1
"""Pull of one stop for a film that is one standard deviation less known than the pool's mean."""

ADVENTURE = 0.08
"""Pull of one stop for a film one standard deviation farther from the person's own films."""

NEWNESS = 0.15
"""Pull of one stop for a film that is one standard deviation newer than the pool's mean."""

LESS_LIKE = 1.0
"""Pull against a film that is wholly like one of which fewer were asked for."""

MOST_DEVIATIONS = 2.5
"""Beyond, a film pulls no more: one that nobody knows is no treasure for that alone."""


def variety(dials: Dials) -> float:
    """The price of likeness: each stop towards adventure doubles it, each to safety halves it."""
    return float(VARIETY * 2.0**dials.adventure)


def pulls(
    dials: Dials,
    pool: Pool,
    own: NDArray[np.float32],
    less_like: NDArray[np.float32],
) -> dict[str, NDArray[np.float64]]:
    """Return each pull (n,) on the pool's movies by name, only those that are not all zeros.

    `own` (m, d) are the vectors of the films that the person likes, `less_like` (l, d) of those
    they want fewer like. The names are those of the dials, and "less_like".

        obscurity   −0.1 · stop · z(log(1 + ratings))
        adventure   −0.08 · stop · z(highest cosine with one of the person's own)
        newness      0.15 · stop · z(year)
        less_like   −max(0, highest cosine with one of which fewer were asked for)

    z is the distance to the pool's mean in standard deviations, at most 2.5 of them.
    """
    found = {}
    if dials.obscurity:
        known = deviations(np.log1p(pool.rating_counts))
        found["obscurity"] = -OBSCURITY * dials.obscurity * known
    if dials.adventure and len(own):
        found["adventure"] = -ADVENTURE * dials.adventure * deviations(nearness(pool.vectors, own))
    if dials.newness:
        found["newness"] = NEWNESS * dials.newness * deviations(pool.years)
    if len(less_like):
        found["less_like"] = -LESS_LIKE * np.maximum(nearness(pool.vectors, less_like), 0)
    return found


def nearness(vectors: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """The highest cosine of each of `vectors` (n, d) with any of `others` (m, d), m ≥ 1: (n,)."""
    return np.asarray((unit(vectors) @ unit(others).T).max(axis=1), dtype=np.float64)


def deviations(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distances (n,) to the mean in standard deviations; 0 for what is not known (NaN)."""
    known = ~np.isnan(values)
    found = np.zeros(len(values))
    spread = float(np.std(values[known])) if known.any() else 0.0
    if spread > 0 and math.isfinite(spread):
        found[known] = (values[known] - values[known].mean()) / spread
    return np.clip(found, -MOST_DEVIATIONS, MOST_DEVIATIONS)
