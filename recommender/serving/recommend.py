"""Recommendations for a person, films like a film, and the reasons: what pages and API call.

Every answer is read from pgvector. Nothing of the model is held in memory but the live version's
Gramian.
"""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from movies.models import Movie, MovieQuerySet
from recommender.models import Metric, ModelVersion, MovieVector
from recommender.serving import explain as reasons
from recommender.serving import foldin, popular, retrieval
from recommender.serving.explain import Reason
from recommender.serving.retrieval import Filters
from users.models import User

__all__ = ["Filters", "Reason", "Recommendation", "explain", "recommend", "similar"]

NO_FILTERS = Filters()


@dataclass(frozen=True)
class Recommendation:
    """One film of an answer, best first."""

    movie: Movie
    score: float
    """The inner product (personal), or the Bayesian average in half stars (not personal)."""
    is_personal: bool
    """Whether the person's own vector chose the film, rather than what most people like."""


def recommend(
    person: User | AnonymousUser | None, k: int = 20, filters: Filters = NO_FILTERS
) -> list[Recommendation]:
    """Return the k best films for the person, k of them whenever k exist.

    Films outside the space follow those inside, the best liked first. People of whom nothing is
    known get films that most people like, of many kinds.
    """
    allowed = retrieval.candidates(person, filters)
    personal = _personal(person, allowed, k)
    if not personal:
        return _not_personal(popular.varied(allowed, k))
    missing = k - len(personal)
    if not missing:
        return personal
    rest = allowed.exclude(pk__in=[found.movie.pk for found in personal])
    return personal + _not_personal(popular.best(rest, missing))


def similar(movie: Movie, k: int = 20, person: User | AnonymousUser | None = None) -> list[Movie]:
    """Return the k films nearest to the film, without those that the person has dismissed.

    A film outside the space is likened to the best-liked films of its own genres.
    """
    others = Movie.objects.exclude(pk=movie.pk)
    if isinstance(person, User):
        others = others.exclude(pk__in=person.dismissed_ids)
    version = ModelVersion.objects.live()
    place = version and MovieVector.objects.filter(version=version, movie=movie).first()
    if not version or not place:
        return popular.best(others.filter(genres__in=movie.genres.all()).distinct(), k)
    # Inner products would answer every film with the films that most people like; the angle
    # between two films does not grow with either's popularity.
    found = retrieval.nearest(version, place.vector, others, k, metric=Metric.COSINE)
    movies = Movie.objects.with_genres().in_bulk([neighbour.movie_id for neighbour in found])
    return [movies[neighbour.movie_id] for neighbour in found]


def explain(person: User, movies: list[Movie], most: int = 3) -> dict[int, list[Reason]]:
    """Return, by movie id, the person's liked films that contributed most to each film's score."""
    movie_ids = [movie.pk for movie in movies]
    version = ModelVersion.objects.live()
    if version is None:
        return {movie_id: [] for movie_id in movie_ids}
    return reasons.explain(person, version, movie_ids, most)


def _personal(
    person: User | AnonymousUser | None, allowed: MovieQuerySet, k: int
) -> list[Recommendation]:
    """Return what the person's vector chooses, nothing where they have none."""
    version = ModelVersion.objects.live()
    if version is None or not isinstance(person, User):
        return []
    vector = foldin.user_vector(person, version)
    if vector is None:
        return []
    found = retrieval.nearest(version, vector, allowed, k)
    movies = Movie.objects.with_genres().in_bulk([neighbour.movie_id for neighbour in found])
    return [
        Recommendation(movies[neighbour.movie_id], neighbour.score, is_personal=True)
        for neighbour in found
    ]


def _not_personal(movies: list[Movie]) -> list[Recommendation]:
    return [Recommendation(movie, movie.weighted_rating, is_personal=False) for movie in movies]
