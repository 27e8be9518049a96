"""What a person's ratings say of them, beside what everybody's say: the numbers of their pictures.

A person's own are counted by the database, so that a portrait of thousands of ratings takes as many
queries, and as few rows, as one of twenty. Everybody's follow from the films' counts, and are kept
in the cache.
"""

import logging
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Avg, Count, F, Max, Min, QuerySet, Sum
from django.utils.formats import date_format
from redis.exceptions import RedisError

from movies.models import Credit, Movie, Person
from users.models import MAX_HALF_STARS, MIN_HALF_STARS, Rating, User

FEWEST_FILMS = 5
"""Ratings of a genre or a decade from which on something is said of it."""
FEWEST_BY = {Credit.Role.DIRECTOR: 2, Credit.Role.CAST: 3}
PRIOR_FILMS = 5
"""So many films that were liked as others like them are added to a person's own of each kind."""
PRIOR_SHARE = 30
"""So many ratings of everybody's are added to a person's own where shares are compared."""
LOVED, SKIPPED = 0.15, 0.6
"""Stars above the others, and the part of everyone's share, that make a kind loved or skipped."""
WORTH_SKIPPING = 0.03
"""A share of everyone's ratings below which it says nothing to skip a kind."""
FEWEST_OTHERS = 10
"""Ratings of a film by others that make an average to be contrary to."""
MAKERS, CONTRARY = 8, 6
MOST_DAYS, MOST_MONTHS = 31, 36
SAMPLED_RATINGS = 200_000
KEPT_SECONDS = 60 * 60
# The number changes with the fields of `Everyone`, so that none of an older make is read.
EVERYONE = "portrait:everyone:1"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Period:
    """The ratings of a day, a month or a year."""

    start: date
    name: str
    films: int
    mean: float | None
    """In stars."""


@dataclass(frozen=True)
class Kind:
    """A genre or a decade: the person's ratings of its films beside everybody's."""

    key: str
    name: str
    films: int
    share: float
    """Of the person's ratings, 0 to 1."""
    everyones_share: float
    mean: float
    """In stars."""
    everyones_mean: float
    love: float
    """Stars above what others gave the same films, beyond what the person gives above others
    everywhere, shrunk towards 0: with few films little is said."""
    reach: float
    """The person's share, shrunk towards everyone's, as a multiple of that."""

    @property
    def is_told(self) -> bool:
        """Whether there are films enough to say how much the person loves them."""
        return self.films >= FEWEST_FILMS

    @property
    def is_loved(self) -> bool:
        return self.is_told and self.love >= LOVED

    @property
    def is_disliked(self) -> bool:
        return self.is_told and self.love <= -LOVED

    @property
    def is_skipped(self) -> bool:
        return self.everyones_share >= WORTH_SKIPPING and self.reach <= SKIPPED


@dataclass(frozen=True)
class Maker:
    """A director or an actor whose films the person gives more stars than others do."""

    person: Person
    films: int
    mean: float
    love: float
    """As `Kind.love`."""


@dataclass(frozen=True)
class Contrary:
    """A rating far from what the others gave."""

    movie: Movie
    stars: float
    others_mean: float
    others: int


@dataclass(frozen=True)
class Everyone:
    """What all people's ratings come to."""

    ratings: int
    half_stars: int
    distribution: list[float]
    """The share of each value, half a star first."""
    genres: dict[str, tuple[str, int, int]]
    """Name, ratings and half stars by slug."""
    decades: dict[str, tuple[str, int, int]]

    def is_near(self, ratings: int, half_stars: int) -> bool:
        """Whether so many ratings of so many half stars are these, but for a hundredth."""
        return (
            abs(self.ratings - ratings) <= 0.01 * ratings
            and abs(self.half_stars - half_stars) <= 0.01 * half_stars
        )

    @property
    def mean(self) -> float:
        return self.half_stars / self.ratings / 2 if self.ratings else 0.0


@dataclass(frozen=True)
class Portrait:
    """What a person's ratings come to; empty where there are none."""

    everyone: Everyone
    films: int = 0
    mean: float = 0.0
    first: datetime | None = None
    last: datetime | None = None
    distribution: list[int] = field(default_factory=list)
    over_time: list[Period] = field(default_factory=list)
    genres: list[Kind] = field(default_factory=list)
    """The most loved first."""
    decades: list[Kind] = field(default_factory=list)
    """The earliest first."""
    directors: list[Maker] = field(default_factory=list)
    actors: list[Maker] = field(default_factory=list)
    contrary: list[Contrary] = field(default_factory=list)


def portray(person: User) -> Portrait:
    """Return the person's portrait, of all their ratings: those left out of their taste too."""
    ratings = Rating.objects.filter(user=person)
    whole = ratings.order_by().aggregate(
        films=Count("movie_id"),
        mean=Avg("value"),
        generosity=Avg(F("value") - F("movie__weighted_rating")),
        first=Min("rated_at"),
        last=Max("rated_at"),
    )
    everyone = of_everyone()
    films, generosity = whole["films"], whole["generosity"]
    if not films:
        return Portrait(everyone)
    return Portrait(
        everyone,
        films,
        whole["mean"] / 2,
        whole["first"],
        whole["last"],
        ratings.distribution(),
        _over_time(ratings, whole["first"], whole["last"]),
        sorted(
            _kinds(ratings.by_genre(), everyone.genres, films, generosity, everyone.ratings),
            key=lambda kind: (-kind.love, kind.name),
        ),
        sorted(
            _kinds(ratings.by_decade(), everyone.decades, films, generosity, everyone.ratings),
            key=lambda kind: kind.key,
        ),
        _makers(ratings, Credit.Role.DIRECTOR, generosity),
        _makers(ratings, Credit.Role.CAST, generosity),
        _contrary(ratings),
    )


