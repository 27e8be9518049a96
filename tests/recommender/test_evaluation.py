"""Metrics agree with lists worked out by hand."""

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender.embedders.als import ImplicitALS, Settings
from recommender.interactions import Interactions, Ratings, Weighting
from recommender.training import evaluation
from recommender.training.evaluation import (
    Question,
    ask,
    by_vectors,
    evaluate,
    judge,
    most_popular,
    top_lists,
)
from recommender.training.splits import Split, random_split, time_split


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
    outcome = ask(ranking(3, 2, 5, 4), question((7, 2, 9), (7, 4, 10)), k=3)
    # The list is 3, 2, 5: one hit at rank 2 of two relevant.
    assert outcome.recall.tolist() == [0.5]
    assert outcome.ndcg[0] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))


def test_recall_is_of_all_relevant_movies_and_ndcg_of_the_best_list_of_k() -> None:
    outcome = ask(ranking(2), question((7, 2, 9), (7, 4, 10), (7, 5, 10), (7, 3, 10)), k=1)
    assert outcome.recall.tolist() == [0.25]
    assert outcome.ndcg.tolist() == [1.0]


def test_what_was_rated_in_training_takes_no_place_liked_or_not() -> None:
    assert ask(ranking(0, 1, 2), question((7, 2, 9)), k=1).recall.tolist() == [1.0]


def test_a_rating_below_the_middle_of_training_is_not_relevant() -> None:
    asked = question((7, 2, 7), (7, 3, 8))
    assert asked.relevant_counts.tolist() == [1]
    assert asked.relevant.indices.tolist() == [3]
    assert question((7, 2, 7)).rows.tolist() == []


def test_the_middle_does_not_peek_at_what_is_held_out() -> None:
    # With the held-out tens in it, the middle would rise above 8 and drop this rating.
    asked = question((7, 2, 8), *[(7, movie, 10) for movie in range(100, 200)])
    assert 2 in asked.relevant.indices


def test_a_sample_asks_the_same_of_fewer_people() -> None:
    split = time_split(random_ratings())
    interactions = Interactions.build(split.training, Weighting())
    asked = Question.build(split, interactions, Weighting())
    sample = asked.sample(10, seed=3)
    places = np.searchsorted(asked.rows, sample.rows)
    whole, part = (ask(most_popular(interactions), each) for each in (asked, sample))
    assert len(set(places)) == 10
    assert part.ndcg.tolist() == whole.ndcg[places].tolist()
    assert part.recall.tolist() == whole.recall[places].tolist()
    assert asked.sample(10, seed=4).rows.tolist() != sample.rows.tolist()
    assert asked.sample(len(asked.rows)) is asked


def test_every_held_out_rating_is_relevant_on_request() -> None:
    assert question((7, 2, 1), liked_only=False).relevant_counts.tolist() == [1]


def test_a_relevant_movie_unknown_to_training_counts_as_missed() -> None:
    assert ask(ranking(2), question((7, 2, 9), (7, 99, 10)), k=5).recall.tolist() == [0.5]


def test_lists_from_elsewhere_are_judged_by_their_first_k_places() -> None:
    asked = question((7, 2, 9), (8, 4, 10))
    outcome = judge(np.array([[-1, 2, 3], [0, 5, 4]]), asked, k=2)
    assert outcome.recall.tolist() == [1, 0]
    assert outcome.ndcg.tolist() == [pytest.approx(1 / np.log2(3)), 0]
    assert outcome.coverage == pytest.approx(3 / 6)


@pytest.mark.parametrize("shape", [(2, 3), (1, 2), (1, 0)])
def test_lists_of_other_users_or_too_short_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="lists"):
        judge(np.zeros(shape, dtype=np.intp), question((7, 2, 9)), k=3)


def test_novelty_and_popularity_by_hand() -> None:
    # Of four people, four rated movie 0, two movie 1, one each the movies 2 and 3.
    pairs = [(1, 0), (2, 0), (3, 0), (4, 0), (1, 1), (2, 1), (3, 2), (4, 3)]
    training = ratings(*[(user, movie, 8) for user, movie in pairs])
    interactions = Interactions.build(training, Weighting())
    split = Split(training, ratings((1, 2, 8), (3, 1, 8)))
    asked = Question.build(split, interactions, Weighting())
    outcome = judge(np.array([[2, 3], [1, -1]]), asked, k=2)
    assert outcome.novelty == pytest.approx(((2 + 2) / 2 + 1) / 2)
    # Lists: 1/4 and 1/2. Profiles: (1 + 1/2) / 2 and (1 + 1/4) / 2.
    assert outcome.popularity_lift == pytest.approx((3 / 8) / (11 / 16) - 1)


@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 6))
def test_recall_and_ndcg_are_those_of_trec_eval(seed: int, k: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    split = random_split(random_ratings(seed), share=0.4)
    interactions = Interactions.build(split.training, Weighting())
    asked = Question.build(split, interactions, Weighting(), liked_only=False)
    # Of few levels: with ties, which only the order of the list decides.
    scores = random.integers(0, levels, size=interactions.matrix.shape).astype(np.float32)
    lists = top_lists(lambda rows: scores[rows], asked, k)
    outcome = judge(lists, asked, k)
    truth = {
        str(user): {
            str(movie): 1 for movie in split.held_out.movie_ids[split.held_out.user_ids == user]
        }
        for user in interactions.user_ids[asked.rows]
    }
    run = {
        str(user): {
            str(interactions.movie_ids[movie]): float(k - place)
            for place, movie in enumerate(row)
            if movie >= 0
        }
        for user, row in zip(interactions.user_ids[asked.rows], lists, strict=True)
    }
    evaluator = pytrec_eval.RelevanceEvaluator(truth, {f"recall.{k}", f"ndcg_cut.{k}"})
    theirs = evaluator.evaluate(run)
    users = [str(user) for user in interactions.user_ids[asked.rows]]
    assert outcome.recall.tolist() == pytest.approx([theirs[u][f"recall_{k}"] for u in users])
    assert outcome.ndcg.tolist() == pytest.approx([theirs[u][f"ndcg_cut_{k}"] for u in users])


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
