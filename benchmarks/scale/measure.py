"""Times and memory of stages, each in a process of its own, beside a baseline in the same run."""

import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """One go of a stage."""

    seconds: float
    megabytes: float
    """The highest resident memory of the process."""
    server_megabytes: float
    """The highest of PostgreSQL's processes together, what they share counted once."""


@dataclass(frozen=True)
class Compared:
    """A stage and what it is held against, in turns."""

    stage: str
    baseline: str
    ours: list[Measured]
    theirs: list[Measured]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: the stage's time by the baseline's."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return statistics.median(one.seconds / other.seconds for one, other in pairs)

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {**asdict(self), "ratio": self.ratio}


def compare(stage: str, baseline: str, pairs: int, *arguments: str) -> Compared:
    """Run stage and baseline in turns, each `pairs` times; who is first takes turns too."""
    ours: list[Measured] = []
    theirs: list[Measured] = []
    for number in range(pairs):
        turns = [(stage, ours), (baseline, theirs)]
        for name, kept in turns if number % 2 == 0 else turns[::-1]:
            kept.append(run(name, *arguments))
    return Compared(stage, baseline, ours, theirs)


def run(stage: str, *arguments: str) -> Measured:
    """Run a stage once, in a process that finds this one's servers in the environment.

    Raises RuntimeError where it fails; what it said stands above.
    """
    command = [sys.executable, "-m", "benchmarks.scale.stages", stage, *arguments]
    with _ServerMemory() as server:
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{stage} failed")
    told = json.loads(process.stdout.splitlines()[-1])
    return Measured(told["seconds"], told["megabytes"], server.megabytes)


def report(work: Callable[[], float | None]) -> None:
    """Do a stage's work and print for `run` what it took: as `work` says, or all of it."""
    start = time.perf_counter()
    seconds = work()
    if seconds is None:
        seconds = time.perf_counter() - start
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "megabytes": kilobytes / 1024}))


class _ServerMemory:
    """Watches the memory of PostgreSQL's processes while it is entered."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_ServerMemory":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        server = _postmaster()
        while not self._done.wait(_SAMPLE_SECONDS):
            self.megabytes = max(self.megabytes, _megabytes([server, *server.children()]))


def _postmaster() -> psutil.Process:
    number = Path(os.environ["MARQUEE_HOME"], "postgres", "postmaster.pid").read_text()
    return psutil.Process(int(number.split("\n")[0]))


def _megabytes(processes: Sequence[psutil.Process]) -> float:
    own, shared = 0, 0
    for process in processes:
        try:
            memory = process.memory_info()
        except psutil.NoSuchProcess:
            continue
        own += memory.rss - memory.shared
        shared = max(shared, memory.shared)
    return (own + shared) / 2**20
