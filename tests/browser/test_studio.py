"""A member of staff trains in the console: a real browser, a real worker."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import Page, expect

from recommender.models import ModelVersion, TrainingRun
from tests.conftest import rate_in_two_camps
from tests.factories import UserFactory
from tests.worker import wait_until, worker
from users.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATIENCE_MS = 150_000


@pytest.fixture
def trainer(transactional_db) -> User:
    rate_in_two_camps(people=200, films=200)
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="run_training"))
    return user


def retrain(page: Page, **parameters: int) -> None:
    page.get_by_text("Parameters", exact=True).click()
    for label, value in parameters.items():
        page.get_by_label(label.capitalize()).fill(str(value))
    page.get_by_role("button", name="Retrain now").click()
    expect(page.get_by_role("heading", name="is under way")).to_be_visible()


def lit_shares(page: Page) -> set[float]:
    """Watch the bar until the run has ended, and return what it showed on the way."""
    bar, seen = page.locator("#run-bar"), set()

    def has_ended() -> bool:
        # At once: the bar may be gone a moment later.
        seen.update(bar.evaluate_all("bars => bars.map(bar => bar.value)"))
        return page.get_by_role("button", name="Retrain now").is_visible()

    wait_until(has_ended, seconds=PATIENCE_MS / 1000)
    return seen


def test_staff_train_override_the_gate_and_roll_back(open_page: Callable[..., Page], trainer):
    with worker():
        page = open_page("/studio/", trainer)
        expect(page.get_by_text("No version is live yet")).to_be_visible()
        expect(page.get_by_text("Worker up")).to_be_visible()

        retrain(page, factors=256, iterations=100)
        expect(page.locator("#run-log")).to_contain_text("Reading the ratings")
        shares = lit_shares(page)
        assert len([share for share in shares if 0 < share < 1]) >= 2, shares
        first = ModelVersion.objects.live()
        expect(page.locator(".run-outcome")).to_contain_text(f"version {first.pk} is live.")

        retrain(page, factors=1, iterations=1, rank=1, popularity=10)
        expect(page.get_by_role("button", name="Retrain now")).to_be_visible(timeout=PATIENCE_MS)
        second = ModelVersion.objects.newest_first().first()
        assert second.is_held and ModelVersion.objects.live() == first
        expect(page.locator(".run-outcome")).to_contain_text(f"version {second.pk} is held.")

        page.get_by_role("link", name=f"Promote version {second.pk} anyway").click()
        expect(page.get_by_text("it is worse than version")).to_be_visible()
        page.get_by_role("button", name=f"Make version {second.pk} live anyway").click()
        expect(
            page.get_by_role("status").get_by_text(f"Version {second.pk} is live.")
        ).to_be_visible()

        page.get_by_role("link", name=f"Roll back to version {first.pk}").click()
        page.get_by_role("button", name=f"Make version {first.pk} live").click()
        expect(
            page.get_by_role("status").get_by_text(f"Version {first.pk} is live.")
        ).to_be_visible()
        row = page.get_by_role("row").filter(has=page.get_by_text("Live", exact=True))
        expect(row).to_contain_text(str(first.pk))
    assert ModelVersion.objects.live() == first


def test_staff_cancel_a_run(open_page: Callable[..., Page], trainer):
    with worker():
        page = open_page("/studio/", trainer)
        retrain(page, factors=256, iterations=200)
        page.get_by_role("button", name="Cancel the run").click()
        expect(page.get_by_text("was cancelled")).to_be_visible(timeout=PATIENCE_MS)
    assert not ModelVersion.objects.exists()


def test_a_wrong_parameter_is_named_where_it_was_typed(open_page: Callable[..., Page], trainer):
    page = open_page("/studio/", trainer)
    page.get_by_text("Parameters", exact=True).click()
    page.get_by_label("Factors").fill("5000")
    page.get_by_role("button", name="Retrain now").click()
    expect(page.get_by_label("Factors")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Must be a whole number between 1 and 1024")).to_be_visible()


def test_the_console_works_without_scripts(open_page: Callable[..., Page], trainer):
    with worker():
        page = open_page("/studio/", trainer, java_script_enabled=False)
        page.get_by_role("button", name="Retrain now").click()
        expect(page.get_by_role("button", name="Retrain now")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("is live").first).to_be_visible()


def test_staff_tune_watch_the_trials_and_stop(open_page: Callable[..., Page], trainer):
    with worker():
        page = open_page("/studio/tuning/", trainer)
        page.get_by_label("Minutes").fill("30")
        page.get_by_role("button", name="Tune").click()
        expect(page.get_by_role("heading", name="Tuning is under way")).to_be_visible()
        # Rows come by themselves.
        rows = page.locator("#tuning tbody tr")
        expect(rows.nth(1)).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator("#tuning svg circle").first).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Go on tuning")).to_be_visible(timeout=PATIENCE_MS)
    run = TrainingRun.objects.get()
    assert (run.kind, run.state) == ("tune", "succeeded")
    assert run.study.trials.count() >= 2
    expect(page.locator("#console")).to_contain_text(run.study.verdict)
