"""Whether two sources mean one film, where they write its title in different ways.

Titles that are the same but for case, accents and punctuation have the same search key
(`titles.search_key`). What is forgiven here beyond that is never enough by itself: the films must
be of the same year, and their genres must not speak against it.

- Another *spelling*: "Grand Budapest Hotel", "Men in Black III" and "Men in Black 3", "MouseHunt".
- A title in *parts*, of which one source leaves some out: "Star Wars" and "Star Wars: Episode IV -
  A New Hope", "Ice Age 2: The Meltdown" and "Ice Age: The Meltdown".
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from movies import titles

# A title of so many words is seldom given twice in a year: no genre has to speak for it.
TELLING_WORDS = 3
# So many tell a film by a part of its title where genres are not known, or without its owner.
TELLING_PART_WORDS = 2

_FILLERS = frozenset({"the", "a", "an", "part", "vol", "volume", "no", "episode"})
_PARTING = re.compile(r"\s*:\s+|\s+[-–—]+\s+|[–—]")
_OWNER = re.compile(r"^(?:[^\s:]+ ){0,3}?[^\s:]+['’]s? (?=\S)")


def spelling(title: str) -> tuple[str, ...]:
    """Return the words that tell the title from others, numbers as digits, without articles.

    A title of punctuation alone, such as "$", stands for itself.
    """
    words = titles.search_key(titles.in_reading_order(title)).split()
    # A title that begins with "I" or "X" begins with no number.
    numbered = words[:1] + [titles.NUMBERS.get(word, word) for word in words[1:]]
    telling = [word for word in numbered if word not in _FILLERS]
    return tuple(telling or words or [title.casefold()])


def other_title(title: str, other: str) -> tuple[str, ...]:
    """Return the other title of a film, unless it is the same in another spelling."""
    return () if spelling(title) == spelling(other) else (other,)


@dataclass(frozen=True, slots=True)
class Name:
    """A title as it is compared. Keys are words run together, for sources differ in spaces too."""

    key: str
    words: int
    parts: frozenset[str]
    """Keys of the first and the last part, and of what follows an owner ("Bram Stoker's")."""
    ends: str
    """The key of the first and last part together, without the numbers after the first."""

    @property
    def keys(self) -> frozenset[str]:
        return self.parts | {self.key, self.ends}


def name_of(title: str) -> Name:
    """Return the title as it is compared."""
    spelt = spelling(title)
    key = "".join(spelt)
    parts = [spelling(part) for part in _PARTING.split(title) if titles.search_key(part)]
    shorter = {"".join(part) for part in (*parts[:1], *parts[-1:])}
    owned = spelling(_OWNER.sub("", title))
    if len(owned) >= TELLING_PART_WORDS:
        shorter.add("".join(owned))
    first, last = (parts[0], parts[-1]) if len(parts) > 1 else ((), spelt)
    while len(first) > 1 and first[-1].isdigit():
        first = first[:-1]
    return Name(key, len(spelt), frozenset(shorter - {key, ""}), "".join((*first, *last)))


def are_one(
    ours: Iterable[Name],
    theirs: Iterable[Name],
    our_genres: Collection[str] = (),
    their_genres: Collection[str] = (),
) -> bool:
    """Whether films of one year with these titles are one; genres are empty where unknown."""
    known = bool(our_genres and their_genres)
    shared = bool(set(our_genres) & set(their_genres))
    return any(_are_one(one, other, known, shared) for one in ours for other in theirs)


def _are_one(one: Name, other: Name, known: bool, shared: bool) -> bool:
    words = min(one.words, other.words)
    if one.key == other.key or one.ends == other.ends:
        return shared or not known or words >= TELLING_WORDS
    if one.key in other.parts or other.key in one.parts:
        return shared or (not known and words >= TELLING_PART_WORDS)
    return False
