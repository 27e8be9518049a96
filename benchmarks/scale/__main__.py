"""How the site carries so many ratings: each stage beside the best that is possible here.

    python -m benchmarks.scale 1m [--pairs 3] [--data ml-latest-small] [--only import_ratings]

Every stage runs in a process of its own, in turns with its baseline; the ratio is the median of the
pairs'. Sizes above the real data's are generated from it (`benchmarks.scale.generator`).
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import record, site
from benchmarks.scale import measure, plans, plots
from benchmarks.scale.measure import FACTORS, ITERATIONS
from benchmarks.scale.shapes import ALL_FILMS, SHAPES

SMALLEST = "100k"
MADE = {**SHAPES, ALL_FILMS.name: ALL_FILMS}
CELL_BYTES = 8
"""Of a rating in a sparse matrix: its value and its column."""
STAGES = {
    "import_ratings": "copy_ratings",
    "matrix": "adbc_read",
    "fit_als": "fit_implicit",
    "write_vectors": "copy_vectors",
    "train": "fit_default",
}
TITLES = {
    "import_ratings": "import of ratings / bare COPY into the same table",
    "matrix": "snapshot to sparse matrix / ADBC read of three columns",
    "fit_als": "iALS fit / implicit's own",
    "write_vectors": "vectors to PostgreSQL / bare COPY",
    "train": "whole training run / its fit alone",
}
REQUESTS = "requests"
"""What is measured last, on what the stages have left: see `benchmarks.scale.requests`."""
COLUMNS = (
    "stage / its baseline",
    "ratio",
    "s",
    "baseline, s",
    "million ratings/s",
    "MB",
    "PostgreSQL, MB",
    "load",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and keep the table."""
    options = _parser().parse_args(arguments)
    site.start(options.home)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="marquee-ratings-") as name:
        first = None
        if "import_ratings" in options.only or not _counts()["ratings"]:
            provide(options, Path(name))
            console.print(f"Importing {options.size} ratings")
            first = measure.run("import_ratings", name)
        result = {"size": options.size, "cores": os.cpu_count(), **_counts(), **_shape()}
        # What is not measured now keeps the figures of an earlier run.
        before = record.read("scale").get(options.size, {})
        result |= {REQUESTS: before[REQUESTS]} if REQUESTS in before else {}
        stages = before.get("stages", [])
        result["stages"] = [row for row in stages if row["stage"] not in options.only]
        for stage in filter(STAGES.__contains__, options.only):
            compared = _measured(stage, options, name, first)
            result["stages"].append({**compared.to_dict(), "load": os.getloadavg()[0]})
            console.print(table(result))
        result["dimensions"] = _dimensions()
    record.keep("scale", options.size, result, markdown)
    if REQUESTS in options.only:
        result[REQUESTS] = _requests(options.pairs, console)
        record.keep("scale", options.size, result, markdown)
    plots.draw(record.read("scale"))
    if options.plans:
        options.plans.write_text(plans.document(plans.heading()))
    return 0


def _measured(
    stage: str, options: argparse.Namespace, folder: str, imported: measure.Measured | None
) -> measure.Compared:
    """The stage beside its baseline; `imported` is a first go of the import, if it was measured."""
    first = imported if stage == "import_ratings" else None
    arguments = _arguments(stage, folder)
    if options.alone:
        return measure.alone(stage, *arguments, first=first)
    return measure.compare(stage, STAGES[stage], options.pairs, *arguments, first=first)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("size", choices=(SMALLEST, *MADE))
    parser.add_argument("--pairs", type=int, default=3, help="how often each stage is run")
    parser.add_argument("--data", type=Path, help="the real dataset; the packaged sample if not")
    parser.add_argument("--alone", action="store_true", help="each stage once, no baselines")
    everything = [*STAGES, REQUESTS]
    parser.add_argument("--only", nargs="*", choices=everything, default=everything)
    parser.add_argument(
        "--home", type=Path, help="a folder whose database is kept, and used as it stands later"
    )
    parser.add_argument("--plans", type=Path, help="a file for the plans of the hot queries")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def provide(options: argparse.Namespace, folder: Path) -> None:
    """Put a dataset of the size that is asked for into the folder."""
    from benchmarks import dataset
    from benchmarks.scale import generator

    data = dataset.read(options.data)
    if options.size == SMALLEST:
        files = data.files(data.ratings)
        for name in ("movies.csv", "ratings.csv"):
            (folder / name).write_bytes(files.read(name))
    else:
        source = generator.Source(data, options.seed)
        generator.write(generator.Generator(source, MADE[options.size], options.seed), folder)


def _counts() -> dict[str, int]:
    """What the database holds, and how large it is."""
    from django.db import connection

    from movies.models import Movie
    from users.models import Rating, User

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_total_relation_size('users_rating'), pg_database_size(current_database())"
        )
        ratings_bytes, bytes_in_all = cursor.fetchone()
    return {
        "ratings": Rating.objects.count(),
        "people": User.objects.count(),
        "films": Movie.objects.filter(rating_count__gt=0).count(),
        "ratings_megabytes": ratings_bytes >> 20,
        "database_megabytes": bytes_in_all >> 20,
    }


def _dimensions() -> int:
    """Of the vectors that training writes at the defaults."""
    from recommender.embedders import DEFAULT
    from recommender.recipe import Recipe

    settings = Recipe.of(DEFAULT, {}).embedder.settings.to_dict()
    return int(settings["factors"] + settings["rank"] + 1)


