"""EASE in two short vectors, and iALS beside it: exact, foldable, explainable."""

import json

import numpy as np
import pytest
from scipy import sparse

from recommender.embedders import EMBEDDERS, Embedding, Rated, als, blend, ease
from recommender.interactions import Interactions


def interactions(users: int = 80, movies: int = 40, seed: int = 1) -> Interactions:
    """Likes and dislikes of several strengths; some users and movies occur much more often."""
    random = np.random.default_rng(seed)
    density = np.linspace(0.05, 0.5, users)[:, None] * np.linspace(0.3, 1.2, movies)
    signs = np.where(random.random((users, movies)) < 0.8, 1, -1)
    confidences = np.where(
        random.random((users, movies)) < density,
        signs * random.uniform(2, 6, (users, movies)),
        0,
    )
    matrix = sparse.csr_matrix(confidences.astype(np.float32))
    return Interactions(np.arange(users), np.arange(movies), matrix)


def rated_by(user: int, data: Interactions, model: Embedding) -> Rated:
    row = data.matrix[user]
    return Rated(model.movie_vectors[row.indices], model.input_vectors[row.indices], row.data)


def plain_ease(strengths: np.ndarray, penalty: float, hidden: float) -> np.ndarray:
    """B as the papers have it, by plain numpy."""
    gramian = strengths.T @ strengths
    gramian /= gramian.trace() / len(gramian)
    penalties = hidden * np.diag(np.diag(gramian)) + penalty * np.eye(len(gramian))
    inverse = np.linalg.inv(gramian + penalties)
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0)
    return weights


@pytest.fixture
def everybody_has_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is taken as somebody with few likes."""
    monkeypatch.setattr(ease, "FEW_LIKES", 0.01)


@pytest.mark.parametrize("users", [60, 25])
@pytest.mark.parametrize(("likes", "hidden", "strength"), [("many", 0, 1), ("few", 16, 4)])
def test_ease_of_full_rank_without_normalization_is_that_of_the_papers(
    users: int, likes: str, hidden: float, strength: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever side is the smaller one, and so solved for."""
    monkeypatch.setattr(ease, "FEW_LIKES", 0.01 if likes == "many" else 1e9)
    data = interactions(users)
    strengths = np.maximum(data.matrix.toarray().astype(np.float64) - 1, 0)
    strengths /= strengths[strengths > 0].mean()
    liked = strengths.any(axis=0)
    penalty = 2.0
    per_root = penalty * np.sqrt((strengths > 0).sum(axis=0)[liked].mean())
    settings = ease.Settings(
        rank=40, item_regularization=per_root, user_exponent=0, movie_exponent=0
    )
    model = ease.ReducedRankEASE(settings).fit(data)
    scores = (model.user_vectors @ model.movie_vectors.T)[:, liked]
    strengths = strengths[:, liked]
    expected = strength * strengths @ plain_ease(strengths, penalty, hidden)
    np.testing.assert_allclose(scores, expected, atol=2e-3 * strength)


@pytest.mark.usefixtures("everybody_has_many")
def test_a_lower_rank_is_the_best_approximation_of_its_size() -> None:
    data = interactions()
    whole = ease.ReducedRankEASE(ease.Settings(rank=40)).fit(data)
    scores = (whole.user_vectors @ whole.movie_vectors.T).astype(np.float64)
    left, sizes, right = np.linalg.svd(scores)
    model = ease.ReducedRankEASE(ease.Settings(rank=5)).fit(data)
    best = (left[:, :5] * sizes[:5]) @ right[:5]
    found = model.user_vectors @ model.movie_vectors.T
    assert np.linalg.norm(scores - found) <= 1.01 * np.linalg.norm(scores - best)


@pytest.mark.usefixtures("everybody_has_many")
def test_directions_count_in_the_angle_between_movies_as_they_do_in_scores() -> None:
    model = ease.ReducedRankEASE(ease.Settings(rank=10)).fit(interactions())
    movies = np.linalg.norm(model.movie_vectors, axis=0)
    users = np.linalg.norm(model.user_vectors, axis=0)
    assert (np.diff(movies) < 0).all()
    np.testing.assert_allclose(users / users[0], movies / movies[0], rtol=1e-3)


