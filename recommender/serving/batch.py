"""Recommendations for everyone at once, into a file: the site's own answers, person by person."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from django.db.models import Exists, OuterRef, QuerySet

from recommender.models import ModelVersion
from recommender.serving.recommend import Recommendation, recommend
from users.models import Rating, User

PEOPLE_A_CHUNK = 500


class ExportFailed(Exception):
    """The file was not written; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file.

    Ids are those of the dataset that the person or the film came with. People who signed up here
    and films that no dataset names have none: theirs is the site's own, negated, so that it can
    never be taken for a dataset's.
    """

    user_id: int
    movie_id: int
    rank: int
    """From 1."""
    score: float | None
    """The inner product; None where most people's liking chose the film, not the person's own."""


COLUMNS = [field.name for field in fields(Row)]


class Writer(Protocol):
    def write(self, rows: Sequence[Row]) -> None: ...

    def close(self) -> None: ...


class CSVWriter:
    def __init__(self, path: Path) -> None:
        self._file = path.open("x", newline="", encoding="utf-8")
        self._csv = csv.writer(self._file)
        self._csv.writerow(COLUMNS)

    def write(self, rows: Sequence[Row]) -> None:
        self._csv.writerows(map(astuple, rows))

    def close(self) -> None:
        self._file.close()


class ParquetWriter:
    SCHEMA = pa.schema(
        [
            pa.field("user_id", pa.int64(), nullable=False),
            pa.field("movie_id", pa.int64(), nullable=False),
            pa.field("rank", pa.int32(), nullable=False),
            pa.field("score", pa.float32()),
        ]
    )

    def __init__(self, path: Path) -> None:
        self._parquet = pq.ParquetWriter(path, self.SCHEMA)

    def write(self, rows: Sequence[Row]) -> None:
        columns = [[getattr(row, name) for row in rows] for name in COLUMNS]
        self._parquet.write_table(pa.table(columns, schema=self.SCHEMA))

    def close(self) -> None:
        self._parquet.close()


WRITERS: dict[str, Callable[[Path], Writer]] = {".csv": CSVWriter, ".parquet": ParquetWriter}


def people_with_ratings(source: str | None = None) -> QuerySet[User]:
    """Return the people to export, only those of one dataset where it is named.

    Raises:
        ExportFailed: there is nobody, or ids of several datasets would mix.
    """
    people = User.objects.filter(Exists(Rating.objects.filter(user=OuterRef("pk"))))
    if source is not None:
        people = people.filter(source=source)
    if not people.exists():
        raise ExportFailed("Nobody has rated anything." if source is None else _no_source(source))
    named = people.exclude(source="").order_by("source")
    sources = list(named.values_list("source", flat=True).distinct())
    if len(sources) > 1:
        names = ", ".join(sources)
        raise ExportFailed(f"The ids of several datasets would mix: choose one of {names}.")
    return people


def export(
    people: QuerySet[User],
    k: int,
    output: Path,
    advance: Callable[[int], object] = lambda people: None,
) -> int:
    """Write the k best films of each person to `output` and return the number of rows.

    They are in the model's order (but for the person's dials), not varied as pages are.

    The file appears whole or not at all. Memory holds one chunk of people. `advance` is told of
    every few people done.

    Raises:
        ExportFailed: the file's name ends in neither .csv nor .parquet, there is no live model,
            or another model went live meanwhile.
        OSError: the file cannot be written.
    """
    version = _live()
    written = 0
    with _whole_file(output) as writer:
        for chunk in _chunks(people):
            rows = [
                row for person in chunk for row in _rows(person, recommend(person, k, variety=0))
            ]
            writer.write(rows)
            written += len(rows)
            advance(len(chunk))
            if _live() != version:
                raise ExportFailed("Another model went live meanwhile. Start again.")
    return written


def _live() -> ModelVersion:
    version = ModelVersion.objects.live()
    if version is None:
        raise ExportFailed("There is no live model: train one first.")
    return version


def _chunks(people: QuerySet[User]) -> Iterator[list[User]]:
    chunk: list[User] = []
    for person in people.order_by("pk").iterator(chunk_size=PEOPLE_A_CHUNK):
        chunk.append(person)
        if len(chunk) == PEOPLE_A_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _rows(person: User, recommendations: list[Recommendation]) -> Iterator[Row]:
    user_id = -person.pk if person.source_id is None else person.source_id
    for rank, found in enumerate(recommendations, start=1):
        movie = found.movie
        movie_id = -movie.pk if movie.movielens_id is None else movie.movielens_id
        yield Row(user_id, movie_id, rank, found.score if found.is_personal else None)


@contextmanager
def _whole_file(output: Path) -> Iterator[Any]:
    """Open a writer on a file beside `output` that takes its place once all is written."""
    if output.suffix not in WRITERS:
        raise ExportFailed(f"{output.name} must end in {' or '.join(WRITERS)}.")
    beside = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        writer = WRITERS[output.suffix](beside)
        try:
            yield writer
        finally:
            writer.close()
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)


def _no_source(source: str) -> str:
    return f"Nobody of {source!r} has rated anything."
