"""Vectors of films as each process keeps them: what a version has learnt of a film never changes.

Every list of every person takes hundreds of vectors, mostly those of the same films. So what was
read is kept, of one version at a time and in bounded memory. A predicted vector is not: it moves
as ratings of its film come (`serving.moving`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recommender.models import ModelVersion
from recommender.vectors import binary_cursor, of_sent

KEPT_BYTES = 16 * 2**20
"""Of the numbers that a process keeps: of 8,000 films at the defaults."""

Numbers = NDArray[np.float32]
"""(d + e,) a film's vector and its input vector, one behind the other."""


@dataclass(frozen=True)
class FilmVectors:
    """What a version knows of some films."""

    is_known: NDArray[np.bool_]
    """(n,) which of the films that were asked for have a place in the version: m of them."""
    vectors: NDArray[np.float32]
    """(m, d)"""
    inputs: NDArray[np.float32]
    """(m, e) the input vectors; e = 0 where the version has none."""


def of_films(version: ModelVersion, movie_ids: NDArray[np.int64]) -> FilmVectors:
    """Return the vectors of films (n,), in their order."""
    kept = _kept(version.pk)
    asked: list[int] = movie_ids.tolist()
    found: list[Numbers | None] = [kept.get(movie_id) for movie_id in asked]
    missing = [movie_id for movie_id, numbers in zip(asked, found, strict=True) if numbers is None]
    if missing:
        read = dict(_read(version, missing, kept))
        found = [
            read.get(movie_id) if numbers is None else numbers
            for movie_id, numbers in zip(asked, found, strict=True)
        ]
    known = [numbers for numbers in found if numbers is not None]
    whole = (
        np.concatenate(known).reshape(len(known), -1)
        if known
        else np.empty((0, version.dimensions), dtype=np.float32)
    )
    return FilmVectors(
        np.array([numbers is not None for numbers in found], dtype=np.bool_),
        whole[:, : version.dimensions],
        whole[:, version.dimensions :],
    )


@lru_cache(maxsize=1)
def _kept(version_id: int) -> dict[int, Numbers]:
    """What is kept of a version by movie id; of another version, anew."""
    return {}


def _read(
    version: ModelVersion, movie_ids: Sequence[int], kept: dict[int, Numbers]
) -> Iterator[tuple[int, Numbers]]:
    """Read what the version knows of films, and keep what will not change."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT movie_id, predicted, vector_send(vector), vector_send(input)"
            " FROM recommender_movievector WHERE version_id = %s AND movie_id = ANY(%s)",
            [version.pk, movie_ids],
        )
        rows = cursor.fetchall()
    if not rows:
        return
    vectors = of_sent([row[2] for row in rows])
    inputs = of_sent([row[3] for row in rows if row[3] is not None]).reshape(len(rows), -1)
    most = KEPT_BYTES // (vectors.itemsize * (vectors.shape[1] + inputs.shape[1]))
    if len(kept) + len(rows) > most:
        # All at once: what is asked for most is soon there again.
        kept.clear()
    for (movie_id, is_predicted, *_), vector, more in zip(rows, vectors, inputs, strict=True):
        numbers = np.concatenate([vector, more])
        if not is_predicted and len(kept) < most:
            kept[movie_id] = numbers
        yield movie_id, numbers
