"""Staff add films and see where they land."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.urls import reverse

from movies.importers import tmdb
from movies.models import Genre, Movie
from recommender import tasks
from recommender.models import MovieVector
from tests.factories import MovieFactory, UserFactory

MATRIX = {
    "id": 603,
    "title": "The Matrix",
    "release_date": "1999-03-31",
    "imdb_id": "tt0133093",
    "overview": "A hacker learns what the world is.",
    "runtime": 136,
    "poster_path": "/matrix.jpg",
    "genres": [{"name": "Science Fiction"}, {"name": "TV Movie"}],
    "credits": {
        "cast": [{"name": "Keanu Reeves"}, {"name": "Carrie-Anne Moss"}],
        "crew": [{"name": "Lana Wachowski", "job": "Director"}, {"name": "X", "job": "Editor"}],
    },
}


@pytest.fixture
def tmdb_server(settings):
    """A TMDB of our own, which knows one film and one key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if "api_key=right" not in self.path:
                status, body = 401, {"status_message": "Invalid API key"}
            elif self.path.startswith("/3/movie/603?"):
                status, body = 200, MATRIX
            else:
                status, body = 404, {}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.TMDB_URL = f"http://127.0.0.1:{server.server_port}/3/"
    settings.TMDB_API_KEY = "right"
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.django_db
def test_a_film_from_tmdb_comes_with_all_that_is_told_of_it(tmdb_server):
    movie = tmdb.add(603)
    assert (movie.title, movie.year, movie.imdb_id) == ("The Matrix", 1999, 133093)
    assert [genre.name for genre in movie.genres.all()] == ["Sci-Fi"]
    assert [person.name for person in movie.cast] == ["Keanu Reeves", "Carrie-Anne Moss"]
    assert [person.name for person in movie.directors] == ["Lana Wachowski"]
    assert movie.poster_url.endswith("/matrix.jpg") and "hacker" in movie.overview
    assert movie.minutes == 136
    assert tmdb.add(603) == movie and Movie.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("runtime", [0, None, -3, 10**9, "long", True])
def test_a_length_that_is_none_is_left_open(tmdb_server, monkeypatch, runtime):
    monkeypatch.setitem(MATRIX, "runtime", runtime)
    assert tmdb.add(603).minutes is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "address", "message"),
    [
        ("", None, "set TMDB_API_KEY"),
        ("wrong", None, "does not accept the key"),
        ("right", "http://127.0.0.1:1/", "cannot be reached"),
    ],
)
def test_why_a_film_does_not_come_is_said(tmdb_server, settings, key, address, message):
    settings.TMDB_API_KEY = key
    settings.TMDB_URL = address or settings.TMDB_URL
    with pytest.raises(tmdb.NotFetched, match=message):
        tmdb.add(603)
    assert not Movie.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_staff_add_a_film_and_see_where_it_lands(trained, tmdb_server, admin_client):
    page = reverse("studio:films")
    answer = admin_client.post(page, {"tmdb_id": 603}, follow=True)
    html = answer.content.decode()
    assert "Where The Matrix lies" in html and "its place follows from its genres" in html
    place = MovieVector.objects.get(version=trained, movie__tmdb_id=603)
    assert place.predicted
    assert "TMDB has no film with the number 7" in (
        admin_client.post(page, {"tmdb_id": 7}).content.decode()
    )


@pytest.mark.django_db(transaction=True)
def test_a_film_that_staff_add_by_hand_has_its_place_at_once(trained, admin_client):
    form = {
        "title": "By hand",
        "year": 2001,
        "genres": [Genre.objects.get(name="Drama").pk],
        "credits-TOTAL_FORMS": 0,
        "credits-INITIAL_FORMS": 0,
    }
    assert admin_client.post(reverse("admin:movies_movie_add"), form).status_code == 302
    assert MovieVector.objects.get(version=trained, movie__title="By hand").predicted


@pytest.mark.django_db(transaction=True)
def test_films_that_came_otherwise_are_placed_by_the_regular_task(trained):
    film = MovieFactory(title="Brought by an import")
    tasks.place_films()
    assert MovieVector.objects.get(version=trained, movie=film).predicted


@pytest.mark.django_db
def test_only_those_who_may_train_see_the_page(client):
    client.force_login(UserFactory())
    assert client.get(reverse("studio:films")).status_code == 403
