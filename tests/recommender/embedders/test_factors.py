"""BPR and logistic matrix factorization: foldable, explainable, and better than chance."""

import json

import numpy as np
import pytest
from scipy import sparse

from recommender.embedders.base import Embedding, Rated
from recommender.embedders.bpr import BayesianRanking
from recommender.embedders.logistic import LogisticFactorization
from recommender.interactions import Interactions

TECHNIQUES = [BayesianRanking, LogisticFactorization]
SETTINGS = {"factors": 8, "iterations": 30, "learning_rate": 0.2}


def two_tastes(users: int = 60, movies: int = 40, seed: int = 1) -> Interactions:
    """Users like movies of their own half, and rate some of the other half low."""
    random = np.random.default_rng(seed)
    own = (np.arange(users)[:, None] % 2) == (np.arange(movies) % 2)
    rated = random.random((users, movies)) < np.where(own, 0.4, 0.1)
    confidences = np.where(own, 1, -1) * random.uniform(2, 6, (users, movies))
    matrix = sparse.csr_matrix(np.where(rated, confidences, 0).astype(np.float32))
    return Interactions(np.arange(users), np.arange(movies), matrix)


def rated_by(user: int, data: Interactions, model: Embedding) -> Rated:
    row = data.matrix[user]
    return Rated(model.movie_vectors[row.indices], model.input_vectors[row.indices], row.data)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_movies_of_ones_own_taste_stand_first(technique: type) -> None:
    data = two_tastes()
    model = technique.from_dict(SETTINGS).fit(data)
    scores = model.user_vectors @ model.movie_vectors.T
    own = (np.arange(60)[:, None] % 2) == (np.arange(40) % 2)
    unrated = data.matrix.toarray() == 0
    higher = [
        row[mine & new].mean() > row[~mine & new].mean()
        for row, mine, new in zip(scores, own, unrated, strict=True)
    ]
    assert np.mean(higher) > 0.95


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_folding_a_training_user_in_gives_their_trained_vector(technique: type) -> None:
    data = two_tastes()
    model = technique.from_dict(SETTINGS).fit(data)
    numbers, matrix = model.fold_in.state()
    kept = technique.fold_in(json.loads(json.dumps(numbers)), matrix)
    for user in range(0, 60, 7):
        vector = kept.vector(rated_by(user, data, model))
        np.testing.assert_allclose(vector, model.user_vectors[user], atol=1e-5)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_contributions_and_what_is_given_sum_to_the_score(technique: type) -> None:
    data = two_tastes()
    model = technique.from_dict(SETTINGS).fit(data)
    rated, candidates = rated_by(9, data, model), model.movie_vectors[3:12]
    shares = model.fold_in.contributions(rated, candidates)
    total = shares.sum(axis=1) + model.fold_in.given(rated, candidates)
    np.testing.assert_allclose(total, candidates @ model.fold_in.vector(rated), atol=1e-4)
    assert (shares[:, rated.confidences <= 0] == 0).all()


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_somebody_who_rated_nothing_gets_what_most_people_like(technique: type) -> None:
    dense = two_tastes().matrix.toarray()
    dense[:, 0] = 5.0
    data = Interactions(np.arange(60), np.arange(40), sparse.csr_matrix(dense))
    model = technique.from_dict(SETTINGS).fit(data)
    nothing = Rated(model.movie_vectors[:0], model.input_vectors[:0], np.empty(0))
    scores = model.movie_vectors @ model.fold_in.vector(nothing)
    assert scores.argmax() == 0


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_the_same_seed_gives_the_same_vectors(technique: type) -> None:
    one, two, other = (
        technique.from_dict({**SETTINGS, "seed": seed}).fit(two_tastes()) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.movie_vectors, two.movie_vectors)
    np.testing.assert_array_equal(one.user_vectors, two.user_vectors)
    assert not np.array_equal(one.movie_vectors, other.movie_vectors)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_where_nothing_is_liked_there_is_nothing_to_learn(technique: type) -> None:
    nothing = Interactions(np.arange(2), np.arange(3), sparse.csr_matrix(-2 * np.ones((2, 3))))
    with pytest.raises(ValueError, match="liked"):
        technique().fit(nothing)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_progress_rises_and_can_end_it(technique: type) -> None:
    seen: list[float] = []
    technique.from_dict(SETTINGS).fit(two_tastes(), lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0.8 <= seen[-1] <= 1

    def cancel(fraction: float, message: str) -> None:
        if fraction > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        technique.from_dict(SETTINGS).fit(two_tastes(), cancel)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_bad_setting_is_named(technique: type) -> None:
    with pytest.raises(ValueError, match="factors"):
        technique.from_dict({"factors": 0})
