"""Films for several people at once: what each of them would make of a film, and an order for all.

What a person makes of a film is its *relevance* to them: the model's score as a share of that of
the best film which they have not seen. The films stand in the order of a mean of the members'
relevances, whose power the dial turns; see `recommender.serving.consensus`. `docs/together.md`
says why, and what the stops are worth.

Somebody who has seen a film does not count in its place: their relevance would tell what they gave
it. Somebody of whom nothing is known counts as people do on average.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from movies.listing import listed
from movies.models import Movie, MovieQuerySet
from recommender.models import ModelVersion
from recommender.serving import dials as turning
from recommender.serving import foldin, popular, rerank, retrieval
from recommender.serving.consensus import MIDDLE, POOL, POWERS, Floats, mean_of_powers
from recommender.serving.recommend import NO_FILTERS, less_like
from recommender.serving.retrieval import Filters, Pool
from recommender.serving.stars import Prediction, predicted_stars_of
from users import evenings
from users.models import Evening, User


@dataclass(frozen=True)
class Liking:
    """What a member would make of a film that they have not seen."""

    relevance: float
    """A share of what their best film has; never below 0."""
    prediction: Prediction | None
    """The stars that they would give, where these are honest."""

    @property
    def points(self) -> int:
        """The relevance in points of 100."""
        return round(100 * self.relevance)


@dataclass(frozen=True)
class Pick:
    """A film for all of them."""

    movie: Movie
    likings: dict[int, Liking] = field(default_factory=dict)
    """By user id. Nobody's where one of them has seen the film, so that nobody learns who, and
    where the model does not know the film."""
    seen_by: int = 0
    """How many of them have seen it."""


def films_together(
    evening: Evening,
    k: int = 20,
    filters: Filters = NO_FILTERS,
    stop: int = MIDDLE,
    with_seen: bool = False,
) -> list[Pick]:
    """Return the k best films for the members of the evening, k of them whenever k exist.

    None of them is one that a member refuses, be it here or on their own lists. Without `with_seen`
    nobody has seen any; with it, they are also such as only some of them have. A longer list begins
    with the shorter one. Films outside the space follow those inside, the best liked first.
    """
    people = [member.user for member in evening.members.select_related("user")]
    User.read_stars(people)
    allowed = retrieval.candidates(None, filters)
    allowed = evenings.without_refused(allowed, evening)
    allowed = evenings.without_seen(allowed, evening, by_all=with_seen)
    found = _placed(people, allowed, k, stop)
    if missing := k - len(found):
        rest = allowed.exclude(pk__in=[pick.movie.pk for pick in found])
        best = popular.best(rest, missing) if found else popular.varied(rest, missing)
        found += [Pick(movie, seen_by=_seen_by(people, movie)) for movie in best]
    return found


def _placed(people: Sequence[User], allowed: MovieQuerySet, k: int, stop: int) -> list[Pick]:
    """The best of the films that the live version knows, none where it knows nobody."""
    version = ModelVersion.objects.live()
    vectors = _vectors(people, version) if version else None
    if version is None or vectors is None:
        return []
    # In these units everybody's best film has 1, so the mean of the vectors stands for all.
    vectors = vectors / _best_scores(people, version, vectors)[:, None]
    pool = retrieval.pool(version, vectors.mean(axis=0), allowed, POOL)
    if not len(pool):
        return []
    relevances = _relevances(people, version, pool, vectors)
    order, worth = _order(pool, _of_unseen(people, pool, relevances), POWERS[stop])
    features = rerank.features(pool.vectors[order], pool.genres[order])
    chosen = order[rerank.by_page(rerank.relevance_of(worth), features, k)]
    return _picks(people, pool.movie_ids[chosen], relevances[chosen])


def _vectors(people: Sequence[User], version: ModelVersion) -> NDArray[np.float32] | None:
    """The people's vectors (m, d), the average of all for those of whom nothing is known."""
    vectors = foldin.user_vectors(people, version)
    unknown = ~vectors.any(axis=1)
    if unknown.any():
        vectors[unknown] = foldin.average_vector(version)
    return vectors if vectors.any() else None


def _best_scores(
    people: Sequence[User], version: ModelVersion, vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The score (m,) of each one's best film that they have not settled, whatever the filters."""
    best = [
        retrieval.nearest(version, vector, retrieval.candidates(person, NO_FILTERS), 1)
        for person, vector in zip(people, vectors, strict=True)
    ]
    scores = [found[0].score if found and found[0].score > 0 else 1.0 for found in best]
    return np.array(scores, dtype=np.float32)


def _relevances(
    people: Sequence[User], version: ModelVersion, pool: Pool, vectors: NDArray[np.float32]
) -> Floats:
    """Each film's relevance (n, m) to each of them, less what is near to a film they turn down."""
    relevances = (pool.vectors @ vectors.T).astype(np.float64)
    turned_down = less_like(people, version)
    for column, person in enumerate(people):
        if person.pk in turned_down:
            near = turning.nearness(pool.vectors, turned_down[person.pk])
            relevances[:, column] -= turning.LESS_LIKE * np.maximum(near, 0)
    return np.clip(relevances, 0, 1)


def _of_unseen(people: Sequence[User], pool: Pool, relevances: Floats) -> Floats:
    """The relevances (n, m) of those who have not seen a film, NaN for the others."""
    seen = [[movie_id in person.stars for person in people] for movie_id in pool.movie_ids.tolist()]
    return np.where(np.array(seen), np.nan, relevances)


def _order(pool: Pool, relevances: Floats, power: float) -> tuple[NDArray[np.intp], Floats]:
    """Positions in the pool, the best for all first, and what they are worth, in that order."""
    worth = mean_of_powers(relevances, power)
    # Of what is worth the same to the one who likes it least, first what the others like.
    order = np.lexsort((-mean_of_powers(relevances, 1), -worth))
    return order, worth[order]


def _picks(people: Sequence[User], movie_ids: NDArray[np.int64], relevances: Floats) -> list[Pick]:
    """The films with what is told of them; `relevances` (k, m)."""
    movies = listed(movie_ids.tolist())
    unseen = [movie for movie in movies.values() if not _seen_by(people, movie)]
    stars = predicted_stars_of(people, unseen)
    told = {movie.pk for movie in unseen}
    return [
        Pick(
            movies[movie_id],
            {
                person.pk: Liking(float(relevance), stars[person.pk].get(movie_id))
                for person, relevance in zip(people, row, strict=True)
            }
            if movie_id in told
            else {},
            _seen_by(people, movies[movie_id]),
        )
        for movie_id, row in zip(movie_ids.tolist(), relevances, strict=True)
    ]


def _seen_by(people: Sequence[User], movie: Movie) -> int:
    return sum(movie.pk in person.stars for person in people)
