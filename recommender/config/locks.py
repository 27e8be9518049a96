"""Session advisory locks: who is at work on what, told by PostgreSQL itself.

A lock goes when its process or its connection does, so work that says it is under way and whose
lock nobody holds is lost, however it ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def held(kind: int, number: int) -> Iterator[bool]:
    """Hold the lock for the block, unless another session has it; yield whether we do.

    Args:
        kind: the first of the lock's two numbers, of 31 bits: what kind of work it is.
        number: the second: which piece of it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind, number])
        is_ours = cursor.fetchone()[0]
    try:
        yield is_ours
    finally:
        # A broken connection has let the lock go already.
        if is_ours and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind, number])


def held_numbers(kind: int) -> set[int]:
    """Return the second numbers of this kind's locks that any session holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = %s::bigint::oid",
            [kind],
        )
        return {number for (number,) in cursor.fetchall()}
