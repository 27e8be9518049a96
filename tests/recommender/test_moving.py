"""A film that nobody had rated at training moves as ratings come."""

import numpy as np
import pytest

from movies.models import Movie
from recommender import tasks
from recommender.models import ModelVersion, MovieVector
from recommender.serving import foldin, moving, placing
from recommender.training import pipeline, runs
from tests.conftest import SMALL
from tests.factories import MovieFactory
from users import ratings

pytestmark = pytest.mark.django_db(transaction=True)

RATERS = slice(0, 20, 2)
"""Even ones: these like what the even like."""


@pytest.fixture
def film(camps) -> Movie:
    """A new film of which nothing says which camp it suits, with its place in a live version."""
    film = MovieFactory(year=1980, genres=["Drama"])
    pipeline.execute(runs.create(parameters=SMALL))
    return film


def vector(film: Movie) -> np.ndarray:
    version = ModelVersion.objects.live()
    return np.array(MovieVector.objects.get(version=version, movie=film).vector)


def scores(people, film: Movie) -> np.ndarray:
    """How much people who have not rated it would like it."""
    version = ModelVersion.objects.live()
    return np.array([foldin.user_vector(person, version) @ vector(film) for person in people])


def rate(people, film: Movie, stars: float) -> None:
    for person in people:
        ratings.rate(person, film, stars)


def test_a_new_film_comes_nearer_to_the_camp_that_likes_it(camps, film):
    people, _ = camps
    even, odd = people[20::2], people[21::2]
    before = scores(even, film), scores(odd, film)
    rate(people[RATERS], film, 4.5)
    tasks.place_films()
    gain_even, gain_odd = scores(even, film) - before[0], scores(odd, film) - before[1]
    assert gain_even.mean() > 0 and gain_even.mean() > gain_odd.mean()
    assert scores(even, film).mean() > scores(odd, film).mean()


def test_one_that_a_camp_dislikes_moves_less_towards_it(camps, film):
    people, _ = camps
    first = vector(film)
    rate(people[RATERS], film, 4.5)
    moving.move()
    liked = scores(people[20::2], film).mean()
    rate(people[RATERS], film, 0.5)
    ratings.withdraw(people[0], film)
    moving.move()
    assert scores(people[20::2], film).mean() < liked
    assert not np.array_equal(vector(film), first)


def test_more_ratings_move_it_farther(camps, film):
    people, _ = camps
    first = vector(film)
    rate(people[:1], film, 4.5)
    moving.move()
    by_one = np.linalg.norm(vector(film) - first)
    rate(people[2:20:2], film, 4.5)
    moving.move()
    assert 0 < by_one < np.linalg.norm(vector(film) - first) / 3


def test_it_moves_once_for_the_same_ratings_and_back_without_any(camps, film):
    people, _ = camps
    first = vector(film)
    assert moving.move() == 0
    rate(people[RATERS], film, 4.5)
    assert moving.move() == 1
    there = vector(film)
    assert moving.move() == 0
    # Staff tell more of it, or nothing new: it begins anew, and the same ratings move it as far.
    placing.place([film.pk])
    assert moving.move() == 1
    assert np.allclose(vector(film), there, atol=1e-5)
    for person in people[RATERS]:
        ratings.withdraw(person, film)
    assert moving.move() == 1
    assert np.allclose(vector(film), first, atol=1e-5)


def test_a_film_that_was_trained_on_stays(camps, film):
    people, films = camps
    before = vector(films[1])
    rate(people, films[1], 4.5)
    assert moving.move() == 0
    assert np.array_equal(vector(films[1]), before)


def test_the_vectors_of_those_who_rated_it_follow(camps, film):
    people, _ = camps
    rate(people[RATERS], film, 4.5)
    version = ModelVersion.objects.live()
    foldin.user_vector(people[0], version)
    moving.move()
    rated = foldin.rated_movies(people[0], version).rated
    anew = foldin.model_of(version).fold_in.vector(rated)
    assert np.allclose(foldin.user_vector(people[0], version), anew, atol=1e-6)


def test_a_first_rating_of_somebody_of_whom_nothing_is_known_moves_nothing(film, django_user_model):
    first = vector(film)
    ratings.rate(django_user_model.objects.create_user("new"), film, 5)
    assert moving.move() == 1
    assert np.allclose(vector(film), first, atol=1e-5)
    assert moving.move() == 0


def test_without_a_model_nothing_moves(camps):
    assert moving.move() == 0
