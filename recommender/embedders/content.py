"""A film's vector from what is told of it: how films that nobody has rated get a place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.catalogue import Films
from recommender.embedders.base import Progress, Unavailable, silent
from recommender.embedders.static import StaticEncoder

LEARNT_FROM = 20_000
"""The most films that are learnt from, those with the most ratings: more take longer and tell
little."""

FEWEST_FILMS = 20
"""With fewer films there is nothing to learn."""

_REGULARIZATION = 50.0
_SOLID = 3.0
"""Likes at which a film's vector counts half: those of rarely liked films are mostly noise."""

_ITERATIONS = 15
"""Of conjugate gradients: 40 change no figure by 0.002."""

_TEXT_WEIGHT = 2.0
_DECADE_WIDTH = 5.0
_YEARS = range(1920, 2026, 5)
_TYPICAL_YEAR = 1990
_FILMS_OF_A_PERSON = 2
"""Of films that are learnt from: who is in fewer has no vector."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """What is told of n films, in numbers: `dense` (n, p) beside `people` (n, q)."""

    dense: Matrix
    dense_names: list[str]
    """(p,)"""
    people: sparse.csr_matrix
    people_names: list[str]
    """(q,)"""

    @property
    def names(self) -> list[str]:
        """(p + q,) the columns' names, each once."""
        return self.dense_names + self.people_names

    def take(self, rows: NDArray[np.intp]) -> "Features":
        """Those of some of the films, with the same columns."""
        return Features(self.dense[rows], self.dense_names, self.people[rows], self.people_names)

    def times(self, vectors: Matrix) -> Matrix:
        """(n, d) sums of the columns' vectors (p + q, d), each as often as a film has it."""
        width = len(self.dense_names)
        return np.asarray(self.dense @ vectors[:width] + self.people @ vectors[width:])

    def transposed_times(self, rows: Matrix) -> Matrix:
        """(p + q, d) sums of films' rows (n, d), for each column."""
        return np.vstack([self.dense.T @ rows, self.people.T @ rows])


def features(films: Films) -> Features:
    """Genres, year, words, people, and how much is told of each film.

    Words are left out where the package that knows them is not installed.
    """
    blocks = [_genres(films), _years(films), _amounts(films), _words(films)]
    people, people_names = _people(films)
    return Features(
        np.hstack([block for block, _ in blocks]).astype(np.float32),
        [name for _, names in blocks for name in names],
        people,
        people_names,
    )


@dataclass(frozen=True)
class ContentMap:
    r"""A film's vector is the sum of its features' vectors.

    The vectors b of features minimize, over the films i that are learnt from,

        Σ_i  n_i / (n_i + 3) · ‖v_i − Σ_f x_if b_f‖²  +  λ Σ_f ‖b_f‖²

    with v_i the film's vector as learnt from ratings, n_i its likes and x_if how much of the
    feature it has: a ridge regression, solved by conjugate gradients as people are many. Sums of
    features' vectors for films without ratings: Kula, "Metadata Embeddings for User and Item
    Cold-start Recommendations", CBRecSys 2015.
    """

    names: list[str]
    """(f,)"""
    vectors: Matrix
    """(f, d)"""

    def place(self, told: Features) -> Matrix:
        """The vectors (n, d) of films; a feature that was not learnt says nothing."""
        known = dict(zip(self.names, self.vectors, strict=True))
        nothing = np.zeros(self.vectors.shape[1], dtype=np.float32)
        rows = np.array([known.get(name, nothing) for name in told.names], dtype=np.float32)
        return told.times(rows.reshape(len(told.names), -1))


def fit(
    told: Features, vectors: Matrix, likes: NDArray[np.integer], progress: Progress = silent
) -> ContentMap:
    """Learn from films with these features, vectors (n, d) and numbers of likes (n,).

    Raises ValueError where there are fewer than `FEWEST_FILMS`.
    """
    if len(vectors) < FEWEST_FILMS:
        raise ValueError(f"films: there are fewer than {FEWEST_FILMS} to learn from")
    most_liked = np.argsort(-likes, kind="stable")[:LEARNT_FROM]
    told, vectors, likes = told.take(most_liked), vectors[most_liked], likes[most_liked]
    told = _without_strangers(told)
    weights = (likes / (likes + _SOLID)).astype(np.float32)[:, np.newaxis]
    solved = _conjugate_gradients(told, vectors.astype(np.float32), weights, progress)
    return ContentMap(told.names, solved)


