"""Search by title and name that forgives typos, accents, word order, articles and numerals.

Every title is kept in a few spellings (`movies.models.Spelling`), and a query is spelt in the same
ways. Three looks, each through an index, bring what may be meant:

- *likeness*: PostgreSQL's word similarity of trigrams, which does not care for the order of words;
- *beginnings*: titles whose letters begin as the query's do, spaces not counted;
- *slips*: titles one letter away. Wherever the slip is, one half of the letters is without it, so
  whatever begins or ends with a half of the query is measured by its edit distance.

What is found is put in order by how like it is, and by how many people have rated the film.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from movies import titles
from movies.models import MOST_LETTERS, Movie, Person
from movies.titles import ARTICLES, search_key

# Word similarity, 0 to 1: what a first look lets through, and a second one where the first finds
# nothing. Half of a very short word's trigrams are those of very many titles, and what many words
# are not close to is no title of them. `NAMED` is what was meant: of 124 descriptions of films,
# none was as like to any of 36,000 titles, and one slip in a title of some length leaves it more
# like.
CLOSE, LOOSE = 0.5, 0.3
NAMED = 0.6
VERY_SHORT, VERY_CLOSE = 4, 0.75
FEW_WORDS, MOST_NAME_WORDS = 3, 5
SHORTEST, SHORTEST_LIKENESS = 2, 3
# What a title gains that is the query to the letter, articles and all. "Predator" means the film of
# that name before "The Predator", unless a hundred times as many people know the latter, as one may
# leave an article out; and nobody puts one in.
EXACT, EXACT_WITH_ARTICLE = 0.25, 1.0
# The same for names, whose whole words must be like the query's; less where a word has one slip.
NAME_CLOSE, NAME_LOOSE = 0.45, 0.3

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
    def spellings(self) -> list[str]:
        """The ways in which it is compared with titles; "Blade Runner 2049" has a year in one."""
        spelt = titles.spellings(self.words)
        return spelt if self.year is None else [*spelt, " ".join(titles.telling(self.key.split()))]

    @property
    def has_article(self) -> bool:
        """Whether it begins with an article, as "The Predator" does."""
        return self.key.split()[0] in ARTICLES

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
    names_first: bool = False
    """Whether the query is a part of somebody's name, and films are only a little like it."""

    def __bool__(self) -> bool:
        return bool(self.movies or self.people)


def parse(text: str) -> Query:
    """Take "alien 1979" or "matrix, the" apart."""
    key = search_key(text)
    words = key.split()
    if all(len(word) == 1 for word in words):
        # Initials: "e t", "j f k".
        key = "".join(words)
        words = [key]
    years = [word for word in words if _YEAR.fullmatch(word)]
    year = int(years[-1]) if years and len(words) > 1 else None
    if year is not None:
        words.remove(str(year))
    return Query(key, " ".join(titles.telling(words)), year)


def find(text: str, films: int = 20, people: int = 5) -> Found:
    """Return the films and people that the text most likely means, likeliest first."""
    query = parse(text)
    if len(query.key) < SHORTEST:
        return Found([], [])
    named = find_people(query, people)
    matches = match_titles(query, films, loosely=not named)
    is_title = any(match.is_equal or match.likeness == 1 for match in matches)
    is_name = any(f" {query.words}" in f" {person.key}" for person in named)
    movies = in_given_order(Movie.objects.all(), [match.movie_id for match in matches])
    return Found(movies, named, names_first=is_name and not is_title)


def match_titles(query: Query, limit: int, loosely: bool = True) -> list[TitleMatch]:
    """Return up to `limit` films by their titles, the likeliest first.

    Where none is close, those that are a little alike will do, unless not `loosely`.
    """
    if len(query.key) < SHORTEST:
        return []
    if query.is_short:
        beginning = _beginning(query.key)
        parameters = {"key": query.key, "word": beginning + "( |$)", "beginning": beginning}
        return _matches(_SHORT, CLOSE, parameters | {"limit": limit})
    parameters = _letters(query.spellings) | {
        "words": query.words,
        "whole": query.key.replace(" ", ""),
        "key": query.key,
        "exact": EXACT_WITH_ARTICLE if query.has_article else EXACT,
        "year": query.year,
        "limit": limit,
    }
    near = _NEAR.format(table="movies_spelling")
    for threshold in query.thresholds if loosely else query.thresholds[:1]:
        if found := _matches(_MOVIES.format(near=near), threshold, parameters):
            return found
    return []


