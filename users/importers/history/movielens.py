"""MovieLens: the table of one's ratings there, or one person's part of a published dataset."""

from movies.importers.files import ImportFailed
from users.importers.history.base import Format, History
from users.importers.history.documents import Documents, Row
from users.importers.history.tables import Columns, read_rows

COLUMNS = Columns(
    title=("title",), rating=("rating",), imdb=("imdbid",), tmdb=("tmdbid",), movielens=("movieid",)
)
DATASET_COLUMNS = Columns(rating=("rating",), at=("timestamp",), movielens=("movieid",))


class MovieLens(Format):
    name = "MovieLens"

    def recognizes(self, documents: Documents) -> bool:
        table = documents.only_table()
        return table is not None and ("movieid", "imdbid", "tmdbid", "title") in table

    def read(self, documents: Documents) -> History:
        history = History(self.name)
        table = documents.needed_table()
        read_rows(history, table, COLUMNS, is_wanted="rating" not in table.columns)
        return history


class MovieLensDataset(Format):
    name = "MovieLens"

    def recognizes(self, documents: Documents) -> bool:
        table = documents.only_table()
        return table is not None and ("userid", "movieid", "rating") in table

    def read(self, documents: Documents) -> History:
        history = History(self.name)
        table = documents.needed_table()
        people: set[str] = set()

        def note_person(row: Row) -> bool:
            people.add(row.get("userid"))
            if len(people) > 1:
                raise ImportFailed(
                    "this holds the ratings of many people, not yours alone", table.name
                )
            return False

        read_rows(history, table, DATASET_COLUMNS, skip=note_person)
        return history
