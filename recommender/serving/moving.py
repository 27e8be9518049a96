"""New films move as ratings come: between trainings, without learning anything else anew.

A film that nobody had rated when the version was trained lies where what is told of it puts it
(`serving.placing`). Once people rate it, it moves to where it suits them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef
from django.db.models.functions import MD5, Cast
from numpy.typing import NDArray

from movies.models import Movie
from recommender.embedders import Rated
from recommender.models import ModelVersion, MovieVector, UserVector
from recommender.serving import foldin, placing
from users.models import Rating, User

FILMS_AT_A_TIME = 100
RATERS = 50
"""Of a film, the latest."""

_PEOPLE = 300
"""Whose scores tell what is typical of a version."""

_STIFFNESS = 50.0
"""How firmly a film keeps its first place: as many ratings weigh as much as the mean of everybody.
"""

_EVENNESS = 10.0
"""How stiff every direction is besides, by the mean over directions of how stiff that makes it."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Typical:
    """What scores are like in a version."""

    like: float
    """The mean score of a film that somebody has rated and likes."""
    dislike: float
    """And of one that they have rated and do not like."""
    softness: NDArray[np.float64]
    """(d, d) the inverse of M; see `moved`."""

    @classmethod
    def of(cls, people: Vectors, scores: Vectors, liked: NDArray[np.bool_]) -> "Typical":
        """Of the vectors of some people (m, d), and the scores of what they rated (n,), liked (n,)
        or not."""
        moments = people.T.astype(np.float64) @ people / len(people)
        even = np.eye(len(moments)) * (np.trace(moments) / len(moments) or 1.0)
        return cls(
            like=float(scores[liked].mean()) if liked.any() else 0.0,
            dislike=float(scores[~liked].mean()) if not liked.all() else 0.0,
            softness=np.asarray(np.linalg.inv(moments + _EVENNESS * even), dtype=np.float64),
        )


def moved(
    first: Vectors, raters: Vectors, liked: NDArray[np.bool_], typical: Typical
) -> NDArray[np.float32]:
    r"""The vector y (d,) of a film that began at `first` (d,), by raters (n, d), who liked (n,).

    A ridge regression towards the first place y₀, with the score t_u typical of a like or dislike:

        Σ_u (t_u − x_u·y)²  +  50 (y − y₀)ᵀ M (y − y₀),    M = mean of x xᵀ + 10 (tr / d) I

    so that what changes everybody's score is stiffer than what changes that of a few. The people's
    vectors x_u are those without this film. It takes an n × n solve.
    """
    people = raters.astype(np.float64)
    soft = people @ typical.softness
    missing = np.where(liked, typical.like, typical.dislike) - people @ first
    pull = np.linalg.solve(soft @ people.T + _STIFFNESS * np.eye(len(people)), missing)
    return np.asarray(first + soft.T @ pull, dtype=np.float32)


def move() -> int:
    """Move new films of the live version of taste whose ratings have changed; return how many.

    Of many, those first of which the fewest ratings were seen.
    """
    version = ModelVersion.objects.live()
    if version is None:
        return 0
    films = _changed(version)
    first = placing.first_places(films, version) if films else None
    if first is None:
        return 0
    for film, vector in zip(films, first, strict=True):
        _move(film, vector, version)
    return len(films)


def _changed(version: ModelVersion) -> list[Movie]:
    seen = (
        MovieVector.objects.filter(version=version, predicted=True)
        .exclude(ratings_seen=F("movie__rating_count"))
        .order_by("ratings_seen", "movie_id")
    )
    chosen = list(seen.values_list("movie_id", flat=True)[:FILMS_AT_A_TIME])
    return list(Movie.objects.filter(pk__in=chosen).with_genres().with_credits())


def _move(film: Movie, first: Vectors, version: ModelVersion) -> None:
    # The film's count was read before the ratings: of one that comes between, the next call hears.
    latest = Rating.objects.filter(movie=film).order_by("-rated_at", "-pk")
    raters = list(User.objects.filter(pk__in=latest.values("user_id")[:RATERS]))
    seen = [found for person in raters if (found := _without(person, film, version)) is not None]
    vector = first
    if seen:
        vectors, liked = zip(*seen, strict=True)
        vector = moved(first, np.array(vectors), np.array(liked), _typical(version.pk))
    with transaction.atomic():
        MovieVector.objects.filter(version=version, movie=film, predicted=True).update(
            vector=vector, ratings_seen=film.rating_count
        )
        # Their vectors hang on the film's: they are solved again when they are next needed.
        of_raters = Rating.objects.filter(movie=film).values("user_id")
        UserVector.objects.filter(version=version, user__in=of_raters).update(taste_revision=-1)


def _without(
    person: User, film: Movie, version: ModelVersion
) -> tuple[NDArray[np.float32], bool] | None:
    """The person's vector by all they rated but the film, and whether they like that.

    None where nothing else is known of them, or their rating counts for nothing.
    """
    rated = foldin.rated_movies(person, version)
    confidences = rated.rated.confidences[rated.movie_ids == film.pk]
    others = rated.movie_ids != film.pk
    if not confidences.any() or not others.any():
        return None
    vector = foldin.model_of(version).fold_in.vector(
        Rated(
            rated.rated.vectors[others],
            rated.rated.inputs[others],
            rated.rated.confidences[others],
        )
    )
    return vector, bool(confidences[0] > 0)


@lru_cache(maxsize=2)
def _typical(version_id: int) -> Typical:
    """What is typical of a version; it never changes, so it is kept in memory."""
    version = ModelVersion.objects.get(pk=version_id)
    model = foldin.model_of(version)
    # By a hash, which is as good as by chance and the same in every process.
    raters = User.objects.filter(Exists(Rating.objects.filter(user=OuterRef("pk"))))
    people, scores, liked = [], [], []
    for person in raters.order_by(MD5(Cast("pk", CharField())))[:_PEOPLE]:
        rated = foldin.rated_movies(person, version).rated
        if len(rated.confidences):
            people.append(model.fold_in.vector(rated))
            scores.append(rated.vectors @ people[-1])
            liked.append(rated.confidences > 0)
    return Typical.of(np.array(people), np.concatenate(scores), np.concatenate(liked))
