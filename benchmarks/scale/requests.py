"""What people wait for, of the site as its web server serves it: requests beside their baselines.

Measured on whatever the database holds, with its live version of taste. Recommendations are those
of the API, for people of the dataset, each with a token of their own.
"""

import http.client
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pgvector.psycopg import register_vector
from rest_framework.authtoken.models import Token

from benchmarks.scale import load, retrieval, server
from benchmarks.scale.load import LoadPair, Target
from benchmarks.scale.server import Server
from movies.models import Movie
from recommender.models import ModelVersion
from recommender.serving import rerank
from recommender.serving.retrieval import EF_SEARCH
from users.models import Rating, User

RECOMMENDATIONS = "/api/v1/recommendations/"
ANSWERS = {
    "one": ("one recommendation, with reasons and predicted stars", RECOMMENDATIONS),
    "one_alone": (
        "one recommendation, films and scores alone",
        f"{RECOMMENDATIONS}?fields=movie,score",
    ),
}
"""What is asked for one by one: in words, and its address."""
ONE_BY_ONE, RATERS, MANY = 200, 200, 2_000
"""How many people are asked for one after the other, how many rate, and how many ask at once."""
ASKED_BEFORE = 200
"""Of those who ask at once, how many ask again what they were answered before."""
CLIENTS = (1, 8, 32)
LOAD_SECONDS = 5
HOME_RATINGS = (20, 2_000)
LOAD_COLUMNS = ("clients", "asked for", "requests/s", "p50, ms", "p95, ms", "p99, ms", "errors")

# The films nearest to a person that they have not rated: as many as a page is chosen from.
_NEAREST = """
    SELECT placed.movie_id, placed.{vector} <#> (
        SELECT vector FROM recommender_uservector WHERE user_id = %(person)s
        AND version_id = %(version)s)::vector({dimensions}) AS distance
    FROM recommender_movievector AS placed
    WHERE placed.version_id = %(version)s AND NOT EXISTS (
        SELECT FROM users_rating WHERE user_id = %(person)s AND movie_id = placed.movie_id)
    ORDER BY distance LIMIT %(pool)s
"""


