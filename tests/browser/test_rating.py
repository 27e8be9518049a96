"""Giving stars and keeping lists, as people do it: by mouse, touch, keyboard, without scripts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from movies.models import Movie
from tests.factories import MovieFactory, UserFactory
from users import ratings
from users.models import Rating, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 844}}


@pytest.fixture
def movie() -> Movie:
    return MovieFactory(title="Heat", year=1995)


@pytest.fixture
def person(movie: Movie) -> User:
    """Somebody with the film on their watchlist, whose page shows all there is to do to it."""
    person = UserFactory()
    ratings.add_to_watchlist(person, movie)
    return person


def stars_in(page: Page) -> Locator:
    return page.get_by_role("group", name="Your stars for Heat (1995)")


def place_of(stars: Locator, number: float) -> tuple[float, float]:
    """Return the middle of the half star that gives so many stars."""
    stars.scroll_into_view_if_needed()
    box = stars.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (number * 2 - 0.5) / 10, box["y"] + box["height"] / 2


def given(person: User) -> dict[int, float]:
    return User.objects.get(pk=person.pk).stars


def lit(page: Page) -> float:
    """Return how many stars look lit."""
    halves = page.locator(".stars__half").evaluate_all(
        "halves => halves.map(half => getComputedStyle(half, '::before').backgroundColor)"
    )
    return halves.count(halves[0]) / 2


def test_a_newcomer_signs_up_and_is_logged_in(open_page: OpenPage):
    page = open_page("/signup/")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password", exact=True).fill("a long passphrase")
    page.get_by_label("Password again").fill("a long passphrase")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Welcome, anna")).to_be_visible()
    page.goto("/account/")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()


@pytest.mark.parametrize("number", [0.5, 3.5, 4.0, 5.0])
def test_by_mouse_each_half_of_a_star_can_be_given(
    open_page: OpenPage, person: User, movie: Movie, number: float
):
    page = open_page("/watchlist/", person)
    page.mouse.click(*place_of(stars_in(page), number))
    expect(page.get_by_role("button", name="Withdraw")).to_be_visible()
    assert given(person) == {movie.pk: number}
    page.mouse.move(0, 0)
    if number < 5:
        assert lit(page) == number
    page.goto("/ratings/")
    expect(stars_in(page).locator(":checked")).to_have_value(str(number))


def test_the_stars_under_the_pointer_show_what_a_click_would_give(
    open_page: OpenPage, person: User
):
    page = open_page("/watchlist/", person)
    page.mouse.move(*place_of(stars_in(page), 2.5))
    assert lit(page) == 2.5
    assert not given(person)


def test_by_touch(open_page: OpenPage, person: User, movie: Movie):
    page = open_page("/watchlist/", person, **PHONE)
    stars = stars_in(page)
    assert stars.bounding_box()["height"] >= 44
    page.touchscreen.tap(*place_of(stars, 4.5))
    expect(page.locator(".rating__stars")).to_have_text("4½ stars")
    assert given(person) == {movie.pk: 4.5}


def test_by_keyboard_the_way_to_the_stars_is_saved_once(
    open_page: OpenPage, person: User, movie: Movie
):
    page = open_page("/watchlist/", person)
    saved: list[str] = []
    page.on("request", lambda request: saved.append(request.method) if "/my/" in request.url else 0)
    stars_in(page).get_by_role("radio").first.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".rating__stars")).to_have_text("3½ stars")
    assert given(person) == {movie.pk: 3.5}
    assert saved == ["POST"]
    # The focus has stayed where it was, so the arrows go on.
    page.keyboard.press("ArrowRight")
    expect(page.locator(".rating__stars")).to_have_text("4 stars")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert page.url.endswith("/watchlist/")
    assert given(person) == {movie.pk: 4.0}


def test_without_scripts(open_page: OpenPage, person: User, movie: Movie):
    page = open_page("/watchlist/", person, java_script_enabled=False)
    page.mouse.click(*place_of(stars_in(page), 2.5))
    page.get_by_role("button", name="Rate").click()
    expect(page.get_by_text("Heat: 2½ stars.")).to_be_visible()
    assert page.url.endswith("/watchlist/")
    assert given(person) == {movie.pk: 2.5}
    page.goto("/ratings/?sort=title")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("No stars yet")).to_be_visible()
    assert page.url.endswith("/ratings/?sort=title")
    assert not given(person)


def test_lists_without_scripts(open_page: OpenPage, person: User):
    page = open_page("/watchlist/", person, java_script_enabled=False)
    page.get_by_role("button", name="Not interested: Heat").click()
    expect(page.get_by_text("Nothing to watch yet")).to_be_visible()
    page.goto("/dismissed/")
    page.get_by_role("button", name="Not interested: Heat").click()
    expect(page.get_by_text("You have turned nothing down")).to_be_visible()


def test_the_rate_button_is_for_those_without_scripts(open_page: OpenPage, person: User):
    page = open_page("/watchlist/", person)
    expect(page.get_by_role("button", name="Rate", exact=True)).to_have_count(0)


def test_stars_are_withdrawn_in_place(open_page: OpenPage, person: User, movie: Movie):
    ratings.rate(person, movie, 4)
    page = open_page("/ratings/", person)
    page.get_by_role("button", name="Withdraw").press("Enter")
    expect(page.get_by_text("Not rated yet")).to_be_visible()
    expect(stars_in(page).locator(":checked")).to_have_count(0)
    expect(stars_in(page).get_by_role("radio").first).to_be_focused()
    assert not Rating.objects.exists()
    page.mouse.click(*place_of(stars_in(page), 3.0))
    expect(page.locator(".rating__stars")).to_have_text("3 stars")
    assert given(person) == {movie.pk: 3.0}


def test_a_film_leaves_the_watchlist_and_comes_back(
    open_page: OpenPage, person: User, movie: Movie
):
    page = open_page("/watchlist/", person)
    button = page.get_by_role("button", name="Watchlist: Heat")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_text("Heat is off your watchlist.")).to_be_visible()
    assert User.objects.get(pk=person.pk).watchlist_ids == set()
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_be_focused()
    assert User.objects.get(pk=person.pk).watchlist_ids == {movie.pk}


def test_a_film_is_turned_down_and_restored(open_page: OpenPage, person: User, movie: Movie):
    page = open_page("/watchlist/", person)
    page.get_by_role("button", name="Not interested: Heat").click()
    expect(page.get_by_role("button", name="Watchlist: Heat")).to_have_attribute(
        "aria-pressed", "false"
    )
    page.goto("/dismissed/")
    expect(page.get_by_role("heading", name="Heat")).to_be_visible()
    page.get_by_role("button", name="Not interested: Heat").click()
    expect(page.get_by_text("Heat may be suggested again.")).to_be_visible()
    assert User.objects.get(pk=person.pk).dismissed_ids == set()


def test_stars_take_a_film_off_the_watchlist_before_the_eyes(open_page: OpenPage, person: User):
    page = open_page("/watchlist/", person)
    page.mouse.click(*place_of(stars_in(page), 4.0))
    button = page.get_by_role("button", name="Watchlist: Heat")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_an_api_token_is_made_and_revoked(open_page: OpenPage, person: User):
    page = open_page("/account/", person)
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text(re.compile("^[0-9a-f]{40}$"))).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile("^[0-9a-f]{40}$"))).to_have_count(0)
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("The API token no longer works.")).to_be_visible()


def test_a_visitor_who_rates_is_asked_to_log_in_and_comes_back(open_page: OpenPage, movie: Movie):
    UserFactory(username="anna")
    page = open_page(movie.get_absolute_url())
    page.mouse.click(*place_of(stars_in(page), 4.0))
    page.wait_for_url(re.compile("/login/"))
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("a long passphrase")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Heat", exact=True)).to_be_visible()
    page.mouse.click(*place_of(stars_in(page), 4.0))
    expect(page.locator(".rating__stars")).to_have_text("4 stars")


def test_a_refusal_is_said_once_and_the_page_stays(open_page: OpenPage, person: User):
    page = open_page("/watchlist/", person)
    stars_in(page).get_by_role("radio").last.evaluate("radio => radio.value = '9'")
    page.mouse.click(*place_of(stars_in(page), 5.0))
    expect(page.locator(".toast")).to_have_text(re.compile("^Choose from half a star"))
    assert not given(person)
