"""The defaults on a real dataset: what a change to the model may not make worse."""

import pytest

from benchmarks.ratings import read_ratings
from recommender.embedders.als import ImplicitALS
from recommender.interactions import Interactions, Weighting
from recommender.training.evaluation import Question, by_vectors, evaluate, most_popular
from recommender.training.splits import time_split
from tests.real_data import real_data


@pytest.fixture(scope="module")
def ratings():
    return read_ratings(real_data("ml-latest-small") / "ratings.csv")


def test_the_defaults_foresee_what_people_will_like_far_better_than_popularity(ratings):
    split = time_split(ratings, 0.2)
    interactions = Interactions.build(split.training, Weighting())
    question = Question.build(split, interactions, Weighting())
    model = evaluate(by_vectors(ImplicitALS().fit(interactions)), question)
    popular = evaluate(most_popular(interactions), question)
    assert model["ndcg@20"] >= 1.6 * popular["ndcg@20"]
    assert model["recall@20"] >= 1.6 * popular["recall@20"]
    assert model["coverage@20"] >= 3 * popular["coverage@20"]
