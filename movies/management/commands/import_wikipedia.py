"""`manage.py import_wikipedia`: overviews, casts and posters from Wikipedia."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from movies.importers import wikipedia
from movies.importers.files import ImportFailed
from movies.importers.progress import progress


class Command(BaseCommand):
    help = (
        "Add overviews, casts and poster addresses from Wikipedia to the films that lack them,"
        " matched by title and year. Importing again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source",
            help=f"a folder or zip of {wikipedia.FILES[0]} and so on, or {wikipedia.DOWNLOAD}",
        )
        parser.add_argument(
            "--create", action="store_true", help="also add the films that the catalogue lacks"
        )
        parser.add_argument("--no-progress", action="store_true", help="show no progress bars")

    def handle(self, *, source: str, create: bool, no_progress: bool, **options: Any) -> None:
        try:
            with progress(shown=not no_progress and options["verbosity"] > 0) as display:
                files = wikipedia.find(source, display)
                done = wikipedia.import_films(files, display, create)
        except ImportFailed as failure:
            raise CommandError(f"{failure}. Nothing was changed.") from failure
        if options["verbosity"] > 0:
            self.stdout.write(
                f"{done.read:,} entries: {done.matched:,} matched, {done.created:,} created,"
                f" {done.doubtful:,} doubtful, {done.unknown:,} unknown."
                f" {done.changed:,} films changed."
            )
