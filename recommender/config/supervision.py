"""The processes of a site on one machine, kept up by supervisord.

`python -m recommender.config.supervision CONFIGURATION PARENT` is the supervisord that `Supervisor`
starts: in a session of its own, so that the terminal's Ctrl-C reaches its parent alone, and on
Linux told to end should the parent be killed.
"""

import contextlib
import ctypes
import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import psutil
from supervisor import supervisord
from supervisor.xmlrpc import SupervisorTransport

from recommender.config import stack

STOP_SECONDS = 40
# Marks every process below a supervisord of ours with the home that it belongs to.
MARK = "MARQUEE_SUPERVISED_FROM"
PR_SET_PDEATHSIG = 1
ENDED = ("STOPPED", "EXITED", "FATAL")


@dataclass(frozen=True)
class Program:
    """One process to keep up. Lower priorities start first and stop last."""

    name: str
    command: list[str]
    priority: int
    stop_signal: str = "TERM"
    stop_seconds: int = 8
    once: bool = False
    """Whether it runs to its end and stays ended."""


class Supervisor:
    """A supervisord whose configuration, socket and logs lie below Marquee's home."""

    def __init__(self, programs: list[Program]) -> None:
        self.logs = stack.home() / "logs"
        self._folder = stack.home() / "supervisor"
        self._socket = stack.socket_folder("supervisor", "supervisor.sock") / "supervisor.sock"
        self._configuration = self._folder / "supervisord.conf"
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start supervisord with no program yet, after ending what a killed one left behind."""
        for folder in (self.logs, self._folder, self._socket.parent):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        end_leftovers()
        self._socket.unlink(missing_ok=True)
        self._configuration.write_text(self._sections())
        with (self.logs / "supervisor.log").open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, str(self._configuration), str(os.getpid())],
                cwd=stack.BASE_DIR,
                env=os.environ | {MARK: str(stack.home())},
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        while not self._socket.exists():
            if self._process.poll() is not None:
                raise SystemExit(f"The supervisor did not start:\n{self.tail('supervisor')}")
            time.sleep(0.05)

    def start_programs(self, names: Iterable[str]) -> None:
        """Ask for the programs to be started, without waiting for them."""
        with self._proxy() as proxy:
            for name in names:
                cast(Any, proxy).supervisor.startProcess(name, False)

    def wait_for(self, name: str) -> None:
        """Wait until a program that runs once has ended, or supervisord has."""
        while self._process and self._process.poll() is None:
            with self._proxy() as proxy:
                if cast(Any, proxy).supervisor.getProcessInfo(name)["statename"] in ENDED:
                    return
            time.sleep(1)

    def _proxy(self) -> xmlrpc.client.ServerProxy:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        return xmlrpc.client.ServerProxy("http://localhost", transport=transport)

    def wait(self) -> int:
        """Wait for supervisord's own end, which nobody asked for."""
        return self._process.wait() if self._process else 0

    def stop(self) -> None:
        """Stop every program, last started first, and leave no process behind."""
        if self._process is not None:
            self._stop_users_of_servers()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        end_leftovers()

    def _stop_users_of_servers(self) -> None:
        """Begin to stop them together; left to itself, supervisord stops one after the other."""
        servers = min(program.priority for program in self._programs)
        # Faults come from programs that do not run, the others from a supervisord that does not.
        with contextlib.suppress(OSError, http.client.HTTPException), self._proxy() as proxy:
            for program in self._programs:
                if program.priority > servers:
                    with contextlib.suppress(xmlrpc.client.Fault):
                        cast(Any, proxy).supervisor.stopProcess(program.name, False)

    def tail(self, name: str) -> str:
        """Return the end of a program's log."""
        path = self.logs / f"{name}.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else "(no log)"

    def _sections(self) -> str:
        sections: dict[str, dict[str, object]] = {
            "supervisord": {
                "nodaemon": "true",
                "logfile": self.logs / "supervisord.log",
                "logfile_maxbytes": "5MB",
                "logfile_backups": 1,
                "pidfile": self._folder / "supervisord.pid",
                "childlogdir": self.logs,
                "minfds": 256,
                "minprocs": 32,
            },
            "unix_http_server": {"file": self._socket, "chmod": "0700"},
            "rpcinterface:supervisor": {
                "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
            },
        }
        sections |= {f"program:{one.name}": self._section(one) for one in self._programs}
        return "\n".join(
            "\n".join([f"[{name}]", *(f"{key}={_escaped(value)}" for key, value in keys.items())])
            for name, keys in sections.items()
        )

    def _section(self, program: Program) -> dict[str, object]:
        return {
            "command": shlex.join(program.command),
            "directory": stack.BASE_DIR,
            "priority": program.priority,
            "autostart": "false",
            "autorestart": "false" if program.once else "true",
            "startsecs": 0 if program.once else 1,
            # What waits for another program to come back never gives up.
            "startretries": 1_000_000,
            "stopsignal": program.stop_signal,
            "stopwaitsecs": program.stop_seconds,
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": self.logs / f"{program.name}.log",
            "stdout_logfile_maxbytes": "5MB",
            "stdout_logfile_backups": 2,
        }


def end_leftovers() -> None:
    """End the processes of a supervisord of this home that is no more, gently and then not.

    PostgreSQL stays: whoever starts next joins it.
    """
    leftovers = [process for process in psutil.process_iter(["name"]) if _is_leftover(process)]
    for process in leftovers:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(leftovers, timeout=10)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=10)


def _is_leftover(process: psutil.Process) -> bool:
    try:
        ours = process.environ().get(MARK) == str(stack.home())
        return bool(ours and process.info["name"] != "postgres" and process.pid != os.getpid())
    except (psutil.Error, OSError):
        return False


def _escaped(value: object) -> str:
    # supervisord expands %(names)s.
    return str(value).replace("%", "%%")


def _end_with_parent(pid: int) -> None:
    """Ask Linux for SIGTERM when the parent dies, whatever kills it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != pid:
            raise SystemExit("The parent has ended already.")


if __name__ == "__main__":
    _end_with_parent(int(sys.argv[2]))
    supervisord.main(["--configuration", sys.argv[1]])
