"""Ratings and films as they stood at one moment, out of PostgreSQL and into arrays and columns."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from adbc_driver_postgresql import dbapi
from django.db import connection
from numpy.typing import NDArray
from psycopg.conninfo import make_conninfo

from movies.models import SHARED_BY
from recommender.catalogue import Credited, Films, Material, Tagged
from recommender.interactions import Ratings

RATINGS = "SELECT (user_id << 32) | (movie_id << 4) | value AS packed, rated_at FROM users_rating"
"""Two numbers a rating take PostgreSQL two thirds of the time of four: see `_unpacked`."""

_ID_BITS = {"users_user": 31, "movies_movie": 28}
"""That the ids of a packed rating have room in."""


@dataclass(frozen=True)
class Snapshot:
    """All ratings that count, and whose they are, as one transaction saw them."""

    taken_at: datetime
    ratings: Ratings
    user_ids: NDArray[np.int64]
    """(u,) whose ratings these are, ascending."""
    taste_revisions: NDArray[np.int64]
    """(u,) their `taste_revision` at that moment."""

    def revisions_of(self, user_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the revisions (n,) of these people (n,), each of whom is in the snapshot."""
        return self.taste_revisions[np.searchsorted(self.user_ids, user_ids)]


def take() -> Snapshot:
    """Read every rating that counts in one REPEATABLE READ transaction, as Arrow columns (ADBC).

    Its own connection sees what is committed, whatever Django's is in the middle of.
    """
    with _reader() as (cursor, taken_at):
        ratings = _ratings(cursor)
        cursor.execute("SELECT id, taste_revision FROM users_user ORDER BY id")
        people = cursor.fetch_arrow_table()
    user_ids, revisions = (column.to_numpy().astype(np.int64) for column in people.columns)
    has_rated = np.isin(user_ids, ratings.user_ids)
    return Snapshot(taken_at, ratings, user_ids[has_rated], revisions[has_rated])


def take_films() -> Films:
    """Read the catalogue, as `take` reads the ratings."""
    with _reader() as (cursor, _):
        return _films(cursor)


def take_material() -> tuple[datetime, Material]:
    """Read all that an embedder of films may learn from, as `take` reads; and say when it was."""
    with _reader() as (cursor, taken_at):
        return taken_at, Material(_films(cursor), _ratings(cursor))


@contextmanager
def _reader() -> Iterator[tuple[dbapi.Cursor, datetime]]:
    """A cursor that sees the database as it stands now, whatever is committed meanwhile."""
    with dbapi.connect(_conninfo()) as reader, reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT transaction_timestamp() AS taken_at")
        (taken_at,) = cursor.fetchone()
        yield cursor, _aware(taken_at)


def _ratings(cursor: dbapi.Cursor) -> Ratings:
    """All that count for their people's taste: none that was left out, as in fold-in.

    What was left out is sorted out here. PostgreSQL, which expects some of it always, would put all
    ratings into a hash table of temporary files to look for it.
    """
    _check_ids(cursor)
    left_out = _left_out(cursor)
    cursor.execute(RATINGS)
    columns: list[list[NDArray[Any]]] = [[], [], [], []]
    # A batch at a time: all ratings in Arrow's and in our form would be twice the memory.
    for batch in cursor.fetch_record_batch():
        packed, rated_at = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
        if len(left_out):
            counts = ~np.isin(packed >> 4, left_out)
            packed, rated_at = packed[counts], rated_at[counts]
        for parts, column in zip(
            columns, [*_unpacked(packed), _microseconds(rated_at)], strict=True
        ):
            parts.append(column)
    return Ratings(*map(_joined, columns))


def _check_ids(cursor: dbapi.Cursor) -> None:
    """Raise ValueError where an id has no room in a packed rating."""
    cursor.execute("SELECT (SELECT max(id) FROM users_user), (SELECT max(id) FROM movies_movie)")
    for (table, bits), highest in zip(_ID_BITS.items(), cursor.fetchone(), strict=True):
        if (highest or 0) >> bits:
            raise ValueError(f"{table}: ids must have {bits} bits at most, not be {highest:,}")


