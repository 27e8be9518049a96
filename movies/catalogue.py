"""Films in bulk: finding those that the catalogue has, writing what a source says of them.

External ids are how a source's films are recognized; title and year are the fallback. Writing goes
through COPY into a temporary table and one statement a table, changes only rows that differ, and
must run in a transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.text import slugify

from movies import matching
from movies.matching import Name
from movies.models import Credit, Genre, Movie, Tag, search_titles, spellings
from movies.titles import search_key

# The same genre under another name.
GENRE_NAMES = {
    "Animated": "Animation",
    "Children's": "Children",
    "Noir": "Film-Noir",
    "Science Fiction": "Sci-Fi",
    "Sports": "Sport",
    "Suspense": "Thriller",
}
# As the model's validators have it, which bulk writes do not ask.
YEARS = range(1870, 2201)
MINUTES = range(1, 2**15)
TITLE_LENGTH = Movie._meta.get_field("title").max_length or 0
TAG_LENGTH = Tag._meta.get_field("name").max_length or 0
GENRE_LENGTH = Genre._meta.get_field("name").max_length or 0


@dataclass(slots=True, kw_only=True)
class Film:
    """What a source says of a film; what it leaves out (None or empty) stays as it is."""

    title: str
    year: int | None = None
    alternatives: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    movielens_id: int | None = None
    imdb_id: int | None = None
    tmdb_id: int | None = None

    @property
    def search_titles(self) -> str:
        return search_titles(self.title, list(self.alternatives))

    @property
    def keys(self) -> list[str]:
        return match_keys(self.title, self.search_titles)


@dataclass(slots=True, kw_only=True)
class KnownFilm:
    """A film of the catalogue, by what identifies it."""

    id: int
    title: str
    year: int | None
    alternatives: tuple[str, ...]
    keys: list[str]
    genres: frozenset[str]
    movielens_id: int | None = None
    imdb_id: int | None = None
    tmdb_id: int | None = None
    rating_count: int = 0


@dataclass(slots=True, kw_only=True)
class Description:
    """What is told of a film beside its facts. It fills gaps; what is there is never replaced."""

    overview: str = ""
    poster_url: str = ""
    cast: tuple[str, ...] = ()
    """Names, the leading part first."""
    minutes: int | None = None


def match_keys(title: str, keys: str) -> list[str]:
    """Return the keys (one a line) by which a film is found by title.

    A title of punctuation alone, such as "$", has no search key and stands for itself.
    """
    return [key for key in keys.splitlines() if key] or [title.casefold()]


def genre_name(name: str) -> str:
    """Return the catalogue's name for a source's genre."""
    return GENRE_NAMES.get(name, name)


def lock() -> None:
    """Let one import at a time into the catalogue until the transaction ends.

    Two would add the same films, or wait for each other's rows.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('movies.catalogue'))")


Named = defaultdict[str, list[tuple[KnownFilm, list[Name]]]]
"""Films with their names as these are compared, by each name's keys."""


class Index:
    """The catalogue's films, to be found by their ids or titles; read once an import."""

    def __init__(self) -> None:
        self.by_movielens_id: dict[int, KnownFilm] = {}
        self.by_imdb_id: dict[int, KnownFilm] = {}
        self.by_tmdb_id: dict[int, KnownFilm] = {}
        self._by_title: defaultdict[str, list[KnownFilm]] = defaultdict(list)
        self._by_year: defaultdict[int, list[KnownFilm]] = defaultdict(list)
        self._named: dict[int, Named] = {}
        for film in _known_films():
            self.add(film)

    def add(self, film: KnownFilm) -> None:
        for index, external_id in (
            (self.by_movielens_id, film.movielens_id),
            (self.by_imdb_id, film.imdb_id),
            (self.by_tmdb_id, film.tmdb_id),
        ):
            if external_id is not None:
                index.setdefault(external_id, film)
        for key in film.keys:
            self._by_title[key].append(film)
        if film.year is not None:
            self._by_year[film.year].append(film)
            if film.year in self._named:
                _name(film, self._named[film.year])

    def titled(self, keys: Iterable[str], year: int | None, within: int = 0) -> list[KnownFilm]:
        """Return the films with one of the titles whose year differs by `within` at most.

        A film without a year is found only by one without.
        """
        found = {film.id: film for key in keys for film in self._by_title.get(key, ())}
        return [film for film in found.values() if _years_apart(film.year, year) <= within]

    def titled_in_any_year(self, keys: Iterable[str]) -> list[KnownFilm]:
        """Return the films with one of the titles, whatever their year."""
        return list(
            {film.id: film for key in keys for film in self._by_title.get(key, ())}.values()
        )

    def resembling(
        self, titles: Iterable[str], year: int | None, genres: Collection[str] = ()
    ) -> list[KnownFilm]:
        """Return the films of that very year that have one of the titles, written in another way.

        What is the same and what genres have to do with it, says `movies.matching`. For want of an
        exact title only: where there are several such films, it may be any or none of them.
        """
        if year is None:
            return []
        names = [matching.name_of(title) for title in titles]
        named = self._named_in(year)
        candidates = {
            film.id: (film, theirs)
            for name in names
            for key in name.keys
            for film, theirs in named.get(key, ())
        }
        return [
            film
            for film, theirs in candidates.values()
            if matching.are_one(names, theirs, genres, film.genres)
        ]

    def _named_in(self, year: int) -> Named:
        """Return the year's films with their names as these are compared, by each name's keys."""
        if year not in self._named:
            self._named[year] = defaultdict(list)
            for film in self._by_year[year]:
                _name(film, self._named[year])
        return self._named[year]


