"""Does the search find films and people by name, however they are typed, and how quickly?

    python -m benchmarks.titles ml-latest-small wikipedia-movies [--held-out] [--misses]

Takes a MovieLens folder, for how well known films are, and a folder of Wikipedia's films; the site
is one of its own with both. Queries are made by the rules below out of the titles of the thousand
best-known films (where too few of these have an accent or a hyphen, of less known ones too), and
read from `benchmarks/typed.csv`, where they are written as people type. One half of the films (and
of the file) chose how the search weighs things. The other half, with another seed, is for the
figures that are told: look at it, by `--held-out`, when nothing is to be chosen any more.
"""

import argparse
import csv
import itertools
import os
import random
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import site

if TYPE_CHECKING:
    from movies.models import Movie

TYPED = Path(__file__).with_name("typed.csv")
HALVES = {"tune": 1895, "held-out": 1927}
"""The seed of what is drawn in each half."""
WELL_KNOWN, KNOWN = 1000, 5000
QUERIES = 300
TOP, SUGGESTED, SUGGESTED_PEOPLE = 20, 6, 3
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FEWEST_CREDITS = 8


@dataclass(frozen=True)
class Typed:
    """What somebody types, and what they mean by it: a film's title and year, or a name."""

    text: str
    meant: tuple[str, int | None]


