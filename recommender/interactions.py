"""What training makes of ratings: for every rated movie a confidence, and liked or disliked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.parameters import Parameters, Search, number

HALF_STARS = 2.0
"""Half stars in a star: values are stored in half stars, settings are in stars."""

_RECENCY_HALVES = 10.0
"""Later ratings after which what is special about the latest has halved."""

_BLOCK, _AT_ONCE = 1 << 18, 2
"""Ratings weighed or sorted at a time, and such blocks side by side: some 30 MB of temporaries."""


Ids = NDArray[np.integer[Any]]
"""Of users or movies."""


@dataclass(frozen=True)
class Ratings:
    """Ratings as four arrays of one length n, in any order; a (user, movie) pair occurs once.

    Raises ValueError when the lengths differ. Ids are kept as int32 where they come so, which is
    half the memory; arrays of another integer type are converted.
    """

    user_ids: Ids
    """(n,) who rated."""
    movie_ids: Ids
    """(n,) which movie."""
    values: NDArray[np.int8]
    """(n,) half stars, 1 to 10."""
    rated_at: NDArray[np.int64]
    """(n,) when: microseconds since 1970-01-01 UTC."""

    def __post_init__(self) -> None:
        for field in fields(self):
            array = np.asarray(getattr(self, field.name))
            if field.name == "values":
                array = array.astype(np.int8, copy=False)
            elif array.dtype != np.int32:
                array = array.astype(np.int64, copy=False)
            if array.shape != (len(self.user_ids),):
                raise ValueError(f"{field.name}: expected {len(self.user_ids)} values in one row")
            object.__setattr__(self, field.name, array)

    def __len__(self) -> int:
        return len(self.user_ids)

    def take(self, which: NDArray[np.bool_] | NDArray[np.integer[Any]] | slice) -> "Ratings":
        """The ratings at a boolean mask, at an array of positions, or in a slice."""
        return Ratings(
            self.user_ids[which], self.movie_ids[which], self.values[which], self.rated_at[which]
        )


@dataclass(frozen=True)
class Weighting(Parameters):
    r"""How a rating becomes a signed confidence.

    A user's *middle* is the mean of their ratings, shrunk towards `prior` as if they had also
    given `prior_strength` ratings of that value. A rating at or above the middle is *liked*. With
    d the distance to the middle in stars, its strength s and its confidence c are

        s = 1 + growth · d                 where liked
        s = below · (1 + growth · d)       where not, and below < 0: a dislike grows with d
        s = below · (1 − 2 · growth · d)   where not, and below > 0: a weak interest shrinks, and
                                           far enough below it is a dislike
        c = sign(s) · (1 + alpha · |s| · r)

    and c = 0 where s = 0. *Recency* r moves weight from a user's older ratings to their latest,
    whose taste the next film has to meet: with n_later of the user's ratings later than this one,

        r = f / (mean f of the user's ratings),    f = 1 + recency · 2^(−n_later / 10)

    so ratings of one moment weigh alike.

    The sign follows the convention of the `implicit` package: c > 0 says that the user likes the
    movie (preference 1) with confidence c; c < 0 says that they do not (preference 0) with
    confidence |c|. A movie that was not rated has preference 0 with confidence 1, so a rating of
    c = 0 counts as if it had not been given.

    Confidence: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets",
    ICDM 2008, eq. 3 (c = 1 + αr).
    """

    alpha: float = number(3.0, 0.01, 1000.0, Search(0.3, 30, log=True))
    """How much more a rating weighs than the silence about an unrated movie (which weighs 1)."""

    below: float = number(0.75, -10.0, 1.0, Search(-1, 1, landmarks=(1, 0.8, -0.3)))
    """What a rating just below the user's middle counts against one at the middle: 1 as much as a
    like, between 0 and 1 a weaker interest, 0 nothing, negative a dislike."""

    growth: float = number(0.5, 0.0, 10.0, Search(0, 2, landmarks=(0, 0.15, 0.5)))
    """How much more a like says with each star above the user's middle, and how fast what is below
    it turns to a dislike: at 0.5 one star below says nothing, and less is a dislike."""

    recency: float = number(4.0, 0.0, 20.0, Search(0, 10, landmarks=(0, 0, 4)))
    """How much more the latest rating says than an old one: 0 as much, 4 five times as much."""

    prior: float = number(3.5, 0.5, 5.0)
    """The middle of a user of whom nothing is known, in stars."""

    prior_strength: float = number(3.0, 0.01, 100.0)
    """How many ratings of one's own it takes for them to weigh as much as `prior` does."""

    def middle(self, values: NDArray[np.int8]) -> float:
        """One user's middle in half stars, from their values (n,) in half stars."""
        rows = np.zeros(len(values), dtype=np.int32)
        return float(self.middles(rows, values, 1)[0])

    def middles(
        self, rows: NDArray[np.integer[Any]], values: NDArray[np.int8], users: int
    ) -> NDArray[np.float64]:
        """Every user's middle (users,) in half stars; `rows` (n,) says whose each value is."""
        counts = np.bincount(rows, minlength=users)
        sums = np.bincount(rows, weights=values, minlength=users)
        prior = HALF_STARS * self.prior
        # Sums of half stars are exact, so that 3.5 stars are never below a middle of 3.5 stars.
        middles = (sums + self.prior_strength * prior) / (counts + self.prior_strength)
        return np.asarray(middles, dtype=np.float64)

    def confidences(
        self, values: NDArray[np.int8], rated_at: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """One user's values (n,) in half stars as signed confidences (n,).

        `rated_at` (n,) says when, in any unit; without it all are of one moment.
        """
        rows = np.zeros(len(values), dtype=np.int32)
        return self.confidences_by_user(rows, values, 1, rated_at)

    def confidences_by_user(
        self,
        rows: NDArray[np.integer[Any]],
        values: NDArray[np.int8],
        users: int,
        rated_at: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float32]:
        """All users' signed confidences (n,): what `confidences` gives for each user alone.

        `rows` (n,) are user positions in 0..users-1, `values` (n,) half stars.
        """
        confidences = np.empty(len(values), dtype=np.float32)

        def weigh(part: NDArray[np.intp]) -> None:
            owners = rows[part]
            middles = self.middles(owners, values[part], users)[owners]
            recencies = self._recencies(owners, users, None if rated_at is None else rated_at[part])
            confidences[part] = self._confidences(values[part], middles, recencies)

        each_block_of_users(rows, users, weigh)
        return confidences

    def _recencies(
        self,
        rows: NDArray[np.integer[Any]],
        users: int,
        rated_at: NDArray[np.int64] | None,
    ) -> NDArray[np.float32]:
        """r (n,) of every rating."""
        if rated_at is None or self.recency == 0:
            return np.ones(len(rows), dtype=np.float32)
        factors = 1 + self.recency * np.exp2(-later_ratings(rows, rated_at) / _RECENCY_HALVES)
        sums = np.bincount(rows, weights=factors, minlength=users)
        means = sums / np.maximum(np.bincount(rows, minlength=users), 1)
        return np.asarray(factors / means[rows], dtype=np.float32)

    def _confidences(
        self,
        values: NDArray[np.int8],
        middles: NDArray[np.float64],
        recencies: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """The formula: values (n,) in half stars, middles (n,) and r (n,)."""
        distance = (values - middles) / HALF_STARS
        grown = 1 + self.growth * np.abs(distance)
        falling = 1 - 2 * self.growth * np.abs(distance)
        low = self.below * (falling if self.below > 0 else grown)
        strength = np.where(distance >= 0, grown, low)
        confidence = np.sign(strength) * (1 + self.alpha * np.abs(strength) * recencies)
        return confidence.astype(np.float32)


LIKES = Weighting(below=0.0)
"""For those who ask what people liked: what lies below somebody's middle counts for nothing."""


@dataclass(frozen=True)
class Interactions:
    """Who interacted with what, ready to train on. Rows are users, columns are movies."""

    user_ids: NDArray[np.int64]
    """(U,) the users who rated anything, ascending, each once."""
    movie_ids: NDArray[np.int64]
    """(I,) the movies that anyone rated, ascending, each once."""
    matrix: sparse.csr_matrix
    """(U, I) float32 signed confidences (see `Weighting`), columns ascending within a row."""

    @classmethod
    def build(cls, ratings: Ratings, weighting: Weighting) -> "Interactions":
        """Weigh `ratings`. Takes O(n) time where ids are dense, as a database's own are.

        Users and movies keep their row and column even where all their ratings count for nothing.
        Raises ValueError where a user has rated a movie twice.
        """
        user_ids, rows = index_ids(ratings.user_ids)
        movie_ids, columns = index_ids(ratings.movie_ids)
        shape = (len(user_ids), len(movie_ids))
        confidences = weighting.confidences_by_user(
            rows, ratings.values, len(user_ids), ratings.rated_at
        )
        matrix = sparse.coo_matrix((confidences, (rows, columns)), shape=shape).tocsr()
        # Making a csr_matrix adds duplicates up, which leaves fewer entries than ratings.
        if matrix.nnz != len(ratings):
            raise ValueError("ratings: a user has rated the same movie more than once")
        matrix.sort_indices()
        matrix.eliminate_zeros()
        return cls(user_ids, movie_ids, matrix)


def each_block_of_users(
    rows: NDArray[np.integer[Any]], users: int, work: Callable[[NDArray[np.intp]], None]
) -> None:
    """Give `work` the positions in `rows` (n,) of all ratings of some users at a time, ascending.

    `rows` says whose each rating is, in 0..users-1; the memory for what is made of a block does not
    grow with n, unless one user has rated more than a block holds. Two blocks are worked at side by
    side: sorting, which is most of it, lets others go on.
    """
    if len(rows) <= _BLOCK:
        work(np.arange(len(rows)))
        return
    ends = np.cumsum(np.bincount(rows, minlength=users))
    block_of_user = ((ends - 1) // _BLOCK).astype(np.int16)
    blocks = block_of_user[rows]

    def at(block: int) -> None:
        work(np.flatnonzero(blocks == block))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # What one raises is raised here.
        list(pool.map(at, range(int(block_of_user[-1]) + 1)))


def later_ratings(rows: NDArray[np.integer[Any]], rated_at: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of the same user's ratings are later than each (n,); `rows` (n,) says whose."""
    order = np.lexsort((-rated_at, rows))
    rows, rated_at = rows[order], rated_at[order]
    place = np.arange(len(rows))
    is_first = np.ones(len(rows), dtype=np.bool_)
    is_first[1:] = rows[1:] != rows[:-1]
    is_new = is_first.copy()
    is_new[1:] |= rated_at[1:] != rated_at[:-1]
    # Ratings of one moment are as late as the first of them.
    later = np.maximum.accumulate(np.where(is_new, place, 0))
    later -= np.maximum.accumulate(np.where(is_first, place, 0))
    counts = np.empty_like(later)
    counts[order] = later
    return counts


def index_ids(ids: Ids) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The distinct ids (m,) ascending, and each id's position among them (n,).

    Same as `np.unique(ids, return_inverse=True)`, without its sort where ids are dense enough for
    a lookup table.
    """
    if len(ids) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    low, high = int(ids.min()), int(ids.max())
    if high - low > 4 * len(ids) + 1_000_000:
        unique, inverse = np.unique(ids, return_inverse=True)
        return np.asarray(unique, dtype=np.int64), inverse.astype(np.int32)
    present = np.zeros(high - low + 1, dtype=np.bool_)
    present[ids - low] = True
    unique = np.flatnonzero(present).astype(np.int64)
    position = np.zeros(len(present), dtype=np.int32)
    position[unique] = np.arange(len(unique), dtype=np.int32)
    return np.asarray(unique + low, dtype=np.int64), position[ids - low]