def _conjugate_gradients(
    told: Features, vectors: Matrix, weights: Matrix, progress: Progress
) -> Matrix:
    """Solve (XᵀWX + λI) B = XᵀWV for all columns of B (f, d) at once."""
    residual = told.transposed_times(vectors * weights)
    solution = np.zeros_like(residual)
    direction = residual.copy()
    size = np.sum(residual**2, axis=0)
    tiny = np.finfo(np.float32).tiny
    for step in range(_ITERATIONS):
        image = told.transposed_times(told.times(direction) * weights)
        image += _REGULARIZATION * direction
        length = size / np.maximum(np.sum(direction * image, axis=0), tiny)
        solution += length * direction
        residual -= length * image
        next_size = np.sum(residual**2, axis=0)
        direction = residual + direction * (next_size / np.maximum(size, tiny))
        size = next_size
        progress((step + 1) / _ITERATIONS, "placing films by what is told of them")
    return np.asarray(solution, dtype=np.float32)


def _without_strangers(told: Features) -> Features:
    """Only people of whom enough films are learnt from."""
    films = np.asarray((told.people > 0).sum(axis=0)).ravel()
    kept = np.flatnonzero(films >= _FILMS_OF_A_PERSON)
    names = [told.people_names[column] for column in kept]
    return Features(told.dense, told.dense_names, told.people[:, kept], names)


def _genres(films: Films) -> tuple[Matrix, list[str]]:
    names = sorted({name for genres in films.genres for name in genres})
    place = {name: column for column, name in enumerate(names)}
    block = np.zeros((len(films), len(names)), dtype=np.float32)
    for row, genres in enumerate(films.genres):
        block[row, [place[name] for name in genres]] = 1
    return block, [f"genre:{name}" for name in names]


def _years(films: Films) -> tuple[Matrix, list[str]]:
    """How near a film's year is to each fifth one, on a bell curve."""
    distance = (_known_years(films)[:, np.newaxis] - np.array(_YEARS)) / _DECADE_WIDTH
    return np.exp(-(distance**2) / 2), [f"year:{year}" for year in _YEARS]


def _amounts(films: Films) -> tuple[Matrix, list[str]]:
    """How much there is to tell of a film, which says how well known it is, and the year's part
    in that: of old films less is told."""
    length = np.log1p([len(text) for text in films.overviews])
    people = np.log1p([len(credits) for credits in films.credits])
    amounts = np.column_stack([length > 0, length / 5, (length / 5) ** 2, people > 0, people / 2])
    age = (_known_years(films) - _TYPICAL_YEAR)[:, np.newaxis] / 20
    block = np.hstack([np.ones((len(films), 1)), amounts, amounts * age, age])
    return block.astype(np.float32), [f"amount:{number}" for number in range(block.shape[1])]


def _known_years(films: Films) -> NDArray[np.float64]:
    return np.array([year or _TYPICAL_YEAR for year in films.years], dtype=np.float64)


def _words(films: Films) -> tuple[Matrix, list[str]]:
    """The plain mean of the vectors of a film's words: it needs nothing of the other films."""
    texts = [
        " ".join([title, ", ".join(genres), overview])
        for title, genres, overview in zip(films.titles, films.genres, films.overviews, strict=True)
    ]
    try:
        block = StaticEncoder.encode(texts, {"common_tokens": [], "their_weights": []})
    except Unavailable:
        return np.empty((len(films), 0), dtype=np.float32), []
    return _TEXT_WEIGHT * block, [f"text:{number}" for number in range(block.shape[1])]


def _people(films: Films) -> tuple[sparse.csr_matrix, list[str]]:
    """Who made a film and plays in it, by 1/√place in its credits."""
    cells = list(_credits(films))
    names = sorted({name for _, name, _ in cells})
    place = {name: column for column, name in enumerate(names)}
    rows, columns = [row for row, _, _ in cells], [place[name] for _, name, _ in cells]
    values = np.array([weight for _, _, weight in cells], dtype=np.float32)
    shape = (len(films), len(names))
    return sparse.csr_matrix((values, (rows, columns)), shape=shape), names


def _credits(films: Films) -> Iterator[tuple[int, str, float]]:
    for row, credited in enumerate(films.credits):
        for name, weight in _by_billing(f"{part.role}:{part.person_id}" for part in credited):
            yield row, name, weight


def _by_billing(names: Iterable[str]) -> Iterator[tuple[str, float]]:
    for place, name in enumerate(names, start=1):
        yield name, place**-0.5
