"""The search for settings that foresee more of what people like: trials, and then a check.

Plain functions over arrays. The search proposes settings with Optuna's multivariate TPE (Falkner,
Klein, Hutter, "BOHB", ICML 2018, §3.2), which models where good trials lie as opposed to the rest.
Every trial is looked at more than once: after a few iterations, then fitted whole, then (with few
people) on another fold; Optuna's percentile pruner gives it up at a look that most trials before
it passed better. The best few are at last checked against the defaults on a fold that the search
has not seen, from another seed, and only what is better there beyond luck is recommended.

A trial's settings follow from the seed and the trials before it alone, so a search that is stopped
and resumed makes the same trials as one that is not, and the clock only decides how many.
"""

import contextlib
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import TrialState

from recommender.embedders import Progress
from recommender.interactions import Interactions, Ratings, Weighting, index_ids
from recommender.recipe import Recipe
from recommender.training.evaluation import Question, ask, by_vectors
from recommender.training.intervals import paired_interval
from recommender.training.search_space import SearchSpace
from recommender.training.splits import Split, random_split, time_split

FINALISTS = 3
"""How many of the best trials are checked against the defaults."""

SEARCHED_RATINGS = 2_000_000
"""Of more ratings, those of so many people as have about this number are searched with."""

ASKED_PEOPLE = 3000
"""People whose lists judge a trial: so many tell 1 % more NDCG from luck."""

_CELLS = 30_000_000
"""Scores for one look: with many movies fewer people are asked, but at least a thousand."""

_STARTUP = 10
"""Trials before the model of good settings is used. The first is the defaults."""

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

PUBLISHED = Protocol(at_random, liked_only=False)
"""What published tables ask: which films did this person rate?"""


class NothingToTune(Exception):
    """The ratings are too few to hold any out, or the defaults cannot be fitted."""


class StopSearch(Exception):
    """Raised by a listener: no more trials. The best so far are still checked."""


class _OutOfTime(Exception):
    """The clock has run out."""


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, and what they were worth."""

    number: int
    """From 0, which is the defaults."""
    parameters: dict[str, float]
    """All settings, as `Recipe.of` reads them."""
    looks: tuple[float, ...] = ()
    """NDCG@20 at each look: after few iterations, then whole on one fold after the other."""
    value: float | None = None
    """Mean NDCG@20 of the whole looks; None where it was given up before the last."""
    seconds: float = 0.0
    error: str = ""
    """Why it could not be fitted."""


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

    def note(self, line: str) -> None:
        """A sentence worth keeping."""

    def report(self, fraction: float, message: str) -> None:
        """How far the search is, 0 to 1, by the clock. Called many times a second."""

    def began(self, trial: Trial) -> None:
        """A trial begins: its number and parameters."""

    def ended(self, trial: Trial) -> None:
        """A trial has ended: done, given up or failed. One that was interrupted never ends."""


def search(
    ratings: Ratings,
    protocol: Protocol = SITE,
    *,
    seconds: float,
    embedder: str = "als",
    defaults: Mapping[str, object] | None = None,
    seed: int = 0,
    most_trials: int | None = None,
    trials: Sequence[Trial] = (),
    listener: Listener | None = None,
) -> TuningResult:
    """Look for better settings than the defaults, for so many seconds by the clock.

    Only `ratings` are looked at: keep what a test is to see out of them. `defaults` are settings
    that differ from the embedder's own; `trials` those of an earlier search with the same
    arguments, which is resumed; `most_trials` counts them too.

    Raises:
        NothingToTune: see there.
        ValueError: a default is wrong; the message begins with its name.
    """
    space = SearchSpace.of(embedder, defaults)
    tuning = _Tuning(ratings, protocol, space, seconds, seed, list(trials), listener or Listener())
    with contextlib.suppress(StopSearch, _OutOfTime):
        tuning.make_trials(most_trials)
    return tuning.check()


def suggest(space: SearchSpace, trials: Sequence[Trial], seed: int) -> dict[str, float]:
    """The settings of the next trial: the defaults, then some around them, then TPE's choice."""
    if not trials:
        return dict(space.defaults)
    if len(trials) < _STARTUP:
        return _around_the_defaults(space, len(trials), seed)
    return space.parameters(_ask(space, trials, seed).params)


def _around_the_defaults(space: SearchSpace, number: int, seed: int) -> dict[str, float]:
    """Some settings kept near the defaults, some drawn from their whole range."""
    random = np.random.default_rng([seed, number])
    point = {}
    for name, default in space.point(space.defaults).items():
        near = default + 0.15 * random.standard_normal()
        anywhere = random.random()
        point[name] = float(np.clip(near, 0, 1)) if random.random() < 0.5 else anywhere
    return space.parameters(point)


