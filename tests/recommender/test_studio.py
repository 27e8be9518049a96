import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from recommender import embedders, schedule, studio, vectors
from recommender.config import heartbeat
from recommender.forms import RetrainForm
from recommender.models import ModelVersion, TrainingRun
from recommender.training import runs
from tests.factories import MovieFactory, RatingFactory, UserFactory

pytestmark = pytest.mark.django_db

State = TrainingRun.State
OVERVIEW = "/studio/"


@pytest.fixture
def trainer(client):
    """A member of staff who may train, signed in on `client`."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="run_training"))
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def _empty_queue():
    cache.clear()


def version(state=ModelVersion.State.RETIRED, ndcg=0.1, **more) -> ModelVersion:
    metrics = {
        "model": {"ndcg@20": ndcg, "recall@20": 0.2, "coverage@20": 0.3},
        "most_popular": {"ndcg@20": 0.05, "recall@20": 0.1, "coverage@20": 0.01},
    }
    return ModelVersion.objects.create(
        state=state,
        embedder="als",
        dimensions=8,
        metrics=metrics,
        snapshot_at=timezone.now() - timedelta(days=1),
        **more,
    )


def page_text(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# Who may come in --------------------------------------------------------------------------------

ADDRESSES = [
    ("get", OVERVIEW),
    ("post", "/studio/retrain/"),
    ("post", "/studio/schedule/"),
    ("get", "/studio/runs/1/"),
    ("get", "/studio/runs/1/progress/"),
    ("post", "/studio/runs/1/cancel/"),
    ("get", "/studio/versions/1/"),
    ("get", "/studio/versions/1/promote/"),
    ("post", "/studio/versions/1/promote/"),
]


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_strangers_are_asked_to_sign_in(client, method, address):
    response = getattr(client, method)(address)
    assert response.status_code == 302
    assert response.url == f"{reverse('users:login')}?next={OVERVIEW}"
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("is_staff", [True, False])
@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_people_without_both_staff_and_permission_are_refused(client, is_staff, method, address):
    user = UserFactory(is_staff=is_staff)
    if not is_staff:
        user.user_permissions.add(Permission.objects.get(codename="run_training"))
    client.force_login(user)
    assert getattr(client, method)(address).status_code == 403
    assert not TrainingRun.objects.exists()


def test_a_poll_after_the_session_has_ended_leads_to_the_sign_in_page(client):
    response = client.get("/studio/runs/1/progress/", headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"].startswith(reverse("users:login"))


@pytest.mark.parametrize(("method", "address"), [a for a in ADDRESSES if a[0] == "post"])
def test_what_changes_something_is_not_done_by_following_a_link(client, trainer, method, address):
    if "promote" in address:
        pytest.skip("asks first")
    assert client.get(address).status_code == 405


# Training ---------------------------------------------------------------------------------------


def test_one_press_queues_a_run_with_the_defaults(client, trainer):
    response = client.post("/studio/retrain/", {"promote": "on"}, follow=True)
    run = TrainingRun.objects.get()
    assert (run.state, run.promote, run.requested_by) == (State.QUEUED, True, trainer)
    assert f"Run {run.pk} is under way" in page_text(response)


def test_parameters_are_taken_from_the_form(client, trainer):
    client.post("/studio/retrain/", {"factors": "32", "below": "0.25", "iterations": ""})
    run = TrainingRun.objects.get()
    assert run.parameters["factors"] == 32
    assert run.parameters["below"] == 0.25
    assert not run.promote


@pytest.mark.parametrize(
    ("name", "value"),
    [("factors", "0"), ("factors", "3.5"), ("alpha", "much"), ("prior", "9"), ("seed", "nan")],
)
def test_a_wrong_parameter_is_named_beside_its_field_and_starts_nothing(
    client, trainer, name, value
):
    response = client.post("/studio/retrain/", {name: value, "iterations": "7"})
    form = response.context["form"]
    assert list(form.errors) == [name]
    assert f'id="id_{name}_error"' in response.content.decode()
    assert 'value="7"' in response.content.decode(), "what was typed is kept"
    assert "<details" in response.content.decode()
    assert not TrainingRun.objects.exists()


def test_every_parameter_says_what_it_is_and_shows_its_default(client, trainer):
    for _, fields in RetrainForm().groups():
        for field in fields:
            assert len(field.help_text) > 20, field.name
            assert field.field.widget.attrs["placeholder"], field.name


def test_a_second_press_says_that_a_run_is_under_way(client, trainer):
    first = runs.create()
    response = client.post("/studio/retrain/", follow=True)
    assert f"Run {first.pk} is under way already; one runs at a time." in page_text(response)
    assert TrainingRun.objects.get() == first


def test_without_a_queue_the_console_says_so_and_nothing_waits(client, trainer, no_queue):
    response = client.post("/studio/retrain/", follow=True)
    assert "The queue cannot be reached" in page_text(response)
    assert not TrainingRun.objects.active().exists()


def test_a_console_without_queue_and_cache_still_answers(client, trainer, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    response = client.get(OVERVIEW)
    assert "Queue down" in page_text(response)


# Watching ---------------------------------------------------------------------------------------


def test_a_run_that_nobody_takes_says_that_no_worker_is_up(client, trainer):
    run = runs.create()
    address = f"/studio/runs/{run.pk}/progress/"
    assert "No worker is up" not in page_text(client.get(address))
    TrainingRun.objects.update(created_at=timezone.now() - timedelta(seconds=10))
    assert "No worker is up" in page_text(client.get(address))
    cache.set(f"up:{heartbeat.WORKER}", 1)
    assert "The worker is busy" in page_text(client.get(address))


def test_a_poll_brings_only_the_lines_and_the_step_that_are_new(client, trainer):
    run = runs.create()
    TrainingRun.objects.update(step="Judging", log="one\ntwo\nthree\n")
    address = f"/studio/runs/{run.pk}/progress/"
    first = page_text(client.get(address, {"lines": "1", "step": ""}))
    assert "one" not in first
    assert "two three" in first
    response = client.get(address, {"lines": "3", "step": "Judging"})
    assert "hx-swap-oob" not in response.content.decode().replace('id="processes"', "").replace(
        'hx-swap-oob="true"', ""
    )
    assert 'hx-trigger="every 1s"' in response.content.decode()


def test_polling_ends_with_the_run_and_the_console_is_told(client, trainer):
    run = runs.create()
    runs.cancel(run)
    response = client.get(f"/studio/runs/{run.pk}/progress/?lines=bad")
    assert "hx-trigger" not in response.content.decode()
    assert "run-ended" in response.headers["HX-Trigger"]


def test_without_scripts_the_page_looks_again_by_itself_while_a_run_is_under_way(client, trainer):
    assert 'http-equiv="refresh"' not in client.get(OVERVIEW).content.decode()
    runs.create()
    assert 'http-equiv="refresh"' in client.get(OVERVIEW).content.decode()


def test_a_queued_run_is_cancelled(client, trainer):
    run = runs.create()
    response = client.post(f"/studio/runs/{run.pk}/cancel/", follow=True)
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert f"Run {run.pk} was cancelled" in page_text(response)


def test_cancelling_a_run_that_has_ended_says_so(client, trainer):
    run = runs.create()
    runs.cancel(run)
    response = client.post(f"/studio/runs/{run.pk}/cancel/", follow=True)
    assert "had ended before" in page_text(response)


def test_a_failed_run_says_why(client, trainer):
    TrainingRun.objects.create(state=State.FAILED, error="NothingToLearn: There are no ratings.")
    text = page_text(client.get(OVERVIEW))
    assert "failed. NothingToLearn: There are no ratings." in text


def test_a_runs_page_shows_what_was_asked_and_the_whole_log(client, trainer):
    run = runs.create(parameters={"factors": 24})
    TrainingRun.objects.update(log="12:00:00 Reading the ratings\n")
    text = page_text(client.get(f"/studio/runs/{run.pk}/"))
    assert "factors 24" in text
    assert "12:00:00 Reading the ratings" in text


# Versions ---------------------------------------------------------------------------------------


def test_versions_stand_beside_the_live_one(client, trainer):
    version(ModelVersion.State.LIVE, ndcg=0.1, promoted_at=timezone.now())
    better = version(ModelVersion.State.CANDIDATE, ndcg=0.12)
    response = client.get(OVERVIEW)
    assert "0.1200 +20.0 % 2.4 × most popular" in page_text(response)
    assert f'aria-label="Promote to version {better.pk}"' in response.content.decode()


def test_a_version_without_metrics_is_listed_as_not_measured(client, trainer):
    ModelVersion.objects.create(
        state=ModelVersion.State.RETIRED, embedder="als", dimensions=8, snapshot_at=timezone.now()
    )
    assert "not measured" in page_text(client.get(OVERVIEW))


def test_promoting_asks_first_and_then_makes_the_version_live(client, trainer):
    live = version(ModelVersion.State.LIVE, promoted_at=timezone.now())
    candidate = version(ModelVersion.State.CANDIDATE)
    address = f"/studio/versions/{candidate.pk}/promote/"
    assert f"Promote version {candidate.pk}?" in page_text(client.get(address))
    assert ModelVersion.objects.live() == live
    response = client.post(address, follow=True)
    assert f"Version {candidate.pk} is live." in page_text(response)
    assert ModelVersion.objects.live() == candidate


HELD = {
    "state": ModelVersion.State.CANDIDATE,
    "ndcg": 0.08,
    "held_because": "On the same held-out ratings it is worse than version 1.",
    "comparison": {
        "live": 1,
        "same_recipe": False,
        "against_live": {"new": 0.08, "other": 0.1, "low": -0.03, "high": -0.01, "people": 610},
        "against_popular": {"new": 0.08, "other": 0.05, "low": 0.02, "high": 0.04, "people": 610},
        "reasons": ["worse"],
    },
}


def test_a_held_version_says_why_wherever_it_stands(client, trainer):
    version(ModelVersion.State.LIVE, promoted_at=timezone.now())
    held = version(**HELD)
    run = TrainingRun.objects.create(state=State.SUCCEEDED, version=held)
    overview = client.get(OVERVIEW)
    assert f"version {held.pk} is held. {held.held_because}" in page_text(overview)
    assert f'aria-label="Promote version {held.pk} anyway"' in overview.content.decode()
    for address in (f"/studio/runs/{run.pk}/", f"/studio/versions/{held.pk}/"):
        text = page_text(client.get(address))
        assert f"Held. {held.held_because}" in text
        assert "On the same held-out ratings of 610 people" in text
        assert "0.1000 worse −20.0 % −0.0300 to −0.0100" in text
        assert "0.0500 better +60.0 % +0.0200 to +0.0400" in text


def test_one_press_promotes_a_held_version_and_says_what_it_overrides(client, trainer):
    version(ModelVersion.State.LIVE, promoted_at=timezone.now())
    held = version(**HELD)
    address = f"/studio/versions/{held.pk}/promote/"
    text = page_text(client.get(address))
    assert held.held_because in text
    assert f"Make version {held.pk} live anyway" in text
    client.post(address)
    assert ModelVersion.objects.live() == held
    text = page_text(client.get(f"/studio/versions/{held.pk}/"))
    assert f"It was held. {held.held_because}" in text


def test_rolling_back_is_promoting_the_one_before(client, trainer):
    before = version(promoted_at=timezone.now())
    version(ModelVersion.State.LIVE, promoted_at=timezone.now())
    address = f"/studio/versions/{before.pk}/promote/"
    assert f"Roll back to version {before.pk}?" in page_text(client.get(address))
    client.post(address)
    assert ModelVersion.objects.live() == before


def test_a_version_whose_vectors_are_gone_does_not_go_live(client, trainer):
    live = version(ModelVersion.State.LIVE)
    gone = version()
    vectors.drop(gone)
    address = f"/studio/versions/{gone.pk}/promote/"
    assert "cannot go live" in page_text(client.get(address))
    response = client.post(address, follow=True)
    assert "has no vectors to go live with" in page_text(response)
    assert ModelVersion.objects.live() == live


def test_ratings_that_the_live_version_has_not_seen_are_counted():
    live = version(ModelVersion.State.LIVE, rating_count=1)
    RatingFactory(rated_at=live.snapshot_at - timedelta(hours=1))
    assert studio.unseen_ratings(live) == 0
    RatingFactory(rated_at=live.snapshot_at + timedelta(hours=1))
    assert studio.unseen_ratings(live) == 1


def test_ratings_imported_after_the_live_version_count_though_they_are_old():
    live = version(ModelVersion.State.LIVE, rating_count=0)
    movie = MovieFactory()
    for _ in range(3):
        RatingFactory(movie=movie, rated_at=live.snapshot_at - timedelta(days=9000))
    assert studio.unseen_ratings(live) == 3


# The schedule -----------------------------------------------------------------------------------


def test_the_schedule_is_set_from_the_console(client, trainer):
    asked = {"every": "week", "spaces": "all", "weekday": "0", "hour": "4"}
    response = client.post("/studio/schedule/", asked, follow=True)
    text = page_text(response)
    assert "Every Sunday at 04:00 UTC: every space in use." in text
    assert "Next on Sunday" in text
    assert "The scheduler is not up" in text
    assert schedule.read().weekday == schedule.Weekday.SUNDAY


def test_a_wrong_hour_is_named_and_changes_nothing(client, trainer):
    asked = {"every": "day", "spaces": "some", "weekday": "1", "hour": "24"}
    page = client.post("/studio/schedule/", asked).content.decode()
    assert "id_hour_error" in page and "id_spaces_error" in page
    assert schedule.read().every == schedule.Every.NEVER


# The admin --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [
        "recommender/modelversion/",
        "recommender/trainingrun/",
        "django_celery_beat/periodictask/",
        "django_celery_beat/periodictask/add/",
        "django_celery_beat/crontabschedule/",
    ],
)
def test_the_admins_pages_open(admin_client, page):
    version()
    runs.create()
    assert admin_client.get(f"/admin/{page}").status_code == 200


@pytest.mark.parametrize("model", ["modelversion", "trainingrun"])
def test_the_admin_does_not_change_models_behind_the_pipelines_back(admin_client, model):
    assert admin_client.get(f"/admin/recommender/{model}/add/").status_code == 403


# Spaces -----------------------------------------------------------------------------------------


def test_the_console_shows_every_space_and_what_is_live_there(client, trainer):
    taste = version(ModelVersion.State.LIVE)
    story = version(ModelVersion.State.LIVE, space="story", saw="overviews of 7 films")
    text = page_text(client.get(OVERVIEW))
    for name in ("Taste", "Neighbours", "Words", "Story", "People"):
        assert name in text
    assert f"Version {taste.pk}, by als, is live" in text and "overviews of 7 films" not in text
    text = page_text(client.get(f"{OVERVIEW}?space=story"))
    assert f"Version {story.pk}, by als, is live" in text and "overviews of 7 films" in text


def test_any_technique_of_any_space_is_trained_with_settings_of_its_own(client, trainer):
    page = client.get(f"{OVERVIEW}?space=neighbours").content.decode()
    assert 'name="space" value="neighbours"' in page and 'name="embedder" value="item2vec"' in page
    posted = {"space": "neighbours", "embedder": "item2vec", "dimension": "16"}
    response = client.post("/studio/retrain/", posted)
    run = TrainingRun.objects.get()
    assert (run.space, run.embedder, run.parameters["dimension"]) == ("neighbours", "item2vec", 16)
    assert response.url == f"{OVERVIEW}?space=neighbours"
    assert f"Run {run.pk} is under way" in page_text(client.get(response.url))
    client.post("/studio/retrain/", {"embedder": "als", "factors": "9"})
    assert TrainingRun.objects.get(space="taste").embedder == "als"


def test_every_setting_of_every_technique_says_what_it_is(client, trainer):
    for space, known in embedders.FILM_EMBEDDERS.items():
        for name in known:
            for _, fields in RetrainForm(space=space, embedder=name).groups():
                for field in fields:
                    assert len(field.help_text) > 20, (name, field.name)


def test_a_space_without_a_technique_says_so(client, trainer, monkeypatch):
    monkeypatch.setitem(embedders.FILM_EMBEDDERS, "people", {})
    assert "No technique for this space is installed" in page_text(
        client.get(f"{OVERVIEW}?space=people")
    )
