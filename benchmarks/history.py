"""How many films of a Letterboxd export are recognized, and how many wrongly?

    python -m benchmarks.history wikipedia-movies ml-latest-small [--films 1000] [--show]

The catalogue is MovieLens's films and Wikipedia's. The export is of films drawn by how many people
have rated them, in Letterboxd's own format, and goes through the reader that the site uses. It has
no ids: `links.csv` and the MovieLens ids tell which film each row is, so every match is checked.

Titles are written as Letterboxd (that is, TMDB) writes them: those of `benchmarks/letterboxd.csv`
from memory, before anything was tried; the others are MovieLens's in reading order, without the
other titles in brackets, and every other is changed as sources differ (see `CHANGES`).

The second table asks what happens to films that the catalogue lacks: a fifth of the films is taken
out of it. None of them may be matched to another.
"""

import argparse
import csv
import io
import random
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import site

if TYPE_CHECKING:
    from movies.catalogue import Index
    from movies.recognition import Recognized

TITLES = Path(__file__).with_name("letterboxd.csv")
CHANGED, LACKING, CHECKED = 0.5, 0.2, 200
ROMAN = {"2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI"}


@dataclass(frozen=True)
class Meant:
    """A row of the export, and the film that it is of."""

    movie_id: int
    title: str
    year: int
    written: str
    """How it came to its title."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    site.start()
    index = _fill(options.wikipedia, options.movielens)
    rows = _rows(options.films, options.seed)
    started = time.perf_counter()
    found = _recognized(rows, index)
    print(f"Recognized in {time.perf_counter() - started:.1f} s.\n")
    print(_table("Films that the catalogue has", rows, found, options.seed))
    if options.show:
        print(_misses(rows, found))
    random.Random(options.seed).shuffle(rows)
    lacking = rows[: int(len(rows) * LACKING)]
    found = _recognized(lacking, _without(lacking))
    print(_lacking(lacking, found, options.show))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("wikipedia", type=Path, help="a folder of Wikipedia's films")
    parser.add_argument("movielens", type=Path, help="a MovieLens folder with links.csv")
    parser.add_argument("--films", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print what was not matched right")
    return parser.parse_args(arguments)


def _fill(wikipedia: Path, movielens: Path) -> "Index":
    from django.core.management import call_command

    from movies.catalogue import Index

    call_command("migrate", verbosity=0)
    call_command("import_movielens", str(movielens), no_progress=True, verbosity=0)
    call_command("import_wikipedia", str(wikipedia), create=True, no_progress=True)
    return Index()


# The export ---------------------------------------------------------------------------------------


def _rows(films: int, seed: int) -> list[Meant]:
    from movies.models import Movie

    dice = random.Random(seed)
    known = Movie.objects.filter(movielens_id__isnull=False, year__isnull=False, tmdb_id__gt=0)
    known = known.order_by("movielens_id")
    # A film that many have rated is the likelier to be in anybody's export.
    places = {movie: dice.random() ** (1 / max(movie.rating_count, 1)) for movie in known}
    with TITLES.open(newline="", encoding="utf-8") as file:
        by_hand = {int(row["movielens_id"]): row for row in csv.DictReader(file)}
    first = [movie for movie in places if movie.movielens_id in by_hand]
    others = [movie for movie in places if movie.movielens_id not in by_hand]
    others.sort(key=lambda movie: -places[movie])
    drawn = [*first, *others][:films]
    rows = []
    for movie in drawn:
        if row := by_hand.get(movie.movielens_id):
            rows.append(Meant(movie.pk, row["title"], int(row["year"]), "from memory"))
        elif dice.random() < CHANGED:
            rows.append(_changed(movie.pk, movie.title, movie.year, dice))
        else:
            rows.append(Meant(movie.pk, movie.title, movie.year, "as MovieLens"))
    return rows


def _changed(movie_id: int, title: str, year: int, dice: random.Random) -> Meant:
    """Change the title as sources differ, in a way that it allows; else the year."""
    ways = [(name, change(title)) for name, change in CHANGES.items()]
    possible = [(name, new) for name, new in ways if new and new != title]
    if not possible or dice.random() < 0.3:
        return Meant(movie_id, title, year + dice.choice((-1, 1)), "a year beside")
    name, new = dice.choice(possible)
    return Meant(movie_id, new, year, name)


def _accents(title: str) -> str:
    """Lose the accents, or where there are none, curl the apostrophes."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return plain if plain != title else title.replace("'", "’")


def _ampersand(title: str) -> str:
    return title.replace(" & ", " and ") if " & " in title else title.replace(" and ", " & ")


