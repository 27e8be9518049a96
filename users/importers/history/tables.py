"""Rows of tables into entries: what all the formats that are tables share."""

from collections.abc import Callable
from dataclasses import dataclass

from movies import titles
from users.importers.history.base import (
    Entry,
    History,
    id_in,
    rating_in,
    time_in,
    year_in,
)
from users.importers.history.documents import Row, Table

Names = tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """The plain names of the columns that say what; of several, the first that is filled counts."""

    title: Names = ()
    year: Names = ()
    rating: Names = ()
    at: Names = ()
    imdb: Names = ()
    tmdb: Names = ()
    movielens: Names = ()
    key: Names = ()


def read_rows(
    history: History,
    table: Table,
    columns: Columns,
    is_wanted: bool = False,
    skip: Callable[[Row], bool] = lambda row: False,
) -> int:
    """Add the table's rows to the history; return how many of them `skip` left out.

    What is not `is_wanted` has been seen.
    """
    skipped = 0
    for row in table.rows():
        if not row.cells:
            history.leave_out(row.place, "it has more cells than there are columns")
        elif skip(row):
            skipped += 1
        else:
            try:
                entry = entry_of(row, columns, history)
            except ValueError as error:
                history.leave_out(row.place, str(error))
                continue
            is_rated = entry.rating is not None
            entry.is_wanted = is_wanted and not is_rated
            entry.is_seen = not entry.is_wanted
            history.add(entry, row.place)
    return skipped


def entry_of(row: Row, columns: Columns, history: History) -> Entry:
    """Return a row's film; a ValueError says what is wrong with it."""
    parsed = titles.parse(row.get(*columns.title))
    year = year_in(row.get(*columns.year))
    # A title that ends with the film's own year in brackets is taken apart; others are whole.
    is_whole = year is not None and year != parsed.year
    return Entry(
        title=" ".join(row.get(*columns.title).split()) if is_whole else _with_others(parsed),
        year=year or parsed.year,
        rating=_rating(row.get(*columns.rating), history),
        at=time_in(row.get(*columns.at)),
        imdb_id=id_in(row.get(*columns.imdb)),
        tmdb_id=id_in(row.get(*columns.tmdb)),
        movielens_id=id_in(row.get(*columns.movielens)),
        key=row.get(*columns.key),
    )


def _with_others(parsed: titles.ParsedTitle) -> str:
    others = "".join(f" ({title})" for title in parsed.alternatives)
    return f"{parsed.title}{others}"


def _rating(text: str, history: History) -> float | None:
    """Return the cell's rating on the history's scale."""
    found = rating_in(text)
    if found is None:
        return None
    value, top = found
    if top and top > 0 and not history.is_scale_guessed:
        value *= history.scale.top / top
    return None if value == 0 and history.scale.half_stars(0) is None else value