def measure(pairs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure it all on the live version of this process's database; JSON-able, see `tables`.

    It adds ratings to the database.

    Raises RuntimeError where no version is live or the site does not answer as it should.
    """
    version = ModelVersion.objects.live()
    if version is None:
        raise RuntimeError("No version is live.")
    ids = np.array(User.objects.filter(vectors__version=version).values_list("pk", flat=True))
    ids = np.random.default_rng(0).permutation(ids)[: ONE_BY_ONE + RATERS + MANY]
    some = max(1, min(ONE_BY_ONE, len(ids) // 4))
    one_by_one, raters, many = np.split(ids, [some, 2 * some])
    tokens = _tokens(ids)
    say("The index beside the exact scan")
    asked = list(User.objects.filter(pk__in=many[: retrieval.QUESTIONS].tolist()))
    found: dict[str, Any] = {"retrieval": retrieval.measure(version, asked)}
    with server.running() as site:
        say("Recommendations, one by one")
        for name, (_, address) in ANSWERS.items():
            found[name] = _one_by_one(site, address, version, one_by_one, tokens)
        if load.is_there():
            say(f"Recommendations, {', '.join(map(str, CLIENTS))} clients at once")
            found["load"] = {
                name: [each.to_dict() for each in compared]
                for name, compared in _under_load(site, many, tokens, pairs).items()
            }
        say("Ratings, and what is recommended next")
        found["rating"] = _ratings(site, raters, tokens)
        say("The home page")
        found["home"] = {str(count): _home(site, count) for count in HOME_RATINGS}
        found["web_megabytes"] = site.megabytes()
    return found


Cells = Sequence[tuple[str, ...]]


def tables(found: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Cells]]:
    """Columns and rows of each table, to be read."""
    yield ("what is waited for", "measured", "aim"), _figures(found)
    if "load" in found:
        yield LOAD_COLUMNS, _loads(found)


def _figures(found: Mapping[str, Any]) -> Cells:
    rating, home, index = (found[name] for name in ("rating", "home", "retrieval"))
    few, many = (home[str(count)] for count in HOME_RATINGS)
    return [
        *(
            (
                f"{what} / bare SQL for the same neighbours",
                f"{one['ratio']:.2f} ({one['ours']:.1f} / {one['theirs']:.1f} ms)",
                "≤ 3",
            )
            for name, (what, _) in ANSWERS.items()
            # What was kept of an earlier release lacks one.
            if (one := found.get(name))
        ),
        *(
            (
                f"recommendations a second, {asked} / a bare view's, {pair['clients']} clients",
                f"{pair['ratio']:.2f}; {_errors(pair)} errors",
                "≥ 0.5, no error",
            )
            for asked, pairs in found.get("load", {}).items()
            for pair in pairs
        ),
        (
            "a rating and the next recommendations, 95th percentile",
            f"{rating['p95']:.0f} ms (median {rating['p50']:.0f})",
            "< 60 ms",
        ),
        (
            f"SQL queries of the home page, {HOME_RATINGS[0]} and {HOME_RATINGS[1]:,} ratings",
            f"{few['queries']} and {many['queries']}"
            f" (first byte {few['milliseconds']:.0f} and {many['milliseconds']:.0f} ms)",
            "≤ 5, the same",
        ),
        (
            "memory of a web process",
            f"{max(found['web_megabytes']):.0f} MB",
            "< 200 MB",
        ),
        (
            f"share of the exact top 20 of {index['films']:,} films, filtered",
            f"{index['found']:.3f} (in a pool of {rerank.WINDOW} {index['found_by_pool']:.3f})",
            "≥ 0.98",
        ),
        (
            "the index's time / the exact scan's, unfiltered",
            f"{index['ratio']:.2f} ({index['index']:.1f} / {index['exact']:.1f} ms)",
            "≤ 0.1",
        ),
    ]


def _loads(found: Mapping[str, Any]) -> Cells:
    return [
        (
            str(pair["clients"]),
            what,
            *(
                f"{statistics.median(each[name] for each in pair[side]):.{digits}f}"
                for name, digits in (
                    ("requests_a_second", 0),
                    ("p50", 1),
                    ("p95", 1),
                    ("p99", 1),
                )
            ),
            str(sum(each["errors"] for each in pair[side])),
        )
        for asked, pairs in found["load"].items()
        for pair in pairs
        for side, what in (("ours", f"recommendations, {asked}"), ("theirs", "bare view"))
    ]


def _errors(pair: Mapping[str, Any]) -> int:
    return sum(each["errors"] for side in ("ours", "theirs") for each in pair[side])


def _tokens(user_ids: Sequence[int]) -> dict[int, str]:
    """Each person's Authorization header, by user id."""
    tokens = [Token(user_id=int(user_id), key=Token.generate_key()) for user_id in user_ids]
    Token.objects.filter(user__in=[token.user_id for token in tokens]).delete()
    Token.objects.bulk_create(tokens)
    return {token.user_id: f"Token {token.key}" for token in tokens}


def _one_by_one(
    site: Server,
    address: str,
    version: ModelVersion,
    user_ids: Sequence[int],
    tokens: Mapping[int, str],
) -> dict[str, float]:
    """Milliseconds of each person's first answer of the address, and of the bare query for it."""
    api = _Api(site)
    ours: list[float] = []
    theirs: list[float] = []
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        register_vector(database)
        if version.vector_count > settings.EXACT_SCAN_MAX_VECTORS:
            database.execute("SET hnsw.iterative_scan = relaxed_order")
            database.execute(f"SET hnsw.ef_search = {EF_SEARCH}")
        statement = _nearest_statement(version)
        for number, user_id in enumerate(user_ids):
            given = {"person": int(user_id), "version": version.pk, "pool": rerank.WINDOW}
            turns: list[tuple[Callable[[], object], list[float]]] = [
                (lambda key=tokens[user_id]: api.get(address, key), ours),
                (lambda given=given: database.execute(statement, given).fetchall(), theirs),
            ]
            for work, kept in turns if number % 2 == 0 else turns[::-1]:
                kept.append(_milliseconds(work))
    return {
        "ratio": statistics.median(one / other for one, other in zip(ours, theirs, strict=True)),
        "ours": statistics.median(ours),
        "theirs": statistics.median(theirs),
    }


def _nearest_statement(version: ModelVersion) -> str:
    """The bare query, by the index where the site asks the index."""
    is_large = version.vector_count > settings.EXACT_SCAN_MAX_VECTORS
    vector = f"vector::vector({version.dimensions})" if is_large else "vector"
    return _NEAREST.format(vector=vector, dimensions=version.dimensions)


def _under_load(
    site: Server, user_ids: Sequence[int], tokens: Mapping[int, str], pairs: int
) -> dict[str, list[LoadPair]]:
    """Of different people, by whether they ask for the first time, or again and nothing changed."""
    films = Movie.objects.order_by("?").values_list("pk", flat=True)[:MANY]
    theirs: list[Target] = [(f"/bare/{pk}/", "") for pk in films]
    load.ask(site.base, theirs, CLIENTS[1], LOAD_SECONDS)
    api = _Api(site)
    before = [tokens[user_id] for user_id in user_ids[:ASKED_BEFORE]]
    for key in before:
        api.get(RECOMMENDATIONS, key)
    again: list[Target] = [(RECOMMENDATIONS, key) for key in before]
    kinds = {
        "asked first": _never_asked([tokens[user_id] for user_id in user_ids]),
        "asked again": itertools.repeat(again),
    }
    return {
        name: [
            load.compare(site.base, ours, theirs, clients, pairs, LOAD_SECONDS)
            for clients in CLIENTS
        ]
        for name, ours in kinds.items()
    }


def _never_asked(keys: Sequence[str]) -> Iterator[list[Target]]:
    """Targets of which no two are alike, nor any that were before: none is answered from memory."""
    for turn in itertools.count(1):
        varieties = (0.02 + (turn * MANY + place) * 1e-9 for place in range(MANY))
        yield [
            (f"{RECOMMENDATIONS}?variety={variety:.9f}", key)
            for variety, key in zip(varieties, itertools.cycle(keys), strict=False)
        ]


def _ratings(site: Server, user_ids: Sequence[int], tokens: Mapping[int, str]) -> dict[str, float]:
    """Milliseconds from a rating to the list that knows of it.

    Raises RuntimeError where a list still has the film.
    """
    api = _Api(site)
    taken: list[float] = []
    changed = 0
    for user_id in user_ids:
        before = _films(api.get(RECOMMENDATIONS, tokens[user_id]))
        film, key = before[0], tokens[user_id]

        def rate_and_look(film: int = film, key: str = key) -> bytes:
            api.put(f"/api/v1/ratings/{film}/", key, {"stars": 4.5})
            return api.get(RECOMMENDATIONS, key)

        start = time.perf_counter()
        after = _films(rate_and_look())
        taken.append(1000 * (time.perf_counter() - start))
        if film in after:
            raise RuntimeError(f"Film {film} is recommended to {user_id}, who has rated it.")
        # Beside the film itself, and the one that took its place.
        changed += set(before) - {film} != set(after[:-1])
    p50, p95 = np.percentile(taken, [50, 95])
    return {"p50": float(p50), "p95": float(p95), "people": len(taken), "changed": changed}


def _films(answer: bytes) -> list[int]:
    return [each["movie"]["id"] for each in json.loads(answer)["results"]]


def _home(site: Server, ratings: int) -> dict[str, float]:
    """SQL queries of the page for a person with so many ratings, and milliseconds to its start."""
    person, _ = User.objects.get_or_create(
        username=f"benchmark-{ratings}", defaults={"password": make_password(None)}
    )
    films = Movie.objects.order_by("-rating_count", "pk").values_list("pk", flat=True)[:ratings]
    Rating.objects.bulk_create(
        [Rating(user=person, movie_id=pk, value=6 + place % 5) for place, pk in enumerate(films)],
        ignore_conflicts=True,
    )
    browser = Client(SERVER_NAME=site.host)
    browser.force_login(person)
    browser.get("/tonight/", headers={"HX-Request": "true"})
    with CaptureQueriesContext(connection) as queries:
        answer = browser.get("/")
    if answer.status_code != http.client.OK:
        raise RuntimeError(f"The home page answers {answer.status_code}.")
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.session.session_key}"
    over_http = _Api(site)
    over_http.get("/", cookie=cookie)
    taken = [_milliseconds(lambda: over_http.get("/", cookie=cookie)) for _ in range(20)]
    return {"queries": len(queries), "milliseconds": statistics.median(taken)}


class _Api:
    """One connection to the server, kept open."""

    def __init__(self, site: Server) -> None:
        self._connection = http.client.HTTPConnection(site.host, site.port, timeout=60)

    def get(self, address: str, key: str = "", cookie: str = "") -> bytes:
        return self._ask("GET", address, {"Authorization": key, "Cookie": cookie})

    def put(self, address: str, key: str, body: Mapping[str, Any]) -> bytes:
        headers = {"Authorization": key, "Content-Type": "application/json"}
        return self._ask("PUT", address, headers, json.dumps(body))

    def _ask(
        self, method: str, address: str, headers: Mapping[str, str], body: str | None = None
    ) -> bytes:
        given = {name: value for name, value in headers.items() if value}
        self._connection.request(method, address, body, given)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {address} answers {answer.status}: {content[:500]!r}")
        return content


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)
