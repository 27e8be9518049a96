"""The order of a list once it is retrieved."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from movies.models import Movie

PAGE = 20
"""Movies that are chosen to go together: a page, or a shelf."""

WINDOW = 200
"""The best movies left, out of which a page is chosen."""

VARIETY = 0.02
"""What likeness costs: a movie that is wholly like another of its page gives up so much of the best
movie's relevance. Half of what 3 % of NDCG@20 allow: see docs/quality.md."""

GENRE_SHARE = 0.5
"""How much of the likeness of two movies is their genres'; the rest is their taste vectors'."""

# Places that a movie gives up for each earlier one of its kind.
_PUSH = 3


def vary(movies: "list[Movie]", k: int) -> "list[Movie]":
    """Return k of the movies in an order where genres and decades take turns.

    Each place goes to the movie with the lowest rank, once its own rank in `movies` is pushed back
    by how often, on average, its genres and its decade have been shown already.
    """
    left = {rank: (movie, _kinds(movie)) for rank, movie in enumerate(movies)}
    shown: Counter[str] = Counter()
    varied: list[Movie] = []
    while left and len(varied) < k:
        rank = min(left, key=lambda rank: (rank + _PUSH * _mean_shown(left[rank][1], shown), rank))
        movie, kinds = left.pop(rank)
        shown.update(kinds)
        varied.append(movie)
    return varied


def _kinds(movie: "Movie") -> list[str]:
    genres = [genre.name for genre in movie.genre_list]
    return [*genres, f"{movie.year // 10}0s"] if movie.year else genres


def _mean_shown(kinds: list[str], shown: Counter[str]) -> float:
    return sum(shown[kind] for kind in kinds) / len(kinds) if kinds else 0.0


def relevance_of(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return scores (n,), the best first, as shares of the best one's."""
    size = float(np.abs(scores[0])) if len(scores) else 0.0
    return np.asarray(scores / (size or 1.0), dtype=np.float64)


def features(
    vectors: NDArray[np.float32], genres: NDArray[np.bool_], genre_share: float = GENRE_SHARE
) -> NDArray[np.float32]:
    """Return rows (n, d + g) whose inner products are the likeness of two movies, at most 1.

    `vectors` (n, d), `genres` (n, g): the likeness is the weighted mean of the cosines of the two.
    A movie without a genre, or with a vector of zeros, is like no other in that respect.
    """
    parts = [
        np.sqrt(share) * unit(np.asarray(part, dtype=np.float32))
        for part, share in ((vectors, 1 - genre_share), (genres, genre_share))
    ]
    return np.hstack(parts).astype(np.float32)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows (n, d) at length 1; zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: NDArray[np.float32] = np.zeros_like(rows)
    np.divide(rows, lengths, out=found, where=lengths > 0)
    return found


def by_page(
    relevance: NDArray[np.floating], features: NDArray[np.float32], k: int, variety: float = VARIETY
) -> NDArray[np.intp]:
    """Return the positions (≤ k,) of the movies to show, page after page.

    `relevance` (n,) descends, with the best movie near 1; `features` (n, f) as from `features`.
    Each page is chosen out of the `WINDOW` best movies that are left and then stands in the order
    of relevance, so that a longer list begins with the shorter one.
    """
    left = np.arange(len(relevance))
    pages: list[NDArray[np.intp]] = []
    while len(left) and PAGE * len(pages) < k:
        window = left[:WINDOW]
        chosen = window[varied(relevance[window], features[window], PAGE, variety)]
        pages.append(np.sort(chosen))
        left = np.setdiff1d(left, chosen, assume_unique=True)
    return np.concatenate(pages)[:k] if pages else left[:0]


def candidates_for(k: int) -> int:
    """Return how many of the best movies `by_page` looks at for the first k places."""
    pages = max(1, -(-k // PAGE))
    return WINDOW + PAGE * (pages - 1)


def varied(
    relevance: NDArray[np.floating], features: NDArray[np.float32], k: int, variety: float
) -> NDArray[np.intp]:
    """Return the positions (≤ k,) of a set of movies that is relevant and varied, as chosen.

    Greedy max-sum diversification (Gollapudi, Sharma, "An Axiomatic Approach for Result
    Diversification", WWW 2009): each next movie i is the one with the highest

        relevance_i − variety · Σ_{j chosen} likeness_ij

    of equals the first. At variety 0 these are the most relevant ones.
    """
    worth = np.array(relevance, dtype=np.float64)
    chosen = np.empty(min(k, len(worth)), dtype=np.intp)
    for place in range(len(chosen)):
        best = int(np.argmax(worth))
        chosen[place] = best
        worth -= variety * (features @ features[best])
        worth[best] = -np.inf
    return chosen
