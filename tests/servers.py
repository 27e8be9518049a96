"""A pytest plugin: a PostgreSQL and a Valkey of the tests' own.

Loaded with `-p`, so that the servers are there before Django reads its settings. They live in a
temporary folder and end with the run, so several runs can go side by side. A `DATABASE_URL` in the
environment is used, for Django makes a test database beside the one it names; a `REDIS_URL` is not,
for the tests empty what they find there.
"""

import atexit
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def _start() -> None:
    from recommender.config import stack

    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    home = Path(tempfile.mkdtemp(prefix="marquee-tests-"))
    os.environ["MARQUEE_HOME"] = str(home)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ.pop("REDIS_URL", None)
    stack.provide()
    _start_valkey(stack.valkey_socket())


def _start_valkey(socket: Path) -> None:
    log = tempfile.TemporaryFile()  # noqa: SIM115 (open while the server runs)
    command = [sys.executable, "-m", "recommender.config.stack", "valkey"]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    atexit.register(process.wait)
    atexit.register(process.terminate)
    deadline = time.monotonic() + 20
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            raise RuntimeError(f"Valkey did not start: {log.read().decode()}")
        time.sleep(0.05)


def _take_a_database_of_valkey(worker: str) -> None:
    """Give a worker of pytest-xdist its own part of Valkey, as Django gives it of PostgreSQL."""
    number = 1 + int(worker.removeprefix("gw"))
    os.environ["REDIS_URL"] += f"?db={number}"


# Workers of pytest-xdist inherit the environment, and with it the servers of the first process.
if xdist_worker := os.environ.get("PYTEST_XDIST_WORKER"):
    _take_a_database_of_valkey(xdist_worker)
else:
    _start()
