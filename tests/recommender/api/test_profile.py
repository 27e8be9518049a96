import pytest

from tests.factories import UserFactory
from tests.recommender.api.conftest import client_of
from users import ratings

pytestmark = pytest.mark.django_db

PROFILE = "/api/v1/profile/"


def test_the_portrait_is_there_for_programs(trained, camps):
    person = UserFactory()
    for film in camps[1][:24:2]:
        ratings.rate(person, film, 5)
    body = client_of(person).get(PROFILE).json()
    assert body["films"] == 12 and sum(body["distribution"]) == 12
    assert len(body["everyones_distribution"]) == 10
    assert {kind["key"] for kind in body["genres"]} == {"drama", "comedy", "horror"}
    assert body["seeds"][0]["movie"]["id"] in person.stars
    assert body["defining"] and body["neighbours"]["loved"]
    assert set(body["neighbours"]) == {"alike", "shared", "close", "loved"}


def test_newcomers_get_an_empty_portrait_and_nobody_gets_anothers(client, anonymous):
    body = client.get(PROFILE).json()
    assert body["films"] == 0 and body["genres"] == [] and body["neighbours"]["alike"] == []
    assert anonymous.get(PROFILE).status_code == 401
    assert client.get(f"{PROFILE}?user=1").status_code == 400
