"""Vectors in PostgreSQL: write a version's own partitions, index them, promote, drop.

A version's vectors are built in tables of their own and then attached to `MovieVector`,
`UserVector` and `WordVector` as partitions, so that writing touches no live row and dropping is no
vacuum. A version has those of the three that it wrote.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from numpy.typing import NDArray
from pgvector.psycopg import register_vector
from psycopg import Cursor, sql
from psycopg.pq import Format

from movies import binary_copy
from recommender.models import MapPlace, Metric, ModelVersion, MovieVector, UserVector, WordVector

_OPERATOR_CLASSES = {Metric.INNER_PRODUCT: "vector_ip_ops", Metric.COSINE: "vector_cosine_ops"}
Kept = type[MovieVector] | type[UserVector] | type[WordVector]
_OWNERS: dict[Kept, tuple[str, str | None]] = {
    MovieVector: ("movie_id", "movies_movie"),
    UserVector: ("user_id", "users_user"),
    WordVector: ("word", None),
}
"""Whose vector it is, and the table that knows whether they are still there."""


class NotPromotable(Exception):
    """The version cannot go live: it failed, is still training, or its vectors are gone."""


def write_movies(
    version: ModelVersion,
    movie_ids: NDArray[np.int64],
    vectors: NDArray[np.float32],
    inputs: NDArray[np.float32] | None = None,
    predicted: NDArray[np.bool_] | None = None,
) -> None:
    """Write movie vectors: ids (n,), vectors (n, d) float32, into the version's own table.

    `inputs` (n, e) float32 are their input vectors; with e = 0 there are none. `predicted` (n,)
    says which follow from what is told of a film; none where it is left out.
    """
    columns: dict[str, NDArray[Any]] = {"movie_id": movie_ids.astype(np.int64), "vector": vectors}
    if predicted is not None:
        columns["predicted"] = predicted
    if inputs is not None:
        columns["input"] = inputs
    _write(MovieVector, version, columns)


def write_users(
    version: ModelVersion,
    user_ids: NDArray[np.int64],
    taste_revisions: NDArray[np.int64],
    vectors: NDArray[np.float32],
) -> None:
    """Write user vectors: ids (n,), the revisions (n,) they are true for, vectors (n, d)."""
    columns: dict[str, NDArray[Any]] = {
        "user_id": user_ids.astype(np.int64),
        "taste_revision": taste_revisions.astype(np.int32),
        "vector": vectors,
    }
    _write(UserVector, version, columns)


def write_words(
    version: ModelVersion,
    words: Sequence[str],
    vectors: NDArray[np.float32],
) -> None:
    """Write vectors of words: each word once, vectors (w, d) float32."""
    _write(WordVector, version, {"vector": vectors}, words)


def of_words(version: ModelVersion, words: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors (d,) of those of the words that the version knows."""
    if not words:
        return {}
    known = WordVector.objects.filter(version=version, word__in=list(words))
    rows = known.values_list("word", "vector")
    # Django would read each vector from text, number by number.
    with binary_cursor() as cursor:
        cursor.execute(*rows.query.sql_with_params())
        return {word: vector.to_numpy() for word, vector in cursor.fetchall()}


def of_sent(sent: Sequence[bytes]) -> NDArray[np.float32]:
    """Return vectors (n, d) that SQL gives by `vector_send`, all at once: one by one takes long.

    pgvector's binary form: the number of dimensions, an unused number, float4 in network order.
    """
    if not sent:
        return np.empty((0, 0), dtype=np.float32)
    numbers = np.frombuffer(b"".join(sent), dtype=">f4").reshape(len(sent), -1)
    return numbers[:, 1:].astype(np.float32)


def index_and_attach(version: ModelVersion) -> None:
    """Build the HNSW indexes over the movies and make the tables partitions of their parents.

    Rows whose movie or person was deleted meanwhile are left out.
    """
    for model, (owner, owner_table) in _OWNERS.items():
        table = _table(model, version)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [f"{model._meta.db_table}_v{version.pk}"])
            if cursor.fetchone() == (None,):
                continue
            cursor.execute(
                sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({}, version_id)").format(
                    table, sql.Identifier(owner)
                )
            )
            if model is MovieVector:
                _build_index(version)
            _attach(model, version, owner, owner_table)
            cursor.execute(sql.SQL("ANALYZE {}").format(table))


