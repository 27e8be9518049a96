"""Which film to ask a person about next, so that the answers tell the most of their taste.

Nothing here knows of pages or of the database; see `recommender.serving.welcome` for these.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Floats = NDArray[np.float64]

RATING_NOISE = 0.6
"""Variance of what a rating says of a film's score, in mean prior variances of the candidates'."""
SEEING_NOISE = 0.07
"""The same of what having seen a film, or not, says of which others the person has seen."""
LEAST_CHANCE = 0.01
"""No film is so obscure that nobody would know it."""


@dataclass(frozen=True)
class Answers:
    """What a person has said of the m films that they were asked about."""

    vectors: NDArray[np.floating]
    """(m, d)"""
    popularity: Floats
    """(m,) the share of people who know the film."""
    is_seen: NDArray[np.bool_]
    """(m,) whether they rated it; otherwise they have not seen it."""


class Interview:
    r"""Chooses among n films by the chance of an answer times what the answer would tell.

    People's vectors are taken to be normal, x ~ N(μ, Σ), as they are spread in the version at
    hand. A rating observes y·x with the noise σ², whatever the stars, so that after ratings of
    films Y the candidates' scores have the covariance

        K = Y_c (Σ⁻¹ + YᵀY / σ²)⁻¹ Y_cᵀ

    and rating candidate i as well would lower the variance of candidate j's score by
    K_ij² / (K_ii + σ²). The *information* of i is the sum of this over the candidates, each
    weighed by its popularity, since well-known films are most of what is recommended. (Choosing
    by a variance averaged over what will be predicted is I-optimal design: Atkinson, Donev, Tobias,
    "Optimum Experimental Designs", 2007, §10.6; Cohn, "Neural Network Exploration Using Optimal
    Experiment Design", 1996.)

    The *chance* that a person has seen a film is its popularity, moved by what they have seen and
    not seen: the posterior mean of a Gaussian process over films with the prior covariance
    Y_c Σ Y_cᵀ, so that films that the same people know inform on each other (Rasmussen, Williams,
    "Gaussian Processes for Machine Learning", 2006, eq. 2.25).
    """

    def __init__(
        self,
        vectors: NDArray[np.floating],
        popularity: Floats,
        spread: Floats,
        answers: Answers,
        rating_noise: float = RATING_NOISE,
        seeing_noise: float = SEEING_NOISE,
    ) -> None:
        """Candidates' `vectors` (n, d), `popularity` (n,); `spread` (d, r) with Σ = spread·spreadᵀ.

        Noises are variances in units of the candidates' mean prior variance. Raises ValueError
        where shapes do not fit.
        """
        if len(popularity) != len(vectors):
            raise ValueError(f"popularity: expected {len(vectors)} values")
        films = vectors @ spread
        asked = answers.vectors @ spread
        # In units of the candidates' mean prior variance, whatever a version's scores are like.
        scale = np.sqrt(max(np.mean(np.sum(films**2, axis=1)), np.finfo(float).tiny))
        films, asked = films / scale, asked / scale
        self._noise = rating_noise
        self._popularity = popularity
        self._chances = _chances(films, popularity, asked, answers, seeing_noise)
        self._covariance = _covariance(films, asked[answers.is_seen], rating_noise)

    @property
    def chances(self) -> Floats:
        """(n,) how likely the person has seen each candidate, 0.01 to 1."""
        return self._chances

    @property
    def information(self) -> Floats:
        """(n,) how much a rating of each candidate would lower the variance of all of them."""
        lowered = self._popularity @ self._covariance**2
        return np.asarray(lowered / (np.diag(self._covariance) + self._noise))

    def expect(self, film: int) -> None:
        """Reckon with an answer for a candidate that is being asked about already."""
        column = self._covariance[:, film].copy()
        lowered = np.outer(column, column) / (column[film] + self._noise)
        self._covariance = self._covariance - self._chances[film] * lowered

    def choose(self, k: int, asked: Sequence[int] = ()) -> list[int]:
        """Return k candidates (fewer where there are fewer), the most telling first.

        Each is chosen as if the ones before it, and those of `asked`, were answered as likely as
        they are; so no two say the same.
        """
        is_open = np.ones(len(self._popularity), dtype=np.bool_)
        for film in asked:
            self.expect(film)
            is_open[film] = False
        chosen: list[int] = []
        while len(chosen) < min(k, len(is_open)) and is_open.any():
            worth = np.where(is_open, self._chances * self.information, -np.inf)
            film = int(np.argmax(worth))
            chosen.append(film)
            is_open[film] = False
            self.expect(film)
        return chosen


def spread(user_vectors: NDArray[np.floating]) -> Floats:
    """Return S (d, d) with SSᵀ the covariance of user vectors (u, d); zeros for fewer than two."""
    vectors = np.asarray(user_vectors, dtype=np.float64)
    if len(vectors) < 2:
        return np.zeros((vectors.shape[1], vectors.shape[1]))
    values, axes = linalg.eigh(np.cov(vectors.T).reshape(vectors.shape[1], -1))
    return np.asarray(axes * np.sqrt(np.maximum(values, 0)), dtype=np.float64)


def _chances(
    films: Floats, popularity: Floats, asked: Floats, answers: Answers, noise: float
) -> Floats:
    """Popularity (n,) moved by the answers; films (n, r) and asked (m, r) as spread."""
    factor = linalg.cho_factor(_precision(asked, noise), lower=True)
    surprise = answers.is_seen - answers.popularity
    direction = linalg.cho_solve(factor, asked.T @ surprise / noise)
    return np.asarray(np.clip(popularity + films @ direction, LEAST_CHANCE, 1))


def _covariance(films: Floats, rated: Floats, noise: float) -> Floats:
    """Covariance (n, n) of the films' (n, r) scores once the rated (m, r) are known."""
    lower = linalg.cholesky(_precision(rated, noise), lower=True)
    half = linalg.solve_triangular(lower, films.T, lower=True)
    return np.asarray(half.T @ half)


def _precision(observed: Floats, noise: float) -> Floats:
    """The inverse covariance (r, r) of a standard normal vector after observations (m, r)."""
    return np.eye(observed.shape[1]) + observed.T @ observed / noise
