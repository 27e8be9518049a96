"""Search for better settings than the defaults, in this process."""

import json
import logging
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from recommender.models import Space, TuningStudy
from recommender.training import runs, studies, tuning, tuning_pipeline
from recommender.training.search_space import SearchSpace
from recommender.training.trials import Trial

BEST, LATEST = 5, 5
"""Trials that the table shows."""


class Command(BaseCommand):
    help = (
        "Search for better settings than the defaults. What is found to be better is what the next"
        " training uses. A search goes on where the last one ended. Ctrl-C ends it early and"
        " checks the best trials; pressed again, it leaves them unchecked. Trials are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        effort = studies.Effort()
        parser.add_argument("--space", choices=[Space.TASTE], default=Space.TASTE)
        parser.add_argument(
            "--minutes",
            default=effort.minutes,
            help=f"How long, with the check at the end (default {effort.minutes:g}).",
        )
        parser.add_argument(
            "--trials",
            default=effort.trials,
            help="End after so many trials, earlier ones of the study counted"
            f" (default {effort.trials}).",
        )
        parser.add_argument(
            "--seed",
            default=effort.seed,
            help="The same seed and ratings make the same trials; how many is up to the clock.",
        )
        parser.add_argument(
            "--fresh", action="store_true", help="Begin a new study instead of going on."
        )
        parser.add_argument(
            "--json", action="store_true", help="Print the study and its trials as JSON."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = {name: options[name] for name in ("minutes", "trials", "seed")}
        try:
            effort = studies.Effort.from_dict({**asked, "fresh": int(options["fresh"])})
            run = studies.create(options["space"], effort)
        except (runs.RunUnderway, ValueError) as error:
            raise CommandError(str(error)) from error
        watch = _Watch(60 * effort.minutes, Console(stderr=True))
        try:
            with _log_kept_back(), watch.shown(), _stopped_by_interrupt(watch):
                study = tuning_pipeline.execute(run, watch)
        except (tuning.NothingToTune, runs.RunCancelled, runs.RunLost) as error:
            raise CommandError(f"Run {run.pk} ended early: {error}") from error
        self.stdout.write(_json(study) if options["json"] else _summary(study))


class _Watch(tuning.Listener):
    """Shows a search on standard error, which leaves standard output to the answer."""

    def __init__(self, seconds: float, console: Console) -> None:
        self._ends_at, self._seconds = time.monotonic() + seconds, seconds
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawn_at = 0.0
        self._names: list[str] = []
        self._trials: list[Trial] = []
        self._message = "Reading the ratings"
        self._stops = 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep a live table on a terminal; elsewhere lines alone are printed."""
        if not self._console.is_terminal:
            yield
            return
        with self._live:
            yield

    def stop(self) -> None:
        """End the search at its next report, and the check at the report after a second call."""
        self._stops += 1

    def note(self, line: str) -> None:
        self._console.print(line, highlight=False)

    def report(self, fraction: float, message: str) -> None:
        self._message = message
        self._draw()
        if self._stops:
            self._stops -= 1
            raise tuning.StopSearch

    def checking(self) -> None:
        self.note("Checking the best against the defaults, on ratings not yet looked at.")

    def opened(self, space: SearchSpace, trials: Sequence[Trial]) -> None:
        self._names = [dimension.name for dimension in space.dimensions]
        self._trials = list(trials)

    def ended(self, trial: Trial) -> None:
        self._trials.append(trial)
        if self._console.is_terminal:
            self._draw(at_once=True)
        else:
            self._console.print(f"{trial.number:4}  {_worth(trial, self._trials)}", highlight=False)

    def _draw(self, at_once: bool = False) -> None:
        if self._console.is_terminal and (at_once or time.monotonic() - self._drawn_at > 0.25):
            self._drawn_at = time.monotonic()
            self._live.update(Group(self._table(), self._line(), self._bar()), refresh=True)

    def _table(self) -> Table:
        """The best trials, then the latest."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("trial", "NDCG@20", *self._names):
            table.add_column(heading.replace("_", "\n"), justify="right")
        whole = [trial for trial in self._trials if trial.value is not None]
        best = sorted(whole, key=lambda trial: -(trial.value or 0))[:BEST]
        for shown in (best, self._trials[: -LATEST - 1 : -1]):
            for trial in shown:
                row = [str(trial.number), _worth(trial, self._trials)]
                row += [f"{trial.parameters[name]:g}" for name in self._names]
                style = "bold" if best and trial is best[0] else "dim" if not trial.value else ""
                table.add_row(*row, style=style)
            table.add_section()
        return table

    def _line(self) -> Text:
        given_up = sum(trial.value is None for trial in self._trials)
        left = max(0.0, self._ends_at - time.monotonic())
        return Text(
            f"{len(self._trials)} trials, {given_up} given up early; {self._message};"
            f" {int(left // 60)}:{int(left % 60):02} left"
        )

    def _bar(self) -> ProgressBar:
        elapsed = self._seconds - (self._ends_at - time.monotonic())
        return ProgressBar(total=self._seconds, completed=min(self._seconds, elapsed), width=60)


@contextmanager
def _log_kept_back() -> Iterator[None]:
    """Leave what the watch shows to it alone; the run keeps the lines in the database."""
    logger = logging.getLogger(runs.__name__)
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _stopped_by_interrupt(watch: _Watch) -> Iterator[None]:
    """Let Ctrl-C end the search well; pressed a third time it ends the process as ever."""
    pressed = 0

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += 1
        if pressed > 2:
            raise KeyboardInterrupt
        watch.stop()

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _worth(trial: Trial, trials: list[Trial]) -> str:
    """What a trial came to, and how much more than the defaults that is."""
    if trial.error:
        return "could not be fitted"
    if trial.value is None:
        return f"given up at {trial.looks[-1]:.4f}"
    base = trials[0].value
    change = f" {100 * (trial.value / base - 1):+5.1f} %" if base and trial.number else ""
    return f"{trial.value:.4f}{change}"


def _json(study: TuningStudy) -> str:
    fields = ("number", "state", "value", "looks", "seconds", "parameters", "error")
    answer = {
        "study": study.pk,
        "space": study.space,
        "embedder": study.embedder,
        "seed": study.seed,
        "verdict": study.verdict,
        "adopted": study.adopted_at is not None,
        "parameters": study.parameters or study.defaults,
        "gain": study.gain,
        "trials": list(study.trials.values(*fields)),
    }
    return json.dumps(answer, indent=2)


def _summary(study: TuningStudy) -> str:
    lines = [f"Study {study.pk}, {study.trials.count()} trials. {study.verdict}"]
    if study.adopted_at and study.parameters:
        changed = {
            name: value
            for name, value in study.parameters.items()
            if value != study.defaults.get(name)
        }
        lines.append("The next training uses " + _settings(changed) + ".")
    else:
        lines.append("The next training uses the defaults.")
    return "\n".join(lines)


def _settings(parameters: dict[str, float]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in parameters.items())
