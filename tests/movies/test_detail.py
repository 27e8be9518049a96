"""A film's page and a person's."""

import json
import re
import struct

import pytest
from django.urls import reverse

from movies.models import Credit, MovieTag, Tag
from tests.factories import CreditFactory, MovieFactory, PersonFactory, RatingFactory

pytestmark = pytest.mark.django_db


def page_of(client, movie):
    return client.get(movie.get_absolute_url()).content.decode()


@pytest.mark.parametrize("slug", ["", "another-title/"])
def test_a_film_has_one_address(client, slug):
    movie = MovieFactory(title="The Matrix")
    answer = client.get(f"/films/{movie.pk}/{slug}")
    assert answer.status_code == 301
    assert answer["Location"] == f"/films/{movie.pk}/the-matrix/"
    answer = client.get(f"/films/{movie.pk}/{slug}?space=story")
    assert answer["Location"] == f"/films/{movie.pk}/the-matrix/?space=story"


def test_a_title_without_letters_has_an_address_too(client):
    assert client.get(MovieFactory(title="七人の侍").get_absolute_url()).status_code == 200


def test_no_such_film(client):
    assert client.get("/films/404/").status_code == 404


def test_facts_are_shown(client):
    movie = MovieFactory(
        title="Alien",
        year=1979,
        minutes=117,
        genres=["Horror", "Sci-Fi"],
        overview="In space.",
        imdb_id=78748,
        tmdb_id=348,
        alternative_titles=["Alien, el octavo pasajero"],
    )
    CreditFactory(movie=movie, person__name="Sigourney Weaver")
    CreditFactory(movie=movie, person__name="Ridley Scott", role=Credit.Role.DIRECTOR)
    page = page_of(client, movie)
    for shown in (
        "In space.",
        "1 h 57 min",
        "Sigourney Weaver",
        "Ridley Scott",
        "Directed by",
        "https://www.imdb.com/title/tt0078748/",
        "https://www.themoviedb.org/movie/348",
        "Alien, el octavo pasajero",
        "/films/?genre=sci-fi",
    ):
        assert shown in page


def test_a_film_of_which_nothing_is_known_has_a_page(client):
    page = page_of(client, MovieFactory(year=None))
    assert "Nobody has rated it yet" in page
    assert "Nothing is told of it yet" in page and "Length" not in page


@pytest.mark.parametrize(
    ("minutes", "said"), [(None, ""), (7, "7 min"), (60, "1 h"), (125, "2 h 5 min")]
)
def test_how_long_a_film_is(minutes, said):
    assert MovieFactory(minutes=minutes).length == said


def test_the_distribution_is_there_in_numbers(client):
    movie = MovieFactory()
    for value in (10, 10, 7):
        RatingFactory(movie=movie, value=value)
    movie.refresh_from_db()
    page = page_of(client, movie)
    assert "5 stars: 2." in page
    assert "3½ stars: 1." in page
    assert "½ star: 0." in page
    assert "<strong>4.5</strong>" in page


def test_what_several_people_call_films_is_said_the_most_frequent_first(client):
    movie = MovieFactory(genres=["Sci-Fi"])
    told = (("quirky", 3, 1), ("heist", 9, 2), ("seen 2006", 2, 2), ("sci-fi", 9, 9))
    for name, everywhere, here in told:
        MovieTag.objects.create(
            movie=movie, tag=Tag.objects.create(name=name, people=everywhere), people=here
        )
    page = page_of(client, movie)
    assert "<dd>heist, quirky</dd>" in page
    assert "seen 2006" not in page and "sci-fi," not in page


def test_what_floors_above_know_is_asked_for_by_address(client):
    movie = MovieFactory()
    page = page_of(client, movie)
    for name in ("recommender:similar", "recommender:why"):
        address = reverse(name, args=[movie.pk])
        assert f'hx-get="{address}"' in page
        assert f'href="{address}"' in page


def test_text_of_the_catalogue_is_no_markup(client):
    page = page_of(client, MovieFactory(title="<b>Bold</b>", overview="<script>alert(1)</script>"))
    assert "<b>Bold" not in page
    assert "<script>alert" not in page


def test_the_number_of_queries_does_not_grow_with_the_cast(client, django_assert_max_num_queries):
    movie = MovieFactory(genres=["Drama", "War"])
    for _ in range(20):
        CreditFactory(movie=movie)
    with django_assert_max_num_queries(5):
        page_of(client, movie)


def test_a_photograph_lies_over_the_drawn_poster_where_the_admin_lets_it(client, settings):
    address = "https://upload.wikimedia.org/poster.jpg"
    movie = MovieFactory(poster_url=address)
    settings.REMOTE_POSTERS = True
    page = page_of(client, movie)
    assert "poster.svg" in page
    assert f'class="poster__photo" src="{address}"' in page
    settings.REMOTE_POSTERS = False
    page = page_of(client, movie)
    assert "poster.svg" in page and address not in page


def test_another_site_is_told_of_the_film_by_a_picture_and_by_data(client):
    movie = MovieFactory(
        title="</script> & Co", year=1972, minutes=175, genres=["Crime"], overview="A story."
    )
    CreditFactory(movie=movie, person__name="Al Pacino")
    page = page_of(client, movie)
    address = re.search(r'property="og:image" content="http://testserver(.+?)"', page)[1]
    card = client.get(address)
    assert card["Content-Type"] == "image/png"
    assert card.content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", card.content[16:24])
    assert (width, height) == (1200, 630)
    assert client.get("/films/404/card.png").status_code == 404
    told = json.loads(re.search(r"ld\+json\">(.+?)</script>", page)[1])
    assert told["name"] == movie.title and told["actor"][0]["name"] == "Al Pacino"
    assert told["duration"] == "PT175M"
    assert told["image"].endswith(address) and "aggregateRating" not in told


def test_a_person_has_the_films_they_made_and_played_in(client):
    person = PersonFactory(name="Orson Welles")
    kane = MovieFactory(title="Citizen Kane", year=1941)
    CreditFactory(movie=kane, person=person)
    CreditFactory(movie=kane, person=person, role=Credit.Role.DIRECTOR)
    CreditFactory(movie=MovieFactory(title="The Third Man", year=1949), person=person)
    answer = client.get(person.get_absolute_url())
    films = {title: [str(film) for film in films] for title, films in answer.context["filmography"]}
    assert films == {
        "Directed": ["Citizen Kane (1941)"],
        "Played in": ["The Third Man (1949)", "Citizen Kane (1941)"],
    }


def test_no_such_person(client):
    assert client.get("/people/404/").status_code == 404
