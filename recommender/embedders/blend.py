"""Two models of taste in one pair of vectors: iALS beside EASE, above what most people like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from recommender.embedders import als, ease
from recommender.embedders.base import Embedding, Floats, Progress, Rated, silent
from recommender.interactions import Interactions
from recommender.parameters import Configured, Parameters, Search, number

_SAMPLE = 500
"""Users whose scores tell how far a model's scores spread."""

_POPULARITY_LENGTH = 0.01
"""Of the popularity coordinate, by the length of a movie's vector: too short to make films alike
because they are popular. The users' coordinate is as much longer."""

_JOINED = ("als_weight", "popularity", "restraint")
"""Numbers of a fold-in that are not those of iALS."""

_ALS_SHARE_OF_TIME = 0.7
_RESUMED_ALS_SHARE_OF_TIME = 0.4


@dataclass(frozen=True)
class Joint(Parameters):
    """What a person may choose about how the two are joined."""

    item_share: float = number(0.4, 0.05, 0.95, Search(0.1, 0.8))
    """How much EASE weighs beside iALS, once the scores of both spread alike."""

    popularity: float = number(0.05, 0.0, 10.0)
    """Where everybody's taste starts: how much what most people like weighs for somebody with few
    likes, for a spread of 1 in the scores of a user of the training set."""

    restraint: float = number(0.04, 0.0, 10.0, Search(0.0, 0.12))
    """How much it is held back, in the same measure, for somebody with many likes: both models
    make a little too much of it."""


@dataclass(frozen=True)
class Settings(Joint, ease.Settings, als.Settings):
    """What a person may choose: all of both models, and how they are joined."""


@dataclass(frozen=True)
class FoldIn:
    """A user's vector: their part in iALS, their part in EASE, and the popularity coordinate."""

    start_length: ClassVar[int] = 1

    als: als.FoldIn
    als_weight: float
    """What the iALS part is multiplied by."""
    popularity: float
    """The last coordinate of somebody who has liked nothing."""
    restraint: float
    """The same, below 0, of somebody who has liked much."""

    def vector(self, rated: Rated) -> NDArray[np.float32]:
        """See `base.FoldIn`."""
        by_als = self.als_weight * self.als.vector(self._als_part(rated))
        by_items = ease.FoldIn().vector(self._item_part(rated))
        return np.concatenate([by_als, by_items, [self._start(rated)]]).astype(np.float32)

    def contributions(self, rated: Rated, candidates: Floats) -> NDArray[np.float32]:
        """See `base.FoldIn`."""
        by_als = self.als.contributions(self._als_part(rated), candidates[:, : self._factors])
        by_items = ease.FoldIn().contributions(
            self._item_part(rated), candidates[:, self._factors : -1]
        )
        return np.asarray(self.als_weight * by_als + by_items, dtype=np.float32)

    def given(self, rated: Rated, candidates: Floats) -> NDArray[np.float32]:
        """See `base.FoldIn`."""
        return np.asarray(self._start(rated) * candidates[:, -1], dtype=np.float32)

    def state(self) -> tuple[dict[str, Any], NDArray[np.float32]]:
        """See `base.FoldIn`."""
        numbers, matrix = self.als.state()
        numbers |= {name: getattr(self, name) for name in _JOINED}
        return numbers, matrix

    @property
    def _factors(self) -> int:
        return len(self.als.gramian)

    def _start(self, rated: Rated) -> float:
        """The popularity coordinate."""
        likes = int(np.count_nonzero(np.maximum(rated.confidences, 0)))
        return float(_start(likes, self.popularity, self.restraint))

    def _als_part(self, rated: Rated) -> Rated:
        return Rated(rated.vectors[:, : self._factors], rated.inputs, rated.confidences)

    def _item_part(self, rated: Rated) -> Rated:
        return Rated(rated.vectors[:, self._factors : -1], rated.inputs, rated.confidences)


