"""Recommendations for a person, and the reasons: what pages and API call.

Every answer is read from pgvector. Nothing of the model is held in memory but the live version's
Gramian.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import numpy as np
from django.contrib.auth.models import AnonymousUser
from numpy.typing import NDArray

from movies.listing import listed
from movies.models import Movie
from recommender.models import ModelVersion
from recommender.serving import dials as turning
from recommender.serving import explain as reasons
from recommender.serving import foldin, popular, rerank, retrieval
from recommender.serving.explain import Part, Placing, Pull, Reason
from recommender.serving.foldin import counted_ratings
from recommender.serving.kept_vectors import Numbers
from recommender.serving.retrieval import Filters, Pool
from recommender.serving.stars import Prediction, predict, predicted_stars
from recommender.vectors import binary_cursor
from users.dials import Dials, word
from users.models import User

__all__ = ["Filters", "Placing", "Reason", "Recommendation", "explain", "recommend"]

NO_FILTERS = Filters()


@dataclass(frozen=True)
class Recommendation:
    """One film of an answer, best first."""

    movie: Movie
    score: float
    """The inner product (personal), or the Bayesian average in half stars (not personal)."""
    is_personal: bool
    """Whether the person's own vector chose the film, rather than what most people like."""
    placing: Placing | None = None
    """How it came to its place, where its place is personal."""
    reasons: list[Reason] = field(default_factory=list)
    """Those that were asked for, the weightiest first."""
    prediction: Prediction | None = None
    """The person's stars for it, where they were asked for and can be told."""


@dataclass(frozen=True)
class _Choice:
    """A film that the person's vector chooses, before it is read."""

    movie_id: int
    score: float
    placing: Placing


def recommend(
    person: User | AnonymousUser | None,
    k: int = 20,
    filters: Filters = NO_FILTERS,
    dials: Dials | None = None,
    variety: float | None = None,
    version: ModelVersion | None = None,
    most_reasons: int = 0,
    with_stars: bool = False,
) -> list[Recommendation]:
    """Return the k best films for the person, k of them whenever k exist.

    A longer list begins with the shorter one. Films outside the space follow those inside, the
    best liked first. People of whom nothing is known get films that most people like, of many
    kinds.

    `dials` are the person's own where None. `variety` is the price of likeness within a page, as
    the dials have it where None; 0 is the model's order, but for what the dials pull. `version` is
    the live one, if looked up. Films that are chosen for the person have up to `most_reasons`, and
    `with_stars` all are predicted as far as they can be.
    """
    version = version or ModelVersion.objects.live()
    personal: list[Recommendation] = []
    if version and isinstance(person, User):
        chosen, read = _personal(person, version, filters, k, dials, variety)
        personal = _told(person, version, chosen, read, most_reasons, with_stars)
    missing = k - len(personal)
    if not missing:
        return personal
    allowed = retrieval.candidates(person, filters)
    if personal:
        rest = allowed.exclude(pk__in=[found.movie.pk for found in personal])
        others = popular.best(rest, missing)
    else:
        others = popular.varied(allowed, k)
    predictions = predicted_stars(person, others, version) if with_stars else {}
    return personal + [
        Recommendation(
            movie,
            movie.weighted_rating,
            is_personal=False,
            prediction=predictions.get(movie.pk),
        )
        for movie in others
    ]


def explain(
    person: User, movies: list[Movie], most: int = 3, version: ModelVersion | None = None
) -> dict[int, list[Reason]]:
    """Return, by movie id, the person's liked films that contributed most to each film's score.

    `version` is the live one, if looked up.
    """
    movie_ids = [movie.pk for movie in movies]
    version = version or ModelVersion.objects.live()
    if version is None:
        return {movie_id: [] for movie_id in movie_ids}
    return reasons.explain(person, version, movie_ids, most)


