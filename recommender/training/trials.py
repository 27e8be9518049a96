"""Trials of a search, and which settings to try next.

Optuna's multivariate TPE proposes them (Falkner, Klein, Hutter, "BOHB", ICML 2018, §3.2): it models
where good trials lie as opposed to the rest. Its study is built anew from our trials each time, as
they are ours to keep, and with a seed of its own: the next trial depends on the ones before alone,
and not on which process made them.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import TrialState

from recommender.training.search_space import SearchSpace

STARTUP = 10
"""Trials before the model of good settings is used. The first is the defaults."""

NEARNESS = 0.15
"""Standard deviation of the first trials around the best so far, in the unit cube."""

LEAP_EVERY = 4
"""So often a trial is the best so far with one setting drawn anew from its whole range: TPE looks
where good trials lie already, and hardly leaves, say, the first good number of factors. Of the
first trials it is every other one: where there is time for few, these take less of it."""

ANYWHERE = 0.25
"""Share of their settings that the first trials draw from the whole range instead."""

KEPT_PERCENT = 60.0
"""A trial goes on while it looks better than the worst 40 % of those that were seen through."""


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
class Proposal:
    """A trial to make next."""

    trial: Trial
    _asked: optuna.trial.Trial

    def is_hopeless(self, looks: Sequence[float]) -> bool:
        """Whether most trials that were seen through looked better, after these looks."""
        self._asked.report(looks[-1], len(looks) - 1)
        return self._asked.should_prune()


@dataclass(frozen=True)
class Plan:
    """Which settings to try, one trial after the other."""

    space: SearchSpace
    seed: int
    hints: Sequence[Mapping[str, float]] = ()
    """Whole settings to try right after the defaults."""

    def next(self, trials: Sequence[Trial]) -> Proposal:
        """The trial after these: the defaults, hints, landmarks, some near the best, TPE's."""
        number = len(trials)
        asked = self._ask(trials)
        first = [self.space.defaults, *self.hints, *self.space.landmarks()]
        if number < len(first):
            parameters = dict(first[number])
        elif number % (2 if number < STARTUP else LEAP_EVERY) == 0:
            parameters = self._leap(trials)
        elif number < STARTUP:
            parameters = self._around_the_best(trials)
        else:
            parameters = self.space.parameters(asked.params)
        return Proposal(Trial(number, parameters), asked)

    def _around_the_best(self, trials: Sequence[Trial]) -> dict[str, float]:
        """Some settings kept near the best so far, some drawn from their whole range."""
        random = self._random(trials)
        point = {}
        for name, place in self._best_point(trials).items():
            near = float(np.clip(place + NEARNESS * random.standard_normal(), 0, 1))
            anywhere = random.random()
            point[name] = anywhere if random.random() < ANYWHERE else near
        return self.space.parameters(point)

    def _leap(self, trials: Sequence[Trial]) -> dict[str, float]:
        """The best settings so far, with one of them drawn from its whole range."""
        random = self._random(trials)
        name = self.space.dimensions[random.integers(len(self.space.dimensions))].name
        return self.space.parameters(self._best_point(trials) | {name: random.random()})

    def _best_point(self, trials: Sequence[Trial]) -> dict[str, float]:
        return self.space.point(max(trials, key=lambda trial: trial.value or 0.0).parameters)

    def _random(self, trials: Sequence[Trial]) -> np.random.Generator:
        """Random numbers of the next trial's own."""
        return np.random.default_rng([self.seed, len(trials)])

    def _ask(self, trials: Sequence[Trial]) -> optuna.trial.Trial:
        """A trial of a study that holds the earlier ones. Optuna works on the unit cube."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        cube: dict[str, BaseDistribution] = {
            dimension.name: FloatDistribution(0.0, 1.0) for dimension in self.space.dimensions
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=int(self._random(trials).integers(2**31)),
                multivariate=True,
                n_startup_trials=0,
                n_ei_candidates=64,
            )
            pruner = optuna.pruners.PercentilePruner(KEPT_PERCENT, n_startup_trials=3)
            study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        for trial in trials:
            study.add_trial(self._frozen(trial, cube))
        return study.ask(cube)

    def _frozen(self, trial: Trial, cube: dict[str, BaseDistribution]) -> optuna.trial.FrozenTrial:
        """The trial as Optuna keeps it. One that could not be fitted is worth nothing."""
        looks = trial.looks or (0.0,)
        return optuna.trial.create_trial(
            state=TrialState.PRUNED if trial.value is None else TrialState.COMPLETE,
            value=looks[-1] if trial.value is None else trial.value,
            params=self.space.point(trial.parameters),
            distributions=cube,
            intermediate_values=dict(enumerate(looks)),
        )
