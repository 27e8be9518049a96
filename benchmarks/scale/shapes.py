"""The sizes and tails of the published MovieLens datasets, which generated ones are held against.

Sizes are from GroupLens's READMEs; the Gini index of films, and 32M's log-normal law of people's
activity, are those that LensKit's Codex (https://codex.lenskit.org/movielens/) found in the data.
1M's and 10M's laws follow from median and mean. 1M's figures were counted in the data; the median
of 10M's people and the highest counts of 10M and 32M are as they are commonly told.
"""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

FEWEST_RATINGS = 20
"""Of a person: GroupLens left out who gave fewer."""


@dataclass(frozen=True)
class Shape:
    """How large a dataset is, and how long its tails are."""

    name: str
    people: int
    films: int
    """Films that anybody rated."""
    ratings: int
    film_gini: float
    """Of the numbers of ratings a film: 0 where all have as many, near 1 where few have nearly
    all."""
    activity: tuple[float, float, float]
    """Shift, scale and σ of a shifted log-normal: how many ratings a person gave."""
    most_active: int
    """Ratings of the most active person."""
    best_known: int
    """Ratings of the film that most people rated."""
    first: datetime
    last: datetime

    @property
    def density(self) -> float:
        """The share of all pairs of a person and a film that are ratings."""
        return self.ratings / (self.people * self.films)

    def activity_law(self) -> NDArray[np.float64]:
        """How many ratings people gave by the law (people,), ascending."""
        shift, scale, sigma = self.activity
        quantiles = (np.arange(self.people) + 0.5) / self.people
        return np.asarray(shift + scale * np.exp(sigma * ndtri(quantiles)))

    def counts(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Ratings of each person (people,), in no order; their sum is `ratings`.

        Drawn by the law at evenly spaced quantiles, so that no luck of the draw moves the tail.
        """
        drawn = self.activity_law()
        most = min(self.most_active, self.films // 2)
        counts = np.clip(np.round(drawn), FEWEST_RATINGS, most)
        # What lies above the fewest is stretched until the sum is right.
        for _ in range(20):
            excess = counts - FEWEST_RATINGS
            factor = (self.ratings - FEWEST_RATINGS * self.people) / excess.sum()
            counts = np.clip(np.round(FEWEST_RATINGS + excess * factor), FEWEST_RATINGS, most)
        random.shuffle(counts)
        return counts.astype(np.int64)


def _law(median: float, mean: float) -> tuple[float, float, float]:
    """The log-normal above `FEWEST_RATINGS` − 1 with this median and mean."""
    shift = FEWEST_RATINGS - 1
    scale = median - shift
    return shift, scale, math.sqrt(2 * math.log((mean - shift) / scale))


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ML_1M = Shape(
    "1m", 6_040, 3_706, 1_000_209, 0.634, _law(96, 165.6), 2_314, 3_428,
    _day("2000-04-25"), _day("2003-02-28"),
)  # fmt: skip
ML_10M = Shape(
    "10m", 69_878, 10_677, 10_000_054, 0.805, _law(69, 143.1), 7_359, 34_864,
    _day("1995-01-09"), _day("2009-01-05"),
)  # fmt: skip
ML_32M = Shape(
    "32m", 200_948, 84_432, 32_000_204, 0.952, (18.986, 48.172, 1.587), 33_332, 102_929,
    _day("1995-01-09"), _day("2023-10-13"),
)  # fmt: skip

SHAPES = {shape.name: shape for shape in (ML_1M, ML_10M, ML_32M)}

ALL_FILMS = replace(
    ML_32M,
    name="87k-films",
    people=20_000,
    films=87_585,
    ratings=3_185_000,
    best_known=ML_32M.best_known * 20_000 // ML_32M.people,
    most_active=8_000,
)
"""As many films as MovieLens 32M lists, and a tenth of its people: what retrieval is tried on
without all its ratings."""
