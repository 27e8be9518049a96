"""Random walks over films, the people who made them and their genres, read as sentences."""

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.catalogue import Films, Material
from recommender.embedders import pooling, skipgram
from recommender.embedders.base import FilmEmbedding, Progress, silent
from recommender.interactions import LIKES, Interactions, Ratings
from recommender.parameters import Configured, number

_LIKED_ALIKE = 10
"""Films that a film is linked to as liked by the same people."""

_WALKING = 0.2
"""Share of the time that walking takes; the rest is learning."""


@dataclass(frozen=True)
class Settings(skipgram.Settings):
    """What a person may choose."""

    dimension: int = number(64, 2, 1024)
    """Length d of a vector."""

    window: int = number(5, 1, 100)
    """How many steps before and after one are its context."""

    epochs: int = number(1, 1, 200)
    """How often all walks are gone through. More walks are better than the same ones again."""

    learning_rate: float = number(0.1, 1e-4, 1.0)
    """How far each pair moves the vectors, at first; it falls to almost nothing. Four times what is
    usual, as each walk is seen only once."""

    walks: int = number(6, 1, 200)
    """Walks that start at each film."""

    length: int = number(16, 2, 200)
    """Nodes in a walk."""

    director_weight: float = number(2.0, 0.0, 100.0)
    """How much rather a walk goes on to a film's director than to somebody of its cast."""

    genre_weight: float = number(0.2, 0.0, 100.0)
    """How often a walk goes on to one of a film's genres, by how often it goes on to a person.
    Genres hold thousands of films, so that a walk through one is almost lost."""

    likes_weight: float = number(0.0, 0.0, 100.0)
    """How often it goes on to a film that the same people like, by the same measure. 0 keeps this
    space to what is known of a film before anybody rates it."""


class DeepWalk(Configured[Settings]):
    """Skip-gram over weighted random walks.

    Perozzi, Al-Rfou, Skiena, "DeepWalk: Online Learning of Social Representations", KDD 2014. From
    a film a walk goes on to a person, a genre or a film, by the weights of the three, and there to
    one of them by its own weight; from people and genres to one of their films likewise. People
    with a single film lead nowhere else and are left out.
    """

    kind = Settings

    @property
    def learns_from_ratings(self) -> bool:
        """See `base.FilmEmbedder`."""
        return self._settings.likes_weight > 0

    def fit(self, material: Material, progress: Progress = silent) -> FilmEmbedding:
        """See `base.FilmEmbedder`. Films without a link to anything have no place."""
        settings, films = self._settings, material.films
        progress(0.0, "the graph")
        graph = _Graph.of(material, settings)
        starts = np.flatnonzero(np.diff(graph.steps.indptr[: len(films) + 1]))
        if not len(starts):
            raise ValueError("films: there is nothing to learn from")
        walks: list[NDArray[np.intp]] = []
        for walk in range(settings.walks):
            progress(_WALKING * walk / settings.walks, f"walk {walk + 1} of {settings.walks}")
            random = np.random.default_rng((settings.seed, walk))
            walks.extend(graph.walk(random.permutation(starts), settings.length, random))
        nodes, vectors = skipgram.learn(walks, settings, progress, start=_WALKING)
        progress(1.0, "fitted")
        placed = nodes < len(films)
        return pooling.film_embedding(
            films.movie_ids[nodes[placed]], vectors[placed], graph.described(len(starts))
        )


