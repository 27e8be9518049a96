"""Films that nobody has liked yet: their places in the space of taste, and how good these are.

A film's place follows from what is told of it (`recommender.embedders.content`), by a map that is
learnt from the films with ratings.
"""

from dataclasses import dataclass

import numpy as np
import threadpoolctl
from numpy.typing import NDArray
from scipy.stats import rankdata

from recommender.catalogue import Films
from recommender.embedders import Embedding, Rated, content
from recommender.embedders.base import Progress, silent
from recommender.embedders.content import ContentMap, Features
from recommender.interactions import Interactions

HIDDEN_SHARE = 0.2
FEWEST_RATINGS = 5
"""Of a film that is hidden: of others it cannot be told whom they please."""

FEWEST_HIDDEN = 40
"""Films; among fewer, 20 are no choice."""

_K = 20
_MOST_PEOPLE = 1000


@dataclass(frozen=True)
class Places:
    """Where films without ratings lie."""

    movie_ids: NDArray[np.int64]
    """(n,)"""
    vectors: NDArray[np.float32]
    """(n, d)"""
    learnt: ContentMap
    """What places films that come later."""
    metrics: dict[str, float]
    """See `measure`; empty where too few films could be hidden."""


def place(
    films: Films, embedding: Embedding, interactions: Interactions, progress: Progress = silent
) -> Places:
    """Place the films that nobody has rated: none, where there are too few others to learn from.

    Films that were deleted since they were rated are passed over.
    """
    is_rated = np.isin(films.movie_ids, interactions.movie_ids)
    if is_rated.sum() < content.FEWEST_FILMS:
        return _nowhere(embedding.movie_vectors.shape[1])
    told = content.features(films)
    rated, unrated = told.take(np.flatnonzero(is_rated)), told.take(np.flatnonzero(~is_rated))
    columns = np.searchsorted(interactions.movie_ids, films.movie_ids[is_rated])
    metrics = measure(rated, columns, embedding, interactions)
    likes = _likes(interactions)[columns]
    learnt = content.fit(rated, embedding.movie_vectors[columns], likes, progress)
    return Places(films.movie_ids[~is_rated], learnt.place(unrated), learnt, metrics)


def summary(places: Places) -> str:
    """What a run's log says of them."""
    if not places.learnt.names:
        return "Too few films to learn where those would lie that nobody has rated."
    line = f"{len(places.movie_ids):,} films that nobody has rated have a place by what is told"
    if not places.metrics:
        return f"{line}."
    return (
        f"{line}; of films whose ratings were hidden, Recall@20 {places.metrics['recall@20']:.3f}"
        f" (at random {places.metrics['random']:.3f}), AUC {places.metrics['auc']:.3f}"
    )


def _nowhere(dimensions: int) -> Places:
    nothing = np.empty((0, dimensions), dtype=np.float32)
    return Places(np.empty(0, dtype=np.int64), nothing, ContentMap([], nothing), {})


def measure(
    told: Features, columns: NDArray[np.intp], embedding: Embedding, interactions: Interactions
) -> dict[str, float]:
    """Hide a fifth of the films with ≥ 5 ratings, and rank them for people by what is told of them.

    `told` and `columns` (n,) are the rated films'. Means over people who like some of the hidden
    films and not all:

    - `auc`: how often a hidden film that the person likes stands before one that they do not;
    - `recall@20` among the hidden films, beside `random`'s and `popularity`'s, which knows how many
      like each.

    People's vectors are those that follow from their other ratings. The vectors of the other films
    were learnt beside the hidden ones: to learn all anew without them costs a whole fit and lowers
    the figures little (benchmarks/cold.py does).
    """
    hidden, others = _hide(columns, interactions)
    if len(hidden) < FEWEST_HIDDEN or len(others) < content.FEWEST_FILMS:
        return {}
    likes = _likes(interactions)[columns]
    learnt = content.fit(told.take(others), embedding.movie_vectors[columns[others]], likes[others])
    likes_hidden = interactions.matrix[:, columns[hidden]] > 0
    counts = likes_hidden.getnnz(axis=1)
    rows = np.flatnonzero((counts > 0) & (counts < len(hidden)))
    rows = np.random.default_rng(0).permutation(rows)[:_MOST_PEOPLE]
    liked = likes_hidden[rows].toarray()
    # The systems are small: threads would only wait for each other.
    with threadpoolctl.threadpool_limits(1, "blas"):
        people = _people_without(columns[hidden], rows, embedding, interactions)
    scores = people @ learnt.place(told.take(hidden)).T
    popularity = np.broadcast_to(likes[hidden].astype(np.float64), scores.shape)
    return figures(scores, liked) | {
        "random": _K / len(hidden),
        "popularity": figures(popularity, liked)["recall@20"],
        "films": len(hidden),
        "people": len(rows),
    }


def figures(scores: NDArray[np.floating], liked: NDArray[np.bool_]) -> dict[str, float]:
    """AUC and Recall@20 of scores (m, n) for liked films (m, n), means over people.

    Each person likes one film or more, and not all.
    """
    ranks = rankdata(scores, axis=1)
    counts = liked.sum(axis=1)
    rank_sums = np.where(liked, ranks, 0).sum(axis=1)
    pairs = counts * (liked.shape[1] - counts)
    auc = (rank_sums - counts * (counts + 1) / 2) / pairs
    first = np.argsort(-scores, axis=1, kind="stable")[:, :_K]
    hits = np.take_along_axis(liked, first, axis=1).sum(axis=1)
    return {"auc": float(auc.mean()), "recall@20": float((hits / counts).mean())}


def _hide(
    columns: NDArray[np.intp], interactions: Interactions
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions in `columns` (n,) of the films to hide, and of the others."""
    ratings = np.bincount(interactions.matrix.indices, minlength=interactions.matrix.shape[1])
    known = np.flatnonzero(ratings[columns] >= FEWEST_RATINGS)
    drawn = np.random.default_rng(0).permutation(known)[: int(HIDDEN_SHARE * len(known))]
    return np.sort(drawn), np.setdiff1d(np.arange(len(columns)), drawn)


def _people_without(
    hidden: NDArray[np.intp],
    rows: NDArray[np.intp],
    embedding: Embedding,
    interactions: Interactions,
) -> NDArray[np.float32]:
    """The vectors (m, d) of people by all they rated but the hidden columns."""
    matrix = interactions.matrix
    vectors = np.zeros((len(rows), embedding.movie_vectors.shape[1]), dtype=np.float32)
    for place, row in enumerate(rows):
        cells = slice(matrix.indptr[row], matrix.indptr[row + 1])
        kept = ~np.isin(matrix.indices[cells], hidden)
        rated = matrix.indices[cells][kept]
        if len(rated):
            vectors[place] = embedding.fold_in.vector(
                Rated(
                    embedding.movie_vectors[rated],
                    embedding.input_vectors[rated],
                    matrix.data[cells][kept],
                )
            )
    return vectors


def _likes(interactions: Interactions) -> NDArray[np.int64]:
    """(I,) how many people like each movie."""
    matrix = interactions.matrix
    return np.bincount(matrix.indices[matrix.data > 0], minlength=matrix.shape[1])
