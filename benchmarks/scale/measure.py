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
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

FACTORS, ITERATIONS = 128, 16
"""Of every fit that is compared with another."""

_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Took:
    """Seconds of each of a stage's parts."""

    steps: dict[str, float]
    """Those that are waited for; the stage took as long as they."""
    afterwards: dict[str, float]
    """Those of what it does then."""


@dataclass(frozen=True)
class Measured:
    """One go of a stage."""

    seconds: float
    megabytes: float
    """The highest resident memory of the process."""
    server_megabytes: float
    """The highest of PostgreSQL's processes together, what they share counted once."""
    idle_megabytes: float
    """What the process had before it began: Python and the libraries."""
    steps: dict[str, float] = field(default_factory=dict)
    """Seconds of each of its parts, where it tells them."""
    afterwards: dict[str, float] = field(default_factory=dict)
    """Seconds of what it does then."""


@dataclass(frozen=True)
class Compared:
    """A stage and what it is held against, in turns."""

    stage: str
    baseline: str
    ours: list[Measured]
    theirs: list[Measured]

    @property
    def ratio(self) -> float | None:
        """The median of the pairs' ratios: the stage's time by the baseline's, where it has one."""
        if not self.theirs:
            return None
        pairs = zip(self.ours, self.theirs, strict=True)
        return statistics.median(one.seconds / other.seconds for one, other in pairs)

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {**asdict(self), "ratio": self.ratio}


def compare(
    stage: str, baseline: str, pairs: int, *arguments: str, first: Measured | None = None
) -> Compared:
    """Run stage and baseline in turns, each `pairs` times; who is first takes turns too.

    `first` is a go of the stage that was measured already.
    """
    ours: list[Measured] = []
    theirs: list[Measured] = []
    for number in range(pairs):
        turns = [(stage, ours), (baseline, theirs)]
        for name, kept in turns if number % 2 == 0 else turns[::-1]:
            is_done = first is not None and kept is ours and not kept
            kept.append(first if is_done else run(name, *arguments))
    return Compared(stage, baseline, ours, theirs)


def alone(stage: str, *arguments: str, first: Measured | None = None) -> Compared:
    """Run a stage once, without its baseline; see `compare`."""
    return Compared(stage, "", [first or run(stage, *arguments)], [])


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
    return Measured(server_megabytes=server.megabytes, **told)


def report(work: Callable[[], float | Took | None]) -> None:
    """Do a stage's work and print for `run` what it took.

    That is what `work` returns: its seconds, or those of its parts; all of it where it says none.
    """
    idle = psutil.Process().memory_info().rss / 2**20
    start = time.perf_counter()
    told = work()
    parts = asdict(told) if isinstance(told, Took) else {}
    if isinstance(told, Took):
        seconds = sum(told.steps.values())
    else:
        seconds = time.perf_counter() - start if told is None else told
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"seconds": seconds, "megabytes": megabytes, "idle_megabytes": idle}
    print(json.dumps({**figures, **parts}))


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
