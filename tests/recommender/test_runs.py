import pytest
from django.db import connection, connections

from recommender.models import ModelVersion, TrainingRun
from recommender.training import pipeline, runs
from tests.conftest import SMALL

pytestmark = pytest.mark.django_db(transaction=True)

State = TrainingRun.State


def test_a_second_request_says_that_one_is_under_way():
    first = runs.create()
    with pytest.raises(runs.RunUnderway) as refused:
        runs.create()
    assert refused.value.run == first
    assert str(refused.value) == f"Run {first.pk} is under way already; one runs at a time."


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"factors": 0}, "factors"),
        ({"factors": "many"}, "factors"),
        ({"alpha": -1}, "alpha"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_parameter_is_named_and_nothing_is_queued(parameters, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        runs.create(parameters=parameters)
    assert not TrainingRun.objects.exists()


def test_parameters_from_a_form_are_kept_as_numbers_with_the_defaults():
    run = runs.create(parameters={"factors": "32"})
    assert run.parameters["factors"] == 32
    assert "alpha" in run.parameters and "regularization" in run.parameters


def test_without_a_queue_the_request_says_so_and_leaves_nothing_queued(no_queue):
    with pytest.raises(runs.QueueUnavailable):
        runs.request()
    assert not TrainingRun.objects.active().exists()


def test_a_queued_run_is_cancelled_at_once_and_never_runs():
    run = runs.create()
    runs.cancel(run)
    assert run.state == State.CANCELLED
    with pytest.raises(runs.NotQueued):
        pipeline.execute(run)


def test_a_running_run_stops_at_its_next_report(camps, trained):
    run = runs.create(parameters=SMALL)

    def cancel_when_learning(step, fraction, message):
        if step == "Learning from all ratings":
            runs.cancel(run)

    with pytest.raises(runs.RunCancelled):
        pipeline.execute(run, cancel_when_learning)
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert ModelVersion.objects.live() == trained
    assert not ModelVersion.objects.filter(state="training").exists()


def test_a_running_run_whose_process_is_gone_is_marked_failed(camps):
    run = runs.create()
    TrainingRun.objects.filter(pk=run.pk).update(state=State.RUNNING)
    runs.tidy()
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert run.error == "The worker stopped before the run was done."
    pipeline.execute(runs.create(parameters=SMALL))


def test_a_running_run_that_is_held_is_left_alone(camps):
    run = runs.create(parameters=SMALL)

    def tidy_from_elsewhere(step, fraction, message):
        elsewhere = connections.create_connection("default")
        default = connections["default"]
        try:
            connections["default"] = elsewhere
            runs.tidy()
        finally:
            connections["default"] = default
            elsewhere.close()

    pipeline.execute(run, tidy_from_elsewhere)
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED


def test_a_run_whose_connection_broke_may_not_go_on(camps):
    run = runs.create(parameters=SMALL)

    def break_connection(step, fraction, message):
        connection.close()
        runs.tidy()

    with pytest.raises(runs.RunLost):
        pipeline.execute(run, break_connection)
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert not ModelVersion.objects.live()


def test_progress_is_stored_and_never_falls(camps, monkeypatch):
    monkeypatch.setattr(runs, "REPORT_SECONDS", 0)
    run = runs.create(parameters=SMALL)
    seen: list[float] = []

    def listener(step, fraction, message):
        stored = TrainingRun.objects.get(pk=run.pk)
        assert (stored.step, stored.fraction) == (step, fraction)
        seen.append(fraction)

    pipeline.execute(run, listener)
    assert seen == sorted(seen) and len(seen) > 20
