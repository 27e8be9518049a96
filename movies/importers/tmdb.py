"""One film from The Movie Database (themoviedb.org), by its number there."""

from typing import Any

import httpx
from django.conf import settings
from django.db import transaction

from movies import catalogue
from movies.models import Credit, Movie, Person

TIMEOUT = httpx.Timeout(10, connect=5)
POSTERS = "https://image.tmdb.org/t/p/w342"
MOST_CAST = 30
GENRES = {"Music": "Musical", "History": "Historical"}
_NO_GENRES = {"TV Movie"}


class NotFetched(Exception):
    """The film could not be had; the message says why, and what to do."""


@transaction.atomic
def add(tmdb_id: int) -> Movie:
    """Return the catalogue's film with this number, added from TMDB where it is not there.

    Raises:
        NotFetched: there is no key, no connection or no such film; nothing has changed.
    """
    known = Movie.objects.filter(tmdb_id=tmdb_id).first()
    if known:
        return known
    told = fetch(tmdb_id)
    catalogue.lock()
    pk = next(catalogue.fresh_ids(1))
    catalogue.write_films({pk: _film(tmdb_id, told)})
    credits = told.get("credits") or {}
    cast = [_text(person["name"]) for person in credits.get("cast", [])[:MOST_CAST]]
    description = catalogue.Description(
        overview=_text(told.get("overview")),
        poster_url=POSTERS + told["poster_path"] if told.get("poster_path") else "",
        cast=tuple(dict.fromkeys(cast)),
        minutes=_minutes(told.get("runtime")),
    )
    catalogue.describe({pk: description})
    movie = Movie.objects.get(pk=pk)
    for place, person in enumerate(credits.get("crew", [])):
        if person.get("job") == "Director":
            director, _ = Person.objects.get_or_create(name=_text(person["name"]))
            Credit.objects.get_or_create(
                movie=movie,
                person=director,
                role=Credit.Role.DIRECTOR,
                defaults={"position": place},
            )
    return movie


def fetch(tmdb_id: int) -> dict[str, Any]:
    """Return what TMDB says of a film.

    Raises:
        NotFetched: as `add`.
    """
    key = settings.TMDB_API_KEY
    if not key:
        raise NotFetched("There is no key for TMDB: set TMDB_API_KEY, or add the film by hand.")
    # Both of TMDB's keys will do: the long one is a bearer token, the short one a parameter.
    is_token = len(key) > 32
    try:
        response = httpx.get(
            f"{settings.TMDB_URL}movie/{tmdb_id}",
            params={"append_to_response": "credits"} | ({} if is_token else {"api_key": key}),
            headers={"Authorization": f"Bearer {key}"} if is_token else {},
            timeout=TIMEOUT,
        )
        if response.status_code == httpx.codes.NOT_FOUND:
            raise NotFetched(f"TMDB has no film with the number {tmdb_id}.")
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise NotFetched("TMDB does not accept the key: see TMDB_API_KEY.")
        told: dict[str, Any] = response.raise_for_status().json()
    except httpx.HTTPStatusError as error:
        raise NotFetched(f"TMDB answered {error.response.status_code}. Try again later.") from error
    except (httpx.HTTPError, ValueError) as error:
        raise NotFetched("TMDB cannot be reached. Try again later, or add it by hand.") from error
    if not told.get("title"):
        raise NotFetched("TMDB answered with something that is no film.")
    return told


def _film(tmdb_id: int, told: dict[str, Any]) -> catalogue.Film:
    year = (told.get("release_date") or "")[:4]
    imdb = str(told.get("imdb_id") or "").removeprefix("tt")
    genres = [genre["name"] for genre in told.get("genres") or []]
    return catalogue.Film(
        title=_text(told["title"])[: catalogue.TITLE_LENGTH],
        year=int(year) if year.isdecimal() and int(year) in catalogue.YEARS else None,
        genres=tuple(
            catalogue.genre_name(GENRES.get(name, name))
            for name in genres
            if name not in _NO_GENRES
        ),
        imdb_id=int(imdb) if imdb.isdecimal() else None,
        tmdb_id=tmdb_id,
    )


def _minutes(runtime: object) -> int | None:
    """Return the length if it is one: TMDB says 0 where it knows none."""
    is_number = isinstance(runtime, int) and not isinstance(runtime, bool)
    return runtime if is_number and runtime in catalogue.MINUTES else None


def _text(value: object) -> str:
    """A text that PostgreSQL can keep: it knows no NUL."""
    return str(value or "").replace("\0", "")
