"""What a load balancer asks: does the process live, and can it serve?

Answered before every other middleware, so that neither a session, a redirect to https nor the
name that the balancer calls us by can spoil the answer.
"""

import functools
import logging
from collections.abc import Callable

import psycopg
import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse

from recommender.models import ModelVersion, Space

TIMEOUT_SECONDS = 2

logger = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponse]


class NotReady(Exception):
    """A check failed. The message says how, without the names of hosts: anybody may read it."""


class HealthMiddleware:
    """Answer `/healthz` (the process lives) and `/readyz` (it can serve) with JSON."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.answers: dict[str, Answer] = {"/healthz": healthz, "/readyz": readyz}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if answer := self.answers.get(request.path_info):
            response = answer(request)
            response["Cache-Control"] = "no-store"
            return response
        return self.get_response(request)


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all; it asks nobody else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 where the site can serve, 503 where it cannot, and what is wrong in either case.

    Without the cache it is degraded and yet ready: every page works, only training waits, and a
    balancer that turned people away from it would do them no good. Without a live model it is
    ready too: it shows what most people like.
    """
    answer: dict[str, object] = {"live_model": None}
    checks: dict[str, str] = {}
    for name, check in {"database": _check_database, "cache": _check_cache}.items():
        try:
            answer |= check()
            checks[name] = "ok"
        except NotReady as failure:
            logger.warning("Not ready: %s: %s (%s)", name, failure, failure.__cause__)
            checks[name] = str(failure)
    is_ready = checks["database"] == "ok"
    is_whole = set(checks.values()) == {"ok"}
    status = "ok" if is_whole else "degraded" if is_ready else "unavailable"
    answer |= {"status": status, "checks": checks}
    return JsonResponse(answer, status=200 if is_ready else 503)


def _check_database() -> dict[str, object]:
    """Read the migrations and the live version over a new connection that gives up soon.

    The request's own connection could wait for a dead host for minutes.
    """
    parameters = connection.get_connection_params() | {"connect_timeout": TIMEOUT_SECONDS}
    try:
        with psycopg.connect(**parameters, autocommit=True) as probe:
            probe.execute(f"SET statement_timeout = '{TIMEOUT_SECONDS}s'")
            applied = probe.execute("SELECT app, name FROM django_migrations").fetchall()
            missing = _migrations().difference(applied)
            if missing:
                app, name = min(missing)
                raise NotReady(f"{len(missing)} migrations to apply, such as {app}.{name}")
            live = probe.execute(
                "SELECT id FROM recommender_modelversion WHERE space = %s AND state = %s",
                [Space.TASTE.value, ModelVersion.State.LIVE.value],
            ).fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise NotReady("no migration has been applied") from error
    except psycopg.Error as error:
        raise NotReady("not reachable") from error
    return {"live_model": live[0] if live else None}


@functools.cache
def _migrations() -> frozenset[tuple[str, str]]:
    """The (app, name) of every migration that this code knows, read from disk once."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _check_cache() -> dict[str, object]:
    """Ask Valkey, which is the cache, the throttles' memory and the queue of runs."""
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **timeouts) as client:
            client.ping()
    except redis.RedisError as error:
        raise NotReady("not reachable") from error
    return {}
