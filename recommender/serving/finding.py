"""Search: by title, by name, and by what films are about, as one list.

A description is compared with films in two ways: the words that it shares with their overviews
(BM25, Robertson and Zaragoza 2009, each word counted once), and the cosine between its place in
the live `story` version and theirs. The best of both are scored together, and how well known a film
is counts as well: people describe films that they have seen. `docs/spaces.md` has what each part is
worth. Without a live version the words alone decide.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection

from movies import search
from movies.models import Movie, MovieQuerySet, Person
from movies.search import TitleMatch
from movies.understanding import Condition, Understood, understand
from recommender.models import ModelVersion, Space
from recommender.serving import retrieval
from recommender.serving.encoding import place_of

CANDIDATES = 200
"""How many films each of the two ways proposes."""


@dataclass(frozen=True)
class Weights:
    """What the parts of a score count. Found on half of `benchmarks/descriptions.csv`."""

    words: float = 1.0
    """The BM25 score of the words shared, about 5 to 30 for what is meant."""
    story: float = 20.0
    """The cosine in the story space."""
    renown: float = 2.5
    """The logarithm of how many people have rated the film."""


WEIGHTS = Weights()


@dataclass(frozen=True)
class Answer:
    """What a query finds."""

    films: list[Movie]
    """The likeliest first."""
    people: list[Person]
    conditions: tuple[Condition, ...] = ()
    """What was read off the query, and holds for all the films."""
    by_title: frozenset[int] = frozenset()
    """The ids of the films that were found by their titles."""

    def __bool__(self) -> bool:
        return bool(self.films or self.people)


def find(
    text: str,
    films: int = 60,
    people: int = 12,
    plain: Collection[str] = (),
    weights: Weights = WEIGHTS,
) -> Answer:
    """Return up to so many films and people that the text most likely means, likeliest first.

    Films named so come first, a film of exactly that title before all. The text's own conditions
    hold for all films, but for those whose keys are in `plain`, and for the title of a film.
    """
    # PostgreSQL takes no NUL in a text, and nobody means a control character.
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    query = search.parse(text)
    if len(query.key) < search.SHORTEST:
        return Answer([], [])
    named = search.find_people(query, people)
    titles = search.match_titles(query, films, loosely=not named)
    if any(match.is_equal for match in titles):
        understood = Understood(text)
    else:
        understood = understand(text, plain)
    allowed = understood.narrow(Movie.objects.all())
    by_title = frozenset(match.movie_id for match in titles)
    if understood.conditions:
        titles = _among(allowed, titles)
    if understood.description:
        meant = _meant(understood.description, allowed, films, weights)
    else:
        meant = list(allowed.in_order("most_rated").values_list("pk", flat=True)[:films])
    # What is only a little like a title says more than a meaning where the words are few.
    is_description = bool(understood.conditions) or len(query.words.split()) > search.FEW_WORDS
    ids = _merged(titles, meant, is_description)[:films]
    return Answer(
        films=search.in_given_order(Movie.objects.all(), ids),
        people=named,
        conditions=understood.conditions,
        by_title=by_title,
    )


def _among(allowed: MovieQuerySet, titles: list[TitleMatch]) -> list[TitleMatch]:
    ids = [match.movie_id for match in titles]
    kept = set(allowed.filter(pk__in=ids).values_list("pk", flat=True))
    return [match for match in titles if match.movie_id in kept]


def _merged(titles: list[TitleMatch], meant: list[int], is_description: bool) -> list[int]:
    """Put named films first, then turn about films of like titles and films that are meant.

    The two likest titles stand together, as few words are more often a title with a slip.
    """
    named = [match.movie_id for match in titles if match.likeness >= search.NAMED or match.is_equal]
    alike = [] if is_description else [match.movie_id for match in titles]
    return list(dict.fromkeys([*named, *alike[:2], *_in_turn(alike, meant)]))


def _in_turn(one: list[int], other: list[int]) -> Iterable[int]:
    for place in range(max(len(one), len(other))):
        yield from one[place : place + 1]
        yield from other[place : place + 1]


def _meant(description: str, allowed: MovieQuerySet, limit: int, weights: Weights) -> list[int]:
    """Return the ids of the allowed films that the description most likely means."""
    version = ModelVersion.objects.live(Space.STORY)
    place = None if version is None else place_of(version, description)
    near: list[int] = []
    if version is not None and place is not None:
        nearest = retrieval.nearest(version, place, allowed, CANDIDATES)
        near = [neighbour.movie_id for neighbour in nearest]
    allowed_ids, parameters = allowed.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _MEANT.format(allowed=allowed_ids),
            [
                *(description, *parameters, CANDIDATES, near, version and version.pk),
                *(weights.words, weights.story),
                *(None if place is None else str(place.tolist()), weights.renown, limit),
            ],
        )
        return [row[0] for row in cursor.fetchall()]


# BM25 with k1 = 0.6, b = 0.5, overviews of 350 letters on average, and each word counted once: that
# a film's overview has a word twice says little. Words in most of the overviews ("film") say next
# to nothing, and would bring all of them. Where no word is known, neither is a meaning.
# A film that nobody has rated, but of which there is much to tell, counts as if six people had.
# Of a few words many films can be meant: the fewer they say, the less a film's renown decides.
_MEANT = """
    WITH lexeme AS (
        SELECT lexeme, quote_literal(lexeme)::tsquery AS query
        FROM unnest(to_tsvector('english', %s))
        WHERE lexeme <> ALL (
            ARRAY(
                SELECT common.lexeme
                FROM
                    pg_stats,
                    unnest(most_common_elems::text::text[], most_common_elem_freqs)
                        AS common (lexeme, share)
                WHERE schemaname = current_schema() AND tablename = 'movie_overview_words'
                    AND common.lexeme IS NOT NULL AND common.share > 0.5
            )
        )
    ),
    hit AS (
        SELECT
            movie.id,
            length(movie.overview) / 350.0::float8 AS size,
            lexeme.lexeme,
            count(*) OVER (PARTITION BY lexeme.lexeme)::float8 AS films
        FROM lexeme JOIN movies_movie AS movie
            ON to_tsvector('english', coalesce(movie.overview, '')) @@ lexeme.query
    ),
    telling AS (
        SELECT
            lexeme,
            ln(1 + (greatest(max(reltuples), max(films)) - max(films) + 0.5) / (max(films) + 0.5))
                AS idf
        FROM hit, pg_class
        WHERE pg_class.oid = 'movies_movie'::regclass
        GROUP BY lexeme
    ),
    shared AS (
        SELECT hit.id, sum(telling.idf * 1.6 / (1 + 0.6 * (0.5 + 0.5 * hit.size))) AS score
        FROM hit JOIN telling USING (lexeme)
        GROUP BY hit.id
    ),
    candidate AS (
        (
            SELECT id FROM shared WHERE id IN ({allowed}) ORDER BY score DESC, id LIMIT %s
        )
        UNION
        SELECT unnest(%s::bigint[]) WHERE EXISTS (SELECT FROM shared)
    )
    SELECT movie.id
    FROM
        candidate
        JOIN movies_movie AS movie USING (id)
        LEFT JOIN shared USING (id)
        LEFT JOIN recommender_movievector AS placed
            ON placed.movie_id = movie.id AND placed.version_id = %s
    ORDER BY
        %s * coalesce(shared.score, 0)
        + %s * coalesce(1 - (placed.vector <=> %s::vector), 0)
        + %s * least(1, (SELECT sum(idf) FROM telling) / 30) * greatest(
            ln(1 + movie.rating_count), 2 * (least(length(movie.overview), 1000) / 1000.0) ^ 2
        ) DESC,
        movie.id
    LIMIT %s
"""
