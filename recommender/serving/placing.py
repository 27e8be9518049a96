"""A place in the live version for a film that came after it was trained, from its first minute.

The version keeps the vectors of what is told of films (genres, words, people …) beside those of its
films, so that a new film's vector is a sum of a few hundred rows; see `embedders.content`.
"""

from collections.abc import Collection

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

from movies.models import Movie
from recommender import vectors
from recommender.catalogue import Credited, Films
from recommender.embedders import content
from recommender.embedders.content import ContentMap
from recommender.models import ModelVersion, MovieVector

AT_A_TIME = 1000


def place(movie_ids: Collection[int] | None = None) -> int:
    """Place films in the live version of taste and return how many.

    These films, again if their place was predicted before; where none are named, all that have no
    place. Films with a place of their own, learnt from ratings, keep it. A version that has learnt
    nothing of what is told of films places none.
    """
    version = ModelVersion.objects.live()
    if version is None:
        return 0
    movies = Movie.objects.order_by("pk").with_genres().with_credits()
    if movie_ids is None:
        movies = movies.exclude(pk__in=_placed(version).values("movie_id"))[:AT_A_TIME]
    else:
        learnt = _placed(version).filter(predicted=False)
        movies = movies.filter(pk__in=movie_ids).exclude(pk__in=learnt.values("movie_id"))
    chosen = list(movies)
    found = first_places(chosen, version) if chosen else None
    if found is None:
        return 0
    _write(version, [movie.pk for movie in chosen], found)
    return len(chosen)


def first_places(movies: list[Movie], version: ModelVersion) -> NDArray[np.float32] | None:
    """Vectors (n, d) by what is told of films, which come with their genres and credits.

    None where the version does not know what to make of them.
    """
    told = content.features(_films(movies))
    learnt = vectors.of_words(version, told.names)
    if not learnt:
        return None
    return ContentMap(list(learnt), np.array(list(learnt.values()))).place(told)


def _placed(version: ModelVersion) -> "QuerySet[MovieVector]":
    return MovieVector.objects.filter(version=version)


def _write(version: ModelVersion, movie_ids: list[int], found: NDArray[np.float32]) -> None:
    """Keep the vectors (n, d) of films (n,), those of deleted films apart."""
    columns = MovieVector.objects.filter(version=version, input__isnull=False)
    one = columns.values_list("input", flat=True).first()
    no_input = None if one is None else np.zeros_like(one)
    with transaction.atomic(), vectors.binary_cursor() as cursor:
        for movie_id, vector in zip(movie_ids, found, strict=True):
            cursor.execute(
                "INSERT INTO recommender_movievector"
                " (movie_id, version_id, vector, input, predicted)"
                " SELECT id, %s, %s, %s, true FROM movies_movie WHERE id = %s"
                " ON CONFLICT (movie_id, version_id) DO UPDATE"
                # From there its ratings move it again; see `moving`.
                " SET vector = excluded.vector, ratings_seen = 0",
                [version.pk, vector, no_input, movie_id],
            )
        count = _placed(version).filter(predicted=True).count()
        ModelVersion.objects.filter(pk=version.pk).update(predicted_count=count)


def _films(movies: list[Movie]) -> Films:
    """What is told of films, as training reads it."""
    return Films(
        movie_ids=np.array([movie.pk for movie in movies], dtype=np.int64),
        titles=[movie.title for movie in movies],
        years=[movie.year for movie in movies],
        genres=[tuple(sorted(genre.name for genre in movie.genre_list)) for movie in movies],
        overviews=[movie.overview for movie in movies],
        credits=[
            tuple(
                Credited(credit.person_id, credit.person.name, credit.role)
                for credit in sorted(
                    movie.credits.all(),
                    key=lambda credit: (credit.role != "director", credit.position, credit.pk),
                )
            )
            for movie in movies
        ],
        # Who tags a film has seen it: what is new has none.
        tags=[() for _ in movies],
    )
