"""One tuning run, from the ratings in the database to settings that the next training takes.

snapshot → a study begun or gone on with → trials, each kept as it ends → the check → adoption. A
process that is killed leaves the trials that it has made, and the next run goes on from them.
"""

import dataclasses
from collections.abc import Sequence

from django.utils import timezone

from recommender import tuned
from recommender.models import TrainingRun, TuningStudy, TuningTrial
from recommender.training import runs, snapshot, studies, tuning
from recommender.training.runs import Reporter
from recommender.training.search_space import SearchSpace
from recommender.training.studies import Effort
from recommender.training.trials import Trial

State = TuningTrial.State


def execute(run: TrainingRun, listener: tuning.Listener | None = None) -> TuningStudy:
    """Search as the run asks, and let training use what was found where it is better.

    Asked to stop, it makes no more trials and checks the best there are; asked again, it ends.

    Raises:
        runs.NotQueued: another process has the run, or it was cancelled.
        runs.RunCancelled: a person stopped it for good; the trials are kept.
        tuning.NothingToTune: the ratings are too few.
    """
    effort = Effort.from_dict(run.parameters)
    with runs.underway(run) as report:
        report.begin("Reading the ratings", 0.02)
        data = snapshot.take()
        report.note(f"{len(data.ratings):,} ratings by {len(data.user_ids):,} people")
        opening = studies.open_study(run, len(data.ratings))
        study = opening.study
        recorder = _Recorder(run, study, report, listener or tuning.Listener())
        recorder.note(opening.reason)
        report.begin("Searching", 0.97)
        try:
            result = tuning.search(
                data.ratings,
                seconds=60 * effort.minutes - _seconds_since_start(run),
                embedder=study.embedder,
                defaults=study.defaults,
                seed=study.seed,
                most_trials=int(effort.trials),
                trials=[_read(trial) for trial in study.trials.all()],
                hints=_hints(study),
                listener=recorder,
            )
        except tuning.StopSearch:
            raise runs.RunCancelled("Stopped before the best trials were checked.") from None
        finally:
            # One that was interrupted has no end; it is made again when the study goes on.
            study.trials.filter(state=State.RUNNING).delete()
        _conclude(study, result)
        recorder.note(study.verdict)
    return study


class _Recorder(tuning.Listener):
    """Keeps trials and progress where everyone can see them, and tells a listener of its own."""

    def __init__(
        self, run: TrainingRun, study: TuningStudy, report: Reporter, listener: tuning.Listener
    ) -> None:
        self._run, self._study, self._report, self._listener = run, study, report, listener

    def opened(self, space: SearchSpace, trials: Sequence[Trial]) -> None:
        self._listener.opened(space, trials)

    def note(self, line: str) -> None:
        self._report.note(line)
        self._listener.note(line)

    def report(self, fraction: float, message: str) -> None:
        try:
            self._report(fraction, message)
        except runs.RunCancelled:
            runs.heed_stop(self._run)
            raise tuning.StopSearch from None
        self._listener.report(fraction, message)

    def checking(self) -> None:
        self._report.rename("Checking the best against the defaults")
        self._listener.checking()

    def began(self, trial: Trial) -> None:
        self._study.trials.create(number=trial.number, parameters=trial.parameters)
        self._listener.began(trial)

    def ended(self, trial: Trial) -> None:
        outcome = _outcome(trial)
        self._study.trials.filter(number=trial.number).update(**outcome)
        self._report.note(_sentence(trial, outcome["state"]))
        self._listener.ended(trial)


def _outcome(trial: Trial) -> dict[str, object]:
    """What the database keeps of a trial's end."""
    state = State.DONE if trial.value is not None else State.FAILED if trial.error else State.PRUNED
    return {
        "state": state,
        "looks": list(trial.looks),
        "value": trial.value,
        "seconds": trial.seconds,
        "error": trial.error,
    }


def _read(kept: TuningTrial) -> Trial:
    """The trial as the search knows it."""
    return Trial(
        kept.number, kept.parameters, tuple(kept.looks), kept.value, kept.seconds, kept.error
    )


def _sentence(trial: Trial, state: object) -> str:
    """How a trial went, for the log."""
    name = f"Trial {trial.number}" if trial.number else "The defaults"
    if state == State.DONE:
        return f"{name}: NDCG@20 {trial.value:.4f}"
    if state == State.FAILED:
        return f"{name}: could not be fitted ({trial.error})"
    return f"{name}: given up at {trial.looks[-1]:.4f}"


def _hints(study: TuningStudy) -> list[dict[str, float]]:
    """What an earlier study has found, unless this one's defaults know other settings."""
    earlier = tuned.adopted(study.space, study.embedder)
    if earlier is None or earlier == study:
        return []
    found: dict[str, float] = earlier.parameters or {}
    return [found] if set(found) == set(study.defaults) else []


def _conclude(study: TuningStudy, result: tuning.TuningResult) -> None:
    """Keep what the search came to, and adopt it where it is better."""
    gain = result.gain
    if gain is None:
        study.verdict = "Nothing better than the defaults was found yet."
        if tuning.better_than_the_defaults(result.trials):
            study.verdict = "There was no time left to check the best against the defaults."
    else:
        interval = f"95 % interval {gain.low:+.4f} to {gain.high:+.4f}"
        study.verdict = (
            f"NDCG@20 {gain.ndcg:.4f} against the defaults' {gain.defaults_ndcg:.4f}"
            f" ({gain.percent:+.1f} %, {interval}, {gain.people:,} people): "
        )
        study.verdict += "adopted." if result.is_better else "not beyond luck, so not adopted."
    study.save()
    if gain and result.is_better:
        study.parameters, study.gain = result.parameters, dataclasses.asdict(gain)
        tuned.adopt(study)


def _seconds_since_start(run: TrainingRun) -> float:
    return (timezone.now() - run.started_at).total_seconds() if run.started_at else 0.0
