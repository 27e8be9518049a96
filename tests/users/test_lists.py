import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import MovieFactory, RatingFactory, UserFactory
from users import ratings
from users.models import Dismissal, User, WatchlistEntry
from users.views import PAGE_SIZE

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/"}


@pytest.fixture
def person(client):
    person = UserFactory()
    client.force_login(person)
    return person


def page(client, name, **query):
    response = client.get(reverse(f"users:{name}"), query)
    assert response.status_code == 200
    return response.content.decode()


def titles(html):
    return re.findall(r'film-row__title"><a [^>]*>([^<]*)</a>', html)


def post(client, act, movie, headers=None, **form):
    return client.post(reverse(f"users:{act}", args=[movie.pk]), form, headers=headers)


def fresh(person):
    return User.objects.get(pk=person.pk)


def rate_three(person):
    now = timezone.now()
    for title, value, days_ago in (("Zodiac", 10, 2), ("Alien", 6, 1), ("the Matrix", 8, 3)):
        rated_at = now - timedelta(days=days_ago)
        RatingFactory(user=person, movie__title=title, value=value, rated_at=rated_at)


# Your ratings


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", ["Alien", "Zodiac", "the Matrix"]),
        ("highest", ["Zodiac", "the Matrix", "Alien"]),
        ("lowest", ["Alien", "the Matrix", "Zodiac"]),
        ("title", ["Alien", "the Matrix", "Zodiac"]),
        ("", ["Alien", "Zodiac", "the Matrix"]),
        ("password", ["Alien", "Zodiac", "the Matrix"]),
    ],
)
def test_ratings_are_sorted(client, person, sort, expected):
    rate_three(person)
    assert titles(page(client, "ratings", sort=sort)) == expected


def test_ratings_are_paged_and_keep_their_order(client, person):
    for n in range(PAGE_SIZE + 1):
        RatingFactory(user=person, movie__title=f"Film {n:03}")
    first, second = (page(client, "ratings", sort="title", page=n) for n in (1, 2))
    assert len(titles(first)) == PAGE_SIZE
    assert titles(second) == [f"Film {PAGE_SIZE:03}"]
    assert "sort=title&amp;page=2" in first
    assert titles(page(client, "ratings", sort="title", page="ten")) == titles(first)
    assert titles(page(client, "ratings", sort="title", page=99)) == titles(second)


def test_ratings_are_changed_in_place(client, person):
    RatingFactory(user=person, value=7)
    html = page(client, "ratings", sort="title")
    assert 'value="3.5" required checked' in html
    assert 'name="next" value="/ratings/?sort=title"' in html
    assert "Withdraw" in html


@pytest.mark.parametrize(
    ("name", "said", "link"),
    [
        ("ratings", "No stars yet", "recommender:welcome"),
        ("watchlist", "Nothing to watch yet", "movies:browse"),
        ("dismissed", "You have turned nothing down", "home"),
    ],
)
def test_an_empty_list_says_what_to_do_next(client, person, name, said, link):
    html = page(client, name)
    assert said in html
    assert f'class="button" href="{reverse(link)}"' in html


@pytest.mark.parametrize("name", ["ratings", "watchlist", "dismissed"])
def test_nobody_sees_what_another_person_has(client, person, name):
    other = UserFactory()
    for title, act in (
        ("Alien", lambda movie: ratings.rate(other, movie, 4)),
        ("Heat", lambda movie: ratings.add_to_watchlist(other, movie)),
        ("Zodiac", lambda movie: ratings.dismiss(other, movie)),
    ):
        act(MovieFactory(title=title))
    assert titles(page(client, name, user=other.pk)) == []


