"""How good a space of films is: whether films near each other belong together.

*Recall*: each person's last rating is left out. Of each of the ten films that they liked last
before it, the 20 nearest films are listed, without those that they had rated; the person's figure
is the share of these lists that hold the film they rated last. Lists are of films that somebody had
rated before, whatever the space, so that spaces are comparable however many films they know.

*Coherence*: what a film and its 20 nearest share, beside what two films drawn at random do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Films
from recommender.embedders import FilmEmbedding
from recommender.interactions import LIKES, Ids, Interactions, index_ids
from recommender.training.splits import Split

K = 20
MOST_PEOPLE = 2000
"""So many people tell recall to a hundredth; more would only take longer."""
SEEDS = 10
"""Films that one person is asked by: those that they liked last."""
SAMPLED_FILMS = 1000

_BLOCK = 256
"""Films whose likeness to all others is looked at together."""

Floats = NDArray[np.float32]
Likeness = Callable[[Ids], Floats]
"""How like each of the movies with these ids (n,) all the question's candidates (m,) are: (n, m),
and −∞ where either has no place."""


@dataclass(frozen=True)
class Question:
    """What recall is asked about: seeds, and the film that came last."""

    candidates: NDArray[np.int64]
    """(m,) ascending movie ids: films that somebody had rated."""
    counts: NDArray[np.int64]
    """(m,) how many had."""
    seeds: list[Ids]
    """Of each person, the ids of the films that they liked last."""
    rated: list[NDArray[np.int32]]
    """Of each person, the places among the candidates of the films that they had rated."""
    targets: NDArray[np.int64]
    """(p,) the ids of the films that they rated last."""

    @classmethod
    def build(cls, split: Split, most_people: int = MOST_PEOPLE, seed: int = 0) -> "Question":
        """About the people of `splits.leave_last_out` who had liked a film before."""
        training = split.training
        candidates, movies = index_ids(training.movie_ids)
        liked = Interactions.build(training, LIKES)
        people = np.intersect1d(split.held_out.user_ids, liked.user_ids)
        if len(people) > most_people:
            people = np.sort(np.random.default_rng(seed).choice(people, most_people, False))
        order = np.lexsort((training.movie_ids, -training.rated_at, training.user_ids))
        users = training.user_ids[order]
        seeds, rated, targets = [], [], []
        last = dict(zip(split.held_out.user_ids.tolist(), split.held_out.movie_ids, strict=True))
        for person in people:
            start, end = np.searchsorted(users, [person, person + 1])
            own = order[start:end]
            row = liked.matrix[np.searchsorted(liked.user_ids, person)]
            likes = liked.movie_ids[row.indices[row.data > 0]]
            latest = training.movie_ids[own]
            chosen = latest[np.isin(latest, likes)][:SEEDS]
            if len(chosen):
                seeds.append(chosen)
                rated.append(movies[own])
                targets.append(last[int(person)])
        return cls(
            candidates,
            np.bincount(movies, minlength=len(candidates)),
            seeds,
            rated,
            np.array(targets, dtype=np.int64),
        )

    def recall(self, likeness: Likeness) -> NDArray[np.float64]:
        """(p,) each person's share of lists that hold the film they rated last."""
        figures = np.zeros(len(self.targets))
        places = np.searchsorted(self.candidates, self.targets)
        places = np.minimum(places, len(self.candidates) - 1)
        is_candidate = self.candidates[places] == self.targets if len(places) else places > 0
        for person in np.flatnonzero(is_candidate):
            scores = likeness(self.seeds[person])
            scores[:, self.rated[person]] = -np.inf
            own = scores[:, places[person]]
            # The film itself is among those that are at least as near; a tie counts against it.
            ahead = (scores >= own[:, None]).sum(axis=1) - 1
            figures[person] = ((ahead < K) & np.isfinite(own)).mean()
        return figures

    def most_popular(self) -> NDArray[np.float64]:
        """(p,) the figures of a list of the films that most people rated."""
        counts = self.counts.astype(np.float32)
        return self.recall(lambda seeds: np.tile(counts, (len(seeds), 1)))

    def at_random(self) -> float:
        """What a list drawn at random holds on average."""
        if not len(self.targets):
            return 0.0
        left = np.array([len(self.candidates) - len(rated) for rated in self.rated])
        known = np.isin(self.targets, self.candidates)
        return float(np.mean(known * np.minimum(1.0, K / np.maximum(left, 1))))


def by_cosine(embedding: FilmEmbedding, candidates: NDArray[np.int64]) -> Likeness:
    """Likeness by the cosine in one space."""
    vectors, has_place = _rows(embedding, candidates)

    def likeness(seeds: Ids) -> Floats:
        own, has_own = _rows(embedding, seeds)
        scores = own @ vectors.T
        scores[:, ~has_place] = -np.inf
        scores[~has_own] = -np.inf
        return scores

    return likeness


@dataclass(frozen=True)
class Coherence:
    """What films share with the 20 nearest, and what two films at random share."""

    genres: float
    """Mean Jaccard index of the genres of a film and of each of the nearest."""
    genres_at_random: float
    people: float
    """Share of the nearest with whom a film has somebody in common, cast or director."""
    people_at_random: float


def coherence(embedding: FilmEmbedding, films: Films, seed: int = 0) -> Coherence:
    """Measure the space on films drawn at random among those with genres, or with people."""
    random = np.random.default_rng(seed)
    rows = np.searchsorted(films.movie_ids, embedding.movie_ids)
    genres = [frozenset(films.genres[row]) for row in rows]
    people = [frozenset(credit.person_id for credit in films.credits[row]) for row in rows]
    figures = []
    for traits, shared in ((genres, _jaccard), (people, _any)):
        known = np.flatnonzero([bool(trait) for trait in traits])
        if len(known) < 2:
            figures += [0.0, 0.0]
            continue
        sample = random.choice(known, min(SAMPLED_FILMS, len(known)), replace=False)
        near = _nearest(embedding.vectors, sample)
        far = random.choice(known, (len(sample), K))
        for others in (near, far):
            pairs = [
                shared(traits[film], traits[other])
                for film, row in zip(sample, others, strict=True)
                for other in row
                if film != other
            ]
            figures.append(float(np.mean(pairs)) if pairs else 0.0)
    return Coherence(*figures)


def _nearest(vectors: Floats, sample: NDArray[np.int64]) -> NDArray[np.int64]:
    """(s, k) the rows nearest to each of the sampled rows (s,), itself left out."""
    k = min(K, len(vectors) - 1)
    found = np.empty((len(sample), k), dtype=np.int64)
    for start in range(0, len(sample), _BLOCK):
        part = sample[start : start + _BLOCK]
        scores = vectors[part] @ vectors.T
        scores[np.arange(len(part)), part] = -np.inf
        found[start : start + len(part)] = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    return found


def _rows(embedding: FilmEmbedding, movie_ids: Ids) -> tuple[Floats, NDArray[Any]]:
    """The vectors (n, d) of movies (n,), zeros without a place, and which have one (n,)."""
    places = np.searchsorted(embedding.movie_ids, movie_ids)
    places = np.minimum(places, len(embedding.movie_ids) - 1)
    known = embedding.movie_ids[places] == movie_ids
    return np.where(known[:, None], embedding.vectors[places], np.float32(0)), known


def _jaccard(first: frozenset[Any], second: frozenset[Any]) -> float:
    return len(first & second) / len(first | second)


def _any(first: frozenset[Any], second: frozenset[Any]) -> float:
    return float(not first.isdisjoint(second))