Rule = Callable[[str, int | None, random.Random], str | None]
"""Makes a query of a title and its year, or nothing where it has no say."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    site.start()
    _fill(options.ratings, options.films)
    print(report("held-out" if options.held_out else "tune", options.misses))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("ratings", type=Path, help="a MovieLens folder")
    parser.add_argument("films", type=Path, help="a folder of Wikipedia's films")
    parser.add_argument("--held-out", action="store_true", help="measure on the half held out")
    parser.add_argument("--misses", action="store_true", help="list what is not found")
    return parser.parse_args(arguments)


def _fill(ratings: Path, films: Path) -> None:
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    call_command("import_movielens", str(ratings), no_progress=True)
    call_command("import_wikipedia", str(films), create=True, no_progress=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def report(half: str, show_misses: bool = False) -> str:
    """Measure one half, and tell it as tables."""
    from movies.models import Movie

    lines = [f"{Movie.objects.count():,} films, half: {half}.", ""]
    lines += ["| typed | queries | first | in two | in five |", "|---|---|---|---|---|"]
    misses: list[str] = []
    everything: list[Typed] = []
    for name, typed, find in _questions(half):
        places = [_place(each, find(each.text)) for each in typed]
        shares = [np.mean([place < k for place in places]) for k in (1, 2, 5)]
        cells = " | ".join(f"{share:.1%}" for share in shares)
        lines.append(f"| {name} | {len(typed)} | {cells} |")
        everything += typed
        misses += [
            f"{name}: {each.text!r} is {each.meant}, place {place}"
            for each, place in zip(typed, places, strict=True)
            if place > 1
        ]
    lines += ["", *_times([each.text for each in everything], random.Random(HALVES[half]))]
    return "\n".join([*lines, "", *(misses if show_misses else [])])


Question = tuple[str, list[Typed], Callable[[str], list[tuple[str, int | None]]]]


def _questions(half: str) -> Iterable[Question]:
    """Every kind of query by its name, with its queries and what answers them."""
    chance = random.Random(HALVES[half])
    known = [_half_of(films, half) for films in _known_films()]
    for name, rule in RULES.items():
        drawn = itertools.chain(*(chance.sample(films, len(films)) for films in known))
        made = filter(None, (_typed(film, rule, chance) for film in drawn))
        yield name, list(itertools.islice(made, QUERIES)), _films
    yield "as people type", _written(half), _films
    people = _people(half)
    for name, rule in NAME_RULES.items():
        drawn = chance.sample(people, len(people))
        made = ((rule(person, None, chance), person) for person in drawn)
        texts = [Typed(text, (person, None)) for text, person in made if text]
        yield name, texts[:QUERIES], _names


def _known_films() -> tuple[list["Movie"], list["Movie"]]:
    """The well-known films and the rest of the known ones.

    Each is the best known of its title: no query tells it from others by title alone.
    """
    from movies.models import Movie

    best: dict[str, Movie] = {}
    for film in Movie.objects.order_by("-rating_count", "pk")[:KNOWN]:
        best.setdefault(_key(film.title), film)
    films = list(best.values())
    return films[:WELL_KNOWN], films[WELL_KNOWN:]


def _people(half: str) -> list[str]:
    """Half of those whose films are rated most, each the best known of that last name."""
    from django.db.models import Count, Sum

    from movies.models import Person

    people = Person.objects.annotate(films=Count("movies"), ratings=Sum("movies__rating_count"))
    known = people.filter(films__gte=FEWEST_CREDITS).order_by("-ratings", "pk")
    best: dict[str, str] = {}
    for name in known.values_list("name", flat=True)[:WELL_KNOWN]:
        best.setdefault(_key(name).split()[-1], name)
    return _half_of(list(best.values()), half)


def _half_of(things: list, half: str) -> list:
    shuffled = random.Random(0).sample(things, len(things))
    return shuffled[list(HALVES).index(half) :: len(HALVES)]


def _written(half: str) -> list[Typed]:
    with TYPED.open(newline="", encoding="utf-8") as file:
        rows = [
            Typed(row["typed"], (_key(row["title"]), int(row["year"])))
            for row in csv.DictReader(file)
        ]
    return _half_of(rows, half)


def _typed(film: "Movie", rule: Rule, chance: random.Random) -> Typed | None:
    text = rule(film.title, film.year, chance)
    return Typed(text, (_key(film.title), film.year)) if text else None


def _key(title: str) -> str:
    from movies.titles import search_key

    return search_key(title)


def _films(text: str) -> list[tuple[str, int | None]]:
    from movies.search import find

    return [(_key(film.title), film.year) for film in find(text, TOP, people=0).movies]


def _names(text: str) -> list[tuple[str, int | None]]:
    from movies.search import find

    return [(person.name, None) for person in find(text, 1, TOP).people]


def _place(typed: Typed, found: list[tuple[str, int | None]]) -> float:
    """The place of what is meant, doubles of one film counted once."""
    distinct = list(dict.fromkeys(found))
    return distinct.index(typed.meant) if typed.meant in distinct else np.inf


# Queries made of titles ---------------------------------------------------------------------------


def exact(title: str, year: int | None, chance: random.Random) -> str:
    return title


def mistyped(title: str, year: int | None, chance: random.Random) -> str:
    """One letter put in, left out, swapped or another, so that what search compares is changed."""
    while True:
        place = chance.randrange(len(title))
        before, letter, after = title[:place], title[place], title[place + 1 :]
        slip = chance.choice(
            [
                before + chance.choice(LETTERS) + letter + after,
                before + after,
                before + after[:1] + letter + after[1:],
                before + chance.choice(LETTERS) + after,
            ]
        )
        if _key(slip) not in (_key(title), ""):
            return slip


def beginning(title: str, year: int | None, chance: random.Random) -> str | None:
    """The first one to three words of a title of more, articles not counted; half of them cut.

    At least four letters: of fewer, far more than five films that everybody knows begin so.
    """
    words = title.split()
    telling = [place for place, word in enumerate(words) if _key(word) not in ("the", "a", "an")]
    ends = [place + 1 for place in telling[:3] if place + 1 < len(words)]
    if not ends:
        return None
    text = " ".join(words[: chance.choice(ends)])
    cut = text[: len(text) - chance.randint(0, max(0, len(text.split()[-1]) - 1))]
    text = cut if chance.random() < 0.5 else text
    return text if len(re.sub(r"^(the|an?)\b|\W", "", text.lower())) >= 4 else None


def without_accents(title: str, year: int | None, chance: random.Random) -> str | None:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return plain if plain != title and len(plain) > 1 else None


def in_other_order(title: str, year: int | None, chance: random.Random) -> str | None:
    words = [word for word in _key(title).split() if word not in ("the", "a", "an")]
    return " ".join(reversed(words)) if len(set(words)) in (2, 3) else None


def article_last(title: str, year: int | None, chance: random.Random) -> str | None:
    article, _, rest = title.partition(" ")
    return f"{rest}{chance.choice([' ', ', '])}{article}" if article == "The" and rest else None


def with_year(title: str, year: int | None, chance: random.Random) -> str:
    return f"{title} {year}"


def mistyped_with_year(title: str, year: int | None, chance: random.Random) -> str:
    return f"{mistyped(title, year, chance)} {year}"


def other_and(title: str, year: int | None, chance: random.Random) -> str | None:
    other = title.replace(" & ", " and ") if "&" in title else title.replace(" and ", " & ")
    return other if other != title else None


def without_and(title: str, year: int | None, chance: random.Random) -> str | None:
    other = re.sub(r" (and|&) ", " ", title)
    return other if other != title else None


NUMERALS = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii"]
NUMBER_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def other_numeral(title: str, year: int | None, chance: random.Random) -> str | None:
    """Rocky II as Rocky 2, Toy Story 2 as Toy Story II, Ocean's Eleven by digits."""
    words = [*NUMBER_WORDS, "eleven", "twelve"]

    def other(found: re.Match[str]) -> str:
        number = found[0].lower()
        if number.isdigit():
            return NUMERALS[int(number) - 1].upper() if int(number) < 9 else number
        return str((NUMERALS if number in NUMERALS else words).index(number) + 1)

    pattern = rf"\b(II+|I?V|VI+|[2-8]|{'|'.join(word.title() for word in words)})\b(?!')"
    changed = re.sub(pattern, other, title, count=1)
    return changed if changed != title and not changed[0].isdigit() else None


