"""Which settings a training takes: those asked for, else the tuned ones, else the defaults."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from recommender.embedders import DEFAULT, default
from recommender.models import Space, TrainingRun, TuningStudy
from recommender.recipe import read

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What to train with, and where it comes from."""

    embedder: str
    parameters: dict[str, float]
    """All of them, as `recipe.read` reads them."""
    study: TuningStudy | None
    """Whose findings are among them; None where nothing was tuned."""


def resolve(
    space: str = Space.TASTE,
    embedder: str | None = None,
    asked: Mapping[str, object] | None = None,
) -> Settings:
    """Return what a training takes where these parameters were asked for.

    Without an embedder it is the space's default.

    Raises:
        ValueError: a parameter that was asked for is wrong; the message begins with its name.
    """
    embedder = embedder or default(space)
    study = adopted(space, embedder)
    found = study.parameters if study else {}
    parameters = read(space, embedder, {**found, **(asked or {})}).parameters
    return Settings(embedder, parameters, study)


def adopted(space: str = Space.TASTE, embedder: str = DEFAULT) -> TuningStudy | None:
    """Return the study whose findings training uses, if there is one."""
    study = TuningStudy.objects.adopted(space).filter(embedder=embedder).first()
    if study is None:
        return None
    try:
        read(space, embedder, study.parameters)
    except ValueError as error:
        # An upgrade may have changed what may be set.
        logger.warning("%s is left aside: %s", study, error)
        return None
    return study


def set_by_hand(run: TrainingRun) -> list[str]:
    """Return the names of the parameters in which a training departs from what was tuned."""
    found = run.study.parameters if run.study else None
    if not found:
        return []
    return [name for name, value in run.parameters.items() if found.get(name) != value]


def adopt(study: TuningStudy) -> None:
    """Let training use what the study has found, from now on."""
    study.adopted_at = timezone.now()
    study.save()


def forget(space: str = Space.TASTE) -> int:
    """Let training use the defaults again; return how many studies were in use or waiting."""
    return TuningStudy.objects.adopted(space).update(adopted_at=None)
