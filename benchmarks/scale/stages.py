"""What is measured, and what each is held against: one stage a process.

    python -m benchmarks.scale.stages STAGE [argument …]

`benchmarks.scale` runs these in turns; each prints what it took as JSON.
"""

import argparse
import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import django
import numpy as np

from benchmarks.scale.measure import Took, report
from recommender.config import stack

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender.config.settings")
stack.provide()
django.setup()

from adbc_driver_postgresql import dbapi  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402
from implicit.cpu.als import AlternatingLeastSquares  # noqa: E402

from movies import binary_copy  # noqa: E402
from movies.importers.files import files_of  # noqa: E402
from movies.importers.progress import progress  # noqa: E402
from recommender import vectors  # noqa: E402
from recommender.embedders import DEFAULT  # noqa: E402
from recommender.embedders.als import ImplicitALS, Settings  # noqa: E402
from recommender.interactions import Interactions  # noqa: E402
from recommender.models import ModelVersion  # noqa: E402
from recommender.recipe import Recipe  # noqa: E402
from recommender.training import pipeline, runs, snapshot  # noqa: E402
from users.importers.movielens.load import load  # noqa: E402

COPY_BYTES = 1 << 20
_ROWS = "users_rating (user_id, movie_id, rated_at, value)"

Stage = Callable[..., float | Took | None]
"""Does the work; returns its seconds, or those of its parts, where they are not the whole call."""

STAGES: dict[str, Stage] = {}


def stage(work: Stage) -> Stage:
    """Make a function a stage, by its name."""
    STAGES[work.__name__] = work
    return work


@stage
def import_ratings(folder: str) -> float:
    """The site's import of a dataset into empty tables."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE users_user, movies_movie, movies_genre RESTART IDENTITY CASCADE")
    return _seconds(lambda: load(files_of(Path(folder)), progress(shown=False)))


@stage
def copy_ratings(folder: str) -> float:
    """A bare COPY of the very rows into the emptied table, keys checked, nothing counted."""
    rows = Path(folder, "ratings.copy")
    with connection.cursor() as cursor:
        if not rows.exists():
            with (
                rows.open("wb") as file,
                cursor.copy(
                    "COPY (SELECT user_id, movie_id, rated_at, value FROM users_rating"
                    " ORDER BY ctid) TO STDOUT (FORMAT BINARY)"
                ) as copy,
            ):
                for block in copy:
                    file.write(block)
        cursor.execute(
            "TRUNCATE users_rating, users_leftout; ALTER TABLE users_rating DISABLE TRIGGER USER"
        )
        try:
            return _seconds(lambda: _copy(_ROWS, rows))
        finally:
            cursor.execute("ALTER TABLE users_rating ENABLE TRIGGER USER; ANALYZE users_rating")


def _copy(table: str, rows: Path) -> None:
    with transaction.atomic(), connection.cursor() as cursor, rows.open("rb") as file:
        # The keys are checked as rows come, as the import has it, and not at the end.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
            while block := file.read(COPY_BYTES):
                copy.write(block)


@stage
def matrix() -> None:
    """Ratings in the database to the sparse matrix that is trained on."""
    Interactions.build(snapshot.take().ratings, Recipe.of("als", {}).weighting)


@stage
def adbc_read() -> None:
    """The three columns alone, read as Arrow."""
    with dbapi.connect(os.environ["DATABASE_URL"]) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT user_id, movie_id, value FROM users_rating")
        cursor.fetch_arrow_table()


@stage
def fit_als(factors: str, iterations: str) -> float:
    """The site's iALS, frequency scaling and all."""
    interactions = _interactions()
    embedder = ImplicitALS(Settings(factors=int(factors), iterations=int(iterations)))
    return _seconds(lambda: embedder.fit(interactions))


@stage
def fit_implicit(factors: str, iterations: str) -> float:
    """`implicit`'s own iALS of the same matrix."""
    confidences = _interactions().matrix
    model = AlternatingLeastSquares(
        factors=int(factors), iterations=int(iterations), calculate_training_loss=False
    )
    return _seconds(lambda: model.fit(confidences, show_progress=False))


