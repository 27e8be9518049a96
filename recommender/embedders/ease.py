"""An item-based model, EASE, written as two short vectors a movie."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from recommender.embedders.base import Embedding, Floats, Progress, Rated, silent
from recommender.interactions import Interactions
from recommender.parameters import Configured, Parameters, Search, number

SIDE = 4000
"""The most people, or movies, that are solved for: time grows with the cube of their number. With
more of both, the most liked movies have vectors, and the others zeros. In MovieLens 1M all have,
and of the likes in larger sets the most liked 4,000 hold over 90 %."""

FEW_LIKES = 12.0
"""With so many likes, a user is half one of those who have few; with half as many more, hardly."""

_STEEPNESS = 4
"""Of that change: people with twenty likes lost by a slower one."""

_NO_SHARE = 1e-8
"""Of few likes in a vector: below what single precision can tell."""

_HIDDEN = 16.0
"""Of the likes of a user, for each one that is seen, in learning for those who have few."""

_FEW_STRENGTH = 4.0
"""How much more each of few likes says, beside iALS and popularity."""

_OVERSAMPLING = 32
_POWER_ITERATIONS = 2
"""Halko, Martinsson, Tropp, SIAM Review 2011, §4.5: two tell leading directions apart."""

_COLUMNS = 500
"""Of a matrix of movies by movies that are computed at a time."""

_SMALLEST = 1e-4
"""Of a direction's singular value, by the largest one: those below say nothing."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose about the item-based model."""

    rank: int = number(128, 1, 1024, Search(48, 256, log=True))
    """Length k of a vector. Fewer directions than movies do not only save: they foresee better,
    as what is dropped is mostly noise."""

    item_regularization: float = number(80.0, 1e-3, 1e6, Search(20, 300, log=True))
    """λ, by the square root of the mean number of likes of a movie: chance likes fade so."""

    user_exponent: float = number(0.35, 0.0, 1.0, Search(0.0, 0.6))
    """How much less each like of somebody who likes many movies says about them being alike."""

    movie_exponent: float = number(0.3, 0.0, 1.0, Search(0.0, 0.6))
    """How much less being liked together with a movie says that many people like."""


@dataclass(frozen=True)
class FoldIn:
    """A user's vector is a sum over their likes: Σ (c − 1) p, with p for as many as they have.

    `Rated.inputs` (n, 2k) are the input vectors for users with many likes, and for those with few.
    Versions of earlier days have one for everybody (n, k), and are served as they were then.
    """

    start_length: ClassVar[int] = 0

    def vector(self, rated: Rated) -> Matrix:
        """See `base.FoldIn`."""
        strengths = _strengths(rated.confidences)
        return np.asarray(strengths @ self._inputs(rated, strengths), dtype=np.float32)

    def contributions(self, rated: Rated, candidates: Floats) -> Matrix:
        """See `base.FoldIn`."""
        strengths = _strengths(rated.confidences)
        shares = (candidates @ self._inputs(rated, strengths).T) * strengths
        return np.asarray(shares, dtype=np.float32)

    def _inputs(self, rated: Rated, strengths: Floats) -> Floats:
        """The movies' input vectors (n, k) for a user with so many likes."""
        if rated.inputs.shape[1] == rated.vectors.shape[1]:
            return rated.inputs
        many, few = np.split(np.asarray(rated.inputs), 2, axis=1)
        share = fewness(int(np.count_nonzero(strengths)))
        mixed: Floats = (1 - share) * many + share * few
        return mixed

    def given(self, rated: Rated, candidates: Floats) -> Matrix:
        """See `base.FoldIn`; nothing is given."""
        return np.zeros(len(candidates), dtype=np.float32)

    def state(self) -> tuple[dict[str, Any], Matrix]:
        """See `base.FoldIn`; the input vectors are all there is."""
        return {}, np.empty((0, 0), dtype=np.float32)


