"""Bootstrap intervals hold the true mean as often as they say."""

import numpy as np
import pytest

from recommender.training import intervals
from recommender.training.intervals import mean_interval, paired_interval


def test_an_interval_agrees_with_the_normal_one_where_there_are_many_users() -> None:
    values = np.random.default_rng(1).random(5000)
    margin = 1.96 * values.std() / np.sqrt(len(values))
    low, high = mean_interval(values)
    assert low == pytest.approx(values.mean() - margin, abs=0.1 * margin)
    assert high == pytest.approx(values.mean() + margin, abs=0.1 * margin)


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    random = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        low, high = mean_interval(random.exponential(size=80), draws=400)
        held += low <= 1 <= high
    assert 0.90 <= held / 400 <= 0.98


def test_pairs_show_a_difference_that_is_small_beside_that_between_users() -> None:
    random = np.random.default_rng(3)
    second = random.random(200)
    first = second + 0.01 + 0.02 * random.standard_normal(200)
    low, high = paired_interval(first, second)
    assert 0 < low < high < 0.02
    assert mean_interval(first)[0] < mean_interval(second)[1]


def test_the_same_seed_gives_the_same_interval_in_parts_too(monkeypatch) -> None:
    values = np.random.default_rng(4).random(101)
    whole = mean_interval(values, draws=100, seed=5)
    assert mean_interval(values, draws=100, seed=5) == whole
    assert mean_interval(values, draws=100, seed=6) != whole
    monkeypatch.setattr(intervals, "_CELLS", 150)
    assert mean_interval(values, draws=100, seed=5) == whole


def test_single_precision_does_not_lose_a_mean() -> None:
    low, high = mean_interval(np.full(50_000, 0.1, dtype=np.float32), draws=3)
    assert low == high == pytest.approx(np.float32(0.1), rel=1e-9)


def test_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        mean_interval(np.array([]))


def test_no_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="draws"):
        mean_interval(np.ones(3), draws=0)


def test_pairs_of_different_users_are_refused() -> None:
    with pytest.raises(ValueError, match="second"):
        paired_interval(np.ones(3), np.ones(4))