def test_a_user_moves_from_few_likes_to_many() -> None:
    model = ease.ReducedRankEASE(ease.Settings(rank=10)).fit(interactions())
    many, few = np.split(model.input_vectors, 2, axis=1)
    for count in (1, 12, 40):
        rows = np.arange(count) % len(few)
        rated = Rated(model.movie_vectors[rows], model.input_vectors[rows], np.full(count, 3.0))
        share = 2.0 ** (-((count / 12) ** 4))
        expected = 2 * ((1 - share) * many[rows] + share * few[rows]).sum(axis=0)
        np.testing.assert_allclose(model.fold_in.vector(rated), expected, rtol=1e-4)


def test_movies_that_nobody_likes_have_no_part_in_ease() -> None:
    data = interactions()
    dense = data.matrix.toarray()
    dense[:, 7] = -np.abs(dense[:, 7])
    model = ease.ReducedRankEASE(ease.Settings(rank=10)).fit(
        Interactions(data.user_ids, data.movie_ids, sparse.csr_matrix(dense))
    )
    assert not model.movie_vectors[7].any()
    assert not model.input_vectors[7].any()


def test_ease_knows_the_most_liked_movies_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "SIDE", 15)
    data = interactions()
    model = ease.ReducedRankEASE(ease.Settings(rank=8)).fit(data)
    known = np.flatnonzero(model.movie_vectors.any(axis=1))
    likes = np.asarray((data.matrix > 0).sum(axis=0)).ravel()
    assert len(known) == 15
    assert likes[known].min() >= np.delete(likes, known).max()


def test_where_nothing_is_liked_there_is_nothing_to_learn() -> None:
    nothing = Interactions(np.arange(2), np.arange(3), sparse.csr_matrix(-2 * np.ones((2, 3))))
    with pytest.raises(ValueError, match="liked"):
        ease.ReducedRankEASE().fit(nothing)


@pytest.mark.parametrize("name", ["ease", "blend", "als"])
def test_folding_a_training_user_in_gives_their_trained_vector(name: str) -> None:
    data = interactions()
    model = EMBEDDERS[name].from_dict({}).fit(data)
    numbers, matrix = model.fold_in.state()
    kept = EMBEDDERS[name].fold_in(json.loads(json.dumps(numbers)), matrix)
    for user in range(0, data.matrix.shape[0], 5):
        vector = kept.vector(rated_by(user, data, model))
        scale = np.abs(model.user_vectors[user]).max()
        np.testing.assert_allclose(vector, model.user_vectors[user], atol=1e-3 * scale)


@pytest.mark.parametrize("name", ["ease", "blend", "als"])
def test_contributions_and_what_is_given_sum_to_the_score(name: str) -> None:
    data = interactions()
    model = EMBEDDERS[name].from_dict({}).fit(data)
    rated, candidates = rated_by(9, data, model), model.movie_vectors[3:12]
    scores = candidates @ model.fold_in.vector(rated)
    shares = model.fold_in.contributions(rated, candidates)
    total = shares.sum(axis=1) + model.fold_in.given(rated, candidates)
    np.testing.assert_allclose(total, scores, atol=1e-4)
    assert (shares[:, rated.confidences <= 0] == 0).all()


def test_a_blend_scores_as_its_parts_do() -> None:
    data = interactions()
    mixed = blend.Blend(
        blend.Settings(factors=8, rank=6, item_share=0.25, popularity=0, restraint=0)
    ).fit(data)
    by_als = als.ImplicitALS(als.Settings(factors=8)).fit(data)
    by_items = ease.ReducedRankEASE(ease.Settings(rank=6)).fit(data)
    scores = [model.user_vectors @ model.movie_vectors.T for model in (by_als, by_items)]
    expected = 0.75 * scores[0] / scores[0].std() + 0.25 * scores[1] / scores[1].std()
    np.testing.assert_allclose(mixed.user_vectors @ mixed.movie_vectors.T, expected, atol=1e-3)


