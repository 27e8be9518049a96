"""The queries that the benchmark makes of titles are what they say."""

import csv
import random

import pytest

from benchmarks import titles
from movies.titles import search_key


@pytest.fixture
def chance():
    return random.Random(7)


@pytest.mark.parametrize("title", ["Up", "Heat", "The Godfather: Part II", "M*A*S*H"])
def test_a_slip_is_one_and_never_of_what_search_ignores(title, chance):
    for _ in range(50):
        slip = titles.mistyped(title, 1999, chance)
        assert abs(len(slip) - len(title)) <= 1
        assert search_key(slip) != search_key(title)


def test_a_beginning_is_of_three_words_at_most_and_never_the_whole_title(chance):
    title = "The Lord of the Rings: The Return of the King"
    made = {titles.beginning(title, 2003, chance) for _ in range(200)} - {None}
    assert {"The Lord of the Rings:", "The Lord", "The Lord of"} <= made
    assert all(title.startswith(text) and text != title for text in made)
    assert titles.beginning("Heat", 1995, chance) is None


@pytest.mark.parametrize(
    ("rule", "title", "typed"),
    [
        (titles.in_other_order, "The Pulp Fiction", "fiction pulp"),
        (titles.other_numeral, "Rocky II", "Rocky 2"),
        (titles.other_numeral, "Toy Story 2", "Toy Story II"),
        (titles.other_numeral, "Ocean's Eleven", "Ocean's 11"),
        (titles.other_and, "Fast & Furious", "Fast and Furious"),
        (titles.joined, "Spider-Man", "SpiderMan"),
        (titles.without_dots, "M*A*S*H", "MASH"),
        (titles.without_accents, "Amélie", "Amelie"),
        (titles.without_accents, "Heat", None),
    ],
)
def test_rules(rule, title, typed, chance):
    assert rule(title, 1999, chance) == typed


def test_what_is_written_names_a_film_and_a_year():
    with titles.TYPED.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["typed"] for row in rows}) == len(rows)
    assert all(row["title"] and 1880 < int(row["year"]) < 2100 for row in rows)
