"""iALS on many machines, by the ALS of Apache Spark."""

import contextlib
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import util
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.config import stack
from recommender.embedders import als
from recommender.embedders.base import (
    Embedding,
    Floats,
    Progress,
    Rated,
    Unavailable,
    silent,
)
from recommender.interactions import Interactions
from recommender.parameters import Configured, Parameters, Search, number

# pyarrow and fsspec take 70 MB, and a web process needs them for nothing else: they are imported
# where they are used.
if TYPE_CHECKING:
    import fsspec

MASTER = "SPARK_MASTER"
"""Environment variable with the cluster's address, such as spark://host:7077."""
STORAGE = "SPARK_STORAGE"
"""Environment variable with the folder that Spark and the site both reach, for fsspec."""

OLDEST_JAVA = 17
_JOB = Path(__file__).with_name("spark_job.py")
_ROWS_IN_A_FILE = 4_000_000
_STOP_SECONDS = 60
_LAST_LINES = 20

_NAME, _MOMENT = "marquee-fit-", "%Y%m%dT%H%M%S"
_LEFT_BEHIND = timedelta(days=2)
"""No fit takes as long: what is older was left by a machine that went down."""

_HADOOP_SCHEMES = {"s3": "s3a", "gcs": "gs"}
"""Where Spark has another word for a file system than fsspec."""

# Where in a fit Spark begins and ends.
_BEGINS, _ENDS = 0.03, 0.97

logger = logging.getLogger(__name__)


class SparkFailed(Unavailable):
    """Spark could not be reached or gave up; the message says what it said."""


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose. How ratings are weighed is `Weighting`'s."""

    factors: int = number(128, 1, 1024, Search(64, 256, log=True))
    """Length of a vector."""

    iterations: int = number(16, 1, 200, Search(8, 24, glance=4))
    """How often all movies and then all users are solved."""

    regularization: float = number(0.4, 1e-7, 1000.0, Search(0.3, 3, log=True))
    """λ, for each like of a user or a movie. On a hundred thousand and on a million ratings 0.3 to
    0.6 were alike; a third of it or three times as much lost a tenth."""

    checkpoint_interval: int = number(4, 1, 200)
    """After how many iterations the movies' vectors are written down, so that no more has to be
    done again when a machine is lost."""

    seed: int = number(0, 0, 2**32 - 1)
    """Start of the random numbers."""


@dataclass(frozen=True)
class FoldIn:
    """Solving a user's vector as Spark does: as iALS, with λ times the number of likes."""

    start_length: ClassVar[int] = 0

    gramian: NDArray[np.float32]
    """(d, d) YᵀY of the movie vectors Y."""
    regularization: float
    """λ."""

    def vector(self, rated: Rated) -> NDArray[np.float32]:
        """See `base.FoldIn`."""
        return als.fold_in(
            self.gramian, rated.vectors, rated.confidences, self._penalty(rated.confidences)
        )

    def contributions(self, rated: Rated, candidates: Floats) -> NDArray[np.float32]:
        """See `base.FoldIn`."""
        return als.contributions(
            self.gramian,
            rated.vectors,
            rated.confidences,
            self._penalty(rated.confidences),
            candidates,
        )

    def given(self, rated: Rated, candidates: Floats) -> NDArray[np.float32]:
        """See `base.FoldIn`; nothing is given."""
        return np.zeros(len(candidates), dtype=np.float32)

    def state(self) -> tuple[dict[str, Any], NDArray[np.float32]]:
        """See `base.FoldIn`."""
        return {"regularization": self.regularization}, self.gramian

    def _penalty(self, confidences: Floats) -> float:
        likes = int(np.count_nonzero(np.greater(confidences, 1)))
        # Without likes the vector is zeros, whatever λ.
        return self.regularization * max(likes, 1)