def _name(film: KnownFilm, named: Named) -> None:
    """Enter the film by the keys of its names."""
    names = [matching.name_of(title) for title in (film.title, *film.alternatives)]
    for key in frozenset().union(*(name.keys for name in names)):
        named[key].append((film, names))


def _years_apart(one: int | None, other: int | None) -> float:
    if one is None or other is None:
        return 0 if one is other else float("inf")
    return abs(one - other)


def _known_films() -> Iterable[KnownFilm]:
    genres: defaultdict[int, set[str]] = defaultdict(set)
    for movie_id, name in Movie.genres.through.objects.values_list("movie_id", "genre__name"):
        genres[movie_id].add(name)
    rows = Movie.objects.order_by("pk").values_list(
        "pk",
        "title",
        "year",
        "alternative_titles",
        "search_titles",
        "movielens_id",
        "imdb_id",
        "tmdb_id",
        "rating_count",
    )
    for pk, title, year, alternatives, keys, *ids, rating_count in rows.iterator():
        movielens_id, imdb_id, tmdb_id = ids
        yield KnownFilm(
            id=pk,
            title=title,
            year=year,
            alternatives=tuple(alternatives),
            keys=match_keys(title, keys),
            genres=frozenset(genres[pk]),
            movielens_id=movielens_id,
            imdb_id=imdb_id,
            tmdb_id=tmdb_id,
            rating_count=rating_count,
        )


def most_alike(films: Sequence[KnownFilm], genres: Iterable[str]) -> list[KnownFilm]:
    """Return those of the films that share the most genres, one unless there is a tie."""
    wanted = frozenset(genres)
    most = max((len(film.genres & wanted) for film in films), default=0)
    return [film for film in films if len(film.genres & wanted) == most]


def fresh_ids(at_a_time: int = 500) -> Iterator[int]:
    """Yield ids for films to come, drawn from the table's own sequence."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('movies_movie', 'id'))"
                " FROM generate_series(1, %s)",
                [at_a_time],
            )
            ids = [row[0] for row in cursor.fetchall()]
        yield from ids


@dataclass(frozen=True)
class Written:
    """How many films, or tags of films, a write added and changed."""

    added: int
    changed: int


_STAGE_FILMS = """
    CREATE TEMPORARY TABLE staged_film (
        id bigint, title text, year smallint, alternative_titles varchar[], search_titles text,
        movielens_id integer, imdb_id integer, tmdb_id integer
    ) ON COMMIT DROP
"""
_CHANGE_FILMS = """
    UPDATE movies_movie AS movie
    SET title = staged.title, year = coalesce(staged.year, movie.year),
        alternative_titles = staged.alternative_titles, search_titles = staged.search_titles,
        movielens_id = coalesce(staged.movielens_id, movie.movielens_id),
        imdb_id = coalesce(staged.imdb_id, movie.imdb_id),
        tmdb_id = coalesce(staged.tmdb_id, movie.tmdb_id)
    FROM staged_film AS staged
    WHERE staged.id = movie.id AND (
        movie.title, movie.year, movie.alternative_titles, movie.search_titles,
        movie.movielens_id, movie.imdb_id, movie.tmdb_id
    ) IS DISTINCT FROM (
        staged.title, coalesce(staged.year, movie.year), staged.alternative_titles,
        staged.search_titles, coalesce(staged.movielens_id, movie.movielens_id),
        coalesce(staged.imdb_id, movie.imdb_id), coalesce(staged.tmdb_id, movie.tmdb_id)
    )
"""
_ADD_FILMS = """
    INSERT INTO movies_movie (
        id, title, year, alternative_titles, search_titles, movielens_id, imdb_id, tmdb_id,
        overview, poster_url, rating_count, rating_sum, created_at
    )
    SELECT staged.*, '', '', 0, 0, now() FROM staged_film AS staged
    WHERE NOT EXISTS (SELECT FROM movies_movie WHERE id = staged.id)