def _left_out(cursor: dbapi.Cursor) -> NDArray[np.int64]:
    """Whose ratings of which movies do not count (n,), packed but for the value."""
    cursor.execute("SELECT (user_id << 28) | movie_id AS packed FROM users_leftout")
    return np.asarray(cursor.fetch_arrow_table().column("packed").to_numpy())


def _unpacked(packed: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Users, movies and values (n,): 31 bits, 28 and 4."""
    return (
        (packed >> 32).astype(np.int32),
        (packed >> 4 & 0xFFFFFFF).astype(np.int32),
        (packed & 0xF).astype(np.int8),
    )


def _microseconds(moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Since 1970 (n,)."""
    return moments.astype("datetime64[us]").astype(np.int64)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """One array of the parts, which are gone afterwards."""
    joined = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    parts.clear()
    return joined


def _films(cursor: dbapi.Cursor) -> Films:
    movie_ids, titles, years, overviews = _columns(
        cursor, "SELECT id, title, year, overview FROM movies_movie ORDER BY id"
    )
    genres: dict[int, tuple[str, ...]] = {}
    for movie_id, rows in _by_movie(
        cursor,
        "SELECT kept.movie_id, genre.name FROM movies_movie_genres kept"
        " JOIN movies_genre genre ON genre.id = kept.genre_id ORDER BY 1",
    ):
        genres[movie_id] = tuple(sorted(name for (name,) in rows))
    credits: dict[int, tuple[Credited, ...]] = {}
    for movie_id, rows in _by_movie(
        cursor,
        "SELECT credit.movie_id, person.id, person.name, credit.role FROM movies_credit credit"
        " JOIN movies_person person ON person.id = credit.person_id"
        " ORDER BY credit.movie_id, credit.role <> 'director', credit.position, credit.id",
    ):
        credits[movie_id] = tuple(Credited(*row) for row in rows)
    tags: dict[int, tuple[Tagged, ...]] = {}
    for movie_id, rows in _by_movie(
        cursor,
        "SELECT kept.movie_id, tag.name, kept.people, tag.people FROM movies_movietag kept"
        " JOIN movies_tag tag ON tag.id = kept.tag_id"
        " ORDER BY kept.movie_id, kept.people DESC, tag.name",
    ):
        tags[movie_id] = tuple(
            Tagged(name, people) for name, people, everywhere in rows if everywhere >= SHARED_BY
        )
    return Films(
        movie_ids=np.array(movie_ids, dtype=np.int64),
        titles=titles,
        years=years,
        genres=[genres.get(movie_id, ()) for movie_id in movie_ids],
        overviews=overviews,
        credits=[credits.get(movie_id, ()) for movie_id in movie_ids],
        tags=[tags.get(movie_id, ()) for movie_id in movie_ids],
    )


def _by_movie(cursor: dbapi.Cursor, query: str) -> Iterator[tuple[int, Iterator[tuple[Any, ...]]]]:
    """Each movie's rows, without the id they begin with, of a query in the order of movie ids."""
    rows = zip(*_columns(cursor, query), strict=True)
    for movie_id, group in itertools.groupby(rows, key=lambda row: row[0]):
        yield movie_id, (row[1:] for row in group)


def _columns(cursor: dbapi.Cursor, query: str) -> list[list[Any]]:
    cursor.execute(query)
    return [column.to_pylist() for column in cursor.fetch_arrow_table().columns]


def _conninfo() -> str:
    """Django's own connection parameters, as libpq reads them."""
    parameters = connection.get_connection_params()
    known = ("dbname", "host", "port", "user", "password", "sslmode", "sslrootcert", "service")
    return make_conninfo(**{name: parameters[name] for name in known if parameters.get(name)})


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
