"""Lines of ratings, read in blocks: fast while all is well, one at a time where it is not."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from movies.importers.files import Files, ImportFailed
from users.importers.movielens.forms import RATING_COLUMNS, Form, column_places, whole_number
from users.models import MAX_HALF_STARS, MIN_HALF_STARS

BLOCK_BYTES = 8 * 2**20
# 1970 to 2099: what lies outside is no time of a rating, but milliseconds, say.
SECONDS = range(0, 4_102_444_800)
_TYPES = (pa.int64(), pa.int64(), pa.float64(), pa.int64())


@dataclass(frozen=True)
class Ratings:
    """Ratings of a block, in the order of their lines; four arrays of one length."""

    person: NDArray[np.int64]
    """The person's id in the dataset."""
    movie: NDArray[np.int64]
    """The film's id in the catalogue."""
    half_stars: NDArray[np.int16]
    seconds: NDArray[np.int64]
    """Since 1970, UTC."""
    size: int
    """Bytes of the file that the block took."""


class RatingsFile:
    """A dataset's file of ratings.

    Args:
        movie_ids: the catalogue's id of each of the dataset's films.
    """

    def __init__(self, files: Files, form: Form, movie_ids: Mapping[int, int]) -> None:
        self._files, self._form, self._movie_ids = files, form, movie_ids
        self._known = np.array(sorted(movie_ids), dtype=np.int64)
        self._catalogued = np.array([movie_ids[pk] for pk in sorted(movie_ids)], dtype=np.int64)
        self._columns = list(RATING_COLUMNS)

    @property
    def name(self) -> str:
        return self._form.ratings

    def blocks(self) -> Iterator[Ratings]:
        """Yield the ratings block by block.

        Raises:
            ImportFailed: a line is broken, and which.
        """
        found = False
        with self._files.reading(self.name) as file:
            line = 1
            if self._form.has_header:
                self._columns = self._read_header(file)
                line = 2
            for block in self._whole_lines(file, line):
                if block.strip():
                    found = True
                    yield self._parse(block) or self._explain(block, line)
                line += block.count(b"\n")
        if not found:
            raise ImportFailed("the file holds no ratings", self.name)

    def _read_header(self, file: IO[bytes]) -> list[str]:
        try:
            text = file.readline(BLOCK_BYTES).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ImportFailed("the text is not in UTF-8", self.name, 1) from error
        header = [name.strip() for name in next(csv.reader([text]), [])]
        column_places(header, RATING_COLUMNS, self.name)
        return header

    def _whole_lines(self, file: IO[bytes], line: int) -> Iterator[bytes]:
        """Yield the file in blocks that end where a line ends."""
        rest = b""
        while chunk := file.read(BLOCK_BYTES):
            block, newline, rest_of_chunk = (rest + chunk).rpartition(b"\n")
            if len(rest_of_chunk) > BLOCK_BYTES:
                line += block.count(b"\n") + len(newline)
                raise ImportFailed("the line does not end", self.name, line)
            rest = rest_of_chunk
            if newline:
                line += block.count(b"\n") + 1
                yield block + newline
        if rest:
            yield rest

    def _parse(self, block: bytes) -> Ratings | None:
        """Return the block's ratings, or None where any line of it is broken."""
        separator = self._form.separator
        size = len(block)
        if len(separator) > 1:
            block, separator = block.replace(separator.encode(), b"\t"), "\t"
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(block),
                read_options=arrow_csv.ReadOptions(column_names=self._columns),
                parse_options=arrow_csv.ParseOptions(delimiter=separator),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict(zip(RATING_COLUMNS, _TYPES, strict=True)),
                    include_columns=RATING_COLUMNS,
                    null_values=[],
                ),
            )
        except pa.ArrowInvalid:
            return None
        person, movie, stars, seconds = (table[name].to_numpy() for name in RATING_COLUMNS)
        place = np.minimum(np.searchsorted(self._known, movie), len(self._known) - 1)
        half_stars = stars * 2
        good = (
            (person >= 0)
            & (self._known[place] == movie)
            & (half_stars >= MIN_HALF_STARS)
            & (half_stars <= MAX_HALF_STARS)
            & (half_stars == np.floor(half_stars))
            & (seconds >= SECONDS.start)
            & (seconds < SECONDS.stop)
        )
        if not good.all():
            return None
        return Ratings(person, self._catalogued[place], half_stars.astype(np.int16), seconds, size)

    def _explain(self, block: bytes, first_line: int) -> NoReturn:
        """Raise what is wrong with the block's first broken line."""
        for line, text in enumerate(block.split(b"\n"), start=first_line):
            if text := text.rstrip(b"\r"):
                self._check(text, line)
        last_line = first_line + block.count(b"\n")
        raise ImportFailed(f"a line from here to {last_line} is broken", self.name, first_line)

    def _check(self, line_text: bytes, line: int) -> None:
        try:
            text = line_text.decode()
        except UnicodeDecodeError as error:
            raise ImportFailed("the text is not in UTF-8", self.name, line) from error
        fields = (
            next(csv.reader([text]), [])
            if self._form.separator == ","
            else text.split(self._form.separator)
        )
        if len(fields) != len(self._columns):
            reason = f"{len(self._columns)} fields are needed, not {len(fields)}"
            raise ImportFailed(reason, self.name, line)
        person, movie, stars, seconds = (
            fields[self._columns.index(name)] for name in RATING_COLUMNS
        )
        whole_number(person, "userId", self.name, line)
        number = whole_number(movie, "movieId", self.name, line)
        if number not in self._movie_ids:
            reason = f"the film {number} is not in {self._form.films}"
            raise ImportFailed(reason, self.name, line)
        self._check_stars(stars, line)
        if whole_number(seconds, "timestamp", self.name, line) not in SECONDS:
            reason = f"timestamp {seconds} is no time in seconds between 1970 and 2099"
            raise ImportFailed(reason, self.name, line)

    def _check_stars(self, text: str, line: int) -> None:
        try:
            stars = float(text)
        except ValueError:
            raise ImportFailed(f"rating {text[:40]!r} is not a number", self.name, line) from None
        if stars * 2 not in range(MIN_HALF_STARS, MAX_HALF_STARS + 1):
            reason = f"rating {text[:40]} is not 0.5 to 5.0 in half stars"
            raise ImportFailed(reason, self.name, line)