class ReducedRankEASE(Configured[Settings]):
    r"""EASE on normalized likes, of reduced rank.

    EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019) foresees a
    user's row x of likes by xB, where B minimizes ‖X − XB‖² + λ‖B‖² with diag B = 0:

        P = (XᵀX + λI)⁻¹,      B_ij = −P_ij / P_jj  (i ≠ j)

    Here B is learnt from likes that are divided by (user's sum of likes)^a and (movie's number of
    likes)^b, and brought back to the scale of plain likes: people and movies that occur
    everywhere say less. Then B is replaced by its best approximation of rank k in the sense that
    counts, ‖XB − XB_k‖ (reduced-rank regression: Izenman, J. Multivariate Analysis 1975):

        B_k = (BQ) Qᵀ,      Q (I, k) the leading right singular vectors of XB, S their values

    so that a movie is a row of Q√S, a user is x(BQ/√S), and their inner product is the score. A row
    of BQ/√S, the *input vector* of a movie, is what a like of the movie adds to a user's vector.
    The root is for the angle between two movies: in Q alone, directions of little weight would
    count in it as much as the leading ones.

    Where there are fewer users than movies, P follows from the users' smaller side (Woodbury):

        P = (I − Xᵀ(XXᵀ + λI)⁻¹X) / λ

    and B is only ever multiplied by, never written out.

    The strength of a like is c − 1, with a mean of 1; what was not liked counts for nothing.

    *Few likes.* B foresees users from all of their likes. Who has given three is like somebody
    most of whose likes are hidden, and to be foreseen from a random part of them is another
    question: X's diagonal of XᵀX grows by d times itself, with d likes hidden for one that is seen
    (dropout: Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020, §3). The
    B′ of that question gives every movie a second input vector, B′Q/√S, and a user with n likes
    has so much of it: 2^(−(n / FEW_LIKES)⁴).
    """

    kind = Settings

    @staticmethod
    def fold_in(numbers: Mapping[str, Any], matrix: Matrix) -> FoldIn:
        """The fold-in whose `state()` these are."""
        return FoldIn()

    def fit(self, interactions: Interactions, progress: Progress = silent) -> Embedding:
        """Learn vectors; what `progress` raises ends the fit and is passed on.

        Raises ValueError where nothing was liked.
        """
        matrix = interactions.matrix
        likes, unit = _likes(matrix)
        chosen = _solved_for(likes)
        solved = likes if len(chosen) == matrix.shape[1] else likes[:, chosen]
        progress(0.1, "which movies are liked together")
        item_weights = _ItemWeights(solved, self._settings)
        progress(0.2, "what liking one says of another")
        weights = item_weights.with_hidden(0.0)
        progress(0.4, "what that comes to in short")
        directions, sizes = self._leading_directions(solved, weights)
        roots = np.sqrt(np.maximum(sizes / (sizes[0] or 1), _SMALLEST))
        movie_vectors, many, few = np.zeros(
            (3, matrix.shape[1], self._settings.rank), dtype=np.float32
        )
        rank = len(sizes)
        movie_vectors[chosen, :rank] = directions * roots
        many[chosen, :rank] = (weights @ directions) / roots
        # A number for each pair of movies: not to be kept beside the next ones.
        del weights
        progress(0.6, "the same of people with few likes")
        weights = item_weights.with_hidden(_HIDDEN)
        few[chosen, :rank] = _FEW_STRENGTH * (weights @ directions) / roots
        progress(1.0, "fitted")
        user_vectors = _user_vectors(likes, many, few)
        return Embedding(user_vectors, movie_vectors, np.hstack([many, few]) / unit, FoldIn())

    def _leading_directions(
        self, likes: sparse.csr_matrix, weights: LinearOperator
    ) -> tuple[Matrix, Matrix]:
        """Q (m, ≤ k) and S: right singular vectors and values of likes (U, m) @ weights (m, m).

        The largest are first.

        By subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4), which comes to the
        same directions from any random start.
        """
        movies = likes.shape[1]
        rank = min(self._settings.rank, movies)
        random = np.random.default_rng(0)
        width = min(rank + _OVERSAMPLING, movies)
        directions = random.standard_normal((movies, width), dtype=np.float32)
        for _ in range(_POWER_ITERATIONS):
            foreseen = likes @ (weights @ directions)
            directions, _ = np.linalg.qr(weights.T @ (likes.T @ foreseen))
        foreseen = likes @ (weights @ directions)
        squares, rotation = np.linalg.eigh(foreseen.T @ foreseen)
        leading = np.asarray(directions @ rotation[:, ::-1][:, :rank], dtype=np.float32)
        return leading, np.sqrt(np.maximum(squares[::-1][:rank], 0))


