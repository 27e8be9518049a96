"""Browsing: filters, order, pages."""

import pytest

from movies.models import Genre, Movie
from tests.factories import MovieFactory, RatingFactory, UserFactory

pytestmark = pytest.mark.django_db

FILMS = "/films/"


def titles(response):
    return [movie.title for movie in response.context["movies"]]


@pytest.fixture
def films():
    MovieFactory(title="Good Old", year=1955, genres=["Drama"], rating_count=100, rating_sum=900)
    MovieFactory(
        title="Bad Known", year=1995, genres=["Drama", "War"], rating_count=300, rating_sum=900
    )
    MovieFactory(title="An Unknown", year=2001, genres=["War"])
    MovieFactory(title="The Undated", year=None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Good Old", "An Unknown", "The Undated", "Bad Known"]),
        ("sort=most_rated", ["Bad Known", "Good Old", "An Unknown", "The Undated"]),
        ("sort=newest", ["An Unknown", "Bad Known", "Good Old", "The Undated"]),
        ("sort=title", ["An Unknown", "Bad Known", "Good Old", "The Undated"]),
        ("genre=drama", ["Good Old", "Bad Known"]),
        ("genre=war&decade=1990", ["Bad Known"]),
        ("genre=war&genre=drama", ["Bad Known"]),
        ("sort=oldest", ["Good Old", "Bad Known", "An Unknown", "The Undated"]),
        ("unrated=on&sort=title", ["An Unknown", "Bad Known", "Good Old", "The Undated"]),
        ("decade=1950", ["Good Old"]),
        ("first_year=1995", ["An Unknown", "Bad Known"]),
        ("first_year=1950&last_year=1999&sort=newest", ["Bad Known", "Good Old"]),
        ("min_ratings=100&sort=newest", ["Bad Known", "Good Old"]),
    ],
)
def test_filters_and_orders(client, films, query, found):
    assert titles(client.get(f"{FILMS}?{query}")) == found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("genre=nonsense", "Select a valid choice"),
        ("decade=12x", "Select a valid choice"),
        ("first_year=soon", "Enter a whole number"),
        ("first_year=1", "greater than or equal to 1870"),
        ("first_year=2000&last_year=1990", "must not come before"),
        ("min_ratings=-5", "Select a valid choice"),
        ("sort=colour", "Select a valid choice"),
    ],
)
def test_what_cannot_be_read_is_said_and_the_page_still_comes(client, films, query, words):
    answer = client.get(f"{FILMS}?{query}")
    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_films_are_chosen_by_length_where_any_is_known(client, films):
    assert "max_minutes" not in client.get(FILMS).context["form"].fields
    Movie.objects.filter(title="Good Old").update(minutes=90)
    Movie.objects.filter(title="Bad Known").update(minutes=121)
    answer = client.get(f"{FILMS}?max_minutes=90")
    assert titles(answer) == ["Good Old"]
    assert [chip["text"] for chip in answer.context["chips"]] == ["up to 90 minutes"]
    assert len(titles(client.get(FILMS))) == 4


def test_every_filter_can_be_taken_off(client, films):
    address = f"{FILMS}?genre=drama&genre=war&decade=1990&sort=title&page=1&through=2"
    assert client.get(address).context["chips"] == [
        {"text": "Drama", "url": "/films/?genre=war&decade=1990&sort=title"},
        {"text": "War", "url": "/films/?genre=drama&decade=1990&sort=title"},
        {"text": "1990s", "url": "/films/?genre=drama&genre=war&sort=title"},
    ]


def test_what_one_has_rated_can_be_left_out_and_nobody_elses_counts(client, films):
    person = UserFactory()
    client.force_login(person)
    RatingFactory(user=person, movie=Movie.objects.get(title="Good Old"))
    RatingFactory(movie=Movie.objects.get(title="Bad Known"))
    page = client.get(f"{FILMS}?unrated=on&sort=title")
    assert titles(page) == ["An Unknown", "Bad Known", "The Undated"]
    assert page.context["chips"] == [
        {"text": "not yet rated by you", "url": "/films/?sort=title"},
    ]


