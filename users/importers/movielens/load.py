"""Loading a MovieLens dataset: films and tags into the catalogue, people and their ratings.

One transaction, in memory that the number of ratings and tags does not change. Loading again adds
what is new and changes what differs; it removes nothing, and touches no rating of people who sign
in here. Where two lines rate the same film for the same person, the later line counts.

The films' counts are changed with the ratings, so whoever rates one of these films meanwhile waits
until the import is done: import large datasets when few people are there.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper
from numpy.typing import NDArray
from psycopg.errors import CardinalityViolation
from rich.progress import Progress

from movies import binary_copy, catalogue, matching
from movies.catalogue import Film, Index, KnownFilm, Written
from movies.importers.files import Files, ImportFailed
from movies.importers.progress import step
from users.importers.movielens.forms import form_of, read_films
from users.importers.movielens.ratings import Ratings, RatingsFile
from users.importers.movielens.tags import read_tags
from users.models import User

# Ratings merged by one statement: its triggers run once for so many, and hold so many in memory.
MERGE_ROWS = 2_000_000
SOURCE_LENGTH = User._meta.get_field("source").max_length or 0
_TitleOfYear = tuple[str, int | None]


@dataclass(frozen=True)
class Merged:
    """What became of the lines of ratings."""

    read: int = 0
    added: int = 0
    changed: int = 0
    people: int = 0

    def __add__(self, other: "Merged") -> "Merged":
        return Merged(
            self.read + other.read,
            self.added + other.added,
            self.changed + other.changed,
            self.people + other.people,
        )


@dataclass(frozen=True)
class Loaded:
    """What an import did."""

    label: str
    films_read: int
    films: Written
    tags: Written
    ratings: Merged


def load(files: Files, progress: Progress, label: str = "") -> Loaded:
    """Load the dataset in the files; its people are kept as those of `label`.

    Raises:
        ImportFailed: a file is missing or broken; nothing has been changed.
    """
    label = label or files.label
    if len(label) > SOURCE_LENGTH or not label.isprintable():
        raise ImportFailed(f"{label!r} is no label of at most {SOURCE_LENGTH} letters; give one")
    form = form_of(files)
    with step(progress, "Reading films"):
        films = read_films(files, form)
    with transaction.atomic(), connection.cursor() as cursor:
        catalogue.lock()
        # Checked a statement at a time: put off to the end, they would pile up in memory.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with step(progress, "Writing films"):
            placed, written = place_films(films, form.has_movielens_ids)
        with step(progress, "Counting tags"):
            tags = catalogue.count_tags(read_tags(files, form, placed))
        file = RatingsFile(files, form, placed)
        ratings = _load_ratings(cursor, file, files.size(form.ratings), label, progress)
    return Loaded(label, len(films), written, tags, ratings)


def place_films(films: Mapping[int, Film], by_id: bool) -> tuple[dict[int, int], Written]:
    """Find the dataset's films in the catalogue or add them there.

    Films whose ids are MovieLens's own (`by_id`) are changed to what the dataset says. Those known
    by title alone are left as they are.

    Returns the catalogue's ids by the dataset's, and what was written.
    """
    index, ids = Index(), catalogue.fresh_ids()
    own_titles = {(key, film.year) for film in films.values() for key in film.keys}
    placed: dict[int, int] = {}
    to_write: dict[int, Film] = {}
    for source_id, film in films.items():
        if by_id:
            film.movielens_id = source_id
        known = _recognize(film, index)
        if not known and (known := _resembled(film, index, own_titles)):
            film.alternatives += matching.other_title(film.title, known.title)
        placed[source_id] = known.id if known else next(ids)
        if not known:
            index.add(_as_known(film, placed[source_id]))
        elif by_id:
            known.movielens_id = source_id
            others = (*film.alternatives, *known.alternatives)
            kept = dict.fromkeys(other for other in others if other != film.title)
            film.alternatives = tuple(kept)
        if by_id or not known:
            to_write[placed[source_id]] = film
    return placed, catalogue.write_films(to_write)


def _recognize(film: Film, index: Index) -> KnownFilm | None:
    """Return the catalogue's film: by its MovieLens id, else another id, else title and year."""
    titled = index.titled(film.keys, film.year)
    if film.movielens_id is None:
        candidates = titled
    elif known := index.by_movielens_id.get(film.movielens_id):
        return known
    else:
        same_ids = [
            known
            for known in (
                index.by_imdb_id.get(film.imdb_id or 0),
                index.by_tmdb_id.get(film.tmdb_id or 0),
            )
            if known
        ]
        # A film with another MovieLens id is another film, however alike.
        candidates = [known for known in (*same_ids, *titled) if known.movielens_id is None]
        if candidates and candidates[0] in same_ids:
            return candidates[0]
    return next(iter(catalogue.most_alike(candidates, film.genres)), None)