def _personal(
    person: User,
    version: ModelVersion,
    filters: Filters,
    k: int,
    dials: Dials | None,
    variety: float | None,
) -> tuple[list[_Choice], Mapping[int, Numbers]]:
    """Return what the person's vector chooses, nothing where they have none.

    And those of the films' vectors that were read and nobody keeps, by movie id.
    """
    vector = foldin.user_vector(person, version)
    if vector is None:
        return [], {}
    dials = person.dials if dials is None else dials
    less_like = _less_like(person, version)
    size = rerank.candidates_for(k)
    if len(less_like) or not dials.are_neutral:
        size = max(size, turning.POOL)
    allowed = retrieval.open_to(person, filters)
    pool = retrieval.pool(version, vector, allowed, size, with_facts=not dials.are_neutral)
    own = _liked(person, version) if dials.adventure else less_like[:0]
    pulls = turning.pulls(dials, pool, own, less_like)
    price = turning.variety(dials) if variety is None else variety
    return _in_order(pool, pulls, dials, k, price), pool.predicted


def _told(
    person: User,
    version: ModelVersion,
    chosen: list[_Choice],
    read: Mapping[int, Numbers],
    most_reasons: int,
    with_stars: bool,
) -> list[Recommendation]:
    """Return what was chosen with all that is told of it; `read` are vectors at hand.

    The person's ratings are read once, and so are the films and those that are reasons.
    """
    if not chosen:
        return []
    ids = [choice.movie_id for choice in chosen]
    parts: dict[int, list[Part]] = {}
    predictions: dict[int, Prediction] = {}
    ratings = counted_ratings([person])[person.pk] if most_reasons or with_stars else None
    if ratings and most_reasons:
        rated = foldin.rated_movies(person, version, ratings)
        parts = reasons.weightiest(rated, version, ids, most_reasons, read)
    movies = listed({*ids, *(part.movie_id for each in parts.values() for part in each)})
    if ratings and with_stars:
        predictions = predict([movies[movie_id] for movie_id in ids], ratings, version, read)
    return [
        Recommendation(
            movies[choice.movie_id],
            choice.score,
            is_personal=True,
            placing=choice.placing,
            reasons=reasons.told(parts.get(choice.movie_id, []), movies),
            prediction=predictions.get(choice.movie_id),
        )
        for choice in chosen
    ]


def _in_order(
    pool: Pool, pulls: dict[str, NDArray[np.float64]], dials: Dials, k: int, variety: float
) -> list[_Choice]:
    """Return the first k of the pool as the pulls and variety place them."""
    relevance = rerank.relevance_of(pool.scores)
    pulled = relevance + sum(pulls.values())
    order = np.argsort(-pulled, kind="stable")
    features = rerank.features(pool.vectors, pool.genres)
    places = rerank.by_page(pulled[order], features[order], k, variety)
    words = {name: word(name, stop) for name, stop in dials.to_dict().items()}
    return [
        _Choice(
            int(pool.movie_ids[row]),
            float(pool.scores[row]),
            Placing(
                place=number,
                by_taste=int(row) + 1,
                by_relevance=int(place) + 1,
                relevance=float(relevance[row]),
                pulls=tuple(
                    Pull(name, words.get(name, ""), float(pull[row]))
                    for name, pull in pulls.items()
                ),
            ),
        )
        for number, (row, place) in enumerate(zip(order[places], places, strict=True), start=1)
    ]


def _liked(person: User, version: ModelVersion) -> NDArray[np.float32]:
    """Return the vectors (m, d) of the films that the person liked."""
    rated = foldin.rated_movies(person, version).rated
    liked = rated.vectors[rated.confidences > 0]
    return np.asarray(liked, dtype=np.float32)


def _less_like(person: User, version: ModelVersion) -> NDArray[np.float32]:
    """Return the vectors (l, d) of the films that the person wants fewer like."""
    found = less_like([person], version)
    return found.get(person.pk, np.empty((0, version.dimensions), dtype=np.float32))


def less_like(people: Sequence[User], version: ModelVersion) -> dict[int, NDArray[np.float32]]:
    """Return, by user id, the vectors (l, d) of the films that people want fewer like, l ≥ 1."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT user_id, (SELECT vector FROM recommender_movievector"
            " WHERE movie_id = less.movie_id AND version_id = %s)"
            " FROM users_lesslike AS less WHERE user_id = ANY(%s) ORDER BY user_id, movie_id",
            [version.pk, [person.pk for person in people]],
        )
        rows = [row for row in cursor.fetchall() if row[1] is not None]
    return {
        user_id: np.array([vector.to_numpy() for _, vector in group], dtype=np.float32)
        for user_id, group in groupby(rows, key=itemgetter(0))
    }
