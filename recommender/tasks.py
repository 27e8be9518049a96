"""What Celery workers do: thin, the work is in `recommender.training`."""

import logging

from celery import shared_task

from recommender.models import TrainingRun
from recommender.training import pipeline, runs

logger = logging.getLogger(__name__)


@shared_task
def train(run_id: int) -> None:
    """Execute a queued run. Its outcome stands in the run, so nothing is raised."""
    run = TrainingRun.objects.filter(pk=run_id).first()
    if run is None:
        return
    try:
        pipeline.execute(run)
    except runs.NotQueued as reason:
        logger.info("%s", reason)
    except Exception:
        logger.exception("%s ended early", run)
