"""The Movie Database: the tables of one's ratings and of one's watchlist."""

from users.importers.history.base import Format, History
from users.importers.history.documents import Documents, Row
from users.importers.history.tables import Columns, read_rows
from users.scales import Scale

# "Rating" there is everybody's.
COLUMNS = Columns(
    title=("name", "title"),
    year=("releasedate",),
    rating=("yourrating",),
    at=("daterated", "dateadded"),
    imdb=("imdbid",),
    tmdb=("tmdbid",),
)


class TMDB(Format):
    name = "TMDB"

    def recognizes(self, documents: Documents) -> bool:
        table = documents.only_table()
        return table is not None and ("tmdbid", "releasedate", "type") in table

    def read(self, documents: Documents) -> History:
        history = History(self.name, Scale.TEN)
        table = documents.needed_table()
        is_wanted = "daterated" not in table.columns or "watchlist" in documents.name.lower()
        if skipped := read_rows(history, table, COLUMNS, is_wanted, skip=_is_no_film):
            history.notes.append(f"Series and episodes are left out: {skipped:,}.")
        return history


def _is_no_film(row: Row) -> bool:
    return row.get("type").lower() not in ("movie", "")
