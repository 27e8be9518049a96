"""The site's fit beside other engines' of the same kind of model, at equal factors and iterations.

    python -m benchmarks.scale.engines 1m [--pairs 3] [--data ml-latest-small]

Spark's ALS in local mode and LensKit's ImplicitMF learn from the same earlier ratings, each in a
process of its own, in turns, and are asked for the same likes that were held out. LensKit runs in
the environment of `benchmarks.peers`. Spark's seconds are those of its iterations alone; starting
it, and Parquet both ways, stand beside them. On a machine that others use, the processor's seconds
say more than the clock's.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.peers import tournament
from benchmarks.scale.measure import FACTORS, ITERATIONS
from recommender.interactions import Interactions, Weighting
from recommender.training.evaluation import Question, Scorer, ask, by_vectors
from recommender.training.splits import Split, time_split

TITLES = {
    "ials": "iALS (the site's)",
    "spark": "ALS of Apache Spark, local mode",
    "lenskit": "ImplicitMF of LensKit",
}
COLUMNS = (
    "engine",
    "s",
    "with start and transfer, s",
    "processor, s",
    "times the site's",
    "NDCG@20",
)
LENSKIT = {"regularization": 8.74, "weight": 0.635}
"""What tuning found best for it on the real ratings (`benchmarks/results/ml-latest-small.md`)."""

Moment = tuple[float, float]
"""Seconds of the clock, and those that processors have worked for this process and its own."""

Fit = Callable[[Interactions, int, int], tuple[Scorer, Sequence[Moment]]]
"""Learns with so many factors and iterations; gives the scores, and the first and last moments of
its iterations where they are not those of the whole call."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and keep the table; or fit one engine on the ratings of a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("size", help="100k, 1m, …; 100k with --data is the dataset itself")
    parser.add_argument("--pairs", type=int, default=3, help="how often each engine is run")
    parser.add_argument("--data", type=Path, help="the real dataset; the packaged sample if not")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=TITLES, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.engine:
        print(json.dumps(_fit(options.engine, Path(options.size))))
        return 0
    with tempfile.TemporaryDirectory(prefix="marquee-engines-") as name:
        measured = measure(_split(options), options.pairs, Path(name))
    from benchmarks import record

    part = options.data.name if options.data and options.size == "100k" else options.size
    record.keep("engines", part, measured, record.tables)
    print(record.tables([measured]))
    return 0


def measure(split: Split, pairs: int, folder: Path) -> dict[str, Any]:
    """Every engine that is installed, each so many times in turns, as `record.tables` has it."""
    for name in ("training", "held_out"):
        tournament.write_ratings(folder / f"{name}.npz", getattr(split, name))
    goes: dict[str, list[Mapping[str, float]]] = {name: [] for name in TITLES}
    notes = []
    for number in range(pairs):
        for name in TITLES if number % 2 == 0 else reversed(TITLES):
            if number == 0 or goes[name]:
                try:
                    goes[name].append(_run(name, folder))
                except RuntimeError as error:
                    notes.append(f"{TITLES[name]} is left out. {error}")
    ratings = len(split.training)
    return {
        "title": f"{ratings:,} ratings to learn from, {len(split.held_out):,} held out;"
        f" {FACTORS} factors, {ITERATIONS} iterations, {os.cpu_count()} cores",
        "columns": dict(zip(COLUMNS, ("", ".1f", ".1f", ".1f", ".2f", ".4f"), strict=True)),
        "rows": list(_rows(goes)),
        "notes": notes,
    }


def _split(options: argparse.Namespace) -> Split:
    from benchmarks import site

    site.start()
    from benchmarks import dataset
    from benchmarks.scale.__main__ import provide

    with tempfile.TemporaryDirectory(prefix="marquee-ratings-") as name:
        provide(options, Path(name))
        return time_split(dataset.read(Path(name)).ratings)


def _rows(goes: Mapping[str, Sequence[Mapping[str, float]]]) -> Iterator[dict[str, object]]:
    ours = statistics.median(go["processor"] for go in goes["ials"])
    for name, each in goes.items():
        if each:
            medians = {key: statistics.median(go[key] for go in each) for key in each[0]}
            figures = (medians["seconds"], medians["whole"], medians["processor"])
            times = medians["processor"] / ours
            cells = (TITLES[name], *figures, times, medians["ndcg"])
            yield dict(zip(COLUMNS, cells, strict=True))


def _run(engine: str, folder: Path) -> Mapping[str, float]:
    """One go of an engine. Raises RuntimeError where it is not installed or fails."""
    from benchmarks.comparison import PEERS_PYTHON

    python = PEERS_PYTHON if engine == "lenskit" else Path(sys.executable)
    if not python.exists():
        raise RuntimeError("It is not installed: make bench-engines installs it.")
    half = psutil.virtual_memory().total // 2**21
    process = subprocess.run(
        [python, "-m", "benchmarks.scale.engines", folder, "--engine", engine],
        env=os.environ
        | {
            "SPARK_MASTER": f"local[{os.cpu_count()}]",
            "SPARK_STORAGE": str(folder / "spark"),
            "PYSPARK_SUBMIT_ARGS": f"--driver-memory {half}m pyspark-shell",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode:
        raise RuntimeError("It failed; what it said stands above.")
    told: Mapping[str, float] = json.loads(process.stdout.splitlines()[-1])
    return told


def _fit(engine: str, folder: Path) -> dict[str, float]:
    """Fit one engine, and judge it."""
    split = Split(*(tournament.read_ratings(folder / f"{n}.npz") for n in ("training", "held_out")))
    interactions = Interactions.build(split.training, Weighting())
    question = Question.build(split, interactions, Weighting())
    start = _now()
    scorer, moments = ENGINES[engine](interactions, FACTORS, ITERATIONS)
    end = _now()
    first, last = moments or (start, end)
    return {
        "seconds": last[0] - first[0],
        "whole": end[0] - start[0],
        "processor": last[1] - first[1],
        "ndcg": float(ask(scorer, question).ndcg.mean()),
    }


def _now() -> Moment:
    this = psutil.Process()
    worked = [process.cpu_times() for process in (this, *this.children(recursive=True))]
    return time.perf_counter(), sum(times.user + times.system for times in worked)


def _ials(
    interactions: Interactions, factors: int, iterations: int
) -> tuple[Scorer, Sequence[Moment]]:
    from recommender.embedders.als import ImplicitALS, Settings

    embedder = ImplicitALS(Settings(factors=factors, iterations=iterations))
    return by_vectors(embedder.fit(interactions)), ()


def _spark(
    interactions: Interactions, factors: int, iterations: int
) -> tuple[Scorer, Sequence[Moment]]:
    from recommender.embedders.spark import Settings, SparkALS

    moments: list[Moment] = []

    def listen(fraction: float, message: str, /) -> None:
        if message.startswith("iteration"):
            moments.append(_now())

    embedder = SparkALS(Settings(factors=factors, iterations=iterations))
    return by_vectors(embedder.fit(interactions, listen)), (moments[0], moments[-1])


def _lenskit(
    interactions: Interactions, factors: int, iterations: int
) -> tuple[Scorer, Sequence[Moment]]:
    from benchmarks.peers.from_lenskit import ImplicitMF

    liked = (interactions.matrix > 0).astype(np.float32)
    settings = {**LENSKIT, "embedding_size": factors, "epochs": iterations}
    (scorer,) = ImplicitMF().fit(liked, settings, seed=0)
    return scorer, ()


ENGINES: dict[str, Fit] = {"ials": _ials, "spark": _spark, "lenskit": _lenskit}


if __name__ == "__main__":
    sys.exit(main())
