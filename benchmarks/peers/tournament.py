"""How a peer is tuned and fitted: the same rules for all of them, and as for Marquee's own model.

Optuna's multivariate TPE proposes settings, the package's own defaults first. They are judged by
NDCG@20 on a validation split made of training ratings alone, the one that Marquee's own tuning
searches with. The best are then fitted on all training ratings.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.peers.base import Peer, Settings, TooLarge, feed, feeds_of
from benchmarks.protocols import RELEVANCE
from recommender.interactions import Interactions, Ratings
from recommender.training import tuning
from recommender.training.evaluation import Lists, Question, Scorer, ask, unseen_lists

TRAINING = "training.npz"
LONGEST = 100
"""Places of a list: the largest k of any metric."""
NOT_INSTALLED, TOO_LARGE = 3, 4

_REPEATS = 20
"""Proposals in a row that were tried before: the space is exhausted."""


@dataclass(frozen=True)
class Entry:
    """What is told of one row of the table beside its lists; JSON-able."""

    title: str
    package: str
    """The distribution and its version."""
    fit_seconds: float
    settings: dict[str, Any] = field(default_factory=dict)
    trials: int = 0
    """How many settings were tried."""
    tuning_seconds: float = 0.0
    validation_ndcg: float | None = None
    ended: str = ""
    """What ended tuning: the minutes, the trials, or that there was nothing left to try."""


@dataclass(frozen=True)
class Tuned:
    """The best settings that were found."""

    settings: Settings
    ndcg: float
    trials: int
    seconds: float
    ended: str


def enter(
    peer: Peer,
    training: Ratings,
    protocol: tuning.Protocol,
    *,
    seconds: float,
    most_trials: int,
    seed: int,
) -> tuple[Entry, Lists]:
    """Tune and fit the peer; its LONGEST best unseen movies of every user in training, (U, k).

    Raises TooLarge where memory cannot do.
    """
    tuned = Tuning(peer, training, protocol, seconds, most_trials, seed).run()
    settings = dict(tuned.settings)
    matrix = feed(training, settings.pop("ratings"))
    began_at = time.monotonic()
    scorer = _last(peer.fit(matrix, settings, seed))
    fit_seconds = time.monotonic() - began_at
    seen = feed(training, "all")
    lists = unseen_lists(scorer, np.arange(seen.shape[0]), seen, LONGEST)
    entry = Entry(
        title=peer.title,
        package=f"{peer.package} {metadata.version(peer.package)}",
        fit_seconds=fit_seconds,
        settings=dict(tuned.settings),
        trials=tuned.trials,
        tuning_seconds=tuned.seconds,
        validation_ndcg=tuned.ndcg,
        ended=tuned.ended,
    )
    return entry, lists


class Tuning:
    """A peer's search for its best settings."""

    def __init__(
        self,
        peer: Peer,
        training: Ratings,
        protocol: tuning.Protocol,
        seconds: float,
        most_trials: int,
        seed: int,
    ) -> None:
        self._peer, self._seed, self._most_trials = peer, seed, most_trials
        self._began_at, self._seconds = time.monotonic(), seconds
        self._feeds = feeds_of(training, peer)
        split = protocol.split(training, 0)
        self._ratings = split.training
        interactions = Interactions.build(split.training, RELEVANCE)
        question = Question.build(split, interactions, RELEVANCE, protocol.liked_only)
        self._question = question.sample(tuning.asked_at_most(len(interactions.movie_ids)), seed)
        self._fed: dict[str, sparse.csr_matrix] = {}
        self._known: dict[str, float] = {}
        self._repeats = 0

    def run(self) -> Tuned:
        """Try settings until time or trials are over, or there is nothing new to try."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=self._seed, multivariate=True),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
        )
        for name in self._feeds:
            study.enqueue_trial({**self._peer.defaults, "ratings": name})
        while not (ended := self._ended()):
            study.optimize(self._try, n_trials=1)
        best = study.best_trial
        settings = {**best.params, **best.user_attrs}
        seconds = time.monotonic() - self._began_at
        return Tuned(settings, float(study.best_value), len(self._known), seconds, ended)

    def _ended(self) -> str:
        if not self._known:
            return ""
        if self._repeats >= _REPEATS:
            return "nothing left to try"
        if len(self._known) >= self._most_trials:
            return "the trials were used up"
        return "the minutes were used up" if self._is_late() else ""

    def _is_late(self) -> bool:
        return time.monotonic() - self._began_at > self._seconds

    def _try(self, trial: optuna.Trial) -> float:
        """The best NDCG@20 of any stage of a fit."""
        trial.suggest_categorical("ratings", self._feeds)
        self._peer.suggest(trial)
        key = repr(sorted(trial.params.items()))
        self._repeats = self._repeats + 1 if key in self._known else 0
        if key not in self._known:
            self._known[key] = self._measure(trial)
        return self._known[key]

    def _measure(self, trial: optuna.Trial) -> float:
        settings = dict(trial.params)
        name = settings.pop("ratings")
        if name not in self._fed:
            self._fed[name] = feed(self._ratings, name)
        best = 0.0
        try:
            scorers = self._peer.fit(self._fed[name], settings, self._seed)
            for stage, scorer in enumerate(scorers, start=1):
                ndcg = float(ask(scorer, self._question).ndcg.mean())
                if "stages" in settings and ndcg > best:
                    trial.set_user_attr("stages", stage)
                best = max(best, ndcg)
                trial.report(ndcg, stage)
                if trial.should_prune() or (self._known and self._is_late()):
                    break
        except TooLarge:
            raise
        except Exception as error:
            # Packages raise all sorts of things on settings that they cannot work with: an inverse
            # that does not exist, factors that are no numbers. Such settings are worth nothing.
            print(f"{self._peer.title}, {settings}: {error}", file=sys.stderr)
        return best


def write_ratings(path: Path, ratings: Ratings) -> None:
    """Keep ratings for `read_ratings`."""
    np.savez(
        path,
        user_ids=ratings.user_ids,
        movie_ids=ratings.movie_ids,
        values=ratings.values,
        rated_at=ratings.rated_at,
    )


def read_ratings(path: Path) -> Ratings:
    """The ratings that `write_ratings` kept."""
    with np.load(path) as kept:
        arrays: dict[str, NDArray[Any]] = {name: kept[name] for name in kept.files}
    return Ratings(**arrays)


def _last(scorers: Iterator[Scorer]) -> Scorer:
    scorer = next(scorers)
    for scorer in scorers:  # noqa: B007
        pass
    return scorer