def _number(title: str) -> str:
    for digit, roman in ROMAN.items():
        for one, other in ((digit, roman), (roman, digit)):
            if re.search(rf" {one}(?=:|$)", title):
                return re.sub(rf" {one}(?=:|$)", f" {other}", title)
    return title


def _part(title: str) -> str:
    return title.replace(": Part ", " Part ") if ": Part " in title else title.replace(" - ", " – ")


CHANGES: dict[str, Callable[[str], str]] = {
    "accents": _accents,
    "ampersand": _ampersand,
    "number": _number,
    "part": _part,
    "no subtitle": lambda title: title.partition(": ")[0],
    "no article": lambda title: title.removeprefix("The "),
    "punctuation": lambda title: re.sub(r"[!?.,]", "", title).replace("-", " "),
}


def _export(rows: list[Meant]) -> bytes:
    """Return the rows as Letterboxd's ratings.csv."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(("Date", "Name", "Year", "Letterboxd URI", "Rating"))
    for number, row in enumerate(rows):
        table.writerow(("2024-01-31", row.title, row.year, f"https://boxd.it/{number:x}", 3.5))
    return text.getvalue().encode()


def _recognized(rows: list[Meant], index: "Index") -> list["Recognized"]:
    from movies.recognition import recognize
    from users.importers import history
    from users.importers.history.documents import Documents

    documents = Documents("ratings.csv", _export(rows))
    form = history.recognized(documents)
    assert form is not None and form.name == "Letterboxd"
    return [recognize(entry.sought, index) for entry in history.read(form, documents).entries]


def _without(rows: list[Meant]) -> "Index":
    """Return an index of the catalogue without these films."""
    from movies.catalogue import Index
    from movies.models import Movie

    Movie.objects.filter(pk__in=[row.movie_id for row in rows]).delete()
    return Index()


# The figures --------------------------------------------------------------------------------------


def _outcome(row: Meant, found: "Recognized") -> str:
    if found.is_sure:
        return "right" if found.movie_ids[0] == row.movie_id else "wrong"
    if not found.movie_ids:
        return "unknown"
    return "doubtful" if row.movie_id in found.movie_ids else "doubtful, without it"


OUTCOMES = ("right", "doubtful", "doubtful, without it", "unknown", "wrong")


def _table(heading: str, rows: list[Meant], found: list["Recognized"], seed: int) -> str:
    pairs = list(zip(rows, found, strict=True))
    lines = [f"## {heading}", "", "| titles | films | " + " | ".join(OUTCOMES) + " |"]
    lines.append("|---|" + "---|" * (len(OUTCOMES) + 1))
    for written in [None, *sorted({row.written for row in rows})]:
        some = [pair for pair in pairs if written in (None, pair[0].written)]
        lines.append(_line(written or "**all**", some))
    matched = [pair for pair in pairs if pair[1].is_sure]
    checked = random.Random(seed).sample(matched, min(CHECKED, len(matched)))
    false = sum(_outcome(*pair) == "wrong" for pair in checked)
    lines += ["", f"Of {len(checked)} matches drawn at random, {false} are false by links.csv."]
    return "\n".join(lines) + "\n"


def _line(name: str, pairs: list[tuple[Meant, "Recognized"]]) -> str:
    counts = Counter(_outcome(*pair) for pair in pairs)
    shares = (f"{counts[outcome] / len(pairs):.1%}" for outcome in OUTCOMES)
    return f"| {name} | {len(pairs)} | " + " | ".join(shares) + " |"


def _misses(rows: list[Meant], found: list["Recognized"]) -> str:
    from movies.models import Movie

    ids = {row.movie_id for row in rows}.union(*(known.movie_ids for known in found))
    movies = Movie.objects.in_bulk(ids)
    return "\n".join(
        f"{_outcome(row, known)}: {row.title} ({row.year}), {row.written};"
        f" it is {movies[row.movie_id]} {movies[row.movie_id].alternative_titles};"
        f" found {[str(movies[pk]) for pk in known.movie_ids]} by {known.how}"
        for row, known in zip(rows, found, strict=True)
        if _outcome(row, known) != "right"
    )


def _lacking(rows: list[Meant], found: list["Recognized"], show: bool) -> str:
    from movies.models import Movie

    matched = [(row, known) for row, known in zip(rows, found, strict=True) if known.is_sure]
    doubtful = sum(bool(known.movie_ids) and not known.is_sure for known in found)
    lines = [
        "## Films that the catalogue lacks",
        "",
        f"Of {len(rows)}, {len(matched)} were matched to another film, {doubtful} are doubtful.",
    ]
    if show:
        lines += [
            f"{row.title} ({row.year}): {Movie.objects.filter(pk__in=known.movie_ids)}, {known.how}"
            for row, known in zip(rows, found, strict=True)
            if known.movie_ids
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
