"""How well vectors foresee what people will like: recall, NDCG and catalogue coverage."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.embedders.base import Embedding
from recommender.interactions import Interactions, Weighting
from recommender.training.splits import Split

Scorer = Callable[[NDArray[np.intp]], NDArray[np.float32]]
"""Scores of all movies for some users: rows (b,) to (b, I), rows and columns as in training."""

_CELLS = 1 << 24
"""Scores held at a time: 64 MB in single precision."""


@dataclass(frozen=True)
class Question:
    """What is asked of a model: for these users, which other movies will they like?

    *Relevant* are the held-out ratings that the user liked: at or above the user's own middle (see
    `Weighting`), taken from their training ratings only. A relevant movie that is not in training
    at all cannot be recommended; it still counts as one that was missed.
    """

    rows: NDArray[np.intp]
    """(q,) users asked about, as rows of the training interactions: those with ≥ 1 relevant."""
    seen: sparse.csr_matrix
    """(q, I) bool, every movie rated in training, liked or not: never recommended again."""
    relevant: sparse.csr_matrix
    """(q, I) bool, the relevant movies that training knows."""
    relevant_counts: NDArray[np.int64]
    """(q,) how many are relevant, with those that training does not know."""

    @classmethod
    def build(
        cls,
        split: Split,
        interactions: Interactions,
        weighting: Weighting,
        liked_only: bool = True,
    ) -> "Question":
        """`interactions` are those of `split.training`; of `weighting` only the middle matters.

        With `liked_only` false, every held-out rating is relevant.
        """
        users, movies = interactions.matrix.shape
        training, held_out = split.training, split.held_out
        rows = np.searchsorted(interactions.user_ids, training.user_ids)
        columns = np.searchsorted(interactions.movie_ids, training.movie_ids)
        seen = _marks(rows, columns, (users, movies))
        late_rows = np.searchsorted(interactions.user_ids, held_out.user_ids)
        liked = np.ones(len(held_out), dtype=np.bool_)
        if liked_only:
            liked = held_out.values >= weighting.middles(rows, training.values, users)[late_rows]
        late_rows, late_ids = late_rows[liked], held_out.movie_ids[liked]
        counts = np.bincount(late_rows, minlength=users)
        known = np.isin(late_ids, interactions.movie_ids)
        late_columns = np.searchsorted(interactions.movie_ids, late_ids[known])
        relevant = _marks(late_rows[known], late_columns, (users, movies))
        asked = np.flatnonzero(counts)
        return cls(asked, seen[asked], relevant[asked], counts[asked])


def evaluate(scorer: Scorer, question: Question, k: int = 20) -> dict[str, float]:
    """Recall@k, NDCG@k and coverage@k as a JSON-able dict, with the number of users.

    Means over the users asked about; 0 where there are none. Coverage is the share of the movies
    in training that stand in anybody's top k. See `per_user` for the other two.
    """
    recall, ndcg, shown = _measure(scorer, question, k)
    users = len(question.rows)
    return {
        "users": users,
        f"recall@{k}": float(recall.mean()) if users else 0.0,
        f"ndcg@{k}": float(ndcg.mean()) if users else 0.0,
        f"coverage@{k}": float(shown.mean()) if len(shown) else 0.0,
    }


def per_user(
    scorer: Scorer, question: Question, k: int = 20
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recall@k and NDCG@k of each user asked about, (q,) both, between 0 and 1.

    Recall is hits / min(k, relevant); NDCG is binary with gains 1 / log2(rank + 1), divided by
    that of a perfect list of min(k, relevant) hits (Liang, Krishnan, Hoffman, Jebara, "Variational
    Autoencoders for Collaborative Filtering", WWW 2018, §4.2).
    """
    recall, ndcg, _ = _measure(scorer, question, k)
    return recall, ndcg


def by_vectors(embedding: Embedding) -> Scorer:
    """Score by inner product of user and movie vectors."""
    return lambda rows: embedding.user_vectors[rows] @ embedding.movie_vectors.T


def most_popular(interactions: Interactions) -> Scorer:
    """Score each movie by how many users liked it in training, alike for everybody."""
    liked = interactions.matrix.indices[interactions.matrix.data > 0]
    counts = np.bincount(liked, minlength=interactions.matrix.shape[1]).astype(np.float32)
    return lambda rows: np.tile(counts, (len(rows), 1))


def top(scores: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Columns of each row's k highest scores, best first, of equals the lower column first.

    `scores` (b, I) to (b, min(k, I)).
    """
    k = min(k, scores.shape[1])
    # The k-th best score is a cut that ties may straddle, so keep all above it, then fill up.
    cut = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    above = scores > cut
    room = k - above.sum(axis=1, keepdims=True)
    tied = scores == cut
    chosen = above | (tied & (np.cumsum(tied, axis=1) <= room))
    columns = np.nonzero(chosen)[1].reshape(len(scores), k)
    order = np.argsort(-np.take_along_axis(scores, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)


def _measure(
    scorer: Scorer, question: Question, k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Recall (q,), NDCG (q,), and which movies (I,) were recommended to anybody."""
    if k < 1:
        raise ValueError(f"k: must be 1 or more, not {k}")
    users, movies = question.seen.shape
    recall, ndcg = np.zeros(users), np.zeros(users)
    shown = np.zeros(movies, dtype=np.bool_)
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gains)
    for part in _chunks(users, movies):
        best, allowed = _recommend(scorer, question, part, k)
        hits = _contains(question.relevant[part], best) & allowed
        possible = np.minimum(question.relevant_counts[part], k)
        recall[part] = hits.sum(axis=1) / possible
        ndcg[part] = (hits * gains[: best.shape[1]]).sum(axis=1) / ideal[possible - 1]
        shown[best[allowed]] = True
    return recall, ndcg, shown


def _recommend(
    scorer: Scorer, question: Question, part: slice, k: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The best unseen movies (b, ≤ k), and whether each place is one: a user may run out."""
    scores = np.array(scorer(question.rows[part]), dtype=np.float32)
    seen = question.seen[part]
    scores[np.repeat(np.arange(len(scores)), np.diff(seen.indptr)), seen.indices] = -np.inf
    best = top(scores, k)
    return best, np.take_along_axis(scores, best, axis=1) > -np.inf


def _contains(marks: sparse.csr_matrix, columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether row r of `marks` holds each of `columns[r]`, (b, k)."""
    dense = marks.toarray()
    return np.asarray(np.take_along_axis(dense, columns, axis=1), dtype=np.bool_)


def _chunks(users: int, movies: int) -> Iterator[slice]:
    """Slices of users small enough that their scores for all movies fit in bounded memory."""
    size = max(1, _CELLS // max(1, movies))
    for start in range(0, users, size):
        yield slice(start, min(start + size, users))


def _marks(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, int]
) -> sparse.csr_matrix:
    """A boolean matrix that is true at these cells."""
    marks = np.ones(len(rows), dtype=np.bool_)
    return sparse.csr_matrix((marks, (rows, columns)), shape=shape)
