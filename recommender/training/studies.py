"""Tuning runs: asked for, and the studies that they work on, begun anew or gone on with.

`tuning_pipeline` executes them. It is apart as web processes ask for runs, and need not load what
searching takes.
"""

from dataclasses import dataclass

from recommender.embedders import DEFAULT
from recommender.models import Space, TrainingRun, TuningStudy, TuningTrial
from recommender.parameters import Parameters, number
from recommender.training import runs
from recommender.training.search_space import SearchSpace
from users.models import User

CHANGED_SHARE = 0.1
"""A study whose ratings have since become more or fewer by a larger share is not gone on with."""


@dataclass(frozen=True)
class Effort(Parameters):
    """How much to search."""

    minutes: float = number(10.0, 0.05, 1440.0)
    """How long the search takes, by the clock, with the check at its end."""

    trials: int = number(1000, 1, 10_000)
    """It also ends after so many trials, those before a break counted."""

    seed: int = number(0, 0, 2**32 - 1)
    """Start of the random numbers. The same seed and ratings make the same trials; how many there
    is time for is up to the clock."""

    fresh: int = number(0, 0, 1)
    """1 begins a new study, 0 goes on with the last one where that is possible."""


def create(
    space: str = Space.TASTE,
    effort: Effort | None = None,
    requested_by: User | None = None,
    embedder: str = DEFAULT,
) -> TrainingRun:
    """Note that a tuning is wanted, for this process to execute.

    Raises:
        runs.RunUnderway: a run of the space, be it a training, is queued or running.
    """
    run = TrainingRun(
        kind=TrainingRun.Kind.TUNE,
        space=space,
        embedder=embedder,
        parameters=(effort or Effort()).to_dict(),
        requested_by=requested_by,
        promote=False,
    )
    return runs.note(run)


def request(
    space: str = Space.TASTE, effort: Effort | None = None, requested_by: User | None = None
) -> TrainingRun:
    """Ask for a tuning and hand it to a worker.

    Raises:
        runs.RunUnderway: as `create` does.
        runs.QueueUnavailable: the run is noted as failed, and nothing is left queued.
    """
    return runs.hand_over(create(space, effort, requested_by))


@dataclass(frozen=True)
class Opening:
    """The study that a run works on, and why it is this one."""

    study: TuningStudy
    reason: str


def open_study(run: TrainingRun, rating_count: int) -> Opening:
    """Return the study for a run on so many ratings: the last one where it can be gone on with."""
    effort = Effort.from_dict(run.parameters)
    space = SearchSpace.of(run.embedder)
    last = TuningStudy.objects.filter(space=run.space).newest_first().first()
    objection = why_not_resume(last, effort, space, rating_count)
    if last is None or objection:
        study = TuningStudy.objects.create(
            space=run.space,
            embedder=run.embedder,
            seed=int(effort.seed),
            defaults=space.defaults,
            ranges=space.describe(),
            rating_count=rating_count,
        )
        opening = Opening(study, f"Study {study.pk} begins: {objection}.")
    else:
        # What a killed process was in the middle of is tried again.
        last.trials.filter(state=TuningTrial.State.RUNNING).delete()
        opening = Opening(
            last, f"Study {last.pk} goes on, with {last.trials.count()} trials so far."
        )
    run.study = opening.study
    run.save(update_fields=["study"])
    return opening


def why_not_resume(
    last: TuningStudy | None, effort: Effort, space: SearchSpace, rating_count: int
) -> str:
    """Return what keeps a run from going on with the last study; nothing where it can."""
    if last is None:
        return "it is the first"
    if effort.fresh:
        return "a new one was asked for"
    if last.seed != effort.seed:
        return "another seed was asked for"
    if last.embedder != space.embedder or last.ranges != space.describe():
        return "what is searched is not what it was"
    if abs(rating_count - last.rating_count) > CHANGED_SHARE * last.rating_count:
        return f"there were {last.rating_count:,} ratings for the last, and are {rating_count:,}"
    return ""
