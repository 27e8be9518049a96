"""The ratings as they stood at one moment, out of PostgreSQL and into arrays."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from adbc_driver_postgresql import dbapi
from django.db import connection
from numpy.typing import NDArray
from psycopg.conninfo import make_conninfo

from recommender.interactions import Ratings


@dataclass(frozen=True)
class Snapshot:
    """All ratings, and whose they are, as one transaction saw them."""

    taken_at: datetime
    ratings: Ratings
    user_ids: NDArray[np.int64]
    """(u,) the people who rated anything, ascending."""
    taste_revisions: NDArray[np.int64]
    """(u,) their `taste_revision` at that moment."""

    def revisions_of(self, user_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the revisions (n,) of these people (n,), each of whom is in the snapshot."""
        return self.taste_revisions[np.searchsorted(self.user_ids, user_ids)]


def take() -> Snapshot:
    """Read every rating in one REPEATABLE READ transaction, as Arrow columns (ADBC).

    Its own connection sees what is committed, whatever Django's is in the middle of.
    """
    with dbapi.connect(_conninfo()) as reader, reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT transaction_timestamp() AS taken_at")
        (taken_at,) = cursor.fetchone()
        cursor.execute("SELECT user_id, movie_id, value, rated_at FROM users_rating")
        table = cursor.fetch_arrow_table()
        columns = [table.column(name).to_numpy() for name in table.column_names]
        users, movies, values, rated_at = columns
        cursor.execute(
            "SELECT id, taste_revision FROM users_user"
            " WHERE EXISTS (SELECT FROM users_rating WHERE user_id = users_user.id) ORDER BY id"
        )
        people = cursor.fetch_arrow_table()
    ratings = Ratings(users, movies, values, rated_at.astype("datetime64[us]").astype(np.int64))
    return Snapshot(
        taken_at=_aware(taken_at),
        ratings=ratings,
        user_ids=people.column("id").to_numpy(),
        taste_revisions=people.column("taste_revision").to_numpy().astype(np.int64),
    )


def _conninfo() -> str:
    """Django's own connection parameters, as libpq reads them."""
    parameters = connection.get_connection_params()
    known = ("dbname", "host", "port", "user", "password", "sslmode", "sslrootcert", "service")
    return make_conninfo(**{name: parameters[name] for name in known if parameters.get(name)})


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
