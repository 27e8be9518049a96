"""`manage.py import_movielens`: a MovieLens dataset's films, tags, people and ratings."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from movies.importers.files import ImportFailed
from movies.importers.progress import progress
from users.importers.movielens import sources
from users.importers.movielens.load import Loaded, load


class Command(BaseCommand):
    help = (
        "Import a MovieLens dataset: a folder or zip in any published form, the name of one, which"
        " is then downloaded from GroupLens, or the small sample that comes with the site."
        " Importing again doubles nothing. Of tags, how many people gave them is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        names = ", ".join(sources.NAMES)
        parser.add_argument(
            "source", help=f"a folder, a zip, a dataset's name ({names}), or {sources.SAMPLE}"
        )
        parser.add_argument(
            "--label",
            default="",
            help="what the dataset's people are kept under (its name, unless given)",
        )
        parser.add_argument("--no-progress", action="store_true", help="show no progress bars")

    def handle(self, *, source: str, label: str, no_progress: bool, **options: Any) -> None:
        try:
            with progress(shown=not no_progress and options["verbosity"] > 0) as display:
                files = sources.find(source, display)
                loaded = load(files, display, label)
        except ImportFailed as failure:
            raise CommandError(f"{failure}. Nothing was changed.") from failure
        if options["verbosity"] > 0:
            self.stdout.write(_summary(loaded))


def _summary(loaded: Loaded) -> str:
    films, tags, ratings = loaded.films, loaded.tags, loaded.ratings
    kept = ratings.read - ratings.added - ratings.changed
    return (
        f"{loaded.label}: {loaded.films_read:,} films ({films.added:,} new, {films.changed:,}"
        f" changed), {ratings.read:,} ratings ({ratings.added:,} new, {ratings.changed:,} changed,"
        f" {kept:,} as they were), {ratings.people:,} new people,"
        f" {tags.added:,} new tags of films ({tags.changed:,} changed)."
    )
