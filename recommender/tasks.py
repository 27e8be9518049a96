"""What Celery workers do: thin, the work is in `recommender.training`."""

import logging
from collections.abc import Callable
from functools import partial

from celery import shared_task, signals

from recommender.config import heartbeat
from recommender.models import ModelVersion, TrainingRun
from recommender.schedule import Spaces
from recommender.serving import moving, placing
from recommender.training import dispatch, runs

logger = logging.getLogger(__name__)


@shared_task
def train(run_id: int) -> None:
    """Execute a queued run."""
    _execute(run_id, dispatch.execute)


@shared_task
def tune(run_id: int) -> None:
    """Execute a queued tuning run."""
    # Only a tuning needs what searching takes, and it takes seconds to load.
    from recommender.training import tuning_pipeline

    _execute(run_id, tuning_pipeline.execute)


def _execute(run_id: int, execute: Callable[[TrainingRun], object]) -> None:
    """Execute a run if it is still there. Its outcome stands in the run: nothing is raised."""
    run = TrainingRun.objects.filter(pk=run_id).first()
    if run is None:
        return
    try:
        execute(run)
    except runs.NotQueued as reason:
        logger.info("%s", reason)
    except Exception:
        logger.exception("%s ended early", run)


@shared_task
def train_on_schedule(spaces: str = Spaces.TASTE) -> None:
    """Ask for taste with the defaults, and for `all` for the other live versions anew.

    A space in which a run is under way is left out.
    """
    again = ModelVersion.objects.live_beside_taste() if spaces == Spaces.ALL else []
    for ask in (runs.request, *(partial(runs.request_again, version) for version in again)):
        try:
            ask()
        except runs.RunUnderway as reason:
            logger.info("%s", reason)


@shared_task
def tidy_runs() -> None:
    """Notice runs whose worker is gone, though nobody looks."""
    runs.tidy()


@shared_task
def place_films() -> None:
    """Give films that came since the live version was trained their place in it, and move those
    that are rated since."""
    while placing.place() == placing.AT_A_TIME:
        pass
    moving.move()


@signals.worker_ready.connect
def begin_work(**_: object) -> None:
    """Settle what the last worker left, and take up what waits: a queue may lose its content."""
    heartbeat.start(heartbeat.WORKER)
    runs.tidy()
    runs.requeue()


@signals.beat_init.connect
def begin_scheduling(**_: object) -> None:
    heartbeat.start(heartbeat.SCHEDULER)
