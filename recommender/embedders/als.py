"""Matrix factorization by implicit alternating least squares (iALS)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import threadpoolctl
from numpy.typing import NDArray
from scipy import linalg, sparse

from recommender.embedders.base import Embedding, Floats, Progress, Rated, silent
from recommender.interactions import Interactions
from recommender.parameters import Configured, Parameters, Search, number

_LADDER = 1.05
"""Ratio of neighbouring rungs on which users' weights are rounded, so λ is within 2.5 % per ν."""

_MOVIES_LADDER = 1.2
"""The same of movies, which nobody folds in: each rung takes YᵀY of all users anew, and lists were
as good as with four times the rungs."""

_STEPS = 2
"""Of conjugate gradients for each row, in turns with the other side's: lists were as good by one,
and by as many as it takes."""

_RESUMED_ITERATIONS = 2
"""After which vectors learnt from four fifths of the ratings were as good as those of a new fit."""

_TYPICAL_WEIGHT = 3000.0
"""Of a row, in datasets of a hundred thousand to a million ratings."""

_CELLS = 20_000_000
"""Of a matrix in which λ is what the settings say: about MovieLens 1M's."""

Solver = Callable[..., None]


def _regularization_scale(values: Mapping[str, float]) -> float:
    """How the best λ moves with the weighting's α and with ν, up to a constant.

    It was found to follow √α; and a row's λ · w^ν should stay where it is whatever ν is.
    """
    return math.sqrt(values["alpha"]) * math.pow(_TYPICAL_WEIGHT, -values["frequency_exponent"])


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose about iALS. How ratings are weighed is `Weighting`'s."""

    factors: int = number(128, 1, 1024, Search(64, 256, log=True))
    """Length d of a vector. On a hundred thousand ratings 128 was better than 64 and as good as
    256; millions of ratings bear 256."""

    iterations: int = number(16, 1, 200, Search(8, 24, glance=4))
    """How often all users and then all movies are solved."""

    regularization: float = number(
        0.01, 1e-7, 1000.0, Search(0.1, 10, log=True, scale=_regularization_scale)
    )
    """λ, for twenty million pairs of a user and a movie: it falls with the fourth root of their
    number. The good region is narrow: a half less or more loses much. It rises with about √α of
    the weighting."""

    frequency_exponent: float = number(1.0, 0.0, 2.0, Search(0.25, 1.25))
    """ν: how λ grows with the weight of a user's or movie's row. 0 is one λ for all."""

    seed: int = number(0, 0, 2**32 - 1)
    """Start of the random numbers. The same seed gives the same vectors."""

    def penalty(self, users: int, movies: int) -> float:
        """λ for so many users and movies."""
        return float(self.regularization * (_CELLS / (users * movies)) ** 0.25)


@dataclass(frozen=True)
class FoldIn:
    """Solving a user's vector from the vectors of the movies that they rated."""

    start_length: ClassVar[int] = 0

    gramian: NDArray[np.float32]
    """(d, d) YᵀY of the movie vectors Y."""
    regularization: float
    """λ."""
    frequency_exponent: float
    """ν."""
    movies: int
    """Movies that the model knows."""

    def user_regularization(self, confidences: Floats) -> float:
        """λ_u of a user with these signed confidences (n,) in the movies that the model knows."""
        weight = self.movies + float(np.sum(_excess(np.asarray(confidences))))
        return float(
            row_regularization(np.array([weight]), self.regularization, self.frequency_exponent)[0]
        )

    def vector(self, rated: Rated) -> NDArray[np.float32]:
        """See `base.FoldIn`."""
        penalty = self.user_regularization(rated.confidences)
        return fold_in(self.gramian, rated.vectors, rated.confidences, penalty)

    def contributions(self, rated: Rated, candidates: Floats) -> NDArray[np.float32]:
        """See `base.FoldIn`."""
        penalty = self.user_regularization(rated.confidences)
        return contributions(self.gramian, rated.vectors, rated.confidences, penalty, candidates)

    def given(self, rated: Rated, candidates: Floats) -> NDArray[np.float32]:
        """See `base.FoldIn`; nothing is given."""
        return np.zeros(len(candidates), dtype=np.float32)

    def state(self) -> tuple[dict[str, Any], NDArray[np.float32]]:
        """See `base.FoldIn`."""
        numbers = {
            "regularization": self.regularization,
            "frequency_exponent": self.frequency_exponent,
            "movies": self.movies,
        }
        return numbers, self.gramian

    def scaled(self, factor: float) -> "FoldIn":
        """The fold-in of the same model once its movie vectors are multiplied by `factor`.

        User vectors are then divided by it: scores stay.
        """
        square = factor * factor
        return FoldIn(
            np.asarray(square * self.gramian, dtype=np.float32),
            square * self.regularization,
            self.frequency_exponent,
            self.movies,
        )