def of_everyone() -> Everyone:
    """Return everybody's figures from the cache, as long as they are true to a hundredth.

    They are counted anew when a hundredth of the ratings is new or gone, and after an hour.
    """
    total = Movie.objects.aggregate(ratings=Sum("rating_count"), half_stars=Sum("rating_sum"))
    ratings, half_stars = total["ratings"] or 0, total["half_stars"] or 0
    try:
        kept = cache.get(EVERYONE)
        if kept is None or not kept.is_near(ratings, half_stars):
            kept = _count_everyone(ratings, half_stars)
            cache.set(EVERYONE, kept, KEPT_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("Everyone's figures are counted anew, the cache is away: %s", error)
        return _count_everyone(ratings, half_stars)
    return kept


def _count_everyone(ratings: int, half_stars: int) -> Everyone:
    movies = Movie.objects.all()
    return Everyone(
        ratings,
        half_stars,
        _everyones_distribution(ratings),
        {row["key"]: (row["name"], row["ratings"], row["half_stars"]) for row in movies.by_genre()},
        {
            f"{row['key']}": (f"{row['key']}s", row["ratings"], row["half_stars"])
            for row in movies.by_decade()
        },
    )


def _everyones_distribution(ratings: int) -> list[float]:
    """The share of each value, among some hundred thousand ratings where there are more."""
    percent = min(100.0, 100.0 * SAMPLED_RATINGS / max(ratings, 1))
    with connection.cursor() as cursor:
        # Whole pages of the table are drawn, so that the rest need not be read.
        cursor.execute(
            "SELECT value, count(*) FROM users_rating TABLESAMPLE SYSTEM (%s) REPEATABLE (0)"
            " GROUP BY value",
            [percent],
        )
        counts = dict(cursor.fetchall())
    total = max(sum(counts.values()), 1)
    return [counts.get(value, 0) / total for value in range(MIN_HALF_STARS, MAX_HALF_STARS + 1)]


def _over_time(ratings: "QuerySet[Rating]", first: datetime, last: datetime) -> list[Period]:
    """Return the ratings by day, month or year, whichever makes a few dozen periods at most."""
    days = (last.date() - first.date()).days + 1
    months = _month(last.date()) - _month(first.date()) + 1
    if days <= MOST_DAYS:
        unit, form = "day", "j M"
        starts = [date.fromordinal(first.date().toordinal() + day) for day in range(days)]
    elif months <= MOST_MONTHS:
        unit, form = "month", "M Y"
        numbers = range(_month(first.date()), _month(last.date()) + 1)
        starts = [date(number // 12, number % 12 + 1, 1) for number in numbers]
    else:
        unit, form = "year", "Y"
        starts = [date(year, 1, 1) for year in range(first.year, last.year + 1)]
    found = {row["start"].date(): row for row in ratings.by_time(unit)}
    return [_period(start, form, found.get(start)) for start in starts]


def _month(day: date) -> int:
    return 12 * day.year + day.month - 1


def _period(start: date, form: str, row: dict[str, Any] | None) -> Period:
    name = date_format(start, form)
    return (
        Period(start, name, row["films"], row["mean"] / 2) if row else Period(start, name, 0, None)
    )


def _kinds(
    rows: "QuerySet[Rating, dict[str, Any]]",
    everyones: dict[str, tuple[str, int, int]],
    films: int,
    generosity: float,
    ratings: int,
) -> list[Kind]:
    """Return the kinds that anybody rated films of, those that the person did not touch too."""
    own = {str(row["key"]): row for row in rows}
    found = []
    for key, (name, count, half_stars) in everyones.items():
        everyones_share = count / ratings
        row = own.get(key, {"films": 0, "half_stars": 0, "above": 0.0})
        found.append(
            Kind(
                key=key,
                name=name,
                films=row["films"],
                share=row["films"] / films,
                everyones_share=everyones_share,
                mean=row["half_stars"] / row["films"] / 2 if row["films"] else 0.0,
                everyones_mean=half_stars / count / 2,
                love=_love(row, generosity),
                reach=_reach(row["films"], films, everyones_share),
            )
        )
    return found


def _love(row: dict[str, Any], generosity: float) -> float:
    """Stars above the others for each film, with `PRIOR_FILMS` at 0 besides."""
    return (row["above"] - row["films"] * generosity) / (row["films"] + PRIOR_FILMS) / 2


def _reach(films: int, all_films: int, everyones_share: float) -> float:
    """The person's share as a multiple of everyone's, with `PRIOR_SHARE` of everyone's besides."""
    share = (films + PRIOR_SHARE * everyones_share) / (all_films + PRIOR_SHARE)
    return share / everyones_share


def _makers(ratings: "QuerySet[Rating]", role: str, generosity: float) -> list[Maker]:
    """Return those whose films the person likes best beside what others give them."""
    rows = list(ratings.by_maker(role, FEWEST_BY[role], PRIOR_FILMS, generosity)[:MAKERS])
    people = Person.objects.in_bulk([row["key"] for row in rows])
    return [
        Maker(
            people[row["key"]], row["films"], row["half_stars"] / row["films"] / 2, row["love"] / 2
        )
        for row in rows
        if row["love"] > 0
    ]


def _contrary(ratings: "QuerySet[Rating]") -> list[Contrary]:
    return [
        Contrary(rating.movie, rating.stars, rating.others_mean / 2, rating.movie.rating_count - 1)
        for rating in ratings.most_contrary(FEWEST_OTHERS)[:CONTRARY]
    ]
