"""`make demo`: the whole site on one machine, from an empty folder to a page in the browser.

Each step does nothing where its work is done already, so a second start takes seconds.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections
from rich.console import Console
from rich.panel import Panel

from movies.models import Credit, Movie
from recommender.config import stack
from recommender.config.supervision import Program, Supervisor, end_leftovers
from recommender.models import ModelVersion, Space
from recommender.training import runs
from users.models import Rating, User

HOST = "127.0.0.1"
STAFF = "staff"
READY_SECONDS = 120
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

console = Console(highlight=False)


def run(port: int, reload: bool) -> None:
    """Set up what is missing and serve the site until Ctrl-C (or SIGTERM, or a closed terminal).

    Raises CommandError where the port is taken or another demo runs from the same home.
    """
    for number in STOPPING_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    with _only_one(port):
        end_leftovers()
        _check_port(port)
        supervisor = Supervisor(programs(port, reload))
        try:
            _serve(supervisor, port)
        except KeyboardInterrupt:
            _say("Stopping …")
        finally:
            # Nothing interrupts what leaves no process behind.
            for number in STOPPING_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            supervisor.stop()
    _say(f"Stopped. Everything is kept in {stack.home()}.")


def programs(port: int, reload: bool) -> list[Program]:
    """Return what the site runs on; servers of its own only where no other is named."""
    python = [sys.executable]
    keeper = [*python, "-m", "recommender.config.stack"]
    celery = [*python, "-m", "celery", "--app", "recommender.config"]
    servers = [
        Program(name, [*keeper, name], priority=10, stop_seconds=30) for name in stack.embedded()
    ]
    return [
        *servers,
        # QUIT: a training under way is not waited for.
        Program(
            "worker",
            [*celery, "worker", "--pool", "solo", "--loglevel", "INFO"],
            priority=20,
            stop_signal="QUIT",
        ),
        Program("beat", [*celery, "beat", "--pidfile", "", "--loglevel", "INFO"], priority=20),
        Program("web", _web_server(port, reload), priority=30),
        Program(
            "overviews",
            [*python, "manage.py", "import_wikipedia", "download", "--no-progress"],
            priority=40,
            once=True,
        ),
    ]


def _web_server(port: int, reload: bool) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "recommender.config.wsgi"]
    command += ["--bind", f"{HOST}:{port}", "--workers", "2", "--threads", "4"]
    command += ["--graceful-timeout", "5", "--no-control-socket", "--access-logfile", "-"]
    if not reload:
        return [*command, "--preload"]
    command.append("--reload")
    for template in sorted((settings.BASE_DIR / "templates").rglob("*.*")):
        command += ["--reload-extra-file", str(template)]
    return command


def _serve(supervisor: Supervisor, port: int) -> None:
    started = time.monotonic()
    with _step("Starting the servers"):
        supervisor.start()
        supervisor.start_programs(stack.embedded())
    with _step("Updating the database's tables"):
        call_command("migrate", verbosity=0, interactive=False)
    with _step("Gathering stylesheets, fonts and scripts"):
        _collect_static()
    _load_sample()
    _train()
    password = _staff_password()
    with _step("Starting the site"):
        supervisor.start_programs(("worker", "beat", "web"))
        _wait_until_ready(supervisor, port)
    is_learning = _train_film_spaces()
    is_adding = _add_overviews(supervisor)
    _announce(port, password, is_adding, is_learning, time.monotonic() - started)
    if is_adding:
        supervisor.wait_for("overviews")
        # The database may have been away meanwhile; the next start asks again.
        close_old_connections()
        with contextlib.suppress(DatabaseError):
            _train_film_spaces()
    code = supervisor.wait()
    raise CommandError(f"The supervisor ended ({code}):\n{supervisor.tail('supervisord')}")


def _collect_static() -> None:
    """Collect, hash and compress the static files, unless they are as they were."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            file = Path(storage.path(path)).stat()
            digest.update(f"{path} {file.st_size} {file.st_mtime_ns}\n".encode())
    stamp = settings.STATIC_ROOT / ".collected"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(digest.hexdigest())


