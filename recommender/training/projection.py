"""The map of films: the space of taste in two dimensions, for people to look at.

t-SNE (van der Maaten, Hinton, JMLR 2008) as openTSNE computes it, of the films that enough people
have rated; the others lie beside those that they are most like. docs/architecture.md has what other
techniques came to.

A map begins where the live version's ended and is turned to lie as that one lay, so that people
find a film again where it was.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import cKDTree

from recommender.embedders.base import Progress, silent
from recommender.film_map import NO_MAP, FilmMap

FEWEST_RATINGS = 5
"""Of a film that has t-SNE's own place: where one with fewer lies is much by chance."""

FEWEST_FILMS = 100
"""With so many ratings: among fewer there is nothing to find one's way in."""

MOST_PROJECTED = 12_000
"""Of the films with so many ratings, those with the most: it takes half a minute of one core."""

MOST_FILMS = 40_000
"""On the map."""

_PERPLEXITY = 30
_FIRST, _WITH_EXAGGERATION, _WITHOUT = 12.0, 125, 300
"""Early exaggeration, iterations with it, and iterations after it."""

_FROM_EARLIER = 200
"""Iterations from an earlier map."""

_SPREAD = 0.4
"""t-SNE's own spread (standard deviation) of n films, as a share of √n."""

_BESIDE = 3
"""Films between which one without a place of its own lies."""

_FILMS_A_REGION, _FEWEST_REGIONS, _MOST_REGIONS = 150, 5, 48
_ROWS = 1000


def draw(
    movie_ids: NDArray[np.int64],
    vectors: NDArray[np.float32],
    rating_counts: NDArray[np.int64],
    earlier: FilmMap = NO_MAP,
    progress: Progress = silent,
) -> FilmMap:
    """Draw films (n,) by their vectors (n, d), those with enough ratings (n,) by t-SNE.

    The others lie beside those. Films without a direction are left out, and so are all where too
    few have enough ratings.

    Raises whatever `progress` raises.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    order = np.argsort(-rating_counts, kind="stable")
    order = order[lengths[order] > 0][:MOST_FILMS]
    count = min(int((rating_counts[order] >= FEWEST_RATINGS).sum()), MOST_PROJECTED)
    if count < FEWEST_FILMS:
        return NO_MAP
    movie_ids, unit = movie_ids[order], vectors[order] / lengths[order, None]
    start, is_fresh = _start(movie_ids[:count], unit[:count], earlier)
    placed = _project(unit[:count], start, is_fresh, progress)
    placed = _as_before(placed, movie_ids[:count], earlier)
    rated = int((rating_counts[order] > 0).sum())
    few = _beside(unit[count:rated], unit[:count], placed)
    new = _new_beside(unit[rated:], unit[:count], placed)
    positions = np.vstack([placed, few, new])
    return FilmMap(movie_ids, positions, _regions(placed, positions))


def summary(drawn: FilmMap, earlier: FilmMap) -> str:
    """What a run's log says of a map."""
    if not len(drawn):
        return "Too few films have ratings for a map of them."
    line = f"{len(drawn):,} films have a place on the map"
    ours, theirs = _in_common(drawn.movie_ids, earlier)
    if not len(ours):
        return f"{line}."
    moved = np.linalg.norm(drawn.positions[ours] - earlier.positions[theirs], axis=1)
    width = np.ptp(drawn.positions[ours, 0])
    return f"{line}; half of them moved by less than {np.median(moved) / width:.1%} of its width."


def _start(
    movie_ids: NDArray[np.int64], unit: NDArray[np.float32], earlier: FilmMap
) -> tuple[NDArray[np.float64], bool]:
    """Where films (n,) begin (n, 2), and whether that is afresh, from principal components.

    It is from the earlier map where that knows most of them; new ones begin beside the others.
    """
    known, at = _in_common(movie_ids, earlier)
    if len(known) < max(FEWEST_FILMS, len(movie_ids) / 2):
        centred = unit - unit.mean(axis=0)
        values, directions = np.linalg.eigh(centred.T @ centred)
        first = centred @ directions[:, np.argsort(-values)[:2]]
        return first.astype(np.float64) / first[:, 0].std(), True
    start = np.empty((len(movie_ids), 2))
    start[known] = earlier.positions[at]
    new = np.setdiff1d(np.arange(len(movie_ids)), known)
    start[new] = _beside(unit[new], unit[known], start[known])
    return start / start.std(), False