@dataclass(frozen=True)
class ALSEmbedding(Embedding):
    """An embedding by iALS."""

    fold_in: FoldIn


class ImplicitALS(Configured[Settings]):
    r"""iALS with frequency-scaled regularization.

    Minimizes, over user vectors x and movie vectors y, with p = 1 where c > 0 and else 0,

        Σ_ui |c_ui| (p_ui − x_u·y_i)²  +  Σ_u λ_u ‖x_u‖²  +  Σ_i λ_i ‖y_i‖²

    where a movie that the user did not rate has |c| = 1 (Hu, Koren, Volinsky, ICDM 2008). A row's
    regularization grows with its weight w, the sum of its confidences over *all* columns:

        λ_u = λ · w_u^ν,      w_u = I + Σ_{i rated by u} (|c_ui| − 1)

    With c = 1 + α everywhere, w_u = α (|S_u| + α₀ I) with α₀ = 1/α: the regularization of Rendle,
    Krichene, Zhang, Koren, "Revisiting the Performance of iALS on Item Recommendation Benchmarks",
    RecSys 2022 (arXiv 2110.14037), at ν = 1 with the very same λ. Graded confidences enter by
    their size. Weights are rounded to a ladder, as `implicit` solves with one λ a call: rows
    on one rung make one call, and fold-in rounds alike, so nothing is approximated between training
    and serving. λ itself is `Settings.penalty`.

    Rows are solved by a few steps of conjugate gradients (Takács, Pilászy, Tikk, RecSys 2011), and
    users once more at the end by as many as it takes, so that a trained user vector is what fold-in
    gives. All rows share YᵀY, by far the most of each row's system, so it is what makes for many
    steps: both sides are brought to a basis in which YᵀY + λI is the identity (preconditioning),
    where two steps come closer than three do without, and ten as close as twenty.
    """

    kind = Settings

    def __init__(self, settings: Settings | None = None, threads: int = 0) -> None:
        """`threads` 0 is one a core; results do not depend on it.

        Where other work keeps the cores busy, start the process with OMP_WAIT_POLICY=PASSIVE:
        threads that spin while they wait made a fit take two to three times as long.
        """
        super().__init__(settings)
        self._threads = threads

    @staticmethod
    def fold_in(numbers: Mapping[str, Any], matrix: NDArray[np.float32]) -> FoldIn:
        """The fold-in whose `state()` these are."""
        return FoldIn(gramian=matrix, **numbers)

    def fit(self, interactions: Interactions, progress: Progress = silent) -> ALSEmbedding:
        """Learn vectors; what `progress` raises ends the fit and is passed on.

        Raises ValueError where there is no user or no movie.
        """
        if 0 in interactions.matrix.shape:
            raise ValueError("interactions: there is nothing to learn from")
        start = self._start(interactions.matrix.shape[1])
        return self._fit(interactions.matrix, start, self._settings.iterations, progress)

    def resume(
        self,
        start: NDArray[np.float32],
        interactions: Interactions,
        progress: Progress = silent,
    ) -> ALSEmbedding:
        """See `base.Resumable`."""
        iterations = min(_RESUMED_ITERATIONS, self._settings.iterations)
        return self._fit(interactions.matrix, start, iterations, progress)

    def _fit(
        self,
        matrix: sparse.csr_matrix,
        start: NDArray[np.float32],
        iterations: int,
        progress: Progress,
    ) -> ALSEmbedding:
        # implicit runs its own threads; those of BLAS would only get in their way.
        with threadpoolctl.threadpool_limits(1, "blas"):
            return self._iterate(matrix, start, iterations, progress)

    def _iterate(
        self,
        matrix: sparse.csr_matrix,
        start: NDArray[np.float32],
        iterations: int,
        progress: Progress,
    ) -> ALSEmbedding:
        # A web process never trains, and goes without.
        from implicit.cpu.als import AlternatingLeastSquares

        settings = self._settings
        users, movies = _Side.pair(matrix, settings)
        x = np.zeros((matrix.shape[0], settings.factors), dtype=np.float32)
        y = start.copy()
        halves = 2 * iterations + 1
        solver = partial(
            AlternatingLeastSquares(factors=settings.factors).solver, num_threads=self._threads
        )
        few = partial(solver, cg_steps=_STEPS)
        # Exact arithmetic would need no more steps than this; a row's end when nothing is left.
        exact = partial(solver, cg_steps=settings.factors)
        for iteration in range(iterations):
            message = f"iteration {iteration + 1} of {iterations}"
            _solve(users, x, y, few, _between(progress, 2 * iteration, halves, message))
            _solve(movies, y, x, few, _between(progress, 2 * iteration + 1, halves, message))
        _solve(users, x, y, exact, _between(progress, halves - 1, halves, "users once more"))
        progress(1.0, "fitted")
        fold_in = FoldIn(
            gramian(y),
            settings.penalty(*matrix.shape),
            settings.frequency_exponent,
            matrix.shape[1],
        )
        no_inputs = np.empty((matrix.shape[1], 0), dtype=np.float32)
        return ALSEmbedding(x, y, no_inputs, fold_in, start=y)

    def _start(self, movies: int) -> NDArray[np.float32]:
        """Small random movie vectors, as §3 of the 2022 paper has it."""
        factors = self._settings.factors
        random = np.random.default_rng(self._settings.seed)
        y = random.standard_normal((movies, factors), dtype=np.float32)
        return np.asarray(y * np.float32(0.1 / math.sqrt(factors)))


