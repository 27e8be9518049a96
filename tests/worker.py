"""A real Celery worker beside the tests: a process on the tests' database and queue."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.core.cache import cache
from django.db import connection

from recommender.config import heartbeat

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ["celery", "--app", "recommender.config", "worker", "--pool", "solo"]


@contextlib.contextmanager
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    """Start a worker, wait until it takes work, and end it after the block if it still runs."""
    cache.clear()  # the queue and the signs of life of earlier workers live there
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *COMMAND, "--loglevel", "INFO"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": test_database_url()},
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: heartbeat.is_up(heartbeat.WORKER) or process.poll() is not None)
            assert process.poll() is None, "the worker ended at its start"
            yield process
        except BaseException:
            log.seek(0)
            print(log.read().decode())  # pytest shows it with the failure
            raise
        finally:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for the condition to come true, and fail where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)


def test_database_url() -> str:
    """The address of the database that the tests write to."""
    name = connection.settings_dict["NAME"]
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


test_database_url.__test__ = False  # type: ignore[attr-defined]
