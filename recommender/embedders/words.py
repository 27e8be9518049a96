"""What films are told in: words, names as one word each, and finding the place of a query's."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Films
from recommender.embedders import pooling
from recommender.embedders.base import FilmEmbedding, WordVectors
from recommender.parameters import Parameters, number

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_LONGEST_NAME = 4
"""Words that are looked at together for a name, such as `daniel_day_lewis`."""

Tokens = list[str]


def tokens(text: str) -> Tokens:
    """The words of a text in lower case, without accents: "Amélie's" gives `amelie's`."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


def name(text: str) -> str:
    """A name as one word: `tom_hanks`, `sci_fi`."""
    return "_".join(tokens(text))


def joined(words: Sequence[str], names: Iterable[str] | Mapping[str, Any]) -> Tokens:
    """`words` with those that stand together as one of `names` made one; the longest name first."""
    result: Tokens = []
    place = 0
    while place < len(words):
        for length in range(min(_LONGEST_NAME, len(words) - place), 0, -1):
            candidate = "_".join(words[place : place + length])
            if length == 1 or candidate in names:
                result.append(candidate)
                place += length
                break
    return result


@dataclass(frozen=True)
class Settings(Parameters):
    """What a person may choose about a space of words, however their vectors are learnt."""

    dimension: int = number(64, 2, 1024)
    """Length d of a vector."""

    epochs: int = number(5, 1, 200)
    """How often everything is gone through."""

    fewest: int = number(5, 1, 1000)
    """Rarer words are passed over."""

    smoothing: float = number(1e-3, 1e-7, 1.0)
    """How rare a word must be, by its share of all words, to count half as much as the rarest."""

    title_weight: float = number(0.25, 0.0, 10.0)
    """What a word of the title counts beside one of the overview."""

    genre_weight: float = number(1.0, 0.0, 10.0)
    """What a genre counts beside a word of the overview."""

    person_weight: float = number(0.3, 0.0, 10.0)
    """What a person's name counts beside a word of the overview."""

    tag_weight: float = number(0.5, 0.0, 10.0)
    """What a word of a tag counts beside one of the overview; it counts again for each doubling of
    the people who gave the tag."""

    seed: int = number(0, 0, 2**31 - 1)
    """Start of the random numbers. The same seed gives the same vectors."""


@dataclass(frozen=True)
class Told:
    """What is told of n films, each part a list of words a film."""

    titles: list[Tokens]
    overviews: list[Tokens]
    genres: list[Tokens]
    people: list[Tokens]
    tags: list[Tokens]

    @classmethod
    def of(cls, films: Films, name_count: int) -> "Told":
        """Names that occur in so many films' credits are one word wherever they stand."""
        genres = [[name(genre) for genre in genres] for genres in films.genres]
        people = [
            list(dict.fromkeys(name(credited.name) for credited in credits))
            for credits in films.credits
        ]
        occurrences = Counter(chain.from_iterable(chain(genres, people)))
        names = {known for known, count in occurrences.items() if count >= name_count}
        tags = [
            # 1, 2 to 3, 4 to 7 people, and so on.
            list(chain.from_iterable(tokens(tag.name) * tag.people.bit_length() for tag in tags))
            for tags in films.tags
        ]
        return cls(
            titles=[joined(tokens(text), names) for text in films.titles],
            overviews=[joined(tokens(text), names) for text in films.overviews],
            genres=genres,
            people=people,
            tags=[joined(words, names) for words in tags],
        )

    def sentences(self) -> Iterator[Tokens]:
        """All of each film as one sentence."""
        parts_of_films = (self.titles, self.genres, self.people, self.tags, self.overviews)
        for parts in zip(*parts_of_films, strict=True):
            yield list(chain.from_iterable(parts))

    def embedding(
        self,
        films: Films,
        vocabulary: Sequence[str],
        vectors: NDArray[np.float32],
        settings: Settings,
        grams: "Grams | None" = None,
    ) -> FilmEmbedding:
        """Films as sums of what is told of them in words (w,) of vectors (w, d).

        Words weigh by smooth inverse frequency, and what all films share is taken off (Arora,
        Liang, Ma, ICLR 2017); `grams` are kept beside the words.
        """
        numbers = {word: number for number, word in enumerate(vocabulary)}
        parts = [_counts(part, numbers) for part in self._parts()]
        occurrences = np.asarray(sum(part.sum(axis=0) for part in parts), dtype=np.float64).ravel()
        weights = pooling.smooth_inverse_frequency(occurrences, settings.smoothing)
        weighted = np.asarray(vectors * weights[:, None], dtype=np.float32)
        shares = (
            settings.title_weight,
            1.0,
            settings.genre_weight,
            settings.person_weight,
            settings.tag_weight,
        )
        places = sum(share * part for share, part in zip(shares, parts, strict=True)) @ weighted
        kept = WordVectors(list(vocabulary), weighted)
        if grams:
            keys = [_gram_key(number) for number in range(len(grams.vectors))]
            kept = WordVectors(kept.words + keys, np.concatenate([weighted, grams.vectors]))
        return pooling.film_embedding(
            films.movie_ids,
            pooling.without_common_direction(places),
            f"titles, genres, people, tags and overviews of {len(films):,} films: "
            f"{len(vocabulary):,} words",
            kept,
            grams.numbers() if grams else {},
        )

    def _parts(self) -> tuple[list[Tokens], ...]:
        return self.titles, self.overviews, self.genres, self.people, self.tags