def _strengths(confidences: Floats) -> Floats:
    """(n,) how strong each like is, 0 for what was not liked, from signed confidences (n,)."""
    strengths: Floats = np.maximum(np.asarray(confidences) - 1, 0)
    return strengths


def fewness(likes: NDArray[np.integer[Any]] | int) -> NDArray[np.float64]:
    """How much users with so many likes are to be taken as those with few, 0 to 1."""
    return np.exp2(-((np.asarray(likes) / FEW_LIKES) ** _STEEPNESS))


def _user_vectors(likes: sparse.csr_matrix, many: Matrix, few: Matrix) -> Matrix:
    """(U, k) everybody's, from both of the movies' input vectors (I, k)."""
    vectors = likes @ many
    share = fewness(np.diff(likes.indptr)).astype(np.float32)[:, None]
    some = np.flatnonzero(share > _NO_SHARE)
    vectors[some] += share[some] * (likes[some] @ (few - many))
    return np.asarray(vectors)


def _likes(matrix: sparse.csr_matrix) -> tuple[sparse.csr_matrix, float]:
    """The strengths of the likes (U, I) in units of their mean, and the unit."""
    likes = sparse.csr_matrix(matrix > 1)
    likes.data = np.asarray(_strengths(matrix.data[matrix.data > 1]), dtype=np.float32)
    if not likes.nnz:
        raise ValueError("interactions: nothing was liked")
    unit = float(likes.data.mean())
    likes.data /= unit
    return likes, unit


def _solved_for(likes: sparse.csr_matrix) -> NDArray[np.intp]:
    """The columns of the movies that have vectors, ascending: the liked ones, or the most liked."""
    counts = np.bincount(likes.indices, minlength=likes.shape[1])
    liked = np.flatnonzero(counts)
    if min(likes.shape[0], len(liked)) <= SIDE:
        return liked
    return np.sort(np.argsort(-counts, kind="stable")[:SIDE])


class _ItemWeights:
    """EASE's B (m, m) for plain likes (U, m), learnt from the normalized ones."""

    def __init__(self, likes: sparse.csr_matrix, settings: Settings) -> None:
        counts = np.bincount(likes.indices, minlength=likes.shape[1])
        sums = np.asarray(likes.sum(axis=1), dtype=np.float64).ravel()
        user_scale = np.maximum(sums, 1e-6) ** -settings.user_exponent
        movie_scale = counts.astype(np.float64) ** -settings.movie_exponent
        normalized = likes.copy()
        normalized.data *= np.repeat(user_scale.astype(np.float32), np.diff(likes.indptr))
        normalized.data *= movie_scale.astype(np.float32)[likes.indices]
        lengths = np.bincount(likes.indices, normalized.data**2, minlength=len(counts))
        # So that λ means the same whatever the scale: a movie's square length is 1 on average.
        normalized.data /= np.float32(np.sqrt(lengths.mean()))
        self._lengths = lengths / lengths.mean()
        self._penalty = settings.item_regularization / np.sqrt(counts.mean())
        self._scales = movie_scale.astype(np.float32)
        if likes.shape[0] > len(counts):
            self._invert = partial(_by_movies, _gramian(normalized), self._lengths)
        else:
            self._invert = partial(_by_users, normalized)

    def with_hidden(self, hidden: float) -> LinearOperator:
        """B where `hidden` likes stay out of sight for each that a user is foreseen from.

        It may be used until the next one is asked for, which takes its place in memory.
        """
        inverse, diagonal = self._invert(hidden * self._lengths + self._penalty)
        weights = _identity(len(diagonal)) - inverse @ _diagonal(1 / diagonal)
        return _diagonal(self._scales) @ weights @ _diagonal(1 / self._scales)


