"""The order of a list once it is retrieved."""

from collections import Counter

from movies.models import Movie


def vary(movies: list[Movie]) -> list[Movie]:
    """Return the movies in an order where genres and decades take turns.

    Each place goes to the movie whose own rank, pushed back once for every time that its rarest
    genre and its decade have been shown already, is the lowest.
    """
    left = dict(enumerate(movies))
    shown: Counter[str] = Counter()
    ordered: list[Movie] = []
    while left:
        rank = min(left, key=lambda rank: (rank + _PUSH * _seen(left[rank], shown), rank))
        movie = left.pop(rank)
        shown.update(_kinds(movie))
        ordered.append(movie)
    return ordered


# Places that a movie gives up for each earlier one of its kind.
_PUSH = 3


def _kinds(movie: Movie) -> list[str]:
    genres = [genre.name for genre in movie.genres.all()]
    return [*genres, f"{movie.year // 10}0s"] if movie.year else genres


def _seen(movie: Movie, shown: Counter[str]) -> float:
    kinds = _kinds(movie)
    return sum(shown[kind] for kind in kinds) / len(kinds) if kinds else 0.0
