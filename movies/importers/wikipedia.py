"""American films from Wikipedia: overviews, casts and posters for the catalogue.

The files are those of https://github.com/prust/wikipedia-movie-data (code MIT, text CC BY-SA):
one a decade, each a list of films with title, year, cast, genres and, where Wikipedia has them, an
introduction and a poster thumbnail.

Films are matched by title and year. A film takes the entry of its own year, else the only one of
the year before or after; where several fit, genres decide, and if they cannot it stays as it is.
Films and entries that are left over are the same where one title is another way to write the other
(`movies.matching`) and no further one resembles either. Only what a film lacks is filled, so that
nothing a person wrote is lost.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify
from rich.progress import Progress

from movies import catalogue, matching, titles
from movies.catalogue import GENRE_LENGTH, TITLE_LENGTH, Description, Film, Index, KnownFilm
from movies.importers.download import fetch
from movies.importers.files import Files, Folder, ImportFailed, files_of, storable
from movies.importers.progress import step
from movies.models import Movie, Person

DOWNLOAD = "download"
FILES = tuple(f"movies-{decade}s.json" for decade in range(1900, 2030, 10))
NAME_LENGTH = Person._meta.get_field("name").max_length or 0
POSTER_LENGTH = Movie._meta.get_field("poster_url").max_length or 0
# Crowds are named at times; the rest of a page's cast is of no use here.
MOST_CAST = 30


@dataclass(slots=True, kw_only=True)
class Entry:
    """A film as Wikipedia has it."""

    title: str
    year: int
    genres: tuple[str, ...]
    description: Description

    @property
    def keys(self) -> list[str]:
        return catalogue.match_keys(self.title, titles.search_key(self.title))


@dataclass(frozen=True)
class Imported:
    """What an import did, in entries but for `changed`, which counts films."""

    read: int
    matched: int
    created: int
    doubtful: int
    unknown: int
    changed: int


def find(source: str, progress: Progress) -> Files:
    """Return the files of a folder or zip, or download them.

    Raises:
        ImportFailed: there is no such source, or it cannot be reached.
    """
    if source != DOWNLOAD or Path(source).exists():
        return files_of(Path(source).expanduser())
    folder = settings.DOWNLOADS / "wikipedia-movies"
    for name in FILES:
        fetch(urljoin(settings.WIKIPEDIA_URL, name), folder, _is_json, progress)
    return Folder(folder)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def import_films(files: Files, progress: Progress, create: bool = False) -> Imported:
    """Describe the catalogue's films by the files' entries; `create` adds those it lacks.

    Raises:
        ImportFailed: a file is broken; nothing has been changed.
    """
    with step(progress, "Reading entries"):
        entries = [entry for name in FILES if name in files for entry in read_entries(files, name)]
    if not entries:
        raise ImportFailed(f"no films in {files.label}: files are called {FILES[0]} and so on")
    with transaction.atomic():
        catalogue.lock()
        with step(progress, "Matching titles"):
            matches = match(entries, Index())
        new = (
            dict(zip(catalogue.fresh_ids(), _once(matches.unknown), strict=False)) if create else {}
        )
        with step(progress, "Writing films"):
            catalogue.write_films({pk: _film(entry) for pk, entry in new.items()})
            described = matches.entries | new
            changed = catalogue.describe({pk: entry.description for pk, entry in described.items()})
            changed |= catalogue.name_otherwise(matches.other_titles)
    return Imported(
        read=len(entries),
        matched=len(matches.entries),
        created=len(new),
        doubtful=matches.doubtful,
        unknown=len(entries) - len(matches.entries) - len(new) - matches.doubtful,
        changed=len(changed),
    )


def _film(entry: Entry) -> Film:
    return Film(title=entry.title, year=entry.year, genres=entry.genres)


def _once(entries: Sequence[Entry]) -> list[Entry]:
    """Leave out entries that repeat an earlier one's title and year."""
    return list({(entry.keys[0], entry.year): entry for entry in reversed(entries)}.values())[::-1]


# Matching ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Matches:
    """The outcome of matching."""

    entries: dict[int, Entry]
    """By the id of the film that they describe."""
    doubtful: int
    """Entries that may be any of several films, or of which several may be one film."""
    unknown: list[Entry]
    """Entries of films that the catalogue lacks."""
    other_titles: dict[int, str]
    """What entries call films (by id) that have a longer or shorter title in the catalogue."""


def match(entries: Sequence[Entry], index: Index) -> Matches:
    """Find each entry's film, and of several entries for one film the right one."""
    claims: defaultdict[int, list[Entry]] = defaultdict(list)
    films: dict[int, KnownFilm] = {}
    doubtful, unknown = 0, []
    for entry in entries:
        exact = index.titled(entry.keys, entry.year)
        candidates = exact or index.titled(entry.keys, entry.year, within=1)
        alike = catalogue.most_alike(candidates, entry.genres)
        if len(candidates) > 1 and (len(alike) > 1 or not exact):
            doubtful += 1
        elif alike:
            films[alike[0].id] = alike[0]
            claims[alike[0].id].append(entry)
        else:
            unknown.append(entry)
    matched: dict[int, Entry] = {}
    for pk, claiming in claims.items():
        chosen, others = _choose(claiming, films[pk])
        if chosen:
            matched[pk] = chosen
        unknown += others
        doubtful += len(claiming) - len(others) - (chosen is not None)
    resembled = _resembled(unknown, index, claims.keys())
    found = {id(entry) for _, entry in resembled}
    return Matches(
        entries=matched | {film.id: entry for film, entry in resembled},
        doubtful=doubtful,
        unknown=[entry for entry in unknown if id(entry) not in found],
        other_titles={
            film.id: other
            for film, entry in resembled
            for other in matching.other_title(film.title, entry.title)
        },
    )


