"""Many clients at once: wrk asks, and what the server makes of it.

wrk (https://github.com/wg/wrk; `apt-get install wrk`) is a small C program, so that the clients,
who share the machine with the server, take as little of it as can be.
"""

import json
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

_ANSWERS = 8
SCRIPT = Path(__file__).with_name("load.lua")

Target = tuple[str, str]
"""An address on the server, and what its Authorization header says; "" where it has none."""


@dataclass(frozen=True)
class Load:
    """What came of some seconds of so many clients, each asking again once it is answered."""

    requests_a_second: float
    p50: float
    """Milliseconds, as the others."""
    p95: float
    p99: float
    errors: int
    """Answers of 400 and above, and connections that broke or waited too long."""


@dataclass(frozen=True)
class LoadPair:
    """Two sets of targets under the same load, in turns."""

    clients: int
    ours: list[Load]
    theirs: list[Load]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: our requests a second by theirs."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return statistics.median(
            one.requests_a_second / other.requests_a_second for one, other in pairs
        )

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {**asdict(self), "ratio": self.ratio}


def is_there() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


def compare(
    base: str,
    ours: Iterator[Sequence[Target]],
    theirs: Sequence[Target],
    clients: int,
    pairs: int,
    seconds: int,
) -> LoadPair:
    """Load the server at `base` with both in turns, each `pairs` times for so many seconds.

    Each turn takes our next targets.
    """
    found = LoadPair(clients, [], [])
    for number in range(pairs):
        turns = [(next(ours), found.ours), (theirs, found.theirs)]
        for targets, kept in turns if number % 2 == 0 else turns[::-1]:
            kept.append(ask(base, targets, clients, seconds))
            _settle(base)
    return found


def _settle(base: str) -> None:
    """Wait until the server has done with what clients asked that are gone."""
    for _ in range(_ANSWERS):
        httpx.get(f"{base}/healthz", trust_env=False, timeout=60)


def ask(base: str, targets: Sequence[Target], clients: int, seconds: int) -> Load:
    """Let so many clients ask for the targets in turns.

    Raises RuntimeError where wrk fails, or nothing is answered.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.writelines(f"{address}\t{authorization}\n" for address, authorization in targets)
        file.flush()
        command = ["wrk", "--threads", "1", "--connections", str(clients)]
        command += ["--duration", f"{seconds}s", "--timeout", "30s", "--script", str(SCRIPT)]
        done = subprocess.run(
            [*command, base, "--", file.name], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"wrk failed: {done.stderr or done.stdout}")
    told = json.loads(done.stdout.splitlines()[-1])
    if not told["requests"]:
        raise RuntimeError(f"Nothing was answered in {seconds} s: {done.stdout}")
    return Load(
        requests_a_second=told["requests"] / told["seconds"],
        p50=told["p50"],
        p95=told["p95"],
        p99=told["p99"],
        errors=told["errors"],
    )