class SparkALS(Configured[Settings]):
    r"""iALS as Spark's MLlib has it, on the cluster that SPARK_MASTER names.

    Minimizes what `als.ImplicitALS` does (Hu, Koren, Volinsky, ICDM 2008), with another
    regularization: λ_u = λ · (the user's likes), and alike for movies (Zhou and others,
    "Large-scale Parallel Collaborative Filtering for the Netflix Prize", AAIM 2008). Spark takes
    ratings r and reads them as confidence 1 + |r| in a like where r > 0, else in a dislike: so r is
    the signed excess of a confidence over an unrated movie's.

    Interactions go out as Parquet to a folder of their own below SPARK_STORAGE, factors come back
    from it, and it is removed, however the fit ends. Spark itself runs in a process of its own
    (`spark_job`). All rows are solved exactly, users last, so that a trained user vector is what
    fold-in gives. The same seed gives the same vectors up to the order in which Spark adds up.
    """

    kind = Settings

    @staticmethod
    def lacking() -> str:
        """See `base.Embedder`."""
        lacks = []
        if util.find_spec("pyspark") is None:
            lacks.append("pyspark (pip install -r requirements/spark.txt)")
        if not _has_java():
            lacks.append(f"Java {OLDEST_JAVA} (such as Debian's openjdk-17-jre-headless)")
        return f"To train on Spark, install {' and '.join(lacks)}." if lacks else ""

    @staticmethod
    def fold_in(numbers: Mapping[str, Any], matrix: NDArray[np.float32]) -> FoldIn:
        """The fold-in whose `state()` these are."""
        return FoldIn(gramian=matrix, **numbers)

    def fit(self, interactions: Interactions, progress: Progress = silent) -> Embedding:
        """Learn vectors; what `progress` raises ends the fit and is passed on.

        Raises ValueError where nothing was liked, Unavailable where Spark is not installed, and
        SparkFailed where it cannot be reached or gives up.
        """
        if lacking := self.lacking():
            raise Unavailable(lacking)
        matrix, settings = interactions.matrix, self._settings
        if not (matrix.data > 0).any():
            raise ValueError("interactions: nothing was liked")
        with _folder() as address, _job(address) as job:
            progress(0.0, "writing the interactions for Spark")
            _write(address, matrix)
            job.run(
                {
                    "master": os.environ.get(MASTER) or "local[*]",
                    "folder": _as_hadoop_has_it(address),
                    "ratings": matrix.nnz,
                    **settings.to_dict(),
                },
                progress,
            )
            progress(_ENDS, "reading the vectors")
            users, movies = (
                _read(f"{address}/{side}", (rows, settings.factors))
                for side, rows in zip(("users", "movies"), matrix.shape, strict=True)
            )
        progress(1.0, "fitted")
        fold_in = FoldIn(als.gramian(movies), settings.regularization)
        return Embedding(users, movies, np.empty((len(movies), 0), dtype=np.float32), fold_in)


def _has_java() -> bool:
    """Whether Spark would find a Java that is new enough, by what lies beside it."""
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else Path(shutil.which("java") or "")
    if not java.is_file():
        return False
    release = java.resolve().parents[1] / "release"
    if not release.is_file():
        return True
    _, _, version = release.read_text().partition('JAVA_VERSION="')
    return int(version.partition(".")[0].partition('"')[0] or 0) >= OLDEST_JAVA


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """The address of a folder of this fit's own, which is gone in the end.

    Raises Unavailable where fsspec cannot reach such an address.
    """
    import fsspec

    root = (os.environ.get(STORAGE) or str(stack.home() / "spark")).rstrip("/")
    try:
        files, path = fsspec.core.url_to_fs(root)
    except (ImportError, ValueError) as error:
        raise Unavailable(f"{STORAGE} is {root}, which cannot be reached: {error}") from error
    now = datetime.now(UTC)
    files.makedirs(path, exist_ok=True)
    _sweep(files, path, now)
    name = f"{_NAME}{now:{_MOMENT}}-{secrets.token_hex(4)}"
    try:
        yield f"{root}/{name}"
    finally:
        # Others have written there since it was looked at.
        files.invalidate_cache()
        with contextlib.suppress(FileNotFoundError):
            files.rm(f"{path}/{name}", recursive=True)


