"""Runs that train or tune: asked for, under way, cancelled, lost. One at a time a space.

A run that is under way holds a session advisory lock of its own. The lock goes when its process
or its connection does, so a running run that nobody holds is lost, however it ended.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone
from kombu.exceptions import OperationalError

from recommender import tuned, vectors
from recommender.config import locks
from recommender.config.celery import app
from recommender.embedders import Unavailable, lacking
from recommender.models import ModelVersion, Space, TrainingRun
from users.models import User

logger = logging.getLogger(__name__)

TASKS = {
    TrainingRun.Kind.TRAIN: "recommender.tasks.train",
    TrainingRun.Kind.TUNE: "recommender.tasks.tune",
}
# The first of an advisory lock's two numbers; the second is the run's.
LOCK_CLASS = 0x4D41_5251
REPORT_SECONDS = 0.5

State = TrainingRun.State
Listener = Callable[[str, float, str], None]
"""Told the step, how far the whole run is (0 to 1), and a message."""


class RunUnderway(Exception):
    """A run of the space is queued or running already."""

    def __init__(self, run: TrainingRun | None) -> None:
        self.run = run
        which = f"Run {run.pk}" if run else "A run"
        if run and run.kind == TrainingRun.Kind.TUNE:
            which += ", a tuning,"
        super().__init__(f"{which} is under way already; one runs at a time.")


class QueueUnavailable(Exception):
    """The queue cannot be reached, so no worker would hear of the run."""


class NotQueued(Exception):
    """The run is not waiting to be run: another worker has it, or it was cancelled."""


class RunCancelled(Exception):
    """A person has cancelled the run."""


class RunLost(Exception):
    """The run was taken for lost (its database connection broke) and may not go on."""


def create(
    space: str = Space.TASTE,
    parameters: Mapping[str, object] | None = None,
    requested_by: User | None = None,
    promote: bool = True,
    embedder: str | None = None,
) -> TrainingRun:
    """Note that a training is wanted, for this process to execute.

    Parameters that are not given are those of the latest tuning, or else the defaults; so is the
    embedder the space's default.

    Raises:
        RunUnderway: a run of the space is queued or running.
        ValueError: a parameter is wrong; the message begins with its name, or with "embedder".
        Unavailable: the technique is known to need what is not installed.
    """
    settings = tuned.resolve(space, embedder, parameters or {})
    if sentence := lacking(space, settings.embedder):
        raise Unavailable(sentence)
    run = TrainingRun(
        space=space,
        embedder=settings.embedder,
        parameters=settings.parameters,
        study=settings.study,
        requested_by=requested_by,
        promote=promote,
    )
    return note(run)


def request(
    space: str = Space.TASTE,
    parameters: Mapping[str, object] | None = None,
    requested_by: User | None = None,
    promote: bool = True,
    embedder: str | None = None,
) -> TrainingRun:
    """Ask for a training and hand it to a worker.

    Raises:
        RunUnderway, ValueError, Unavailable: as `create` does.
        QueueUnavailable: as `hand_over` does.
    """
    return hand_over(create(space, parameters, requested_by, promote, embedder))


def request_again(version: ModelVersion) -> TrainingRun:
    """Ask for a training as the version was trained, with what is known by now.

    Where its technique or its settings are those of another release, it is the space's defaults.

    Raises:
        RunUnderway, QueueUnavailable: as `request` does.
    """
    try:
        return request(version.space, version.parameters, embedder=version.embedder)
    except (ValueError, Unavailable) as error:
        logger.warning("%s cannot be trained again as it was: %s", version, error)
        return request(version.space)


def note(run: TrainingRun) -> TrainingRun:
    """Save a run that is wanted. Raises RunUnderway where one of the space is queued or running."""
    tidy()
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        raise RunUnderway(TrainingRun.objects.active().filter(space=run.space).first()) from None
    return run


def hand_over(run: TrainingRun) -> TrainingRun:
    """Give a queued run to a worker.

    Raises:
        QueueUnavailable: the run is noted as failed, and nothing is left queued.
    """
    try:
        _send(run)
    except OperationalError as error:
        _finish(run, State.FAILED, "The queue cannot be reached.")
        raise QueueUnavailable("The queue cannot be reached, so nothing was started.") from error
    return run


def requeue() -> None:
    """Hand queued runs to a worker again: a queue may have lost its content."""
    for run in TrainingRun.objects.filter(state=State.QUEUED):
        _send(run)


def cancel(run: TrainingRun) -> None:
    """End a queued run at once; ask a running one to stop at its next report."""
    _finish(run, State.CANCELLED, "", only_from=State.QUEUED)
    TrainingRun.objects.filter(pk=run.pk, state=State.RUNNING).update(cancel_requested=True)
    run.refresh_from_db()


def heed_stop(run: TrainingRun) -> None:
    """Take a cancellation as the wish to end early but well; the next one ends the run for good."""
    TrainingRun.objects.filter(pk=run.pk).update(cancel_requested=False)


def tidy() -> None:
    """Mark running runs that no process holds as failed, and drop what they left behind."""
    running = list(TrainingRun.objects.filter(state=State.RUNNING))
    held = locks.held_numbers(LOCK_CLASS) if running else set()
    for run in running:
        if run.pk not in held:
            _finish(run, State.FAILED, "The worker stopped before the run was done.")
    left = ModelVersion.objects.filter(state=ModelVersion.State.TRAINING)
    for version in left.exclude(run__state__in=TrainingRun.ACTIVE):
        _discard(version)
    for version in ModelVersion.objects.filter(
        state=ModelVersion.State.FAILED, vectors_dropped=False
    ):
        vectors.drop(version)


class Reporter:
    """Writes a run's progress where everyone can see it, and stops the run when it must stop."""

    def __init__(self, run: TrainingRun, listener: Listener | None = None) -> None:
        self._run = run
        self._listener = listener
        self._step, self._start, self._end = "", 0.0, 0.0
        self._reported_at = 0.0

    def begin(self, step: str, share: float) -> None:
        """Begin a step that takes about this share (0 to 1) of the whole run."""
        self._step, self._start, self._end = step, self._end, min(1.0, self._end + share)
        self._write(self._start, step)
        self.note(step)

    def rename(self, step: str) -> None:
        """Call the step by another name without being any further."""
        self._step = step
        self.note(step)

    def note(self, line: str) -> None:
        """Add a line to the run's log."""
        stamped = f"{timezone.now():%H:%M:%S} {line}\n"
        TrainingRun.objects.filter(pk=self._run.pk).update(log=Concat(F("log"), Value(stamped)))
        logger.info("%s: %s", self._run, line)

    def __call__(self, fraction: float, message: str = "") -> None:
        """Report how far the step is (0 to 1); most reports are too soon to be written."""
        if time.monotonic() - self._reported_at >= REPORT_SECONDS:
            self._write(self._start + fraction * (self._end - self._start), message)

    def _write(self, fraction: float, message: str) -> None:
        self._reported_at = time.monotonic()
        self._run.step, self._run.fraction = self._step, fraction
        rows = TrainingRun.objects.filter(pk=self._run.pk, state=State.RUNNING)
        rows.update(step=self._step, fraction=fraction, updated_at=timezone.now())
        self.check()
        if self._listener:
            self._listener(self._step, fraction, message)

    def check(self) -> None:
        """Raise RunCancelled or RunLost where the run may not go on."""
        row = TrainingRun.objects.filter(pk=self._run.pk).values("state", "cancel_requested").get()
        if row["state"] != State.RUNNING:
            raise RunLost("The run was given up because its database connection broke.")
        if row["cancel_requested"]:
            raise RunCancelled("Cancelled.")


