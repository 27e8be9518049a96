import pytest

from movies.listing import listed
from movies.models import Movie
from tests.factories import MovieFactory, RatingFactory

pytestmark = pytest.mark.django_db


def test_films_are_those_of_the_database_with_their_genres(django_assert_num_queries):
    films = [MovieFactory(genres=names) for names in (["War", "Drama"], ["Drama"], [])]
    RatingFactory(movie=films[0], value=7)
    with django_assert_num_queries(2):
        found = listed([*(film.pk for film in films), 987654321])
        genres = [[genre.name for genre in found[film.pk].genre_list] for film in films]
    assert genres == [["Drama", "War"], ["Drama"], []]
    assert found.keys() == {film.pk for film in films}
    for told in Movie.objects.all():
        assert vars(told).items() >= {
            (name, value)
            for name, value in vars(found[told.pk]).items()
            if name not in ("_state", "genre_list")
        }


def test_what_no_list_shows_is_read_when_it_is_asked_for():
    film = MovieFactory(overview="A ship meets an iceberg.")
    assert listed([film.pk])[film.pk].overview == film.overview


def test_an_edit_shows_at_once():
    film = MovieFactory(genres=["War"])
    listed([film.pk])
    film.title = "Another"
    film.save()
    film.genres.clear()
    found = listed([film.pk])[film.pk]
    assert (found.title, found.genre_list) == ("Another", [])
