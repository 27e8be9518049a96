"""Every page under axe, at both widths and in both themes, and with a quiet console.

A new page is one more line in the table of those who see it. `{film}` and the like stand for the
keys that the test gives.
"""

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.csrf import csrf_failure
from playwright.sync_api import Page, expect

from movies.models import Movie
from recommender.config import urls
from recommender.models import ModelVersion, TrainingRun, TuningStudy, TuningTrial
from recommender.training import pipeline, runs, studies
from tests.conftest import SMALL
from tests.factories import CreditFactory, MovieFactory, UserFactory
from users import evenings, ratings
from users.models import Evening, User

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
]

VISITOR = [
    "/",
    "/films/",
    "/films/?genre=drama&decade=1960&sort=title",
    "/films/?first_year=x&decade=x&min_ratings=x&sort=x&page=x",
    "/films/?genre=no-such-genre",
    "/films/{film}/",
    "/films/{new}/",
    "/people/{person}/",
    "/search/",
    "/search/?q=film",
    "/search/?q=a drama of the sixties about a heist",
    "/search/?q=xqzzyx",
    "/recommendations/",
    "/films/like/{film}/",
    "/films/{film}/my/why/",
    "/login/",
    "/signup/",
    "/no-such-page/",
    "/broken/",
    "/forbidden/",
    "/stale/",
    "/away/",
    "/shelves/",
    "/api/docs/",
    "/together/",
    "/together/join/{invitation}/",
    "/together/join/no-such-invitation/",
]
NEWCOMER = [
    "/",
    "/welcome/",
    "/recommendations/",
    "/you/",
    "/ratings/",
    "/watchlist/",
    "/dismissed/",
]
PERSON = [
    "/",
    "/shelves/",
    "/welcome/",
    "/recommendations/",
    "/recommendations/?genre=horror",
    "/recommendations/?obscurity=2&variety=-2",
    "/films/{film}/",
    "/films/{rated}/",
    "/films/like/{film}/",
    "/films/{film}/my/why/",
    "/you/",
    "/ratings/",
    "/watchlist/",
    "/dismissed/",
    "/less-like/",
    "/account/",
    "/account/import/",
    "/account/delete/",
    "/seen/",
    "/account/password/",
    "/search/?q=film",
    "/together/",
    "/together/{evening}/",
    "/together/{evening}/?seen=on&genre=drama",
    "/together/{alone}/",
]
STAFF = [
    "/studio/",
    "/studio/?space=words",
    "/studio/runs/{run}/",
    "/studio/versions/{version}/",
    "/studio/versions/{version}/promote/",
    "/studio/versions/{other}/promote/",
    "/studio/films/",
    "/studio/films/{film}/",
    "/studio/tuning/",
    "/studio/tuning/studies/{study}/",
]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
EVERYTHING = {"resultTypes": ["violations"]}
# All in which one theme can differ from the other.
CONTRAST = EVERYTHING | {"runOnly": ["color-contrast"]}
LOOKS = [
    (DESK, "light", EVERYTHING),
    (DESK, "dark", CONTRAST),
    (PHONE, "dark", EVERYTHING),
    (PHONE, "light", CONTRAST),
]
PATIENCE_MS = 30_000
OpenPage = Callable[..., Page]


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("So that the page which says so can be looked at.")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("So that the page which says so can be looked at.")


handler404, handler500 = urls.handler404, urls.handler500
urlpatterns = [*urls.urlpatterns, path("broken/", broken), path("forbidden/", forbidden)]
urlpatterns += [path("stale/", csrf_failure), path("away/", away)]


@pytest.fixture
def films(camps, trained: ModelVersion) -> list[Movie]:
    """Films of two camps and a live version; the first is told of in full."""
    films = camps[1]
    films[0].overview = "A drama of the fifties about a heist."
    films[0].alternative_titles = ["Another title"]
    films[0].save()
    CreditFactory(movie=films[0], person__name="Ida Lupino", role="director")
    CreditFactory(movie=films[0], person__name="Al Pacino")
    return films


def tuned_once() -> TuningStudy:
    """Make a study with a trial, and the run that it was found by."""
    run = studies.create()
    study = studies.open_study(run, 100).study
    TrainingRun.objects.filter(pk=run.pk).update(state=TrainingRun.State.SUCCEEDED, study=study)
    done = {"state": TuningTrial.State.DONE, "looks": [0.1], "value": 0.1, "seconds": 1.0}
    study.trials.create(number=0, parameters=study.defaults, **done)
    return study


def fan_of(films: list[Movie]) -> User:
    """Make somebody with stars given and something on every list."""
    person = UserFactory()
    for film in films[2:14:2]:
        ratings.rate(person, film, 5)
    ratings.add_to_watchlist(person, films[0])
    ratings.dismiss(person, films[1])
    ratings.ask_for_less(person, films[3])
    return person


def evening_of(maker: User, films: list[Movie]) -> Evening:
    """Make an evening of two with a film that both want, one that one wants, and a veto."""
    evening = evenings.start(maker, "Friday at ours")
    evenings.join(UserFactory(), evening.token)
    first, second = evening.members.all()
    for member, film in ((first, films[20]), (second, films[20]), (second, films[22])):
        evenings.say_yes(member, film)
    evenings.veto(first, films[24])
    return evening


def look_at(page: Page, address: str) -> list[str]:
    """Return what axe finds serious or critical on a page, and the elements that it is about."""
    page.goto(address)
    expect(page.locator(".htmx-request")).to_have_count(0, timeout=PATIENCE_MS)
    page.evaluate(AXE_SCRIPT)
    found = []
    for size, theme, options in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found += [
            f"{address} {size['width']} {theme} {violation['id']}: "
            f"{node['html'][:200]} {node['failureSummary'][:300]}"
            for violation in page.evaluate("options => axe.run(options)", options)["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]
    return found


def look_at_all(page: Page, addresses: list[str], **keys: int | str) -> None:
    found = [line for address in addresses for line in look_at(page, address.format(**keys))]
    assert not found, "\n".join(found)


def test_pages_for_a_visitor(open_page: OpenPage, films: list[Movie]):
    keys = {"film": films[0].pk, "new": MovieFactory().pk, "person": films[0].directors[0].pk}
    invitation = evening_of(UserFactory(), films).token
    look_at_all(open_page("/"), VISITOR, invitation=invitation, **keys)


def test_pages_for_a_newcomer(open_page: OpenPage, films: list[Movie]):
    look_at_all(open_page("/", UserFactory()), NEWCOMER)


def test_pages_for_a_person(open_page: OpenPage, films: list[Movie]):
    person = fan_of(films)
    keys = {"film": films[0].pk, "rated": films[2].pk}
    evening, alone = evening_of(person, films).pk, evenings.start(person, "Nobody yet").pk
    look_at_all(open_page("/", person), PERSON, evening=evening, alone=alone, **keys)


def test_pages_for_staff(open_page: OpenPage, films: list[Movie], trained: ModelVersion):
    trainer = UserFactory(is_staff=True)
    trainer.user_permissions.add(Permission.objects.get(codename="run_training"))
    other = pipeline.execute(runs.create(parameters=SMALL))
    study = tuned_once()
    keys = {"run": trained.run.pk, "version": trained.pk, "other": other.pk, "study": study.pk}
    look_at_all(open_page("/", trainer), STAFF, film=films[0].pk, **keys)
