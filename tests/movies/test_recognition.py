"""Which film is meant by the ids, or the title and year, that somebody brings."""

import pytest

from movies.catalogue import Index
from movies.models import Movie
from movies.recognition import How, Recognized, Sought, recognize
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


def found(title: str = "", year: int | None = None, **ids: int) -> Recognized:
    return recognize(Sought(title=title, year=year, **ids), Index())


def seven() -> Movie:
    return MovieFactory(
        title="Seven", year=1995, alternative_titles=["Se7en"], imdb_id=114369, tmdb_id=807
    )


@pytest.mark.parametrize(
    ("ours", "year", "title", "their_year", "how"),
    [
        ("The Good, the Bad & the Ugly", 1966, "The Good, the Bad and the Ugly", 1966, How.TITLE),
        ("Amelie", 2001, "Amélie", 2001, How.TITLE),
        ("Se7en", 1995, "Seven (a.k.a. Se7en)", 1995, How.TITLE),
        ("The Usual Suspects", 1995, "Usual Suspects, The", 1995, How.TITLE),
        ("Men in Black 3", 2012, "Men in Black III", 2012, How.SPELLING),
        ("Star Wars: Episode IV - A New Hope", 1977, "Star Wars", 1977, How.SPELLING),
        ("Cinema Paradiso", 1989, "Cinema Paradiso", 1988, How.YEAR_BESIDE),
    ],
)
def test_titles_are_forgiven_how_sources_write_them(ours, year, title, their_year, how):
    film = MovieFactory(title=ours, year=year)
    assert found(title, their_year) == Recognized([film.pk], how, is_sure=True)


def test_ids_come_first_whatever_the_title():
    film, _ = seven(), MovieFactory(title="Heat", year=1995)
    for ids in ({"imdb_id": 114369}, {"tmdb_id": 807}):
        assert found("Heat", 1995, **ids) == Recognized([film.pk], How.ID, is_sure=True)


def test_ids_of_two_films_leave_it_to_the_person():
    film, other = seven(), MovieFactory(title="Heat", tmdb_id=949)
    assert found(imdb_id=114369, tmdb_id=949) == Recognized([film.pk, other.pk], How.ID)


def test_a_film_with_another_id_is_not_meant():
    seven()
    assert found("Seven", 1995, imdb_id=1).movie_ids == []


def test_films_without_ids_are_found_by_title_though_ids_are_brought():
    film = MovieFactory(title="Heat", year=1995)
    assert found("Heat", 1995, imdb_id=113277).movie_ids == [film.pk]


def test_two_films_of_one_title_and_year_are_doubtful():
    films = MovieFactory.create_batch(2, title="Alone", year=2020)
    answer = found("Alone", 2020)
    assert (sorted(answer.movie_ids), answer.is_sure) == (sorted(film.pk for film in films), False)


def test_a_namesake_a_year_beside_that_is_far_better_known_leaves_it_to_the_person():
    little_known = MovieFactory(title="Titanic", year=1996, rating_count=2)
    well_known = MovieFactory(title="Titanic", year=1997, rating_count=140)
    doubtful = found("Titanic", 1996)
    assert doubtful == Recognized([well_known.pk, little_known.pk], How.YEAR_BESIDE)
    assert found("Titanic", 1997) == Recognized([well_known.pk], How.TITLE, is_sure=True)


def test_a_part_of_the_title_this_year_and_the_whole_one_beside_are_doubtful():
    part = MovieFactory(title="Apollo 13: To the Edge and Back", year=1994)
    whole = MovieFactory(title="Apollo 13", year=1995)
    assert found("Apollo 13", 1994) == Recognized([whole.pk, part.pk], How.LIKENESS)


@pytest.mark.parametrize(
    ("title", "year"),
    [("Rocky III", 1982), ("Rocky II", 1990), ("Alien", 1979), ("Underworld: Evolution", 2006)],
)
def test_sequels_remakes_and_namesakes_are_never_sure(title, year):
    MovieFactory(title="Rocky II", year=1982)
    MovieFactory(title="Aliens", year=1979)
    MovieFactory(title="Underworld", year=2006)
    assert not found(title, year).is_sure


def test_a_much_like_title_of_about_the_year_is_offered():
    film = MovieFactory(title="Three Colors: Red", year=1994)
    MovieFactory(title="Three Colors: Red", year=2004)
    assert found("Three Colours: Red", 1994) == Recognized([film.pk], How.LIKENESS)


def test_without_a_year_a_title_must_be_the_only_one():
    film = MovieFactory(title="Heat", year=1995)
    assert found("Heat").is_sure
    MovieFactory(title="Heat", year=1986)
    assert not found("Heat").is_sure
    assert film.pk in found("Heat").movie_ids


def test_what_the_catalogue_lacks_is_unknown():
    seven()
    for title in ("", "!", "Nobody Knows This"):
        assert not found(title, 1995).movie_ids
