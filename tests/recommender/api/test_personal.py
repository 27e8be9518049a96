import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommender.api.catalogue import MovieSerializer
from recommender.api.personal import (
    PlacingSerializer,
    PullSerializer,
    ReasonSerializer,
    RecommendationSerializer,
)
from tests.factories import MovieFactory, RatingFactory, UserFactory
from tests.recommender.api.conftest import client_of, problem
from users import ratings
from users.models import Rating

pytestmark = pytest.mark.django_db

RATINGS = "/api/v1/ratings/"
MARKS = [
    "/api/v1/watchlist/",
    "/api/v1/dismissals/",
    "/api/v1/less-like/",
    "/api/v1/not-seen/",
    "/api/v1/seen/",
]


def test_a_rating_is_given_changed_read_and_withdrawn(client, user):
    movie = MovieFactory()
    address = f"{RATINGS}{movie.pk}/"
    assert client.get(address).status_code == 404
    given = client.put(address, {"stars": 4.5}, format="json")
    assert given.status_code == 201
    assert given.json()["stars"] == 4.5 and given.json()["movie"]["rating_count"] == 1
    changed = client.put(address, {"stars": 2}, format="json")
    assert changed.status_code == 200
    assert client.get(address).json()["stars"] == 2.0
    assert Rating.objects.get().user == user
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
    assert not Rating.objects.exists()


@pytest.mark.parametrize(
    "stars", [0, 0.25, 5.5, -1, 1e308, 10**400, True, None, "4", "nan", [4], {"stars": 4}]
)
def test_stars_outside_the_scale_are_refused_by_name(client, stars):
    address = f"{RATINGS}{MovieFactory().pk}/"
    response = client.put(address, {"stars": stars}, format="json")
    assert response.status_code == 400
    assert set(problem(response)) == {"stars"}
    assert not Rating.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"), [("{}", "stars"), ("[]", None), ("4", None), ("{", None), ("NaN", None)]
)
def test_a_body_that_is_wrong_is_a_problem_answer(client, body, field):
    address = f"{RATINGS}{MovieFactory().pk}/"
    response = client.generic("PUT", address, body, content_type="application/json")
    assert response.status_code == 400
    assert set(problem(response)) <= {field, "non_field_errors"}


def test_another_kind_of_body_is_refused(client):
    address = f"{RATINGS}{MovieFactory().pk}/"
    response = client.generic("PUT", address, "stars=4", content_type="text/plain")
    assert response.status_code == 415
    problem(response)


def test_nobody_sees_or_changes_anothers_ratings(client, user):
    theirs = RatingFactory(value=10)
    assert client.get(RATINGS).json()["results"] == []
    assert client.get(f"{RATINGS}{theirs.movie_id}/").status_code == 404
    assert client.delete(f"{RATINGS}{theirs.movie_id}/").status_code == 404
    client.put(f"{RATINGS}{theirs.movie_id}/", {"stars": 1, "user": theirs.user_id}, format="json")
    assert Rating.objects.get(user=theirs.user).value == 10
    assert Rating.objects.get(user=user).value == 2


def test_ratings_come_latest_first_with_their_films(client, user):
    movies = MovieFactory.create_batch(3)
    for movie in movies:
        ratings.rate(user, movie, 3)
    results = client.get(RATINGS).json()["results"]
    assert [row["movie"]["id"] for row in results] == [movie.pk for movie in reversed(movies)]


@pytest.mark.parametrize("address", MARKS)
def test_a_film_is_listed_once_and_taken_off(client, address):
    movie = MovieFactory()
    assert client.put(f"{address}{movie.pk}/").status_code == 201
    assert client.put(f"{address}{movie.pk}/").status_code == 200
    assert [row["movie"]["id"] for row in client.get(address).json()["results"]] == [movie.pk]
    assert client.delete(f"{address}{movie.pk}/").status_code == 204
    assert client.delete(f"{address}{movie.pk}/").status_code == 404
    assert client.get(address).json()["count"] == 0


@pytest.mark.parametrize("address", MARKS)
def test_nobody_sees_or_changes_anothers_list(client, address):
    movie, other = MovieFactory(), client_of(UserFactory())
    other.put(f"{address}{movie.pk}/")
    assert client.get(address).json()["count"] == 0
    assert client.delete(f"{address}{movie.pk}/").status_code == 404
    assert other.get(address).json()["count"] == 1


def test_a_film_is_seen_or_not_and_a_rated_one_is_seen(client, user):
    film = MovieFactory()
    client.put(f"/api/v1/not-seen/{film.pk}/")
    client.put(f"/api/v1/seen/{film.pk}/")
    assert client.get("/api/v1/not-seen/").json()["count"] == 0
    client.put(f"/api/v1/not-seen/{film.pk}/")
    assert client.get("/api/v1/seen/").json()["count"] == 0
    client.put(f"/api/v1/seen/{film.pk}/")
    ratings.rate(user, film, 4)
    assert client.get("/api/v1/seen/").json()["count"] == 0
    refused = client.put(f"/api/v1/seen/{film.pk}/")
    assert refused.status_code == 409 and problem(refused) == {None: "rated"}


@pytest.mark.parametrize("address", [RATINGS, *MARKS])
def test_a_film_that_is_not_there_cannot_be_rated_or_listed(client, address):
    assert client.put(f"{address}987654321/", {"stars": 3}, format="json").status_code == 404
    assert client.delete(f"{address}987654321/").status_code == 404


RECOMMENDATIONS = "/api/v1/recommendations/"


def test_a_visitor_gets_well_liked_films_without_reasons(anonymous, camps):
    results = anonymous.get(f"{RECOMMENDATIONS}?k=12").json()["results"]
    assert len(results) == 12
    assert not any(found["is_personal"] or found["reasons"] for found in results)


