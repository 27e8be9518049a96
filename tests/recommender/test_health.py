import socket
import time

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

# A connection of its own asks, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_site_with_its_servers_is_ready_and_names_the_live_model(client, trained):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "status": "ok",
        "checks": {"database": "ok", "cache": "ok"},
        "live_model": trained.pk,
    }


def test_a_site_before_its_first_model_is_ready(client):
    response = client.get("/readyz")
    assert (response.status_code, response.json()["live_model"]) == (200, None)


def test_without_a_database_the_process_lives_but_is_not_ready(client, database_away):
    with database_away():
        assert client.get("/healthz").json() == {"status": "ok"}
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "not reachable", "cache": "ok"}


def test_without_the_cache_the_site_is_degraded_and_ready(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"] == {"database": "ok", "cache": "not reachable"}
    assert client.get("/healthz").status_code == 200


@pytest.fixture
def migration_to_apply():
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("users", "0002_rating_triggers")
    yield
    recorder.record_applied("users", "0002_rating_triggers")


def test_with_a_migration_to_apply_the_site_is_not_ready(client, migration_to_apply):
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "users.0002_rating_triggers" in response.json()["checks"]["database"]


def test_a_database_that_accepts_but_never_answers_does_not_hold_the_answer_up(
    client, database_away
):
    mute = socket.create_server(("127.0.0.1", 0))
    with mute, database_away(port=mute.getsockname()[1]):
        started = time.monotonic()
        assert client.get("/readyz").status_code == 503
        assert time.monotonic() - started < 5


def test_the_balancer_may_call_us_by_any_name(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    for address in ("/healthz", "/readyz"):
        assert client.get(address, headers={"host": "10.1.2.3:8000"}).status_code == 200