@dataclass(frozen=True)
class _Graph:
    """Nodes are films, then people, then genres."""

    steps: sparse.csr_matrix
    """(nodes, nodes) the chance of each step; a row sums to 1, or is empty where none leads on."""
    people: int
    genres: int
    likes: bool

    @classmethod
    def of(cls, material: Material, settings: Settings) -> "_Graph":
        films = material.films
        people = _credits(films, settings.director_weight)
        genres = _genres(films)
        alike = sparse.csr_matrix((len(films), len(films)))
        if settings.likes_weight:
            alike = _liked_alike(films, material.ratings)
        onward = [
            settings.likes_weight * _chances(alike),
            _chances(people),
            settings.genre_weight * _chances(genres),
        ]
        back = sparse.hstack(
            [
                sparse.vstack([_chances(people.T), _chances(genres.T)]),
                sparse.csr_matrix((people.shape[1] + genres.shape[1],) * 2),
            ]
        )
        steps = _chances(sparse.vstack([sparse.hstack(onward), back]))
        return cls(steps, people.shape[1], genres.shape[1], bool(settings.likes_weight))

    def walk(
        self, starts: NDArray[np.intp], length: int, random: np.random.Generator
    ) -> NDArray[np.intp]:
        """(n, length) walks from nodes (n,) that lead on."""
        # Rows sum to 1, so that the running sum over all of them tells a row and a place in it.
        leads = np.diff(self.steps.indptr) > 0
        before: NDArray[np.int64] = np.cumsum(leads) - leads
        reached = np.cumsum(self.steps.data)
        walks = np.empty((len(starts), length), dtype=np.intp)
        walks[:, 0] = starts
        for place in range(1, length):
            here = walks[:, place - 1]
            entry = np.searchsorted(reached, before[here] + random.random(len(here)), side="right")
            # Rounding may not lead out of the row.
            entry = np.clip(entry, self.steps.indptr[here], self.steps.indptr[here + 1] - 1)
            walks[:, place] = self.steps.indices[entry]
        return walks

    def described(self, films: int) -> str:
        """For people to read."""
        likes = ", and which films the same people like" if self.likes else ""
        return (
            f"the graph of {films:,} films, {self.people:,} people and {self.genres} genres{likes}"
        )


def _credits(films: Films, director_weight: float) -> sparse.csr_matrix:
    """(films, people) the weight of each credit, for people of two films or more."""
    weights: dict[tuple[int, int], float] = {}
    for film, credits in enumerate(films.credits):
        for credited in credits:
            key = film, credited.person_id
            weight = director_weight if credited.role == "director" else 1.0
            weights[key] = max(weight, weights.get(key, 0.0))
    counts = Counter(person for _, person in weights)
    kept = sorted(person for person, count in counts.items() if count > 1)
    columns = {person: column for column, person in enumerate(kept)}
    links = [(film, columns[p], weight) for (film, p), weight in weights.items() if p in columns]
    return _matrix(links, (len(films), len(columns)))


def _genres(films: Films) -> sparse.csr_matrix:
    """(films, genres) 1 for each genre of a film."""
    names = sorted(set(chain.from_iterable(films.genres)))
    columns = {name: column for column, name in enumerate(names)}
    links = [
        (film, columns[name], 1.0) for film, names in enumerate(films.genres) for name in names
    ]
    return _matrix(links, (len(films), len(columns)))


def _liked_alike(films: Films, ratings: Ratings) -> sparse.csr_matrix:
    """(films, films) the cosine of who likes both, for each film's nearest."""
    data = Interactions.build(ratings, LIKES)
    liked = sparse.csc_matrix((data.matrix > 0).astype(np.float64))
    lengths = np.sqrt(np.asarray(liked.sum(axis=0)).ravel())
    scaled = sparse.csc_matrix(liked @ sparse.diags(1 / np.maximum(lengths, 1)))
    likeness = sparse.csr_matrix(scaled.T @ scaled)
    likeness.setdiag(0)
    likeness.eliminate_zeros()
    links = []
    rows = np.searchsorted(films.movie_ids, data.movie_ids)
    for movie, row in enumerate(rows):
        part = slice(likeness.indptr[movie], likeness.indptr[movie + 1])
        nearest = np.argsort(-likeness.data[part], kind="stable")[:_LIKED_ALIKE]
        for other, weight in zip(
            likeness.indices[part][nearest], likeness.data[part][nearest], strict=True
        ):
            links.append((int(row), int(rows[other]), float(weight)))
    return _matrix(links, (len(films), len(films)))


def _matrix(links: list[tuple[int, int, float]], shape: tuple[int, int]) -> sparse.csr_matrix:
    """The matrix of these rows, columns and values."""
    rows, columns, values = np.array(links or np.empty((0, 3)), dtype=np.float64).T
    return sparse.csr_matrix((values, (rows.astype(int), columns.astype(int))), shape=shape)


def _chances(weights: Any) -> sparse.csr_matrix:
    """Weights with rows that sum to 1, or to 0 where there are none."""
    matrix = sparse.csr_matrix(weights)
    matrix.eliminate_zeros()
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    scaled = sparse.csr_matrix(sparse.diags(1 / np.where(sums > 0, sums, 1)) @ matrix)
    scaled.sort_indices()
    return scaled
