"""Trakt: the JSON of a backup, as one text or as a zip of several.

Every list there is of objects with a `movie` (or a show or an episode, which are left out) and what
was made of it: `rating` with `rated_at`, `watched_at` or `last_watched_at`, `listed_at`.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from users.importers.history.base import Entry, Format, History, time_in, whole_in
from users.importers.history.documents import Documents
from users.scales import Scale

NO_FILMS = ("show", "season", "episode", "person")
SEEN = ("last_watched_at", "watched_at")
LOOKED_AT, DEEPEST = 20, 3
"""Items of each list before a backup is taken for none of Trakt's; names that lead to a list."""


class Trakt(Format):
    name = "Trakt"

    def recognizes(self, documents: Documents) -> bool:
        return any(
            _tells_of(item, kind)
            for name in _texts(documents)
            for item, _, _ in islice(_items(documents.json(name), name), LOOKED_AT)
            for kind in ("movie", *NO_FILMS)
        )

    def read(self, documents: Documents) -> History:
        history = History(self.name, Scale.TEN)
        skipped = 0
        for name in _texts(documents):
            for item, where, number in _items(documents.json(name), name):
                if _tells_of(item, "movie"):
                    _add(history, item, where, f"{name}, item {number}", documents.is_zip)
                elif any(_tells_of(item, kind) for kind in NO_FILMS):
                    skipped += 1
        if skipped:
            history.notes.append(f"Series and episodes are left out: {skipped:,}.")
        return history


def _texts(documents: Documents) -> list[str]:
    if documents.is_zip:
        return documents.ending(".json")
    return [] if documents.only_table() else [documents.name]


def _items(content: Any, where: str, depth: int = 0) -> Iterator[tuple[Any, str, int]]:
    """Yield what is in the lists, with the names that lead to it and its number there."""
    if isinstance(content, list):
        for number, item in enumerate(content, start=1):
            yield item, where, number
    elif isinstance(content, dict) and depth < DEEPEST:
        for name, value in content.items():
            yield from _items(value, f"{where} {name}", depth + 1)


def _tells_of(item: Any, kind: str) -> bool:
    """Return whether the item is something that was made of a `movie`, a `show` and so on."""
    found = item.get(kind) if isinstance(item, dict) else None
    return isinstance(found, dict) and isinstance(found.get("ids"), dict)


def _add(history: History, item: dict[str, Any], where: str, place: str, is_zip: bool) -> None:
    movie, ids = item["movie"], item["movie"]["ids"]
    seen = next((item[name] for name in SEEN if item.get(name)), None)
    is_rated, is_listed = item.get("rating") is not None, "listed_at" in item
    # In a backup every list of one's own has `listed_at`; only one of them is the watchlist.
    if is_listed and not is_rated and is_zip and "watchlist" not in where.lower():
        return
    try:
        entry = Entry(
            title=_text(movie.get("title")),
            year=whole_in(movie.get("year")),
            imdb_id=whole_in(_text(ids.get("imdb")).removeprefix("tt")),
            tmdb_id=whole_in(ids.get("tmdb")),
            rating=float(item["rating"]) or None if is_rated else None,
            is_seen=is_rated or bool(seen),
            is_wanted=is_listed and not is_rated,
            at=time_in(_text(item.get("rated_at") or seen or item.get("listed_at"))),
            key=_text(ids.get("trakt")),
        )
    except (TypeError, ValueError):
        history.leave_out(place, "a number there is none")
        return
    if entry.is_seen or entry.is_wanted:
        history.add(entry, place)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
