"""Films as lists show them, read by plain SQL: every list and every answer for programs asks.

Django takes longer to compose the query for films and the one for their genres than PostgreSQL to
answer both.
"""

from collections.abc import Iterable

from django.db import connection

from movies.models import Genre, Movie

_FILMS = """
    SELECT id, title, year, minutes, poster_url, rating_count, rating_sum, weighted_rating,
        ARRAY(SELECT genre_id FROM movies_movie_genres WHERE movie_id = film.id)
    FROM movies_movie AS film WHERE id = ANY(%s)
"""
_FIELDS = [
    "id",
    "title",
    "year",
    "minutes",
    "poster_url",
    "rating_count",
    "rating_sum",
    "weighted_rating",
]
"""The first columns."""


def listed(movie_ids: Iterable[int]) -> dict[int, Movie]:
    """Return those of the films that there are by id, with their genres.

    What no list shows, such as the overview, is read when it is asked for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name, slug FROM movies_genre ORDER BY name")
        genres = {row[0]: Genre(*row) for row in cursor.fetchall()}
        cursor.execute(_FILMS, [list(movie_ids)])
        found = {}
        for *values, genre_ids in cursor.fetchall():
            movie = Movie.from_db(connection.alias, _FIELDS, values)
            movie.genre_list = [genre for pk, genre in genres.items() if pk in genre_ids]
            found[movie.pk] = movie
    return found