def _shape() -> dict[str, dict[str, Any]]:
    """How long the tails of the ratings in the database are: in numbers, and to be drawn."""
    import numpy as np
    from django.db.models import Count

    from benchmarks.scale.generator import gini
    from movies.models import Movie
    from users.models import Rating

    films = np.array(
        Movie.objects.filter(rating_count__gt=0).values_list("rating_count", flat=True)
    )
    by_person = Rating.objects.order_by().values("user").annotate(ratings=Count("movie_id"))
    people = np.array(by_person.values_list("ratings", flat=True))
    shape = {
        "gini of films": gini(films),
        "ratings of the best known film": int(films.max()),
        "ratings of the median person": float(np.median(people)),
        "ratings of the most active person": int(people.max()),
    }
    return {
        "shape": shape,
        "curves": {"people": plots.curve(people), "films": plots.curve(films)},
    }


def _requests(pairs: int, console: Console) -> dict[str, Any]:
    """Measure the site that serves the live version, and print it."""
    from benchmarks.scale import requests
    from recommender.models import ModelVersion

    if ModelVersion.objects.live() is None:
        console.print("Training")
        measure.run("train")
    found = requests.measure(pairs, console.print)
    for columns, cells in requests.tables(found):
        shown = Table(*columns)
        for row in cells:
            shown.add_row(*row)
        console.print(shown)
    return found


def _arguments(stage: str, folder: str) -> tuple[str, ...]:
    counts = _counts()
    return {
        "import_ratings": (folder,),
        "fit_als": (str(FACTORS), str(ITERATIONS)),
        "write_vectors": (str(counts["people"]), str(counts["films"]), str(FACTORS)),
    }.get(stage, ())


def table(result: Mapping[str, Any]) -> Table:
    """The stages measured so far, for a terminal."""
    shown = Table(*COLUMNS, title=_heading(result))
    for cells in _rows(result):
        shown.add_row(*cells)
    return shown


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """All sizes' tables as a document."""
    lines: list[str] = []
    for result in results:
        lines += [f"## {_heading(result)}", "", f"| {' | '.join(COLUMNS)} |"]
        lines += [f"|---|{'---:|' * (len(COLUMNS) - 1)}"]
        lines += [f"| {' | '.join(cells)} |" for cells in _rows(result)]
        lines += ["", *_training(result), *_against_published(result), ""]
        if REQUESTS in result:
            lines += _requests_markdown(result[REQUESTS])
    return "\n".join(lines)


def _requests_markdown(found: Mapping[str, Any]) -> Iterator[str]:
    from benchmarks.scale import requests

    for columns, cells in requests.tables(found):
        yield f"| {' | '.join(columns)} |"
        yield f"|{'---|' * len(columns)}"
        yield from (f"| {' | '.join(row)} |" for row in cells)
        yield ""


def _against_published(result: Mapping[str, Any]) -> Iterator[str]:
    """The tails of the generated ratings beside those of the dataset they are made after."""
    shape = SHAPES.get(result["size"])
    if shape is None:
        return
    shift, scale, _ = shape.activity
    published = (shape.film_gini, shape.best_known, shift + scale, shape.most_active)
    for (name, value), known in zip(result["shape"].items(), published, strict=True):
        yield f"- {name}: {value:,.6g}; MovieLens {shape.name.upper()}: {known:,.6g}"


def _heading(result: Mapping[str, Any]) -> str:
    return (
        f"{result['ratings']:,} ratings of {result['films']:,} films by {result['people']:,}"
        f" people; {result['ratings_megabytes']:,} MB with their indexes; {result['cores']} cores"
    )


def _rows(result: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in result["stages"]:
        ours, theirs = _medians(row["ours"]), _medians(row["theirs"])
        yield (
            TITLES[row["stage"]],
            f"{row['ratio']:.2f}" if theirs else "",
            f"{ours['seconds']:.2f}",
            f"{theirs['seconds']:.2f}" if theirs else "",
            f"{result['ratings'] / ours['seconds'] / 1e6:.2f}",
            f"{ours['megabytes']:,.0f}",
            f"{ours['server_megabytes']:,.0f}",
            f"{row['load']:.1f}",
        )


def _medians(goes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The medians of a stage's goes; empty where there was none."""
    figures = ("seconds", "megabytes", "idle_megabytes", "server_megabytes")
    return {name: statistics.median(go[name] for go in goes) for name in figures if goes}


def _training(result: Mapping[str, Any]) -> Iterator[str]:
    """The steps of a whole run, and its memory beside what it cannot do without."""
    for row in result["stages"]:
        if row["stage"] != "train":
            continue
        last = row["ours"][-1]
        for step, seconds in last["steps"].items():
            yield f"- {step}: {seconds:.1f} s"
        for step, seconds in last.get("afterwards", {}).items():
            yield f"- then, while it is live: {step}: {seconds:.1f} s"
        memory = _medians(row["ours"])
        grown = memory["megabytes"] - memory["idle_megabytes"]
        matrix = CELL_BYTES * result["ratings"] / 2**20
        sides = result["people"] + result["films"]
        vectors = 4 * result["dimensions"] * sides / 2**20
        yield (
            f"- memory: {memory['idle_megabytes']:,.0f} MB before it began, and at its highest"
            f" {grown:,.0f} MB more: {grown / (matrix + vectors):.1f} times the sparse matrix"
            f" ({matrix:,.0f} MB) and the vectors ({vectors:,.0f} MB) together"
        )


if __name__ == "__main__":
    sys.exit(main())
