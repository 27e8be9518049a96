"""How well does the search find films by what they are about? Measured on a site of its own.

    python -m benchmarks.meaning wikipedia-movies [--ratings ml-latest-small] [--held-out]

Takes a folder of Wikipedia's films (`movies-1900s.json` and so on), and a MovieLens folder for how
well known films are; without it, the length of what is told of a film has to do for that. The
descriptions are those of `benchmarks/descriptions.csv`, written from memory before any search was
tried. One half chose the weights. The other half is for the figures that are told: look at it, by
`--held-out`, when nothing is to be chosen any more.
"""

import argparse
import csv
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import record, site

if TYPE_CHECKING:
    from recommender.serving.finding import Weights

DESCRIPTIONS = Path(__file__).with_name("descriptions.csv")
TOP = 10
EXACT_TITLES, MISTYPED_TITLES, WELL_KNOWN = 200, 300, 1000
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Described:
    """A description, and the film that is meant."""

    text: str
    movie_id: int
    half: str


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    site.start()
    described = _fill(options.films, options.ratings)
    _tell_stories(options.embedder)
    halves = ["tune", "held-out"] if options.held_out else ["tune"]
    result = _table(described, halves) | {"notes": _titles()}
    result["title"] += f", the story space by {options.embedder}"
    print(record.tables([result]))
    label = (options.ratings or options.films).resolve().name
    record.keep(f"{label}.spaces", f"search by meaning, {options.embedder}", result, record.tables)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("films", type=Path, help="a folder of Wikipedia's films")
    parser.add_argument("--ratings", type=Path, help="a MovieLens folder")
    parser.add_argument("--embedder", default="static", help="of the story space")
    parser.add_argument("--held-out", action="store_true", help="also measure on the other half")
    return parser.parse_args(arguments)


def _fill(films: Path, ratings: Path | None) -> list[Described]:
    """Import the films, then the ratings, which may give films other titles."""
    from django.core.management import call_command
    from django.db import connection

    from movies.models import Movie

    call_command("migrate", verbosity=0)
    call_command("import_wikipedia", str(films), create=True, no_progress=True)
    with DESCRIPTIONS.open(newline="", encoding="utf-8") as file:
        described = [
            Described(
                row["description"],
                Movie.objects.get(title=row["title"], year=row["year"]).pk,
                row["half"],
            )
            for row in csv.DictReader(file)
        ]
    if ratings is not None:
        call_command("import_movielens", str(ratings), no_progress=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return described


def _tell_stories(embedder: str) -> None:
    from recommender.models import Space
    from recommender.training import dispatch, runs

    dispatch.execute(runs.create(Space.STORY, embedder=embedder))


def _table(described: list[Described], halves: list[str]) -> dict[str, Any]:
    """How often the film is among the first ten, and first, by what is taken into account."""
    from movies.models import Movie
    from recommender.serving.finding import Weights

    ways = {
        "shared words": Weights(story=0, renown=0),
        "story": Weights(words=0, renown=0),
        "shared words, renown": Weights(story=0),
        "story, renown": Weights(words=0),
        "shared words, story": Weights(renown=0),
        "all three": Weights(),
    }
    rows = []
    for name, weights in ways.items():
        row: dict[str, object] = {"": name}
        for half in halves:
            places = [_place(film, weights) for film in described if film.half == half]
            row[f"{half}: among ten"] = float(np.mean([place < TOP for place in places]))
            row[f"{half}: first"] = float(np.mean([place < 1 for place in places]))
        rows.append(row)
    counts = ", ".join(f"{half} {sum(film.half == half for film in described)}" for half in halves)
    return {
        "title": f"Search by meaning: {Movie.objects.count():,} films; descriptions: {counts}",
        "columns": {name: "" if name == "" else ".1%" for name in rows[0]},
        "rows": rows,
    }


def _place(film: Described, weights: "Weights") -> float:
    from recommender.serving.finding import find

    ids = [movie.pk for movie in find(film.text, TOP, people=0, weights=weights).films]
    return ids.index(film.movie_id) if film.movie_id in ids else np.inf


def _titles() -> list[str]:
    """Exact and mistyped titles, and how long answers take."""
    from django.db.models import Count

    from movies import search
    from movies.models import Movie
    from recommender.serving.finding import find

    chance = random.Random(1895)
    once = Movie.objects.values("search_titles").annotate(films=Count("pk")).filter(films=1)
    films = list(Movie.objects.filter(search_titles__in=once.values("search_titles")))
    exact = chance.sample(films, EXACT_TITLES)
    first = sum(find(movie.title, TOP).films[:1] == [movie] for movie in exact)
    known = sorted(films, key=lambda movie: (-movie.rating_count, movie.pk))[:WELL_KNOWN]
    slips = [
        (mistyped(movie.title, chance), movie) for movie in chance.sample(known, MISTYPED_TITLES)
    ]
    second = sum(movie in find(text, TOP).films[:2] for text, movie in slips)
    typed = [
        movie.title[: chance.randint(3, max(3, len(movie.title)))] for movie in exact if movie.title
    ]
    texts = [row["description"] for row in csv.DictReader(DESCRIPTIONS.open(encoding="utf-8"))]
    return [
        f"Exact titles first: {first} of {len(exact)}.",
        f"Titles with one slip among the first two: {second} of {len(slips)}.",
        f"Suggesting titles: {_milliseconds(lambda text: search.find(text, 6, 3), typed)}.",
        f"Finding what is meant: {_milliseconds(lambda text: find(text, 6, 0), texts)}.",
    ]


def mistyped(title: str, chance: random.Random) -> str:
    """The title with one letter put in, left out, changed, or swapped with the next."""
    place = chance.randrange(len(title))
    before, letter, after = title[:place], title[place], title[place + 1 :]
    return chance.choice(
        [
            before + chance.choice(LETTERS) + letter + after,
            before + after,
            before + chance.choice(LETTERS) + after,
            before + after[:1] + letter + after[1:],
        ]
    )


def _milliseconds(answer: Callable[[str], object], texts: list[str]) -> str:
    times = []
    for text in texts:
        start = time.perf_counter()
        answer(text)
        times.append(1000 * (time.perf_counter() - start))
    return (
        f"median {statistics.median(times):.0f} ms, 95 % within {np.quantile(times, 0.95):.0f} ms,"
        f" on {os.cpu_count()} cores at load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
