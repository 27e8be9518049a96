"""Browsing: filters, order, pages."""

import pytest
from django.urls import reverse

from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


def titles(response):
    return [movie.title for movie in response.context["movies"]]


def test_the_best_rated_come_first(client):
    MovieFactory(title="Good", rating_count=100, rating_sum=900)
    MovieFactory(title="Bad", rating_count=100, rating_sum=300)
    assert titles(client.get(reverse("movies:browse"))) == ["Good", "Bad"]


def test_an_empty_catalogue_says_what_to_do(client):
    assert "Nothing on this bill" in client.get(reverse("movies:browse")).content.decode()
