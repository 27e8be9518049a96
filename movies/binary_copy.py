"""Rows in PostgreSQL's binary COPY format, made of whole columns at once.

https://www.postgresql.org/docs/current/sql-copy.html: a row has its number of fields, and before
each field its size in bytes, all in network order.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"

Bytes = NDArray[np.uint8]

_SECONDS_TO_2000 = 946_684_800


def timestamps(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds since 1970 (n,) as a timestamptz is sent: microseconds since 2000."""
    return (seconds - _SECONDS_TO_2000) * 1_000_000


def rows(columns: Sequence[NDArray[Any]], texts: Sequence[str] | None = None) -> bytes:
    """All that a COPY of these columns (n, …) is sent.

    Columns (n,) of int64, int32, int16, float64 and bool are those types of PostgreSQL's; one
    (n, d) of float32 is pgvector's. `texts` (n) are a last column.
    """
    fields = np.full(len(columns[0]), len(columns) + (texts is not None), dtype=np.int16)
    fixed = np.hstack([_network_order(fields), *map(_sized, columns)])
    if texts is None:
        return b"".join([_HEADER, fixed.tobytes(), _TRAILER])
    encoded = [text.encode() for text in texts]
    told = (
        row.tobytes() + len(text).to_bytes(4) + text
        for row, text in zip(fixed, encoded, strict=True)
    )
    return b"".join([_HEADER, *told, _TRAILER])


def _sized(column: NDArray[Any]) -> Bytes:
    """Each value's size and bytes (n, 4 + size)."""
    value = _network_order(column)
    if column.ndim == 2:
        # A vector begins with its dimensions and an unused number.
        shape = np.tile(np.array([column.shape[1], 0], dtype=np.int16), (len(column), 1))
        value = np.hstack([_network_order(shape), value])
    sizes = np.full(len(column), value.shape[1], dtype=np.int32)
    return np.hstack([_network_order(sizes), value])


def _network_order(values: NDArray[Any]) -> Bytes:
    """The bytes (n, …) of numbers (n,) or (n, m), the most significant first."""
    ordered = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder(">"))
    return ordered.view(np.uint8).reshape(len(values), -1)