def _load_sample() -> None:
    if not Movie.objects.exists():
        _say("Loading the MovieLens sample")
        call_command("import_movielens", "sample")


def _train() -> None:
    if ModelVersion.objects.live() is None and Rating.objects.exists():
        _say("Training the first model")
        # The bar says what the log would.
        logging.getLogger("recommender.training").setLevel(logging.WARNING)
        call_command("train")


def _train_film_spaces() -> bool:
    """Ask the worker for each space of films that has none yet and something to learn from."""
    told = Movie.objects.exclude(overview="").exists()
    has_material = {
        Space.NEIGHBOURS: Rating.objects.exists(),
        Space.STORY: told,
        Space.PEOPLE: Credit.objects.exists(),
        Space.WORDS: told,
    }
    asked = False
    for space, has_some in has_material.items():
        if has_some and ModelVersion.objects.live(space) is None:
            with contextlib.suppress(runs.RunUnderway, runs.QueueUnavailable):
                runs.request(space)
                asked = True
    return asked


def _staff_password() -> str:
    """Return the staff account's password, kept in the home; the account is made on first use."""
    password = stack.secret("staff-password", length=12)
    person = User.objects.filter(username=STAFF).first()
    if person is None:
        User.objects.create_superuser(STAFF, password=password)
    elif not person.check_password(password):
        return "(as you have set it)"
    return password


def _wait_until_ready(supervisor: Supervisor, port: int) -> None:
    give_up = time.monotonic() + READY_SECONDS
    answer = "no answer"
    while time.monotonic() < give_up:
        with contextlib.suppress(httpx.HTTPError):
            response = httpx.get(f"http://{HOST}:{port}/readyz", trust_env=False)
            if response.status_code == httpx.codes.OK:
                return
            answer = response.text
        time.sleep(0.1)
    raise CommandError(f"The site does not get ready: {answer}\n{supervisor.tail('web')}")


def _add_overviews(supervisor: Supervisor) -> bool:
    """Fetch overviews, casts and posters in the background, once and where there is a way out."""
    if os.environ.get("OFFLINE", "0") not in ("", "0"):
        return False
    if Movie.objects.exclude(overview="").exists() or not _reaches(settings.WIKIPEDIA_URL):
        return False
    supervisor.start_programs(["overviews"])
    return True


def _reaches(url: str) -> bool:
    try:
        httpx.head(url, timeout=2)
    except httpx.HTTPError:
        return False
    return True


def _announce(port: int, password: str, is_adding: bool, is_learning: bool, seconds: float) -> None:
    lines = [
        f"[bold]http://{HOST}:{port}[/]",
        "",
        f"Staff     {STAFF} / {password}   (the training console is at /studio/)",
        f"Data      {stack.home()}",
        f"Logs      {stack.home() / 'logs'}",
    ]
    if is_adding:
        lines.append("Overviews, casts and posters are being added in the background.")
    if is_learning:
        lines.append("More ways for films to be alike are being learnt in the background.")
    lines += ["", "Ctrl-C stops it all."]
    title = f"Marquee is up, after {seconds:.0f} s"
    console.print(Panel("\n".join(lines), title=title, expand=False, padding=(1, 2)))


@contextlib.contextmanager
def _only_one(port: int) -> Iterator[None]:
    """Let one demo at a time run from a home."""
    with (stack.home() / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(f"Marquee already runs from {stack.home()}: {lock.read()}") from None
        lock.truncate(0)
        lock.write(f"http://{HOST}:{port}, process {os.getpid()}.")
        lock.flush()
        yield


def _check_port(port: int) -> None:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "no such port"
        raise CommandError(
            f"Port {port} cannot be used ({reason}). Choose another: make demo PORT=8001"
        ) from None


@contextlib.contextmanager
def _step(text: str) -> Iterator[None]:
    started = time.monotonic()
    with console.status(f"{text} …"):
        yield
    _say(f"{text}: {time.monotonic() - started:.1f} s")


def _say(text: str) -> None:
    # The terminal may be gone; the work goes on.
    with contextlib.suppress(OSError):
        console.print(text, markup=False, soft_wrap=True)