def _ask(space: SearchSpace, trials: Sequence[Trial], seed: int) -> optuna.trial.Trial:
    """A trial of a study that holds the earlier ones. Optuna works on the unit cube."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    cube: dict[str, BaseDistribution] = {
        dimension.name: FloatDistribution(0.0, 1.0) for dimension in space.dimensions
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(
                # A seed of its own for each trial: it does not matter which process makes it.
                seed=int(np.random.default_rng([seed, len(trials)]).integers(2**31)),
                multivariate=True,
                n_startup_trials=0,
                n_ei_candidates=64,
            ),
            pruner=optuna.pruners.PercentilePruner(60.0, n_startup_trials=4),
        )
    for trial in trials:
        study.add_trial(_frozen(trial, space, cube))
    return study.ask(cube)


def _frozen(
    trial: Trial, space: SearchSpace, cube: dict[str, BaseDistribution]
) -> optuna.trial.FrozenTrial:
    """The trial as Optuna keeps it. One that could not be fitted is worth nothing."""
    looks = trial.looks or (0.0,)
    state = TrialState.PRUNED if trial.value is None else TrialState.COMPLETE
    return optuna.trial.create_trial(
        state=state,
        value=looks[-1] if trial.value is None else trial.value,
        params=space.point(trial.parameters),
        distributions=cube,
        intermediate_values=dict(enumerate(looks)),
    )


@dataclass
class _Fold:
    """One split, and what is asked about it."""

    split: Split
    question: Question
    _weighed: tuple[Weighting, Interactions] | None = field(default=None, repr=False)

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
        embedding = recipe.embedder.fit(self._weighed[1], progress)
        if not np.isfinite(embedding.movie_vectors).all():
            raise ValueError("the vectors are not finite")
        return ask(by_vectors(embedding), self.question).ndcg


class _Tuning:
    """A search under way."""

    def __init__(
        self,
        ratings: Ratings,
        protocol: Protocol,
        space: SearchSpace,
        seconds: float,
        seed: int,
        trials: list[Trial],
        listener: Listener,
    ) -> None:
        self._began_at, self._seconds = time.monotonic(), seconds
        self._ratings = sample_people(ratings, SEARCHED_RATINGS, seed)
        self._protocol, self._space, self._seed = protocol, space, seed
        self._trials, self._listener = trials, listener
        self._made: dict[int, _Fold] = {}
        if len(self._ratings) < len(ratings):
            listener.note(
                f"Searching with {len(self._ratings):,} of {len(ratings):,} ratings: those of"
                " people drawn at random, so that trials stay short."
            )
        people = len(self._fold(0).question.rows)
        # Few people are asked twice, about different ratings, or luck would choose.
        self._folds = 1 if people >= ASKED_PEOPLE // 2 else 2

    def make_trials(self, most: int | None) -> None:
        """Try settings until the time for it is over, `most` trials are made, or it is stopped."""
        while most is None or len(self._trials) < most:
            self._hurry()
            parameters = suggest(self._space, self._trials, self._seed)
            trial = Trial(len(self._trials), parameters)
            self._listener.began(trial)
            trial = self._try(trial)
            self._trials.append(trial)
            self._listener.ended(trial)
            if trial.number == 0 and trial.value is None:
                raise NothingToTune(f"The defaults cannot be fitted: {trial.error}")

    def check(self) -> TuningResult:
        """Compare the best trials with the defaults where neither has been looked at."""
        defaults = self._space.defaults
        finalists = self._finalists()
        unchecked = TuningResult(defaults, self._trials, None)
        if not finalists:
            return unchecked
        self._listener.note("Checking the best against the defaults on ratings not yet looked at.")
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

    def _try(self, trial: Trial) -> Trial:
        """The trial with its looks, and its value if it was worth looking to the end."""
        began_at = time.monotonic()
        asked = _ask(self._space, self._trials, self._seed)
        looks: list[float] = []
        value, error = None, ""
        try:
            for look in range(1 + self._folds):
                looks.append(self._look(trial, look))
                asked.report(looks[-1], look)
                # The defaults are what all others are measured by.
                if trial.number and look < self._folds and asked.should_prune():
                    break
            else:
                value = float(np.mean(looks[1:]))
        except _COULD_NOT_FIT as raised:
            error = str(raised).split("\n")[0] or type(raised).__name__
        seconds = time.monotonic() - began_at
        return Trial(trial.number, trial.parameters, tuple(looks), value, seconds, error)

    def _look(self, trial: Trial, look: int) -> float:
        parameters = self._space.glance(trial.parameters) if look == 0 else trial.parameters
        ndcg = self._fold(max(0, look - 1)).judge(self._recipe(parameters), self._progress)
        return float(ndcg.mean())

    def _check(self, parameters: Mapping[str, float]) -> Metrics:
        """NDCG@20 of each person on the fold after those searched with, from another seed."""
        other_start = {"seed": self._seed + 1} if "seed" in parameters else {}
        return self._fold(self._folds).judge(
            self._recipe({**parameters, **other_start}), self._check_progress
        )

    def _recipe(self, parameters: Mapping[str, float]) -> Recipe:
        return Recipe.of(self._space.embedder, parameters)

    def _fold(self, number: int) -> _Fold:
        if number not in self._made:
            split = self._protocol.split(self._ratings, number)
            self._made[number] = _Fold.make(split, self._protocol.liked_only, self._seed)
        return self._made[number]

    def _finalists(self) -> list[Trial]:
        """The best whole trials, if better than the defaults; the best first."""
        whole = [trial for trial in self._trials if trial.value is not None]
        if not whole:
            return []
        better = [trial for trial in whole[1:] if (trial.value or 0) > (whole[0].value or 0)]
        return sorted(better, key=lambda trial: -(trial.value or 0))[:FINALISTS]

    def _check_seconds(self) -> float:
        """How much of the time to keep for the check, by how long the trials took."""
        whole = self._trials[:1] + self._finalists()
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
