"""The console's page for tuning, without a worker."""

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.urls import reverse

from recommender import chart, tuned
from recommender.models import TrainingRun, TuningStudy, TuningTrial
from recommender.training import runs, studies
from tests.factories import UserFactory
from tests.recommender.test_studio import page_text

pytestmark = pytest.mark.django_db

PAGE = "/studio/tuning/"
ADDRESSES = [
    ("get", PAGE),
    ("post", "/studio/tuning/start/"),
    ("post", "/studio/tuning/forget/"),
    ("get", "/studio/tuning/studies/1/"),
    ("get", "/studio/tuning/runs/1/"),
]


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


@pytest.fixture
def study() -> TuningStudy:
    """A study with three trials, of which the second is the best and the last was given up."""
    run = studies.create()
    study = studies.open_study(run, 100).study
    run.delete()
    study.ranges = {"factors": [64, 256], "alpha": [0.3, 30]}
    study.save()
    defaults = study.defaults
    for number, value, factors in ((0, 0.1, 128), (1, 0.12, 96), (2, None, 200)):
        study.trials.create(
            number=number,
            parameters={**defaults, "factors": factors},
            state=TuningTrial.State.DONE if value else TuningTrial.State.PRUNED,
            looks=[0.05],
            value=value,
            seconds=1.5,
        )
    return study


def adopt(study: TuningStudy) -> None:
    study.parameters = study.trials.get(number=1).parameters
    study.gain = {"ndcg": 0.12, "defaults_ndcg": 0.1, "low": 0.01, "high": 0.03, "people": 99}
    tuned.adopt(study)


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_only_staff_who_may_train_reach_the_page(client, method, address):
    assert getattr(client, method)(address).url.startswith(reverse("users:login"))
    client.force_login(UserFactory(is_staff=True))
    assert getattr(client, method)(address).status_code == 403
    assert not TrainingRun.objects.exists()


def test_before_anything_was_tuned_the_page_says_that_defaults_are_used(client, trainer):
    text = page_text(client.get(PAGE))
    assert "Training uses the defaults." in text
    assert "No worker is up" in text


def test_one_press_queues_a_tuning(client, trainer):
    response = client.post("/studio/tuning/start/", {"minutes": "3.5"}, follow=True)
    run = TrainingRun.objects.get()
    assert (run.kind, run.state, run.requested_by) == ("tune", "queued", trainer)
    assert run.parameters == {"minutes": 3.5, "trials": 1000, "seed": 0, "fresh": 0}
    assert "Tuning is under way" in page_text(response)


@pytest.mark.parametrize(("name", "value"), [("minutes", "0"), ("trials", "1.5"), ("seed", "x")])
def test_a_wrong_number_is_named_beside_its_field_and_starts_nothing(client, trainer, name, value):
    response = client.post("/studio/tuning/start/", {name: value})
    assert list(response.context["form"].errors) == [name]
    assert f'id="id_{name}_error"' in response.content.decode()
    assert not TrainingRun.objects.exists()


def test_while_a_training_runs_the_page_says_why_tuning_waits(client, trainer):
    run = runs.create()
    assert f"Run {run.pk} is training. One runs at a time" in page_text(client.get(PAGE))
    refused = client.post("/studio/tuning/start/", follow=True)
    assert "one runs at a time" in page_text(refused)
    assert TrainingRun.objects.get() == run


def test_without_a_queue_the_page_says_so(client, trainer, no_queue):
    response = client.post("/studio/tuning/start/", follow=True)
    assert "The queue cannot be reached" in page_text(response)
    assert not TrainingRun.objects.active().exists()


def test_a_poll_shows_the_best_so_far_against_the_defaults(client, trainer, study):
    run = studies.create()
    run.study = study
    run.save()
    response = client.get(f"/studio/tuning/runs/{run.pk}/")
    text = page_text(response)
    assert "NDCG@20 0.1200 +20.0 %" in text
    assert "3, 1 of them given up early" in text
    assert 'hx-trigger="every 2s"' in response.content.decode()
    assert "<polyline" in response.content.decode()


def test_polling_ends_with_the_run(client, trainer, study):
    run = studies.create()
    runs.cancel(run)
    response = client.get(f"/studio/tuning/runs/{run.pk}/")
    assert "hx-trigger" not in response.content.decode()
    assert "run-ended" in response.headers["HX-Trigger"]


def test_a_trainings_progress_is_not_a_tunings(client, trainer):
    assert client.get(f"/studio/tuning/runs/{runs.create().pk}/").status_code == 404


def test_stopping_a_tuning_leads_back_to_its_page(client, trainer):
    run = studies.create()
    response = client.post(f"/studio/runs/{run.pk}/cancel/")
    assert response.url == PAGE


def test_a_study_shows_every_trial_with_its_settings(client, trainer, study):
    text = page_text(client.get(f"/studio/tuning/studies/{study.pk}/"))
    assert "0, the defaults 0.1000" in text
    assert "1 0.1200 +20.0 % 3 96 1.5 s" in text
    assert "2 given up at 0.0500 3 200 1.5 s" in text


def test_what_is_in_use_is_shown_and_can_be_forgotten(client, trainer, study):
    adopt(study)
    assert "+20.0 % NDCG@20" in page_text(client.get(PAGE))
    response = client.post("/studio/tuning/forget/", follow=True)
    assert "The next training uses the defaults." in page_text(response)
    assert tuned.adopted() is None
    again = client.post("/studio/tuning/forget/", follow=True)
    assert "Nothing is tuned" in page_text(again)


def test_the_training_form_shows_what_was_tuned(client, trainer, study):
    adopt(study)
    response = client.get("/studio/")
    assert 'placeholder="96"' in response.content.decode()
    assert "tuned on" in page_text(response)


def test_a_runs_page_says_where_its_parameters_came_from(client, trainer, study):
    adopt(study)
    run = runs.create(parameters={"alpha": 7})
    text = page_text(client.get(f"/studio/runs/{run.pk}/"))
    assert "+20.0 % NDCG@20 over the defaults" in text
    assert "but for what was set by hand: alpha" in text


def test_the_console_knows_a_tuning_from_a_training(client, trainer, study):
    run = studies.create()
    assert "a tuning, is under way" in page_text(client.get("/studio/"))
    runs.cancel(run)
    assert page_text(client.get(f"/studio/runs/{run.pk}/")).count("Tunes nothing yet") == 1


@pytest.mark.parametrize("page", ["tuningstudy", "tuningtrial"])
def test_the_admins_pages_open_and_change_nothing(admin_client, study, page):
    assert admin_client.get(f"/admin/recommender/{page}/").status_code == 200
    assert admin_client.get(f"/admin/recommender/{page}/add/").status_code == 403


def test_a_chart_climbs_with_the_best_and_keeps_hopeless_trials_from_flattening_it(study):
    assert chart.draw(study.trials.all()[:1]) is None
    study.trials.create(number=3, parameters={}, state="done", value=0.001)
    drawn = chart.draw(list(study.trials.all()))
    assert [dot.is_best for dot in drawn.dots] == [False, True, False]
    ys = {dot.trial.number: dot.y for dot in drawn.dots}
    assert ys[1] < ys[0] == drawn.defaults_y < ys[3] <= drawn.height
    assert drawn.bottom == pytest.approx(0.04)