"""


def write_films(films: Mapping[int, Film]) -> Written:
    """Add the films whose ids are new (see `fresh_ids`), change those that differ."""
    rows = (
        (
            pk,
            film.title,
            film.year,
            list(film.alternatives),
            film.search_titles,
            film.movielens_id,
            film.imdb_id,
            film.tmdb_id,
        )
        for pk, film in films.items()
    )
    with connection.cursor() as cursor:
        _stage(cursor, "staged_film", _STAGE_FILMS, rows)
        cursor.execute(_CHANGE_FILMS)
        changed = cursor.rowcount
        cursor.execute(_ADD_FILMS)
        added = cursor.rowcount
        cursor.execute("DROP TABLE staged_film")
    _write_spellings({pk: spellings(film.search_titles) for pk, film in films.items()})
    _write_genres({pk: film.genres for pk, film in films.items() if film.genres})
    return Written(added, changed)


_STAGE_SPELLINGS = """
    CREATE TEMPORARY TABLE staged_spelling (movie_id bigint, key text) ON COMMIT DROP
"""
_REMOVE_SPELLINGS = """
    DELETE FROM movies_spelling AS kept
    WHERE movie_id IN (SELECT movie_id FROM staged_spelling) AND NOT EXISTS (
        SELECT FROM staged_spelling AS staged
        WHERE staged.movie_id = kept.movie_id AND staged.key = kept.key
    )
"""
_ADD_SPELLINGS = """
    INSERT INTO movies_spelling (movie_id, key)
    SELECT movie_id, key FROM staged_spelling AS staged
    WHERE NOT EXISTS (
        SELECT FROM movies_spelling AS kept
        WHERE kept.movie_id = staged.movie_id AND kept.key = staged.key
    )
"""


def _write_spellings(keys: Mapping[int, Sequence[str]]) -> None:
    """Let each film (by id) be searched for by these spellings and no others."""
    rows = ((movie_id, key) for movie_id, spelt in keys.items() for key in spelt)
    with connection.cursor() as cursor:
        _stage(cursor, "staged_spelling", _STAGE_SPELLINGS, rows)
        cursor.execute(_REMOVE_SPELLINGS)
        cursor.execute(_ADD_SPELLINGS)
        cursor.execute("DROP TABLE staged_spelling")


_STAGE_GENRES = """
    CREATE TEMPORARY TABLE staged_genre (movie_id bigint, genre_id bigint) ON COMMIT DROP
"""
_REMOVE_GENRES = """
    DELETE FROM movies_movie_genres AS kept
    WHERE movie_id IN (SELECT movie_id FROM staged_genre) AND NOT EXISTS (
        SELECT FROM staged_genre AS staged
        WHERE staged.movie_id = kept.movie_id AND staged.genre_id = kept.genre_id
    )
"""
_ADD_GENRES = """
    INSERT INTO movies_movie_genres (movie_id, genre_id)
    SELECT movie_id, genre_id FROM staged_genre ON CONFLICT DO NOTHING
"""


def _write_genres(genres: Mapping[int, Sequence[str]]) -> None:
    """Give each film (by id) these genres and no others."""
    ids = _genre_ids({name for names in genres.values() for name in names})
    rows = {(movie_id, ids[name]) for movie_id, names in genres.items() for name in names}
    with connection.cursor() as cursor:
        _stage(cursor, "staged_genre", _STAGE_GENRES, sorted(rows))
        cursor.execute(_REMOVE_GENRES)
        cursor.execute(_ADD_GENRES)
        cursor.execute("DROP TABLE staged_genre")


def _genre_ids(names: set[str]) -> dict[str, int]:
    """Return the genres' ids by name, adding what is missing; one slug is one genre."""
    slugs = {name: slugify(name) for name in sorted(names)}
    known = Genre.objects.filter(Q(name__in=slugs) | Q(slug__in=slugs.values()))
    ids = {key: genre.pk for genre in known for key in (genre.slug, genre.name)}
    new = {slug: name for name, slug in slugs.items() if name not in ids and slug not in ids}
    for slug, name in new.items():
        ids[slug] = Genre.objects.create(name=name, slug=slug).pk
    return {name: ids.get(name) or ids[slug] for name, slug in slugs.items()}


_STAGE_DESCRIPTIONS = """
    CREATE TEMPORARY TABLE staged_description (
        movie_id bigint, overview text, poster_url text, minutes smallint
    ) ON COMMIT DROP
"""
_FILL_DESCRIPTIONS = """
    UPDATE movies_movie AS movie
    SET overview = CASE movie.overview WHEN '' THEN staged.overview ELSE movie.overview END,
        poster_url = CASE movie.poster_url WHEN '' THEN staged.poster_url ELSE movie.poster_url END,
        minutes = coalesce(movie.minutes, staged.minutes)
    FROM staged_description AS staged
    WHERE staged.movie_id = movie.id AND (
        movie.overview = '' AND staged.overview <> ''
        OR movie.poster_url = '' AND staged.poster_url <> ''
        OR movie.minutes IS NULL AND staged.minutes IS NOT NULL
    )
    RETURNING movie.id
"""


