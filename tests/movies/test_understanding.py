"""Of a query, what is plainly a condition is taken as one, and the rest is a description."""

import pytest

from movies.models import Movie
from movies.understanding import understand
from tests.factories import CreditFactory, GenreFactory, MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def catalogue():
    for name in ("Comedy", "Horror", "Thriller", "Film-Noir", "Sci-Fi", "Musical"):
        GenreFactory(name=name)
    for name in ("Al Pacino", "Robert De Niro", "Tom Hanks", "Young Man"):
        credited = 3 if name != "Young Man" else 1
        for film in range(credited):
            CreditFactory(movie=MovieFactory(title=f"{name} {film}"), person__name=name)


@pytest.mark.parametrize(
    ("query", "conditions", "description"),
    [
        ("funny heist films from the nineties", ["1990s", "Comedy"], "heist"),
        ("heist films from the 1990s", ["1990s"], "heist"),
        ("90s movies", ["1990s"], ""),
        ("mid-90s thrillers", ["1990s", "Thriller"], ""),
        ("best comedies from 1994", ["1994", "Comedy"], ""),
        ("1940s film noir", ["1940s", "Film-Noir"], ""),
        ("sci-fi from the eighties about robots", ["1980s", "Sci-Fi"], "robots"),
        ("films of the 1950s about giant insects", ["1950s"], "giant insects"),
        ("horror movies about dolls", ["Horror"], "dolls"),
        ("heist films 20s", ["2020s"], "heist"),
        (
            "thriller with al pacino and robert de niro",
            ["Robert De Niro", "Al Pacino", "Thriller"],
            "",
        ),
        ("Tom Hanks stranded on an island", ["Tom Hanks"], "stranded on an island"),
    ],
)
def test_conditions_are_told_from_the_description(query, conditions, description):
    understood = understand(query)
    assert [condition.label for condition in understood.conditions] == conditions
    assert understood.description == description


@pytest.mark.parametrize(
    "query",
    [
        "a private eye in thirties Los Angeles",
        "two con men in the thirties",
        "alien 1979",
        "CIA agent pretends to make a science fiction movie",
        "silent film star struggles, musical in Hollywood",
        "an old man and a young man",
        "a masked killer who knows all the horror film rules",
        "",
    ],
)
def test_a_story_is_left_alone(query):
    understood = understand(query)
    assert understood.conditions == ()
    assert understood.description == query


def test_a_condition_can_be_made_plain_words_again():
    understood = understand("funny films from the nineties", plain=["genre:comedy"])
    assert [condition.key for condition in understood.conditions] == ["years:1990-1999"]
    assert understood.description == "funny"


def test_conditions_narrow_the_films():
    MovieFactory(title="Old", year=1950, genres=["Comedy"])
    MovieFactory(title="New", year=1991, genres=["Comedy"])
    MovieFactory(title="Grim", year=1991, genres=["Horror"])
    found = understand("comedies from the nineties").narrow(Movie.objects.all())
    assert [movie.title for movie in found] == ["New"]