@transaction.atomic
def promote(version: ModelVersion) -> ModelVersion:
    """Make the version live and retire the one that was, in one transaction.

    Raises:
        NotPromotable: nothing is changed.
    """
    # Every version of the space is locked, so that two promotions come one after the other.
    space = ModelVersion.objects.select_for_update().filter(space=version.space).defer("gramian")
    by_id = {candidate.pk: candidate for candidate in space.order_by("pk")}
    chosen = by_id.get(version.pk)
    if chosen is None or not chosen.has_vectors:
        raise NotPromotable(f"Version {version.pk} has no vectors to go live with.")
    if chosen.state == ModelVersion.State.LIVE:
        return chosen
    space.filter(state=ModelVersion.State.LIVE).update(state=ModelVersion.State.RETIRED)
    chosen.state = ModelVersion.State.LIVE
    chosen.promoted_at = timezone.now()
    chosen.save(update_fields=["state", "promoted_at"])
    return chosen


def drop(version: ModelVersion) -> bool:
    """Drop the version's vectors, unless it is live; return whether they are gone.

    The tables are not waited for: where a reader holds one for long, a later call drops it.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            locked = ModelVersion.objects.select_for_update().get(pk=version.pk)
            if locked.state == ModelVersion.State.LIVE:
                return False
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            for model in _OWNERS:
                cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(model, version)))
            MapPlace.objects.filter(version=version).delete()
            ModelVersion.objects.filter(pk=version.pk).update(vectors_dropped=True)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":  # lock_not_available
            raise
        return False
    return True


def drop_all_but(kept: int, space: str) -> None:
    """Drop the vectors of all but the live version and the newest `kept` others of the space."""
    versions = ModelVersion.objects.filter(space=space).promotable().newest_first()
    for version in versions[kept:]:
        drop(version)


def binary_cursor() -> Cursor[Any]:
    """Return a psycopg cursor on Django's connection that reads vectors as float32 arrays (d,)."""
    connection.ensure_connection()
    # It asks the database for the type's number: once a connection is enough.
    if connection.connection.adapters.types.get("vector") is None:
        register_vector(connection.connection)
    cursor = Cursor(connection.connection)
    cursor.format = Format.BINARY
    return cursor


def _write(
    model: Kept,
    version: ModelVersion,
    columns: Mapping[str, NDArray[Any]],
    words: Sequence[str] | None = None,
) -> None:
    """Make the version's table of these columns (n, …), and of `words` (n) where it has these."""
    # An input vector of no numbers is none.
    kept = {name: column for name, column in columns.items() if 0 not in column.shape[1:]}
    rows = len(kept["vector"])
    if kept["vector"].shape != (rows, version.dimensions):
        raise ValueError(f"vectors: expected shape {(rows, version.dimensions)}")
    table = _table(model, version)
    names = ["version_id", *kept, *(["word"] if words is not None else [])]
    versions = np.full(rows, version.pk, dtype=np.int64)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        table, sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with transaction.atomic(), connection.cursor() as cursor:
        # The check spares ATTACH a scan for rows of other versions.
        cursor.execute(
            sql.SQL(
                "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING STORAGE,"
                " CHECK (version_id = {}))"
            ).format(table, sql.Identifier(model._meta.db_table), sql.Literal(version.pk))
        )
        with cursor.copy(statement) as copy:
            for block in binary_copy.blocks([versions, *kept.values()], words):
                copy.write(block)


def _build_index(version: ModelVersion) -> None:
    # An index needs one dimension and the column has none, so the cast is indexed. Lists look for
    # new films and for others apart: in one index, either would be looked for among the other.
    statement = sql.SQL(
        "CREATE INDEX ON {table} USING hnsw ({column} {operators}) WHERE NOT predicted;"
        " CREATE INDEX ON {table} USING hnsw ({column} {operators}) WHERE predicted"
    ).format(
        table=_table(MovieVector, version),
        column=sql.SQL("(vector::vector({}))").format(sql.Literal(version.dimensions)),
        operators=sql.SQL(_OPERATOR_CLASSES[Metric(version.metric)]),
    )
    with transaction.atomic(), connection.cursor() as cursor:
        # The graph is built in memory where it fits; on disk it takes many times longer.
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        cursor.execute(statement)


def _attach(
    model: Kept,
    version: ModelVersion,
    owner: str,
    owner_table: str | None,
) -> None:
    names = {
        "table": _table(model, version),
        "parent": sql.Identifier(model._meta.db_table),
        "version": sql.Literal(version.pk),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        if owner_table:
            cursor.execute(
                sql.SQL(
                    "DELETE FROM {table} WHERE NOT EXISTS"
                    " (SELECT FROM {owners} WHERE {owners}.id = {table}.{owner})"
                ).format(owner=sql.Identifier(owner), owners=sql.Identifier(owner_table), **names)
            )
        cursor.execute(
            sql.SQL(
                "ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES IN ({version})"
            ).format(**names)
        )


def _table(model: Kept, version: ModelVersion) -> sql.Identifier:
    return sql.Identifier(f"{model._meta.db_table}_v{version.pk}")
