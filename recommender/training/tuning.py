"""The search for settings that foresee more of what people like: trials, and then a check.

Plain functions over arrays. Every trial is looked at more than once: after a few iterations, then
fitted whole, then (with few people) on another fold, and is given up as soon as it looks hopeless.
The best few are at last checked against the defaults on a fold that the search has not seen, from
another seed, and only what is better there beyond luck is recommended.

A trial's settings follow from the seed and the trials before it alone, so a search that is stopped
and resumed makes the same trials as one that is not, and the clock only decides how many.
"""

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender.embedders import DEFAULT, Embedding, Joined, Progress
from recommender.interactions import Interactions, Ratings, Weighting, index_ids
from recommender.parameters import Parameters
from recommender.recipe import Recipe
from recommender.training.evaluation import Question, ask, by_vectors
from recommender.training.intervals import paired_interval
from recommender.training.search_space import SearchSpace
from recommender.training.splits import Split, random_split, time_split
from recommender.training.trials import Plan, Proposal, Trial

FINALISTS = 3
"""How many of the best trials are checked against the defaults."""

SEARCHED_RATINGS = 2_000_000
"""Of more ratings, those of so many people as have about this number are searched with."""

ASKED_PEOPLE = 3000
"""People whose lists judge a trial: so many tell 1 % more NDCG from luck."""

KEPT_PARTS = 8
"""What so many parts of embedders have learnt is kept for trials that differ in others: a first
look and the next one have all but iALS in common, and a leap changes one setting alone."""

_CELLS = 30_000_000
"""Scores for one look: with many movies fewer people are asked, but at least a thousand."""

_CHECK_SHARE = 0.25
"""At most this part of the time is kept for the check."""

_COULD_NOT_FIT = (ValueError, ArithmeticError, MemoryError)
"""What an embedder raises on settings that it cannot work with."""

Metrics = NDArray[np.float64]


@dataclass(frozen=True)
class Protocol:
    """How settings are judged: what is held out of the ratings, and what of it is relevant."""

    split: Callable[[Ratings, int], Split]
    """The ratings and the number of a fold, from 0, to that fold's split."""
    liked_only: bool = True
    """Whether only held-out ratings that the person liked are relevant, or all."""
    most_folds: int = 2
    """How often the same people can be asked with nothing much lost."""


def by_time(ratings: Ratings, fold: int) -> Split:
    """Each person's latest ratings held out; in later folds the latest of those before."""
    split = time_split(ratings)
    for _ in range(fold):
        split = time_split(split.training)
    return split


def at_random(ratings: Ratings, fold: int) -> Split:
    """A random part of each person's ratings held out, another one in each fold."""
    return random_split(ratings, seed=fold)


SITE = Protocol(by_time)
"""What the site asks of a model: which films will this person like next?"""

PUBLISHED = Protocol(at_random, liked_only=False, most_folds=4)
"""What published tables ask: which films did this person rate?"""


class NothingToTune(Exception):
    """The ratings are too few to hold any out, or the defaults cannot be fitted."""


class StopSearch(Exception):
    """Raised by a listener: no more trials. The best so far are still checked."""


class _OutOfTime(Exception):
    """The clock has run out."""


