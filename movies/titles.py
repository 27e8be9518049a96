"""Titles as people write them, and the keys by which they are found."""

import re
import unicodedata
from dataclasses import dataclass

_ARTICLES = """
    the a an le la les l' un une der die das ein eine el los las il lo gli i o os as de het
"""
ARTICLES = frozenset(_ARTICLES.split())
# Numbers as people write them beside digits. What begins a title with "I" or "X" is no number.
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
NAMED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
NUMBERS = {
    **{name: str(number) for names in (NAMED, ROMAN) for number, name in enumerate(names, 1)},
    **{name: f"{number}th" for number, name in enumerate(_ORDINALS, 4)},
}
_OTHERWISE = {
    **{name: digits for name, digits in NUMBERS.items() if name not in ROMAN},
    **{"eleven": "11", "twelve": "12"},
    **{
        "dr": "doctor",
        "mr": "mister",
        "pt": "part",
        "st": "saint",
        "vol": "volume",
        "vs": "versus",
    },
}
_WITHIN = NUMBERS | _OTHERWISE
_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*\d{0,4})?\)\s*$")
_ALTERNATIVES = re.compile(r"\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*$")
_ALSO_KNOWN_AS = re.compile(r"^a\.?k\.?a\.?:?\s+", re.IGNORECASE)
_TRAILING_ARTICLE = re.compile(r"^(?P<title>.+),\s+(?P<article>[^\s,]+)$")


@dataclass(frozen=True)
class ParsedTitle:
    """A catalogue's title taken apart."""

    title: str
    year: int | None
    alternatives: tuple[str, ...]


def parse(text: str) -> ParsedTitle:
    """Take "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)" apart.

    Returns the title in reading order, the year where there is one, and the other titles that the
    catalogue gives in brackets.
    """
    rest, year = text.strip(), None
    if found := _YEAR.search(rest):
        year, rest = int(found[1]), rest[: found.start()]
    alternatives: list[str] = []
    while (found := _ALTERNATIVES.search(rest)) and found.start() > 0:
        alternatives.insert(0, in_reading_order(_ALSO_KNOWN_AS.sub("", found[1])))
        rest = rest[: found.start()]
    title = in_reading_order(rest)
    others = dict.fromkeys(other for other in alternatives if other and other != title)
    return ParsedTitle(title=title, year=year, alternatives=tuple(others))


def in_reading_order(title: str) -> str:
    """Return "Usual Suspects, The" as "The Usual Suspects"."""
    title = " ".join(title.split())
    found = _TRAILING_ARTICLE.match(title)
    if not found or found["article"].lower() not in ARTICLES:
        return title
    glue = "" if found["article"].endswith("'") else " "
    return f"{found['article']}{glue}{found['title']}"


def search_key(text: str) -> str:
    """Return the text in lower case, without accents or punctuation, one space between words."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    plain = plain.translate(_LETTERS).casefold().replace("&", " and ")
    return " ".join(re.sub(r"['’`´.]", "", re.sub(r"[^\w\s'’`´.]", " ", plain)).split())


def telling(words: list[str]) -> list[str]:
    """Return the words of a search key without articles, unless these are all there is."""
    return [word for word in words if word not in ARTICLES] or words


def spellings(key: str) -> list[str]:
    """Return the ways in which a title's search key is compared with what people type, each once.

    As it is; without articles; and then with numbers as digits and the likes of "Dr" in full.
    """
    words = key.split()
    bare = telling(words)
    plain = [_OTHERWISE.get(word, word) for word in bare[:1]]
    plain += [_WITHIN.get(word, word) for word in bare[1:]]
    return list(dict.fromkeys(" ".join(spelt) for spelt in (words, bare, plain) if spelt))


# Letters that Unicode does not take apart.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "ı": "i",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
    }
)