@stage
def train() -> Took:
    """A whole run of taste at the defaults: from the ratings to a version that is live.

    What the run does then is told of, and does not count.
    """
    _forget_versions()
    steps: list[tuple[str, float]] = []

    def listen(step: str, fraction: float, message: str) -> None:
        if not steps or steps[-1][0] != step:
            steps.append((step, time.perf_counter()))

    pipeline.execute(runs.create(), listen)
    steps.append(("", time.perf_counter()))
    took = {step: end - start for (step, start), (_, end) in itertools.pairwise(steps)}
    return Took(took, {pipeline.DRAWING: took.pop(pipeline.DRAWING)})


@stage
def fit_default() -> float:
    """The fit of the default technique alone, of all ratings."""
    recipe = Recipe.of(DEFAULT, {})
    interactions = Interactions.build(snapshot.take().ratings, recipe.weighting)
    return _seconds(lambda: recipe.embedder.fit(interactions))


@stage
def write_vectors(people: str, movies: str, dimensions: str) -> float:
    """Vectors of people and movies into a version's own tables."""
    users, films, version = _some_vectors(int(people), int(movies), int(dimensions))

    def write() -> None:
        ids = np.arange(len(films), dtype=np.int64)
        vectors.write_movies(version, ids, films)
        ids = np.arange(len(users), dtype=np.int64)
        vectors.write_users(version, ids, ids, users)

    try:
        return _seconds(write)
    finally:
        vectors.drop(version)
        version.delete()


@stage
def copy_vectors(people: str, movies: str, dimensions: str) -> float:
    """A bare COPY of the same rows, packed beforehand."""
    users, films, version = _some_vectors(int(people), int(movies), int(dimensions))
    version.delete()
    packed = [_packed(films, has_revision=False), _packed(users, has_revision=True)]
    columns = ("id bigint, version bigint, vector vector", "revision integer")
    names = ("movie_copy", "user_copy")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE movie_copy ({columns[0]})")
        cursor.execute(
            f"CREATE TABLE user_copy (id bigint, version bigint, {columns[1]}, vector vector)"
        )

    def copy() -> None:
        for name, rows in zip(names, packed, strict=True):
            with (
                connection.cursor() as cursor,
                cursor.copy(f"COPY {name} FROM STDIN (FORMAT BINARY)") as target,
            ):
                for start in range(0, len(rows), COPY_BYTES):
                    target.write(rows[start : start + COPY_BYTES])

    try:
        return _seconds(copy)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE movie_copy, user_copy")


def _some_vectors(
    people: int, movies: int, dimensions: int
) -> tuple[np.ndarray, np.ndarray, ModelVersion]:
    random = np.random.default_rng(0)
    version = ModelVersion.objects.create(
        space="taste", embedder="als", dimensions=dimensions, snapshot_at=timezone.now()
    )
    sides = (people, movies)
    users, films = (random.random((side, dimensions), dtype=np.float32) for side in sides)
    return users, films, version


def _packed(rows: np.ndarray, has_revision: bool) -> memoryview:
    """Rows (n, d) as COPY is sent them: number, version, revision where they have one, vector."""
    ids, versions = np.arange(len(rows)), np.zeros(len(rows), dtype=np.int64)
    revisions = [np.zeros(len(rows), dtype=np.int32)] if has_revision else []
    return memoryview(b"".join(binary_copy.blocks([ids, versions, *revisions, rows])))


def _interactions() -> Interactions:
    return Interactions.build(snapshot.take().ratings, Recipe.of("als", {}).weighting)


def _forget_versions() -> None:
    """So that a run has no rival to be held against: it would fit once more."""
    for version in ModelVersion.objects.all():
        ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.RETIRED)
        vectors.drop(version)
    ModelVersion.objects.all().delete()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args(arguments)
    report(lambda: STAGES[options.stage](*options.arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