def _sweep(files: "fsspec.AbstractFileSystem", root: str, now: datetime) -> None:
    """Remove the folders of fits that nobody can be at any more."""
    oldest = f"{_NAME}{now - _LEFT_BEHIND:{_MOMENT}}"
    # Where folders are but parts of names, one that holds nothing is not there.
    for path in files.ls(root, detail=False) if files.exists(root) else ():
        name = path.rstrip("/").rpartition("/")[2]
        if name.startswith(_NAME) and name < oldest:
            files.rm(path, recursive=True)


def _as_hadoop_has_it(address: str) -> str:
    """The address as Spark's own file systems read it."""
    scheme, colons, rest = address.partition("://")
    if not colons:
        return f"file://{Path(address).absolute()}"
    return f"{_HADOOP_SCHEMES.get(scheme, scheme)}://{rest}"


def _write(address: str, matrix: sparse.csr_matrix) -> None:
    """Write a matrix (U, I) of signed confidences as Spark reads them.

    Users and movies without likes are left out: their vectors are zeros and add nothing to
    anyone's, and Spark would have no λ for them.
    """
    import fsspec
    import pyarrow as pa
    from pyarrow import parquet

    files, path = fsspec.core.url_to_fs(f"{address}/interactions")
    files.makedirs(path, exist_ok=True)
    users, movies = matrix.shape
    rows = np.repeat(np.arange(users, dtype=np.int32), np.diff(matrix.indptr))
    columns, confidences = matrix.indices, matrix.data
    is_like = confidences > 1
    user_likes = np.bincount(rows[is_like], minlength=users)
    movie_likes = np.bincount(columns[is_like], minlength=movies)
    for start in range(0, matrix.nnz, _ROWS_IN_A_FILE):
        part = slice(start, start + _ROWS_IN_A_FILE)
        kept = (user_likes[rows[part]] > 0) & (movie_likes[columns[part]] > 0)
        excess = np.maximum(np.abs(confidences[part]) - 1, 0) * np.sign(confidences[part])
        table = pa.table(
            {
                "user": rows[part][kept],
                "movie": columns[part][kept].astype(np.int32),
                "rating": excess[kept].astype(np.float32),
            }
        )
        parquet.write_table(table, f"{path}/from-{start}.parquet", filesystem=files)


def _read(address: str, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Vectors (n, d) that Spark wrote, zeros where it knows none."""
    import fsspec
    from pyarrow import dataset

    files, path = fsspec.core.url_to_fs(address)
    vectors = np.zeros(shape, dtype=np.float32)
    for batch in dataset.dataset(path, filesystem=files, format="parquet").to_batches():
        features = batch.column("features").flatten().to_numpy()
        vectors[batch.column("id").to_numpy()] = features.reshape(-1, shape[1])
    return vectors


@dataclass(frozen=True)
class _Job:
    """The process that talks to Spark."""

    process: "subprocess.Popen[str]"
    said: IO[str]
    """What Spark itself has to say, for people to read where it fails."""

    def run(self, request: Mapping[str, Any], progress: Progress) -> None:
        """Have it do what is asked; raises SparkFailed where it does not."""
        told: dict[str, Any] = {}
        with contextlib.suppress(BrokenPipeError):
            stdin = cast(IO[str], self.process.stdin)
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
        for line in cast(IO[str], self.process.stdout):
            told = json.loads(line)
            if "fraction" not in told:
                break
            progress(_BEGINS + (_ENDS - _BEGINS) * told["fraction"], told["message"])
        if not told.get("done"):
            self.said.seek(0)
            logger.error("Spark said:\n%s", "".join(self.said.readlines()[-_LAST_LINES:]))
            reason = told.get("error") or "it ended without a word"
            raise SparkFailed(f"Spark at {request['master']} gave up: {reason}")


@contextlib.contextmanager
def _job(address: str) -> Iterator[_Job]:
    """A process that has the folder; in the end it is off the cluster, and the folder removed."""
    with tempfile.TemporaryFile("w+") as said:
        # -P: what lies beside the script is not what pyspark means by such names. With a session of
        # its own it does not hear Ctrl-C: the end of its input is what ends it.
        process = subprocess.Popen(
            [sys.executable, "-P", str(_JOB), address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        try:
            yield _Job(process, said)
        finally:
            try:
                process.communicate(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
