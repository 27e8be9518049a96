"""How many stars a person would give a film, from the stars that they gave to others.

Recommending asks what somebody will choose to see; this asks what they would say of it, which is
another question with another answer. Shared by training, which measures how well it is answered,
and serving, which answers it.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Floats = NDArray[np.floating[Any]]
Numbers = NDArray[np.floating[Any] | np.integer[Any]]

LOWEST, HIGHEST = 0.5, 5.0
MOST_RATINGS = 300
"""How many of a person's ratings are looked at, the latest: the time taken grows with their cube,
and the error hardly falls any more."""


@dataclass(frozen=True)
class StarsModel:
    r"""A Gaussian process per person over the movies of a taste space.

    A rating in stars is taken to be r = μ + b_i + g(i) + noise. The film's own part b_i is its mean
    distance from μ, shrunk (Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender
    Systems", Computer 42(8), 2009, eq. 3). g is what is the person's own: a Gaussian process with
    mean 0 and, in units of the noise's variance, the covariance

        k(i, j) = person + taste · (c + c³) / 2,      c = cos(y_i, y_j)

    `person` makes some more generous than others, `taste` makes them alike in films that lie close
    in the space; the cube lets near films say more than far ones. With K over the n films that the
    person rated, the expected g of film i is k(i, ·) (K + I)⁻¹ (r − μ − b) (Rasmussen, Williams,
    "Gaussian Processes for Machine Learning", 2006, eq. 2.25). A line set over everything, offset
    + slope · (…), takes out what is too high or low throughout.
    """

    mean: float
    """μ, in stars."""
    taste: float
    person: float = 0.2
    prior_ratings: float = 4.0
    """How many ratings of the mean μ a film is taken to have beside its own."""
    offset: float = 0.0
    slope: float = 1.0

    @classmethod
    def from_dict(cls, values: dict[str, float]) -> "StarsModel":
        return cls(**values)

    def to_dict(self) -> dict[str, float]:
        """The model as JSON: `from_dict(to_dict())` is equal."""
        return asdict(self)

    def film_parts(self, counts: Numbers, half_stars: Numbers) -> NDArray[np.float64]:
        """μ + b_i (m,) in stars, of films with `counts` ratings that sum up to `half_stars`."""
        distance = np.asarray(half_stars, dtype=np.float64) / 2 - counts * self.mean
        return np.asarray(self.mean + distance / (counts + self.prior_ratings), dtype=np.float64)

    def predict(
        self,
        rated: Floats,
        rated_parts: Floats,
        stars: Floats,
        films: Floats,
        film_parts: Floats,
    ) -> NDArray[np.float64]:
        """The stars (m,) that a person would give to films, 0.5 to 5.

        `rated` (n, d) and `films` (m, d) are vectors of the films that they rated and of those
        asked about, `rated_parts` (n,) and `film_parts` (m,) their `film_parts`, `stars` (n,) what
        they gave. A vector of zeros tells nothing. n = 0 gives the films' own parts.
        """
        among, beside = likeness(rated, rated), likeness(films, rated)
        return self.predict_by_likeness(among, beside, rated_parts, stars, film_parts)

    def predict_by_likeness(
        self,
        among: Floats,
        beside: Floats,
        rated_parts: Floats,
        stars: Floats,
        film_parts: Floats,
    ) -> NDArray[np.float64]:
        """What `predict` gives, from the `likeness` of what was rated among itself (n, n) and of
        the films asked about beside it (m, n): no model's numbers change these.
        """
        system = self.person + self.taste * among
        system[np.diag_indices(len(system))] += 1
        # Not by `linalg.solve`, which weighs how well the system is conditioned: here it always is.
        weights = linalg.cho_solve(linalg.cho_factor(system), stars - rated_parts)
        own = (self.person + self.taste * beside) @ weights
        return np.clip(self.offset + self.slope * (film_parts + own), LOWEST, HIGHEST)


def likeness(some: Floats, others: Floats) -> NDArray[np.float64]:
    """(c + c³) / 2 of the cosines c between films' vectors (a, d) and (b, d): (a, b)."""
    # At the vectors' own precision, half the work; a thousandth of a star is far from it.
    cosines = (_directions(some) @ _directions(others).T).astype(np.float64)
    # Written out: numpy raises to a power a hundred times slower than it multiplies.
    return np.asarray((cosines + cosines * cosines * cosines) / 2)


def _directions(vectors: Floats) -> Floats:
    """Vectors (n, d) at length 1; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))
