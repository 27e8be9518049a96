"""Rows in PostgreSQL's binary COPY format, made of whole columns at once.

https://www.postgresql.org/docs/current/sql-copy.html: a row has its number of fields, and before
each field its size in bytes, all in network order.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"

_ROWS = 10_000
"""Packed at a time."""

_SECONDS_TO_2000 = 946_684_800


def timestamps(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds since 1970 (n,) as a timestamptz is sent: microseconds since 2000."""
    return (seconds - _SECONDS_TO_2000) * 1_000_000


def blocks(columns: Sequence[NDArray[Any]], texts: Sequence[str] | None = None) -> Iterator[bytes]:
    """Yield all that a COPY of these columns (n, …) is sent, some rows at a time.

    Columns (n,) of int64, int32, int16, float64 and bool are those types of PostgreSQL's; one
    (n, d) of float32 is pgvector's. `texts` (n) are a last column.
    """
    yield _HEADER
    for start in range(0, len(columns[0]), _ROWS):
        part = slice(start, start + _ROWS)
        fixed = _packed([column[part] for column in columns], len(columns) + (texts is not None))
        if texts is None:
            yield fixed.tobytes()
        else:
            yield b"".join(map(_with_text, fixed, texts[part]))
    yield _TRAILER


def _with_text(row: np.void, text: str) -> bytes:
    encoded = text.encode()
    return row.tobytes() + len(encoded).to_bytes(4) + encoded


def _packed(columns: Sequence[NDArray[Any]], fields: int) -> NDArray[np.void]:
    """Rows (n,) of columns (n, …), which have so many fields in all."""
    rows = np.empty(len(columns[0]), dtype=_row(columns))
    rows["fields"] = fields
    for number, column in enumerate(columns):
        size = rows.dtype[f"value {number}"].itemsize
        if column.ndim == 2:
            rows[f"shape {number}"] = column.shape[1], 0
            size += rows.dtype[f"shape {number}"].itemsize
        rows[f"size {number}"] = size
        rows[f"value {number}"] = column
    return rows


def _row(columns: Sequence[NDArray[Any]]) -> np.dtype[np.void]:
    """What a row of these columns is made of, without gaps.

    A vector begins with its dimensions and an unused number, its `shape`.
    """
    parts: list[tuple[Any, ...]] = [("fields", ">i2")]
    for number, column in enumerate(columns):
        parts.append((f"size {number}", ">i4"))
        if column.ndim == 2:
            parts.append((f"shape {number}", ">i2", 2))
        parts.append((f"value {number}", column.dtype.newbyteorder(">"), column.shape[1:]))
    return np.dtype(parts)
