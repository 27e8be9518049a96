"""Taking texts apart into words and names."""

from recommender.embedders import words


def test_words_are_lower_case_without_accents_or_punctuation() -> None:
    assert words.tokens("Amélie’s 2nd RIDE: sci-fi, 1999!") == [
        "amelie's",
        "2nd",
        "ride",
        "sci",
        "fi",
        "1999",
    ]


def test_names_are_one_word_and_the_longest_goes_first() -> None:
    names = {"day_lewis", "daniel_day_lewis", "sci_fi"}
    assert words.joined(words.tokens("Daniel Day-Lewis in sci-fi"), names) == [
        "daniel_day_lewis",
        "in",
        "sci_fi",
    ]


def test_what_is_looked_up_holds_words_names_and_parts_once_each() -> None:
    numbers = {"letters": 4, "buckets": 1000}
    keys = words.keys("tom hanks tom", numbers)
    assert {"tom", "hanks", "tom_hanks", "hanks_tom", "tom_hanks_tom"} <= set(keys)
    assert len(keys) == len(set(keys))
    # <tom, tom>, <han, hank, anks, nks>
    assert sum(key.startswith("#") for key in keys) == 6


def test_without_parts_only_words_and_names_are_looked_up() -> None:
    assert words.keys("tom hanks", {}) == ["tom", "hanks", "tom_hanks"]