class Blend(Configured[Settings]):
    r"""iALS and EASE side by side.

    With σ the standard deviation of a model's scores and w EASE's share, a user's score for a
    movie is

        (1 − w) · iALS / σ_iALS  +  w · EASE / σ_EASE  +  start · likes / σ_likes

    which is one inner product of (iALS part | EASE part | one coordinate). iALS sees what is
    alike in broad strokes, EASE what goes with what; each errs where the other does not.

    The last term is the prior of somebody new. Both models say little of a user with few ratings
    (their scores tend to 0), so that with one or three ratings a list would be worse than what
    most people like. Starting from that instead, as an intercept does in a regression, mends it.
    Of whom much is known both models say how much popularity means to them, and a little too much;
    so with f = `ease.fewness` of the user's likes, start = f · popularity − (1 − f) · restraint.
    """

    kind = Settings

    def __init__(self, settings: Settings | None = None, threads: int = 0) -> None:
        """`threads` are those of iALS; 0 is one a core."""
        super().__init__(settings)
        self._als = als.ImplicitALS(_part(self._settings, als.Settings), threads)
        self._ease = ease.ReducedRankEASE(_part(self._settings, ease.Settings))

    @staticmethod
    def fold_in(numbers: Mapping[str, Any], matrix: NDArray[np.float32]) -> FoldIn:
        """The fold-in whose `state()` these are."""
        by_als = {name: value for name, value in numbers.items() if name not in _JOINED}
        joined = {name: value for name, value in numbers.items() if name in _JOINED}
        # In versions of earlier days everybody has the same start.
        joined.setdefault("restraint", -numbers["popularity"])
        return FoldIn(als.ImplicitALS.fold_in(by_als, matrix), **joined)

    def fit(self, interactions: Interactions, progress: Progress = silent) -> Embedding:
        """Learn vectors; what `progress` raises ends the fit and is passed on.

        Raises ValueError where nothing was liked.
        """
        first, later = _in_two(progress, _ALS_SHARE_OF_TIME)
        by_als = self._als.fit(interactions, first)
        return self.join([by_als, self._ease.fit(interactions, later)], interactions)

    def resume(
        self,
        start: NDArray[np.float32],
        interactions: Interactions,
        progress: Progress = silent,
    ) -> Embedding:
        """See `base.Resumable`: iALS goes on, EASE is solved anew."""
        first, later = _in_two(progress, _RESUMED_ALS_SHARE_OF_TIME)
        by_als = self._als.resume(start, interactions, first)
        return self.join([by_als, self._ease.fit(interactions, later)], interactions)

    @property
    def parts(self) -> tuple[als.ImplicitALS, ease.ReducedRankEASE]:
        """See `base.Joined`."""
        return self._als, self._ease

    def join(self, learnt: Sequence[Embedding], interactions: Interactions) -> Embedding:
        """See `base.Joined`: the concatenation, each part's movies of a length by its share."""
        by_als, by_items = cast(als.ALSEmbedding, learnt[0]), learnt[1]
        share = self._settings.item_share
        als_scale = np.sqrt(1 - share) / _length(by_als.movie_vectors)
        item_scale = np.sqrt(share) / _length(by_items.movie_vectors)
        # A part whose movies are multiplied by its scale has its users divided by it.
        als_weight = (1 - share) / _spread(by_als)
        item_weight = share / _spread(by_items) / item_scale
        liked = interactions.matrix > 0
        likes = np.asarray(liked.sum(axis=0)).ravel()
        popularity = _POPULARITY_LENGTH * likes / (likes.std() or 1.0)
        ends = (
            self._settings.popularity / _POPULARITY_LENGTH,
            self._settings.restraint / _POPULARITY_LENGTH,
        )
        return Embedding(
            _beside(
                by_als.user_vectors,
                als_weight / als_scale,
                by_items.user_vectors,
                item_weight,
                _start(np.asarray(liked.sum(axis=1)).ravel(), *ends),
            ),
            _beside(
                by_als.movie_vectors, als_scale, by_items.movie_vectors, item_scale, popularity
            ),
            np.asarray(by_items.input_vectors * item_weight, dtype=np.float32),
            FoldIn(by_als.fold_in.scaled(als_scale), als_weight, *ends),
            by_als.start,
        )


def _start(
    likes: NDArray[np.integer[Any]] | int, popularity: float, restraint: float
) -> NDArray[np.float64]:
    """The popularity coordinate of users with so many likes."""
    fewness = ease.fewness(likes)
    return fewness * popularity - (1 - fewness) * restraint


def _in_two(progress: Progress, share: float) -> tuple[Progress, Progress]:
    """A progress for the first `share` of the work, and one for the rest."""

    def first(fraction: float, message: str, /) -> None:
        progress(share * fraction, message)

    def later(fraction: float, message: str, /) -> None:
        progress(share + (1 - share) * fraction, message)

    return first, later


def _part(settings: Settings, kind: type[Any]) -> Any:
    """The settings of one of the two models."""
    return kind(**{field.name: getattr(settings, field.name) for field in fields(kind)})


def _beside(
    first: NDArray[np.float32],
    first_scale: float,
    second: NDArray[np.float32],
    second_scale: float,
    last: Floats,
) -> NDArray[np.float32]:
    """Scaled vectors (n, d) and (n, k), and (n,), as (n, d + k + 1), without copies on the way."""
    joined = np.empty((len(first), first.shape[1] + second.shape[1] + 1), dtype=np.float32)
    np.multiply(first, np.float32(first_scale), out=joined[:, : first.shape[1]])
    np.multiply(second, np.float32(second_scale), out=joined[:, first.shape[1] : -1])
    joined[:, -1] = last
    return joined


def _length(vectors: NDArray[np.float32]) -> float:
    """The root of the mean square length of vectors (n, d), 1 where they are all zeros."""
    return float(np.sqrt(np.mean(np.sum(vectors.astype(np.float64) ** 2, axis=1)))) or 1.0


def _spread(embedding: Embedding) -> float:
    """The standard deviation of a model's scores, 1 where they are all alike."""
    step = max(1, len(embedding.user_vectors) // _SAMPLE)
    scores = embedding.user_vectors[::step] @ embedding.movie_vectors.T
    return float(scores.std(dtype=np.float64)) or 1.0
