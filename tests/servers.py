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

import psycopg


def _start() -> None:
    from recommender.config import stack

    # Each process of the tests has a core, and a second thread for small matrices only waits.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    home = Path(tempfile.mkdtemp(prefix="marquee-tests-"))
    os.environ["MARQUEE_HOME"] = str(home)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    # Nothing is collected before the tests, and nothing of another run's is found.
    static = home / "static"
    static.mkdir()
    os.environ["STATIC_ROOT"] = str(static)
    os.environ.pop("REDIS_URL", None)
    stack.provide()
    if "postgres" in stack.embedded():
        _write_in_memory(os.environ["DATABASE_URL"])
    _start_valkey(stack.valkey_socket())


def _write_in_memory(database_url: str) -> None:
    """Let a server of the tests' own wait for no disk: it never comes back after a crash."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


def _start_valkey(socket: Path) -> None:
    log = tempfile.TemporaryFile()  # noqa: SIM115 (open while the server runs)
    command = [sys.executable, "-m", "recommender.config.stack", "valkey"]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    atexit.register(log.close)
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
