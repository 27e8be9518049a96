"""The embedded servers: shared, found again, started after anything that was done to them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from recommender.config import stack
from recommender.config.postgres import Cluster

HOLD = """
import os, sys
from recommender.config import stack
stack.provide()
print(os.environ["DATABASE_URL"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


class Holder:
    """A process that holds the home's PostgreSQL until it is told to leave."""

    def __init__(self, home: Path) -> None:
        named = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STATIC_ROOT")
        inherited = {name: value for name, value in os.environ.items() if name not in named}
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD],
            cwd=stack.BASE_DIR,
            env=inherited | {"MARQUEE_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        line = self.process.stdout.readline().strip()
        assert line, self.process.stderr.read()
        return line

    def leave(self) -> None:
        self.process.communicate(timeout=60)


def server(home: Path) -> psutil.Process | None:
    return Cluster(home / "postgres", home / "postgres").process()


def answers(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_processes_that_start_at_once_share_a_server_and_the_last_one_stops_it(home: Path):
    holders = [Holder(home) for _ in range(3)]
    urls = {holder.url() for holder in holders}
    assert len(urls) == 1
    assert answers(urls.pop())

    for holder in holders:
        assert server(home) is not None
        holder.leave()
    assert server(home) is None


def test_a_killed_holder_does_not_keep_the_server_up(home: Path):
    killed, last = Holder(home), Holder(home)
    killed.url(), last.url()
    killed.process.kill()
    killed.leave()
    last.leave()

    assert server(home) is None


def test_a_killed_server_is_started_again_with_what_was_committed(home: Path):
    holder = Holder(home)
    with psycopg.connect(holder.url()) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    server(home).kill()
    holder.leave()

    again = Holder(home)
    with psycopg.connect(again.url()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    again.leave()


def test_a_number_left_by_a_dead_server_that_another_process_has_is_no_server(home: Path):
    """As after a reboot, when numbers are given out anew."""
    first = Holder(home)
    first.url()
    running = server(home)
    lines = (home / "postgres" / "postmaster.pid").read_text().splitlines()
    running.kill()
    running.wait()
    first.leave()
    lines[0] = str(os.getpid())
    (home / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")

    again = Holder(home)
    assert answers(again.url())
    again.leave()


def test_a_folder_above_that_was_closed_meanwhile_does_no_harm(home: Path):
    first = Holder(home)
    first.url()
    first.leave()
    home.chmod(0o700)

    again = Holder(home)
    assert answers(again.url())
    again.leave()


def test_a_set_up_that_was_cut_short_is_begun_anew(home: Path):
    (home / "postgres.new" / "base").mkdir(parents=True)
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")

    holder = Holder(home)
    assert answers(holder.url())
    holder.leave()


def test_a_folder_that_holds_something_else_is_left_alone(home: Path):
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "thesis.txt").write_text("precious")

    holder = Holder(home)
    _, said = holder.process.communicate(timeout=60)
    assert "no PostgreSQL cluster" in said
    assert (home / "postgres" / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("name", ["with a space", "it's 100%, or so", "l" * 120])
def test_any_home_will_do(tmp_path: Path, name: str):
    holder = Holder(tmp_path / name)
    assert answers(holder.url())
    holder.leave()


def test_the_keeper_ends_with_its_server(home: Path):
    environment = os.environ | {"MARQUEE_HOME": str(home)}
    command = [sys.executable, "-m", "recommender.config.stack", "postgres"]
    keeper = subprocess.Popen(command, cwd=stack.BASE_DIR, env=environment)
    deadline = time.monotonic() + 60
    pid_file = home / "postgres" / "postmaster.pid"
    while not (pid_file.exists() and "ready" in pid_file.read_text()):
        assert keeper.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    server(home).send_signal(signal.SIGKILL)

    assert keeper.wait(60) != 0


def test_secrets_are_kept_and_ours_alone(monkeypatch: pytest.MonkeyPatch, home: Path):
    monkeypatch.setenv("MARQUEE_HOME", str(home))
    made = stack.secret("a-secret")

    assert len(made) >= 48
    assert stack.secret("a-secret") == made
    assert (home / "a-secret").stat().st_mode & 0o077 == 0


def test_a_database_of_ones_own_needs_a_secret_of_ones_own(tmp_path: Path):
    environment = {"DATABASE_URL": "postgresql://nowhere/x", "MARQUEE_HOME": str(tmp_path)}
    command = [sys.executable, "manage.py", "check"]
    result = subprocess.run(
        command, cwd=stack.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "Set SECRET_KEY" in result.stderr


def test_a_web_process_loads_no_training_library():
    libraries = ("implicit", "gensim", "openTSNE", "optuna", "pyarrow", "torch", "pyspark")
    code = (
        "import sys, recommender.config.wsgi;"
        f"print([name for name in {libraries} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
