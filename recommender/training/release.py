"""What every training run does alike: note its version, and let it go live or hold it."""

from typing import Any

from django.conf import settings
from django.db import transaction

from recommender import vectors
from recommender.models import ModelVersion, TrainingRun
from recommender.training.gate import Verdict
from recommender.training.runs import Reporter


class NothingToLearn(Exception):
    """There is nothing in the database that the technique could learn from."""


def create_version(run: TrainingRun, **what_it_is: Any) -> ModelVersion:
    """Note the version that a run trains, with these columns."""
    # Together: a version in training that no run is linked to would be taken for a left-over.
    with transaction.atomic():
        version = ModelVersion.objects.create(space=run.space, embedder=run.embedder, **what_it_is)
        run.version = version
        run.save(update_fields=["version"])
    return version


def settle(version: ModelVersion, run: TrainingRun, verdict: Verdict, report: Reporter) -> None:
    """Let a written version go live, or wait for a person where the run or the gate says so.

    Then the vectors of the oldest versions of the space are dropped.
    """
    goes_live = run.promote and not verdict.sentences
    report.begin("Going live" if goes_live else "Waiting for a person's decision", 0.01)
    for sentence in verdict.sentences:
        report.note(f"Held: {sentence}")
    candidate = ModelVersion.objects.filter(pk=version.pk, state=ModelVersion.State.TRAINING)
    candidate.update(
        state=ModelVersion.State.CANDIDATE,
        comparison=verdict.comparison,
        held_because=" ".join(verdict.sentences),
    )
    if goes_live:
        vectors.promote(version)
    version.refresh_from_db()
    vectors.drop_all_but(settings.KEPT_VERSIONS, run.space)