def joined(title: str, year: int | None, chance: random.Random) -> str | None:
    return re.sub(r"(?<=\w)[-·](?=\w)", "", title) if re.search(r"\w[-·]\w", title) else None


def apart(title: str, year: int | None, chance: random.Random) -> str | None:
    return re.sub(r"(?<=\w)[-·](?=\w)", " ", title) if re.search(r"\w[-·]\w", title) else None


def run_together(title: str, year: int | None, chance: random.Random) -> str | None:
    return title.replace(" ", "").lower() if len(title.split()) == 2 else None


def without_apostrophe(title: str, year: int | None, chance: random.Random) -> str | None:
    return (
        chance.choice([title.replace("'", ""), title.replace("'", " ")]) if "'" in title else None
    )


def without_dots(title: str, year: int | None, chance: random.Random) -> str | None:
    return re.sub(r"[.*]", "", title) if re.search(r"\w[.*]\w", title) else None


RULES: dict[str, Rule] = {
    "the title": exact,
    "one slip": mistyped,
    "its first words, three at most": beginning,
    "without accents": without_accents,
    "words in another order": in_other_order,
    "the article last": article_last,
    "title and year": with_year,
    "one slip, and the year": mistyped_with_year,
    "& for and": other_and,
    "without and": without_and,
    "other numerals": other_numeral,
    "hyphens left out": joined,
    "spaces for hyphens": apart,
    "two words run together": run_together,
    "without apostrophes": without_apostrophe,
    "initials without dots": without_dots,
}


def last_name(name: str, year: int | None, chance: random.Random) -> str | None:
    return name.split()[-1] if " " in name else None


NAME_RULES: dict[str, Rule] = {
    "a name": exact,
    "a name with one slip": mistyped,
    "a last name": last_name,
}


# How long answers take ----------------------------------------------------------------------------


def _times(texts: list[str], chance: random.Random) -> list[str]:
    """What the box asks while somebody types, beside the least that the database can be asked."""
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from movies.search import find

    client, address = Client(headers={"host": "localhost"}), reverse("movies:suggestions")
    typed = [text[: chance.randint(2, len(text))] for text in chance.sample(texts, QUERIES)]

    def one_row(text: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT title FROM movies_movie WHERE id = %s", [len(text)])
            cursor.fetchall()

    ways: dict[str, Callable[[str], object]] = {
        "one row by its id": one_row,
        "films and people found": lambda text: find(text, SUGGESTED, SUGGESTED_PEOPLE),
        "the whole answer to the box": lambda text: client.get(address, {"q": text}),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for text in [typed[0], *typed]:
        for name, way in ways.items():
            start = time.perf_counter()
            way(text)
            times[name].append(1000 * (time.perf_counter() - start))
    lines = ["| milliseconds, of titles and names cut anywhere | median | 95 % |", "|---|---|---|"]
    for name, measured in times.items():
        # The first is a warming up.
        median, high = np.quantile(measured[1:], [0.5, 0.95])
        lines.append(f"| {name} | {median:.1f} | {high:.1f} |")
    load = os.getloadavg()[0]
    return [*lines, "", f"{os.cpu_count()} cores, {load:.1f} processes wanting them."]


if __name__ == "__main__":
    sys.exit(main())
