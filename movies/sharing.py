"""What other sites are told of a film: a picture for where its link is shared, and its data."""

import json
from typing import Any

import resvg_py

from movies import posters
from movies.lettering import Box, block_height, draw_line, set_block
from movies.models import Movie

CARD_WIDTH, CARD_HEIGHT, CARD_MARGIN = 1200, 630, 48
GROUND, GLOW, INK, QUIET, BULB = "#11121a", "#43304a", "#f3eee4", "#b5b1ab", "#ffb648"
POSTER_HEIGHT = CARD_HEIGHT - 2 * CARD_MARGIN
POSTER_WIDTH = POSTER_HEIGHT * posters.WIDTH / posters.HEIGHT
TITLE = Box(480, 128, 660, 300)
FOOT = 560
# A page may carry `<` and `&` in a title; within a script element they would end it.
_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def card(movie: Movie) -> bytes:
    """Return a PNG of 1200 × 630: the film's drawn poster, and its title in the sign's letters."""
    return resvg_py.svg_to_bytes(svg_string=_card(movie), width=CARD_WIDTH)


def structured_data(movie: Movie, address: str, image: str) -> str:
    """Return what schema.org calls a Movie as JSON that can stand within a script element."""
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Movie",
        "name": movie.title,
        "url": address,
        "image": image,
        "genre": [genre.name for genre in movie.genre_list],
        "director": _people(movie.directors),
        "actor": _people(movie.cast),
        "description": movie.overview,
        "dateCreated": str(movie.year or ""),
        "duration": f"PT{movie.minutes}M" if movie.minutes else "",
        "sameAs": [url for url in (movie.imdb_url, movie.tmdb_url) if url],
    }
    if movie.mean_stars is not None:
        told["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(movie.mean_stars, 2),
            "ratingCount": movie.rating_count,
            "bestRating": 5,
            "worstRating": 0.5,
        }
    return json.dumps({name: value for name, value in told.items() if value}).translate(_ESCAPES)


def _people(people: list[Any]) -> list[dict[str, str]]:
    return [{"@type": "Person", "name": str(person)} for person in people]


def _card(movie: Movie) -> str:
    lines = set_block(movie.title, TITLE, largest=120)
    title = "".join(
        draw_line(line.text, TITLE.x, TITLE.y + line.y, line.size, INK) for line in lines
    )
    genres = [genre.name for genre in movie.genre_list][:3]
    told = "  ·  ".join([*([str(movie.year)] if movie.year else []), *genres]).upper()
    beneath = TITLE.y + block_height(lines) + 56
    facts = draw_line(told, TITLE.x, beneath, 20, QUIET, tracking=0.12) if told else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {CARD_WIDTH} {CARD_HEIGHT}">'
        '<defs><radialGradient id="dusk" cx="0.75" cy="0" r="0.9">'
        f'<stop stop-color="{GLOW}"/><stop offset="1" stop-color="{GROUND}"/>'
        "</radialGradient></defs>"
        f'<rect width="{CARD_WIDTH}" height="{CARD_HEIGHT}" fill="url(#dusk)"/>'
        f'<svg x="{CARD_MARGIN}" y="{CARD_MARGIN}" width="{POSTER_WIDTH}" height="{POSTER_HEIGHT}"'
        # The poster says its own size, which is twice that of its drawing.
        f' viewBox="0 0 {2 * posters.WIDTH} {2 * posters.HEIGHT}">{posters.draw(movie)}</svg>'
        f"{title}{facts}{_sign()}</svg>"
    )


def _sign() -> str:
    """The site's own sign, between its rows of bulbs."""
    name = draw_line("MARQUEE", TITLE.x + 14, FOOT, 26, INK, tracking=0.12)
    bulbs = [
        f'<circle cx="{TITLE.x + 4 + 12 * number}" cy="{y}" r="2.6" fill="{BULB}"/>'
        for number in range(15)
        for y in (FOOT - 44, FOOT + 18)
    ]
    return name + "".join(bulbs)