def _counts(part: list[Tokens], numbers: Mapping[str, int]) -> Any:
    """(n, w) how often each word occurs."""
    known = [[numbers[word] for word in words if word in numbers] for words in part]
    return pooling.counts([np.array(words, dtype=np.int32) for words in known], len(numbers))


def require(sentences: Iterable[Tokens], fewest: int) -> None:
    """Raise ValueError where no word occurs so often."""
    occurrences = Counter(chain.from_iterable(sentences))
    if max(occurrences.values(), default=0) < fewest:
        raise ValueError("films: there is nothing to learn from")


# A query's place --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grams:
    """Vectors of parts of words, by which words not seen before have a place.

    A word's parts are its runs of so many letters, with < before and > after it; each is one of
    the rows by its hash (Bojanowski, Grave, Joulin, Mikolov, TACL 2017, §3.2).
    """

    vectors: NDArray[np.float32]
    """(buckets, d)"""
    letters: int

    def numbers(self) -> dict[str, Any]:
        """What `keys` and `place` need to know, JSON-able."""
        return {"letters": self.letters, "buckets": len(self.vectors)}


def keys(text: str, numbers: Mapping[str, Any]) -> list[str]:
    """All that is to be looked up among the `WordVectors` for a text's place, each once.

    `numbers` are those of the embedding.
    """
    words = tokens(text)
    names = [
        "_".join(words[place : place + length])
        for length in range(1, _LONGEST_NAME + 1)
        for place in range(len(words) - length + 1)
    ]
    parts = chain.from_iterable(_grams(word, numbers) for word in words)
    return list(dict.fromkeys(chain(names, parts)))


def place(
    text: str, found: Mapping[str, NDArray[np.float32]], numbers: Mapping[str, Any]
) -> NDArray[np.float32]:
    """The place (d,) of a text, of length 1, from the vectors that were found for its `keys`.

    A word that was not found has the mean of its parts. Raises ValueError where nothing was found.
    """
    vectors: list[NDArray[np.float32]] = []
    for word in joined(tokens(text), found):
        if word in found:
            vectors.append(found[word])
        elif parts := [found[part] for part in _grams(word, numbers) if part in found]:
            vectors.append(np.mean(parts, axis=0))
    if not vectors:
        raise ValueError("text: none of its words are known")
    total: NDArray[np.float32] = np.sum(vectors, axis=0, keepdims=True)
    return np.asarray(pooling.normalized(total)[0])


def _grams(word: str, numbers: Mapping[str, Any]) -> list[str]:
    """The keys of a word's parts; none where the space keeps no parts."""
    if "buckets" not in numbers:
        return []
    letters, buckets = numbers["letters"], numbers["buckets"]
    whole = f"<{word}>"
    parts = (whole[start : start + letters] for start in range(len(whole) - letters + 1))
    return [_gram_key(_hash(part.encode()) % buckets) for part in parts]


def _gram_key(number: int) -> str:
    """Nothing that could be a word."""
    return f"#{number}"


def _hash(part: bytes) -> int:
    """FNV-1a of 32 bits over signed bytes, as fastText has it."""
    value = 2166136261
    for byte in part:
        signed = byte if byte < 128 else byte - 256
        value = ((value ^ (signed & 0xFFFFFFFF)) * 16777619) & 0xFFFFFFFF
    return value
