import pytest
from django.contrib.auth.models import AnonymousUser

from recommender.models import ModelVersion
from recommender.serving.recommend import recommend
from recommender.serving.shelves import home_shelves
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_shelves_say_why_and_never_repeat_a_film(trained, camps):
    for person in (camps[0][0], AnonymousUser(), UserFactory()):
        shelves = home_shelves(person)
        shown = [movie.pk for shelf in shelves for movie in shelf.movies]
        assert len(shown) == len(set(shown)) > 0
        assert all(shelf.title and shelf.why for shelf in shelves)


def test_an_empty_catalogue_has_no_shelves(db):
    assert home_shelves(AnonymousUser()) == []
    assert recommend(None) == []
    assert ModelVersion.objects.live() is None
