"""The map of films as people and programs get it: its films, and what its regions are called.

A region is a part of the map in which films lie together (`training.projection`). It is named by
what its films are more often than others, and its best-known films are joined to a constellation.
"""

import gzip
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from movies.models import Movie
from movies.posters import COMPOSITIONS
from recommender.models import MapPlace, ModelVersion

GENRES = tuple(COMPOSITIONS)
"""Those that the map is coloured by, the most telling first."""

SIDE = 10_000
"""The map's longer side; places are whole numbers, nearly all from 0 to this."""

TITLED = 3000
"""Of so many films, the best known, titles come along; the others' are asked for one by one."""

STARS = 7
"""Best-known films that make up a constellation."""

_FEWEST_SHARE, _MORE_OFTEN = 0.25, 1.4
"""A region is named by genres and a decade that so many of its films have, and so many times as
often as all films."""

_EDGES = 0.002, 0.998
_KEPT_SECONDS = 3600

Shares = Mapping[str, float]
"""How much of some films is of each genre, or each decade, 0 to 1."""


@dataclass(frozen=True)
class Charted:
    """A film on the map."""

    movie_id: int
    title: str
    year: int | None
    rating_count: int
    x: int
    """To the right."""
    y: int
    """Upwards."""
    genres: frozenset[str]
    region: int
    """Which films lie together; a number that means nothing else."""

    @property
    def weight(self) -> float:
        """What it counts for its region's name and its middle: known films more than others.

        Ten thousand that nobody knows would name a region by what nobody finds there.
        """
        return 0.01 + math.log1p(self.rating_count)

    @property
    def movie(self) -> Movie:
        """The film, as far as a link to it needs."""
        return Movie(pk=self.movie_id, title=self.title, year=self.year)


@dataclass(frozen=True)
class Region:
    """A part of the map."""

    name: str
    x: int
    y: int
    film_count: int
    stars: tuple[Charted, ...]
    """Its best-known films."""
    lines: tuple[tuple[int, int], ...]
    """Pairs of positions in `stars`: lines that join these up by the shortest way."""


@dataclass(frozen=True)
class Atlas:
    """A version's map."""

    regions: tuple[Region, ...]
    """Those of the best-known films first."""
    film_count: int
    packed: bytes
    """All of it for a page or a program (see `_columns`): JSON, compressed by gzip."""


