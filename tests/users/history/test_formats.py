"""Files as the sites write them: what is read of each, and what is refused."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from movies.importers.files import ImportFailed
from users.importers import history
from users.importers.history import columns, documents
from users.importers.history.base import Entry, History
from users.importers.history.columns import Naming
from users.importers.history.documents import Documents
from users.scales import Scale

SAMPLES = Path(__file__).parent / "samples"


def zipped(folder: Path, top: str = "") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, f"{top}{path.relative_to(folder)}")
    return content.getvalue()


def read(name: str, content: bytes) -> History:
    documents = Documents(name, content)
    form = history.recognized(documents)
    assert form is not None, "no format knows it"
    return history.read(form, documents)


def sample(name: str) -> History:
    return read(name, (SAMPLES / name).read_bytes())


def told(history: History) -> dict[str, tuple[float | None, bool, bool]]:
    """What is told of each film: its rating, whether it is seen, whether it is to be seen."""
    return {
        entry.title: (entry.rating, entry.is_seen, entry.is_wanted) for entry in history.entries
    }


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(ImportFailed) as refused:
        read(name, content)
    return str(refused.value)


# Each site's files


@pytest.mark.parametrize("top", ["", "letterboxd-anna-2024-01-01/"])
def test_a_letterboxd_zip_gives_ratings_films_watched_and_the_watchlist(top):
    found = read("letterboxd-anna.zip", zipped(SAMPLES / "letterboxd", top))
    assert (found.source, found.scale) == ("Letterboxd", Scale.STARS)
    assert told(found) == {
        "Se7en": (4.5, True, False),
        "The Good, the Bad and the Ugly": (5, True, False),
        "Amélie": (0.5, True, False),
        "Paddington 2": (None, True, True),
        "Stalker": (None, False, True),
    }
    assert found.entries[1].at == datetime(2021, 3, 5, tzinfo=UTC), "when it was rated"
    assert found.entries[0].year == 1995
    assert "diary" in found.notes[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ratings.csv", {"Se7en": (4.5, True, False)}),
        ("watched (1).csv", {"Se7en": (None, True, False)}),
        ("watchlist-anna-2024-01-01.csv", {"Stalker": (None, False, True)}),
        ("diary.csv", {"Se7en": (4.5, True, False)}),
    ],
)
def test_letterboxds_tables_are_read_alone(name, expected):
    kept = SAMPLES / "letterboxd" / f"{name.split('.')[0].split(' ')[0].split('-')[0]}.csv"
    found = told(read(name, kept.read_bytes()))
    assert {title: found[title] for title in expected} == expected


def test_a_letterboxd_list_that_could_be_either_is_not_guessed():
    content = (SAMPLES / "letterboxd" / "watched.csv").read_bytes()
    assert "watched.csv or watchlist.csv" in refusal("films.csv", content)
    assert "one list" in refusal(
        "l.csv", b"Letterboxd list export v7\nDate,Name\n2024-01-01,Best\n"
    )


def test_letterboxds_import_table_is_read_by_ids():
    found = sample("letterboxd-import.csv")
    assert told(found) == {"Se7en": (4.5, True, False), "Amélie": (None, True, False)}
    assert (found.entries[0].imdb_id, found.entries[0].tmdb_id) == (114369, 807)


def test_imdbs_ratings_are_tens_and_series_are_left_out():
    found = sample("imdb-ratings.csv")
    assert (found.source, found.scale) == ("IMDb", Scale.TEN)
    assert told(found) == {"Se7en": (9, True, False), "Amélie": (1, True, False)}
    assert found.entries[0].imdb_id == 114369
    assert found.notes == ["Series, episodes and games are left out: 2."]


def test_imdbs_watchlist_is_to_be_seen_but_for_what_is_rated():
    found = told(sample("imdb-watchlist.csv"))
    assert found == {"Stalker": (None, False, True), "Se7en": (9, True, False)}


def test_tmdbs_own_rating_counts_not_everybodys():
    found = sample("tmdb-ratings.csv")
    assert told(found) == {"Se7en": (9, True, False), "Amélie": (1.5, True, False)}
    assert (found.entries[0].tmdb_id, found.entries[0].year) == (807, 1995)
    assert found.entries[0].at == datetime(2021, 3, 1, 20, 15, tzinfo=UTC)


def test_movielenss_ratings_come_with_three_ids():
    found = sample("movielens-ratings.csv")
    first = found.entries[0]
    assert (first.movielens_id, first.imdb_id, first.tmdb_id) == (47, 114369, 807)
    assert (first.title, first.year) == ("Seven (Se7en)", 1995)
    assert [entry.rating for entry in found.entries] == [4.5, 0.5, 5]
    assert found.entries[2].title == "The Matrix"


def test_one_persons_part_of_a_dataset_is_read_and_many_peoples_refused():
    found = sample("movielens-dataset.csv")
    assert [entry.movielens_id for entry in found.entries] == [47, 4973]
    many = (SAMPLES / "movielens-dataset.csv").read_bytes() + b"8,47,3,1614600000\n"
    assert "many people" in refusal("ratings.csv", many)


def test_trakts_ratings_watched_films_and_watchlist():
    found = sample("trakt-ratings.json")
    assert (found.source, found.scale) == ("Trakt", Scale.TEN)
    assert told(found) == {"Se7en": (9, True, False), "Amélie": (1, True, False)}
    assert found.notes == ["Series and episodes are left out: 1."]
    assert told(sample("trakt-backup.json")) == {
        "Paddington 2": (None, True, False),
        "Se7en": (9, True, False),
        "Stalker": (None, False, True),
    }


def test_of_trakts_lists_in_a_zip_only_the_watchlist_is_one():
    item = json.loads((SAMPLES / "trakt-backup.json").read_text())["watchlist"][:1]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("anna/lists/favorites.json", json.dumps(item))
        archive.writestr("anna/ratings-movies.json", (SAMPLES / "trakt-ratings.json").read_text())
    found = told(read("trakt.zip", content.getvalue()))
    assert "Stalker" not in found
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("anna/lists-watchlist.json", json.dumps(item))
    assert told(read("trakt.zip", content.getvalue()))["Stalker"] == (None, False, True)


# Any table


def table(content: str | bytes, **named: str) -> History:
    content = content.encode() if isinstance(content, str) else content
    return columns.read(Documents("films.csv", content), Naming(**named))


def test_a_table_of_ones_own_is_read_by_its_columns_names():
    content = (SAMPLES / "table-cp1252.csv").read_bytes()
    documents = Documents("table-cp1252.csv", content)
    assert history.recognized(documents) is None
    found = table(content, title="Film", year="Jahr", rating="Wertung", at="Gesehen am")
    assert told(found) == {
        "Für ein paar Dollar mehr": (8, True, False),
        "Das Boot": (10, True, False),
    }
    assert (found.scale, found.is_scale_guessed) == (Scale.TEN, True)
    assert "Windows-1252" in found.notes[0]
    assert [(problem.place, problem.reason) for problem in found.problems] == [
        ("films.csv, line 4", "the rating 'eleven' is no number")
    ]


@pytest.mark.parametrize(
    ("cells", "scale", "half_stars"),
    [
        (["4.5", "3", "0,5"], Scale.STARS, [9, 6, 1]),
        (["★★★½", "★", "½"], Scale.STARS, [7, 2, 1]),
        (["7", "10", "1"], Scale.TEN, [7, 10, 1]),
        (["8/10", "9/10", "5/10"], Scale.TEN, [8, 9, 5]),
        (["85", "100", "0"], Scale.PERCENT, [9, 10, 1]),
        (["84%", "4 %", "50%"], Scale.PERCENT, [8, 1, 5]),
    ],
)
def test_half_stars_tens_and_percent_are_told_apart(cells, scale, half_stars):
    rows = "".join(f'Film {n},"{cell}"\n' for n, cell in enumerate(cells))
    found = table(f"Title,Rating\n{rows}", title="Title", rating="Rating")
    assert found.scale == scale
    assert [scale.half_stars(entry.rating) for entry in found.entries] == half_stars


def test_headings_are_guessed_and_a_wrong_one_is_named():
    guessed = columns.guess(
        Documents("a.csv", b"Name,Release Year,My Rating\nHeat,1995,4\n").needed_table()
    )
    assert (guessed.title, guessed.year, guessed.rating) == ("Name", "Release Year", "My Rating")
    with pytest.raises(ImportFailed, match="there is no column 'Titel'"):
        table("Title\nHeat\n", title="Titel")
    with pytest.raises(ImportFailed, match="which column has the titles"):
        table("Title\nHeat\n", year="Title")
    with pytest.raises(ImportFailed, match="on no scale"):
        table("Title,Rating\nHeat,1995\n", title="Title", rating="Rating")


def test_the_latest_rating_of_a_film_counts_and_nothing_of_stars_is_none():
    found = table(
        "Title,Rating,Date\nHeat,4,2024-01-02\nHeat,2,2023-01-01\nRan,0,\n",
        title="Title", rating="Rating", at="Date",
    )  # fmt: skip
    assert told(found) == {"Heat": (4, True, False), "Ran": (None, True, False)}


# Encodings, broken files, bombs

HEAD = "Date,Name,Year,Letterboxd URI,Rating\n"
LINE = "2021-03-06,Amélie,2001,https://boxd.it/c,0.5\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_encodings_are_told_apart(encoding):
    found = read("ratings.csv", (HEAD + LINE).replace("\n", "\r\n").encode(encoding))
    assert told(found) == {"Amélie": (0.5, True, False)}
    assert bool(found.notes) is (encoding == "cp1252")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2021-03-06,,2001,,3\n", "there is no title"),
        ("2021-03-06,Heat,1995,,7\n", "7 is not on the scale of 0 to 5"),
        ("2021-03-06,Heat,1995,,good\n", "the rating 'good' is no number"),
        ("2021-03-06,Heat,1995,,4,5,\n", "it has more cells than there are columns"),
    ],
)
def test_a_broken_row_is_listed_and_the_others_are_read(line, reason):
    found = read("ratings.csv", (HEAD + line + LINE).encode())
    assert list(told(found)) == ["Amélie"]
    assert [(problem.place, problem.reason) for problem in found.problems] == [
        ("ratings.csv, line 2", reason)
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("ratings.csv", b"", "the file is empty"),
        ("ratings.csv", HEAD.encode(), "there are no films in it"),
        ("ratings.csv", (HEAD + '2021-03-06,"Heat').encode() + b"x" * 200_000, "quotation mark"),
        ("film.pdf", b"%PDF-1.7\n\x00\x01\x02", "no text"),
        ("ratings.csv", b"<!DOCTYPE html><title>Log in</title>", "a web page"),
        ("trakt.json", b'[{"rating": 9, ', "not valid JSON"),
        ("trakt.json", b"[" * 200_000, "nested too deeply"),
        ("cut.zip", b"PK\x03\x04 and then nothing", "damaged or cut short"),
        ("big.csv", b"x" * (documents.LARGEST_BYTES + 1), "more than 20 MB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(name, content, reason):
    assert reason in refusal(name, content)


def zip_of(*members: tuple[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            archive.writestr(name, text)
    return content.getvalue()


def test_zips_that_unpack_to_too_much_are_refused_unread():
    bomb = zip_of(("ratings.csv", HEAD.encode() + b" " * 50_000_000))
    assert len(bomb) < 100_000
    assert "unpack to far more" in refusal("letterboxd.zip", bomb)
    many = zip_of(*((f"{n}.csv", b"") for n in range(documents.MOST_MEMBERS + 1)))
    assert "more than 10,000 files" in refusal("letterboxd.zip", many)


def test_a_zip_that_lies_about_its_size_is_not_believed():
    honest = zip_of(("ratings.csv", HEAD.encode() + b" " * 50_000_000))
    size = (len(HEAD) + 50_000_000).to_bytes(4, "little")
    assert honest.count(size) == 2
    lying = honest.replace(size, (1000).to_bytes(4, "little"))
    assert "damaged" in refusal("letterboxd.zip", lying)


def test_a_workbook_is_told_from_an_export():
    workbook = zip_of(("[Content_Types].xml", b"<Types/>"), ("xl/sheet1.xml", b"<sheet/>"))
    assert "save it as CSV" in refusal("ratings.xlsx", workbook)


def test_more_rows_than_anybody_has_seen_are_refused(monkeypatch):
    monkeypatch.setattr("users.importers.history.base.MOST_ENTRIES", 1)
    assert "no one person's films" in refusal("ratings.csv", (HEAD + LINE + LINE).encode())


def test_times_that_cannot_be_are_none():
    rows = "1066-10-14,Heat,1995,,4\n2999-01-01,Ran,1985,,4\nsoon,Alien,1979,,4\n"
    assert [entry.at for entry in read("ratings.csv", (HEAD + rows).encode()).entries] == [None] * 3


def test_entries_of_one_title_and_two_addresses_stay_two_films():
    rows = "2021-03-06,Alone,2020,https://boxd.it/a,4\n2021-03-06,Alone,2020,https://boxd.it/b,2\n"
    entries: list[Entry] = read("ratings.csv", (HEAD + rows).encode()).entries
    assert [entry.rating for entry in entries] == [4, 2]


def test_more_broken_rows_than_anybody_has_films_are_refused(monkeypatch):
    monkeypatch.setattr("users.importers.history.base.MOST_ENTRIES", 1)
    assert "no one person's films" in refusal("ratings.csv", (HEAD + ",,2001,,3\n" * 2).encode())


def test_what_no_database_could_keep_is_left_out_of_json():
    movie = {"title": "Heat", "year": 1995, "ids": {"trakt": 1}}
    broken = [{"title": "\0"}, {"title": "\ud800"}, {"year": 99999}, {"ids": {"imdb": "nm1x"}}]
    items = [{"rating": 9, "movie": movie | other} for other in [{}, *broken]]
    found = read("trakt.json", json.dumps(items).encode())
    assert list(told(found)) == ["Heat"]
    assert [problem.reason for problem in found.problems] == [
        "the title is no text",
        "the title is no text",
        "99999 is no year of a film",
        "a number there is none",
    ]
    ours = {"format": "marquee", "version": 1, "ratings": [{"title": "Ran", "stars": 4}, 7, {}]}
    found = read("marquee.json", json.dumps(ours).encode())
    assert (told(found), len(found.problems)) == ({"Ran": (4, True, False)}, 2)
