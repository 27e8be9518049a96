"""Hold out what each user rated last, or some of it at random."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.interactions import Ratings
from recommender.training.splits import Split, random_split, time_split


def ratings(rows: list[tuple[int, int, int]]) -> Ratings:
    """Ratings of four stars from (user, movie, microseconds)."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Ratings(table[:, 0], table[:, 1], np.full(len(table), 8), table[:, 2])


def keys(part: Ratings) -> set[tuple[int, int]]:
    return set(zip(part.user_ids.tolist(), part.movie_ids.tolist(), strict=True))


ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2**50), st.integers(0, 3)),
    unique_by=lambda row: row[:2],
    max_size=60,
)


def test_the_latest_share_is_held_out() -> None:
    rows = [(1, movie, 100 - movie) for movie in range(10)]
    split = time_split(ratings(rows), share=0.3)
    assert keys(split.held_out) == {(1, 0), (1, 1), (1, 2)}


def test_at_least_one_is_held_out_of_a_user_with_enough() -> None:
    split = time_split(ratings([(1, movie, movie) for movie in range(5)]), share=0.1, fewest=5)
    assert keys(split.held_out) == {(1, 4)}


def test_users_with_few_ratings_stay_in_training() -> None:
    split = time_split(ratings([(1, movie, movie) for movie in range(4)]), fewest=5)
    assert len(split.held_out) == 0


@given(ROWS, st.floats(0.01, 0.99), st.integers(2, 9), st.integers(0, 99))
def test_every_rating_is_in_one_part_and_nothing_held_out_is_earlier(
    rows: list[tuple[int, int, int]], share: float, fewest: int, seed: int
) -> None:
    everything = ratings(rows)
    split = time_split(everything, share, fewest, seed)
    assert keys(split.training) | keys(split.held_out) == keys(everything)
    assert len(split.training) + len(split.held_out) == len(everything)
    for user in set(split.held_out.user_ids.tolist()):
        kept = split.training.rated_at[split.training.user_ids == user]
        held = split.held_out.rated_at[split.held_out.user_ids == user]
        assert len(kept) >= 1
        assert kept.max() <= held.min()


@given(ROWS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_the_ratings_does_not_matter(
    orders: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]],
) -> None:
    split, again = (time_split(ratings(rows)) for rows in orders)
    assert keys(split.held_out) == keys(again.held_out)


def test_ties_are_not_broken_by_movie_id_and_differ_by_seed() -> None:
    rows = [(1, movie, 0) for movie in range(1000)]
    held = keys(time_split(ratings(rows), share=0.5, seed=0).held_out)
    low = sum(movie < 500 for _, movie in held)
    assert 200 < low < 300
    assert held != keys(time_split(ratings(rows), share=0.5, seed=1).held_out)


def test_a_random_split_holds_out_each_users_share() -> None:
    rows = [(user, movie, movie) for user in (1, 2) for movie in range(10 * user)]
    held = random_split(ratings([*rows, (3, 1, 1)]), share=0.2).held_out
    assert np.bincount(held.user_ids).tolist() == [0, 2, 4]


def test_a_random_split_does_not_ask_when_a_rating_was_given() -> None:
    rows = [(1, movie, movie) for movie in range(1000)]
    held = keys(random_split(ratings(rows), share=0.5).held_out)
    assert 200 < sum(movie < 500 for _, movie in held) < 300
    assert held == keys(random_split(ratings([(1, m, 0) for _, m, _ in rows]), 0.5).held_out)
    assert held != keys(random_split(ratings(rows), share=0.5, seed=1).held_out)


@given(ROWS, st.floats(0.01, 0.99), st.integers(0, 99))
def test_every_rating_is_in_one_part_of_a_random_split(
    rows: list[tuple[int, int, int]], share: float, seed: int
) -> None:
    everything = ratings(rows)
    split = random_split(everything, share, seed=seed)
    assert keys(split.training) | keys(split.held_out) == keys(everything)
    assert len(split.training) + len(split.held_out) == len(everything)
    assert set(split.held_out.user_ids) <= set(split.training.user_ids)


@pytest.mark.parametrize("split", [time_split, random_split])
@pytest.mark.parametrize("share", [0, 1, -1, float("nan")])
def test_a_bad_share_is_named(split: Callable[..., Split], share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        split(ratings([]), share=share)


@pytest.mark.parametrize("split", [time_split, random_split])
def test_a_bad_fewest_is_named(split: Callable[..., Split]) -> None:
    with pytest.raises(ValueError, match="fewest"):
        split(ratings([]), fewest=1)
