"""Train a new version of a space, in this process."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from recommender.models import ModelVersion, Space, TrainingRun
from recommender.training import pipeline, runs

# Not 1, which says that there is no version.
EXIT_HELD = 3


class Command(BaseCommand):
    help = (
        "Train a new version from all ratings and let it go live, unless it is worse than the"
        f" live one: then it is held for a person, and the exit status is {EXIT_HELD}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--space", choices=Space.values, default=Space.TASTE)
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="A parameter, such as factors=128; may be given again.",
        )
        parser.add_argument(
            "--no-promote", action="store_true", help="Leave the version for a person to promote."
        )
        parser.add_argument(
            "--json", action="store_true", help="Print version, parameters and metrics as JSON."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = runs.create(
                options["space"], _parameters(options["set"]), promote=not options["no_promote"]
            )
            version = self._execute(run)
        except (runs.RunUnderway, ValueError) as error:
            raise CommandError(str(error)) from error
        except (pipeline.NothingToLearn, runs.RunCancelled, runs.RunLost) as error:
            raise CommandError(f"Run {run.pk} ended early: {error}") from error
        self.stdout.write(_json(version) if options["json"] else _summary(version))
        if version.is_held and run.promote:
            raise CommandError(_held(version), returncode=EXIT_HELD)

    def _execute(self, run: TrainingRun) -> ModelVersion:
        # Progress goes to standard error, so that --json leaves standard output to the answer.
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("Starting", total=1.0)

            def listener(step: str, fraction: float, message: str) -> None:
                bar.update(task, description=step, completed=fraction)

            version = pipeline.execute(run, listener)
            bar.update(task, description="Done", completed=1.0)
        return version


def _parameters(assignments: list[str]) -> dict[str, object]:
    """Read ["factors=128"]; a word without "=" is a ValueError."""
    pairs = [assignment.partition("=") for assignment in assignments]
    for name, equals, _ in pairs:
        if not equals:
            raise ValueError(f"--set takes NAME=VALUE, not {name!r}")
    return {name: value for name, _, value in pairs}


def _json(version: ModelVersion) -> str:
    answer = {
        "version": version.pk,
        "space": version.space,
        "state": version.state,
        "embedder": version.embedder,
        "ratings": version.rating_count,
        "parameters": version.parameters,
        "metrics": version.metrics,
        "comparison": version.comparison,
        "held_because": version.held_because,
    }
    return json.dumps(answer, indent=2)


def _summary(version: ModelVersion) -> str:
    lines = [
        f"Version {version.pk} of {version.space} is {version.state}:"
        f" {version.user_count:,} people, {version.movie_count:,} movies,"
        f" {version.rating_count:,} ratings."
    ]
    for name in ("model", "most_popular"):
        if measured := version.metrics.get(name):
            figures = "  ".join(
                f"{metric} {value:.4f}" for metric, value in measured.items() if "@" in metric
            )
            lines.append(f"{name.replace('_', ' '):>14}: {figures}")
    if difference := version.comparison.get("against_live"):
        lines.append(
            f"On the same held-out ratings the recipe of version {version.comparison['live']} has"
            f" NDCG@20 {difference['other']:.4f}; 95 % interval of the difference"
            f" {difference['low']:+.4f} to {difference['high']:+.4f}."
        )
    return "\n".join(lines)


def _held(version: ModelVersion) -> str:
    address = reverse("studio:promote", args=[version.pk])
    return (
        f"Version {version.pk} is held, and what was live stays live. {version.held_because}"
        f" Someone can promote it all the same at {address}."
    )
