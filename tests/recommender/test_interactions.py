"""Ratings become signed confidences."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import interactions
from recommender.interactions import Interactions, Ratings, Weighting, index_ids, later_ratings


def ratings(*rows: tuple[int, int, int]) -> Ratings:
    """Ratings from (user, movie, half stars), a second apart."""
    users, movies, values = zip(*rows, strict=True) if rows else ((), (), ())
    rated_at = np.arange(len(rows)) * 1_000_000
    return Ratings(np.array(users), np.array(movies), np.array(values), rated_at)


def values(*half_stars: int) -> np.ndarray:
    return np.array(half_stars, dtype=np.int8)


def test_arrays_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="movie_ids"):
        Ratings(np.arange(2), np.arange(3), values(1, 2), np.arange(2))


def test_take_accepts_masks_and_positions() -> None:
    all_three = ratings((1, 10, 2), (1, 11, 4), (2, 10, 6))
    assert all_three.take(np.array([True, False, True])).values.tolist() == [2, 6]
    assert all_three.take(np.array([2, 0])).values.tolist() == [6, 2]


def test_a_single_one_star_is_not_a_like() -> None:
    assert Weighting(below=-0.5).confidences(values(2))[0] < 0


@pytest.mark.parametrize("count", [1, 2, 3000])
def test_only_five_stars_are_all_likes(count: int) -> None:
    assert (Weighting().confidences(values(*[10] * count)) > 0).all()


@pytest.mark.parametrize("count", [1, 3, 7, 1234])
def test_a_rating_exactly_at_the_middle_is_liked(count: int) -> None:
    assert (Weighting(prior=3.5).confidences(values(*[7] * count)) > 0).all()


def test_the_same_rating_is_liked_by_a_harsh_user_and_not_by_a_mild_one() -> None:
    weighting = Weighting(below=-0.5)
    harsh = weighting.confidences(values(*[2] * 20, 6))
    mild = weighting.confidences(values(*[10] * 20, 6))
    assert harsh[-1] > 0 > mild[-1]


def test_the_formula_by_hand() -> None:
    weighting = Weighting(alpha=4, below=-0.5, growth=0.25, prior=3.0, prior_strength=2)
    # Middle (2·6 + 4 + 8) / 4 = 6 half stars; both ratings are 1 star away.
    assert weighting.middle(values(4, 8)) == 6
    np.testing.assert_allclose(
        weighting.confidences(values(4, 8)), [-(1 + 4 * 0.5 * 1.25), 1 + 4 * 1.25]
    )


@pytest.mark.parametrize("below", [-1.0, -0.2, 0.2, 0.9])
def test_a_higher_rating_never_says_less(below: float) -> None:
    every_value = values(*range(1, 11))
    assert (np.diff(Weighting(below=below, growth=0.5).confidences(every_value)) > 0).all()


@pytest.mark.parametrize(("below", "sign"), [(0.5, 1), (0.0, 0), (-0.5, -1)])
def test_below_decides_what_a_rating_just_below_the_middle_says(below: float, sign: int) -> None:
    assert np.sign(Weighting(below=below).confidences(values(6, 8))[0]) == sign


def test_a_weak_interest_turns_to_a_dislike_further_down() -> None:
    weighting = Weighting(alpha=4, below=0.5, growth=0.5, prior=3.0, prior_strength=2)
    # Middles of 6 half stars; the low ratings are half a star, one and two stars below.
    low = [weighting.confidences(values(6 - step, 6 + step))[0] for step in (1, 2, 4)]
    np.testing.assert_allclose(low, [1 + 4 * 0.5 * 0.5, 0, -(1 + 4 * 0.5)])


@pytest.mark.parametrize("count", [1, 2, 3000])
def test_by_default_one_star_is_a_dislike(count: int) -> None:
    assert Weighting().confidences(values(2, *[8] * (count - 1)))[0] < 0


ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(-(2**40), 2**40), st.integers(1, 10)),
    unique_by=lambda row: row[:2],
    min_size=1,
)


@given(ROWS, st.floats(-10, 1), st.floats(0, 10))
def test_all_at_once_is_each_user_alone(
    rows: list[tuple[int, int, int]], below: float, growth: float
) -> None:
    weighting = Weighting(below=below, growth=growth)
    given_ratings = ratings(*rows)
    rated_at = given_ratings.rated_at % 3
    together = weighting.confidences_by_user(
        given_ratings.user_ids, given_ratings.values, 6, rated_at
    )
    for user in set(given_ratings.user_ids.tolist()):
        mine = given_ratings.user_ids == user
        alone = weighting.confidences(given_ratings.values[mine], rated_at[mine])
        assert (together[mine] == alone).all()


def test_the_latest_ratings_say_more_and_all_together_as_much() -> None:
    weighting = Weighting(alpha=1, growth=0, recency=3)
    strengths = weighting.confidences(values(*[8] * 40), np.arange(40)) - 1
    assert (np.diff(strengths) > 0).all()
    assert strengths[-1] / strengths[-11] == pytest.approx(4 / 2.5)
    assert strengths.mean() == pytest.approx(1)


def test_ratings_of_one_moment_weigh_alike() -> None:
    weighting = Weighting(recency=5)
    together = weighting.confidences(values(7, 8, 9), np.array([4, 4, 4]))
    np.testing.assert_allclose(together, weighting.confidences(values(7, 8, 9)), rtol=1e-6)


def test_later_ratings_are_counted_for_each_user() -> None:
    rows = np.array([0, 1, 0, 0, 1])
    assert later_ratings(rows, np.array([5, 1, 9, 5, 2])).tolist() == [1, 1, 0, 1, 0]


def test_ratings_are_weighed_alike_in_one_block_and_in_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    rows = random.permutation(np.repeat(np.arange(12), random.integers(0, 9, 12)))
    halves, moments = random.integers(1, 11, len(rows)), random.integers(0, 5, len(rows))
    weigh = partial(Weighting().confidences_by_user, rows, halves, 12, moments)
    at_once = weigh()
    monkeypatch.setattr(interactions, "_BLOCK", 5)
    blocks: list[np.ndarray] = []
    interactions.each_block_of_users(rows, 12, blocks.append)
    assert len(blocks) > 4
    assert sorted(np.concatenate(blocks)) == list(range(len(rows)))
    np.testing.assert_array_equal(weigh(), at_once)


@given(ROWS)
def test_the_matrix_holds_every_rating_in_its_cell(rows: list[tuple[int, int, int]]) -> None:
    weighting = Weighting(below=-0.5)
    built = Interactions.build(ratings(*rows), weighting)
    assert built.matrix.nnz == len(rows)
    assert built.matrix.dtype == np.float32
    for user, movie, _ in rows:
        mine = [row for row in rows if row[0] == user]
        moments = np.array([rows.index(row) for row in mine])
        expected = weighting.confidences(values(*[row[2] for row in mine]), moments)
        row = np.searchsorted(built.user_ids, user)
        column = np.searchsorted(built.movie_ids, movie)
        assert built.movie_ids[column] == movie
        place = [row[1] for row in mine].index(movie)
        assert built.matrix[row, column] == expected[place]


@given(st.lists(st.integers(-(2**60), 2**60) | st.integers(0, 50)))
def test_index_ids_is_numpy_unique(ids: list[int]) -> None:
    array = np.array(ids, dtype=np.int64)
    unique, positions = index_ids(array)
    expected, inverse = np.unique(array, return_inverse=True)
    assert unique.tolist() == expected.tolist()
    assert positions.tolist() == inverse.tolist()


def test_ratings_that_count_for_nothing_keep_their_row_and_column() -> None:
    built = Interactions.build(ratings((1, 10, 1), (2, 11, 10)), Weighting(below=0))
    assert built.matrix.shape == (2, 2)
    assert built.matrix.nnz == 1


def test_no_ratings_make_an_empty_matrix() -> None:
    assert Interactions.build(ratings(), Weighting()).matrix.shape == (0, 0)


def test_rating_a_movie_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="more than once"):
        Interactions.build(ratings((1, 10, 1), (1, 10, 5)), Weighting())


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("alpha", "many"),
        ("alpha", ""),
        ("alpha", float("nan")),
        ("alpha", None),
        ("below", 2),
        ("growth", True),
        ("prior", "6"),
        ("prior_strength", 0),
        ("surprise", 1),
    ],
)
def test_a_bad_setting_is_named(field: str, bad: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        Weighting.from_dict({field: bad})


def test_settings_survive_a_form_and_json() -> None:
    typed = Weighting.from_dict({"alpha": " 7.5 ", "below": "-1"})
    assert (typed.alpha, typed.below) == (7.5, -1.0)
    assert Weighting.from_dict(typed.to_dict()) == typed
