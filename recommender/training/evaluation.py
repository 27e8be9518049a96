"""How well recommendations foresee what people will like, and what they show.

Every metric is taken from top-k lists, so that a model's scores, another package's answers and what
the site serves are measured by the same few lines. Relevance is binary throughout.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.embedders.base import Embedding
from recommender.interactions import Interactions, Weighting, index_ids
from recommender.training.splits import Split

Lists = NDArray[np.intp]
"""(q, k) recommendations, best first: columns as in training, or −1 where the place has no movie
of training's."""

Scorer = Callable[[NDArray[np.intp]], NDArray[np.float32]]
"""Scores of all movies for some users: rows (b,) to (b, I), rows and columns as in training."""

_CELLS = 1 << 22
"""Scores held at a time: 16 MB in single precision."""


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
    popularity: NDArray[np.float64]
    """(I,) the share of training's users who rated each movie, above 0."""

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
        _, rows = index_ids(training.user_ids)
        _, columns = index_ids(training.movie_ids)
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
        popularity = np.bincount(columns, minlength=movies) / max(1, users)
        return cls(asked, seen[asked], relevant[asked], counts[asked], popularity)

    def sample(self, most: int, seed: int = 0) -> "Question":
        """The same question to `most` users drawn at random; itself where there are no more."""
        if len(self.rows) <= most:
            return self
        drawn = np.random.default_rng(seed).choice(len(self.rows), most, replace=False)
        drawn.sort()
        return replace(
            self,
            rows=self.rows[drawn],
            seen=self.seen[drawn],
            relevant=self.relevant[drawn],
            relevant_counts=self.relevant_counts[drawn],
        )


@dataclass(frozen=True)
class Outcome:
    """How lists of k answer a question; see `judge`."""

    k: int
    recall: NDArray[np.float64]
    """(q,) of each user asked about, between 0 and 1."""
    ndcg: NDArray[np.float64]
    """(q,) of each user asked about, between 0 and 1."""
    coverage: float
    """Share of training's movies that stand in anybody's list."""
    novelty: float
    """Mean self-information of what is shown, in bits."""
    popularity_lift: float
    """How much more popular the lists are than what the users rate: 1 is twice as popular."""

    @property
    def means(self) -> dict[str, float]:
        """Means over the users as a JSON-able dict, with their number; 0 where there are none."""
        users = len(self.recall)
        return {
            "users": users,
            f"recall@{self.k}": float(self.recall.mean()) if users else 0.0,
            f"ndcg@{self.k}": float(self.ndcg.mean()) if users else 0.0,
            f"coverage@{self.k}": self.coverage,
        }


def ask(scorer: Scorer, question: Question, k: int = 20) -> Outcome:
    """Let the scorer recommend k movies to each user asked about, and judge the lists."""
    return judge(top_lists(scorer, question, k), question, k)


def evaluate(scorer: Scorer, question: Question, k: int = 20) -> dict[str, float]:
    """The means of `ask`: Recall@k, NDCG@k, coverage@k and the number of users, JSON-able."""
    return ask(scorer, question, k).means


def top_lists(scorer: Scorer, question: Question, k: int) -> Lists:
    """The k best movies of each user asked about that they have not seen, (q, k).

    Raises ValueError where k is below 1.
    """
    return unseen_lists(scorer, question.rows, question.seen, k)


def unseen_lists(scorer: Scorer, rows: NDArray[np.intp], seen: sparse.csr_matrix, k: int) -> Lists:
    """The k best movies of the users in these rows (q,), without what each has seen (q, I).

    Raises ValueError where k is below 1.
    """
    if k < 1:
        raise ValueError(f"k: must be 1 or more, not {k}")
    users, movies = seen.shape
    lists = np.full((users, k), -1, dtype=np.intp)
    for part in _chunks(users, movies):
        scores = np.array(scorer(rows[part]), dtype=np.float32)
        known = seen[part]
        scores[np.repeat(np.arange(len(scores)), np.diff(known.indptr)), known.indices] = -np.inf
        best = top(scores, k)
        # A user may run out of movies that they have not seen.
        allowed = np.take_along_axis(scores, best, axis=1) > -np.inf
        lists[part, : best.shape[1]] = np.where(allowed, best, -1)
    return lists


