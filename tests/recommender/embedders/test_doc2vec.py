"""Doc2Vec: films told in the same words are neighbours."""

import numpy as np
import pytest

from recommender.catalogue import Material
from recommender.embedders.doc2vec import Doc2Vec, Settings
from tests.recommender.embedders.checks import (
    check_that_it_gives_the_same_twice,
    check_that_progress_rises_and_can_end_it,
)
from tests.recommender.embedders.material import SPACE, WEDDINGS, films, groups_apart, ratings, told

SETTINGS = Settings(dimension=8, epochs=200, fewest=1, subsampling=0)


def test_films_of_the_same_words_are_nearer() -> None:
    overviews = SPACE * 3 + WEDDINGS * 3
    embedding = Doc2Vec(SETTINGS).fit(Material(films(overviews), ratings([])))
    assert embedding.vectors.shape == (24, 8)
    np.testing.assert_allclose(np.linalg.norm(embedding.vectors, axis=1), 1, rtol=1e-5)
    assert groups_apart(embedding.vectors) > 0.2
    assert embedding.saw == "titles, genres and overviews of 24 films"


def test_films_without_an_overview_have_no_place() -> None:
    material = Material(films(("", *SPACE, "")), ratings([]))
    assert list(Doc2Vec(SETTINGS).fit(material).movie_ids) == [20, 30, 40, 50]


def test_where_nothing_is_told_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        Doc2Vec().fit(Material(films(("", "")), ratings([])))


def test_the_same_seed_gives_the_same_vectors() -> None:
    check_that_it_gives_the_same_twice(Doc2Vec(SETTINGS), told())


def test_progress_rises_and_can_end_it() -> None:
    check_that_progress_rises_and_can_end_it(Doc2Vec(SETTINGS), told())


def test_a_bad_setting_is_named() -> None:
    with pytest.raises(ValueError, match="dimension"):
        Doc2Vec.from_dict({"dimension": 1})
