"""Maps of films in PostgreSQL: each version of taste has one, drawn once it is trained."""

from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from recommender.models import MapPlace, ModelVersion


@dataclass(frozen=True)
class FilmMap:
    """Where films lie."""

    movie_ids: NDArray[np.int64]
    """(n,)"""
    positions: NDArray[np.float64]
    """(n, 2) x to the right, y upwards; nearly all within 1 of the middle."""
    regions: NDArray[np.int64]
    """(n,) which films lie together: numbers from 0, which mean nothing else."""

    def __len__(self) -> int:
        return len(self.movie_ids)


NO_MAP = FilmMap(np.empty(0, np.int64), np.empty((0, 2)), np.empty(0, np.int64))


def shown() -> FilmMap:
    """Return the map that people see now, as `of` does."""
    version = ModelVersion.objects.on_show()
    return of(version) if version else NO_MAP


def of(version: ModelVersion) -> FilmMap:
    """Return the version's map, by ascending movie id; an empty one where it has none."""
    places = MapPlace.objects.filter(version=version).order_by("movie_id")
    rows = list(places.values_list("movie_id", "x", "y", "region"))
    if not rows:
        return NO_MAP
    movie_ids, x, y, regions = zip(*rows, strict=True)
    return FilmMap(np.array(movie_ids), np.column_stack([x, y]), np.array(regions))


@transaction.atomic
def write(version: ModelVersion, drawn: FilmMap) -> None:
    """Write the version's map, in the place of an earlier one, without films that are gone."""
    MapPlace.objects.filter(version=version).delete()
    x, y = drawn.positions.T.tolist()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recommender_mapplace (version_id, movie_id, x, y, region)"
            " SELECT %s, drawn.* FROM unnest(%s::bigint[], %s::float8[], %s::float8[], %s::int2[])"
            " AS drawn (movie_id, x, y, region) JOIN movies_movie ON movies_movie.id = movie_id",
            [version.pk, drawn.movie_ids.tolist(), x, y, drawn.regions.tolist()],
        )