def judge(lists: Lists, question: Question, k: int = 20) -> Outcome:
    """Measure the first k places of the lists (q, ≥ k), all over the users asked about.

    - Recall@k: hits / relevant (Manning, Raghavan, Schütze, "Introduction to Information
      Retrieval", 2008, §8.3). With more than k relevant movies 1 cannot be reached. Some papers
      divide by min(k, relevant) instead (Liang et al., WWW 2018); theirs is the higher figure.
    - NDCG@k: gains of 1 / log2(rank + 1), divided by those of a perfect list, which has
      min(k, relevant) hits (Järvelin, Kekäläinen, TOIS 20(4), 2002; discount as in trec_eval).
    - Coverage: catalogue coverage (Ge, Delgado-Battenfeld, Jannach, RecSys 2010, §2.1).
    - Novelty: mean of −log2 p(i), p(i) the share of training's users who rated movie i (Zhou et
      al., PNAS 107(10), 2010: self-information), over each user's list, then over users.
    - Popularity lift: ΔGAP = (GAP of lists − GAP of profiles) / GAP of profiles; GAP is the mean
      popularity p(i) in each user's list or of what they rated in training, averaged over users
      (Abdollahpouri, Mansoury, Burke, Mobasher, RMSE workshop at RecSys 2019).

    Raises ValueError where the lists are of other users, or shorter than k.
    """
    if lists.shape[0] != len(question.rows) or not 1 <= k <= lists.shape[1]:
        expected = f"{len(question.rows)} lists of {k} or more"
        raise ValueError(f"lists: expected {expected}, not {lists.shape}")
    lists = lists[:, :k]
    hits = _hits(lists, question.relevant)
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gains)[np.minimum(question.relevant_counts, k) - 1]
    shown = np.bincount(lists[lists >= 0], minlength=len(question.popularity)) > 0
    profiles = question.seen @ question.popularity / np.diff(question.seen.indptr)
    profile = float(profiles.mean()) if len(profiles) else 0.0
    return Outcome(
        k,
        recall=hits.sum(axis=1) / question.relevant_counts,
        ndcg=hits @ gains / ideal,
        coverage=float(shown.mean()) if len(shown) else 0.0,
        novelty=_mean_shown(-np.log2(question.popularity), lists),
        popularity_lift=_mean_shown(question.popularity, lists) / profile - 1 if profile else 0.0,
    )


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
    place = scores.shape[1] - k
    cut = np.partition(scores, place, axis=1)[:, place : place + 1]
    chosen = scores >= cut
    # Where more movies than one have the k-th best score, not all of them may find room.
    crowded = np.flatnonzero(chosen.sum(axis=1) > k)
    tied = scores[crowded] == cut[crowded]
    room = k - (chosen[crowded] & ~tied).sum(axis=1, keepdims=True)
    chosen[crowded] &= ~tied | (np.cumsum(tied, axis=1) <= room)
    columns = np.nonzero(chosen)[1].reshape(len(scores), k)
    order = np.argsort(-np.take_along_axis(scores, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)


def _hits(lists: Lists, relevant: sparse.csr_matrix) -> NDArray[np.bool_]:
    """Which places (q, k) hold a relevant movie."""
    users, movies = relevant.shape
    owners = np.repeat(np.arange(users, dtype=np.int64), np.diff(relevant.indptr))
    places = np.arange(users, dtype=np.int64)[:, np.newaxis] * movies + lists
    return np.isin(places, owners * movies + relevant.indices) & (lists >= 0)


def _mean_shown(values: NDArray[np.float64], lists: Lists) -> float:
    """The mean of the values (I,) of what each list shows, averaged over lists that show any."""
    if not lists.size or not len(values):
        return 0.0
    filled = lists >= 0
    sums = np.where(filled, values[lists], 0.0).sum(axis=1)
    counts = filled.sum(axis=1)
    some = counts > 0
    return float((sums[some] / counts[some]).mean()) if some.any() else 0.0


def _chunks(users: int, movies: int) -> Iterator[slice]:
    """Slices of users small enough that their scores for all movies fit in bounded memory."""
    size = max(1, _CELLS // max(1, movies))
    for start in range(0, users, size):
        yield slice(start, min(start + size, users))


def _marks(
    rows: NDArray[np.integer[Any]], columns: NDArray[np.integer[Any]], shape: tuple[int, int]
) -> sparse.csr_matrix:
    """A boolean matrix that is true at these cells."""
    marks = np.ones(len(rows), dtype=np.bool_)
    return sparse.csr_matrix((marks, (rows, columns)), shape=shape)
