import json

import pytest
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

from movies.models import Movie
from recommender.api.catalogue import MovieSerializer
from tests.factories import CreditFactory, MovieFactory, RatingFactory
from tests.recommender.api.conftest import problem

MOVIES = "/api/v1/movies/"


@pytest.fixture
def films(db):
    return [
        MovieFactory(title="Amélie", year=2001, minutes=122, genres=["Comedy", "Romance"]),
        MovieFactory(title="Alien", year=1979, genres=["Horror"]),
        MovieFactory(title="Heat", year=1995, genres=["Crime"]),
    ]


def titles(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [movie["title"] for movie in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Amélie", "Alien", "Heat"}),
        ("genre=horror", {"Alien"}),
        ("first_year=1995", {"Amélie", "Heat"}),
        ("last_year=1995", {"Alien", "Heat"}),
        ("first_year=1980&last_year=1999&genre=crime", {"Heat"}),
        ("q=amelie", {"Amélie"}),
        ("q=amlie", {"Amélie"}),
        ("q=amelie&genre=horror", set()),
        ("q=amelie&sort=title", {"Amélie"}),
        ("q=%3F", set()),
        ("q=zzzzzzzz", set()),
        ("min_ratings=1", {"Heat"}),
        ("max_minutes=122", {"Amélie"}),
        ("max_minutes=121", set()),
        ("genre=&q=", {"Amélie", "Alien", "Heat"}),
    ],
)
def test_filters_and_search_choose_the_films(anonymous, films, query, expected):
    RatingFactory(movie=films[2])
    assert set(titles(anonymous.get(f"{MOVIES}?{query}"))) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("best", ["Heat", "Alien", "Amélie"]),
        ("most_rated", ["Alien", "Heat", "Amélie"]),
        ("newest", ["Amélie", "Heat", "Alien"]),
        ("title", ["Alien", "Amélie", "Heat"]),
    ],
)
def test_films_come_in_the_order_asked_for(anonymous, films, sort, expected):
    _, alien, heat = films
    RatingFactory(movie=heat, value=10)
    RatingFactory.create_batch(2, movie=alien, value=8)
    assert titles(anonymous.get(f"{MOVIES}?sort={sort}")) == expected


def test_pages_hold_what_was_asked_and_lead_on(anonymous, films):
    first = anonymous.get(f"{MOVIES}?page_size=2")
    body = first.json()
    assert body["count"] == 3 and len(body["results"]) == 2
    assert body["previous"] is None
    second = anonymous.get(body["next"])
    assert second.json()["next"] is None
    assert set(titles(first)) | set(titles(second)) == {"Amélie", "Alien", "Heat"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("genre=unheard-of", "genre"),
        ("genre=%00", "genre"),
        ("first_year=soon", "first_year"),
        ("first_year=99999999999999999999", "first_year"),
        ("first_year=2000&last_year=1990", "last_year"),
        ("min_ratings=-1", "min_ratings"),
        ("page=0", "page"),
        ("page=99999999999999999999", "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("q=%00", "q"),
        ("q=" + "x" * 201, "q"),
        ("sort=sideways", "sort"),
        ("yeer=1999", "yeer"),
        ("format=xml", "format"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(anonymous, films, query, field):
    response = anonymous.get(f"{MOVIES}?{query}")
    assert response.status_code == 400
    assert set(problem(response)) == {field}


def test_a_page_beyond_the_last_is_not_there(anonymous, films):
    response = anonymous.get(f"{MOVIES}?page=2")
    assert response.status_code == 404
    assert problem(response) == {None: "not_found"}


def test_one_film_has_its_facts_people_and_the_distribution_of_its_ratings(anonymous, films):
    film = films[0]
    film.overview, film.movielens_id, film.imdb_id = "A waitress in Paris.", 4973, 211915
    film.save()
    CreditFactory(movie=film, person__name="Audrey Tautou")
    for value in (9, 9, 3):
        RatingFactory(movie=film, value=value)
    body = anonymous.get(f"{MOVIES}{film.pk}/").json()
    assert body["title"] == "Amélie" and body["year"] == 2001
    assert {genre["slug"] for genre in body["genres"]} == {"comedy", "romance"}
    assert body["people"] == [{"name": "Audrey Tautou", "role": "cast"}]
    assert (body["movielens_id"], body["imdb_id"], body["tmdb_id"]) == (4973, 211915, None)
    assert (body["rating_count"], body["mean_stars"], body["is_new"]) == (3, 3.5, False)
    assert len(body["distribution"]) == 10
    assert {row["stars"]: row["count"] for row in body["distribution"] if row["count"]} == {
        1.5: 1,
        4.5: 2,
    }


@pytest.mark.parametrize("address", ["0/", "99999999999999999999999/", "1/similar/"])
def test_a_film_that_is_not_there_is_a_problem_answer(anonymous, address):
    response = anonymous.get(MOVIES + address)
    assert response.status_code == 404
    assert problem(response) == {None: "not_found"}


@pytest.mark.parametrize("k", ["0", "-1", "100000", "many", "1.5"])
def test_a_wrong_k_is_named(anonymous, films, k):
    response = anonymous.get(f"{MOVIES}{films[0].pk}/similar/?k={k}")
    assert response.status_code == 400
    assert set(problem(response)) == {"k"}


def test_similar_films_are_of_the_same_camp(anonymous, trained, camps):
    _, films = camps
    response = anonymous.get(f"{MOVIES}{films[4].pk}/similar/?k=10")
    assert len(titles(response)) == 10
    camp = {film.title for film in films[::2]}
    assert len(camp.intersection(titles(response))) >= 9


def test_films_of_a_list_are_told_as_their_fields_are_declared(anonymous, films):
    RatingFactory(movie=films[0], value=7)
    (told,) = anonymous.get(f"{MOVIES}?q=amelie").json()["results"]
    declared = ModelSerializer.to_representation(
        MovieSerializer(), Movie.objects.get(pk=films[0].pk)
    )
    assert json.loads(JSONRenderer().render(declared)) == told
    assert list(told) == list(declared)


def test_the_number_of_queries_does_not_grow_with_the_page(
    anonymous, django_assert_max_num_queries
):
    for _ in range(30):
        MovieFactory(genres=["Drama", "Comedy"])
    with django_assert_max_num_queries(4):
        titles(anonymous.get(f"{MOVIES}?page_size=30"))
