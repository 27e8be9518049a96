"""Search forgives what people do to titles, and puts the film they mean first."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from movies.models import Movie
from movies.search import find, parse
from tests.factories import CreditFactory, MovieFactory, PersonFactory

pytestmark = pytest.mark.django_db

CATALOGUE = [
    ("The Godfather", 1972, 200),
    ("The Godfather: Part II", 1974, 135),
    ("Tokyo Godfathers", 2003, 12),
    ("Amelie", 2001, 116, "Le Fabuleux destin d'Amélie Poulain"),
    ("Amélie's Cousin", 1988, 1),
    ("The Matrix", 1999, 259),
    ("The Matrix Reloaded", 2003, 98),
    ("Alien", 1979, 133),
    ("Aliens", 1986, 126),
    ("Alien³", 1992, 60),
    ("Alien Nation", 1988, 20),
    ("AVP: Alien vs. Predator", 2004, 20),
    ("Pulp Fiction", 1994, 324),
    ("Toy Story", 1995, 247),
    ("Toy Story 2", 1999, 125),
    ("Toys", 1992, 15),
    ("Love Story", 1970, 10),
    ("2001: A Space Odyssey", 1968, 113),
    ("Blade Runner", 1982, 138),
    ("Blade Runner 2049", 2017, 30),
    ("1984", 1956, 3),
    ("Up", 2009, 86),
    ("Up in the Air", 2009, 40),
    ("Heat", 1995, 90),
    ("Heat", 1986, 2),
    ("WALL·E", 2008, 104),
    ("Fast & Furious", 2009, 20),
    ("It's a Wonderful Life", 1946, 75),
    ("The Good, the Bad and the Ugly", 1966, 80, "Il buono, il brutto, il cattivo"),
    ("Crouching Tiger, Hidden Dragon", 2000, 96, "Wo hu cang long"),
]


@pytest.fixture
def catalogue():
    for title, year, count, *others in CATALOGUE:
        MovieFactory(
            title=title,
            year=year,
            alternative_titles=others,
            rating_count=count,
            rating_sum=count * 7,
        )


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("godfater", "The Godfather (1972)"),
        ("godfather part 2", "The Godfather: Part II (1974)"),
        ("amelie", "Amelie (2001)"),
        ("AMÉLIE", "Amelie (2001)"),
        ("fabuleux destin", "Amelie (2001)"),
        ("matrix the", "The Matrix (1999)"),
        ("matrix, the", "The Matrix (1999)"),
        ("reloaded matrix", "The Matrix Reloaded (2003)"),
        ("alien 1979", "Alien (1979)"),
        ("alien 1986", "Aliens (1986)"),
        ("aliens", "Aliens (1986)"),
        ("pulp ficton", "Pulp Fiction (1994)"),
        ("toy stroy", "Toy Story (1995)"),
        ("toystory", "Toy Story (1995)"),
        ("space odyssey 2001", "2001: A Space Odyssey (1968)"),
        ("blade runner 2049", "Blade Runner 2049 (2017)"),
        ("blade runner", "Blade Runner (1982)"),
        ("1984", "1984 (1956)"),
        ("up", "Up (2009)"),
        ("heat", "Heat (1995)"),
        ("heat 1986", "Heat (1986)"),
        ("wall e", "WALL·E (2008)"),
        ("fast and furious", "Fast & Furious (2009)"),
        ("its a wonderful life", "It's a Wonderful Life (1946)"),
        ("the good the bad and the ugly", "The Good, the Bad and the Ugly (1966)"),
        ("buono brutto cattivo", "The Good, the Bad and the Ugly (1966)"),
        ("hidden tiger crouching dragon", "Crouching Tiger, Hidden Dragon (2000)"),
        ("thegodfather", "The Godfather (1972)"),
        ("th egodfather", "The Godfather (1972)"),
        ("haet", "Heat (1995)"),
        ("heet", "Heat (1995)"),
        ("hat", "Heat (1995)"),
        ("heaty", "Heat (1995)"),
        ("w a l l e", "WALL·E (2008)"),
        ("walle", "WALL·E (2008)"),
        ("bladerunner", "Blade Runner (1982)"),
        ("fast furious", "Fast & Furious (2009)"),
        ("the godfather pt ii", "The Godfather: Part II (1974)"),
        ("toy story two", "Toy Story 2 (1999)"),
        ("alien iii", "Alien³ (1992)"),
    ],
)
def test_the_film_that_is_meant_comes_first(catalogue, query, first):
    assert [str(movie) for movie in find(query).movies][:1] == [first]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("predator", "Predator"),
        ("the predator", "The Predator"),
        ("the war room", "The War Room"),
        ("war room", "War Room"),
        ("matrix", "The Matrix"),
    ],
)
def test_a_title_to_the_letter_comes_before_one_with_another_article(query, first):
    known = {"Predator": 53, "The Predator": 0, "The War Room": 15, "War Room": 1}
    for title, ratings in {**known, "The Matrix": 2000, "Matrix": 2}.items():
        MovieFactory(title=title, rating_count=ratings)
    assert find(query).movies[0].title == first


def test_a_beginning_finds_the_best_known_film_that_begins_so(catalogue):
    assert [movie.title for movie in find("toy s").movies][:2] == ["Toy Story", "Toy Story 2"]


@pytest.mark.parametrize("query", ["", " ", "x", "…", "%", "zzxqwv", "'; --", "\\", "(((", "\x00"])
def test_what_means_nothing_finds_nothing(catalogue, query):
    assert not find(query)


def test_people_are_found_by_name():
    cruz = CreditFactory(person=PersonFactory(name="Penélope Cruz")).person
    PersonFactory(name="Tom Cruise")
    assert find("penelope cruz").people[0] == cruz


@pytest.mark.parametrize(
    "typed", ["penelope cruz", "Penélope", "cruz", "crux", "penelpe cruz", "PenelopeC ruz", "penel"]
)
def test_a_person_is_found_by_a_part_of_the_name_and_with_a_slip(typed):
    cruz = PersonFactory(name="Penélope Cruz")
    CreditFactory(person=cruz, movie__rating_count=100)
    assert find(typed).people[:1] == [cruz]


def test_a_name_comes_before_titles_that_are_only_a_little_like_it(catalogue):
    CreditFactory(person__name="Heath Ledger")
    MovieFactory(title="Bedger")
    assert find("ledger").names_first
    assert not find("heat").names_first
    assert not find("aliens").names_first


def test_no_name_is_far_fetched():
    PersonFactory(name="Heather Goldenhersh")
    PersonFactory(name="The Mae Shi")
    assert not find("godfather").people
    assert not find("the matirx").people


def test_the_better_known_of_one_name_comes_first():
    CreditFactory(person__name="Aaron Lynch", movie__rating_count=1)
    known = CreditFactory(person__name="Zoe Lynch", movie__rating_count=300).person
    assert find("lynch").people[0] == known


def test_a_title_that_is_changed_is_searched_for_by_the_new_one(catalogue):
    film = MovieFactory(title="Working Title", rating_count=10)
    film.title = "Rosebud"
    film.save()
    assert find("rosebud").movies == [film]
    assert film not in find("working title").movies


def test_very_long_queries_are_answered(catalogue):
    find("&" * 300)
    find("a" * 5000)


def test_a_year_is_told_from_a_title():
    assert parse("alien 1979").year == 1979
    assert parse("e t 1982").year == 1982
    assert parse("1984").year is None
    assert parse("The Matrix").words == "matrix"
    assert parse("the").words == "the"


def test_search_reads_indexes_alone(catalogue):
    """Of every table but the smallest, whatever the planner thinks of so few films."""
    with CaptureQueriesContext(connection) as queries:
        find("alien nation 1988")
    looks = [query["sql"] for query in queries if "WITH" in query["sql"]]
    assert len(looks) == 2
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        for look in looks:
            cursor.execute(f"EXPLAIN {look}")
            plan = str(cursor.fetchall())
            assert "Seq Scan" not in plan
            assert "_trigrams" in plan and "_beginning" in plan and "_end" in plan


def test_suggestions_come_without_a_page(client, catalogue):
    page = client.get(reverse("movies:suggestions"), {"q": "toy"}).content.decode()
    assert "<html" not in page
    assert 'role="option"' in page
    assert 'data-said="3 films."' in page
    assert 'href="/search/?q=toy"' in page
    assert "Looking through the stories" not in page


def test_a_suggestion_says_who_made_the_film_and_what_a_person_is_known_for(client, catalogue):
    film = Movie.objects.get(title="Toy Story")
    for place, name in enumerate(["Tom Hanks", "Tim Allen", "Don Rickles"]):
        CreditFactory(movie=film, person__name=name, position=place)
    page = client.get(reverse("movies:suggestions"), {"q": "toy story"}).content.decode()
    assert "1995 · Tom Hanks, Tim Allen" in page
    assert "Don Rickles" not in page
    CreditFactory(movie=film, person__name="John Lasseter", role="director")
    page = client.get(reverse("movies:suggestions"), {"q": "toy story"}).content.decode()
    assert "1995 · John Lasseter" in page
    page = client.get(reverse("movies:suggestions"), {"q": "hanks"}).content.decode()
    assert '<span class="suggestion__more">Toy Story</span>' in page


def test_suggestions_take_as_many_queries_for_many_films_as_for_one(
    client, catalogue, django_assert_max_num_queries
):
    for film in Movie.objects.all():
        CreditFactory(movie=film)
    # The savepoints and thresholds of two looks, the looks, what they found, and its credits.
    with django_assert_max_num_queries(11):
        client.get(reverse("movies:suggestions"), {"q": "alien"})


def test_many_words_are_looked_for_in_the_stories_as_well(client, catalogue):
    query = {"q": "toys that come to life"}
    page = client.get(reverse("movies:suggestions"), query).content.decode()
    assert "Looking through the stories" in page
    assert "/search/meaning/?q=toys%20that%20come%20to%20life" in page


def test_a_description_is_no_title_and_no_name(catalogue):
    PersonFactory(name="Toy Story Person")
    assert not find("a boy's toys come to life and one of them is jealous of a new one")
