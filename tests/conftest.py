"""Fixtures for every room."""

import numpy as np
import pytest
from django.conf import settings

from movies.models import Movie
from recommender.models import ModelVersion
from recommender.training import pipeline, runs
from tests.factories import MovieFactory, UserFactory
from users.models import Rating, User

SMALL = {"factors": 8, "iterations": 5}


def rate_in_two_camps(people: int = 40, films: int = 60) -> tuple[list[User], list[Movie]]:
    """Make people of whom the even ones like the even films and dislike the odd, and vice versa.

    The answer that any model of taste must find is known: more films of one's own camp.
    """
    random = np.random.default_rng(7)
    genres = ["Drama", "Comedy", "Horror"]
    movies = [
        MovieFactory(title=f"Film {n}", year=1950 + n, genres=[genres[n % 3]]) for n in range(films)
    ]
    users = UserFactory.create_batch(people, password="!")
    Rating.objects.bulk_create(
        Rating(user=user, movie=movie, value=9 if p % 2 == m % 2 else 3)
        for p, user in enumerate(users)
        for m, movie in enumerate(movies)
        if random.random() < 0.4
    )
    return users, movies


@pytest.fixture(autouse=True)
def _cheap_passwords(settings):
    """Hash passwords in no time: their safety is Django's to test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def camps(transactional_db) -> tuple[list[User], list[Movie]]:
    """People and films of two camps, committed, so that every connection sees them."""
    return rate_in_two_camps()


@pytest.fixture
def trained(camps) -> ModelVersion:
    """A live version trained on the two camps."""
    return pipeline.execute(runs.create(parameters=SMALL))


def pytest_configure() -> None:
    # Pages name static files as they lie in the tree: nothing is collected before the tests.
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES["staticfiles"]["BACKEND"] = storage
