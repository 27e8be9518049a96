import pytest
from django.contrib.auth.models import Permission

from recommender.config.celery import app
from recommender.models import ModelVersion, TrainingRun
from recommender.training import pipeline, runs
from tests.conftest import SMALL
from tests.factories import UserFactory
from tests.recommender.api.conftest import client_of, problem

RUNS = "/api/v1/training-runs/"
MODELS = "/api/v1/models/"
ADDRESSES = [
    ("get", RUNS),
    ("post", RUNS),
    ("get", f"{RUNS}1/"),
    ("post", f"{RUNS}1/cancel/"),
    ("get", MODELS),
    ("post", f"{MODELS}1/promote/"),
]


@pytest.fixture(autouse=True)
def empty_queue(db):
    """What a test has queued is no worker's business afterwards."""
    yield
    app.control.purge()


@pytest.fixture
def client(trainer):
    return client_of(trainer)


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_only_staff_with_the_permission_reach_training(db, method, address):
    permitted = Permission.objects.get(codename="run_training")
    staff_without = UserFactory(is_staff=True)
    no_staff = UserFactory()
    no_staff.user_permissions.add(permitted)
    expected = {None: 401, UserFactory(): 403, staff_without: 403, no_staff: 403}
    for user, status in expected.items():
        response = getattr(client_of(user), method)(address)
        assert response.status_code == status, user
        problem(response)
    assert not TrainingRun.objects.exists()


def test_a_run_is_asked_for_followed_and_cancelled(client, trainer):
    asked = client.post(RUNS, {"parameters": {"factors": 16}, "promote": False}, format="json")
    assert asked.status_code == 202
    body = asked.json()
    assert body["state"] == "queued" and body["requested_by"] == trainer.username
    assert body["parameters"]["factors"] == 16 and body["promote"] is False
    followed = client.get(asked["Location"])
    assert followed.json() == body | {"log": ""}
    assert client.get(RUNS).json()["results"] == [body]
    cancelled = client.post(f"{RUNS}{body['id']}/cancel/")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    again = client.post(f"{RUNS}{body['id']}/cancel/")
    assert again.status_code == 409
    assert problem(again) == {None: "run_over"}


def test_a_second_run_is_refused_and_names_the_first(client):
    first = client.post(RUNS, {}, format="json").json()
    second = client.post(RUNS, {}, format="json")
    assert second.status_code == 409
    assert problem(second) == {None: "run_underway"}
    assert f"Run {first['id']}" in second.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parameters": {"factors": 0}}, "parameters.factors"),
        ({"parameters": {"factors": "many"}}, "parameters.factors"),
        ({"parameters": {"no_such": 1}}, "parameters.no_such"),
        ({"parameters": [1]}, "parameters"),
        ({"promote": "perhaps"}, "promote"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_starts(client, body, field):
    response = client.post(RUNS, body, format="json")
    assert response.status_code == 400
    assert set(problem(response)) == {field}
    assert not TrainingRun.objects.exists()


def test_without_a_queue_nothing_is_started(client, no_queue):
    response = client.post(RUNS, {}, format="json")
    assert response.status_code == 503
    assert problem(response) == {None: "unavailable"}
    assert int(response["Retry-After"]) > 0
    assert not TrainingRun.objects.active().exists()


def test_a_finished_run_cannot_be_cancelled(trained, client):
    run = TrainingRun.objects.get()
    response = client.post(f"{RUNS}{run.pk}/cancel/")
    assert response.status_code == 409
    assert problem(response) == {None: "run_over"}
    assert client.get(f"{RUNS}{run.pk}/").json()["version"] == trained.pk


def test_an_older_version_is_promoted_again(trained, client):
    newer = pipeline.execute(runs.create(parameters=SMALL))
    listed = client.get(MODELS).json()["results"]
    assert [(row["id"], row["state"]) for row in listed] == [
        (newer.pk, "live"),
        (trained.pk, "retired"),
    ]
    assert listed[0]["metrics"]["model"]["ndcg@20"] > 0
    response = client.post(f"{MODELS}{trained.pk}/promote/")
    assert (response.status_code, response.json()["state"]) == (200, "live")
    assert ModelVersion.objects.live() == trained


def test_a_version_without_vectors_is_not_promoted(trained, client):
    ModelVersion.objects.filter(pk=trained.pk).update(state="retired", vectors_dropped=True)
    response = client.post(f"{MODELS}{trained.pk}/promote/")
    assert response.status_code == 409
    assert problem(response) == {None: "not_promotable"}
    assert ModelVersion.objects.live() is None


def test_a_held_version_is_promoted_only_by_who_says_anyway(trained, client):
    held = ModelVersion.objects.create(
        state="candidate",
        embedder="als",
        dimensions=8,
        snapshot_at=trained.snapshot_at,
        held_because="It is worse than version 1.",
    )
    run = TrainingRun.objects.create(state="succeeded", version=held)
    assert client.get(f"{RUNS}{run.pk}/").json()["held_because"] == held.held_because
    assert client.get(MODELS).json()["results"][0]["held_because"] == held.held_because
    refused = client.post(f"{MODELS}{held.pk}/promote/")
    assert refused.status_code == 409
    assert problem(refused) == {None: "held"}
    assert held.held_because in refused.json()["errors"][0]["detail"]
    assert ModelVersion.objects.live() == trained
    promoted = client.post(f"{MODELS}{held.pk}/promote/", {"anyway": True}, format="json")
    assert (promoted.status_code, promoted.json()["state"]) == (200, "live")


def test_a_run_is_asked_for_by_space_and_technique(client):
    body = {"space": "neighbours", "embedder": "item2vec", "parameters": {"dimension": 16}}
    run = client.post(RUNS, body, format="json").json()
    assert (run["space"], run["embedder"]) == ("neighbours", "item2vec")
    assert run["parameters"]["dimension"] == 16
    wrong = client.post(RUNS, {"space": "story", "embedder": "als"}, format="json")
    assert wrong.status_code == 400 and "embedder" in wrong.content.decode()