@dataclass(frozen=True)
class Gain:
    """The recommended settings against the defaults, on a fold that chose neither."""

    ndcg: float
    defaults_ndcg: float
    low: float
    """Of the 95 % interval of the difference, by paired bootstrap over people."""
    high: float
    people: int

    @property
    def percent(self) -> float:
        """How much more NDCG@20 than the defaults'."""
        return 100 * (self.ndcg / self.defaults_ndcg - 1) if self.defaults_ndcg else 0.0

    @property
    def is_beyond_luck(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low > 0


@dataclass(frozen=True)
class TuningResult:
    """What a search has found."""

    parameters: dict[str, float]
    """What to train with: the best trial's settings where they are better beyond luck, else the
    defaults."""
    trials: list[Trial]
    """All, those of earlier searches first."""
    gain: Gain | None
    """What the check showed of the best trial; None where there was no time for it, or where no
    trial was better than the defaults."""

    @property
    def is_better(self) -> bool:
        """Whether `parameters` are other than the defaults."""
        return self.gain is not None and self.gain.is_beyond_luck


class Listener:
    """Told how a search goes; this one does nothing. `report` may raise StopSearch."""

    def opened(self, space: SearchSpace, trials: Sequence[Trial]) -> None:
        """The search begins: what is searched, and the trials of earlier searches."""

    def note(self, line: str) -> None:
        """A sentence worth keeping."""

    def report(self, fraction: float, message: str) -> None:
        """How far the search is, 0 to 1, by the clock. Called many times a second."""

    def checking(self) -> None:
        """No more trials are made: the best are checked against the defaults."""

    def began(self, trial: Trial) -> None:
        """A trial begins: its number and parameters."""

    def ended(self, trial: Trial) -> None:
        """A trial has ended: done, given up or failed. One that was interrupted never ends."""


def search(
    ratings: Ratings,
    protocol: Protocol = SITE,
    *,
    seconds: float,
    embedder: str = DEFAULT,
    defaults: Mapping[str, object] | None = None,
    seed: int = 0,
    most_trials: int | None = None,
    trials: Sequence[Trial] = (),
    hints: Sequence[Mapping[str, float]] = (),
    listener: Listener | None = None,
) -> TuningResult:
    """Look for better settings than the defaults, for so many seconds by the clock.

    Only `ratings` are looked at: keep what a test is to see out of them. `defaults` are settings
    that differ from the embedder's own; `trials` those of an earlier search with the same
    arguments, which is resumed; `most_trials` counts them too. `hints` are whole settings that
    may be good, such as those of an earlier tuning: they are tried right after the defaults.

    Raises:
        NothingToTune: see there.
        StopSearch: the listener raised it again, while the best trials were checked.
        ValueError: a default is wrong; the message begins with its name.
    """
    plan = Plan(SearchSpace.of(embedder, defaults), seed, hints)
    tuning = _Tuning(ratings, protocol, plan, seconds, list(trials), listener or Listener())
    with contextlib.suppress(StopSearch, _OutOfTime):
        tuning.make_trials(most_trials)
    return tuning.check()


@dataclass
class _Fold:
    """One split, and what is asked about it."""

    split: Split
    question: Question
    _weighed: tuple[Weighting, Interactions] | None = field(default=None, repr=False)
    _learnt: OrderedDict[tuple[Weighting, type, Parameters], Embedding] = field(
        default_factory=OrderedDict, repr=False
    )
    """What parts of embedders have learnt, the last used last."""

    @classmethod
    def make(cls, split: Split, liked_only: bool, seed: int) -> "_Fold":
        """Raises NothingToTune where nobody can be asked."""
        if not len(split.held_out):
            raise NothingToTune("There are too few ratings to hold any out.")
        # The yardstick is one and the same, whatever is being tried.
        interactions = Interactions.build(split.training, Weighting())
        question = Question.build(split, interactions, Weighting(), liked_only)
        if not len(question.rows):
            raise NothingToTune("Nobody liked anything that was held out.")
        return cls(split, question.sample(asked_at_most(question.seen.shape[1]), seed))

    def judge(self, recipe: Recipe, progress: Progress) -> Metrics:
        """NDCG@20 (q,) of each person asked about. Raises ValueError where it cannot be fitted."""
        if self._weighed is None or self._weighed[0] != recipe.weighting:
            interactions = Interactions.build(self.split.training, recipe.weighting)
            self._weighed = recipe.weighting, interactions
        embedding = self._fit(recipe, self._weighed[1], progress)
        if not np.isfinite(embedding.movie_vectors).all():
            raise ValueError("the vectors are not finite")
        return ask(by_vectors(embedding), self.question).ndcg

    def _fit(self, recipe: Recipe, interactions: Interactions, progress: Progress) -> Embedding:
        """What the recipe learns; what a part of it has learnt before is not learnt again."""
        embedder = recipe.embedder
        if not isinstance(embedder, Joined):
            return embedder.fit(interactions, progress)
        learnt = []
        for part in embedder.parts:
            key = recipe.weighting, type(part), part.settings
            if key not in self._learnt:
                self._learnt[key] = part.fit(interactions, progress)
            self._learnt.move_to_end(key)
            learnt.append(self._learnt[key])
        while len(self._learnt) > KEPT_PARTS:
            self._learnt.popitem(last=False)
        return embedder.join(learnt, interactions)


class _Tuning:
    """A search under way."""

    def __init__(
        self,
        ratings: Ratings,
        protocol: Protocol,
        plan: Plan,
        seconds: float,
        trials: list[Trial],
        listener: Listener,
    ) -> None:
        self._began_at, self._seconds = time.monotonic(), seconds
        self._ratings = sample_people(ratings, SEARCHED_RATINGS, plan.seed)
        self._protocol, self._plan = protocol, plan
        self._trials, self._listener = trials, listener
        listener.opened(plan.space, tuple(trials))
        self._made: dict[int, _Fold] = {}
        if len(self._ratings) < len(ratings):
            listener.note(
                f"Searching with {len(self._ratings):,} of {len(ratings):,} ratings: those of"
                " people drawn at random, so that trials stay short."
            )
        people = len(self._fold(0).question.rows)
        # Few people are asked again, about different ratings, or luck would choose.
        self._folds = min(round(ASKED_PEOPLE / people) or 1, protocol.most_folds)

    def make_trials(self, most: int | None) -> None:
        """Try settings until the time for it is over, `most` trials are made, or it is stopped."""
        while most is None or len(self._trials) < most:
            self._hurry()
            proposal = self._plan.next(self._trials)
            self._listener.began(proposal.trial)
            trial = self._try(proposal)
            self._trials.append(trial)
            self._listener.ended(trial)
            if trial.number == 0 and trial.value is None:
                raise NothingToTune(f"The defaults cannot be fitted: {trial.error}")

    def check(self) -> TuningResult:
        """Compare the best trials with the defaults where neither has been looked at."""
        defaults = self._plan.space.defaults
        finalists = better_than_the_defaults(self._trials)[:FINALISTS]
        unchecked = TuningResult(defaults, self._trials, None)
        if not finalists:
            return unchecked
        self._listener.checking()
        try:
            base = self._check(defaults)
        except _OutOfTime:
            return unchecked
        checked: list[tuple[Trial, Metrics]] = []
        for trial in finalists:
            try:
                checked.append((trial, self._check(trial.parameters)))
            except _OutOfTime:
                break
            except _COULD_NOT_FIT:
                continue
        if not checked:
            return unchecked
        # What the search and the check say together is surer than either.
        best, ndcg = max(checked, key=lambda pair: (pair[0].value or 0) + float(pair[1].mean()))
        low, high = paired_interval(ndcg, base)
        gain = Gain(float(ndcg.mean()), float(base.mean()), low, high, len(base))
        return TuningResult(
            best.parameters if gain.is_beyond_luck else defaults, self._trials, gain
        )

    def _try(self, proposal: Proposal) -> Trial:
        """The trial with its looks, and its value if it was worth looking to the end."""
        trial, began_at = proposal.trial, time.monotonic()
        looks: list[float] = []
        value, error = None, ""
        try:
            for look in range(1 + self._folds):
                looks.append(self._look(trial, look))
                # The defaults are what all others are measured by.
                if trial.number and look < self._folds and proposal.is_hopeless(looks):
                    break
            else:
                value = float(np.mean(looks[1:]))
        except _COULD_NOT_FIT as raised:
            error = str(raised).split("\n")[0] or type(raised).__name__
        seconds = time.monotonic() - began_at
        return Trial(trial.number, trial.parameters, tuple(looks), value, seconds, error)

    def _look(self, trial: Trial, look: int) -> float:
        cheaper = self._plan.space.glance(trial.parameters)
        recipe = self._recipe(cheaper if look == 0 else trial.parameters)
        return float(self._fold(max(0, look - 1)).judge(recipe, self._progress).mean())

    def _check(self, parameters: Mapping[str, float]) -> Metrics:
        """NDCG@20 of each person on the fold after those searched with, from another seed."""
        other_start = {"seed": self._plan.seed + 1} if "seed" in parameters else {}
        return self._fold(self._folds).judge(
            self._recipe({**parameters, **other_start}), self._check_progress
        )

    def _recipe(self, parameters: Mapping[str, float]) -> Recipe:
        return Recipe.of(self._plan.space.embedder, parameters)

    def _fold(self, number: int) -> _Fold:
        if number not in self._made:
            split = self._protocol.split(self._ratings, number)
            self._made[number] = _Fold.make(split, self._protocol.liked_only, self._plan.seed)
        return self._made[number]

    def _check_seconds(self) -> float:
        """How much of the time to keep for the check, by how long the trials took."""
        whole = self._trials[:1] + better_than_the_defaults(self._trials)[:FINALISTS]
        one_fold = 1.2 * sum(trial.seconds for trial in whole) / self._folds
        return min(one_fold, _CHECK_SHARE * self._seconds)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began_at

    def _hurry(self) -> None:
        """Raise _OutOfTime once only the check's time is left."""
        if self._elapsed() > self._seconds - self._check_seconds():
            raise _OutOfTime

    def _progress(self, fraction: float, message: str, /) -> None:
        self._hurry()
        number = len(self._trials)
        self._report(f"Trial {number}: {message}" if number else f"The defaults: {message}")

    def _check_progress(self, fraction: float, message: str, /) -> None:
        if self._elapsed() > self._seconds:
            raise _OutOfTime
        self._report(f"Checking the best against the defaults: {message}")

    def _report(self, message: str) -> None:
        self._listener.report(min(1.0, self._elapsed() / self._seconds), message)


def better_than_the_defaults(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that were seen through and are worth more than the first, the best first."""
    whole = [(trial.value, trial) for trial in trials if trial.value is not None]
    better = [pair for pair in whole[1:] if pair[0] > whole[0][0]]
    return [trial for _, trial in sorted(better, key=lambda pair: -pair[0])]


def sample_people(ratings: Ratings, most: int, seed: int) -> Ratings:
    """All ratings of as many people, drawn at random, as have about `most` ratings together."""
    if len(ratings) <= most:
        return ratings
    people, rows = index_ids(ratings.user_ids)
    share = most / len(ratings)
    drawn = np.random.default_rng(seed).random(len(people)) < share
    return ratings.take(drawn[rows])


def asked_at_most(movies: int) -> int:
    """How many people judge a trial: fewer where there are many movies to score."""
    return min(ASKED_PEOPLE, max(1000, _CELLS // max(1, movies)))
