"""The descriptions are fit to measure with, and slips are slips."""

import csv
import random
from collections import Counter

from benchmarks.meaning import DESCRIPTIONS, mistyped


def descriptions() -> list[dict[str, str]]:
    with DESCRIPTIONS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_film_is_described_once_and_the_halves_are_halves():
    rows = descriptions()
    assert max(Counter((row["title"], row["year"]) for row in rows).values()) == 1
    halves = Counter(row["half"] for row in rows)
    assert set(halves) == {"tune", "held-out"}
    assert min(halves.values()) >= 60 and abs(halves["tune"] - halves["held-out"]) <= 1


def test_a_slip_is_one_letter_or_two_swapped():
    chance = random.Random(1)
    for _ in range(200):
        assert abs(len(mistyped("Casablanca", chance)) - len("Casablanca")) <= 1
    assert len({mistyped("Casablanca", chance) for _ in range(50)}) > 20
