"""GloVe: the paper's objective on small cases, and films by their words."""

import numpy as np
import pytest
from scipy import sparse

from recommender.catalogue import Material
from recommender.embedders import words
from recommender.embedders.glove import GloVe, Settings, cooccurrences, learn
from tests.recommender.embedders.checks import (
    check_that_it_gives_the_same_twice,
    check_that_progress_rises_and_can_end_it,
)
from tests.recommender.embedders.material import SPACE, WEDDINGS, films, groups_apart, ratings, told

SETTINGS = Settings(dimension=8, epochs=20, fewest=1, least=0, window=8, smoothing=0.01)


def test_words_stand_together_the_more_the_nearer_they_are() -> None:
    counted = cooccurrences([["a", "b", "c", "a"], ["c", "b"]], ["a", "b", "c"], window=2)
    expected = [[0, 1 + 1 / 2, 1 / 2 + 1], [0, 0, 1 + 1], [0, 0, 0]]
    np.testing.assert_allclose(counted.toarray(), np.array(expected) + np.transpose(expected))


def test_words_of_two_films_do_not_stand_together() -> None:
    counted = cooccurrences([["a"], ["b"]], ["a", "b"], window=5)
    assert counted.nnz == 0


def test_words_of_one_company_come_to_one_place() -> None:
    # Ice and steam keep the company of water; only ice that of solid, only steam that of gas: the
    # paper's own example. Frost is never seen beside ice, but in the same company.
    names = ["ice", "frost", "steam", "solid", "gas", "water"]
    counts = np.zeros((6, 6))
    for a, b, times in [(0, 3, 40), (1, 3, 40), (2, 3, 1), (0, 4, 1), (1, 4, 1), (2, 4, 40)]:
        counts[a, b] = counts[b, a] = times
    counts[:3, 5] = counts[5, :3] = 30
    settings = Settings(dimension=4, epochs=300)
    vectors = learn(sparse.csr_matrix(counts), settings, lambda fraction, message: None)
    ice, frost, steam, solid, gas, _ = vectors
    assert len(vectors) == len(names)
    assert (ice - steam) @ (solid - gas) > 0.5
    assert np.linalg.norm(ice - frost) < np.linalg.norm(ice - steam) / 2


def test_films_of_the_same_words_are_nearer() -> None:
    settings = Settings.from_dict(SETTINGS.to_dict() | {"epochs": 200})
    embedding = GloVe(settings).fit(Material(films(SPACE * 3 + WEDDINGS * 3), ratings([])))
    assert embedding.vectors.shape == (24, 8)
    np.testing.assert_allclose(np.linalg.norm(embedding.vectors, axis=1), 1, rtol=1e-5)
    # Words that never stand together are held apart by nothing but those that stand with both.
    assert groups_apart(embedding.vectors) > 0.05


def test_a_query_lies_near_its_films_by_the_words_alone() -> None:
    embedding = GloVe(SETTINGS).fit(Material(films(SPACE * 3 + WEDDINGS * 3), ratings([])))
    assert embedding.words is not None
    kept = dict(zip(embedding.words.words, embedding.words.vectors, strict=True))
    assert words.keys("rocket crew", embedding.numbers) == ["rocket", "crew", "rocket_crew"]
    likeness = embedding.vectors @ words.place("rocket crew", kept, embedding.numbers)
    assert likeness[:12].mean() > likeness[12:].mean()


def test_where_nothing_is_told_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        GloVe().fit(Material(films(()), ratings([])))


def test_the_same_seed_gives_the_same_vectors() -> None:
    check_that_it_gives_the_same_twice(GloVe(SETTINGS), told())


def test_progress_rises_and_can_end_it() -> None:
    check_that_progress_rises_and_can_end_it(GloVe(SETTINGS), told())


def test_a_bad_setting_is_named() -> None:
    with pytest.raises(ValueError, match="window"):
        GloVe.from_dict({"window": 0})
