"""Fixtures for every room."""

from collections.abc import Iterator

import numpy as np
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from movies.models import Movie
from recommender import vectors
from recommender.models import ModelVersion
from recommender.training import pipeline, runs
from recommender.vectors import FilmMap
from tests.factories import MovieFactory, UserFactory
from users.models import Rating, User

SMALL = {"factors": 8, "iterations": 5}

# A busy machine makes no test fail.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


COMMITTING = {"transactional_db", "live_server", "django_db_reset_sequences"}


@pytest.fixture(autouse=True)
def _no_vectors_left(request: pytest.FixtureRequest, django_db_blocker) -> Iterator[None]:
    """Drop the versions' tables after a test that commits: emptying the database leaves them."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if (marker and marker.kwargs.get("transaction")) or COMMITTING & set(request.fixturenames):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            for name in vector_tables():
                cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))


def vector_tables() -> list[str]:
    """Return the names of the versions' own tables, partitions already or not yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            r" AND relname ~ '^recommender_(movie|user|word)vector_v\d+$'"
        )
        return [name for (name,) in cursor.fetchall()]


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


def put_on_a_map(films: list[Movie], places: list[tuple[float, float]]) -> ModelVersion:
    """Make a live version whose map has the films at these places, by halves in two regions."""
    version = ModelVersion.objects.create(
        embedder="als", dimensions=2, movie_count=len(films), snapshot_at=timezone.now()
    )
    movie_ids = np.array([film.pk for film in films])
    regions = np.arange(len(films)) * 2 // len(films)
    film_map = FilmMap(movie_ids, np.array(places, dtype=np.float64), regions)
    directions = np.ones((len(films), 2), dtype=np.float32)
    vectors.write_movies(version, movie_ids, directions, film_map=film_map)
    vectors.index_and_attach(version)
    ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.CANDIDATE)
    return vectors.promote(version)


@pytest.fixture
def trained(camps) -> ModelVersion:
    """A live version trained on the two camps."""
    return pipeline.execute(runs.create(parameters=SMALL))


def pytest_configure() -> None:
    # Pages name static files as they lie in the tree: nothing is collected before the tests.
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES["staticfiles"]["BACKEND"] = storage


@pytest.fixture
def no_queue(monkeypatch) -> None:
    """Nothing answers where the queue should be."""
    # An app of its own: the real one keeps its connections, and would hand them on.
    nowhere = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr(runs, "app", nowhere)
