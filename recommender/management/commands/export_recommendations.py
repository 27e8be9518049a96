"""Write everybody's recommendations to a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from recommender.serving import batch

MAX_K = 1000


class Command(BaseCommand):
    help = (
        "Write the best films of everyone who has rated some: user_id, movie_id, rank, score, in"
        " the ids of their dataset. Ids of people and films that no dataset names are the site's"
        " own, negated. The score is empty where the film is one that most people like, not the"
        " model's choice. Films are in the model's order, not varied as on pages."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--k", type=int, default=20, help="Films a person (default 20).")
        parser.add_argument(
            "--output", type=Path, required=True, help="A file that ends in .csv or .parquet."
        )
        parser.add_argument("--source", help="Only people who came with this dataset.")

    def handle(self, *args: Any, **options: Any) -> None:
        k, output = options["k"], options["output"]
        if not 1 <= k <= MAX_K:
            raise CommandError(f"--k must be 1 to {MAX_K}, not {k}.")
        try:
            people = batch.people_with_ratings(options["source"])
            total = people.count()
            with _progress() as bar:
                task = bar.add_task("People", total=total)
                rows = batch.export(people, k, output, lambda done: bar.advance(task, done))
        except (batch.ExportFailed, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{rows:,} rows for {total:,} people in {output}")


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))
