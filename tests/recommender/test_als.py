"""iALS: bucketed solves are exact, fold-in is what training does, shares add up."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg, sparse

from recommender.embedders import EMBEDDERS, Rated
from recommender.embedders.als import (
    FoldIn,
    ImplicitALS,
    Settings,
    contributions,
    fold_in,
    row_regularization,
)
from recommender.interactions import Interactions

Array = NDArray[np.floating[Any]]


def interactions(users: int = 60, movies: int = 45, seed: int = 1) -> Interactions:
    """Graded likes and dislikes; some users have rated much more than others."""
    random = np.random.default_rng(seed)
    density = np.linspace(0.02, 0.6, users)[:, None]
    rated = random.random((users, movies)) < density
    signs = np.where(random.random((users, movies)) < 0.7, 1, -1)
    confidences = np.where(rated, signs * random.uniform(1.5, 9, (users, movies)), 0)
    matrix = sparse.csr_matrix(confidences.astype(np.float32))
    return Interactions(np.arange(users), np.arange(movies), matrix)


def plain_half_step(
    confidences: Array, fixed: Array, settings: Settings, ladder: float = 1.05
) -> Array:
    """One exact solve per row, written from the paper and nothing else."""
    solved = np.zeros((len(confidences), fixed.shape[1]))
    for row, signed in enumerate(confidences):
        weight = np.where(signed == 0, 1, np.abs(signed))
        liked = (signed > 0).astype(float)
        rung = ladder ** round(np.log(weight.sum()) / np.log(ladder))
        penalty = settings.penalty(*confidences.shape) * rung**settings.frequency_exponent
        system = fixed.T @ (weight[:, None] * fixed) + penalty * np.eye(fixed.shape[1])
        solved[row] = np.linalg.solve(system, fixed.T @ (weight * liked))
    return solved


def loss(confidences: Array, x: Array, y: Array, settings: Settings) -> float:
    """What iALS minimizes, over every cell."""
    weight = np.where(confidences == 0, 1, np.abs(confidences))
    rows, columns = weight.sum(axis=1), weight.sum(axis=0)
    error = float((weight * ((confidences > 0) - x @ y.T) ** 2).sum())
    penalties = [
        row_regularization(w, settings.penalty(*confidences.shape), settings.frequency_exponent)
        for w in (rows, columns)
    ]
    return error + sum(
        float(p @ (v**2).sum(axis=1)) for p, v in zip(penalties, (x, y), strict=True)
    )


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_a_fit_is_where_plain_numpy_stays(exponent: float) -> None:
    data = interactions()
    dense = data.matrix.toarray().astype(np.float64)
    settings = Settings(
        factors=6,
        iterations=150,
        regularization=0.05 * 60 ** (1 - exponent),
        frequency_exponent=exponent,
    )
    fitted = ImplicitALS(settings, threads=1).fit(data)
    start = fitted.movie_vectors.astype(np.float64)
    x = plain_half_step(dense, start, settings)
    y = plain_half_step(dense.T, x, settings, ladder=1.2)
    # A fit is a fixed point of the plain alternation, with every row's own regularization.
    np.testing.assert_allclose(y, start, atol=0.01 * np.abs(start).max())
    np.testing.assert_allclose(fitted.user_vectors, x, atol=1e-4)


@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0, 1.5])
def test_user_vectors_solve_every_row_with_its_own_regularization(exponent: float) -> None:
    data = interactions()
    settings = Settings(factors=8, iterations=3, frequency_exponent=exponent)
    fitted = ImplicitALS(settings, threads=1).fit(data)
    dense = data.matrix.toarray().astype(np.float64)
    exact = plain_half_step(dense, fitted.movie_vectors.astype(np.float64), settings)
    np.testing.assert_allclose(fitted.user_vectors, exact, atol=1e-4)


def test_more_iterations_lower_the_loss() -> None:
    data = interactions()
    dense = data.matrix.toarray().astype(np.float64)
    losses = []
    for iterations in (1, 2, 4, 8, 16):
        settings = Settings(factors=6, iterations=iterations, regularization=0.02)
        fitted = ImplicitALS(settings, threads=1).fit(data)
        losses.append(loss(dense, fitted.user_vectors, fitted.movie_vectors, settings))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] < loss(dense, np.zeros((60, 6)), np.zeros((45, 6)), settings)


def test_going_on_from_an_earlier_fit_comes_further_than_as_many_iterations_anew() -> None:
    data = interactions()
    dense = data.matrix.toarray().astype(np.float64)
    earlier = data.matrix.copy()
    earlier.data[np.random.default_rng(0).random(earlier.nnz) < 0.2] = 0
    start = ImplicitALS(Settings(factors=6, iterations=40), threads=1).fit(
        Interactions(data.user_ids, data.movie_ids, earlier)
    )
    start.movie_vectors[7] = 0  # it was not known
    few = ImplicitALS(Settings(factors=6, iterations=4), threads=1)
    further = few.resume(start.movie_vectors, data)
    anew = few.fit(data)
    losses = [
        loss(dense, fitted.user_vectors, fitted.movie_vectors, few.settings)
        for fitted in (further, anew)
    ]
    assert losses[0] < losses[1]
    assert further.movie_vectors[7].any()


def test_folding_a_training_user_in_gives_their_trained_vector() -> None:
    data = interactions()
    model = ImplicitALS(Settings(factors=8), threads=1).fit(data)
    for user in range(data.matrix.shape[0]):
        row = data.matrix[user]
        rated = Rated(model.movie_vectors[row.indices], model.input_vectors[row.indices], row.data)
        vector = model.fold_in.vector(rated)
        np.testing.assert_allclose(vector, model.user_vectors[user], atol=1e-4)


def test_what_fold_in_needs_survives_json() -> None:
    settings = Settings(factors=4, regularization=0.003)
    model = ImplicitALS(settings, threads=1).fit(interactions())
    numbers, matrix = model.fold_in.state()
    again = ImplicitALS.fold_in(json.loads(json.dumps(numbers)), matrix)
    confidences = np.array([3.0, -2.0, 0.0])
    expected = settings.penalty(60, 45) * 48
    assert again.user_regularization(confidences) == pytest.approx(expected, rel=0.03)


def test_more_people_and_films_need_less_regularization() -> None:
    settings = Settings(regularization=0.01)
    assert settings.penalty(5_000, 4_000) == pytest.approx(0.01)
    assert settings.penalty(80_000, 4_000) == pytest.approx(0.005)


def test_regularization_is_that_of_the_paper_where_all_confidences_are_alike() -> None:
    alpha, rated, movies = 8.0, 30, 1000
    ours = FoldIn(np.eye(1, dtype=np.float32), 0.004, 1.0, movies).user_regularization(
        np.full(rated, 1 + alpha)
    )
    # The paper's loss is ours divided by α, with α₀ = 1/α.
    assert ours == pytest.approx(alpha * 0.004 * (rated + movies / alpha), rel=0.03)


def confidences() -> st.SearchStrategy[list[float]]:
    one = st.floats(1, 100) | st.floats(-100, -1) | st.just(0.0)
    return st.lists(one, max_size=12)


@given(confidences(), st.floats(0.01, 100), st.integers(0, 1000))
def test_contributions_sum_to_the_score(signed: list[float], penalty: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    everything = random.normal(size=(30, 5))
    rated, signs = everything[: len(signed)], np.array(signed)
    gram, candidates = everything.T @ everything, everything[12:20]
    shares = contributions(gram, rated, signs, penalty, candidates)
    scores = candidates @ fold_in(gram, rated, signs, penalty)
    np.testing.assert_allclose(shares.sum(axis=1), scores, atol=1e-4)
    assert (shares[:, signs <= 0] == 0).all()


def test_a_disliked_movie_scores_lower_than_before() -> None:
    model = ImplicitALS(Settings(factors=8), threads=1).fit(interactions())
    vectors = model.movie_vectors[[0, 1]]
    liked = fold_in(model.fold_in.gramian, vectors, np.array([5.0, 0.0]), 1.0)
    torn = fold_in(model.fold_in.gramian, vectors, np.array([5.0, -5.0]), 1.0)
    assert abs(vectors[1] @ torn) < abs(vectors[1] @ liked)


def test_a_zero_confidence_counts_for_nothing() -> None:
    gram, vectors = np.eye(3), np.eye(3)[:2]
    with_zero = fold_in(gram, vectors, np.array([4.0, 0.0]), 0.5)
    np.testing.assert_array_equal(with_zero, fold_in(gram, vectors[:1], np.array([4.0]), 0.5))


def test_no_ratings_fold_in_to_zeros() -> None:
    assert fold_in(np.eye(3), np.empty((0, 3)), np.empty(0), 0.5).tolist() == [0, 0, 0]


def test_wrong_shapes_and_hopeless_systems_are_refused() -> None:
    with pytest.raises(ValueError, match="vectors"):
        fold_in(np.eye(3), np.ones((2, 3)), np.ones(3), 0.5)
    with pytest.raises(linalg.LinAlgError):
        fold_in(np.zeros((3, 3)), np.ones((1, 3)), np.ones(1), 0.0)


def test_same_seed_same_vectors_whatever_the_threads() -> None:
    data = interactions()
    one = ImplicitALS(Settings(factors=8, iterations=3, seed=3), threads=1).fit(data)
    two = ImplicitALS(Settings(factors=8, iterations=3, seed=3), threads=2).fit(data)
    other = ImplicitALS(Settings(factors=8, iterations=3, seed=4), threads=1).fit(data)
    np.testing.assert_array_equal(one.user_vectors, two.user_vectors)
    np.testing.assert_array_equal(one.movie_vectors, two.movie_vectors)
    assert not np.array_equal(one.movie_vectors, other.movie_vectors)


def test_users_and_movies_without_interactions_get_zeros() -> None:
    matrix = sparse.csr_matrix(np.array([[3, 2, 0], [0, 0, 0]], dtype=np.float32))
    model = ImplicitALS(Settings(factors=2), threads=1).fit(
        Interactions(np.arange(2), np.arange(3), matrix)
    )
    assert model.user_vectors[1].tolist() == [0, 0]
    assert np.abs(model.movie_vectors[2]).max() < 1e-6
    assert np.isfinite(model.user_vectors).all()


def test_progress_rises_to_one_and_can_cancel() -> None:
    class Cancelled(Exception):
        pass

    fractions: list[float] = []
    ImplicitALS(Settings(factors=2, iterations=3), threads=1).fit(
        interactions(), lambda fraction, message: fractions.append(fraction)
    )
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)

    def cancel(fraction: float, message: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        ImplicitALS(Settings(factors=2), threads=1).fit(interactions(), cancel)


def test_nothing_to_learn_from_is_said() -> None:
    empty = Interactions(np.arange(0), np.arange(0), sparse.csr_matrix((0, 0), dtype=np.float32))
    with pytest.raises(ValueError, match="nothing to learn"):
        ImplicitALS().fit(empty)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("factors", 0),
        ("factors", "12.5"),
        ("factors", "inf"),
        ("iterations", "ten"),
        ("regularization", -1),
        ("regularization", "nan"),
        ("frequency_exponent", 3),
        ("seed", -1),
        ("alpha", 1),
    ],
)
def test_a_bad_setting_is_named(field: str, bad: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        EMBEDDERS["als"].from_dict({field: bad})


def test_settings_survive_a_form_and_json() -> None:
    typed = Settings.from_dict({"factors": "32", "regularization": "1e-2"})
    assert (typed.factors, typed.regularization) == (32, 0.01)
    assert isinstance(typed.factors, int)
    assert Settings.from_dict(json.loads(json.dumps(typed.to_dict()))) == typed
