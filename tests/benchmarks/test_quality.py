"""The benchmark's rules: who sees what, who is judged how, and that it comes out alike twice."""

import json
import sys

import numpy as np
import pytest
from implicit.nearest_neighbours import BM25Recommender
from rich.console import Console

from benchmarks import comparison, peers, record, table
from benchmarks.comparison import Answers, Options, compare
from benchmarks.dataset import Dataset
from benchmarks.marquee import columns_of
from benchmarks.peers import tournament
from benchmarks.peers.base import feed, feeds_of
from benchmarks.peers.popular import MostPopular
from benchmarks.peers.tournament import Entry, enter, read_ratings, write_ratings
from benchmarks.protocols import PROTOCOLS
from movies.catalogue import Film
from recommender.interactions import Interactions, Ratings, Weighting
from recommender.training.evaluation import Question

# implicit turns its own matrices over, and warns of it; Optuna warns of its multivariate search.
pytestmark = [
    pytest.mark.filterwarnings("ignore::implicit.utils.ParameterWarning"),
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
]


def two_camps(people: int = 60, films: int = 50) -> Ratings:
    """Half of the people like the even films, half the odd ones."""
    random = np.random.default_rng(1)
    users, movies = np.nonzero(random.random((people, films)) < 0.5)
    values = np.where(users % 2 == movies % 2, 9, 3) + random.integers(0, 2, len(users))
    return Ratings(100 + users, 500 + movies, values, random.integers(0, 10**6, len(users)))


def pairs(ratings: Ratings) -> set[tuple[int, int]]:
    return set(zip(ratings.user_ids.tolist(), ratings.movie_ids.tolist(), strict=True))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_test_rating_is_trained_on(name):
    everything = two_camps()
    split = PROTOCOLS[name].split(everything, 0)
    assert not pairs(split.training) & pairs(split.held_out)
    assert pairs(split.training) | pairs(split.held_out) <= pairs(everything)
    assert 0.75 < len(split.training) / len(everything) < 0.85


def test_the_published_protocol_spares_as_much_as_it_tests():
    everything = two_camps()
    split = PROTOCOLS["published"].split(everything, 0)
    assert 0.07 < len(split.held_out) / len(everything) < 0.11


def test_feeds_have_the_same_shape_and_say_what_they_promise():
    ratings = Ratings([7, 7, 7, 8], [1, 2, 3, 3], [10, 2, 9, 8], [0, 0, 0, 0])
    assert feed(ratings, "all").toarray().tolist() == [[1, 1, 1], [0, 0, 1]]
    assert feed(ratings, "liked").toarray().tolist() == [[1, 0, 1], [0, 0, 1]]
    assert feed(ratings, "stars").toarray().tolist() == [[5, 1, 4.5], [0, 0, 4]]


def test_one_feed_is_tried_where_all_ratings_are_the_same():
    same = Ratings([7, 8], [1, 2], [10, 10], [0, 0])
    assert feeds_of(same, peers.find("popular")) == ["all"]


def test_item_knn_answers_as_the_package_does():
    matrix = feed(two_camps(), "all")
    settings = {"similarity": "bm25", "K": 10, "K1": 1.2, "B": 0.75}
    (scorer,) = peers.find("itemknn").fit(matrix, settings, 0)
    model = BM25Recommender(K=10)
    model.fit(matrix, show_progress=False)
    ids, scores = model.recommend(3, matrix[3], N=5)
    assert scorer(np.array([3]))[0, ids] == pytest.approx(scores, rel=1e-5)
    ours = scorer(np.array([3]))[0]
    ours[matrix[3].indices] = -np.inf
    assert np.sort(ours)[:-6:-1] == pytest.approx(scores, rel=1e-5)


@pytest.mark.parametrize("name", ["popular", "itemknn", "als", "bpr"])
def test_a_peer_comes_out_alike_twice_and_never_shows_what_was_rated(name):
    training = two_camps()
    (entry, lists), (again, lists_again) = (
        enter(
            peers.find(name),
            training,
            PROTOCOLS["random"].tuning,
            seconds=60,
            most_trials=4,
            seed=0,
        )
        for _ in range(2)
    )
    assert (lists == lists_again).all()
    assert entry.settings == again.settings
    assert entry.validation_ndcg == again.validation_ndcg
    seen = feed(training, "all").toarray() > 0
    rows, places = np.nonzero(lists >= 0)
    assert not seen[rows, lists[rows, places]].any()


