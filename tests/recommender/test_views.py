"""The pages that know the person, over a real model."""

import re

import pytest
from django.urls import reverse

from tests.factories import MovieFactory, UserFactory
from users.ratings import dismiss, rate

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}
FOR_YOU = "/recommendations/"


@pytest.fixture
def fan(camps, client):
    """Someone new who loves four films of the first camp, logged in."""
    person = UserFactory()
    for film in camps[1][0:8:2]:
        rate(person, film, 5)
    client.force_login(person)
    return person


def found_by(answer):
    return [recommendation.movie for recommendation in answer.context["found"]]


def test_recommendations_come_page_by_page_without_repeats(client, trained, fan):
    first = client.get(FOR_YOU)
    second = client.get(first.context["next_url"])
    movies = found_by(first) + found_by(second)
    assert len(found_by(first)) == 20
    assert len(set(movies)) == len(movies)
    assert not {movie.pk for movie in movies} & fan.stars.keys()


def test_recommendations_keep_to_the_filters(client, trained, fan, camps):
    odd = MovieFactory(year=1931, genres=["War"])
    answer = client.get(f"{FOR_YOU}?genre=war&decade=1930")
    assert found_by(answer) == [odd]
    assert [chip["text"] for chip in answer.context["chips"]] == ["War", "1930s"]
    dismiss(fan, odd)
    assert "You have seen them all" in client.get(f"{FOR_YOU}?genre=war").content.decode()


@pytest.mark.parametrize("query", ["page=x", "page=0", "page=-3", "page=9" * 30, "page=²"])
def test_a_page_number_that_makes_no_sense_does_no_harm(client, trained, fan, query):
    assert client.get(f"{FOR_YOU}?{query}").status_code == 200


def test_filters_that_cannot_be_read_are_named(client):
    MovieFactory()
    assert "Select a valid choice" in client.get(f"{FOR_YOU}?genre=x").content.decode()


def test_a_visitor_is_told_what_the_list_is(client):
    MovieFactory()
    assert "what most people like" in client.get(FOR_YOU).content.decode()


def test_scrolling_on_fetches_films_alone(client, trained, fan):
    headers = {**HTMX, "HX-Target": "more"}
    page = client.get(f"{FOR_YOU}?page=2", headers=headers).content.decode()
    assert "<section" not in page
    assert page.count('class="card"') > 0


def test_why_names_the_persons_own_films_and_their_shares(client, trained, fan, camps):
    address = reverse("recommender:why", args=[camps[1][20].pk])
    loved = [camps[1][place].title for place in range(0, 8, 2)]
    for headers in ({}, HTMX):
        page = client.get(address, headers=headers).content.decode()
        assert any(f">{title}</a>" in page for title in loved)
        shares = [int(share) for share in re.findall(r"stars, (\d+) %", page)]
        assert 0 < sum(shares) <= 101 and shares == sorted(shares, reverse=True)
        assert ("<html" in page) is (headers == {})


def test_why_asks_a_visitor_to_log_in_and_come_back(client, trained, camps):
    film = camps[1][0]
    page = client.get(reverse("recommender:why", args=[film.pk])).content.decode()
    assert f"{reverse('users:login')}?next={film.get_absolute_url()}" in page


def test_similar_films_are_a_shelf_or_a_page(client, trained, camps):
    film = camps[1][0]
    address = reverse("recommender:similar", args=[film.pk])
    shelf, page = client.get(address, headers=HTMX), client.get(address)
    assert "<html" not in shelf.content.decode()
    assert "<html" in page.content.decode()
    assert film not in page.context["movies"]
    assert shelf.context["movies"] == page.context["movies"][: len(shelf.context["movies"])]


@pytest.mark.parametrize("name", ["recommender:similar", "recommender:why"])
def test_no_such_film(client, name):
    assert client.get(reverse(name, args=[404])).status_code == 404
