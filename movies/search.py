"""Search by title and name that forgives typos, accents, word order and articles.

Titles are found through the trigram index on `Movie.search_titles` (one search key a line) with
PostgreSQL's word similarity, which does not care for the order of words. What is found is then put
in order: titles equal to the query, titles that begin with it, and the rest by likeness, each
blended with how many people have rated the film.
"""

import re
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from movies.models import Movie, Person
from movies.titles import ARTICLES, search_key

# Word similarity, 0 to 1: what a first look lets through, and a second one where the first finds
# nothing. Two slips in a short word come down to about 0.35; but half of a very short word's
# trigrams are those of very many titles, and what many words are not close to is no title of them.
# `NAMED` is what was meant: of 124 descriptions of films, none was as like to any of 36,000 titles,
# and one slip in a title of some length leaves it more like.
CLOSE, LOOSE = 0.5, 0.3
NAMED = 0.6
VERY_SHORT, VERY_CLOSE = 4, 0.75
FEW_WORDS, MOST_NAME_WORDS = 3, 5
SHORTEST, SHORTEST_LIKENESS = 2, 3

_YEAR = re.compile(r"(18[7-9]\d|19\d\d|20\d\d)")
_ARTICLE = f"({'|'.join(sorted(re.escape(word) for word in ARTICLES if word.isalpha()))})"


@dataclass(frozen=True)
class Query:
    """A query taken apart."""

    key: str
    """The whole query as a search key."""
    words: str
    """The key without articles and without the year: what titles are compared with."""
    year: int | None

    @property
    def is_short(self) -> bool:
        """Whether it says too little for likeness: two letters, or articles alone."""
        return len(self.words) < SHORTEST_LIKENESS or self.words in ARTICLES

    @property
    def thresholds(self) -> tuple[float, ...]:
        """How alike titles must be: at first, and then where nothing was found."""
        if len(self.words) <= VERY_SHORT:
            return VERY_CLOSE, CLOSE
        return (CLOSE, LOOSE) if len(self.words.split()) <= FEW_WORDS else (NAMED,)


@dataclass(frozen=True)
class TitleMatch:
    """A film found by its title."""

    movie_id: int
    likeness: float
    """0 to 1, how much of the query is in the title."""
    is_equal: bool
    """Whether a title is the query, but for articles, accents and the like."""


@dataclass(frozen=True)
class Found:
    movies: list[Movie]
    people: list[Person]

    def __bool__(self) -> bool:
        return bool(self.movies or self.people)


def parse(text: str) -> Query:
    """Take "alien 1979" or "matrix, the" apart."""
    key = search_key(text)
    words = key.split()
    years = [word for word in words if _YEAR.fullmatch(word)]
    year = int(years[-1]) if years and len(words) > 1 else None
    if year is not None:
        words.remove(str(year))
    telling = [word for word in words if word not in ARTICLES] or words
    return Query(key=key, words=" ".join(telling), year=year)


def find(text: str, films: int = 20, people: int = 5) -> Found:
    """Return the films and people that the text most likely means, likeliest first."""
    query = parse(text)
    if len(query.key) < SHORTEST:
        return Found([], [])
    return Found(find_movies(query, films), find_people(query, people))


def find_movies(query: Query, limit: int) -> list[Movie]:
    """Return up to `limit` films, the likeliest first."""
    ids = [match.movie_id for match in match_titles(query, limit)]
    return in_given_order(Movie.objects.all(), ids)


def match_titles(query: Query, limit: int) -> list[TitleMatch]:
    """Return up to `limit` films by their titles, the likeliest first."""
    if len(query.key) < SHORTEST:
        return []
    if query.is_short:
        parameters = {"key": query.key, "beginning": _beginning(query.key), "limit": limit}
        return _matches(_SHORT, CLOSE, parameters)
    for threshold in query.thresholds:
        if found := _matches(_MOVIES, threshold, _movie_parameters(query, limit)):
            return found
    return []


def find_people(query: Query, limit: int) -> list[Person]:
    """Return up to `limit` people, the likeliest first."""
    if query.is_short or len(query.key.split()) > MOST_NAME_WORDS:
        return []
    ids = [row[0] for row in _rows(_PEOPLE, CLOSE, {"key": query.key, "limit": limit})]
    return in_given_order(Person.objects.all(), ids)


def in_given_order(rows: QuerySet, ids: list[int]) -> list:
    """Return the rows with these ids, in the order of the ids."""
    by_id = rows.in_bulk(ids)
    return [by_id[row_id] for row_id in ids if row_id in by_id]


def _beginning(*keys: str) -> str:
    """Return the expression that finds titles which begin with a key, article or not."""
    either = "|".join(dict.fromkeys(re.escape(key).replace(r"\ ", " ") for key in keys))
    # (?n): ^ and $ match at every line, that is, at every title.
    return f"(?n)^({_ARTICLE} )?({either})"


def _movie_parameters(query: Query, limit: int) -> dict[str, Any]:
    return {
        "words": query.words,
        "year": query.year,
        "whole": _beginning(query.key) + "$",
        "part": _beginning(query.words) + "$",
        "beginning": _beginning(query.key, query.words),
        "limit": limit,
    }


def _matches(sql: str, threshold: float, parameters: dict[str, Any]) -> list[TitleMatch]:
    return [TitleMatch(*row) for row in _rows(sql, threshold, parameters)]


def _rows(sql: str, threshold: float, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        # The operators that the index serves compare with this setting.
        cursor.execute(
            "SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(threshold)]
        )
        cursor.execute(sql, parameters)
        return cursor.fetchall()


# What begins so, the best known first: read down the index of rating counts, until there is enough.
_SHORT = """
    SELECT id, 1.0::float8, max(is_equal) = 1
    FROM (
        (
            SELECT id, 1 AS is_equal, rating_count
            FROM movies_movie
            WHERE search_titles = %(key)s
            ORDER BY rating_count DESC
            LIMIT %(limit)s
        )
        UNION ALL
        (
            SELECT id, 0, rating_count
            FROM movies_movie
            WHERE search_titles ~ %(beginning)s
            ORDER BY rating_count DESC
            LIMIT %(limit)s
        )
    ) AS found
    GROUP BY id
    ORDER BY max(is_equal) DESC, max(rating_count) DESC, id
    LIMIT %(limit)s
"""

# A film that a hundred times as many people have rated gains as much as a fifth of likeness.
_MOVIES = """
    SELECT
        id,
        word_similarity(%(words)s, search_titles)::float8,
        search_titles ~ %(whole)s OR search_titles ~ %(part)s
    FROM movies_movie
    WHERE search_titles %%> %(words)s
    ORDER BY
        (search_titles ~ %(whole)s)::int * 2
        + (search_titles ~ %(part)s)::int
        + (search_titles ~ %(beginning)s)::int * 0.5
        + word_similarity(%(words)s, search_titles)
        + similarity(%(words)s, search_titles) * 0.4
        + coalesce((abs(year - %(year)s::int) <= 1)::int + (year = %(year)s::int)::int, 0)
        + ln(1 + rating_count) * 0.05 DESC,
        id
    LIMIT %(limit)s
"""

_PEOPLE = """
    SELECT person.id
    FROM movies_person AS person
    WHERE person.name %%> %(key)s
    ORDER BY
        (lower(person.name) = %(key)s)::int
        + word_similarity(%(key)s, person.name)
        + similarity(%(key)s, person.name) * 0.4
        + 0.05 * ln(1 + (SELECT count(*) FROM movies_credit WHERE person_id = person.id)) DESC,
        person.id
    LIMIT %(limit)s
"""
