"""The map of films: its page, its films as one compact answer, and what the page asks for."""

import gzip
import hashlib
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from django.views.decorators.vary import vary_on_headers

from movies.models import Movie
from movies.search import find
from movies.views import query_of
from recommender.models import MapPlace
from recommender.serving import atlas
from users.models import User

SUGGESTED = 8
FILMS_SECONDS = 300


@dataclass(frozen=True)
class Key:
    """An entry of the legend: a group of films, its colour (a number of map.css) and its shape."""

    name: str
    value: int
    """The genre's place in `atlas.GENRES`, or a decade's first year."""
    hue: int
    shape: str


# Alike in mood, alike in colour; the shape tells those apart.
_GENRE_MARKS = {
    "Horror": (1, "triangle"),
    "Thriller": (1, "circle"),
    "Mystery": (1, "diamond"),
    "Crime": (2, "square"),
    "Film-Noir": (2, "triangle"),
    "War": (2, "diamond"),
    "Action": (3, "circle"),
    "Adventure": (3, "triangle"),
    "Western": (3, "diamond"),
    "Comedy": (4, "circle"),
    "Children": (5, "circle"),
    "Animation": (5, "triangle"),
    "Documentary": (6, "square"),
    "Drama": (7, "circle"),
    "Sci-Fi": (8, "circle"),
    "Fantasy": (8, "triangle"),
    "Romance": (9, "circle"),
    "Musical": (9, "triangle"),
}
GENRE_KEYS = sorted(
    (Key(name, i, *_GENRE_MARKS[name]) for i, name in enumerate(atlas.GENRES)),
    key=lambda key: key.name,
)
_SHAPES = ("circle", "triangle", "diamond")
DECADE_KEYS = [
    Key("Before 1930" if first < 1930 else f"{first}s", first, 11 + i, _SHAPES[i % 3])
    for i, first in enumerate([0, *range(1930, 2030, 10)])
]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The map, and as a list what it shows: its regions and their best-known films."""
    context = {
        "atlas": atlas.shown(),
        "rated": _rated(request.user),
        "legends": [("genre", "Genre", GENRE_KEYS), ("decade", "Decade", DECADE_KEYS)],
    }
    return render(request, "recommender/map.html", context)


def _rated(person: User | AnonymousUser) -> list[int]:
    return list(person.stars) if isinstance(person, User) else []


def _films_etag(request: HttpRequest) -> str | None:
    request.atlas = atlas.shown()
    return f'"{hashlib.sha256(request.atlas.packed).hexdigest()[:20]}"' if request.atlas else None


@require_safe
@cache_control(public=True, max_age=FILMS_SECONDS)
@vary_on_headers("Accept-Encoding")
@condition(etag_func=_films_etag)
def films(request: HttpRequest) -> HttpResponse:
    """All that the map shows, the same for everybody; see `atlas`."""
    if request.atlas is None:
        raise Http404
    packed = request.atlas.packed
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return HttpResponse(gzip.decompress(packed), content_type="application/json")
    headers = {"Content-Encoding": "gzip"}
    return HttpResponse(packed, content_type="application/json", headers=headers)


@require_safe
def film(request: HttpRequest, pk: int) -> HttpResponse:
    """A film's poster and facts, for the card that the map shows of it."""
    movie = get_object_or_404(Movie.objects.with_genres(), pk=pk)
    return render(request, "recommender/_map_film.html", {"movie": movie})


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """Films on the map by title, beneath its search box."""
    query = query_of(request)
    found = find(query, films=3 * SUGGESTED, people=0).movies
    placed = MapPlace.objects.shown().filter(movie__in=found)
    known = set(placed.values_list("movie_id", flat=True))
    movies = [movie for movie in found if movie.pk in known][:SUGGESTED]
    return render(request, "recommender/_map_found.html", {"query": query, "movies": movies})
