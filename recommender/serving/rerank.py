"""The order of a list once it is retrieved."""

from collections import Counter

from movies.models import Movie

# Places that a movie gives up for each earlier one of its kind.
_PUSH = 3


def vary(movies: list[Movie], k: int) -> list[Movie]:
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


def _kinds(movie: Movie) -> list[str]:
    genres = [genre.name for genre in movie.genres.all()]
    return [*genres, f"{movie.year // 10}0s"] if movie.year else genres


def _mean_shown(kinds: list[str], shown: Counter[str]) -> float:
    return sum(shown[kind] for kind in kinds) / len(kinds) if kinds else 0.0
