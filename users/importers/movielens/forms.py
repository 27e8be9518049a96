"""The three forms of a MovieLens dataset, and the films in each.

- csv (latest, 20M, 25M, 32M): `movies.csv`, `ratings.csv`, `links.csv`, `tags.csv`, in UTF-8;
- dat (1M, 10M): `movies.dat`, `ratings.dat`, `tags.dat`, fields parted by "::", 1M in Latin-1;
- 100K: `u.item`, `u.data`, `u.genre`, in Latin-1, with film ids that are its own.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.text import slugify

from movies import titles
from movies.catalogue import GENRE_LENGTH, TITLE_LENGTH, YEARS, Film, genre_name
from movies.importers.files import Files, ImportFailed, storable

NO_GENRES = frozenset({"(no genres listed)", "unknown", ""})
MAX_INTEGER = 2**31 - 1
# The flags of u.item, in their order, for a copy without u.genre.
U_GENRES = """
    unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir
    Horror Musical Mystery Romance Sci-Fi Thriller War Western
"""
U_ITEM_FACTS = 5
_WHOLE_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Form:
    """How a dataset's files are called and written."""

    films: str
    ratings: str
    tags: str
    """Empty where the form has none; a dataset need not hold the file."""
    separator: str
    has_header: bool
    has_movielens_ids: bool
    """Whether its film ids are those that all larger datasets share."""


RATING_COLUMNS = ("userId", "movieId", "rating", "timestamp")
FORMS = (
    Form("movies.csv", "ratings.csv", "tags.csv", ",", has_header=True, has_movielens_ids=True),
    Form("movies.dat", "ratings.dat", "tags.dat", "::", has_header=False, has_movielens_ids=True),
    Form("u.item", "u.data", "", "\t", has_header=False, has_movielens_ids=False),
)


def form_of(files: Files) -> Form:
    """Return the form that the files are in.

    Raises:
        ImportFailed: they are none, or only a part of one.
    """
    for form in FORMS:
        present = [name in files for name in (form.films, form.ratings)]
        if all(present):
            return form
        if any(present):
            missing = form.ratings if present[0] else form.films
            raise ImportFailed("the file is missing", missing)
    raise ImportFailed(
        f"no MovieLens files in {files.label}: neither ratings.csv, ratings.dat nor u.data"
    )


def read_films(files: Files, form: Form) -> dict[int, Film]:
    """Return the dataset's films by their ids there.

    Raises:
        ImportFailed: a file is missing or broken.
    """
    if form.films == "u.item":
        films = _read_u_item(files)
    elif form.films == "movies.dat":
        films = _collect(form.films, _dat_rows(files, form.films))
    else:
        rows = _csv_rows(files, form.films, ("movieId", "title"), optional=("genres",))
        films = _collect(form.films, rows)
        _read_links(files, films)
    return films


def _collect(name: str, rows: Iterator[tuple[int, list[str]]]) -> dict[int, Film]:
    """Make films of rows (id, title, "A|B")."""
    films: dict[int, Film] = {}
    for line, (source_id, title, genres) in rows:
        _add(films, name, line, source_id, title, genres.split("|"))
    if not films:
        raise ImportFailed("the file holds no films", name)
    return films


def _add(
    films: dict[int, Film], file: str, line: int, source_id: str, title: str, genres: list[str]
) -> None:
    number = whole_number(source_id, "movieId", file, line, MAX_INTEGER)
    if number in films:
        raise ImportFailed(f"the film {number} is there twice", file, line)
    films[number] = _film(title, genres, file, line)


def _film(text: str, genres: list[str], file: str, line: int) -> Film:
    if not text.strip():
        raise ImportFailed("the title is empty", file, line)
    if len(text) > TITLE_LENGTH:
        raise ImportFailed(f"the title is longer than {TITLE_LENGTH} letters", file, line)
    if not storable(text):
        raise ImportFailed("the title holds a character that is not text", file, line)
    parsed = titles.parse(text)
    names = dict.fromkeys(genre_name(name.strip()) for name in genres)
    for name in names.keys() - NO_GENRES:
        if len(name) > GENRE_LENGTH or not slugify(name) or not storable(name):
            raise ImportFailed(f"the genre {name!r} is not a name", file, line)
    return Film(
        title=parsed.title or " ".join(text.split()),
        year=parsed.year if parsed.year in YEARS else None,
        alternatives=parsed.alternatives,
        genres=tuple(name for name in names if name not in NO_GENRES),
    )