def test_tuning_stops_where_nothing_is_left_to_try():
    entry, _ = enter(
        peers.find("popular"),
        two_camps(),
        PROTOCOLS["time"].tuning,
        seconds=60,
        most_trials=100,
        seed=0,
    )
    assert entry.trials == 3
    assert entry.ended == "nothing left to try"


class Brittle(MostPopular):
    """Cannot work with stars."""

    def fit(self, matrix, settings, seed):
        if (matrix.data != 1).any():
            raise RuntimeError("not positive-definite")
        yield from super().fit(matrix, settings, seed)


def test_settings_that_a_package_cannot_work_with_do_not_end_its_tuning():
    protocol = PROTOCOLS["random"].tuning
    entry, _ = enter(Brittle(), two_camps(), protocol, seconds=60, most_trials=9, seed=0)
    assert entry.trials == 3
    assert entry.settings["ratings"] in ("all", "liked")


def test_ratings_reach_a_peer_as_they_are(tmp_path):
    ratings = two_camps()
    write_ratings(tmp_path / tournament.TRAINING, ratings)
    kept = read_ratings(tmp_path / tournament.TRAINING)
    assert pairs(kept) == pairs(ratings)
    assert kept.values.tolist() == ratings.values.tolist()


def test_films_that_training_does_not_know_take_a_place():
    interactions = Interactions.build(Ratings([1, 1], [10, 30], [8, 8], [0, 0]), Weighting())
    columns = columns_of(np.array([[30, 20, 10, -1, 99]]), interactions)
    assert columns.tolist() == [[1, -1, 0, -1, -1]]


def test_rows_say_how_far_marquee_is_ahead():
    everything = two_camps()
    split = PROTOCOLS["random"].split(everything, 0)
    interactions = Interactions.build(split.training, Weighting())
    question = Question.build(split, interactions, Weighting(), liked_only=False)
    perfect = np.full((len(question.rows), 100), -1)
    for row, relevant in enumerate(question.relevant):
        perfect[row, : relevant.nnz] = relevant.indices
    blank = np.full_like(perfect, -1)
    other, own, missing = comparison._rows(
        [
            Answers(Entry("Blank", "", 0.0), blank),
            Answers(Entry("Marquee", "", 0.0), perfect),
            Answers(Entry("gone", "", 0.0), None, failed="not installed"),
        ],
        question,
    )
    assert own["ndcg@20"]["mean"] == 1
    assert own["ndcg@20"]["lead"] is None
    assert other["ndcg@20"] == {
        "mean": 0,
        "low": 0,
        "high": 0,
        "lead": {"mean": 1, "low": 1, "high": 1},
    }
    assert missing["failed"] == "not installed"


@pytest.mark.django_db(transaction=True)
def test_a_whole_table_on_little_data(tmp_path):
    ratings = two_camps()
    films = {pk: Film(title=f"Film {pk}", year=1950 + pk - 500) for pk in range(500, 550)}
    options = Options(0, 3, 0, names=["popular", "implicitmf", "marquee"], python=sys.executable)
    said: list[str] = []
    result = compare(Dataset("tiny", films, ratings), PROTOCOLS["time"], options, said.append)
    popular, absent, own, unvaried = result["rows"]
    assert popular["ndcg@20"]["mean"] < own["ndcg@20"]["mean"]
    assert popular["ndcg@20"]["lead"]["mean"] > 0
    assert unvaried["untuned"] and unvaried["fit_seconds"] == own["fit_seconds"]
    assert "not installed" in absent["failed"]
    assert any("importing" in line for line in said)
    record.keep("tiny", "time", result, table.markdown, tmp_path)
    kept = json.loads((tmp_path / "tiny.json").read_text())
    assert kept["time"]["rows"][0]["title"] == "Most popular"
    written = (tmp_path / "tiny.md").read_text()
    assert "not installed" in written
    assert str(tmp_path) not in written
    console = Console(width=200, record=True, quiet=True)
    table.show(result, console)
