"""What every embedder takes and gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Material
from recommender.interactions import Interactions
from recommender.parameters import Parameters

Floats = NDArray[np.float32] | NDArray[np.float64]


class Progress(Protocol):
    """Told how far a fit has come. May raise, which ends the fit: that is how one cancels it."""

    def __call__(self, fraction: float, message: str, /) -> None:
        """`fraction` is between 0 and 1 and never falls; `message` is for a person to read."""


def silent(fraction: float, message: str, /) -> None:
    """A `Progress` that tells nobody."""


@dataclass(frozen=True)
class Rated:
    """What one person has rated of the movies that a model knows, n of them in any order."""

    vectors: Floats
    """(n, d) the movies' vectors."""
    inputs: Floats
    """(n, e) the movies' input vectors; e = 0 where the embedder has none."""
    confidences: Floats
    """(n,) signed; see `Weighting`."""


class FoldIn(Protocol):
    """How a person's vector follows from what they rated: what serving keeps of a model.

    It gives people of the training set the very vectors that training gave them.
    """

    start_length: ClassVar[int]
    """How many of a vector's coordinates, the last ones, do not tell the person's taste but where
    people start: what scores have without it."""

    def vector(self, rated: Rated) -> NDArray[np.float32]:
        """The person's vector (d,), zeros where it says nothing of them."""

    def contributions(self, rated: Rated, candidates: Floats) -> NDArray[np.float32]:
        """How much each rated movie adds to the score of each candidate (m, d), as (m, n).

        With `given`, a row's sum is the candidate's score.
        """

    def given(self, rated: Rated, candidates: Floats) -> NDArray[np.float32]:
        """The part of each candidate's score (m,) that comes from no movie that they rated."""

    def state(self) -> tuple[dict[str, Any], NDArray[np.float32]]:
        """What to keep of it: JSON-able numbers, and a square matrix. `Embedder.fold_in` reads."""


@dataclass(frozen=True)
class Embedding:
    """Vectors of one space, rows in the order of the `Interactions` they were fitted on."""

    user_vectors: NDArray[np.float32]
    """(U, d)"""
    movie_vectors: NDArray[np.float32]
    """(I, d); a user's score for a movie is the inner product of their vectors."""
    input_vectors: NDArray[np.float32]
    """(I, e) what folding in needs of a rated movie besides its vector; e may be 0."""
    fold_in: FoldIn
    start: NDArray[np.float32] | None = None
    """(I, f) where a fit of more ratings may begin; see `Resumable`."""


class Embedder(Protocol):
    """A technique that fills a space with vectors.

    One that needs what is not installed with the site has a static method `lacking`, which says in
    a sentence what to install before it can learn, and nothing where it is all there.
    """

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """An embedder with these settings. Raises ValueError naming a bad field."""

    @property
    def settings(self) -> Parameters:
        """The settings it was made with."""

    def fit(self, interactions: Interactions, progress: Progress = silent) -> Embedding:
        """Learn vectors. Same interactions, settings and seed: same vectors."""

    @staticmethod
    def fold_in(numbers: Mapping[str, Any], matrix: NDArray[np.float32]) -> FoldIn:
        """The fold-in whose `state()` these are."""


@runtime_checkable
class Resumable(Embedder, Protocol):
    """An embedder that need not begin anew when more ratings are known."""

    def resume(
        self,
        start: NDArray[np.float32],
        interactions: Interactions,
        progress: Progress = silent,
    ) -> Embedding:
        """As good as what `fit` gives, and sooner.

        `start` (I, f) is `Embedding.start` of a fit of nearly the same interactions by the same
        settings, a row for each of these movies, zeros for those that it did not know.
        """


@runtime_checkable
class Joined(Embedder, Protocol):
    """An embedder that joins the vectors of others, which learn each on its own.

    What one of them has learnt can so be kept, and joined with what another learns later.
    """

    @property
    def parts(self) -> tuple[Embedder, ...]:
        """The others."""

    def join(self, learnt: Sequence[Embedding], interactions: Interactions) -> Embedding:
        """What `fit` gives, from what each part learnt of the same interactions."""


class Unavailable(Exception):
    """What an embedder needs is not there; the message says what, and how to get it."""


@dataclass(frozen=True)
class WordVectors:
    """Vectors of words or of parts of words: what finds a place for a text not seen before."""

    words: list[str]
    """(w,) each once."""
    vectors: NDArray[np.float32]
    """(w, d) already weighted as they are to be added up."""


@dataclass(frozen=True)
class FilmEmbedding:
    """Places of films in a space that knows films alone. Nearness is the cosine."""

    movie_ids: NDArray[np.int64]
    """(n,) ascending; films of which nothing is known are left out."""
    vectors: NDArray[np.float32]
    """(n, d) of length 1."""
    saw: str
    """What it was made of, for people to read: "titles, genres and overviews of 9,066 films"."""
    words: WordVectors | None = None
    """Where a query's place follows from its words."""
    numbers: dict[str, Any] = field(default_factory=dict)
    """JSON-able: what `FilmEmbedder.encode` needs besides."""


class FilmEmbedder(Protocol):
    """A technique that fills a space with vectors of films alone.

    Where a space may learn from ratings, one that does so by some settings alone has a property
    `learns_from_ratings`, which says whether it does by those that it was made with.
    """

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """An embedder with these settings. Raises ValueError naming a bad field."""

    @property
    def settings(self) -> Parameters:
        """The settings it was made with."""

    def fit(self, material: Material, progress: Progress = silent) -> FilmEmbedding:
        """Learn vectors. Same material, settings and seed: same vectors.

        Raises Unavailable where it needs what is not installed, ValueError where there is nothing
        to learn from.
        """


class TextEmbedder(FilmEmbedder, Protocol):
    """One that also finds the place of a text, such as what a person is looking for."""

    @staticmethod
    def encode(texts: Sequence[str], numbers: Mapping[str, Any]) -> NDArray[np.float32]:
        """The places (n, d) of texts, of length 1; `numbers` are those of the embedding.

        Raises Unavailable as `fit` does.
        """
