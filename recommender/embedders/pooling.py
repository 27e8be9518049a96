"""From vectors of words to vectors of films."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.embedders.base import FilmEmbedding, WordVectors

_PRIOR_FILMS = 100
"""Films without any direction that are counted in when a common direction is told."""


def counts(texts: list[NDArray[np.int32]], vocabulary: int) -> sparse.csr_matrix:
    """(n, vocabulary) how often each word occurs in each text, a list of word numbers."""
    lengths = [len(text) for text in texts]
    words = np.concatenate([*texts, np.empty(0, dtype=np.int32)])
    rows = np.repeat(np.arange(len(texts)), lengths)
    ones = np.ones(len(words), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, words)), shape=(len(texts), vocabulary))


def smooth_inverse_frequency(
    occurrences: NDArray[np.floating[Any]], smoothing: float
) -> NDArray[np.float32]:
    """(w,) the weight a / (a + p) of words that occur so often (w,), where p is their share.

    Arora, Liang, Ma, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017.
    """
    share = occurrences / max(occurrences.sum(), 1)
    return np.asarray(smoothing / (smoothing + share), dtype=np.float32)


def without_common_direction(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, d) of length 1, less the mean of such vectors (n, d).

    All films being films, a part of what their texts say is the same for all.
    """
    unit = normalized(vectors)
    common = unit.sum(axis=0) / (len(unit) + _PRIOR_FILMS)
    # Texts that say nothing should not come to say the opposite of what all the others do.
    unit[vectors.any(axis=1)] -= common
    return unit


def normalized(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, d) of length 1 each; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def film_embedding(
    movie_ids: NDArray[np.int64],
    vectors: NDArray[np.float32],
    saw: str,
    words: WordVectors | None = None,
    numbers: dict[str, Any] | None = None,
) -> FilmEmbedding:
    """The embedding of the films (n,) whose vectors (n, d) are not all zeros.

    Raises ValueError where there is none.
    """
    known = vectors.any(axis=1)
    if not known.any():
        raise ValueError("films: there is nothing to learn from")
    return FilmEmbedding(movie_ids[known], normalized(vectors[known]), saw, words, numbers or {})
