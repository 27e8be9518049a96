"""`manage.py demo`: set up and serve the whole site on this machine."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Set up and serve the whole site here: servers, sample, model, worker, scheduler, web."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--reload", action="store_true", help="restart the web server when its files change"
        )

    def handle(self, *, port: int, reload: bool, **options: Any) -> None:
        try:
            from recommender import demo
        except ImportError as error:
            raise CommandError(f"Install requirements.txt for the demo: {error}.") from None
        demo.run(port, reload)
