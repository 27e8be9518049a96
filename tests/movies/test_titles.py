import pytest

from movies import titles


@pytest.mark.parametrize(
    ("text", "title", "year", "alternatives"),
    [
        ("Usual Suspects, The (1995)", "The Usual Suspects", 1995, ()),
        ("Toy Story (1995)", "Toy Story", 1995, ()),
        (
            "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
            "Amelie",
            2001,
            ("Le Fabuleux destin d'Amélie Poulain",),
        ),
        (
            "Léon: The Professional (a.k.a. The Professional) (Léon) (1994)",
            "Léon: The Professional",
            1994,
            ("The Professional", "Léon"),
        ),
        ("Avventura, L' (Adventure, The) (1960)", "L'Avventura", 1960, ("The Adventure",)),
        ("Fawlty Towers (1975-1979)", "Fawlty Towers", 1975, ()),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly", 1966, ()),
        ("Hyena Road", "Hyena Road", None, ()),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009, ()),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968, ()),
        ("Goodbye, Lenin", "Goodbye, Lenin", None, ()),
    ],
)
def test_titles_are_taken_apart(text, title, year, alternatives):
    assert titles.parse(text) == titles.ParsedTitle(title, year, alternatives)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Amélie", "amelie"),
        ("WALL·E", "wall e"),
        ("Schindler's List", "schindlers list"),
        ("Fast & Furious", "fast and furious"),
        ("  M*A*S*H  ", "m a s h"),
        ("Ædes Øst", "aedes ost"),
    ],
)
def test_search_keys_forgive_case_accents_and_punctuation(text, key):
    assert titles.search_key(text) == key


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        ("heat", ["heat"]),
        ("the matrix", ["the matrix", "matrix"]),
        (
            "the godfather part ii",
            ["the godfather part ii", "godfather part ii", "godfather part 2"],
        ),
        ("twelve monkeys", ["twelve monkeys", "12 monkeys"]),
        ("x men", ["x men"]),
        ("dr no", ["dr no", "doctor no"]),
        ("the a", ["the a"]),
        ("", []),
    ],
)
def test_a_title_is_compared_in_a_few_spellings(key, spellings):
    assert titles.spellings(key) == spellings
