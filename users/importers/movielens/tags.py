"""Lines of tags, read one at a time: who called which film what."""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO

from movies.catalogue import TAG_LENGTH
from movies.importers.files import Files, ImportFailed, storable
from users.importers.movielens.forms import MAX_INTEGER, Form, csv_rows, whole_number

COLUMNS = ("userId", "movieId", "tag", "timestamp")
LONGEST_LINE = 2**20

Tagged = tuple[int, int, str]
"""A film's id in the catalogue, a person's in the dataset, and the tag."""


def read_tags(files: Files, form: Form, movie_ids: Mapping[int, int]) -> Iterator[Tagged]:
    """Yield the dataset's tags, in lower case; nothing where it has none.

    A tag that is empty, or too long to be one, is passed over. What was tagged must be one of the
    dataset's films, whose ids in the catalogue are `movie_ids`.

    Raises:
        ImportFailed: a line is broken, and which.
    """
    name = form.tags
    if name not in files:
        return
    with files.reading(name) as file:
        lines = _lines(file, name)
        rows = csv_rows(lines, name, COLUMNS) if form.has_header else _dat_rows(lines, name)
        for line, (person, movie, text, _) in rows:
            number = whole_number(movie, "movieId", name, line, MAX_INTEGER)
            if number not in movie_ids:
                raise ImportFailed(f"the film {number} is not in {form.films}", name, line)
            if not storable(text):
                raise ImportFailed("the tag holds a character that is not text", name, line)
            tag = " ".join(text.lower().split())
            if 0 < len(tag) <= TAG_LENGTH:
                yield movie_ids[number], whole_number(person, "userId", name, line), tag


def _lines(file: IO[bytes], name: str) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise ImportFailed("the line does not end", name, number)
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise ImportFailed("the text is not in UTF-8", name, number) from error


def _dat_rows(lines: Iterable[str], name: str) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(lines, start=1):
        if text.strip():
            fields = text.rstrip("\r\n").split("::")
            if len(fields) != len(COLUMNS):
                reason = f"{len(COLUMNS)} fields are needed, not {len(fields)}"
                raise ImportFailed(reason, name, line)
            yield line, fields