def _resembled(
    entries: Sequence[Entry], index: Index, claimed: Collection[int]
) -> list[tuple[KnownFilm, Entry]]:
    """Return the films that no entry claims by title, with the one entry that resembles each."""
    resembling: defaultdict[int, list[tuple[KnownFilm, Entry]]] = defaultdict(list)
    for entry in entries:
        films = index.resembling([entry.title], entry.year, entry.genres)
        films = [film for film in films if film.id not in claimed]
        if len(films) == 1:
            resembling[films[0].id].append((films[0], entry))
    return [pairs[0] for pairs in resembling.values() if len(pairs) == 1]


def _choose(claiming: list[Entry], film: KnownFilm) -> tuple[Entry | None, list[Entry]]:
    """Return the entry that is the film, if one is, and the entries that are other films.

    Once an entry is of the film's own year, those of other years are other films.
    """
    exact = [entry for entry in claiming if entry.year == film.year]
    others = [entry for entry in claiming if entry.year != film.year] if exact else []
    nearest = exact or claiming
    shared = [len(film.genres & set(entry.genres)) for entry in nearest]
    best = [entry for entry, count in zip(nearest, shared, strict=True) if count == max(shared)]
    return (best[0] if len(best) == 1 else None), others


# Reading -----------------------------------------------------------------------------------------


def read_entries(files: Files, name: str) -> Iterator[Entry]:
    """Yield a file's films.

    Raises:
        ImportFailed: the file is broken: on which line, or in which film, counted from 1.
    """
    content = files.read(name)
    try:
        films = json.loads(content)
    except json.JSONDecodeError as error:
        raise ImportFailed(f"this is not valid JSON ({error.msg})", name, error.lineno) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ImportFailed("the text is not in UTF-8", name, line) from error
    if not isinstance(films, list):
        raise ImportFailed("this is no list of films", name)
    for number, film in enumerate(films, start=1):
        try:
            yield _entry(film)
        except (ValueError, RecursionError) as error:
            raise ImportFailed(str(error), name, number, unit="film") from error


# A page's fractions bring their style sheet into the text.
_STYLES = re.compile(r"\.mw-parser-output[^{}]*\{[^{}]*\}")


def _entry(film: Any) -> Entry:
    """Return the film that the JSON object describes; a ValueError says what is wrong with it."""
    if not isinstance(film, dict):
        raise ValueError("this is no object with a title")
    title = " ".join(_STYLES.sub("", _value(film, "title", str)).split())
    if not title or len(title) > TITLE_LENGTH:
        raise ValueError(f"the title has not 1 to {TITLE_LENGTH} letters")
    year = _value(film, "year", int)
    if year not in catalogue.YEARS:
        raise ValueError(f"the year {year} is out of range")
    poster = _optional(film, "thumbnail")
    return Entry(
        title=title,
        year=year,
        genres=tuple(_genres(_value(film, "genres", list))),
        description=Description(
            overview=_STYLES.sub("", _optional(film, "extract")).strip(),
            poster_url=poster if _is_address(poster) else "",
            cast=tuple(clean_cast(_value(film, "cast", list))),
        ),
    )


def _value(film: dict[str, Any], key: str, kind: type) -> Any:
    if key not in film:
        raise ValueError(f"{key} is missing")
    value = film[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{key} is of the wrong kind ({json.dumps(value)[:40]})")
    texts: Any = value if kind is list else [value] if kind is str else []
    for text in texts:
        if not isinstance(text, str) or not storable(text):
            raise ValueError(f"{key} holds something that is not text")
    return value


def _optional(film: dict[str, Any], key: str) -> str:
    return "" if film.get(key) is None else _value(film, key, str)


def _is_address(text: str) -> bool:
    return text.startswith("https://") and len(text) <= POSTER_LENGTH and " " not in text


def _genres(names: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(catalogue.genre_name(name.strip()) for name in names):
        if slugify(name) and len(name) <= GENRE_LENGTH:
            yield name


# Pages' tables leave more than names in the lists of actors: notes in brackets, links cut open,
# and the words between links.
_NOTE = re.compile(r"\s*(\([^()]*\)|\[[^\[\]]*\])\s*")
_LEAD = re.compile(r"^(and|with|featuring|cast:|dir\.:|starring)\s+", re.IGNORECASE)
_NO_NAMES = frozenset(
    {"cast", "dir.", "director", "jr.", "none", "sr.", "the", "unknown", "various"}
)
# "The life of ...", "Academy Award for ..."
_PROSE = frozenset({"for", "of"})
_NAME_PARTS = 6


def clean_cast(names: Sequence[str]) -> list[str]:
    """Return the names of people among the strings of a cast, each once, at most `MOST_CAST`."""
    cleaned = (_clean_name(name) for name in names)
    return list(dict.fromkeys(name for name in cleaned if name))[:MOST_CAST]


def _clean_name(text: str) -> str:
    """Return the person's name in the string, or nothing where there is none.

    A name starts with a capital, a digit or a nickname in quotes, and is not longer than people's
    names are. The prose of a documentary's summary is neither.
    """
    name = _LEAD.sub("", _NOTE.sub(" ", text)).lstrip(". ").strip(" \t\n,;:&-–*'[]")
    words = name.split()
    is_name = (
        words
        and len(words) <= _NAME_PARTS
        and len(name) <= NAME_LENGTH
        and name.lower() not in _NO_NAMES
        and not _PROSE & set(words)
        and not set("()[]{}<>|/") & set(name)
        and (words[0][0].isupper() or words[0][0].isdigit() or words[0][0] == '"')
    )
    return " ".join(words) if is_name else ""
