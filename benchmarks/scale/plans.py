"""The plans of the queries that people wait for, as PostgreSQL carried them out.

    python -m benchmarks.scale.plans [--output docs/query-plans.md]

asks as the site's own code asks, of the database that the environment names, and takes of each
question the statement that took longest. The plans come from `auto_explain`, so nothing is asked
in another way than on the site.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_DURATION = re.compile(r"duration: ([\d.]+) ms  plan:\n")
_LONG_LITERAL = re.compile(r"'\[[^]']{40,}\]'|'\{[^}']{80,}\}'")
_QUERY = re.compile(r"Query Text: .*?\n(?=\S)", re.DOTALL)
_WIDEST = 150


@dataclass(frozen=True)
class Plan:
    """One statement that was carried out."""

    milliseconds: float
    text: str


def plans_of(work: Callable[[], object]) -> list[Plan]:
    """Return the plans of all the statements that `work` lets Django's connection carry out."""
    with _explained() as plans:
        work()
    return plans


@contextmanager
def _explained() -> Iterator[list[Plan]]:
    from django.db import connection
    from psycopg.errors import Diagnostic

    plans: list[Plan] = []

    def keep(notice: Diagnostic) -> None:
        message = notice.message_primary or ""
        if found := _DURATION.match(message):
            plans.append(Plan(float(found[1]), _readable(message[found.end() :])))

    settings = {
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_analyze": "on",
        "auto_explain.log_buffers": "on",
        "client_min_messages": "log",
    }
    connection.ensure_connection()
    connection.connection.add_notice_handler(keep)
    try:
        with connection.cursor() as cursor:
            cursor.execute("LOAD 'auto_explain'")
            for name, value in settings.items():
                cursor.execute(f"SET {name} = '{value}'")
        yield plans
    finally:
        with connection.cursor() as cursor:
            for name in settings:
                cursor.execute(f"RESET {name}")
        connection.connection.remove_notice_handler(keep)


def _readable(plan: str) -> str:
    """The plan without the statement, vectors and long lists shortened."""
    plan = _QUERY.sub("", plan, count=1)
    lines = (_LONG_LITERAL.sub("'[…]'", line) for line in plan.rstrip().splitlines())
    return "\n".join(line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in lines)


def questions() -> dict[str, Callable[[], object]]:
    """What people wait for, by what it is."""
    from movies.models import Genre, Movie
    from movies.search import find
    from recommender.serving.recommend import Filters, recommend
    from recommender.serving.shelves import home_shelves
    from recommender.serving.similar import similar
    from recommender.training import snapshot
    from users.models import Rating, User

    people = User.objects.filter(vectors__version__state="live").order_by("taste_revision", "pk")
    # The one in the middle by the number of ratings; read anew each time, as in a request.
    pk = people.values_list("pk", flat=True)[people.count() // 2]
    film = Movie.objects.order_by("-rating_count").first()
    genre = Genre.objects.order_by("pk").first()
    if film is None or genre is None:
        raise SystemExit("There are no films.")
    filters = Filters(genre=genre.slug, first_year=1980, last_year=1999)
    words = " ".join(film.title.split()[:2]).lower()

    def person() -> User:
        return User.objects.get(pk=pk)

    return {
        "Recommendations": lambda: recommend(person()),
        f"Recommendations: {genre.name}, 1980 to 1999": lambda: recommend(person(), 20, filters),
        "Films like a film": lambda: similar(film, 20, person()),
        f"Suggestions while typing: “{words}”": lambda: find(words, films=6, people=3),
        "The shelves of the home page": lambda: home_shelves(person()),
        "A person's ratings": lambda: list(
            Rating.objects.filter(user=pk).with_movies().latest_first()[:20]
        ),
        "The ratings that training reads": lambda: _read(snapshot.RATINGS),
    }


def _read(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        while cursor.fetchmany(100_000):
            pass


def document(heading: str) -> str:
    """All plans for people to read; `heading` says of what database."""
    lines = ["# Query plans", "", *_INTRODUCTION, "", heading, ""]
    for title, work in questions().items():
        # Once before, so that what is kept in memory is.
        work()
        plans = plans_of(work)
        longest = max(plans, key=lambda plan: plan.milliseconds)
        total = sum(plan.milliseconds for plan in plans)
        lines += [f"## {title}", ""]
        lines += [
            f"{len(plans)} statements take {total:.1f} ms in the server; this one"
            f" {longest.milliseconds:.1f}:"
            if len(plans) > 1
            else f"{longest.milliseconds:.1f} ms:",
            "",
            *("```", longest.text, "```", ""),
        ]
    return "\n".join(lines)


_INTRODUCTION = [
    "What PostgreSQL does for the pages that people wait for: `python -m benchmarks.scale.plans`",
    "asks as the site asks and writes this file. Of each question it shows the statement that took",
    "longest, by `EXPLAIN (ANALYZE, BUFFERS)`; measuring each row makes them slower than they are.",
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the plans of the database that the environment names."""
    import django

    from recommender.config import stack

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=Path, help="a file, rather than the terminal")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender.config.settings")
    stack.provide()
    django.setup()
    written = document(heading())
    if options.output:
        options.output.write_text(written)
    else:
        print(written)
    return 0


def heading() -> str:
    """What the database holds."""
    from movies.models import Movie
    from recommender.models import ModelVersion
    from users.models import Rating

    version = ModelVersion.objects.live()
    if version is None:
        raise SystemExit("There is no live model: train one first.")
    return (
        f"{Rating.objects.count():,} ratings of {Movie.objects.count():,} films; vectors of"
        f" {version.dimensions} numbers."
    )


if __name__ == "__main__":
    sys.exit(main())
