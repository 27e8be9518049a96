"""What training sees of films besides their ratings: titles, genres, people, tags and words."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from recommender.interactions import Ratings


@dataclass(frozen=True)
class Credited:
    """A person's part in a film."""

    person_id: int
    name: str
    role: str
    """`cast` or `director`."""


@dataclass(frozen=True)
class Tagged:
    """What people call a film, in a word or a few."""

    name: str
    people: int
    """How many call it so."""


@dataclass(frozen=True)
class Films:
    """The catalogue as columns of one length n, by ascending movie id.

    Raises ValueError when the lengths differ.
    """

    movie_ids: NDArray[np.int64]
    """(n,)"""
    titles: list[str]
    years: list[int | None]
    genres: list[tuple[str, ...]]
    """Names of genres, in alphabetical order."""
    overviews: list[str]
    """A few sentences, empty where there are none."""
    credits: list[tuple[Credited, ...]]
    """The director first, then the cast in its order."""
    tags: list[tuple[Tagged, ...]]
    """Those that several people use; the most frequent first."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if len(getattr(self, field.name)) != len(self.movie_ids):
                raise ValueError(f"{field.name}: expected {len(self.movie_ids)} of them")

    def __len__(self) -> int:
        return len(self.movie_ids)


@dataclass(frozen=True)
class Material:
    """All that an embedder of films may learn from, as it stood at one moment."""

    films: Films
    ratings: Ratings
