"""The search page, and what a description means as it is typed."""

import pytest
from django.urls import reverse

from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def films():
    MovieFactory(title="The Godfather", year=1972, rating_count=200, rating_sum=1800)
    MovieFactory(
        title="Quick Change", year=1990, genres=["Comedy"], overview="A clown robs a bank."
    )
    MovieFactory(title="Heat", year=1995, genres=["Crime"], overview="Thieves rob a bank.")


def page_of(client, **parameters) -> str:
    return client.get(reverse("recommender:search"), parameters).content.decode()


def test_the_page_shows_films_by_title(client):
    assert "The Godfather" in page_of(client, q="godfater")


def test_the_page_shows_films_by_what_they_are_about(client):
    assert "Heat" in page_of(client, q="people who rob a large bank at night")


def test_a_condition_is_a_chip_whose_address_takes_it_off(client):
    page = page_of(client, q="funny bank films from the nineties")
    assert "Remove the filter </span>Comedy" in page
    assert "Quick Change" in page and "Heat" not in page
    address = "?q=funny+bank+films+from+the+nineties&amp;plain=genre%3Acomedy"
    assert f'href="{address}"' in page
    without = client.get("/search/" + address.replace("&amp;", "&")).content.decode()
    assert "Remove the filter </span>Comedy" not in without
    assert "Remove the filter </span>1990s" in without
    assert "Heat" in without


def test_the_page_says_what_to_do_when_nothing_is_found(client):
    assert "Nothing by that name" in page_of(client, q="zzxqwv")
    assert "No film is all of that" in page_of(client, q="comedies from the twenties")
    assert "What are you looking for?" in page_of(client)
    assert "<script>" not in page_of(client, q="<script>alert")


def test_what_is_typed_is_answered_without_what_titles_have_suggested(client):
    address = reverse("recommender:meaning")
    page = client.get(address, {"q": "thieves who rob a bank"}).content.decode()
    assert "<html" not in page
    assert page.count('role="option"') == 2
    assert "No story like that." in client.get(address, {"q": "zzxqwv zzxqwv"}).content.decode()
    assert "Heat" not in client.get(address, {"q": "heat 1995"}).content.decode()
