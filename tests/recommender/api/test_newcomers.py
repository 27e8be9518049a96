import pytest

from tests.factories import MovieFactory, RatingFactory
from tests.recommender.api.conftest import client_of, problem
from users import ratings
from users.models import NotSeen

pytestmark = pytest.mark.django_db

TO_RATE = "/api/v1/movies-to-rate/"
NOT_SEEN = "/api/v1/not-seen/"


def asked(client, k=20):
    return [movie["id"] for movie in client.get(f"{TO_RATE}?k={k}").json()["results"]]


def test_films_are_asked_about_until_something_is_said_of_them(client, user):
    movies = [MovieFactory(rating_count=90 - n) for n in range(5)]
    assert sorted(asked(client)) == sorted(movie.pk for movie in movies)
    client.put(f"{NOT_SEEN}{movies[0].pk}/")
    client.put(f"/api/v1/ratings/{movies[1].pk}/", {"stars": 4}, format="json")
    client.put(f"/api/v1/dismissals/{movies[2].pk}/")
    client.put(f"/api/v1/watchlist/{movies[3].pk}/")
    assert asked(client) == [movies[4].pk]


def test_as_many_films_as_are_asked_for(client):
    MovieFactory.create_batch(5)
    assert len(asked(client, k=2)) == 2
    assert problem(client.get(f"{TO_RATE}?k=0")) == {"k": "min_value"}


def test_only_a_person_is_asked(anonymous):
    assert problem(anonymous.get(TO_RATE)) == {None: "not_authenticated"}


def test_a_film_that_was_rated_was_seen(client, user):
    rating = RatingFactory(user=user)
    response = client.put(f"{NOT_SEEN}{rating.movie_id}/")
    assert response.status_code == 409
    assert problem(response) == {None: "rated"}
    assert not NotSeen.objects.exists()


def test_a_film_that_is_rated_leaves_the_list(client, user):
    movie = MovieFactory()
    client.put(f"{NOT_SEEN}{movie.pk}/")
    ratings.rate(user, movie, 3)
    assert client.get(NOT_SEEN).json()["count"] == 0


def test_with_a_model_the_most_telling_films_come_first(transactional_db, trained, camps):
    client = client_of(camps[0][0])
    first = asked(client, k=5)
    assert len(first) == 5
    assert not set(first) & set(camps[0][0].ratings.values_list("movie_id", flat=True))
