"""Letterboxd: the zip of a whole account, the tables in it, and the table that it imports itself.

The account's zip has `ratings.csv`, `watched.csv` and `watchlist.csv`; its diary, reviews, likes
and lists say nothing of a film's rating that these do not, and are left out. The columns are
described at letterboxd.com/about/importing-data/.
"""

from dataclasses import replace

from movies.importers.files import ImportFailed
from users.importers.history.base import Format, History
from users.importers.history.documents import Documents, Table
from users.importers.history.tables import Columns, read_rows
from users.scales import Scale

ADDRESS = "letterboxduri"
COLUMNS = Columns(title=("name",), year=("year",), rating=("rating",), at=("date",), key=(ADDRESS,))
# In these tables an address is an entry's of the diary, not a film's.
DIARY_COLUMNS = Columns(
    title=("name",), year=("year",), rating=("rating",), at=("watcheddate", "date")
)
IMPORT_COLUMNS = Columns(
    title=("title",), year=("year",), at=("watcheddate",), imdb=("imdbid",), tmdb=("tmdbid",)
)
IDS = frozenset({"tmdbid", "imdbid", ADDRESS})
READ = ("watched.csv", "ratings.csv", "watchlist.csv")


class Letterboxd(Format):
    name = "Letterboxd"

    def recognizes(self, documents: Documents) -> bool:
        return any(("name", "year", ADDRESS) in table for table in _tables(documents))

    def read(self, documents: Documents) -> History:
        history = History(self.name)
        for table in _tables(documents):
            is_diary = "watcheddate" in table.columns
            is_wanted = "watchlist" in table.name.lower()
            if not is_diary and not is_wanted and "rating" not in table.columns:
                _check_name(table.name)
            read_rows(history, table, DIARY_COLUMNS if is_diary else COLUMNS, is_wanted)
        if documents.is_zip:
            history.notes.append(
                "Ratings, films watched and the watchlist are taken over; the diary, reviews,"
                " likes and lists are not."
            )
        return history


def _tables(documents: Documents) -> list[Table]:
    if documents.is_zip:
        return [documents.table(name) for name in READ if name in documents.names]
    table = documents.only_table()
    if table and table.header[0].startswith("Letterboxd list export"):
        raise ImportFailed(
            "this is one list; bring the zip of your account, or its ratings.csv, watched.csv or"
            " watchlist.csv",
            table.name,
        )
    return [table] if table else []


def _check_name(name: str) -> None:
    """A list of films without stars says only by its name what it is a list of."""
    if "watched" not in name.lower():
        raise ImportFailed(
            "this may be a list of films that you have seen, or of those that you want to see; name"
            " it watched.csv or watchlist.csv, as Letterboxd does",
            name,
        )


class LetterboxdImport(Format):
    """What Letterboxd imports; other sites and tools, ours too, export it."""

    name = "a table for Letterboxd"

    def recognizes(self, documents: Documents) -> bool:
        table = documents.only_table()
        return table is not None and "title" in table.columns and not IDS.isdisjoint(table.columns)

    def read(self, documents: Documents) -> History:
        table = documents.needed_table()
        is_ten = "rating" not in table.columns and "rating10" in table.columns
        columns = replace(IMPORT_COLUMNS, rating=("rating10",) if is_ten else ("rating",))
        history = History(self.name, Scale.TEN if is_ten else Scale.STARS)
        read_rows(history, table, columns, is_wanted="watchlist" in table.name.lower())
        return history
