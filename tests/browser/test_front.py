"""The house itself: what it weighs and asks for, that nothing jumps, toasts, print, transitions."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.core.cache import cache
from playwright.sync_api import Page, Response, expect
from whitenoise.compress import Compressor

from movies.models import Movie
from tests.factories import CreditFactory, UserFactory
from users import ratings
from users.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}}
MOST_BYTES = 150_000
# Of which Core Web Vitals say that it is good.
MOST_SHIFT = 0.1
WATCH_SHIFTS = """
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(autouse=True)
def _no_evening_before():
    cache.clear()


@pytest.fixture
def films(camps, trained) -> list[Movie]:
    film = camps[1][0]
    film.overview = "A long night in a small town, and what came of it in the morning. " * 4
    film.poster_url = "https://upload.wikimedia.org/poster.jpg"
    film.save()
    CreditFactory(movie=film, person__name="Ida Lupino", role="director")
    return camps[1]


@pytest.fixture
def fan(films: list[Movie]) -> User:
    """Somebody who loves four films of the first camp."""
    person = UserFactory()
    for film in films[2:10:2]:
        ratings.rate(person, film, 5)
    return person


def settled(page: Page) -> None:
    """Wait until every part that the page asks for has come."""
    page.wait_for_load_state("networkidle")
    expect(page.locator(".htmx-request")).to_have_count(0)


def compressed_size(response: Response, folder: Path) -> int:
    """Return what the response weighs as production serves it, where WhiteNoise packs files."""
    path = urlsplit(response.url).path
    if not path.startswith("/static/"):
        return int(response.header_value("content-length") or 0)
    name = path.removeprefix("/static/")
    found = finders.find(name)
    copy = folder / Path(name).name
    copy.write_bytes(Path(found).read_bytes())
    packed = list(Compressor(quiet=True, use_brotli=False).compress(str(copy)))
    return min(Path(file).stat().st_size for file in [copy, *packed])


@pytest.mark.parametrize("is_fan", [False, True])
def test_the_home_page_is_light_and_no_other_host_is_asked(
    open_page: OpenPage, live_server, fan: User, films: list[Movie], tmp_path: Path, is_fan: bool
):
    page = open_page("/login/", fan if is_fan else None, **DESK)
    came: list[Response] = []
    hosts: set[str] = set()
    page.on("response", lambda response: came.append(response))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    # What the page before has put into the browser's store is asked for again.
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto("/")
    settled(page)
    weights = {
        response.url: compressed_size(response, tmp_path)
        for response in came
        if response.request.resource_type != "image"
    }
    assert any("woff2" in url for url in weights) and all(weights.values()), weights
    assert sum(weights.values()) < MOST_BYTES, weights
    for address in (films[0].get_absolute_url(), "/films/", "/recommendations/"):
        page.goto(address)
        settled(page)
    assert hosts - {""} == {urlsplit(live_server.url).netloc}


def test_no_page_lets_a_script_or_style_stand_in_it(client, films: list[Movie]):
    for address in ("/", films[0].get_absolute_url(), "/films/", "/login/", "/no-such-page/"):
        policy = client.get(address)["Content-Security-Policy"]
        assert "unsafe" not in policy and "https:" not in policy
        assert "default-src 'self'" in policy and "object-src 'none'" in policy


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_nothing_jumps_as_parts_of_a_page_come(
    open_page: OpenPage, fan: User, films: list[Movie], size: dict
):
    page = open_page("/login/", fan, **size)
    page.add_init_script(WATCH_SHIFTS)
    for address in ("/", films[0].get_absolute_url()):
        page.goto(address)
        settled(page)
        page.mouse.wheel(0, 1200)
        page.wait_for_timeout(300)
        page.mouse.wheel(0, -1200)
        page.wait_for_timeout(300)
        assert page.evaluate("shift") < MOST_SHIFT, address


