"""What is read of a file, whichever site it is from: entries, problems and notes."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from movies.catalogue import YEARS
from movies.importers.files import ImportFailed, storable
from movies.recognition import Sought
from users.importers.history.documents import Documents
from users.scales import Scale

MOST_ENTRIES = 50_000
"""Films in a file; nobody has seen more."""
FIRST_TIME = datetime(1990, 1, 1, tzinfo=UTC)
"""What is said to be of before is no time at which anybody rated a film online."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """What a file says of one film."""

    title: str = ""
    year: int | None = None
    imdb_id: int | None = None
    tmdb_id: int | None = None
    movielens_id: int | None = None
    rating: float | None = None
    """As it stands in the file, on the file's scale."""
    is_seen: bool = False
    is_wanted: bool = False
    """Whether the film is on the watchlist."""
    at: datetime | None = None
    """When it was rated, or else seen, or put on the watchlist."""
    key: str = ""
    """The site's own name for the film, where it has one."""

    @property
    def sought(self) -> Sought:
        """What the catalogue is asked for."""
        return Sought(
            title=self.title,
            year=self.year,
            imdb_id=self.imdb_id,
            tmdb_id=self.tmdb_id,
            movielens_id=self.movielens_id,
        )

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells the film from the file's others."""
        ids = (self.imdb_id, self.tmdb_id, self.movielens_id)
        if self.key or any(ids):
            return (self.key, *ids)
        return (self.title.casefold(), self.year)


@dataclass(frozen=True)
class Problem:
    """A row that is left out, and why."""

    place: str
    reason: str


@dataclass
class History:
    """What a person has made of films elsewhere, as a file tells it."""

    source: str
    scale: Scale = Scale.STARS
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What the person should know of how the file was read."""
    is_scale_guessed: bool = False
    """Whether the scale was told from the ratings, so that it may be another."""

    def add(self, entry: Entry, place: str) -> None:
        """Keep an entry, or note what is wrong with it."""
        try:
            _check(entry, self.scale)
        except ValueError as error:
            self.leave_out(place, str(error))
            return
        self.entries.append(entry)
        self._check_size()

    def leave_out(self, place: str, reason: str) -> None:
        """Note a row that cannot be read."""
        self.problems.append(Problem(place, reason))
        self._check_size()

    def _check_size(self) -> None:
        if len(self.entries) + len(self.problems) > MOST_ENTRIES:
            raise ImportFailed(f"more than {MOST_ENTRIES:,} rows are no one person's films")

    def finish(self) -> "History":
        """Make one entry of all that is said of a film; return the history.

        Raises:
            ImportFailed: nothing is left to import.
        """
        self.entries = merged(self.entries)
        if not self.entries and self.problems:
            first = self.problems[0]
            raise ImportFailed(f"no film could be read; {first.place}: {first.reason}")
        if not self.entries:
            raise ImportFailed("there are no films in it")
        return self


class Format(ABC):
    """One site's export."""

    name: str

    @abstractmethod
    def recognizes(self, documents: Documents) -> bool:
        """Return whether the documents are this site's, by their content."""

    @abstractmethod
    def read(self, documents: Documents) -> History:
        """Return what the documents say.

        Raises:
            ImportFailed: they cannot be read.
        """


def _check(entry: Entry, scale: Scale) -> None:
    if not entry.title and not (entry.imdb_id or entry.tmdb_id or entry.movielens_id):
        raise ValueError("there is no title")
    if not storable(entry.title):
        raise ValueError("the title is no text")
    if entry.year is not None and entry.year not in YEARS:
        raise ValueError(f"{entry.year} is no year of a film")
    if entry.rating is not None:
        scale.half_stars(entry.rating)


def merged(entries: Iterable[Entry]) -> list[Entry]:
    """Return one entry a film, in the order of their first; the latest rating counts."""
    films: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        known = films.setdefault(entry.identity, entry)
        if known is entry:
            continue
        known.is_seen |= entry.is_seen
        known.is_wanted |= entry.is_wanted
        if _says_more(entry, known):
            known.rating, known.at = entry.rating, entry.at or known.at
    return list(films.values())


def _says_more(entry: Entry, known: Entry) -> bool:
    if entry.rating is None:
        return False
    if known.rating is None or entry.at is None or known.at is None:
        return True
    return entry.at >= known.at


# What stands in a cell -------------------------------------------------------------------------

_STARS = re.compile(r"(★*)(½?)")
_OF = re.compile(r"(?P<value>[\d.]+)\s*(?:/|of|out of)\s*(?P<top>[\d.]+)")


def rating_in(text: str) -> tuple[float, float | None] | None:
    """Return the rating in a cell, and of how many where the cell says so; None in an empty one.

    "4", "4,5", "8/10", "85%" and "★★★½" are ratings.

    Raises:
        ValueError: the cell holds something else.
    """
    text = text.strip()
    if not text:
        return None
    stars = _STARS.fullmatch(text)
    if stars and text:
        return len(stars[1]) + len(stars[2]) / 2, 5
    plain = text.replace(",", ".")
    if plain.endswith("%"):
        return _number(plain[:-1], text), 100
    if found := _OF.fullmatch(plain):
        return _number(found["value"], text), _number(found["top"], text)
    return _number(plain, text), None


def _number(plain: str, text: str) -> float:
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"the rating {text[:40]!r} is no number")
    return value


_ID = re.compile(r"(?:tt)?0*(\d{1,9})")


def id_in(text: str) -> int | None:
    """Return the number in "tt0133093", "0133093" or an address that ends so; else None."""
    found = _ID.fullmatch(text.strip().rstrip("/").rpartition("/")[2])
    return int(found[1]) or None if found else None


def whole_in(value: Any) -> int | None:
    """Return the whole number that JSON has there, None for nothing, and where it is no id's size.

    Raises:
        TypeError, ValueError: it is no number.
    """
    number = int(value) if value not in (None, "") else 0
    return number if 0 < number < 2**31 else None


_YEAR = re.compile(r"(?:18[7-9]|19\d|20\d|21\d)\d")


def year_in(text: str) -> int | None:
    """Return the year in "1999", "1999-03-31" or "31 March 1999"; None where there is none."""
    found = re.search(rf"(?<!\d){_YEAR.pattern}(?!\d)", text)
    return int(found[0]) if found else None


def time_in(text: str) -> datetime | None:
    """Return the time in "2024-01-31", in any other form of ISO 8601, or in seconds since 1970.

    None where there is none, and where nobody can have rated a film then.
    """
    text = text.strip()
    try:
        if text.isdecimal() and len(text) > 8:
            time = datetime.fromtimestamp(int(text), UTC)
        else:
            time = datetime.fromisoformat(text.replace("/", "-"))
    except (ValueError, OverflowError, OSError):
        return None
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return time if FIRST_TIME <= time <= datetime.now(UTC) + timedelta(days=1) else None
