"""Vectors of films as each process keeps them: what a version has learnt of a film never changes.

Every list of every person takes hundreds of vectors, mostly those of the same films. So what was
read is kept, of one version at a time and in bounded memory. A predicted vector is not: it moves
as ratings of its film come (`serving.moving`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.models import ModelVersion
from recommender.vectors import binary_cursor, of_sent

KEPT_BYTES = 16 * 2**20
"""Of the numbers that a process keeps: of 8,000 films at the defaults."""

Numbers = NDArray[np.float32]
"""(d + e,) a film's vector and its input vector, one behind the other."""

NONE: Mapping[int, Numbers] = MappingProxyType({})


@dataclass(frozen=True)
class FilmVectors:
    """What a version knows of some films."""

    is_known: NDArray[np.bool_]
    """(n,) which of the films that were asked for have a place in the version: m of them."""
    numbers: Sequence[Numbers]
    """Of those m."""
    dimensions: int
    """d"""

    @cached_property
    def vectors(self) -> Numbers:
        """(m, d)"""
        return self._columns(slice(self.dimensions), self.dimensions)

    @cached_property
    def inputs(self) -> Numbers:
        """(m, e) the input vectors; e = 0 where the version has none. Few ask for them."""
        return self._columns(slice(self.dimensions, None), 0)

    def _columns(self, columns: slice, width_of_none: int) -> Numbers:
        if not self.numbers:
            return np.empty((0, width_of_none), dtype=np.float32)
        found = np.concatenate([numbers[columns] for numbers in self.numbers])
        return found.reshape(len(self.numbers), -1)


def of_films(
    version: ModelVersion, movie_ids: NDArray[np.int64], read: Mapping[int, Numbers] = NONE
) -> FilmVectors:
    """Return the vectors of films (n,), in their order; `read` are those at hand, by movie id."""
    kept = _kept(version.pk)
    asked: list[int] = movie_ids.tolist()
    found: list[Numbers | None] = [kept.get(movie_id) for movie_id in asked]
    if read:
        found = [
            read.get(movie_id) if numbers is None else numbers
            for movie_id, numbers in zip(asked, found, strict=True)
        ]
    missing = [movie_id for movie_id, numbers in zip(asked, found, strict=True) if numbers is None]
    if missing:
        more = dict(_read(version, missing, kept))
        found = [
            more.get(movie_id) if numbers is None else numbers
            for movie_id, numbers in zip(asked, found, strict=True)
        ]
    return FilmVectors(
        np.array([numbers is not None for numbers in found], dtype=np.bool_),
        [numbers for numbers in found if numbers is not None],
        version.dimensions,
    )


def numbers_of(sent: Iterable[tuple[bytes, bytes | None]]) -> list[Numbers]:
    """Return films' numbers of what `vector_send` gives of both vectors, for one film or more."""
    vectors, inputs = zip(*sent, strict=True)
    parts = [of_sent(vectors), of_sent([one for one in inputs if one is not None])]
    return list(np.hstack([part.reshape(len(vectors), -1) for part in parts]))


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
        rows: list[Any] = cursor.fetchall()
    if not rows:
        return
    read = numbers_of(row[2:] for row in rows)
    most = KEPT_BYTES // read[0].nbytes
    if len(kept) + len(rows) > most:
        # All at once: what is asked for most is soon there again.
        kept.clear()
    for (movie_id, is_predicted, *_), numbers in zip(rows, read, strict=True):
        if not is_predicted and len(kept) < most:
            # A copy, or each film would hold all that were read with it.
            kept[movie_id] = numbers.copy()
        yield movie_id, numbers
