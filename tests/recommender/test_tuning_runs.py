"""Tuning runs in the database, by a command, and by a real worker that may be killed."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommender import tuned
from recommender.models import TrainingRun, TuningStudy, TuningTrial
from recommender.training import pipeline, runs, studies, tuning, tuning_pipeline
from recommender.training.search_space import SearchSpace
from recommender.training.studies import Effort
from recommender.training.trials import Trial
from tests.conftest import SMALL
from tests.factories import RatingFactory
from tests.worker import ROOT, test_database_url, wait_until, worker
from users.models import Rating

pytestmark = pytest.mark.django_db(transaction=True)

State = TrainingRun.State
FEW = Effort(minutes=2, trials=3)


def tune(effort: Effort = FEW, **more) -> TuningStudy:
    return tuning_pipeline.execute(studies.create(effort=effort), **more)


def begin(defaults: dict[str, float] | None = None) -> TuningStudy:
    """A study that has begun, on the ratings that there are."""
    run = studies.create(effort=Effort(fresh=1))
    study = studies.open_study(run, Rating.objects.count()).study
    runs.cancel(run)
    if defaults:
        space = SearchSpace.of(study.embedder, defaults)
        study.defaults, study.ranges = space.defaults, space.describe()
        study.save()
    return study


@pytest.fixture
def small(camps) -> TuningStudy:
    """A study of the two camps that has begun with settings which take no time to fit."""
    return begin(SMALL)


def state_of(run: TrainingRun) -> str:
    run.refresh_from_db()
    return run.state


def adopt(parameters: dict[str, float]) -> TuningStudy:
    """A study that has found these settings, for training to use."""
    study = begin()
    study.parameters = {**study.defaults, **parameters}
    study.gain = {"ndcg": 0.102, "defaults_ndcg": 0.1, "low": 0.001, "high": 0.003, "people": 40}
    tuned.adopt(study)
    return study


class StopAfter(tuning.Listener):
    """Stops the run as the console does, after so many trials, and where told to the check too."""

    def __init__(self, run: TrainingRun, trials: int, check_too: bool = False) -> None:
        self._run, self._left, self._check_too = run, trials, check_too

    def ended(self, trial: Trial) -> None:
        self._left -= 1

    def report(self, fraction: float, message: str) -> None:
        if self._left == 0:
            self._left = -1
            runs.cancel(self._run)

    def checking(self) -> None:
        if self._check_too:
            runs.cancel(self._run)


# What is kept, and what training makes of it ---------------------------------------------------


def test_a_tuning_keeps_its_trials_and_says_what_it_came_to(small):
    study = tune()
    assert study == small
    run = TrainingRun.objects.newest_first().first()
    assert (run.kind, run.state, run.fraction, run.study) == ("tune", State.SUCCEEDED, 1, study)
    assert list(study.trials.values_list("number", flat=True)) == [0, 1, 2]
    assert study.trials.get(number=0).parameters == study.defaults
    assert not study.trials.filter(state=TuningTrial.State.RUNNING).exists()
    assert study.verdict and study.verdict in run.log
    assert "The defaults: NDCG@20" in run.log


def test_what_was_found_is_what_the_next_training_uses():
    study = adopt({"factors": 24, "alpha": 7.5})
    run = runs.create()
    assert (run.parameters["factors"], run.parameters["alpha"]) == (24, 7.5)
    assert run.study == study


def test_what_is_asked_for_goes_before_what_was_found():
    adopt({"factors": 24, "alpha": 7.5})
    run = runs.create(parameters={"factors": "16"})
    assert (run.parameters["factors"], run.parameters["alpha"]) == (16, 7.5)


def test_the_latest_adopted_study_counts_and_forgetting_forgets_them_all():
    adopt({"factors": 24})
    adopt({"factors": 48})
    assert tuned.resolve().parameters["factors"] == 48
    tuned.forget()
    assert tuned.resolve().parameters == begin().defaults
    assert tuned.resolve().study is None


def test_settings_that_an_upgrade_no_longer_knows_are_left_aside():
    study = adopt({})
    TuningStudy.objects.filter(pk=study.pk).update(parameters={"no_longer": 1})
    assert tuned.resolve().study is None
    runs.create()


def test_a_better_trial_is_adopted_and_trained_with(small):
    gain = tuning.Gain(ndcg=0.3, defaults_ndcg=0.2, low=0.05, high=0.15, people=40)
    found = {**small.defaults, "factors": 12}
    tuning_pipeline._conclude(small, tuning.TuningResult(found, [], gain))
    assert small.percent == pytest.approx(50)
    version = pipeline.execute(runs.create())
    assert version.parameters["factors"] == 12


def test_what_an_earlier_study_has_found_is_tried_right_after_the_defaults(small):
    found = {**small.defaults, "alpha": 9.0}
    earlier = begin()
    earlier.parameters = found
    tuned.adopt(earlier)
    TuningStudy.objects.filter(pk=small.pk).update(created_at=timezone.now())
    study = tune(Effort(minutes=2, trials=2))
    assert study.trials.get(number=1).parameters == found


def test_what_is_not_better_beyond_luck_is_not_adopted():
    study = begin()
    gain = tuning.Gain(ndcg=0.21, defaults_ndcg=0.2, low=-0.01, high=0.03, people=40)
    tuning_pipeline._conclude(study, tuning.TuningResult({}, [], gain))
    assert "not beyond luck" in study.verdict
    assert tuned.adopted() is None


# One at a time ---------------------------------------------------------------------------------


def test_a_tuning_and_a_training_do_not_run_side_by_side():
    training = runs.create()
    with pytest.raises(runs.RunUnderway):
        studies.create()
    runs.cancel(training)
    tuning_run = studies.create()
    with pytest.raises(runs.RunUnderway) as refused:
        runs.create()
    assert str(refused.value) == (
        f"Run {tuning_run.pk}, a tuning, is under way already; one runs at a time."
    )


def test_without_a_queue_nothing_waits(no_queue):
    with pytest.raises(runs.QueueUnavailable):
        studies.request()
    assert not TrainingRun.objects.active().exists()


def test_too_few_ratings_end_a_tuning_in_one_sentence():
    RatingFactory(value=10)
    with pytest.raises(tuning.NothingToTune):
        tune()
    run = TrainingRun.objects.newest_first().first()
    assert run.error == "NothingToTune: There are too few ratings to hold any out."


# Going on --------------------------------------------------------------------------------------


def test_a_second_tuning_goes_on_with_the_study(small):
    first = tune()
    second = tune(Effort(minutes=2, trials=4))
    assert second == first and second.trials.count() == 4


@pytest.mark.parametrize(
    ("effort", "why"),
    [
        (Effort(minutes=2, trials=1, fresh=1), "a new one was asked for"),
        (Effort(minutes=2, trials=1, seed=4), "another seed was asked for"),
    ],
)
def test_a_new_study_begins_where_one_is_asked_for(small, effort, why):
    first = small
    second = tune(effort)
    assert second != first
    assert why in TrainingRun.objects.newest_first().first().log


def test_a_new_study_begins_where_the_ratings_have_changed_much(small):
    first = small
    TuningStudy.objects.update(rating_count=first.rating_count // 2)
    assert tune(Effort(minutes=2, trials=1)) != first


def test_a_stopped_tuning_keeps_its_trials_and_is_gone_on_with(small, monkeypatch):
    monkeypatch.setattr(runs, "REPORT_SECONDS", 0.02)
    run = studies.create(effort=Effort(minutes=2, trials=50))
    study = tuning_pipeline.execute(run, StopAfter(run, trials=2))
    assert state_of(run) == State.SUCCEEDED and not run.cancel_requested
    assert list(study.trials.values_list("number", "state")) == [(0, "done"), (1, "done")]
    again = tune(Effort(minutes=2, trials=3))
    assert again == study
    assert list(again.trials.values_list("number", flat=True)) == [0, 1, 2]


def test_a_tuning_that_is_stopped_while_it_checks_adopts_nothing_and_keeps_its_trials(
    small, monkeypatch
):
    monkeypatch.setattr(runs, "REPORT_SECONDS", 0.02)
    run = studies.create(effort=Effort(minutes=2, trials=50))
    with pytest.raises(runs.RunCancelled):
        tuning_pipeline.execute(run, StopAfter(run, trials=6, check_too=True))
    assert state_of(run) == State.CANCELLED
    assert run.study.trials.count() == 6
    assert run.study.adopted_at is None


# The worker ------------------------------------------------------------------------------------

LONG = Effort(minutes=60)


def test_a_killed_worker_leaves_a_study_that_is_gone_on_with(small):
    with worker() as process:
        run = studies.request(effort=LONG)
        wait_until(lambda: TuningTrial.objects.exclude(state="running").count() >= 2)
        process.kill()
        process.wait()
    before = TuningTrial.objects.exclude(state="running").count()
    with worker():  # it settles what the last one left
        wait_until(lambda: state_of(run) == State.FAILED)
        assert run.error == "The worker stopped before the run was done."
        second = studies.request(effort=LONG)
        wait_until(lambda: TuningTrial.objects.exclude(state="running").count() > before)
        runs.cancel(second)
        wait_until(lambda: state_of(second) not in TrainingRun.ACTIVE)
    assert second.state == State.SUCCEEDED
    assert TuningStudy.objects.get() == second.study


# The command -----------------------------------------------------------------------------------


def test_the_command_prints_the_study_as_json(small):
    out = io.StringIO()
    call_command("tune", "--minutes", "2", "--trials", "2", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert [trial["number"] for trial in answer["trials"]] == [0, 1]
    assert answer["trials"][0]["value"] > 0
    assert answer["study"] == TuningStudy.objects.get().pk
    assert set(answer["parameters"]) == set(tuned.resolve().parameters)


def test_the_command_says_what_the_next_training_uses(small):
    out = io.StringIO()
    call_command("tune", "--minutes", "2", "--trials", "1", stdout=out)
    assert "The next training uses the defaults." in out.getvalue()


@pytest.mark.parametrize(
    ("option", "value"), [("minutes", "0"), ("minutes", "soon"), ("trials", "0"), ("seed", "-1")]
)
def test_a_wrong_option_is_named_and_starts_nothing(option, value):
    with pytest.raises(CommandError, match=rf"^{option}: "):
        call_command("tune", f"--{option}={value}")
    assert not TrainingRun.objects.exists()


def test_the_command_says_that_a_run_is_under_way():
    run = runs.create()
    with pytest.raises(CommandError, match=f"Run {run.pk} is under way"):
        call_command("tune")


def test_ctrl_c_ends_the_command_early_and_well(small):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "tune", "--minutes", "30", "--json"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": test_database_url()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: TuningTrial.objects.exclude(state="running").count() >= 2)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    assert json.loads(out)["study"] == TuningStudy.objects.get().pk
    assert TrainingRun.objects.newest_first().first().state == State.SUCCEEDED
