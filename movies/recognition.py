"""Which film of the catalogue a person means, by the ids, or the title and year, that they bring.

Ids decide where the catalogue has them. Else a title decides with its year: as it is written, then
in another spelling or with parts left out (`movies.matching`). Sources differ by a year in what
they call a film's year, so the years beside it are looked at next, and at once for a namesake that
is far better known. What is told by less than that is doubtful, for the person to decide; a film
whose ids speak against it is never meant.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from movies import search, titles
from movies.catalogue import Index, KnownFilm
from movies.models import Movie, search_titles

MOST_CANDIDATES = 5
# By so many times as many people as one of the very year.
FAR_BETTER_KNOWN = 10
# Of so many titles that the search finds, those so like (0 to 1) are shown where no title is equal.
LOOKED_AT, LIKE = 20, 0.7

Found = TypeVar("Found", KnownFilm, Movie)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is known of a film that somebody means."""

    title: str = ""
    year: int | None = None
    imdb_id: int | None = None
    tmdb_id: int | None = None
    movielens_id: int | None = None


class How(StrEnum):
    """By what a film was recognized, the surest first."""

    ID = "id"
    TITLE = "title"
    SPELLING = "spelling"
    YEAR_BESIDE = "year"
    LIKENESS = "likeness"
    NOT = ""


@dataclass(frozen=True, slots=True)
class Recognized:
    """The films that may be meant, the likeliest first."""

    movie_ids: Sequence[int] = ()
    how: How = How.NOT
    is_sure: bool = False


def recognize(sought: Sought, index: Index) -> Recognized:
    """Return the film that is meant, those that may be, or none."""
    if by_id := _by_ids(sought, index):
        return _recognized(by_id, How.ID)
    names = _names(sought.title)
    if not names:
        return Recognized()
    for how, found in _by_title(sought, names, index):
        if films := _not_spoken_against(sought, found):
            return _recognized(films, how)
    return Recognized(_alike(sought), How.LIKENESS)


def _recognized(films: Sequence[KnownFilm], how: How) -> Recognized:
    return Recognized([film.id for film in films[:MOST_CANDIDATES]], how, len(films) == 1)


def _by_ids(sought: Sought, index: Index) -> list[KnownFilm]:
    films = (
        index.by_imdb_id.get(sought.imdb_id or 0),
        index.by_tmdb_id.get(sought.tmdb_id or 0),
        index.by_movielens_id.get(sought.movielens_id or 0),
    )
    return list({film.id: film for film in films if film}.values())


def _names(title: str) -> list[str]:
    """Return the titles in "Seven (a.k.a. Se7en)", and before them the whole as it stands."""
    parsed = titles.parse(title)
    whole = titles.in_reading_order(title)
    names = [whole, parsed.title, *parsed.alternatives] if parsed.alternatives else [whole]
    return [name for name in dict.fromkeys(names) if name]


def _by_title(
    sought: Sought, names: list[str], index: Index
) -> Iterator[tuple[How, list[KnownFilm]]]:
    """Yield the films that have the title, each time by less."""
    keys = search_titles(names[0], names[1:]).splitlines()
    if sought.year is None:
        yield How.TITLE, index.titled_in_any_year(keys)
        return
    titled = index.titled(keys, sought.year)
    beside = index.titled(keys, sought.year, within=1)
    if better_known := _far_better_known(beside, titled):
        # "Titanic" of 1996: that one, or the one of 1997 that everybody has seen?
        yield How.YEAR_BESIDE, [*better_known, *titled]
    yield How.TITLE, titled
    spelled = index.resembling(names, sought.year)
    if spelled and beside:
        # "Apollo 13" of 1994: the one of 1995, or "Apollo 13: To the Edge and Back"?
        yield How.LIKENESS, [*beside, *spelled]
    yield How.SPELLING, spelled
    yield How.YEAR_BESIDE, beside


def _far_better_known(films: list[KnownFilm], titled: list[KnownFilm]) -> list[KnownFilm]:
    """Return those of the films that a person means rather, where some have the very year."""
    if not titled:
        return []
    most = max(film.rating_count for film in titled)
    return [film for film in films if film.rating_count > FAR_BETTER_KNOWN * (most + 1)]


def _not_spoken_against(sought: Sought, films: Iterable[Found]) -> list[Found]:
    """Leave out the films that have other ids than the one that is meant."""
    return [
        film
        for film in films
        if not any(
            ours and theirs and ours != theirs
            for ours, theirs in (
                (sought.imdb_id, film.imdb_id),
                (sought.tmdb_id, film.tmdb_id),
                (sought.movielens_id, film.movielens_id),
            )
        )
    ]


def _alike(sought: Sought) -> list[int]:
    """Return the films of about the year with a title that is much like it: never sure."""
    if sought.year is None:
        return []
    query = search.parse(f"{sought.title} {sought.year}")
    found = [
        match.movie_id for match in search.match_titles(query, LOOKED_AT) if match.likeness >= LIKE
    ]
    years = range(sought.year - 1, sought.year + 2)
    films = Movie.objects.filter(pk__in=found, year__in=years)
    near = {film.pk for film in _not_spoken_against(sought, films)}
    return [pk for pk in found if pk in near][:MOST_CANDIDATES]
