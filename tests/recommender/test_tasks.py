"""Training by a real worker, and what is left when it is killed."""

import psycopg
import pytest
from django.core.cache import cache
from django.utils import timezone

from recommender import tasks
from recommender.config import heartbeat
from recommender.models import ModelVersion, TrainingRun
from recommender.training import runs
from tests.conftest import SMALL, vector_tables
from tests.worker import test_database_url, wait_until, worker

pytestmark = pytest.mark.django_db(transaction=True)

State = TrainingRun.State
# Trains for minutes, so that there is a middle to be killed in.
LONG = {"factors": 1024, "iterations": 200}


def state_of(run: TrainingRun) -> str:
    run.refresh_from_db()
    return run.state


def tables_of(version: ModelVersion) -> list[str]:
    return [name for name in vector_tables() if name.endswith(f"_v{version.pk}")]


def test_a_worker_trains_what_was_asked_for_and_the_version_goes_live(camps):
    with worker():
        run = runs.request(parameters=SMALL)
        wait_until(lambda: state_of(run) not in TrainingRun.ACTIVE)
    assert (run.state, run.error, run.fraction) == (State.SUCCEEDED, "", 1)
    live = ModelVersion.objects.live()
    assert run.version == live
    assert live.movie_count == 60
    assert len(tables_of(live)) == 3, "people, films, and what places new films"
    assert "Going live" in run.log


def test_a_run_that_was_queued_before_the_worker_started_is_taken_up(camps):
    run = runs.create(parameters=SMALL)
    with worker():
        wait_until(lambda: state_of(run) not in TrainingRun.ACTIVE)
    assert run.state == State.SUCCEEDED


def test_a_worker_killed_while_it_learns_leaves_a_failed_run_and_the_next_one_works(trained):
    with worker() as process:
        run = runs.request(parameters=LONG)
        wait_until(lambda: state_of(run) == State.RUNNING and run.fraction > 0.06)
        runs.tidy()
        assert state_of(run) == State.RUNNING, "a run that is under way is no lost one"
        process.kill()
        process.wait()
    with worker():  # it settles what the last one left
        wait_until(lambda: state_of(run) == State.FAILED)
        assert run.error == "The worker stopped before the run was done."
        assert ModelVersion.objects.live() == trained
        following = runs.request(parameters=SMALL)
        wait_until(lambda: state_of(following) not in TrainingRun.ACTIVE)
    assert following.state == State.SUCCEEDED
    assert ModelVersion.objects.live() == following.version


def test_a_worker_killed_while_it_writes_leaves_no_table_behind(trained):
    with worker() as process:
        with psycopg.connect(test_database_url()) as blocker:
            # Nobody can make a table a partition now, so the run waits with its tables written.
            blocker.execute("LOCK TABLE recommender_movievector IN SHARE MODE")
            run = runs.request(parameters=SMALL)
            wait_until(lambda: state_of(run) == State.RUNNING and run.step == "Building the index")
            wait_until(lambda: len(tables_of(run.version)) == 3)
            process.kill()
            process.wait()
        wait_until(lambda: (runs.tidy(), state_of(run))[1] == State.FAILED)
    assert run.version.state == ModelVersion.State.FAILED
    assert tables_of(run.version) == []
    assert ModelVersion.objects.live() == trained
    assert len(tables_of(trained)) == 3


def test_a_running_run_is_cancelled_in_the_middle(trained):
    with worker():
        run = runs.request(parameters=LONG)
        wait_until(lambda: state_of(run) == State.RUNNING)
        runs.cancel(run)
        wait_until(lambda: state_of(run) == State.CANCELLED)
    assert ModelVersion.objects.live() == trained


def test_a_worker_shows_that_it_is_up_while_it_trains_and_not_when_it_is_dead(trained):
    with worker() as process:
        run = runs.request(parameters=LONG)
        wait_until(lambda: state_of(run) == State.RUNNING)
        for _ in range(3):
            cache.clear()
            wait_until(lambda: heartbeat.is_up(heartbeat.WORKER), seconds=20)
        process.kill()
        process.wait()
    wait_until(lambda: not heartbeat.is_up(heartbeat.WORKER), seconds=20)


def test_the_schedule_leaves_a_run_that_is_under_way_alone():
    first = runs.create()
    tasks.train_on_schedule()
    assert list(TrainingRun.objects.all()) == [first]


def test_the_schedule_asks_for_a_run_with_the_defaults():
    tasks.train_on_schedule()
    run = TrainingRun.objects.get()
    assert (run.state, run.promote, run.requested_by) == (State.QUEUED, True, None)


def test_the_schedule_trains_each_space_in_use_as_its_live_version_was():
    for space, embedder, parameters in (
        ("story", "doc2vec", {"epochs": 7}),
        ("people", "deepwalk", {"set_by_another_release": 1}),
        ("words", "of_another_release", {}),
    ):
        ModelVersion.objects.create(
            space=space,
            embedder=embedder,
            parameters=parameters,
            state=ModelVersion.State.LIVE,
            dimensions=2,
            snapshot_at=timezone.now(),
        )
    under_way = runs.create("words")
    tasks.train_on_schedule("all")
    asked = {run.space: run for run in TrainingRun.objects.exclude(pk=under_way.pk)}
    assert set(asked) == {"taste", "story", "people"}
    assert (asked["story"].embedder, asked["story"].parameters["epochs"]) == ("doc2vec", 7)
    assert asked["people"].embedder == "deepwalk"
    assert {run.state for run in asked.values()} == {State.QUEUED}
