"""`manage.py demo` as a person uses it: real processes from an empty folder, in a home whose name
has a space. The tests share one demo and run in the order of this file."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from recommender.config import stack
from recommender.config.supervision import MARK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

GIVEN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STATIC_ROOT", "DEBUG")


@dataclass
class Demo:
    home: Path
    port: int
    process: subprocess.Popen
    output: Path

    def get(self, path: str) -> int:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=60).status_code
        except httpx.HTTPError:
            return 0

    def processes(self) -> dict[int, list[str]]:
        """Everything that runs for this home, but the command itself."""
        found = {}
        for process in psutil.process_iter():
            try:
                command = process.cmdline()
                ours = process.environ().get(MARK) == str(self.home)
            except psutil.Error:
                continue
            if process.pid != self.process.pid and (ours or str(self.home) in " ".join(command)):
                found[process.pid] = command
        return found

    def pid(self, *words: str) -> int | None:
        """The process whose command has all these words, the oldest if several have."""
        pids = [
            pid
            for pid, command in self.processes().items()
            if all(any(word in part for part in command) for word in words)
        ]
        return min(pids, key=lambda pid: psutil.Process(pid).create_time(), default=None)


def environment(home: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in GIVEN}
    return inherited | {"MARQUEE_HOME": str(home), "OFFLINE": "1"} | more


def command(port: int) -> list[str]:
    return [sys.executable, "manage.py", "demo", "--port", str(port)]


def group(leader: int) -> list[int]:
    """The living members of a process group."""
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(pid) == leader:
                members.append(pid)
    return members


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what: Callable[[], object], seconds: float, said: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, said()
        time.sleep(0.2)


def start(home: Path, output: Path) -> Demo:
    port = free_port()
    with output.open("w") as file:
        process = subprocess.Popen(
            command(port),
            cwd=stack.BASE_DIR,
            env=environment(home),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    demo = Demo(home, port, process, output)

    def up_or_over() -> bool:
        return "Ctrl-C stops it all" in output.read_text() or process.poll() is not None

    wait_for(up_or_over, 600, output.read_text)
    assert process.poll() is None, output.read_text()
    return demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    demo = start(folder / "a home", folder / "output")
    yield demo
    if demo.process.poll() is None:
        demo.process.terminate()
        demo.process.wait(60)
    for pid in demo.processes():
        os.kill(pid, signal.SIGKILL)


def test_an_empty_folder_becomes_a_site_with_films_and_a_model(demo: Demo):
    assert demo.get("/readyz") == 200
    for path in ("/", "/healthz", "/admin/login/", "/api/v1/movies/"):
        assert demo.get(path) == 200, (path, (demo.home / "logs" / "web.log").read_text()[-3000:])
    movies = httpx.get(f"http://127.0.0.1:{demo.port}/api/v1/movies/", timeout=60).json()
    assert movies["count"] == 9066
    ready = httpx.get(f"http://127.0.0.1:{demo.port}/readyz", timeout=60).json()
    assert ready["live_model"] is not None


def test_the_spaces_that_the_sample_tells_of_are_learnt_in_the_background(demo: Demo):
    assert "are being learnt in the background" in demo.output.read_text()

    def page() -> str:
        return httpx.get(
            f"http://127.0.0.1:{demo.port}/films/like/1/?space=neighbours", timeout=60
        ).text

    wait_for(lambda: "By those who watched it" in page(), 300, page)
    assert "By story" not in page()


def test_the_staff_login_that_it_shows_works(demo: Demo):
    password = (demo.home / "staff-password").read_text()
    assert f"staff / {password}" in demo.output.read_text()
    with httpx.Client(base_url=f"http://127.0.0.1:{demo.port}", timeout=60) as browser:
        browser.get("/admin/login/")
        form = {
            "username": "staff",
            "password": password,
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        assert browser.post("/admin/login/?next=/admin/", data=form).status_code == 302
        assert browser.get("/admin/").status_code == 200


def test_a_second_demo_on_the_same_home_says_that_one_runs(demo: Demo):
    second = subprocess.run(
        command(free_port()),
        cwd=stack.BASE_DIR,
        env=environment(demo.home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode != 0
    assert f"already runs from {demo.home}: http://127.0.0.1:{demo.port}" in second.stderr


def test_a_taken_port_is_named_before_anything_starts(demo: Demo, tmp_path: Path):
    # The servers are named, so that this one starts none.
    named = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    second = subprocess.run(
        command(demo.port),
        cwd=stack.BASE_DIR,
        env=environment(tmp_path, **named),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode != 0
    assert f"Port {demo.port} cannot be used" in second.stderr
    assert not (tmp_path / "supervisor").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("gunicorn",),
        ("celery", "worker"),
        ("celery", "beat"),
        ("valkey-server",),
        ("bin/postgres", "-D"),
    ],
    ids=["web", "worker", "beat", "valkey", "postgres"],
)
def test_what_is_killed_comes_back_by_itself(demo: Demo, words: tuple[str, ...]):
    killed = demo.pid(*words)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    wait_for(lambda: demo.pid(*words) not in (None, killed), 60, lambda: f"no {words} again")
    # A killed master's children answer on for a moment, and then hang up.
    wait_for(lambda: not group(killed), 60, lambda: str(demo.processes()))
    wait_for(
        lambda: demo.get("/readyz") == demo.get("/") == 200, 120, lambda: str(demo.processes())
    )


def test_ctrl_c_leaves_no_process_and_the_next_start_finds_everything(demo: Demo, tmp_path: Path):
    password = (demo.home / "staff-password").read_text()
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(60) == 0
    assert demo.processes() == {}

    again = start(demo.home, tmp_path / "output")
    try:
        text = again.output.read_text()
        assert "Loading" not in text
        assert "Training" not in text
        assert password in text
    finally:
        again.process.send_signal(signal.SIGHUP)
        assert again.process.wait(60) == 0
    assert again.processes() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells a child that it is orphaned")
def test_a_killed_demo_takes_everything_with_it(demo: Demo, tmp_path: Path):
    again = start(demo.home, tmp_path / "output")
    again.process.kill()
    again.process.wait()

    wait_for(lambda: not again.processes(), 60, lambda: str(again.processes()))