@contextmanager
def underway(run: TrainingRun, listener: Listener | None = None) -> Iterator[Reporter]:
    """Hold the run while it is executed, and note how it ended; what it raises is passed on.

    Raises:
        NotQueued: it is not waiting to be run.
    """
    with locks.held(LOCK_CLASS, run.pk) as is_ours:
        if not is_ours:
            raise NotQueued(f"{run} is held by another process.")
        started = {"state": State.RUNNING, "started_at": timezone.now()}
        if not TrainingRun.objects.filter(pk=run.pk, state=State.QUEUED).update(**started):
            raise NotQueued(f"{run} is not queued.")
        run.refresh_from_db()
        try:
            yield Reporter(run, listener)
        except RunCancelled:
            _finish(run, State.CANCELLED, "")
            raise
        except BaseException as error:
            _fail(run, error)
            raise
        _finish(run, State.SUCCEEDED, "")


def _fail(run: TrainingRun, error: BaseException) -> None:
    """Note the failure if the database hears us; where it does not, `tidy` will see the loss."""
    sentence = str(error).strip().split("\n")[0] or "It ended without a word."
    try:
        connection.close_if_unusable_or_obsolete()
        _finish(run, State.FAILED, f"{type(error).__name__}: {sentence}")
    except DatabaseError:
        logger.exception("%s failed, and so did the note of it", run)


def _finish(run: TrainingRun, state: State, error: str, only_from: State | None = None) -> None:
    """Note a run's end once, and discard the version of one that did not succeed."""
    still = [only_from] if only_from else list(TrainingRun.ACTIVE)
    now = timezone.now()
    changes = {"state": state, "error": error, "finished_at": now, "updated_at": now}
    if state == State.SUCCEEDED:
        changes["fraction"] = 1.0
    if not TrainingRun.objects.filter(pk=run.pk, state__in=still).update(**changes):
        return
    run.refresh_from_db()
    if state != State.SUCCEEDED and run.version and not run.version.has_vectors:
        _discard(run.version)


def _discard(version: ModelVersion) -> None:
    failed = ModelVersion.objects.filter(pk=version.pk, state=ModelVersion.State.TRAINING)
    failed.update(state=ModelVersion.State.FAILED)
    vectors.drop(version)


def _send(run: TrainingRun) -> None:
    app.send_task(TASKS[TrainingRun.Kind(run.kind)], args=[run.pk], retry=False)