def _resembled(film: Film, index: Index, own_titles: Container[_TitleOfYear]) -> KnownFilm | None:
    """Return the one film of the catalogue with such a title, unless the dataset has that too."""
    alike = [
        known
        for known in index.resembling((film.title, *film.alternatives), film.year, film.genres)
        if known.movielens_id is None
        and not any((key, known.year) in own_titles for key in known.keys)
    ]
    return alike[0] if len(alike) == 1 else None


def _as_known(film: Film, pk: int) -> KnownFilm:
    return KnownFilm(
        id=pk,
        title=film.title,
        year=film.year,
        alternatives=film.alternatives,
        keys=film.keys,
        genres=frozenset(film.genres),
        movielens_id=film.movielens_id,
        imdb_id=film.imdb_id,
        tmdb_id=film.tmdb_id,
    )


_STAGE = """
    CREATE TEMPORARY TABLE staged_rating (
        person bigint, movie_id bigint, rated_at timestamptz, value smallint
    ) ON COMMIT DROP
"""
_ADD_PEOPLE = """
    INSERT INTO users_user (
        username, password, source, source_id, taste_revision, first_name, last_name, email,
        is_superuser, is_staff, is_active, date_joined
    )
    SELECT %(label)s || ':' || person, %(password)s, %(label)s, person, 0, '', '', '',
        false, false, true, now()
    FROM (SELECT DISTINCT person FROM staged_rating) AS staged
    WHERE NOT EXISTS (
        SELECT FROM users_user WHERE source = %(label)s AND source_id = staged.person
    )
    ORDER BY person
"""
_MERGE = """
    WITH merged AS (
        INSERT INTO users_rating AS rating (user_id, movie_id, rated_at, value)
        SELECT people.id, staged.movie_id, staged.rated_at, staged.value
        FROM {staged} AS staged
        JOIN users_user AS people ON people.source = %s AND people.source_id = staged.person
        ON CONFLICT (user_id, movie_id) DO UPDATE
        SET rated_at = excluded.rated_at, value = excluded.value
        WHERE (rating.rated_at, rating.value) IS DISTINCT FROM (excluded.rated_at, excluded.value)
        -- A row that this statement has inserted, not updated, was locked by nobody before.
        RETURNING xmax = 0 AS is_new
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM merged
"""
# Rows lie in the table in the order of their lines.
_LAST_LINES = """(
    SELECT DISTINCT ON (person, movie_id) * FROM staged_rating
    ORDER BY person, movie_id, ctid DESC
)"""


def _load_ratings(
    cursor: CursorWrapper, file: RatingsFile, size: int, label: str, progress: Progress
) -> Merged:
    """Copy the file's ratings into a table at the side, and merge them a few million at a time."""
    task = progress.add_task("Loading ratings", total=size, unit="ratings", rows=0)
    cursor.execute(_STAGE)
    total, staged = Merged(), 0
    for block in file.blocks():
        with cursor.copy("COPY staged_rating FROM STDIN (FORMAT binary)") as copy:
            for rows in binary_copy.blocks(_columns(block)):
                copy.write(rows)
        staged += len(block.person)
        if staged >= MERGE_ROWS:
            total, staged = total + _merge(cursor, label, staged, not total.read), 0
        progress.update(task, advance=block.size, rows=total.read + staged)
    if staged:
        total += _merge(cursor, label, staged, not total.read)
    cursor.execute("DROP TABLE staged_rating")
    cursor.execute("ANALYZE users_rating, users_user, movies_movie")
    progress.update(task, completed=size)
    return total


def _merge(cursor: CursorWrapper, label: str, rows: int, is_first: bool) -> Merged:
    """Move the staged ratings to where they belong."""
    cursor.execute(_ADD_PEOPLE, {"label": label, "password": make_password(None)})
    people = cursor.rowcount
    if is_first:
        # Both tables may have been empty: the triggers' plans would take them for small.
        cursor.execute("ANALYZE users_user, movies_movie")
    try:
        with transaction.atomic():
            cursor.execute(_MERGE.format(staged="staged_rating"), [label])
    except ProgrammingError as error:
        # One statement cannot change a row twice; only then are the lines worth sorting.
        if not isinstance(error.__cause__, CardinalityViolation):
            raise
        cursor.execute(_MERGE.format(staged=_LAST_LINES), [label])
    added, changed = cursor.fetchone()
    cursor.execute("TRUNCATE staged_rating")
    return Merged(rows, added, changed, people)


def _columns(ratings: Ratings) -> list[NDArray[Any]]:
    """The ratings as the table at the side has them."""
    seconds = binary_copy.timestamps(ratings.seconds)
    return [ratings.person, ratings.movie, seconds, ratings.half_stars]