def shown() -> Atlas | None:
    """Return the map that people see now, or None where there is none.

    Each process keeps one: titles and counts are up to an hour old.
    """
    version = ModelVersion.objects.on_show()
    return _atlas(version.pk, int(time.time() // _KEPT_SECONDS)) if version else None


@lru_cache(maxsize=1)
def _atlas(version_id: int, hour: int) -> Atlas | None:
    films = _films(version_id)
    if not films:
        return None
    regions = _regions(films)
    columns = {"version": version_id} | _columns(films, regions)
    packed = gzip.compress(json.dumps(columns, separators=(",", ":")).encode(), mtime=0)
    return Atlas(tuple(regions), len(films), packed)


def _films(version_id: int) -> list[Charted]:
    """The films on a version's map, the best known first."""
    placed = MapPlace.objects.filter(version=version_id)
    rows = list(
        placed.order_by("-movie__rating_count", "movie_id").values_list(
            "movie_id",
            "movie__title",
            "movie__year",
            "movie__rating_count",
            "region",
            "x",
            "y",
        )
    )
    if not rows:
        return []
    places = np.array([row[5:] for row in rows])
    # A few lie far outside: the others would be small for them.
    first, last = np.quantile(places, _EDGES, axis=0)
    middle, half = (first + last) / 2, (last - first).max() / 2 or 1
    whole = np.rint(((places - middle) / half + 1) * SIDE / 2).astype(int).tolist()
    genres: defaultdict[int, set[str]] = defaultdict(set)
    for movie_id, name in Movie.genres.through.objects.values_list("movie_id", "genre__name"):
        genres[movie_id].add(name)
    return [
        Charted(movie_id, title, year, count, x, y, frozenset(genres[movie_id]), region)
        for (movie_id, title, year, count, region, *_), (x, y) in zip(rows, whole, strict=True)
    ]


def _columns(films: Sequence[Charted], regions: Iterable[Region]) -> dict[str, Any]:
    """The map as columns: far smaller than a list of films.

    Years are 0 where none is known. Genres are sums of powers of two, by their place in `genres`.
    """
    at = {film.movie_id: i for i, film in enumerate(films)}
    return {
        "side": SIDE,
        "genres": GENRES,
        "films": {
            "id": [film.movie_id for film in films],
            "x": [film.x for film in films],
            "y": [film.y for film in films],
            "year": [film.year or 0 for film in films],
            "ratings": [film.rating_count for film in films],
            "genres": [_bits(film.genres) for film in films],
            "title": [film.title for film in films[:TITLED]],
        },
        "regions": [
            {
                "name": region.name,
                "x": region.x,
                "y": region.y,
                "films": region.film_count,
                "stars": [at[star.movie_id] for star in region.stars],
                "lines": region.lines,
            }
            for region in regions
        ],
    }


def _bits(genres: frozenset[str]) -> int:
    return sum(1 << i for i, name in enumerate(GENRES) if name in genres)


def _regions(films: Sequence[Charted]) -> list[Region]:
    """The map's regions, of films the best known first."""
    together = defaultdict(list)
    for film in films:
        together[film.region].append(film)
    genres, decades = _shares(films, _genres), _shares(films, _decade)
    regions = [_region(group, _name(group, genres, decades)) for group in together.values()]
    names = Counter(region.name for region in regions)
    return [
        replace(region, name=f"{region.name}, around {region.stars[0].title}")
        if names[region.name] > 1
        else region
        for region in regions
    ]


def _region(films: list[Charted], name: str) -> Region:
    stars = tuple(films[:STARS])
    places = np.array([(film.x, film.y) for film in films])
    weights = np.array([film.weight for film in films])
    x, y = np.rint(np.average(places, axis=0, weights=weights)).astype(int).tolist()
    return Region(name, x, y, len(films), stars, _joined(places[: len(stars)]))


def _joined(places: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """Lines that join places (n, 2) by the shortest way: a minimum spanning tree."""
    # Nothing between two places would be no line: films may lie on one another.
    tree = minimum_spanning_tree(cdist(places, places) + 1).tocoo()
    return tuple(zip(tree.row.tolist(), tree.col.tolist(), strict=True))


def _name(films: Sequence[Charted], genres: Shares, decades: Shares) -> str:
    """What a region's films are more often than all films: "Horror, 1980s", or their best known."""
    telling = _telling(_shares(films, _genres), genres)[:2]
    era = _telling(_shares(films, _decade), decades)[:1]
    return ", ".join(filter(None, [" and ".join(telling), *era])) or f"Around {films[0].title}"


def _telling(shares: Shares, overall: Shares) -> list[str]:
    """What is far more frequent here than elsewhere, the most telling first."""
    telling = {
        name: share * math.log(share / overall[name])
        for name, share in shares.items()
        if share >= max(_FEWEST_SHARE, _MORE_OFTEN * overall[name])
    }
    return sorted(telling, key=telling.__getitem__, reverse=True)


def _shares(films: Sequence[Charted], names: Callable[[Charted], Iterable[str]]) -> Shares:
    """How much of the films has each of its names, 0 to 1; known films count more than others."""
    shares: defaultdict[str, float] = defaultdict(float)
    for film in films:
        for name in names(film):
            shares[name] += film.weight
    whole = sum(film.weight for film in films)
    return {name: share / whole for name, share in shares.items()}


def _genres(film: Charted) -> Iterable[str]:
    return film.genres.intersection(GENRES)


def _decade(film: Charted) -> Iterable[str]:
    return [f"{film.year // 10 * 10}s"] if film.year else []
