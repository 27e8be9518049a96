import pytest

from movies.models import Movie
from recommender.serving.rerank import vary
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


def test_kinds_take_turns_and_the_best_comes_first():
    dramas = [MovieFactory(genres=["Drama"], year=1994) for _ in range(6)]
    comedy = MovieFactory(genres=["Comedy"], year=1955)
    movies = list(Movie.objects.with_genres().order_by("pk"))
    assert movies == [*dramas, comedy]
    varied = vary(movies, 4)
    assert varied[0] == dramas[0]
    assert comedy in varied and len(varied) == 4


def test_movies_of_no_kind_and_short_lists_are_left_as_they_are():
    movies = [MovieFactory(year=None) for _ in range(3)]
    assert vary(movies, 10) == movies
    assert vary([], 10) == []
