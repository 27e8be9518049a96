"""Progress of long work on a terminal: a bar a step, with how much is done and how fast."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class AmountColumn(ProgressColumn):
    """How much is done: the step's own `rows` where it counts any, else bytes; and the rate."""

    def render(self, task: Task) -> Text:
        if not task.total:
            return Text()
        elapsed = task.finished_time or task.elapsed
        rows, unit = task.fields.get("rows"), task.fields.get("unit")
        if unit:
            done = f"{rows or 0:,} {unit}"
            rate = f"{(rows or 0) / elapsed:,.0f}/s" if elapsed else ""
        else:
            done = decimal(int(task.completed))
            rate = f"{decimal(int(task.completed / elapsed))}/s" if elapsed else ""
        return Text(f"{done}  {rate}".rstrip(), style="progress.data.speed")


def progress(shown: bool = True) -> Progress:
    """Return a progress display on the terminal: silent if not `shown` or where there is none."""
    console = Console(file=sys.stderr)
    return Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(),
        AmountColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        disable=not (shown and console.is_terminal),
    )


@contextmanager
def step(progress: Progress, description: str) -> Iterator[None]:
    """Show work that cannot tell how far it is."""
    task = progress.add_task(description, total=None)
    yield
    progress.update(task, total=1, completed=1)
