"""Fixtures for every room."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from movies.catalogue import Film
from movies.models import Movie
from recommender import film_map, vectors
from recommender.film_map import FilmMap
from recommender.models import ModelVersion
from recommender.training import pipeline, runs
from tests.factories import UserFactory, films_at_once
from users import history
from users.models import Rating, User

SMALL = {"factors": 8, "iterations": 5}

# A busy machine makes no test fail.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def _emptied_quickly() -> Iterator[None]:
    """Empty the database in two milliseconds after each test that commits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty_database)
        yield


# What no test changes.
KEPT = {"auth_permission", "django_content_type"}
truncate = TransactionTestCase._fixture_teardown


def _empty_database(case: TransactionTestCase) -> None:
    """Drop the versions' tables and delete every row.

    Django's TRUNCATE makes each table and index anew, which takes a hundred times as long. Only a
    superuser may delete whatever hangs on what, as the tests' own server has.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for name in vector_tables():
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
        cursor.execute("SELECT current_setting('is_superuser')::boolean")
        (is_superuser,) = cursor.fetchone()
        if is_superuser:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(_deletions())
    if not is_superuser:
        truncate(case)


@cache
def _deletions() -> sql.Composed:
    tables = sorted({*connection.introspection.django_table_names()} - KEPT)
    return sql.SQL(";").join(sql.SQL("DELETE FROM {}").format(sql.Identifier(t)) for t in tables)


def vector_tables() -> list[str]:
    """Return the names of the versions' own tables, partitions already or not yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            r" AND relname ~ '^recommender_(movie|user|word)vector_v\d+$'"
        )
        return [name for (name,) in cursor.fetchall()]


@transaction.atomic
def rate_in_two_camps(people: int = 40, films: int = 60) -> tuple[list[User], list[Movie]]:
    """Make people of whom the even ones like the even films and dislike the odd, and vice versa.

    The answer that any model of taste must find is known: more films of one's own camp.
    """
    random = np.random.default_rng(7)
    genres = ["Drama", "Comedy", "Horror"]
    movies = films_at_once(
        Film(title=f"Film {n}", year=1950 + n, genres=(genres[n % 3],)) for n in range(films)
    )
    users = User.objects.bulk_create(UserFactory.build_batch(people, password="!"))
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
    film_map.write(version, FilmMap(movie_ids, np.array(places, dtype=np.float64), regions))
    directions = np.ones((len(films), 2), dtype=np.float32)
    vectors.write_movies(version, movie_ids, directions)
    vectors.index_and_attach(version)
    ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.CANDIDATE)
    return vectors.promote(version)


@pytest.fixture
def trained(camps) -> ModelVersion:
    """A live version trained on the two camps."""
    return pipeline.execute(runs.create(parameters=SMALL))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process waits for another at the end."""
    items.sort(key=lambda item: [item.get_closest_marker(m) is None for m in ("slow", "browser")])


def pytest_configure() -> None:
    # Pages name static files as they lie in the tree: nothing is collected before the tests.
    storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES["staticfiles"]["BACKEND"] = storage


@pytest.fixture
def no_queue(monkeypatch) -> None:
    """Nothing answers where the queue should be."""
    # An app of its own: the real one keeps its connections, and would hand them on.
    nowhere = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    nowhere.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    for room in (runs, history):
        monkeypatch.setattr(room, "app", nowhere)
