"""Metrics agree with lists worked out by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.embedders.als import ImplicitALS, Settings
from recommender.interactions import Interactions, Ratings, Weighting
from recommender.training import evaluation
from recommender.training.evaluation import Question, by_vectors, evaluate, most_popular, per_user
from recommender.training.splits import Split, time_split


def ratings(*rows: tuple[int, int, int]) -> Ratings:
    """Ratings from (user, movie, half stars)."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Ratings(table[:, 0], table[:, 1], table[:, 2].astype(np.int8), np.arange(len(table)))


# Movies 0 to 5 are known; user 7 has middle (2·8 + 3·7) / 5 = 7.4 half stars.
TRAINING = ratings((7, 0, 8), (7, 1, 8), (8, 2, 10), (8, 3, 10), (9, 4, 7), (9, 5, 7))


def question(*held_out: tuple[int, int, int], liked_only: bool = True) -> Question:
    interactions = Interactions.build(TRAINING, Weighting())
    split = Split(TRAINING, ratings(*held_out))
    return Question.build(split, interactions, Weighting(), liked_only)


def ranking(*movies: int) -> evaluation.Scorer:
    """Everybody gets these movies, best first, then the others."""
    scores = np.zeros(6, dtype=np.float32)
    scores[list(movies)] = np.arange(len(movies), 0, -1)
    return lambda rows: np.tile(scores, (len(rows), 1))


def test_recall_and_ndcg_by_hand() -> None:
    recall, ndcg = per_user(ranking(3, 2, 5, 4), question((7, 2, 9), (7, 4, 10)), k=3)
    # The list is 3, 2, 5: one hit at rank 2 of two relevant.
    assert recall.tolist() == [0.5]
    assert ndcg[0] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))


def test_recall_is_divided_by_no_more_than_k() -> None:
    recall, ndcg = per_user(ranking(2), question((7, 2, 9), (7, 4, 10), (7, 5, 10)), k=1)
    assert recall.tolist() == [1.0]
    assert ndcg.tolist() == [1.0]


def test_what_was_rated_in_training_takes_no_place_liked_or_not() -> None:
    assert per_user(ranking(0, 1, 2), question((7, 2, 9)), k=1)[0].tolist() == [1.0]


def test_a_rating_below_the_middle_of_training_is_not_relevant() -> None:
    asked = question((7, 2, 7), (7, 3, 8))
    assert asked.relevant_counts.tolist() == [1]
    assert asked.relevant.indices.tolist() == [3]
    assert question((7, 2, 7)).rows.tolist() == []


def test_the_middle_does_not_peek_at_what_is_held_out() -> None:
    # With the held-out tens in it, the middle would rise above 8 and drop this rating.
    asked = question((7, 2, 8), *[(7, movie, 10) for movie in range(100, 200)])
    assert 2 in asked.relevant.indices


def test_every_held_out_rating_is_relevant_on_request() -> None:
    assert question((7, 2, 1), liked_only=False).relevant_counts.tolist() == [1]


def test_a_relevant_movie_unknown_to_training_counts_as_missed() -> None:
    recall, _ = per_user(ranking(2), question((7, 2, 9), (7, 99, 10)), k=5)
    assert recall.tolist() == [0.5]


def test_coverage_is_the_share_of_movies_shown() -> None:
    # User 7 is shown 2 and 3 (0 and 1 are seen), user 8 is shown 0 and 1.
    result = evaluate(ranking(0, 1, 2, 3), question((7, 2, 9), (8, 0, 10)), k=2)
    assert result["coverage@2"] == pytest.approx(4 / 6)
    assert result["users"] == 2


def test_the_seen_never_fill_up_a_short_list() -> None:
    result = evaluate(ranking(2, 3, 4, 5), question((7, 2, 9)), k=6)
    assert result["coverage@6"] == pytest.approx(4 / 6)
    assert result["ndcg@6"] == 1.0


def test_nobody_to_ask_gives_zeros() -> None:
    assert evaluate(ranking(0), question(), k=3) == {
        "users": 0,
        "recall@3": 0.0,
        "ndcg@3": 0.0,
        "coverage@3": 0.0,
    }


def test_most_popular_counts_likes_and_not_dislikes() -> None:
    training = ratings((1, 0, 1), (2, 0, 1), (3, 0, 1), (3, 1, 10))
    scorer = most_popular(Interactions.build(training, Weighting(below=-1)))
    assert scorer(np.array([0])).tolist() == [[0, 1]]


def test_top_breaks_ties_by_column() -> None:
    scores = np.array([[1, 2, 2, 2, 0], [0, 0, 0, 0, 3]], dtype=np.float32)
    assert evaluation.top(scores, 2).tolist() == [[1, 2], [4, 0]]
    assert evaluation.top(scores, 9).tolist() == [[1, 2, 3, 0, 4], [4, 0, 1, 2, 3]]


def random_ratings(seed: int = 0) -> Ratings:
    random = np.random.default_rng(seed)
    cells = random.choice(40 * 60, size=900, replace=False)
    values = random.integers(1, 11, size=900, dtype=np.int8)
    return Ratings(cells // 60, cells % 60, values, random.integers(0, 500, size=900))


def test_the_same_seed_measures_the_same_twice() -> None:
    def once() -> dict[str, float]:
        split = time_split(random_ratings())
        interactions = Interactions.build(split.training, Weighting())
        asked = Question.build(split, interactions, Weighting())
        return evaluate(
            by_vectors(ImplicitALS(Settings(factors=8), threads=1).fit(interactions)), asked
        )

    assert once() == once()


def test_users_in_small_chunks_measure_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    split = time_split(random_ratings())
    interactions = Interactions.build(split.training, Weighting())
    asked = Question.build(split, interactions, Weighting())
    sizes: list[int] = []

    def scorer(rows: NDArray[np.intp]) -> NDArray[np.float32]:
        sizes.append(len(rows))
        return most_popular(interactions)(rows)

    whole = evaluate(scorer, asked)
    monkeypatch.setattr(evaluation, "_CELLS", 200)
    assert evaluate(scorer, asked) == whole
    assert max(sizes[1:]) == 3


def test_k_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="k"):
        evaluate(ranking(0), question((7, 2, 9)), k=0)
