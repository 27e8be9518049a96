"""DeepWalk: films that share people are neighbours."""

import numpy as np
import pytest

from recommender.catalogue import Material
from recommender.embedders.deepwalk import DeepWalk, Settings, _Graph
from tests.recommender.embedders.checks import (
    check_that_it_gives_the_same_twice,
    check_that_progress_rises_and_can_end_it,
)
from tests.recommender.embedders.material import films, groups_apart, ratings

SETTINGS = Settings(dimension=8, window=3, walks=20, length=10, epochs=2)
COMEDIANS = ("Ann", "Bob", "Cal")
VILLAINS = ("Xan", "Yul", "Zoe")


def two_troupes() -> Material:
    """Eight films: four by one troupe of three, four by another; all are dramas."""
    casts = [COMEDIANS[:2], COMEDIANS[1:], COMEDIANS, COMEDIANS[::2]]
    casts += [VILLAINS[:2], VILLAINS[1:], VILLAINS, VILLAINS[::2]]
    return Material(films(("",) * 8, (("Drama",),) * 8, tuple(casts)), ratings([]))


def test_films_of_the_same_people_are_nearer() -> None:
    embedding = DeepWalk(SETTINGS).fit(two_troupes())
    assert embedding.vectors.shape == (8, 8)
    np.testing.assert_allclose(np.linalg.norm(embedding.vectors, axis=1), 1, rtol=1e-5)
    assert groups_apart(embedding.vectors) > 0.3
    assert embedding.saw == "the graph of 8 films, 6 people and 1 genres"


def test_films_without_any_link_have_no_place() -> None:
    material = Material(films(("",) * 4, people=(("Ann",), ("Ann",), ("Bob",), ())), ratings([]))
    assert list(DeepWalk(SETTINGS).fit(material).movie_ids) == [10, 20]


def test_where_no_film_has_a_link_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        DeepWalk(SETTINGS).fit(Material(films(("", "")), ratings([])))


def test_walks_follow_links_by_their_weights() -> None:
    casts = (("Ann", "Bob"), ("Ann",), ("Bob",))
    material = Material(films(("",) * 3, people=casts), ratings([]))
    graph = _Graph.of(material, Settings(director_weight=4.0, genre_weight=0))
    walks = graph.walk(np.zeros(20_000, dtype=np.intp), 3, np.random.default_rng(0))
    # Ann directs the first film, Bob is in its cast and directs the third.
    ann, bob = 3, 4
    assert (walks[:, 1] == ann).mean() == pytest.approx(0.8, abs=0.02)
    assert set(walks[walks[:, 1] == ann, 2]) == {0, 1}
    assert (walks[walks[:, 1] == bob, 2] == 2).mean() == pytest.approx(0.8, abs=0.03)


def test_who_likes_what_counts_only_where_it_is_asked_for() -> None:
    material = Material(films(("",) * 4), ratings([[10, 20], [10, 20], [30, 40], [30, 40]]))
    with pytest.raises(ValueError, match="nothing to learn"):
        DeepWalk(SETTINGS).fit(material)
    settings = Settings.from_dict(SETTINGS.to_dict() | {"likes_weight": 1})
    embedding = DeepWalk(settings).fit(material)
    assert groups_apart(embedding.vectors) > 0.3
    assert embedding.saw.endswith("which films the same people like")


def test_the_same_seed_gives_the_same_vectors() -> None:
    check_that_it_gives_the_same_twice(DeepWalk(SETTINGS), two_troupes())
    other = DeepWalk(Settings.from_dict(SETTINGS.to_dict() | {"seed": 1}))
    mine = DeepWalk(SETTINGS).fit(two_troupes()).vectors
    assert not np.array_equal(mine, other.fit(two_troupes()).vectors)


def test_progress_rises_and_can_end_it() -> None:
    check_that_progress_rises_and_can_end_it(DeepWalk(SETTINGS), two_troupes(), after=0.1)


def test_a_bad_setting_is_named() -> None:
    with pytest.raises(ValueError, match="walks"):
        DeepWalk.from_dict({"walks": 0})
