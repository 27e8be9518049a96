"""Vectors that a process keeps are those of the database, whatever happens there."""

import numpy as np
import pytest

from recommender import vectors
from recommender.models import MovieVector
from recommender.serving import kept_vectors, placing
from recommender.serving.kept_vectors import of_films
from recommender.training import pipeline, runs
from tests.conftest import SMALL
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOBODYS = 987654321


def ids(films) -> np.ndarray:
    return np.array([film.pk for film in films], dtype=np.int64)


def in_database(version, films) -> np.ndarray:
    return np.array([MovieVector.objects.get(version=version, movie=film).vector for film in films])


def test_vectors_are_read_once_and_stand_as_asked_for(trained, camps, django_assert_num_queries):
    some, more = camps[1][5::-1], camps[1][:10]
    found = of_films(trained, ids(some))
    assert found.is_known.all() and len(found.inputs) == len(some)
    np.testing.assert_array_equal(found.vectors, in_database(trained, some))
    of_films(trained, ids(more))
    with django_assert_num_queries(0):
        found = of_films(trained, np.append(ids(more), ids(some)))
    np.testing.assert_array_equal(found.vectors, in_database(trained, [*more, *some]))


def test_what_is_not_in_the_space_is_not_known_until_it_is(trained, camps):
    film = MovieFactory(genres=["Drama"])
    asked = np.array([camps[1][0].pk, film.pk, NOBODYS])
    assert of_films(trained, asked).is_known.tolist() == [True, False, False]
    assert len(of_films(trained, asked).vectors) == 1
    assert placing.place([film.pk]) == 1
    assert of_films(trained, asked).is_known.tolist() == [True, True, False]


def test_a_predicted_vector_is_read_anew(trained, camps):
    film = MovieFactory(genres=["Drama"])
    placing.place([film.pk])
    placed = MovieVector.objects.filter(version=trained, movie=film)
    before = of_films(trained, ids([film])).vectors
    placed.update(vector=2 * before[0])
    np.testing.assert_array_equal(of_films(trained, ids([film])).vectors, 2 * before)


def test_each_version_has_its_own(trained, camps):
    film = camps[1][0]
    old = of_films(trained, ids([film])).vectors
    new = pipeline.execute(runs.create(parameters=SMALL | {"seed": 1}))
    for version in (new, trained, new):
        vectors.promote(version)
        found = of_films(version, ids([film])).vectors
        np.testing.assert_array_equal(found, in_database(version, [film]))
    assert not np.array_equal(found, old)


def test_memory_is_bounded(trained, camps, monkeypatch):
    films = camps[1][:20]
    a_film = 4 * (len(of_films(trained, ids(films)).inputs[0]) + trained.dimensions)
    monkeypatch.setattr(kept_vectors, "KEPT_BYTES", 7 * a_film)
    kept_vectors._kept.cache_clear()
    for start in (0, 4, 8, 0):
        asked = films[start : start + 5]
        found = of_films(trained, ids(asked))
        np.testing.assert_array_equal(found.vectors, in_database(trained, asked))
        assert 0 < len(kept_vectors._kept(trained.pk)) <= 7
    assert len(of_films(trained, ids(films)).vectors) == 20
    assert len(kept_vectors._kept(trained.pk)) <= 7
