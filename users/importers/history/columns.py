"""Any other table: what its columns seem to say, and reading it by what a person says they do."""

from dataclasses import dataclass, fields, replace

from movies.importers.files import ImportFailed
from users.importers.history.base import History, rating_in
from users.importers.history.documents import Documents, Table, plain
from users.importers.history.tables import Columns, read_rows
from users.scales import Scale

# What columns are mostly called, by their plain names.
USUAL = Columns(
    title=(
        *("title", "name", "film", "movie", "movietitle", "filmtitle", "originaltitle"),
        *("titel", "titre", "titulo", "título", "titolo"),
    ),
    year=(
        *("year", "releaseyear", "released", "releasedate", "premiered"),
        *("jahr", "année", "annee", "año", "ano", "anno"),
    ),
    rating=(
        *("rating", "yourrating", "myrating", "stars", "score", "userrating", "rate", "grade"),
        *("note", "wertung", "bewertung", "nota", "voto"),
    ),
    at=("daterated", "ratedat", "watcheddate", "date", "watched", "datewatched", "timestamp"),
    imdb=("imdbid", "imdb", "const", "tconst", "imdburl"),
    tmdb=("tmdbid", "tmdb", "themoviedbid"),
)


@dataclass(frozen=True)
class Naming:
    """What a person says of a table: the columns' headings, "" for none."""

    title: str = ""
    year: str = ""
    rating: str = ""
    at: str = ""
    imdb: str = ""
    tmdb: str = ""
    is_watchlist: bool = False
    """Whether films without a rating are to be seen; else they have been."""


NAMED = [field.name for field in fields(Naming) if field.name != "is_watchlist"]


def guess(table: Table) -> Naming:
    """Return the naming that the headings suggest."""
    found = {name: _heading(table, getattr(USUAL, name)) for name in NAMED}
    return Naming(**found, is_watchlist="watchlist" in table.name.lower())


def _heading(table: Table, usual: tuple[str, ...]) -> str:
    for name in usual:
        if name in table.columns:
            return table.header[table.columns.index(name)]
    return ""


def read(documents: Documents, naming: Naming) -> History:
    """Return what the table says.

    Raises:
        ImportFailed: no title or id is named, a column is missing, or no row can be read.
    """
    table = documents.needed_table()
    named = {name: getattr(naming, name) for name in NAMED if getattr(naming, name)}
    if not {"title", "imdb", "tmdb"} & set(named):
        raise ImportFailed("say which column has the titles")
    for heading in named.values():
        if heading not in table.header:
            raise ImportFailed(f"there is no column {heading[:60]!r}", table.name)
    columns = replace(Columns(), **{name: (plain(heading),) for name, heading in named.items()})
    history = History("your table", notes=list(documents.notes))
    if columns.rating:
        history.scale, history.is_scale_guessed = _scale(table, columns), True
    read_rows(history, table, columns, naming.is_watchlist)
    return history.finish()


def _scale(table: Table, columns: Columns) -> Scale:
    """Return the narrowest scale on which the column's ratings are."""
    highest, top = 0.0, 0.0
    for row in table.rows():
        try:
            found = rating_in(row.get(*columns.rating))
        except ValueError:
            continue
        if found:
            highest, top = max(highest, found[0]), max(top, found[1] or 0)
    try:
        return Scale.of(max(highest, top))
    except ValueError as error:
        raise ImportFailed(f"the ratings cannot be understood: {error}", table.name) from error