def _gramian(likes: sparse.csr_matrix) -> Matrix:
    """The upper triangle of XᵀX (m, m) of likes X (U, m), and anything below it.

    Some columns at a time: sparse it is larger than dense.
    """
    movies = likes.shape[1]
    by_movie = likes.tocsc()
    gramian = np.zeros((movies, movies), dtype=np.float32)
    for start in range(0, movies, _COLUMNS):
        stop = start + _COLUMNS
        upper = by_movie[:, :stop].T @ by_movie[:, start:stop]
        gramian[:stop, start:stop] = upper.toarray()
    return gramian


def _by_movies(
    gramian: Matrix, lengths: Floats, penalties: Floats
) -> tuple[LinearOperator, Matrix]:
    """P (m, m) and its diagonal from XᵀX (m, m) of normalized likes X, by m equations.

    `lengths` (m,) are the diagonal of XᵀX, and `penalties` (m,) are added to it. The rest is read
    from above the diagonal of `gramian`; what P is made of is written below it.
    """
    blocks = [slice(start, start + _COLUMNS) for start in range(0, len(gramian), _COLUMNS)]
    for block in blocks:
        gramian[block, : block.start] = gramian[: block.start, block].T
        corner = np.triu(gramian[block, block], 1)
        gramian[block, block] = corner + corner.T
    np.fill_diagonal(gramian, lengths + penalties)
    # XᵀX + Λ = UᵀU and R = U⁻¹, so P = RRᵀ. To LAPACK what is below the diagonal is above it.
    root, failed = linalg.lapack.spotrf(gramian.T, clean=0, overwrite_a=1)
    root, impossible = linalg.lapack.strtri(root, overwrite_c=1)
    if failed or impossible:
        raise ValueError("item_regularization: too small for these ratings")
    diagonal = [np.square(np.triu(root[block], block.start)).sum(axis=1) for block in blocks]

    def product(vectors: Matrix) -> Matrix:
        half = linalg.blas.strmm(1, root, vectors, trans_a=1)
        return np.asarray(linalg.blas.strmm(1, root, half, overwrite_b=1))

    inverse = LinearOperator(root.shape, product, product, product, np.float32, product)
    return inverse, np.concatenate(diagonal)


def _by_users(likes: sparse.csr_matrix, penalties: Floats) -> tuple[LinearOperator, Matrix]:
    """The same from X (U, m) itself, by U equations.

    With Z = XΛ^(−½), Λ the penalties, ZZᵀ + I = LLᵀ and F = L⁻¹Z, it is
    (XᵀX + Λ)⁻¹ = Λ^(−½) (I − FᵀF) Λ^(−½).
    """
    roots = np.sqrt(penalties)
    scaled = likes.toarray() / roots
    gramian = scaled @ scaled.T
    gramian[np.diag_indices_from(gramian)] += 1
    half = linalg.solve_triangular(linalg.cholesky(gramian, lower=True), scaled, lower=True)
    diagonal = (1 - np.einsum("um,um->m", half, half)) / penalties
    half = half.astype(np.float32)
    outer = _diagonal((1 / roots).astype(np.float32))
    inner = _identity(len(roots)) - aslinearoperator(half.T) @ aslinearoperator(half)
    return outer @ inner @ outer, diagonal.astype(np.float32)


def _identity(size: int) -> LinearOperator:
    return aslinearoperator(sparse.eye_array(size, dtype=np.float32))


def _diagonal(values: Floats) -> LinearOperator:
    return aslinearoperator(sparse.diags_array(values))