def test_a_pick_for_tonight_and_another_one(open_page: OpenPage, fan: User, films: list[Movie]):
    page = open_page("/", fan, **DESK)
    tonight = page.get_by_role("region", name="Tonight")
    expect(tonight.get_by_text("Because you gave")).to_be_visible()
    first = tonight.get_by_role("heading").text_content()
    page.reload()
    expect(tonight.get_by_role("heading")).to_have_text(first)
    tonight.get_by_role("button", name="Another").press("Enter")
    expect(tonight.get_by_role("heading")).not_to_have_text(first)
    expect(tonight.get_by_role("button", name="Another")).to_be_focused()
    second = tonight.get_by_role("heading").text_content()
    tonight.get_by_role("button", name="Not interested").click()
    expect(tonight.get_by_role("heading")).not_to_have_text(second)


def test_the_dials_on_the_home_page_act_at_once(open_page: OpenPage, fan: User, films: list[Movie]):
    page = open_page("/", fan, **DESK)
    expect(page.get_by_text("as your dials stand")).to_have_count(0)
    page.get_by_label("How new").press("ArrowRight")
    expect(page.get_by_text("as your dials stand")).to_be_visible()
    assert User.objects.get(pk=fan.pk).newness == 1


def test_home_can_be_read_and_a_film_picked_without_scripts(
    open_page: OpenPage, fan: User, films: list[Movie]
):
    page = open_page("/", fan, java_script_enabled=False)
    expect(page.get_by_role("heading", name="Top picks for you")).to_be_visible()
    page.get_by_role("button", name="Pick a film").click()
    expect(page.get_by_text("Because you gave")).to_be_visible()
    expect(page.get_by_role("heading", name="Top picks for you")).to_be_visible()
    page.get_by_role("button", name="Another").click()
    expect(page.get_by_text("Because you gave")).to_be_visible()


def test_what_was_removed_comes_back_from_the_toast(
    open_page: OpenPage, fan: User, films: list[Movie]
):
    film = films[0]
    ratings.rate(fan, film, 4)
    ratings.add_to_watchlist(fan, film)
    page = open_page(film.get_absolute_url(), fan, **DESK)
    undo = page.locator(".toast").get_by_role("button", name="Undo")
    stars = page.get_by_role("radio", name="4 stars")

    page.get_by_role("button", name="Withdraw").click()
    expect(stars).not_to_be_checked()
    undo.click()
    expect(stars).to_be_checked()
    assert User.objects.get(pk=fan.pk).stars[film.pk] == 4

    for name, lists in (
        ("Watchlist", "watchlist_ids"),
        ("Less like this", "less_like_ids"),
        ("Not interested", "dismissed_ids"),
    ):
        button = page.get_by_role("button", name=re.compile(name))
        before = button.get_attribute("aria-pressed")
        button.click()
        expect(button).not_to_have_attribute("aria-pressed", before)
        undo.click()
        expect(button).to_have_attribute("aria-pressed", before)
        assert (film.pk in getattr(User.objects.get(pk=fan.pk), lists)) is (before == "true")
    expect(page.get_by_role("button", name="Watchlist")).to_have_attribute("aria-pressed", "true")


def test_a_film_prints_without_what_can_only_be_pressed(open_page: OpenPage, films: list[Movie]):
    page = open_page(films[0].get_absolute_url(), **DESK)
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".film__poster img").first).to_be_visible()
    expect(page.get_by_role("link", name="Ida Lupino")).to_be_visible()
    for away in (".masthead", ".footer", ".film__yours", ".film__similar"):
        expect(page.locator(away)).to_be_hidden()


def test_the_poster_goes_along_to_the_films_page_unless_stillness_is_asked_for(
    open_page: OpenPage, films: list[Movie]
):
    watch = "addEventListener('pagereveal', (event) => (window.transition = event.viewTransition))"
    for motion, moves in (("no-preference", True), ("reduce", False)):
        page = open_page("/films/", reduced_motion=motion, **DESK)
        page.add_init_script(watch)
        page.locator(".card__link").first.click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("Boolean(window.transition)") is moves
