"""Marquee as a person meets it: ratings imported, tuned, trained, live, and answered from."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import threadpoolctl
from django.db import connection
from numpy.typing import NDArray

from benchmarks.dataset import Dataset
from benchmarks.peers.tournament import Entry
from movies.importers.progress import progress
from recommender.interactions import Interactions, Ratings
from recommender.models import ModelVersion
from recommender.serving.recommend import Filters, recommend
from recommender.training import pipeline, runs, snapshot, tuning
from recommender.training.evaluation import Lists
from users.importers.movielens.load import load
from users.models import User

TITLE = "Marquee"
ROWS: dict[str, dict[str, Any]] = {TITLE: {}, "Marquee, unvaried": {"variety": 0.0}}
"""Its rows: as the site answers, and with the model's order alone; `recommend`'s arguments."""

RATED = Filters(fewest_ratings=1)

LEARNING = "Learning from all ratings"
"""The step of a run that the other rows' fits are compared with."""


@dataclass(frozen=True)
class Trained:
    """A live version, and how it came about."""

    entry: Entry
    version: ModelVersion
    run_seconds: float
    """The whole run: read, fit twice, judge, write, index, promote."""


@contextmanager
def database() -> Iterator[None]:
    """An empty database with all tables, dropped at the end."""
    before, options = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    usual = options["NAME"]
    # The usual name may be that of a test run which this is a part of.
    options["NAME"] = f"{before}_benchmark"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
        options["NAME"] = usual


def fill(dataset: Dataset, ratings: Ratings, label: str = "") -> None:
    """Import all films and these ratings, as those of people of the dataset, or of `label`."""
    load(dataset.files(ratings), progress(shown=False), label)


def train(protocol: tuning.Protocol, *, minutes: float, most_trials: int, seed: int) -> Trained:
    """Tune on what is imported and let the result go live; with no minutes, train the defaults."""
    tuned = None
    began_at = time.monotonic()
    if minutes:
        tuned = tuning.search(
            snapshot.take().ratings,
            protocol,
            seconds=60 * minutes,
            seed=seed,
            most_trials=most_trials,
        )
    tuning_seconds = time.monotonic() - began_at
    run = runs.create(parameters=tuned.parameters if tuned else {})
    clock = _Clock()
    version = pipeline.execute(run, clock)
    seconds = clock.seconds_by_step()
    entry = Entry(
        title=TITLE,
        package="live, through PostgreSQL",
        fit_seconds=seconds[LEARNING],
        settings=run.parameters,
        trials=len(tuned.trials) if tuned else 0,
        tuning_seconds=tuning_seconds,
        validation_ndcg=max((t.value for t in tuned.trials if t.value is not None), default=None)
        if tuned
        else None,
        ended=_how_it_ended(tuned, most_trials),
    )
    return Trained(entry, version, sum(seconds.values()))


def _how_it_ended(tuned: tuning.TuningResult | None, most_trials: int) -> str:
    if tuned is None:
        return "not tuned"
    is_full = len(tuned.trials) >= most_trials
    return "the trials were used up" if is_full else "the minutes were used up"


class _Clock:
    """How long each step of a run took: a listener."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, float]] = []

    def __call__(self, step: str, fraction: float, message: str) -> None:
        """Note when a step began."""
        if not self._steps or self._steps[-1][0] != step:
            self._steps.append((step, time.monotonic()))

    def seconds_by_step(self) -> dict[str, float]:
        """Seconds of each step, up to now for the last."""
        ends = [*(began_at for _, began_at in self._steps[1:]), time.monotonic()]
        return {
            step: end - began_at for (step, began_at), end in zip(self._steps, ends, strict=True)
        }


def serve(label: str, source_ids: Sequence[int], k: int, **options: Any) -> NDArray[np.int64]:
    """What the site recommends to these people of a dataset, (q, k): the films' ids there.

    −1 where a list is shorter. `options` are those of `recommend`. As with the other rows, only
    films with ratings are to choose from.
    """
    people = {person.source_id: person for person in User.objects.filter(source=label)}
    lists = np.full((len(source_ids), k), -1, dtype=np.int64)
    # As in a web process.
    with threadpoolctl.threadpool_limits(1, "blas"):
        for row, source_id in enumerate(source_ids):
            answers = recommend(people[source_id], k, RATED, **options)
            lists[row, : len(answers)] = [answer.movie.movielens_id for answer in answers]
    return lists


def columns_of(lists: NDArray[np.int64], interactions: Interactions) -> Lists:
    """Lists of movie ids as columns of training, −1 for movies that training does not know."""
    known = interactions.movie_ids
    places = np.minimum(np.searchsorted(known, lists), len(known) - 1)
    return np.where(known[places] == lists, places, -1)
