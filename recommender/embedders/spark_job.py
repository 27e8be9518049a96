"""The process that talks to Spark for `embedders.spark`: reads interactions, fits, writes factors.

    python -P spark_job.py ADDRESS

ADDRESS is the fit's own folder, for fsspec. On standard input comes one line, what is to be done,
as JSON; the end of the input is the end of the asker, however it came: then Spark is stopped and
the folder removed. On standard output go lines of JSON: {"fraction": …, "message": …} every half
second, and at the end {"done": true} or {"error": …}.

Nothing of the site is imported, and nothing but Spark's own Java runs on the cluster's workers.
"""

import json
import select
import sys
import threading
from typing import Any

import fsspec
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession

_TELL_SECONDS = 0.5
_STOP_SECONDS = 30

_JOBS_BEFORE, _JOBS_AFTER = 3, 4
"""Spark's jobs before the first iteration and after the last. Each has two, a checkpoint one."""

_RATINGS_IN_A_BLOCK = 500_000
_FEWEST_BLOCKS, _MOST_BLOCKS = 2, 1_000
"""Into which each side is cut. It does not follow the cluster's size, or vectors would."""


class Fit(threading.Thread):
    """One fit on Spark."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._request = request
        self._session: SparkSession | None = None
        self._ended = 0
        self.error = ""

    def run(self) -> None:
        """Fit and write. What goes wrong stands in `error`."""
        try:
            self._run()
        except Exception as error:
            # Of what Java raised, the first line says where, and the second what.
            lines = (line.strip(" :.") for line in str(error).split("\n")[:2])
            self.error = ": ".join(filter(None, lines)) or type(error).__name__

    def _run(self) -> None:
        asked = self._request
        session = self._session = _session(asked["master"])
        session.sparkContext.setCheckpointDir(f"{asked['folder']}/checkpoints")
        likes = session.read.schema("user int, movie int, rating float").parquet(
            f"{asked['folder']}/interactions"
        )
        blocks = asked["ratings"] // _RATINGS_IN_A_BLOCK
        blocks = min(max(blocks, _FEWEST_BLOCKS), _MOST_BLOCKS)
        als = ALS(
            rank=asked["factors"],
            maxIter=asked["iterations"],
            regParam=asked["regularization"],
            checkpointInterval=asked["checkpoint_interval"],
            seed=asked["seed"],
            implicitPrefs=True,
            alpha=1.0,
            userCol="user",
            itemCol="movie",
            ratingCol="rating",
            numUserBlocks=blocks,
            numItemBlocks=blocks,
        )
        model = als.fit(likes)
        model.userFactors.write.parquet(f"{asked['folder']}/users")
        model.itemFactors.write.parquet(f"{asked['folder']}/movies")

    def progress(self) -> dict[str, Any]:
        """How much is done, by the jobs that Spark has ended."""
        if self._session is not None:
            tracker = self._session.sparkContext.statusTracker()
            ended = len(tracker.getJobIdsForGroup()) - len(tracker.getActiveJobsIds())
            self._ended = max(self._ended, ended)
        iterations = self._request["iterations"]
        jobs = 2 * iterations + iterations // self._request["checkpoint_interval"]
        iteration = (self._ended - _JOBS_BEFORE) * iterations // jobs
        return {
            "fraction": min(1.0, self._ended / (_JOBS_BEFORE + jobs + _JOBS_AFTER)),
            "message": f"iteration {min(iteration + 1, iterations)} of {iterations}"
            if iteration >= 0
            else "Spark starts",
        }

    def stop(self) -> None:
        """Take the fit off the cluster."""
        if self._session is not None:
            stopping = threading.Thread(target=self._session.stop, daemon=True)
            stopping.start()
            stopping.join(_STOP_SECONDS)


def _session(master: str) -> SparkSession:
    builder = SparkSession.builder.master(master).appName("Marquee")
    builder = builder.config("spark.ui.enabled", "false")
    if master.startswith("local"):
        # Nobody else has business with a cluster of one process.
        builder = builder.config("spark.driver.host", "127.0.0.1")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    return builder.getOrCreate()


def main() -> int:
    """Do what is asked, and clear up when the asker is gone."""
    (address,) = sys.argv[1:]
    fit = None
    try:
        if line := sys.stdin.readline():
            fit = Fit(json.loads(line))
            _do(fit)
    finally:
        if fit:
            fit.stop()
        files, folder = fsspec.core.url_to_fs(address)
        if files.exists(folder):
            files.rm(folder, recursive=True)
    return 0


def _do(fit: Fit) -> None:
    """Fit until that is done or nobody waits for it any more."""
    fit.start()
    while fit.is_alive():
        fit.join(_TELL_SECONDS)
        if not _tell(**fit.progress()):
            return
    if _tell(**({"error": fit.error} if fit.error else {"done": True})):
        sys.stdin.read()


def _tell(**what: object) -> bool:
    """Say it, or return False where nobody listens."""
    if select.select([sys.stdin], [], [], 0)[0]:
        return False
    try:
        print(json.dumps(what), flush=True)
    except BrokenPipeError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
