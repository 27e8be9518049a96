"""`movies.matching`: which titles are another way to write the same one."""

import pytest

from movies.matching import are_one, name_of


def same(one: str, other: str, genres: tuple = (), other_genres: tuple = ()) -> bool:
    return are_one([name_of(one)], [name_of(other)], genres, other_genres)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Grand Budapest Hotel", "Grand Budapest Hotel"),
        ("The Falcon and the Snowman", "Falcon and the Snowman, The"),
        ("Poison Ivy: New Seduction", "Poison Ivy: The New Seduction"),
        ("Mouse Hunt", "MouseHunt"),
        ("My Bloody Valentine 3-D", "My Bloody Valentine 3D"),
        ("Mission: Impossible II", "Mission: Impossible 2"),
        ("Pet Sematary II", "Pet Sematary Two"),
        ("Smokey and the Bandit III", "Smokey and the Bandit Part 3"),
        ("Kill Bill: Vol. 1", "Kill Bill: Volume 1"),
        ("Love Potion #9", "Love Potion No. 9"),
        ("The 7th Voyage of Sinbad", "The Seventh Voyage of Sinbad"),
        ("9 1/2 Weeks", "9½ Weeks"),
        ("Star Wars: Episode IV - A New Hope", "Star Wars"),
        ("Star Wars: Episode V - The Empire Strikes Back", "The Empire Strikes Back"),
        ("Star Wars: Episode VII - The Force Awakens", "Star Wars: The Force Awakens"),
        ("Ice Age 2: The Meltdown", "Ice Age: The Meltdown"),
        ("Animal House", "National Lampoon's Animal House"),
        ("William Shakespeare's Romeo + Juliet", "Romeo + Juliet"),
        ("CB4 - The Movie", "CB4"),
    ],
)
def test_ways_to_write_one_title(one, other):
    drama, too = ("Drama", "Action"), ("Comedy", "Drama")
    assert same(one, other, drama, too)
    assert same(other, one, too, drama)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Heat", "Heart"),
        ("Rocky", "Rocky II"),
        ("Death Wish 2", "Death Wish 3"),
        ("I, Robot", "1, Robot"),
        ("Home", "Daddy's Home"),
        ("Schindler's List", "List"),
        ("Ice Age: The Meltdown", "Ice Age: Continental Drift"),
        ("Kill Bill: Vol. 1", "Kill Bill: Vol. 2"),
        ("The", "A"),
        ("", "$"),
    ],
)
def test_other_titles(one, other):
    assert not same(one, other, ("Drama",), ("Drama",))
    assert not same(one, other)


def test_a_short_title_or_a_part_of_one_wants_a_genre_in_common():
    assert not same("The Deal", "Deal", ("Comedy",), ("Drama",))
    assert same("The Deal", "Deal", ("Comedy",), ())
    assert not same("Beastie Boys: Sabotage", "Sabotage", (), ("Action",))
    assert not same("Star Wars: Episode IV - A New Hope", "Star Wars", ("Drama",), ("Sci-Fi",))
    assert same("Star Wars: Episode IV - A New Hope", "Star Wars", (), ("Sci-Fi",))
    assert same("Maze Runner: Scorch Trials", "Maze Runner: The Scorch Trials", ("A",), ("B",))
