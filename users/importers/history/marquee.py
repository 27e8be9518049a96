"""Our own export: the zip, or the JSON in it."""

from typing import Any

from movies.importers.files import ImportFailed
from users.importers.history.base import Entry, Format, History, time_in, whole_in
from users.importers.history.documents import Documents

FILE = "marquee.json"
FORMAT, VERSION = "marquee", 1


class Marquee(Format):
    name = "Marquee"

    def recognizes(self, documents: Documents) -> bool:
        if documents.is_zip:
            return FILE in documents.names
        content = None if documents.only_table() else documents.json(documents.name)
        return isinstance(content, dict) and content.get("format") == FORMAT

    def read(self, documents: Documents) -> History:
        name = FILE if documents.is_zip else documents.name
        content = documents.json(name)
        if not isinstance(content, dict) or content.get("version") != VERSION:
            raise ImportFailed("this is of a version that is not known here", name)
        history = History(self.name)
        for kind in ("ratings", "seen", "watchlist"):
            films = content.get(kind)
            for number, film in enumerate(films if isinstance(films, list) else [], start=1):
                place = f"{kind}, film {number}"
                try:
                    history.add(_entry(film, kind), place)
                except (AttributeError, LookupError, TypeError, ValueError):
                    history.leave_out(place, "it is not as we write it")
        return history


def _entry(film: dict[str, Any], kind: str) -> Entry:
    return Entry(
        title=str(film.get("title") or ""),
        year=whole_in(film.get("year")),
        imdb_id=whole_in(film.get("imdb_id")),
        tmdb_id=whole_in(film.get("tmdb_id")),
        movielens_id=whole_in(film.get("movielens_id")),
        rating=float(film["stars"]) if kind == "ratings" else None,
        is_seen=kind != "watchlist",
        is_wanted=kind == "watchlist",
        at=time_in(str(film.get("at") or "")),
    )
