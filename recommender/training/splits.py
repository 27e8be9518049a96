"""Which ratings a model is trained on, and which it is judged by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.interactions import Ratings, each_block_of_users, index_ids

Keys = Callable[[Ratings], tuple[NDArray[np.uint64] | NDArray[np.int64], ...]]
"""What orders ratings of one user: of n ratings, one or more arrays (n,)."""


@dataclass(frozen=True)
class Split:
    """Two parts of one set of ratings; together they are all of it, in its order."""

    training: Ratings
    """What a model may see."""
    held_out: Ratings
    """What it is asked to foresee."""


def time_split(ratings: Ratings, share: float = 0.2, fewest: int = 5, seed: int = 0) -> Split:
    """Hold out each user's latest `share` of ratings, rounded down, but at least one.

    Users with fewer than `fewest` ratings stay in training whole. Ratings that one user gave in
    one microsecond are ordered by a hash of user, movie and `seed`, and not by movie id, as low
    ids are often older or better-known movies. Same ratings and seed, in any order: same split.

    Raises ValueError unless 0 < share < 1 and fewest ≥ 2.
    """
    return _hold_out_first(ratings, _latest_first(seed), share, fewest)


def random_split(ratings: Ratings, share: float = 0.2, fewest: int = 5, seed: int = 0) -> Split:
    """Hold out `share` of each user's ratings, drawn at random: rounded and spared as above.

    What is drawn is decided by a hash of user, movie and `seed`. Same ratings and seed, in any
    order: same split.

    Raises ValueError unless 0 < share < 1 and fewest ≥ 2.
    """
    return _hold_out_first(ratings, lambda part: (_hash(part, seed),), share, fewest)


def leave_last_out(ratings: Ratings, seed: int = 0) -> Split:
    """Hold out the last rating of each user who gave two or more; ties as in `time_split`."""
    # At least one is held out, and so small a share is never more.
    return _hold_out_first(ratings, _latest_first(seed), share=1e-12, fewest=2)


def _latest_first(seed: int) -> Keys:
    return lambda ratings: (_hash(ratings, seed), -ratings.rated_at)


def _hold_out_first(ratings: Ratings, keys: Keys, share: float, fewest: int) -> Split:
    """Hold out of each user what is first by the keys, the last of which weighs most."""
    if not 0 < share < 1:
        raise ValueError(f"share: must lie between 0 and 1, not {share}")
    if fewest < 2:
        raise ValueError(f"fewest: must be 2 or more, so that something stays, not {fewest}")
    held = _is_first(ratings, keys, share, fewest)
    return Split(ratings.take(~held), ratings.take(held))


def _is_first(ratings: Ratings, keys: Keys, share: float, fewest: int) -> NDArray[np.bool_]:
    """Which ratings (n,) are among the first `share` of their user's."""
    user_ids, rows = index_ids(ratings.user_ids)
    counts = np.bincount(rows, minlength=len(user_ids))
    most = np.where(counts < fewest, 0, np.maximum(1, np.floor(counts * share)))
    is_first = np.zeros(len(ratings), dtype=np.bool_)

    def mark(part: NDArray[np.intp]) -> None:
        owners = rows[part]
        ordered = np.lexsort((*keys(ratings.take(part)), owners))
        theirs = np.bincount(owners, minlength=len(user_ids))
        place = np.arange(len(part)) - np.repeat(np.cumsum(theirs) - theirs, theirs)
        is_first[part[ordered]] = place < np.repeat(most, theirs)

    each_block_of_users(rows, len(user_ids), mark)
    return is_first


def _hash(ratings: Ratings, seed: int) -> NDArray[np.uint64]:
    """A number per (user, movie, seed) without visible order (the finalizer of SplitMix64)."""
    # One-element arrays, as numpy lets arrays wrap around but warns about scalars that do.
    salt = np.array([seed], dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03)
    mixed = ratings.user_ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= ratings.movie_ids.astype(np.uint64) + salt
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
