import pytest

from tests.factories import CreditFactory, MovieFactory
from tests.recommender.api.conftest import problem

SEARCH = "/api/v1/search/"


@pytest.fixture(autouse=True)
def films(db):
    heat = MovieFactory(title="Heat", year=1995, genres=["Crime"], overview="Thieves rob a bank.")
    MovieFactory(
        title="Quick Change", year=1990, genres=["Comedy"], overview="A clown robs a bank."
    )
    CreditFactory(movie=heat, person__name="Al Pacino")


def answer(client, **parameters):
    response = client.get(SEARCH, parameters)
    assert response.status_code == 200, response.content
    return response.json()


def test_films_are_found_by_title_and_by_what_they_are_about(anonymous):
    assert answer(anonymous, q="heat")["results"][0]["title"] == "Heat"
    found = answer(anonymous, q="the clown and the bank", k=1)
    assert [film["title"] for film in found["results"]] == ["Quick Change"]
    assert found["results"][0]["genres"] == [{"slug": "comedy", "name": "Comedy"}]


def test_conditions_are_told_and_can_be_taken_off(anonymous):
    found = answer(anonymous, q="bank comedies")
    assert found["conditions"] == [{"key": "genre:comedy", "label": "Comedy"}]
    assert [film["title"] for film in found["results"]] == ["Quick Change"]
    found = answer(anonymous, q="bank comedies", plain="genre:comedy")
    assert found["conditions"] == []
    assert {film["title"] for film in found["results"]} == {"Quick Change", "Heat"}


def test_people_are_found_by_name(anonymous):
    assert [person["name"] for person in answer(anonymous, q="al pacno")["people"]] == ["Al Pacino"]


def test_the_answer_is_the_pages(anonymous):
    query = "somebody robs a bank"
    titles = [film["title"] for film in answer(anonymous, q=query)["results"]]
    page = anonymous.get("/search/", {"q": query}).content.decode()
    places = [page.index(f">{title}<") for title in titles]
    assert len(titles) == 2 and places == sorted(places)


@pytest.mark.parametrize("parameters", [{}, {"q": ""}, {"q": "x" * 201}, {"q": "heat", "k": 0}])
def test_a_bad_request_is_told(anonymous, parameters):
    response = anonymous.get(SEARCH, parameters)
    assert response.status_code == 400
    assert problem(response)
