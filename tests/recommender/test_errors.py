import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from recommender import errors

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visitor() -> Client:
    """Gets the answers that people get, with the cookie of a session long gone."""
    visitor = Client(raise_request_exception=False)
    visitor.cookies["sessionid"] = "x" * 32
    return visitor


def test_a_page_says_that_the_database_is_away_and_when_to_come_back(visitor, database_away):
    with database_away():
        response = visitor.get(reverse("users:login"))
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    page = response.content.decode()
    assert "cannot reach its database" in page
    assert "unsafe" not in response["Content-Security-Policy"]


def test_a_program_is_told_in_json(visitor, database_away):
    with database_away():
        response = visitor.get("/api/v1/movies/")
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert response.json() == {
        "type": "server_error",
        "errors": [
            {"code": "unavailable", "detail": "The database is away. Try again.", "attr": None}
        ],
    }


def test_the_site_is_back_as_soon_as_the_database_is(visitor, database_away):
    with database_away():
        assert visitor.get("/api/v1/movies/").status_code == 503
    assert visitor.get("/api/v1/movies/").status_code == 200


def test_a_mistake_of_ours_is_no_503():
    factory = RequestFactory()
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        program, person = (errors.server_error(factory.get(path)) for path in ("/api/v1/", "/"))
    assert program.status_code == person.status_code == 500
    assert b'"code": "error"' in program.content
    assert b"<" in person.content


def test_an_address_that_is_not_there_is_a_page_for_people_and_json_for_programs(visitor):
    assert visitor.get("/api/v1/nothing/").json()["errors"][0]["code"] == "not_found"
    response = visitor.get("/no/such/page/")
    assert response.status_code == 404
    assert "html" in response["Content-Type"]
