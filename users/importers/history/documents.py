"""The file that a person brings: a zip, or one table or JSON text. Bounded, and read in memory."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movies.importers.files import Archive, Files, ImportFailed, InMemory

LARGEST_BYTES = 20 * 2**20
"""Of the file as it is brought."""
MOST_MEMBERS = 10_000
UNPACKED_BYTES = 100 * 2**20
"""Of a zip's files together. Exports are of texts, which shrink to a fifth or so."""
MOST_SHRUNK = 200
MOST_COLUMNS = 200

# Control characters, and halves of surrogate pairs: PostgreSQL keeps neither kind.
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\ud800-\udfff]")
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"


class Documents:
    """The texts of what was brought, by name; `notes` is what was odd about them."""

    def __init__(self, name: str, content: bytes) -> None:
        """Look at the file without reading it all.

        Raises:
            ImportFailed: it is too large, damaged, or unpacks to too much.
        """
        self.name = Path(name.replace("\\", "/")).name[:200] or "file"
        self.notes: list[str] = []
        if not content.strip():
            raise ImportFailed("the file is empty")
        if len(content) > LARGEST_BYTES:
            raise ImportFailed(f"the file has more than {LARGEST_BYTES // 2**20} MB")
        self.is_zip = content.startswith((_ZIP, _EMPTY_ZIP))
        self._files: Files
        if self.is_zip:
            self._files = archive = Archive(Path(self.name), io.BytesIO(content))
            _check_bounds(archive.members)
            self.names = archive.names
        else:
            self._files = InMemory(self.name, {self.name: content})
            self.names = [self.name]
        self._texts: dict[str, str] = {}
        self._tables: dict[str, Table] = {}

    def text(self, name: str) -> str:
        """Return a document's text.

        Raises:
            ImportFailed: it is damaged, or no text.
        """
        if name not in self._texts:
            content = self._files.read(name, most=UNPACKED_BYTES)
            self._texts[name], note = decoded(content, name)
            if note:
                self.notes.append(note)
        return self._texts[name]

    def table(self, name: str) -> "Table":
        """Return a document of rows and columns.

        Raises:
            ImportFailed: it is damaged, no text, or has no line of column names.
        """
        if name not in self._tables:
            self._tables[name] = Table(name, self.text(name))
        return self._tables[name]

    def only_table(self) -> "Table | None":
        """Return the table that the file is, None where it is a zip or JSON.

        Raises:
            ImportFailed: as `table` does.
        """
        if self.is_zip or self.text(self.name).lstrip().startswith(("{", "[")):
            return None
        return self.table(self.name)

    def needed_table(self) -> "Table":
        """Return the table that the file is.

        Raises:
            ImportFailed: it is none, or as `table` does.
        """
        table = self.only_table()
        if table is None:
            raise ImportFailed("this is no table", self.name)
        return table

    def json(self, name: str) -> Any:
        """Return a document of JSON.

        Raises:
            ImportFailed: it is damaged, or no JSON.
        """
        try:
            return json.loads(self.text(name))
        except json.JSONDecodeError as error:
            raise ImportFailed(
                f"this is not valid JSON ({error.msg})", name, error.lineno
            ) from error
        except RecursionError as error:
            raise ImportFailed("this JSON is nested too deeply", name) from error

    def ending(self, suffix: str) -> list[str]:
        """Return the names that end so, in whatever case."""
        return [name for name in self.names if name.lower().endswith(suffix)]


def _check_bounds(members: list[zipfile.ZipInfo]) -> None:
    if any(member.filename == "[Content_Types].xml" for member in members):
        raise ImportFailed("this is a workbook; save it as CSV in your spreadsheet first")
    if len(members) > MOST_MEMBERS:
        raise ImportFailed(f"the zip holds more than {MOST_MEMBERS:,} files")
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > UNPACKED_BYTES or unpacked > MOST_SHRUNK * max(packed, 10_000):
        raise ImportFailed("the zip would unpack to far more than any export holds")
    if any(member.flag_bits & 0x1 for member in members):
        raise ImportFailed("the zip is locked with a password")


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """Return a text, and a note where its encoding could only be guessed.

    Raises:
        ImportFailed: this is no text.
    """
    text, note = "", ""
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = content.decode("utf-16")
        elif encoding := _wide(content):
            text = content.decode(encoding)
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
        note = (
            f"{name} is not in UTF-8. It was read as Windows-1252: see whether the accents are"
            " right, and if not, save it as UTF-8."
        )
    if _NO_TEXT.search(text):
        raise ImportFailed("this is no text, but some other kind of file", name)
    if text.lstrip()[:15].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise ImportFailed("this is a web page, not an export; download the file itself", name)
    return text, note


def _wide(content: bytes) -> str:
    """Return the name of UTF-16 without a mark, where every other byte is nothing."""
    start = content[:1000]
    if start[1::2].count(0) > len(start) // 4:
        return "utf-16-le"
    return "utf-16-be" if start[::2].count(0) > len(start) // 4 else ""


@dataclass(frozen=True)
class Row:
    """A row of a table: where it stands, and its cells by the columns' plain names."""

    place: str
    cells: dict[str, str]

    def get(self, *names: str) -> str:
        """Return the first cell that is not empty among these columns."""
        return next((cell for name in names if (cell := self.cells.get(name))), "")


class Table:
    """Rows and columns, with commas, semicolons, tabs or bars between them."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        first = text.lstrip("\r\n").partition("\n")[0]
        self._dialect = {"delimiter": max(",;\t|", key=first.count)}
        self._text = text
        _, self.header = next(self._lines(), (0, []))
        if len(self.header) < 1 or not any(self.header) or len(self.header) > MOST_COLUMNS:
            raise ImportFailed("there is no line with the columns’ names", name)
        self.columns = [plain(column) for column in self.header]

    def __contains__(self, columns: tuple[str, ...]) -> bool:
        """Return whether the table has all these columns, by their plain names."""
        return set(columns) <= set(self.columns)

    def rows(self) -> Iterator[Row]:
        """Yield the rows beneath the names; a row of another length has only its place.

        Raises:
            ImportFailed: a quotation mark is not closed.
        """
        lines = self._lines()
        next(lines)
        for line, cells in lines:
            place = f"{self.name}, line {line}"
            if len(cells) > len(self.columns) and any(cells[len(self.columns) :]):
                yield Row(place, {})
            elif any(cells):
                yield Row(place, dict(zip(self.columns, cells, strict=False)))

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(self._text, newline=""), **self._dialect)  # type: ignore[arg-type]
        try:
            for cells in reader:
                if any(cells):
                    yield reader.line_num, [cell.strip() for cell in cells]
        except csv.Error as error:
            reason = "a quotation mark is never closed, or a cell is far too long"
            raise ImportFailed(reason, self.name, reader.line_num) from error


def plain(column: str) -> str:
    """Return a column's name without case, blanks and signs: "Your Rating" as "yourrating"."""
    return "".join(letter for letter in column.casefold() if letter.isalnum())
