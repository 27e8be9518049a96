"""What most people like: the start for those of whom nothing is known."""

from movies.models import Movie, MovieQuerySet
from recommender.serving import rerank


def best(allowed: MovieQuerySet, k: int) -> list[Movie]:
    """Return the k movies with the highest Bayesian averages, best first."""
    return list(allowed.with_genres().best_first()[:k])


def varied(allowed: MovieQuerySet, k: int) -> list[Movie]:
    """Return k well-liked movies of many kinds, out of the best of them.

    A list of the highest averages alone is all of one kind; genres and decades take turns here.
    """
    return rerank.vary(best(allowed, 5 * k), k)