def test_recommendations_are_of_the_persons_camp_and_say_why(trained, camps):
    people, films = camps
    person = people[0]
    liked = {film.pk: 4.5 for film in films[::2]}
    results = client_of(person).get(f"{RECOMMENDATIONS}?k=10").json()["results"]
    assert len(results) == 10
    assert all(found["is_personal"] for found in results)
    assert [found["score"] for found in results] == sorted(
        (found["score"] for found in results), reverse=True
    )
    assert not {found["movie"]["id"] for found in results} & person.stars.keys()
    for reason in results[0]["reasons"]:
        assert liked[reason["movie"]["id"]] == reason["stars"]
        assert reason["movie"]["id"] in person.stars
        assert 0 < reason["share"] <= 1
    assert 1 <= len(results[0]["reasons"]) <= 3


def test_recommendations_are_told_as_their_fields_are_declared(trained, camps):
    (told,) = client_of(camps[0][0]).get(f"{RECOMMENDATIONS}?k=1&newness=2").json()["results"]
    assert told["reasons"] and told["placing"]["pulls"]
    pairs = [
        (RecommendationSerializer, told),
        (PlacingSerializer, told["placing"]),
        (PullSerializer, told["placing"]["pulls"][0]),
        (ReasonSerializer, told["reasons"][0]),
        (MovieSerializer, told["reasons"][0]["movie"]),
    ]
    for serializer, fields in pairs:
        assert list(fields) == list(serializer().fields)


def test_only_the_fields_that_are_asked_for_are_told_and_worked_out(
    trained, camps, django_assert_max_num_queries
):
    client = client_of(camps[0][0])
    with CaptureQueriesContext(connection) as all_told:
        whole = client.get(RECOMMENDATIONS).json()["results"]
    with django_assert_max_num_queries(len(all_told) - 1) as few:
        some = client.get(f"{RECOMMENDATIONS}?fields=score,%20movie").json()["results"]
    assert not any("rated_at" in query["sql"] for query in few.captured_queries)
    assert some == [{name: film[name] for name in ("movie", "score")} for film in whole]
    (stars,) = client.get(f"{RECOMMENDATIONS}?k=1&fields=predicted_stars").json()["results"]
    assert stars == {"predicted_stars": whole[0]["predicted_stars"]}


@pytest.mark.parametrize("names", ["movie,color", "movie,", "Movie"])
def test_a_field_that_is_not_there_is_refused(client, names):
    refused = client.get(f"{RECOMMENDATIONS}?fields={names}")
    assert refused.status_code == 400 and problem(refused) == {"fields": "does_not_exist"}


def test_the_number_of_queries_does_not_grow_with_the_recommendations(
    trained, camps, django_assert_max_num_queries
):
    client = client_of(camps[0][0])
    with django_assert_max_num_queries(20) as few:
        client.get(f"{RECOMMENDATIONS}?k=2")
    with django_assert_max_num_queries(len(few)):
        results = client.get(f"{RECOMMENDATIONS}?k=20").json()["results"]
    assert len({reason["movie"]["id"] for each in results for reason in each["reasons"]}) > 3
    assert all(reason["movie"]["genres"] for each in results for reason in each["reasons"])


def test_a_rating_changes_the_very_next_recommendations(trained, camps):
    _, films = camps
    client = client_of(UserFactory())
    for film in films[:6:2]:
        client.put(f"{RATINGS}{film.pk}/", {"stars": 5}, format="json")
    results = client.get(f"{RECOMMENDATIONS}?k=10").json()["results"]
    camp = {film.pk for film in films[::2]}
    assert all(found["is_personal"] for found in results)
    assert len(camp & {found["movie"]["id"] for found in results}) >= 9
    client.put(f"/api/v1/dismissals/{results[0]['movie']['id']}/")
    again = client.get(f"{RECOMMENDATIONS}?k=10").json()["results"]
    assert results[0]["movie"]["id"] not in {found["movie"]["id"] for found in again}
    assert len(again) == 10


def test_filters_hold_for_every_recommendation(trained, camps):
    people, _ = camps
    query = "k=8&genre=drama&first_year=1960&last_year=2000"
    results = client_of(people[0]).get(f"{RECOMMENDATIONS}?{query}").json()["results"]
    assert results
    for found in results:
        assert 1960 <= found["movie"]["year"] <= 2000
        assert "drama" in {genre["slug"] for genre in found["movie"]["genres"]}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("k=0", "k"),
        ("k=100000", "k"),
        ("genre=none", "genre"),
        ("first_year=2001&last_year=2000", "last_year"),
        ("page=2", "page"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(anonymous, query, field):
    response = anonymous.get(f"{RECOMMENDATIONS}?{query}")
    assert response.status_code == 400
    assert set(problem(response)) == {field}


LEFT_OUT = "/api/v1/left-out/"


def test_a_rated_film_is_left_out_and_counts_again(client, user):
    movie = RatingFactory(user=user).movie
    address = f"{LEFT_OUT}{movie.pk}/"
    assert client.put(address).status_code == 201
    assert client.put(address).status_code == 200
    assert [row["movie"]["id"] for row in client.get(LEFT_OUT).json()["results"]] == [movie.pk]
    other = client_of(UserFactory())
    assert other.get(LEFT_OUT).json()["count"] == 0
    assert other.delete(address).status_code == 404
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
    assert client.get(LEFT_OUT).json()["count"] == 0


def test_what_is_not_rated_cannot_be_left_out(client):
    theirs = RatingFactory()
    response = client.put(f"{LEFT_OUT}{theirs.movie_id}/")
    assert response.status_code == 409
    assert problem(response) == {None: "not_rated"}
    assert client.put(f"{LEFT_OUT}987654321/").status_code == 404
