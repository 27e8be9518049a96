"""Answers that are kept: the same again, until the person or the model says otherwise."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from recommender import vectors
from recommender.training import pipeline, runs
from tests.conftest import SMALL
from tests.recommender.api.conftest import client_of
from users.models import Dismissal, Rating, User

pytestmark = pytest.mark.django_db(transaction=True)

RECOMMENDATIONS = "/api/v1/recommendations/?k=10"
KEPT_QUERIES = 1
"""Who asks and what is live, or what is live alone."""


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def ask(client, address=RECOMMENDATIONS):
    """The films, the whole answer, and whether it was kept."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    told = response.json()["results"]
    return [each["movie"]["id"] for each in told], told, len(queries) <= KEPT_QUERIES


def test_the_same_is_answered_again_and_to_nobody_else(trained, camps, settings):
    one, other = (client_of(person) for person in camps[0][:2])
    films, told, is_kept = ask(one)
    assert not is_kept
    assert ask(one) == (films, told, True)
    assert not ask(one, f"{RECOMMENDATIONS}&obscurity=1")[2]
    assert not ask(one, f"{RECOMMENDATIONS}&fields=movie")[2]
    others, _, is_kept = ask(other)
    assert not is_kept and others != films
    visitors, _, is_kept = ask(client_of(None))
    assert not is_kept and visitors not in (films, others)
    assert ask(client_of(None))[2]
    assert ask(one) == (films, told, True)
    away = settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    with override_settings(CACHES={"default": away}):
        assert ask(one) == (films, told, False)


def test_whatever_the_person_says_shows_in_the_very_next_answer(trained, camps):
    person = camps[0][0]
    client = client_of(person)
    rated = person.ratings.filter(value=9).first().movie_id
    films, *_ = ask(client)
    own = "/api/v1"
    changes = [
        lambda: client.put(f"{own}/ratings/{films[0]}/", {"stars": 5}, format="json"),
        lambda: client.put(f"{own}/ratings/{films[0]}/", {"stars": 1}, format="json"),
        lambda: client.delete(f"{own}/ratings/{films[0]}/"),
        lambda: client.put(f"{own}/dismissals/{films[1]}/"),
        lambda: client.delete(f"{own}/dismissals/{films[1]}/"),
        lambda: client.put(f"{own}/less-like/{films[2]}/"),
        lambda: client.delete(f"{own}/less-like/{films[2]}/"),
        lambda: client.put(f"{own}/seen/{films[3]}/"),
        lambda: client.delete(f"{own}/seen/{films[3]}/"),
        lambda: client.put(f"{own}/left-out/{rated}/"),
        lambda: client.delete(f"{own}/left-out/{rated}/"),
        lambda: client.put(
            f"{own}/dials/", {"obscurity": 1, "adventure": 0, "newness": 0}, format="json"
        ),
        # Whoever writes, by whatever way.
        lambda: Dismissal.objects.bulk_create([Dismissal(user=person, movie_id=films[4])]),
        lambda: Dismissal.objects.filter(user=person).delete(),
        lambda: Rating.objects.filter(user=person, movie_id=rated).update(value=2),
    ]
    for number, change in enumerate(changes):
        assert ask(client)[2], number
        change()
        assert not ask(client)[2], number
    revisions = User.objects.exclude(pk=person.pk).values_list("lists_revision", flat=True)
    assert set(revisions) == {0}


def test_another_version_makes_all_answers_anew(trained, camps):
    client = client_of(camps[0][0])
    films, told, _ = ask(client)
    pipeline.execute(runs.create(parameters=SMALL))
    assert not ask(client)[2]
    vectors.promote(trained)
    # The first version is as it was, and so is what followed from it.
    assert ask(client) == (films, told, True)
