import pytest

from recommender import tuned
from recommender.config.celery import app
from recommender.models import TrainingRun
from recommender.training import runs, studies
from tests.factories import UserFactory
from tests.recommender.api.conftest import client_of, problem

TUNINGS = "/api/v1/tunings/"


@pytest.fixture(autouse=True)
def empty_queue(db):
    """What a test has queued is no worker's business afterwards."""
    yield
    app.control.purge()


@pytest.fixture
def client(trainer):
    return client_of(trainer)


@pytest.mark.parametrize(
    ("method", "address"),
    [("get", TUNINGS), ("post", TUNINGS), ("get", f"{TUNINGS}1/"), ("post", f"{TUNINGS}forget/")],
)
def test_only_staff_with_the_permission_reach_tuning(db, method, address):
    for user, status in {None: 401, UserFactory(): 403, UserFactory(is_staff=True): 403}.items():
        response = getattr(client_of(user), method)(address)
        assert response.status_code == status
        problem(response)
    assert not TrainingRun.objects.exists()


def test_a_tuning_is_asked_for_followed_and_stopped(client, trainer):
    asked = client.post(TUNINGS, {"minutes": 2, "trials": 5}, format="json")
    assert asked.status_code == 202
    body = asked.json()
    assert (body["kind"], body["state"], body["requested_by"]) == (
        "tune",
        "queued",
        trainer.username,
    )
    assert body["parameters"] == {"minutes": 2, "trials": 5, "seed": 0, "fresh": 0}
    assert client.get(asked["Location"]).json()["id"] == body["id"]
    stopped = client.post(f"{asked['Location']}cancel/")
    assert (stopped.status_code, stopped.json()["state"]) == (202, "cancelled")


@pytest.mark.parametrize(
    ("body", "field"),
    [({"minutes": 0}, "minutes"), ({"trials": "many"}, "trials"), ({"fresh": "perhaps"}, "fresh")],
)
def test_a_wrong_number_is_named_and_nothing_starts(client, body, field):
    response = client.post(TUNINGS, body, format="json")
    assert response.status_code == 400
    assert set(problem(response)) == {field}
    assert not TrainingRun.objects.exists()


def test_while_a_training_runs_a_tuning_is_refused(client):
    runs.create()
    response = client.post(TUNINGS, {}, format="json")
    assert response.status_code == 409
    assert problem(response) == {None: "run_underway"}


def test_without_a_queue_nothing_is_started(client, no_queue):
    response = client.post(TUNINGS, {}, format="json")
    assert response.status_code == 503
    assert not TrainingRun.objects.active().exists()


def test_studies_are_read_with_their_trials_and_forgotten(client):
    run = studies.create()
    study = studies.open_study(run, 100).study
    runs.cancel(run)
    parameters = study.parameters = study.defaults
    study.trials.create(number=0, parameters=parameters, state="done", value=0.1)
    tuned.adopt(study)
    (listed,) = client.get(TUNINGS).json()["results"]
    assert listed["id"] == study.pk and listed["adopted_at"]
    read = client.get(f"{TUNINGS}{study.pk}/").json()
    assert [trial["value"] for trial in read["trials"]] == [0.1]
    assert client.post(f"{TUNINGS}forget/").status_code == 204
    assert client.get(f"{TUNINGS}{study.pk}/").json()["adopted_at"] is None
    assert tuned.adopted() is None
