"""Say when spaces are retrained without being asked for, or set it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import schedule
from recommender.schedule import Every, Spaces, Weekday

PLAIN = [every.value for every in Every if every != Every.OTHER]


class Command(BaseCommand):
    help = "Say when spaces are retrained without being asked for; with --every, set it."

    def add_arguments(self, parser: CommandParser) -> None:
        usual = schedule.Schedule()
        parser.add_argument("--every", choices=PLAIN)
        parser.add_argument(
            "--weekday",
            choices=[day.name.lower() for day in Weekday],
            default=usual.weekday.name.lower(),
            help=f"For every week (default {usual.weekday.name.lower()}).",
        )
        parser.add_argument(
            "--hour", type=int, default=usual.hour, help=f"In UTC (default {usual.hour})."
        )
        parser.add_argument(
            "--spaces",
            choices=Spaces.values,
            default=usual.spaces.value,
            help=f"{Spaces.TASTE}, or {Spaces.ALL} (the default): taste, and each other space that"
            " has a live version, as that was trained.",
        )

    def handle(
        self, *, every: str | None, weekday: str, hour: int, spaces: str, **options: Any
    ) -> None:
        if every is None:
            self.stdout.write(schedule.read().words)
            return
        try:
            written = schedule.write(Every(every), hour, Weekday[weekday.upper()], Spaces(spaces))
        except ValueError as error:
            raise CommandError(f"{error}. Nothing was changed.") from error
        self.stdout.write(written.words)
