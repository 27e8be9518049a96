"""Answers that are kept for some minutes, each under all that it follows from.

The key holds who asked and for what, the live version, and the person's own revisions, which the
database counts up with every change of theirs: their next answer is made anew, and nobody is given
another's. What else an answer tells, such as how many people have rated a film, may be as old as
`KEPT_SECONDS`.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from redis.exceptions import RedisError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from recommender.models import ModelVersion, Space
from users.models import User

KEPT_SECONDS = 5 * 60

logger = logging.getLogger(__name__)


Live = tuple[int, int]
"""The live version of taste: its key, and how many films it has placed by what is told of them."""


def answer(
    name: str,
    request: Request,
    query: Mapping[str, Any],
    make: Callable[[ModelVersion | None], Any],
) -> HttpResponse:
    """Answer with the JSON of what `make` gives, or gave lately for the same person and state.

    `make` is given the live version of taste, None before the first.
    """
    # With a token it was read already.
    live = getattr(request.auth, "live_taste", None) or _live()
    key = _key(name, request.user, live, query)
    content = _read(key)
    if content is None:
        content = JSONRenderer().render(make(_version(live) if live else None))
        _write(key, content)
    return HttpResponse(content, content_type="application/json")


def _live() -> Live | None:
    # Not by way of a model, which takes longer than all the rest of an answer that is kept.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, predicted_count FROM recommender_modelversion"
            " WHERE space = %s AND state = %s",
            [Space.TASTE, ModelVersion.State.LIVE],
        )
        found: Live | None = cursor.fetchone()
    return found


@lru_cache(maxsize=1)
def _version(live: Live) -> ModelVersion | None:
    """The live version; what of it could change is in `live`."""
    return ModelVersion.objects.defer("gramian").filter(pk=live[0]).first()


def _key(
    name: str, person: User | AnonymousUser, live: Live | None, query: Mapping[str, Any]
) -> str:
    state: list[Any] = [live]
    if isinstance(person, User):
        dials = list(person.dials.to_dict().values())
        state += [person.taste_revision, person.lists_revision, dials]
    asked = json.dumps([sorted(query.items()), state])
    # A digest, for a query may be long and hold any sign.
    digest = hashlib.sha256(asked.encode()).hexdigest()
    return f"{name}:{person.pk if isinstance(person, User) else 'visitor'}:{digest}"


def _read(key: str) -> bytes | None:
    try:
        content: bytes | None = cache.get(key)
    except RedisError as error:
        logger.warning("Kept answers cannot be read: %s", error)
        return None
    return content


def _write(key: str, content: bytes) -> None:
    try:
        cache.set(key, content, timeout=KEPT_SECONDS)
    except RedisError as error:
        logger.warning("An answer cannot be kept: %s", error)
