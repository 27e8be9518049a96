"""The choice of the next question, on cases whose answer is known."""

import numpy as np
import pytest

from recommender.serving.interview import Answers, Interview, spread

# Two directions of taste, in which people differ equally; films lie along one or the other.
PEOPLE = np.eye(2)


def no_answers():
    return Answers(np.empty((0, 2)), np.empty(0), np.empty(0, dtype=bool))


def answers(*films):
    """`(vector, popularity, is_seen)` each."""
    vectors, popularity, is_seen = zip(*films, strict=True)
    return Answers(np.array(vectors, float), np.array(popularity), np.array(is_seen))


def interview(films, said=None):
    """`films` are `(vector, popularity)` each."""
    vectors, popularity = zip(*films, strict=True)
    return Interview(np.array(vectors, float), np.array(popularity), PEOPLE, said or no_answers())


def test_of_two_films_alike_the_better_known_is_asked_first():
    assert interview([((1, 0), 0.1), ((1, 0), 0.6), ((1, 0), 0.3)]).choose(3)[0] == 1


def test_a_film_that_divides_people_is_asked_before_one_that_tells_nothing():
    assert interview([((0.1, 0), 0.5), ((1, 0), 0.5)]).choose(1) == [1]


def test_a_film_that_tells_of_others_is_asked_before_one_that_stands_alone():
    alone, among_others = ((0, 1), 0.5), [((1, 0), 0.5)] * 3
    assert interview([alone, *among_others]).choose(1) != [0]


def test_a_batch_is_varied():
    films = [((1, 0), 0.9), ((1, 0), 0.5), ((0, 1), 0.6)]
    assert set(interview(films).choose(2)) == {0, 2}


def test_what_is_on_the_page_already_is_not_asked_again_and_counts_for_variety():
    films = [((1, 0), 0.9), ((1, 0), 0.5), ((0, 1), 0.6)]
    assert interview(films).choose(3, asked=[0]) == [2, 1]


def test_a_rating_turns_the_questions_elsewhere():
    films = [((1, 0), 0.5), ((0, 1), 0.45)]
    assert interview(films).choose(1) == [0]
    said = answers(((1, 0), 0.5, True), ((1, 0), 0.5, True))
    # Likelier to be known by now, and yet it would tell less.
    assert interview(films, said).choose(1) == [1]


def test_what_people_know_makes_films_like_it_likelier_to_be_known():
    films = [((1, 0), 0.3), ((0, 1), 0.3)]
    alike, other = interview(films, answers(((1, 0), 0.3, True))).chances
    assert alike > other == pytest.approx(0.3)


def test_what_people_have_not_seen_makes_films_like_it_less_likely_to_be_known():
    films = [((1, 0), 0.3), ((0, 1), 0.3)]
    said = answers(((1, 0), 0.3, False))
    alike, other = interview(films, said).chances
    assert 0 < alike < other == pytest.approx(0.3)
    assert interview(films, said).choose(1) == [1]


def test_not_having_seen_a_film_tells_nothing_of_taste():
    films = [((1, 0), 0.3), ((0, 1), 0.3)]
    said = answers(((1, 0), 0.3, False))
    assert interview(films, said).information == pytest.approx(interview(films).information)


def test_the_information_is_the_fall_in_variance_by_bayes():
    random = np.random.default_rng(3)
    vectors, popularity = random.normal(size=(6, 2)), random.uniform(0.1, 0.9, 6)
    before = Interview(vectors, popularity, PEOPLE, no_answers())
    scale = np.mean(np.sum(vectors**2, axis=1))
    for film in range(6):
        precision = np.eye(2) + np.outer(vectors[film], vectors[film]) / (0.6 * scale)
        after = np.sum(vectors @ np.linalg.inv(precision) * vectors, axis=1)
        fall = popularity @ (np.sum(vectors**2, axis=1) - after) / scale
        assert before.information[film] == pytest.approx(fall)


def test_more_is_asked_for_than_there_are():
    assert sorted(interview([((1, 0), 0.5), ((0, 1), 0.5)]).choose(9)) == [0, 1]
    assert interview([((1, 0), 0.5)]).choose(2, asked=[0]) == []


def test_the_unit_of_the_scores_does_not_matter():
    random = np.random.default_rng(5)
    vectors, popularity = random.normal(size=(20, 2)), random.uniform(0.1, 0.9, 20)
    said = Answers(vectors[:2], popularity[:2], np.array([True, False]))
    chosen = Interview(vectors[2:], popularity[2:], PEOPLE, said).choose(5)
    said = Answers(100 * vectors[:2], popularity[:2], np.array([True, False]))
    assert Interview(100 * vectors[2:], popularity[2:], PEOPLE, said).choose(5) == chosen


@pytest.mark.parametrize("people", [0, 1, 2, 50])
def test_the_spread_is_a_root_of_the_covariance_of_people(people):
    vectors = np.random.default_rng(people).normal(size=(people, 3))
    root = spread(vectors)
    covariance = np.cov(vectors.T) if people > 1 else np.zeros((3, 3))
    assert root @ root.T == pytest.approx(covariance)


def test_where_people_do_not_differ_the_best_known_is_asked_first():
    films = np.eye(2)
    asked = Interview(films, np.array([0.2, 0.7]), np.zeros((2, 2)), no_answers()).choose(2)
    assert sorted(asked) == [0, 1]


def test_popularity_must_be_of_the_same_films():
    with pytest.raises(ValueError, match="popularity: expected 2"):
        Interview(np.eye(2), np.array([0.5]), PEOPLE, no_answers())