def _project(
    unit: NDArray[np.float32], start: NDArray[np.float64], is_fresh: bool, progress: Progress
) -> NDArray[np.float64]:
    """t-SNE of unit vectors (n, d) from a start (n, 2) of spread 1; returns (n, 2)."""
    # It brings scikit-learn along, which no page needs.
    from openTSNE import TSNEEmbedding, affinity
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    neighbours, likeness = _nearest(unit, unit, min(3 * _PERPLEXITY, len(unit) - 2) + 1)
    # The first is the film itself.
    distances = np.maximum(1 - likeness[:, 1:], 0).astype(np.float64)
    index = PrecomputedNeighbors(neighbours[:, 1:], distances)
    alike = affinity.PerplexityBasedNN(perplexity=_PERPLEXITY, knn_index=index, n_jobs=-1)
    done, whole = 0, _WITH_EXAGGERATION + _WITHOUT if is_fresh else _FROM_EARLIER

    def tell(iteration: int, error: float, embedding: object) -> None:
        progress((done + iteration) / whole, "placing films on the map")

    how = {"momentum": 0.8, "callbacks": tell, "callbacks_every_iters": 10}
    spread = 1e-4 if is_fresh else _SPREAD * np.sqrt(len(unit))
    embedding = TSNEEmbedding(start * spread, alike, n_jobs=-1, random_state=0)
    if not is_fresh:
        return np.asarray(embedding.optimize(_FROM_EARLIER, **how))
    embedding = embedding.optimize(_WITH_EXAGGERATION, exaggeration=_FIRST, **how)
    done = _WITH_EXAGGERATION
    return np.asarray(embedding.optimize(_WITHOUT, **how))


def _nearest(
    unit: NDArray[np.float32], among: NDArray[np.float32], k: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The k nearest among others (m, d) of unit vectors (n, d), and their cosines; both (n, k)."""
    nearest = np.empty((len(unit), k), dtype=np.intp)
    likeness = np.empty((len(unit), k), dtype=np.float32)
    for start in range(0, len(unit), _ROWS):
        rows = slice(start, start + _ROWS)
        cosines = unit[rows] @ among.T
        found = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(cosines, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        nearest[rows] = np.take_along_axis(found, order, axis=1)
        likeness[rows] = np.take_along_axis(values, order, axis=1)
    return nearest, likeness


def _beside(
    unit: NDArray[np.float32], others: NDArray[np.float32], placed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Places (n, 2) for films (n, d) among the others (m, d) that have one (m, 2).

    The nearest counts most, so that films of one kind do not pile up in the middle between others.
    """
    nearest, likeness = _nearest(unit, others, _BESIDE)
    weights = np.exp(20 * (likeness - likeness[:, :1])).astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("nk,nkd->nd", weights, placed[nearest]))


def _new_beside(
    unit: NDArray[np.float32], others: NDArray[np.float32], placed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Places (n, 2) for films that nobody has rated (n, d), as `_beside` gives them.

    What is told of films says less than ratings, so their vectors are much alike, and as they are
    most of them would lie beside the same few films. What sets them apart decides: each side is
    taken from its own mean (Suzuki et al., EMNLP 2013), where there are enough for one.
    """
    if len(unit) >= FEWEST_FILMS:
        unit, others = _apart(unit), _apart(others)
    return _beside(unit, others, placed)


def _apart(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors (n, d) from their mean, of length 1 again; one at the mean stays there."""
    centred = unit - unit.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _as_before(
    placed: NDArray[np.float64], movie_ids: NDArray[np.int64], earlier: FilmMap
) -> NDArray[np.float64]:
    """Turn, mirror, scale and shift a map (n, 2) to lie as the earlier one: Procrustes' problem."""
    known, at = _in_common(movie_ids, earlier)
    if len(known) < FEWEST_FILMS:
        centred = placed - np.median(placed, axis=0)
        reach = float(np.quantile(np.linalg.norm(centred, axis=1), 0.99))
        return np.asarray(centred / reach, dtype=np.float64)
    ours, theirs = placed[known], earlier.positions[at]
    middle = ours.mean(axis=0)
    turn, _ = orthogonal_procrustes(ours - middle, theirs - theirs.mean(axis=0))
    scale = theirs.std() / ours.std()
    return np.asarray((placed - middle) @ turn * scale + theirs.mean(axis=0), dtype=np.float64)


def _in_common(
    movie_ids: NDArray[np.int64], earlier: FilmMap
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions in `movie_ids` and in the earlier map of the films that both know."""
    _, ours, theirs = np.intersect1d(movie_ids, earlier.movie_ids, return_indices=True)
    return ours, theirs


def _regions(placed: NDArray[np.float64], positions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which films of the whole map (n, 2) lie together, by those that t-SNE placed (m, 2)."""
    count = int(np.clip(len(placed) / _FILMS_A_REGION, _FEWEST_REGIONS, _MOST_REGIONS))
    centres, _ = kmeans2(placed, count, minit="++", rng=np.random.default_rng(0))
    _, nearest = cKDTree(centres).query(positions)
    return np.asarray(nearest, dtype=np.int64)
