"""All that is a person's own, to take along: tables for Letterboxd, and everything as JSON."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from movies.models import Movie
from users.importers.history import marquee
from users.models import User

README = """\
ratings.csv     your ratings, as letterboxd.com/import takes them
watched.csv     films that you have seen and not rated, for the same page
watchlist.csv   films that you want to see; Letterboxd imports it on the page of your watchlist
marquee.json    all of this with its dates, and whatever else is yours; Marquee imports it
"""
HEADINGS = ("tmdbID", "imdbID", "Title", "Year", "Rating")


def archive(person: User) -> bytes:
    """Return a zip of everything that is the person's."""
    everything = of(person)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("README.txt", README)
        files.writestr("ratings.csv", _table(everything["ratings"]))
        files.writestr("watched.csv", _table(everything["seen"]))
        files.writestr("watchlist.csv", _table(everything["watchlist"]))
        files.writestr(marquee.FILE, json.dumps(everything, ensure_ascii=False, indent=1))
    return content.getvalue()


def of(person: User) -> dict[str, Any]:
    """Return everything that is the person's, as JSON has it."""
    ratings = person.ratings.with_movies().latest_first()
    return {
        "format": marquee.FORMAT,
        "version": marquee.VERSION,
        "exported_at": timezone.now().isoformat(),
        "account": {
            "name": person.username,
            "email": person.email,
            "joined_at": person.date_joined.isoformat(),
        },
        "dials": person.dials.to_dict(),
        "ratings": [
            _film(rating.movie, rating.rated_at)
            | {"stars": rating.stars, "counts": rating.movie_id not in person.left_out_ids}
            for rating in ratings
        ],
        "seen": _films(person.seen, "seen_at"),
        "watchlist": _films(person.watchlist, "added_at"),
        "dismissed": _films(person.dismissals, "dismissed_at"),
        "less_like": _films(person.less_like, "asked_at"),
        "not_seen": _films(person.not_seen, "said_at"),
        "evenings": _evenings(person),
    }


def _evenings(person: User) -> list[dict[str, Any]]:
    """Return the evenings that the person is part of, and what they said there; nobody else's."""
    members = person.memberships.select_related("evening").prefetch_related("votes__movie")
    return [
        {
            "name": member.evening.name,
            "is_mine": member.evening.maker_id == person.pk,
            "joined_at": member.joined_at.isoformat(),
            "votes": [
                _film(vote.movie, vote.said_at) | {"says": "veto" if vote.is_veto else "yes"}
                for vote in member.votes.all()
            ],
        }
        for member in members
    ]


def _films(entries: Any, moment: str) -> list[dict[str, Any]]:
    rows = entries.with_movies().order_by(f"-{moment}", "movie_id")
    return [_film(row.movie, getattr(row, moment)) for row in rows]


def _film(movie: Movie, at: datetime) -> dict[str, Any]:
    return {
        "title": movie.title,
        "year": movie.year,
        "imdb_id": movie.imdb_id,
        "tmdb_id": movie.tmdb_id,
        "movielens_id": movie.movielens_id,
        "at": at.isoformat(),
    }


def _table(films: Iterable[dict[str, Any]]) -> str:
    """Return the films as Letterboxd imports them."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(HEADINGS)
    for film in films:
        imdb_id = f"tt{film['imdb_id']:07d}" if film["imdb_id"] else ""
        ids = (film["tmdb_id"] or "", imdb_id)
        rows.writerow((*ids, film["title"], film["year"] or "", film.get("stars", "")))
    return text.getvalue()
