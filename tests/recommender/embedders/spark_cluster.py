"""A real standalone cluster of Spark: a master and workers, each a process of its own."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import psutil

from tests.worker import wait_until

CONFIGURATION = """
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.driver.memory 512m
spark.executor.memory 512m
spark.shuffle.io.maxRetries 1
spark.shuffle.io.retryWait 100ms
"""
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""So many short-lived processes of Java are best left half optimized."""
_PATIENCE = 180.0


@dataclass(frozen=True)
class Worker:
    """One of the cluster's machines, as it were: its processes are of one group."""

    process: "subprocess.Popen[bytes]"

    def executors(self) -> list[psutil.Process]:
        """The processes that compute for an application."""
        return psutil.Process(self.process.pid).children()

    def kill(self) -> None:
        """Take it away with all that it computes."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass(frozen=True)
class Cluster:
    """Where it is, and its workers."""

    master: str
    workers: list[Worker]


def environment(folder: Path) -> dict[str, str]:
    """What keeps Spark on loopback and light, in a folder that takes its settings."""
    (folder / "spark-defaults.conf").write_text(CONFIGURATION)
    return {
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JAVA_TOOL_OPTIONS": QUICK_START,
    }


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start a master and workers of one core each; whatever still runs ends with the block."""
    env = os.environ | environment(folder)
    started: list[subprocess.Popen[bytes]] = []
    log = folder / "master.log"
    address = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
    try:
        started.append(_start("master.Master", address, log, env))
        wait_until(
            lambda: "spark://" in log.read_text() or started[0].poll() is not None, _PATIENCE
        )
        found = re.search(r"spark://[\d.:]+", log.read_text())
        assert found, log.read_text()
        master = found.group()
        for number in range(workers):
            own = folder / f"worker-{number}"
            own.mkdir()
            share = ["--cores", "1", "--memory", "1g", "--work-dir", str(own), master]
            started.append(_start("worker.Worker", [*address, *share], own / "log", env))
        wait_until(lambda: log.read_text().count("Registering worker") == workers, _PATIENCE)
        yield Cluster(master, [Worker(process) for process in started[1:]])
    finally:
        for process in started:
            if process.poll() is None:
                Worker(process).kill()


def _start(
    name: str, arguments: list[str], log: Path, env: dict[str, str]
) -> "subprocess.Popen[bytes]":
    package = util.find_spec("pyspark")
    assert package and package.origin
    command = Path(package.origin).with_name("bin") / "spark-class"
    with log.open("wb") as said:
        return subprocess.Popen(
            [command, f"org.apache.spark.deploy.{name}", *arguments],
            env=env,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
