"""The next films to ask a person about: known to many, varied, and telling after their answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from movies.listing import listed
from movies.models import Movie
from recommender.models import ModelVersion
from recommender.serving import rerank
from recommender.serving.foldin import sampled_vectors
from recommender.serving.interview import Answers, Floats, Interview, spread
from recommender.vectors import binary_cursor
from users.models import User

# Only films that many know are worth a question.
CANDIDATES = 500
# The latest answers say enough, and a page for somebody with thousands of ratings comes as fast.
LATEST_ANSWERS = 500
# How many well-known films are put in a varied order before the first model.
VARIED = 100


@dataclass(frozen=True)
class _Films:
    """Films of a version as the interview needs them, in one order."""

    ids: list[int]
    vectors: NDArray[np.float32]
    """(n, d)"""
    popularity: Floats
    """(n,) the share of people who rated each."""


def films_to_rate(person: User, k: int, shown: Sequence[int] = ()) -> list[Movie]:
    """Return the k films whose stars would tell the most, none that the person has settled.

    They go with the films that are `shown` already (ids), and are none of them. Fewer than k come
    only where no more are left. Before the first model they are well-known films of many kinds.
    """
    version = ModelVersion.objects.live()
    ids = _most_telling(person, version, k, shown) if version else []
    if missing := k - len(ids):
        ids += _well_known(missing, without={*ids, *shown, *person.settled_ids})
    movies = listed(ids)
    return [movies[movie_id] for movie_id in ids]


def _most_telling(person: User, version: ModelVersion, k: int, shown: Sequence[int]) -> list[int]:
    seen = set(person.ratings.latest_first().values_list("movie_id", flat=True)[:LATEST_ANSWERS])
    not_seen = set(
        person.not_seen.order_by("-said_at").values_list("movie_id", flat=True)[:LATEST_ANSWERS]
    )
    candidates = _read(version, [*shown, *_most_rated(CANDIDATES, without=person.settled_ids)])
    answered = _read(version, seen | not_seen)
    if not candidates.ids:
        return []
    is_seen = np.array([movie_id in seen for movie_id in answered.ids], dtype=np.bool_)
    answers = Answers(answered.vectors, answered.popularity, is_seen)
    interview = Interview(candidates.vectors, candidates.popularity, _spread(version.pk), answers)
    places = [place for place, movie_id in enumerate(candidates.ids) if movie_id in set(shown)]
    return [candidates.ids[place] for place in interview.choose(k, places)]


def _most_rated(k: int, without: Collection[int]) -> list[int]:
    movies = Movie.objects.exclude(pk__in=without).in_order("most_rated")
    return list(movies.values_list("pk", flat=True)[:k])


def _read(version: ModelVersion, movie_ids: Collection[int]) -> _Films:
    """Read those of the films that the version knows, the most rated first."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT movie.id, movie.rating_count, placed.vector FROM movies_movie AS movie"
            " JOIN recommender_movievector AS placed"
            " ON placed.movie_id = movie.id AND placed.version_id = %s"
            " WHERE movie.id = ANY(%s) ORDER BY movie.rating_count DESC, movie.id",
            [version.pk, list(movie_ids)],
        )
        rows = cursor.fetchall()
    vectors = [vector.to_numpy() for _, _, vector in rows]
    counts = np.array([count for _, count, _ in rows], dtype=np.float64)
    return _Films(
        [movie_id for movie_id, _, _ in rows],
        np.array(vectors, dtype=np.float32).reshape(-1, version.dimensions),
        # There may be more people by now than the version has seen.
        np.minimum(counts / max(version.user_count, 1), 1),
    )


@lru_cache(maxsize=4)
def _spread(version_id: int) -> Floats:
    """Return how a version's people spread, (d, d); a version never changes, so it is kept."""
    return spread(sampled_vectors(version_id))


def _well_known(k: int, without: Collection[int]) -> list[int]:
    """Return well-known films, genres and decades taking turns, in an order that answers keep."""
    pool = list(Movie.objects.with_genres().in_order("most_rated")[:VARIED])
    ids = [movie.pk for movie in rerank.vary(pool, VARIED) if movie.pk not in without][:k]
    return ids + _most_rated(k - len(ids), without={*without, *ids})