def _solve(
    side: "_Side",
    solved: NDArray[np.float32],
    fixed: NDArray[np.float32],
    solver: Solver,
    progress: Callable[[float], None],
) -> None:
    """Solve the rows of one side in place, one rung of regularization after the other."""
    factors = fixed.shape[1]
    # YᵀY + λI = LLᵀ is the identity for x' = Lᵀx and y' = L⁻¹y.
    root = linalg.cholesky(_gramian(fixed) + side.mean_regularization * np.eye(factors), lower=True)
    inverse = linalg.solve_triangular(root, np.eye(factors), lower=True).T.astype(np.float32)
    root = root.astype(np.float32)
    columns = np.empty((len(fixed) + factors, factors), dtype=np.float32)
    np.matmul(fixed, inverse, out=columns[: len(fixed)])
    done = 0
    for rows, regularization in side.rungs:
        progress(done / len(solved))
        # In this basis λ‖x‖² is that of columns in which nobody has an entry.
        np.multiply(inverse, np.float32(math.sqrt(regularization)), out=columns[len(fixed) :])
        part = solved[rows] @ root
        solver(side.matrix[rows], part, columns, 0.0)
        solved[rows] = part @ inverse.T
        done += len(rows)


def _between(progress: Progress, step: int, steps: int, message: str) -> Callable[[float], None]:
    """A progress callback for the part of one step."""
    return lambda fraction: progress((step + fraction) / steps, message)


@dataclass(frozen=True)
class _Side:
    """One side of the matrix, and which of its rows are solved together."""

    matrix: sparse.csr_matrix
    """(rows, columns)"""
    rungs: list[tuple[NDArray[np.intp], float]]
    """Rows, heaviest first, and their λ."""

    @property
    def mean_regularization(self) -> float:
        """The mean of the rows' λ."""
        return sum(len(rows) * each for rows, each in self.rungs) / self.matrix.shape[0]

    @classmethod
    def pair(cls, matrix: sparse.csr_matrix, settings: Settings) -> "tuple[_Side, _Side]":
        """The users' side and the movies' side of a matrix (U, I) of signed confidences."""
        users, movies = matrix.shape
        penalty, exponent = settings.penalty(users, movies), settings.frequency_exponent
        by_movie = matrix.T.tocsr()
        return (
            cls(matrix, _rungs(movies + _excess_weights(matrix), penalty, exponent)),
            cls(
                by_movie,
                _rungs(users + _excess_weights(by_movie), penalty, exponent, _MOVIES_LADDER),
            ),
        )


