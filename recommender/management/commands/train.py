"""Train a new version of a space, or of all of them, in this process."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from recommender.embedders import Unavailable
from recommender.models import ModelVersion, Space, TrainingRun
from recommender.training import dispatch, gate, runs
from recommender.training.release import NothingToLearn

# Not 1, which says that there is no version.
EXIT_HELD = 3
ALL = "all"


class Command(BaseCommand):
    help = (
        "Train a new version from all films and ratings and let it go live, unless it is worse than"
        f" the live one: then it is held for a person, and the exit status is {EXIT_HELD}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--space",
            choices=[*Space.values, ALL],
            default=Space.TASTE,
            help=f"Which space (default {Space.TASTE}); {ALL}: one after the other.",
        )
        technique = parser.add_mutually_exclusive_group()
        technique.add_argument(
            "--embedder", help="The technique, such as als; without, the space's default."
        )
        technique.add_argument(
            "--engine",
            dest="embedder",
            choices=["spark"],
            help="Let Apache Spark train taste, on the cluster that SPARK_MASTER names.",
        )
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
        if options["space"] == ALL:
            self._train_all(options)
            return
        version = self._train(options["space"], options)
        answer = _json(version)
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else _summary(version))
        if version.is_held and version.run.promote:
            raise CommandError(_held(version), returncode=EXIT_HELD)

    def _train_all(self, options: dict[str, Any]) -> None:
        """Train every space; one that cannot be trained does not keep the others from it."""
        if options["embedder"] or options["set"]:
            raise CommandError("--embedder and --set are for one space.")
        versions, refused = [], []
        for space in Space:
            try:
                version = self._train(space, options)
            except CommandError as error:
                refused.append(f"{space}: {error}")
                self.stderr.write(refused[-1])
                continue
            versions.append(version)
            if not options["json"]:
                self.stdout.write(_summary(version))
        if options["json"]:
            self.stdout.write(json.dumps([_json(version) for version in versions], indent=2))
        if refused:
            raise CommandError("Not every space was trained. " + " ".join(refused))
        held = [_held(version) for version in versions if version.is_held and version.run.promote]
        if held:
            raise CommandError(" ".join(held), returncode=EXIT_HELD)

    def _train(self, space: str, options: dict[str, Any]) -> ModelVersion:
        """Train one space. Raises CommandError with one sentence for a person."""
        try:
            run = runs.create(
                space,
                _parameters(options["set"]),
                promote=not options["no_promote"],
                embedder=options["embedder"],
            )
        except (runs.RunUnderway, ValueError, Unavailable) as error:
            raise CommandError(str(error)) from error
        try:
            return self._execute(run)
        except Unavailable as error:
            raise CommandError(str(error)) from error
        except (NothingToLearn, runs.RunCancelled, runs.RunLost) as error:
            raise CommandError(f"Run {run.pk} ended early: {error}") from error

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
            task = bar.add_task(f"{run.space}: starting", total=1.0)

            def listener(step: str, fraction: float, message: str) -> None:
                bar.update(task, description=f"{run.space}: {step}", completed=fraction)

            version = dispatch.execute(run, listener)
            bar.update(task, description=f"{run.space}: done", completed=1.0)
        return version


def _parameters(assignments: list[str]) -> dict[str, object]:
    """Read ["factors=128"]; a word without "=" is a ValueError."""
    pairs = [assignment.partition("=") for assignment in assignments]
    for name, equals, _ in pairs:
        if not equals:
            raise ValueError(f"--set takes NAME=VALUE, not {name!r}")
    return {name: value for name, _, value in pairs}


def _json(version: ModelVersion) -> dict[str, object]:
    return {
        "version": version.pk,
        "space": version.space,
        "state": version.state,
        "embedder": version.embedder,
        "dimensions": version.dimensions,
        "saw": version.saw,
        "ratings": version.rating_count,
        "parameters": version.parameters,
        "metrics": version.metrics,
        "comparison": version.comparison,
        "held_because": version.held_because,
    }


def _summary(version: ModelVersion) -> str:
    lines = [
        f"Version {version.pk} of {version.space}, by {version.embedder}, is {version.state}:"
        f" {version.movie_count:,} movies in {version.dimensions} dimensions, from {version.saw}."
    ]
    for name in ("model", "most_popular", "random"):
        if measured := version.metrics.get(name):
            figures = "  ".join(
                f"{metric} {value:.4f}" for metric, value in measured.items() if "@" in metric
            )
            lines.append(f"{name.replace('_', ' '):>14}: {figures}")
    if difference := version.comparison.get("against_live"):
        figure = gate.LABELS[gate.metric(version.space)]
        lines.append(
            f"On the same held-out ratings the recipe of version {version.comparison['live']} has"
            f" {figure} {difference['other']:.4f}; 95 % interval of the difference"
            f" {difference['low']:+.4f} to {difference['high']:+.4f}."
        )
    return "\n".join(lines)


def _held(version: ModelVersion) -> str:
    address = reverse("studio:promote", args=[version.pk])
    return (
        f"Version {version.pk} is held, and what was live stays live. {version.held_because}"
        f" Someone can promote it all the same at {address}."
    )
