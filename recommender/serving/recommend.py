"""Recommendations for a person, films like a film, and the reasons for both.

Every function reads pgvector; nothing of the model is held in memory but the version's Gramian.
"""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from movies.models import Movie
from users.models import User


@dataclass(frozen=True)
class Filters:
    """Which films may be answered with; whatever the person rated or dismissed never may."""

    genre: str | None = None
    """A genre's slug."""
    first_year: int | None = None
    last_year: int | None = None


@dataclass(frozen=True)
class Recommendation:
    """One film of an answer, best first."""

    movie: Movie
    score: float
    """The inner product (personal), or the Bayesian average in half stars (not personal)."""
    is_personal: bool
    """Whether the person's own vector chose the film, rather than what most people like."""


@dataclass(frozen=True)
class Reason:
    """One of the person's own ratings that speaks for a recommendation."""

    movie: Movie
    stars: float
    share: float
    """Of the score's positive part, 0 to 1."""


def recommend(
    person: User | AnonymousUser, k: int = 20, filters: Filters | None = None
) -> list[Recommendation]:
    """Return the k best films for the person, k of them whenever k exist; people without liked
    ratings get a well-chosen start (popular by a Bayesian average, varied)."""
    raise NotImplementedError


def similar(movie: Movie, k: int = 20, person: User | AnonymousUser | None = None) -> list[Movie]:
    """Return the k films nearest to the film in the live space."""
    raise NotImplementedError


def explain(person: User, movies: list[Movie], most: int = 3) -> dict[int, list[Reason]]:
    """Return, by movie id, the person's liked films that contributed most to each film's score."""
    raise NotImplementedError
