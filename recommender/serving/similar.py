"""Films like a film: by one space, or by several at once.

Nearness in every space is the cosine, in taste too: inner products would answer every film with the
films that most people like, and the angle between two films does not grow with either's popularity.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import AnonymousUser
from numpy.typing import NDArray

from movies.listing import listed
from movies.models import Movie
from recommender.models import Metric, ModelVersion, MovieVector, Space
from recommender.serving import fusion, popular, retrieval
from users.models import User

BLEND: Mapping[str, float] = {"taste": 4, "neighbours": 8, "words": 1, "story": 1, "people": 1}
"""What each space weighs in a blend, unless a person says otherwise; see docs/spaces.md."""


@dataclass(frozen=True)
class Place:
    """Where a film lies in the live version of a space."""

    version: ModelVersion
    vector: NDArray[np.float32]
    """(d,)"""


def places(movie: Movie) -> dict[str, Place]:
    """Return the film's place in each space whose live version knows it, in the spaces' order."""
    live = {
        version.pk: version
        for version in ModelVersion.objects.defer("gramian").filter(state=ModelVersion.State.LIVE)
    }
    found = {
        live[placed.version_id].space: Place(live[placed.version_id], placed.vector)
        for placed in MovieVector.objects.filter(movie=movie, version__in=live)
    }
    return {space: found[space] for space in Space.values if space in found}


def similar(
    movie: Movie,
    k: int = 20,
    person: User | AnonymousUser | None = None,
    weights: Mapping[str, float] | None = None,
    known: Mapping[str, Place] | None = None,
) -> list[Movie]:
    """Return the k films nearest to the film, without those that the person has dismissed.

    `weights` says by which spaces, and how much each counts; without, it is taste alone, and for a
    film that taste does not know a blend of those that do. Where none of the spaces knows the film
    it is likened to the best-liked films of its own genres. `known` are its `places`, if looked up.
    """
    known = places(movie) if known is None else known
    if weights is None:
        weights = {Space.TASTE: 1} if Space.TASTE in known else BLEND
    asked = {space: weights[space] for space in known if weights.get(space, 0) > 0}
    dismissed = person.dismissed_ids if isinstance(person, User) else set()
    if not asked:
        others = Movie.objects.exclude(pk__in={movie.pk, *dismissed})
        return popular.best(others.filter(genres__in=movie.genres.all()).distinct(), k)
    size = k if len(asked) == 1 else max(k, fusion.POOL)
    named = {space: _nearest(known[space], {movie.pk, *dismissed}, size) for space in asked}
    ids = fusion.fuse(named, asked)[0][:k].tolist()
    movies = listed(ids)
    return [movies[movie_id] for movie_id in ids]


def _nearest(place: Place, but: Collection[int], size: int) -> NDArray[np.int64]:
    others = MovieVector.objects.filter(version=place.version).exclude(movie_id__in=but)
    found = retrieval.nearest(place.version, place.vector, others, size, metric=Metric.COSINE)
    return np.array([neighbour.movie_id for neighbour in found], dtype=np.int64)