def describe(descriptions: Mapping[int, Description]) -> set[int]:
    """Fill what the films (by id) lack; return which of them it changed."""
    rows = ((pk, text.overview, text.poster_url, text.minutes) for pk, text in descriptions.items())
    with connection.cursor() as cursor:
        _stage(cursor, "staged_description", _STAGE_DESCRIPTIONS, rows)
        cursor.execute(_FILL_DESCRIPTIONS)
        changed = {row[0] for row in cursor.fetchall()}
        cursor.execute("DROP TABLE staged_description")
    return changed | _fill_casts({pk: text.cast for pk, text in descriptions.items()})


def name_otherwise(others: Mapping[int, str]) -> set[int]:
    """Give the films (by id) another title each, where they have it not; return which had not."""
    named = []
    for movie in Movie.objects.filter(pk__in=others):
        title = others[movie.pk]
        if not set(search_titles(title, []).splitlines()) <= set(movie.search_titles.splitlines()):
            movie.alternative_titles.append(title)
            movie.save(update_fields=["alternative_titles", "search_titles"])
            named.append(movie.pk)
    return set(named)


_STAGE_CAST = """
    CREATE TEMPORARY TABLE staged_cast (
        movie_id bigint, position smallint, name text, key text
    ) ON COMMIT DROP
"""
_ADD_PEOPLE = """
    INSERT INTO movies_person (name, key)
    SELECT DISTINCT name, key FROM staged_cast ORDER BY name
    ON CONFLICT DO NOTHING
"""
_ADD_CREDITS = """
    INSERT INTO movies_credit (movie_id, person_id, role, position)
    SELECT staged.movie_id, person.id, 'cast', staged.position
    FROM staged_cast AS staged JOIN movies_person AS person USING (name)
    ON CONFLICT DO NOTHING
"""


def _fill_casts(casts: Mapping[int, Sequence[str]]) -> set[int]:
    """Give the films (by id) that have no cast theirs; return which they were."""
    has_cast = set(
        Credit.objects.filter(role=Credit.Role.CAST).values_list("movie_id", flat=True).distinct()
    )
    lacking = {pk: cast for pk, cast in casts.items() if cast and pk not in has_cast}
    rows = (
        (pk, place, name, search_key(name))
        for pk, cast in lacking.items()
        for place, name in enumerate(cast)
    )
    with connection.cursor() as cursor:
        _stage(cursor, "staged_cast", _STAGE_CAST, rows)
        cursor.execute(_ADD_PEOPLE)
        cursor.execute(_ADD_CREDITS)
        cursor.execute("DROP TABLE staged_cast")
    return set(lacking)


_STAGE_TAGS = """
    CREATE TEMPORARY TABLE staged_tag (movie_id bigint, person bigint, name text) ON COMMIT DROP
"""
_COUNT_TAGS = """
    INSERT INTO movies_tag AS kept (name, people)
    SELECT name, count(DISTINCT person) FROM staged_tag GROUP BY name ORDER BY name
    ON CONFLICT (name) DO UPDATE SET people = excluded.people
    WHERE kept.people < excluded.people
"""
_COUNT_TAGS_OF_FILMS = """
    WITH counted AS (
        INSERT INTO movies_movietag AS kept (movie_id, tag_id, people)
        SELECT staged.movie_id, tag.id, count(DISTINCT staged.person)
        FROM staged_tag AS staged JOIN movies_tag AS tag USING (name) GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (movie_id, tag_id) DO UPDATE SET people = excluded.people
        WHERE kept.people < excluded.people
        -- A row that was inserted, not updated, was locked by nobody before.
        RETURNING xmax = 0 AS is_new
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM counted
"""


def count_tags(given: Iterable[tuple[int, int, str]]) -> Written:
    """Keep how many people gave films their tags: rows of a film's id, a person and a tag.

    Who is counted is not kept. Datasets hold many of the same people: where one has counted more
    than another, the higher number stays.
    """
    with connection.cursor() as cursor:
        _stage(cursor, "staged_tag", _STAGE_TAGS, given)
        cursor.execute(_COUNT_TAGS)
        cursor.execute(_COUNT_TAGS_OF_FILMS)
        written = Written(*cursor.fetchone())
        cursor.execute("DROP TABLE staged_tag")
    return written


def _stage(cursor: Any, table: str, definition: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Make a temporary table and COPY the rows into it, with what the planner must know of it."""
    cursor.execute(definition)
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(f"ANALYZE {table}")