def _excess_weights(matrix: sparse.csr_matrix) -> NDArray[np.float64]:
    """(rows,) what the entries of each row weigh beyond as many unrated ones."""
    excess = sparse.csr_matrix(
        (_excess(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    return np.asarray(excess.sum(axis=1, dtype=np.float64)).ravel()


def _rungs(
    weights: NDArray[np.floating[Any]], penalty: float, exponent: float, ladder: float = _LADDER
) -> list[tuple[NDArray[np.intp], float]]:
    """Positions in weights (n,) of those with one λ, and that λ, heaviest first."""
    lambdas = row_regularization(weights, penalty, exponent, ladder)
    order = np.argsort(-weights, kind="stable")
    edges = np.flatnonzero(np.diff(lambdas[order])) + 1
    return [(rows, float(lambdas[rows[0]])) for rows in np.split(order, edges)]


def _excess(confidences: NDArray[Any]) -> NDArray[Any]:
    """What each entry weighs beyond an unrated movie: |c| − 1, and 0 for c = 0."""
    return np.where(confidences == 0, 0.0, np.abs(confidences) - 1)


def row_regularization(
    weights: NDArray[np.floating[Any]],
    regularization: float,
    exponent: float,
    ladder: float = _LADDER,
) -> NDArray[np.float64]:
    """λ · w^ν of rows with weights (n,), each w ≥ 1 rounded to the ladder."""
    rung = np.round(np.log(np.maximum(weights, 1.0)) / math.log(ladder))
    return np.asarray(regularization * ladder ** (rung * exponent), dtype=np.float64)


def gramian(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """YᵀY (d, d) of vectors Y (n, d), summed in double precision."""
    return _gramian(vectors).astype(np.float32)


def _gramian(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    total = np.zeros((vectors.shape[1], vectors.shape[1]))
    for start in range(0, len(vectors), 65_536):
        part = vectors[start : start + 65_536].astype(np.float64)
        total += part.T @ part
    return total


def fold_in(
    gramian: Floats, vectors: Floats, confidences: Floats, regularization: float
) -> NDArray[np.float32]:
    """The vector (d,) of a user, solved exactly from what they rated.

    `gramian` (d, d) is YᵀY of all movies, `vectors` (n, d) those of the rated movies,
    `confidences` (n,) signed (a zero counts for nothing), `regularization` λ_u > 0:

        x = (YᵀY + Yᵀ(C−I)Y + λ_u I)⁻¹ YᵀCp        (Hu, Koren, Volinsky 2008, eq. 4)

    n = 0 gives zeros. Raises ValueError where shapes do not fit, and scipy.linalg.LinAlgError
    where the system is not positive definite (λ_u ≤ 0, or no numbers).
    """
    system = _factorized(gramian, vectors, confidences, regularization)
    likes = np.maximum(np.asarray(confidences, dtype=np.float64), 0)
    x = linalg.cho_solve(system, likes @ np.asarray(vectors, dtype=np.float64))
    return np.asarray(x, dtype=np.float32)


def contributions(
    gramian: Floats,
    vectors: Floats,
    confidences: Floats,
    regularization: float,
    candidates: Floats,
) -> NDArray[np.float32]:
    """How much each rated movie adds to each candidate's score, (m, n).

    Arguments as for `fold_in`, and `candidates` (m, d). The entry of candidate i and rated movie j
    is s_ij c_j with s_ij = y_i · W y_j and W = (YᵀCY + λ_u I)⁻¹ (Hu, Koren, Volinsky 2008, §5).
    A row's sum is the candidate's score, y_i · fold_in(...). A movie that was not liked adds 0:
    it shapes W, and so the shares of the others.
    """
    system = _factorized(gramian, vectors, confidences, regularization)
    likes = np.maximum(np.asarray(confidences, dtype=np.float64), 0)
    weighted = linalg.cho_solve(system, np.asarray(candidates, dtype=np.float64).T).T
    shares = weighted @ np.asarray(vectors, dtype=np.float64).T * likes
    return np.asarray(shares, dtype=np.float32)


def _factorized(
    gramian: Floats, vectors: Floats, confidences: Floats, regularization: float
) -> tuple[NDArray[np.float64], bool]:
    """Cholesky factor of YᵀCY + λI, as scipy's `cho_solve` takes it."""
    factors = len(gramian)
    if vectors.shape != (len(confidences), factors):
        raise ValueError(f"vectors: expected shape {(len(confidences), factors)}")
    y = np.asarray(vectors, dtype=np.float64)
    system = np.asarray(gramian, dtype=np.float64) + (y.T * _excess(np.asarray(confidences))) @ y
    system[np.diag_indices(factors)] += regularization
    return linalg.cho_factor(system, lower=True)
