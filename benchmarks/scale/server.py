"""The site's web server as the demo starts it, on the benchmark's own database."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psutil
from django.core.management import call_command

from recommender import demo
from recommender.config import stack

UNTHROTTLED = "1000000000/min"
"""The benchmark asks for more in a second than a program may in a minute."""
_READY_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A web server that answers."""

    host: str
    port: int
    process: psutil.Process

    @property
    def base(self) -> str:
        """What addresses are put behind."""
        return f"http://{self.host}:{self.port}"

    def megabytes(self) -> list[float]:
        """The resident memory of each process that answers requests, what they share included."""
        return [worker.memory_info().rss / 2**20 for worker in self.process.children()]


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Start Valkey and gunicorn, and stop them at the end.

    Raises RuntimeError where the site does not get ready.
    """
    call_command("collectstatic", verbosity=0, interactive=False)
    with socket.socket() as probe:
        probe.bind((demo.HOST, 0))
        port = probe.getsockname()[1]
    commands = {program.name: program.command for program in demo.programs(port, reload=False)}
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.scale.settings",
        "API_THROTTLE_USER": UNTHROTTLED,
    }
    with contextlib.ExitStack() as started:
        for name in ("valkey", "web"):
            log = started.enter_context((stack.home() / f"{name}.log").open("wb"))
            process = subprocess.Popen(
                commands[name], cwd=stack.BASE_DIR, env=environment, stdout=log, stderr=log
            )
            started.callback(process.wait)
            started.callback(process.terminate)
        server = Server(demo.HOST, port, psutil.Process(process.pid))
        _wait_until_ready(server)
        yield server


def _wait_until_ready(server: Server) -> None:
    give_up = time.monotonic() + _READY_SECONDS
    while time.monotonic() < give_up:
        with contextlib.suppress(httpx.HTTPError, ValueError):
            answer = httpx.get(f"{server.base}/readyz", trust_env=False)
            # Without the cache the site would answer too, and count no requests.
            if answer.json()["status"] == "ok":
                return
        time.sleep(0.1)
    raise RuntimeError((stack.home() / "web.log").read_text()[-2000:])
