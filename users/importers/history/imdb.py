"""IMDb: the tables of one's ratings, and of a watchlist or another list."""

from users.importers.history.base import Format, History
from users.importers.history.documents import Documents, Row
from users.importers.history.tables import Columns, read_rows
from users.scales import Scale

COLUMNS = Columns(
    title=("title",),
    year=("year",),
    rating=("yourrating", "yourated"),
    at=("daterated", "created"),
    imdb=("const",),
)
# As IMDb names them now and as it did, with and without blanks.
NO_FILMS = ("series", "episode", "game", "podcast", "musicvideo", "serie")


class IMDb(Format):
    name = "IMDb"

    def recognizes(self, documents: Documents) -> bool:
        table = documents.only_table()
        return table is not None and ("const", "title") in table

    def read(self, documents: Documents) -> History:
        history = History(self.name, Scale.TEN)
        table = documents.needed_table()
        # A list has places. What is rated on it has been seen; the rest is to be.
        is_list = "position" in table.columns
        if skipped := read_rows(history, table, COLUMNS, is_list, skip=_is_no_film):
            history.notes.append(f"Series, episodes and games are left out: {skipped:,}.")
        return history


def _is_no_film(row: Row) -> bool:
    kind = row.get("titletype").lower().replace(" ", "")
    return any(word in kind for word in NO_FILMS)
