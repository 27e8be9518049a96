"""New people's benchmark: nobody who is asked has been trained on."""

import itertools

import numpy as np
import pytest

from benchmarks.new_people import KNOWN, PLAIN, POPULAR, Baselines, NewPeople, figures
from recommender.interactions import Ratings
from recommender.training.evaluation import judge
from tests.benchmarks.test_quality import pairs, two_camps


@pytest.fixture
def people() -> NewPeople:
    return NewPeople.draw(two_camps(), "random", seed=0)


def test_new_people_are_not_in_training(people):
    assert not set(people.training.user_ids) & set(people.theirs.user_ids)
    assert len(set(people.theirs.user_ids)) == 30
    assert set(people.theirs.movie_ids) <= set(people.training.movie_ids)


@pytest.mark.parametrize("known", KNOWN)
def test_so_many_ratings_are_known_and_the_rest_is_asked_for(people, known):
    first, rest = people.split(known)
    assert set(np.unique(first.user_ids, return_counts=True)[1]) == {known}
    assert pairs(first) | pairs(rest) == pairs(people.theirs)
    assert not pairs(first) & pairs(rest)
    _, asked = people.ask(known, liked_only=False)
    assert asked.relevant_counts.sum() == len(rest)
    assert (np.diff(asked.seen.indptr) == known).all()


def test_more_known_ratings_are_the_same_and_some_more(people):
    for fewer, more in itertools.pairwise(KNOWN):
        assert pairs(people.split(fewer)[0]) < pairs(people.split(more)[0])


def test_the_earliest_become_known_first():
    first, rest = NewPeople.draw(two_camps(), "earliest", seed=0).split(3)
    for user_id in set(first.user_ids):
        latest = first.rated_at[first.user_ids == user_id].max()
        assert latest <= rest.rated_at[rest.user_ids == user_id].min()


def test_baselines_answer_people_that_they_have_not_seen(people):
    first, _ = people.split(10)
    interactions, asked = people.ask(10, liked_only=True)
    lists = Baselines(people.training, liked_only=True).lists(first, interactions, asked)
    outcomes = {title: judge(each, asked, 20) for title, each in lists.items()}
    popular, plain = figures(outcomes)
    assert (popular["title"], plain["title"]) == (POPULAR, PLAIN)
    assert popular["times popular"] == 1
    assert plain["times popular"] > 1.1
    assert plain["recall lead on plain"] == 0


def test_too_little_data_is_refused():
    ratings = Ratings([1, 1], [1, 2], [8, 8], [0, 0])
    with pytest.raises(ValueError, match="nobody has 15 ratings"):
        NewPeople.draw(ratings, "random", seed=0)