def test_pages_follow_each_other_without_gaps_or_repeats(client):
    for number in range(50):
        MovieFactory(title=f"Film {number:02}")
    first = client.get(f"{FILMS}?sort=title")
    assert first.context["next_url"] == "/films/?sort=title&page=2"
    assert f'href="{first.context["next_url"].replace("&", "&amp;")}"' in first.content.decode()
    second = client.get(first.context["next_url"])
    assert titles(first) + titles(second) == [f"Film {number:02}" for number in range(50)]
    assert not second.context["next_url"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
def test_a_page_that_is_not_there_is_the_nearest_one(client, films, page):
    assert client.get(f"{FILMS}?page={page}").status_code == 200


def test_scrolling_on_fetches_films_alone_and_the_address_keeps_the_place(client):
    for number in range(100):
        MovieFactory(title=f"Film {number:02}")
    first = client.get(f"{FILMS}?sort=title")
    more = first.context["more_url"]
    assert more == "/films/?sort=title&through=2"
    headers = {"HX-Request": "true", "HX-Target": "more"}
    scrolled = client.get(more, headers=headers)
    page = scrolled.content.decode()
    assert titles(scrolled) == [f"Film {number:02}" for number in range(48, 96)]
    assert "<form" not in page
    assert scrolled["HX-Replace-Url"] == more
    assert scrolled.context["more_url"] == "/films/?sort=title&through=3"
    assert scrolled.context["next_url"] == "/films/?sort=title&page=3"
    back = client.get(scrolled["HX-Replace-Url"])
    assert titles(back) == titles(first) + titles(scrolled)
    assert back.context["more_url"] == "/films/?sort=title&through=3"


def test_one_who_comes_back_from_afar_gets_the_last_pages(client, monkeypatch):
    monkeypatch.setattr("movies.views.MOST_PAGES", 2)
    for number in range(120):
        MovieFactory(title=f"Film {number:03}")
    page = client.get(f"{FILMS}?sort=title&through=3")
    assert titles(page) == [f"Film {number:03}" for number in range(48, 120)]
    for through in ("0", "-1", "x", "²", "9" * 30):
        assert client.get(f"{FILMS}?page=2&through={through}").status_code == 200


def test_filtering_in_place_puts_a_clean_address_in_the_bar(client, films):
    headers = {"HX-Request": "true", "HX-Target": "results"}
    answer = client.get(f"{FILMS}?genre=war&decade=&first_year=&sort=title", headers=headers)
    assert answer["HX-Push-Url"] == "/films/?genre=war&sort=title"
    assert "<html" not in answer.content.decode()


def test_nothing_found_says_what_to_do(client):
    Genre.objects.create(name="War", slug="war")
    assert "See all films" in client.get(f"{FILMS}?genre=war").content.decode()


def test_nothing_found_says_what_to_loosen(client, films):
    page = client.get(f"{FILMS}?genre=war&decade=1950&min_ratings=100&sort=title")
    assert page.context["looser"] == [
        {"text": "War", "url": "/films/?decade=1950&min_ratings=100&sort=title", "count": 1},
        {"text": "1950s", "url": "/films/?genre=war&min_ratings=100&sort=title", "count": 1},
    ]
    page = client.get(f"{FILMS}?genre=war&decade=1950")
    assert [(each["text"], each["count"]) for each in page.context["looser"]] == [
        ("1950s", 2),
        ("War", 1),
    ]
    assert "without “War”: 1 film<" in page.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_films(client, django_assert_num_queries):
    for _ in range(20):
        MovieFactory(genres=["Drama", "War"])
    # Count, films, the genres to choose from, and whether any length is known.
    with django_assert_num_queries(4):
        client.get(FILMS)