def _read_u_item(files: Files) -> dict[int, Film]:
    genres = _u_genres(files)
    films: dict[int, Film] = {}
    for line, text in _lines(files, "u.item", "latin-1"):
        fields = text.split("|")
        if len(fields) != U_ITEM_FACTS + len(genres):
            raise ImportFailed(
                f"{U_ITEM_FACTS + len(genres)} fields are needed, not {len(fields)}", "u.item", line
            )
        flags = zip(genres, fields[U_ITEM_FACTS:], strict=True)
        named = [genre for genre, flag in flags if flag.strip() == "1"]
        _add(films, "u.item", line, fields[0], fields[1], named)
    if not films:
        raise ImportFailed("the file holds no films", "u.item")
    return films


def _u_genres(files: Files) -> list[str]:
    if "u.genre" not in files:
        return U_GENRES.split()
    return [text.split("|")[0] for _, text in _lines(files, "u.genre", "latin-1")]


def _dat_rows(files: Files, name: str) -> Iterator[tuple[int, list[str]]]:
    content = files.read(name)
    try:
        content.decode()
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = "latin-1"
    for line, text in _lines(files, name, encoding):
        fields = text.split("::")
        if len(fields) != 3:
            raise ImportFailed(f"3 fields are needed, not {len(fields)}", name, line)
        yield line, fields


def _lines(files: Files, name: str, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, each with its number."""
    for line, text in enumerate(files.read(name).decode(encoding).split("\n"), start=1):
        if text.strip():
            yield line, text.rstrip("\r")


def _read_links(files: Files, films: dict[int, Film]) -> None:
    """Give the films their ids elsewhere, where `links.csv` is there and knows them."""
    if "links.csv" not in files:
        return
    for line, (movie, imdb, tmdb) in _csv_rows(files, "links.csv", ("movieId", "imdbId", "tmdbId")):
        film = _film_of(movie, films, "links.csv", line)
        film.imdb_id = _optional_number(imdb, "imdbId", line)
        film.tmdb_id = _optional_number(tmdb, "tmdbId", line)


def _optional_number(text: str, column: str, line: int) -> int | None:
    return whole_number(text, column, "links.csv", line, MAX_INTEGER) if text.strip() else None


def _film_of(text: str, films: dict[int, Film], file: str, line: int) -> Film:
    number = whole_number(text, "movieId", file, line, MAX_INTEGER)
    if number not in films:
        raise ImportFailed(f"the film {number} is not in movies.csv", file, line)
    return films[number]


def _csv_rows(
    files: Files, name: str, columns: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a file that is read whole, as `csv_rows` does."""
    return csv_rows(io.StringIO(_utf8(files, name), newline=""), name, columns, optional)


def csv_rows(
    lines: Iterable[str], name: str, columns: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's values of the columns, with the line that the row ends on.

    Those of optional columns follow, empty where the file has no such column.

    Raises:
        ImportFailed: a line is broken, or a column is missing.
    """
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, [])
        places = column_places(header, columns, name)
        names = [name.strip() for name in header]
        # One past the end is where each row gets an empty value.
        places += [names.index(name) if name in names else len(names) for name in optional]
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                reason = f"{len(header)} fields are needed, not {len(row)}"
                raise ImportFailed(reason, name, reader.line_num)
            yield reader.line_num, [[*row, ""][place] for place in places]
    except csv.Error as error:
        raise ImportFailed(f"the line is not valid CSV ({error})", name, reader.line_num) from error


def _utf8(files: Files, name: str) -> str:
    content = files.read(name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ImportFailed("the text is not in UTF-8", name, line) from error


def column_places(header: list[str], columns: tuple[str, ...], file: str) -> list[int]:
    """Return where in the header the columns stand.

    Raises:
        ImportFailed: there is no header, or a column is missing.
    """
    if not header:
        raise ImportFailed("the file is empty", file, 1)
    names = [name.strip() for name in header]
    for column in columns:
        if column not in names:
            found = ", ".join(names)[:100]
            raise ImportFailed(f"the column {column} is missing (there are: {found})", file, 1)
    return [names.index(column) for column in columns]


def whole_number(text: str, column: str, file: str, line: int, most: int = 2**63 - 1) -> int:
    """Return the number that the text is.

    Raises:
        ImportFailed: it is none, is negative, or is greater than `most`.
    """
    if not _WHOLE_NUMBER.fullmatch(text.strip()):
        raise ImportFailed(f"{column} {text[:40]!r} is not a whole number", file, line)
    number = int(text)
    if number > most:
        raise ImportFailed(f"{column} {number} is too great", file, line)
    return number
