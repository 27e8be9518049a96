"""What models of `implicit` by gradient ascent share: how they are run, and folding people in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
import threadpoolctl
from numpy.typing import NDArray
from scipy import sparse

from recommender.embedders import als
from recommender.embedders.base import Embedding, Floats, Progress, Rated, silent
from recommender.interactions import Interactions
from recommender.parameters import Configured, Parameters, Search, number

_FEW = 200
"""People folded in between two looks at `progress`."""

_SAMPLE = 500
"""People whose scores tell how much the solution is to be stretched."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose about models of a vector and a bias a movie."""

    factors: int = number(64, 1, 1024, Search(32, 128, log=True))
    """Length of a vector, without the bias."""

    iterations: int = number(100, 1, 2000)
    """How often all likes are gone through."""

    fold_in_regularization: float = number(10.0, 1e-6, 1000.0, Search(0.1, 10, log=True))
    """λ in solving a person's vector, by the mean eigenvalue of YᵀY: the more, the nearer do
    people with few ratings stay to what most people like."""

    popularity: float = number(0.4, 0.0, 5.0, Search(0.0, 3))
    """How much of a movie's popularity, the logarithm of its likes, is added to its bias. Training
    draws the movies that are not liked by their popularity, which takes it out of what it learns;
    1 gives all of it back (as Yi et al., RecSys 2019, correct for such a draw)."""

    seed: int = number(0, 0, 2**31 - 1)
    """Start of the random numbers. The same seed gives the same vectors."""


@dataclass(frozen=True)
class FoldIn:
    """A person's vector from movies of vectors y and biases b: (stretch · x | 1) against (y | b).

    x solves the least squares problem of iALS (see `als.fold_in`) for the fixed vectors y. Such a
    model is learnt by another loss, in which a person's best vector is no linear system; this one
    is, so that a person's vector is exact, and every film's share in a score is known.
    """

    start_length: ClassVar[int] = 1

    gramian: Matrix
    """(d, d) YᵀY of the movie vectors without their biases."""
    regularization: float
    """λ."""
    stretch: float
    """The solution foresees 0 and 1; the model's scores spread otherwise."""

    def vector(self, rated: Rated) -> Matrix:
        """See `base.FoldIn`."""
        x = als.fold_in(self.gramian, rated.vectors[:, :-1], rated.confidences, self.regularization)
        return np.append(self.stretch * x, 1).astype(np.float32)

    def contributions(self, rated: Rated, candidates: Floats) -> Matrix:
        """See `base.FoldIn`."""
        shares = als.contributions(
            self.gramian,
            rated.vectors[:, :-1],
            rated.confidences,
            self.regularization,
            candidates[:, :-1],
        )
        return np.asarray(self.stretch * shares, dtype=np.float32)

    def given(self, rated: Rated, candidates: Floats) -> Matrix:
        """See `base.FoldIn`: the biases."""
        return np.asarray(candidates[:, -1], dtype=np.float32)

    def state(self) -> tuple[dict[str, Any], Matrix]:
        """See `base.FoldIn`."""
        return {"regularization": self.regularization, "stretch": self.stretch}, self.gramian


Kind = TypeVar("Kind", bound=Settings)


class Factorization(Configured[Kind]):
    """Base of the models: a subclass says which, and where it keeps the movies' biases."""

    extra_columns: int
    """After the vectors. The first holds the movies' biases, against ones of the users."""

    def model(self) -> Any:
        """The model of `implicit`, not fitted yet."""
        raise NotImplementedError

    @staticmethod
    def fold_in(numbers: Mapping[str, Any], matrix: Matrix) -> FoldIn:
        """The fold-in whose `state()` these are."""
        return FoldIn(gramian=matrix, **numbers)

    def fit(self, interactions: Interactions, progress: Progress = silent) -> Embedding:
        """Learn vectors; what `progress` raises ends the fit and is passed on.

        Raises ValueError where nothing was liked.
        """
        model, iterations = self.model(), self.settings.iterations

        def after(iteration: int, *_: float) -> None:
            done = iteration + 1
            progress(0.8 * done / iterations, f"iteration {done} of {iterations}")

        with threadpoolctl.threadpool_limits(1, "blas"):
            model.fit(likes(interactions), show_progress=False, callback=after)
            return embedding(
                model.user_factors[:, : -self.extra_columns],
                model.item_factors[:, : -self.extra_columns],
                model.item_factors[:, -self.extra_columns],
                interactions,
                self.settings,
                progress,
            )


def likes(interactions: Interactions) -> sparse.csr_matrix:
    """(U, I) 1 where somebody likes a movie. Raises ValueError where nobody likes anything."""
    liked = (interactions.matrix > 0).astype(np.float32)
    if not liked.nnz:
        raise ValueError("interactions: nothing was liked")
    return sparse.csr_matrix(liked)


def embedding(
    user_factors: Matrix,
    movie_factors: Matrix,
    biases: Matrix,
    interactions: Interactions,
    settings: Settings,
    progress: Progress,
) -> Embedding:
    """The embedding of learnt vectors (U, d) and (I, d) and the movies' biases (I,).

    People get the vectors that folding them in gives, stretched so that their scores come nearest
    to those that training gave them.
    """
    gramian = als.gramian(movie_factors)
    # Where nothing was learnt, any λ will do, but there has to be one.
    penalty = settings.fold_in_regularization * (float(gramian.trace()) / len(gramian) or 1.0)
    plain = FoldIn(gramian, penalty, 1.0)
    liked = np.bincount(
        interactions.matrix.indices[interactions.matrix.data > 0], minlength=len(biases)
    )
    levels = biases + settings.popularity * np.log1p(liked)
    vectors = np.column_stack([movie_factors, levels]).astype(np.float32)
    people = _people(plain, vectors, interactions, progress)
    stretch = _stretch(people[:, :-1], user_factors, movie_factors)
    people[:, :-1] *= stretch
    no_inputs = np.empty((len(vectors), 0), dtype=np.float32)
    return Embedding(people, vectors, no_inputs, FoldIn(gramian, penalty, stretch))


def _people(
    fold_in: FoldIn, vectors: Matrix, interactions: Interactions, progress: Progress
) -> Matrix:
    """(U, d + 1) everybody's vector."""
    matrix = interactions.matrix
    people = np.empty((matrix.shape[0], vectors.shape[1]), dtype=np.float32)
    no_inputs = np.empty((0, 0), dtype=np.float32)
    for user in range(len(people)):
        if user % _FEW == 0:
            progress(0.8 + 0.2 * user / len(people), "people from what they rated")
        entries = slice(matrix.indptr[user], matrix.indptr[user + 1])
        rated = Rated(vectors[matrix.indices[entries]], no_inputs, matrix.data[entries])
        people[user] = fold_in.vector(rated)
    return people


def _stretch(solved: Matrix, trained: Matrix, movies: Matrix) -> float:
    """The factor by which scores of `solved` (U, d) come nearest to those of `trained` (U, d)."""
    some = slice(None, None, max(1, len(solved) // _SAMPLE))
    scores = (solved[some] @ movies.T).astype(np.float64)
    wanted = (trained[some] @ movies.T).astype(np.float64)
    square = float((scores * scores).sum())
    if not square:
        return 1.0
    # Never turned round, should so little have been learnt that they say the opposite.
    return max(float((scores * wanted).sum()) / square, 0.0)