def test_somebody_with_one_like_starts_from_what_most_people_like() -> None:
    data = interactions()
    model = blend.Blend(blend.Settings(popularity=5)).fit(data)
    likes = np.asarray((data.matrix > 0).sum(axis=0)).ravel()
    one = Rated(model.movie_vectors[:1], model.input_vectors[:1], np.array([4.0]))
    scores = model.movie_vectors @ model.fold_in.vector(one)
    assert np.corrcoef(scores, likes)[0, 1] > 0.95


def test_where_all_start_fades_as_likes_come() -> None:
    data = interactions()
    model = blend.Blend().fit(data)
    starts = [
        model.fold_in.vector(
            Rated(model.movie_vectors[:n], model.input_vectors[:n], np.full(n, 4.0))
        )[-1]
        for n in (0, 1, 12, 40)
    ]
    settings = model.fold_in
    assert settings.popularity > 0 > -settings.restraint
    assert starts[0] == pytest.approx(settings.popularity)
    assert starts[1] == pytest.approx(settings.popularity, rel=0.01)
    assert starts[2] == pytest.approx((settings.popularity - settings.restraint) / 2)
    assert starts[3] == pytest.approx(-settings.restraint)


def test_in_versions_without_restraint_all_start_alike() -> None:
    numbers, matrix = blend.Blend().fit(interactions()).fold_in.state()
    del numbers["restraint"]
    fold_in = blend.Blend.fold_in(numbers, matrix)
    starts = [
        fold_in.vector(Rated(np.ones((n, 257)), np.ones((n, 256)), np.full(n, 4.0)))[-1]
        for n in (0, 12, 40)
    ]
    assert starts == pytest.approx([numbers["popularity"]] * 3)


def test_somebody_who_liked_nothing_is_where_all_start() -> None:
    data = interactions()
    model = blend.Blend().fit(data)
    disliked = Rated(model.movie_vectors[:2], model.input_vectors[:2], np.array([-4.0, 0.0]))
    likes = np.asarray((data.matrix > 0).sum(axis=0)).ravel()
    scores = model.movie_vectors @ model.fold_in.vector(disliked)
    assert np.corrcoef(scores, likes)[0, 1] == pytest.approx(1)


def test_popularity_does_not_make_films_alike() -> None:
    data = interactions()
    plain, popular = (
        blend.Blend(blend.Settings(popularity=weight)).fit(data).movie_vectors
        for weight in (0.0, 10.0)
    )
    np.testing.assert_allclose(plain, popular, atol=1e-6)
    assert np.abs(plain[:, -1]).mean() < 0.05 * np.sqrt((plain**2).sum(axis=1).mean())


@pytest.mark.parametrize("name", ["ease", "blend"])
def test_versions_with_one_input_vector_a_movie_are_served_as_they_were(
    name: str, everybody_has_many: None
) -> None:
    """As they were trained before users with few likes had another."""
    data = interactions()
    model = EMBEDDERS[name].from_dict({"rank": 8}).fit(data)
    now = rated_by(7, data, model)
    then = Rated(now.vectors, now.inputs[:, :8], now.confidences)
    fold_in = EMBEDDERS[name].fold_in(*model.fold_in.state())
    np.testing.assert_allclose(fold_in.vector(then), fold_in.vector(now), rtol=1e-5)
    candidates = model.movie_vectors[:5]
    np.testing.assert_allclose(
        fold_in.contributions(then, candidates), fold_in.contributions(now, candidates), rtol=1e-4
    )


def test_a_blend_is_the_same_twice() -> None:
    data = interactions()
    one, two = (blend.Blend(blend.Settings(seed=3)).fit(data) for _ in range(2))
    np.testing.assert_array_equal(one.movie_vectors, two.movie_vectors)
    np.testing.assert_array_equal(one.user_vectors, two.user_vectors)
