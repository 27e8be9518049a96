"""Item2Vec: films that people watch one after another are neighbours."""

import numpy as np
import pytest

from recommender.catalogue import Material
from recommender.embedders.item2vec import Item2Vec, Settings, _sessions
from tests.recommender.embedders.checks import (
    check_that_it_gives_the_same_twice,
    check_that_progress_rises_and_can_end_it,
)
from tests.recommender.embedders.material import films, groups_apart, ratings


def two_circles(people: int = 40, seed: int = 0) -> Material:
    """Half of the people watch films 1 to 5, the others 6 to 10, each in an order of their own."""
    random = np.random.default_rng(seed)
    sessions = [list(1 + 5 * (person % 2) + random.permutation(5)) for person in range(people)]
    return Material(films(("",) * 12), ratings(sessions))


SETTINGS = Settings(dimension=8, epochs=40, subsampling=0, window=3)


def test_films_of_the_same_people_are_nearer() -> None:
    embedding = Item2Vec(SETTINGS).fit(two_circles())
    assert embedding.vectors.shape == (10, 8)
    np.testing.assert_allclose(np.linalg.norm(embedding.vectors, axis=1), 1, rtol=1e-5)
    assert groups_apart(embedding.vectors) > 0.5


def test_films_that_nobody_rated_have_no_place() -> None:
    embedding = Item2Vec(SETTINGS).fit(two_circles())
    assert list(embedding.movie_ids) == list(range(1, 11))


def test_what_follows_is_nearer_than_what_the_same_people_watch_much_later() -> None:
    sessions = [list(range(1, 21)) for _ in range(60)]
    settings = Settings(dimension=8, epochs=60, subsampling=0, window=2)
    vectors = Item2Vec(settings).fit(Material(films(("",)), ratings(sessions))).vectors
    likeness = vectors @ vectors.T
    assert np.diagonal(likeness, 1).mean() > np.diagonal(likeness, 10).mean() + 0.3


def test_sessions_are_in_the_order_of_time() -> None:
    data = ratings([[3, 1, 2], [5, 4]])
    mixed = data.take(np.array([4, 2, 0, 3, 1]))
    assert [list(session) for session in _sessions(mixed, seed=0)] == [[3, 1, 2], [5, 4]]


def test_the_same_seed_gives_the_same_vectors() -> None:
    check_that_it_gives_the_same_twice(Item2Vec(SETTINGS), two_circles())
    other = Item2Vec(Settings.from_dict(SETTINGS.to_dict() | {"seed": 1}))
    mine = Item2Vec(SETTINGS).fit(two_circles()).vectors
    assert not np.array_equal(mine, other.fit(two_circles()).vectors)


def test_it_tells_how_many_ratings_it_saw() -> None:
    assert Item2Vec(SETTINGS).fit(two_circles()).saw.endswith("200 ratings")


def test_progress_rises_and_can_end_it() -> None:
    check_that_progress_rises_and_can_end_it(Item2Vec(SETTINGS), two_circles())


@pytest.mark.parametrize("sessions", [[], [[1], [2]]])
def test_without_two_films_of_one_person_there_is_nothing_to_learn(sessions: list) -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        Item2Vec().fit(Material(films(("",)), ratings(sessions)))


def test_a_bad_setting_is_named() -> None:
    with pytest.raises(ValueError, match="window"):
        Item2Vec.from_dict({"window": 0})