@pytest.mark.parametrize("name", ["ratings", "watchlist", "dismissed"])
def test_a_full_page_costs_as_many_queries_as_a_short_one(
    client, person, name, django_assert_max_num_queries
):
    for movie in MovieFactory.create_batch(PAGE_SIZE + 2, genres=["Crime", "Drama"]):
        if name == "ratings":
            ratings.rate(person, movie, 4)
        elif name == "watchlist":
            ratings.add_to_watchlist(person, movie)
        else:
            ratings.dismiss(person, movie)
    with django_assert_max_num_queries(10):
        assert len(titles(page(client, name))) == PAGE_SIZE


# Watchlist


def test_a_film_goes_on_the_watchlist_and_off_again(client, person):
    movie = MovieFactory(title="Heat")
    assert post(client, "watch", movie, next="/watchlist/").url == "/watchlist/"
    assert titles(page(client, "watchlist")) == ["Heat"]
    post(client, "watch", movie)
    assert WatchlistEntry.objects.count() == 1
    post(client, "watch", movie, unlist="1")
    assert titles(page(client, "watchlist")) == []


def test_the_latest_comes_first(client, person):
    now = timezone.now()
    for days_ago, title in enumerate(["Heat", "Alien"]):
        WatchlistEntry.objects.create(
            user=person, movie=MovieFactory(title=title), added_at=now - timedelta(days=days_ago)
        )
    assert titles(page(client, "watchlist")) == ["Heat", "Alien"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["Heat", "Alien", "Zodiac"]),
        ("newest", ["Heat", "Alien", "Zodiac"]),
        ("oldest", ["Zodiac", "Alien", "Heat"]),
        ("liked", ["Alien", "Zodiac", "Heat"]),
        ("released", ["Zodiac", "Heat", "Alien"]),
        ("title", ["Alien", "Heat", "Zodiac"]),
        ("password", ["Heat", "Alien", "Zodiac"]),
    ],
)
def test_the_watchlist_is_sorted(client, person, sort, expected):
    films = [("Zodiac", 2007, 7), ("Alien", 1979, 10), ("Heat", 1995, 1)]
    for title, year, value in films:
        movie = MovieFactory(title=title, year=year)
        RatingFactory(movie=movie, value=value)
        ratings.add_to_watchlist(person, movie)
    assert titles(page(client, "watchlist", sort=sort)) == expected


def test_a_rated_film_leaves_the_watchlist(client, person):
    movie = MovieFactory()
    post(client, "watch", movie)
    post(client, "rate", movie, stars="4.0")
    assert fresh(person).watchlist_ids == set()


def test_htmx_gets_the_refreshed_controls_and_an_event(client, person):
    movie = MovieFactory(title="Heat")
    response = post(client, "watch", movie, HTMX)
    html = response.content.decode()
    assert html.count('aria-pressed="true"') == 1
    assert "<html" not in html
    triggered = json.loads(response["HX-Trigger"])
    assert triggered["listed"] == {"movie": movie.pk}
    assert triggered["toast"]["text"] == "Heat is on your watchlist."


# Not interested


def test_a_film_is_dismissed_and_restored(client, person):
    movie = MovieFactory(title="Heat")
    post(client, "watch", movie)
    post(client, "dismiss", movie)
    assert titles(page(client, "dismissed")) == ["Heat"]
    assert fresh(person).watchlist_ids == set()
    post(client, "dismiss", movie, restore="1")
    assert not Dismissal.objects.exists()


def test_htmx_learns_that_a_film_was_dismissed(client, person):
    movie = MovieFactory()
    triggered = json.loads(post(client, "dismiss", movie, HTMX)["HX-Trigger"])
    assert triggered["dismissed"] == {"movie": movie.pk}


def test_acts_can_be_repeated(client, person):
    movie = MovieFactory()
    for act, undo in (("watch", "unlist"), ("dismiss", "restore"), ("rate", "withdraw")):
        for form in ({"stars": "4.0"}, {"stars": "4.0"}, {undo: "1"}, {undo: "1"}):
            assert post(client, act, movie, **form).status_code == 302
    assert (fresh(person).stars, fresh(person).watchlist_ids) == ({}, set())
    assert fresh(person).dismissed_ids == set()
