"""A film for tonight: one of the person's own recommendations, the same for the whole evening.

It is kept in the cache and goes once nobody has looked at it for some hours, so that an evening is
an evening in every time zone, and on every device of the person.
"""

import logging
import random
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

from movies.models import Movie
from recommender.serving.recommend import NO_FILTERS, explain, recommend
from recommender.serving.retrieval import candidates
from recommender.serving.stars import Prediction, predicted_stars
from users.models import User

KEPT_SECONDS = 8 * 60 * 60
CHOICES = 12
"""The pick is one of so many of the person's best films that they have not passed over."""
REASONS = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Because:
    """A rating of the person's own that speaks for the pick."""

    title: str
    address: str
    stars: float


@dataclass(frozen=True)
class Pick:
    """The film, and why it is this one."""

    movie: Movie
    because: list[Because]
    prediction: Prediction | None


def pick_of(person: User) -> Pick | None:
    """Return this evening's pick; None where none was made, or the person has settled the film."""
    kept = _read(person)
    if kept is None:
        return None
    movie = candidates(person, NO_FILTERS).filter(pk=kept["movie_id"]).first()
    if movie is None:
        return None
    _write(person, kept)
    because = [Because(*reason) for reason in kept["because"]]
    prediction = Prediction(*kept["prediction"]) if kept["prediction"] else None
    return Pick(movie, because, prediction)


def pick_another(person: User) -> Pick | None:
    """Pick a film that was not picked yet this evening; None where there is no film at all.

    Once the person has passed over every film that there is, they come round again.
    """
    kept = _read(person)
    passed = [*kept["passed"], kept["movie_id"]] if kept else []
    found = [choice.movie for choice in recommend(person, CHOICES + len(passed))]
    choices = [movie for movie in found if movie.pk not in passed][:CHOICES]
    if not choices:
        passed, choices = [], found
    if not choices:
        return None
    movie = random.choice(choices)
    because = [
        Because(reason.movie.title, reason.movie.get_absolute_url(), reason.stars)
        for reason in explain(person, [movie], REASONS)[movie.pk]
    ]
    prediction = predicted_stars(person, [movie]).get(movie.pk)
    # Plain values: what an older release has kept, a newer one can read.
    kept = {
        "movie_id": movie.pk,
        "because": [(reason.title, reason.address, reason.stars) for reason in because],
        "prediction": (prediction.stars, prediction.within) if prediction else None,
        "passed": passed,
    }
    _write(person, kept)
    return Pick(movie, because, prediction)


def _key(person: User) -> str:
    return f"tonight:{person.pk}"


def _read(person: User) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] | None = cache.get(_key(person))
    except RedisError as error:
        # A pick that is not kept is better than no page.
        logger.warning("This evening's pick cannot be read: %s", error)
        return None
    return kept


def _write(person: User, kept: dict[str, Any]) -> None:
    try:
        cache.set(_key(person), kept, timeout=KEPT_SECONDS)
    except RedisError as error:
        logger.warning("This evening's pick cannot be kept: %s", error)