def find_people(query: Query, limit: int) -> list[Person]:
    """Return up to `limit` people, the likeliest first."""
    if not limit or query.is_short or len(query.key.split()) > MOST_NAME_WORDS:
        return []
    parameters = _letters([query.words]) | {"key": query.words, "limit": limit}
    parameters |= {"word": rf"\m{re.escape(query.words)}", "close": NAME_CLOSE}
    threshold = NAME_LOOSE if len(query.words) >= VERY_SHORT else VERY_CLOSE
    near = _NEAR.format(table="movies_person")
    ids = [row[0] for row in _rows(_PEOPLE.format(near=near), threshold, parameters)]
    return in_given_order(Person.objects.with_best_known(), ids)


def in_given_order(rows: QuerySet, ids: list[int]) -> list:
    """Return the rows with these ids, in the order of the ids."""
    by_id = rows.in_bulk(ids)
    return [by_id[row_id] for row_id in ids if row_id in by_id]


def _beginning(key: str) -> str:
    """Return the expression that finds titles which begin with the key, article or not."""
    # (?n): ^ and $ match at every line, that is, at every title.
    return f"(?n)^({_ARTICLE} )?{re.escape(key)}"


def _letters(spellings: Iterable[str]) -> dict[str, Any]:
    """Return what slips of typing are looked for by.

    For each spelling its letters, how what has no slip in their second half begins, and how what
    has none in the first ends, backwards; and all letters with two neighbours changed about.
    """
    runs = [spelling.replace(" ", "")[:MOST_LETTERS] for spelling in spellings]
    return {
        "spellings": list(spellings),
        "letters": runs,
        "heads": [run[: len(run) // 2] for run in runs],
        "tails": [run[len(run) // 2 :][::-1] for run in runs],
        "swapped": [
            run[:place] + run[place + 1] + run[place] + run[place + 2 :]
            for run in runs
            for place in range(len(run) - 1)
        ],
    }


def _matches(sql: str, threshold: float, parameters: dict[str, Any]) -> list[TitleMatch]:
    return [TitleMatch(*row) for row in _rows(sql, threshold, parameters)]


def _rows(sql: str, threshold: float, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        # The operators that the index serves compare with this setting.
        cursor.execute(
            "SELECT set_config('pg_trgm.word_similarity_threshold', %(threshold)s, true),"
            " set_config('pg_trgm.strict_word_similarity_threshold', %(threshold)s, true)",
            {"threshold": str(threshold)},
        )
        cursor.execute(sql, parameters)
        return cursor.fetchall()


# What begins so, first with a whole word and the best known first: read down the index of rating
# counts, until there is enough.
_SHORT = """
    SELECT id, 1.0::float8, max(place) = 2
    FROM (
        (
            SELECT id, 2 AS place, rating_count
            FROM movies_movie
            WHERE search_titles = %(key)s
            ORDER BY rating_count DESC
            LIMIT %(limit)s
        )
        UNION ALL
        (
            SELECT id, (search_titles ~ %(word)s)::int, rating_count
            FROM movies_movie
            WHERE search_titles ~ %(beginning)s
            ORDER BY rating_count DESC
            LIMIT %(limit)s
        )
    ) AS found
    GROUP BY id
    ORDER BY max(place) DESC, max(rating_count) DESC, id
    LIMIT %(limit)s
"""

# chr(1114111) comes after every letter, so the ranges are what begins with the head or the tail;
# these operators are those of the indexes for patterns.
_NEAR = """
    spelling AS (
        SELECT *
        FROM unnest(
            %(spellings)s::text[], %(letters)s::text[], %(heads)s::text[], %(tails)s::text[]
        ) AS spelling (key, letters, head, tail)
    ),
    near AS (
        SELECT found.*
        FROM
            spelling JOIN {table} AS found
                ON found.letters ~>=~ spelling.head
                AND found.letters ~<~ (spelling.head || chr(1114111))
        WHERE starts_with(found.letters, spelling.letters)
            OR levenshtein_less_equal(found.letters, spelling.letters, 1) <= 1
        UNION
        SELECT found.*
        FROM
            spelling JOIN {table} AS found
                ON reverse(found.letters) ~>=~ spelling.tail
                AND reverse(found.letters) ~<~ (spelling.tail || chr(1114111))
        WHERE levenshtein_less_equal(found.letters, spelling.letters, 1) <= 1
        UNION
        SELECT * FROM {table} WHERE letters = ANY(%(swapped)s)
    )
"""

# What the parts count was found on half of what `benchmarks/titles.py` asks. A film that a hundred
# times as many people have rated gains about a sixth of likeness. OFFSET 0 has the film of each row
# looked up: the planner foresees far more rows than there are, and would read the whole table.
_MOVIES = """
    WITH {near},
    found AS (
        SELECT * FROM near
        UNION
        SELECT title.*
        FROM spelling JOIN movies_spelling AS title ON title.key %%> spelling.key
    ),
    title AS (
        SELECT
            title.movie_id,
            title.letters = spelling.letters AS is_equal,
            title.letters = %(whole)s AS is_whole,
            CASE
                WHEN title.key = spelling.key THEN 3.4
                WHEN title.letters = spelling.letters THEN 1.3
                WHEN starts_with(title.key, spelling.key || ' ') THEN 1.3
                WHEN starts_with(title.letters, spelling.letters) THEN 1.0
                WHEN title.letters = ANY(%(swapped)s) THEN 0.4
                WHEN levenshtein_less_equal(title.letters, spelling.letters, 1) <= 1 THEN 0.4
                ELSE 0
            END
            + 1.5 * word_similarity(spelling.key, title.key)
            + 0.2 * similarity(spelling.key, title.key) AS score,
            word_similarity(%(words)s, title.key) AS likeness
        FROM found AS title, spelling
    )
    SELECT title.movie_id, max(title.likeness)::float8, bool_or(title.is_equal)
    FROM
        title
        CROSS JOIN LATERAL (
            SELECT year, rating_count, string_to_array(search_titles, E'\\n') AS search_titles
            FROM movies_movie WHERE id = title.movie_id OFFSET 0
        ) AS movie
    GROUP BY title.movie_id, movie.year, movie.rating_count, movie.search_titles
    ORDER BY
        max(title.score)
        + CASE WHEN %(year)s::int IS NULL THEN 0 ELSE
            1.5 * coalesce((abs(year - %(year)s::int) <= 1)::int + (year = %(year)s::int)::int, 0)
            + bool_or(title.is_whole)::int
        END
        + CASE WHEN %(key)s = ANY (search_titles) THEN %(exact)s ELSE 0 END
        + ln(1 + rating_count) * 0.05 DESC,
        title.movie_id
    LIMIT %(limit)s
"""

_PEOPLE = """
    WITH {near},
    found AS (
        SELECT * FROM near
        UNION
        SELECT *
        FROM movies_person
        WHERE key %%>> %(key)s AND (
            strict_word_similarity(%(key)s, key) >= %(close)s OR EXISTS (
                SELECT
                FROM string_to_table(key, ' ') AS word, spelling
                WHERE levenshtein_less_equal(word, spelling.letters, 1) <= 1
            )
        )
        UNION
        SELECT * FROM movies_person WHERE key ~ %(word)s
    )
    SELECT person.id
    FROM
        found AS person
        CROSS JOIN LATERAL (
            SELECT count(*) AS films, sum(movie.rating_count) AS ratings
            FROM
                movies_credit AS credit
                CROSS JOIN LATERAL (
                    SELECT rating_count FROM movies_movie WHERE id = credit.movie_id OFFSET 0
                ) AS movie
            WHERE credit.person_id = person.id
        ) AS renown
    ORDER BY
        (person.letters = ANY(%(letters)s))::int
        + (person.key ~ %(word)s)::int
        + strict_word_similarity(%(key)s, person.key)
        + 0.05 * ln(1 + films) + 0.05 * ln(1 + coalesce(ratings, 0)) DESC,
        person.id
    LIMIT %(limit)s
"""
