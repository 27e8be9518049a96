"""From sign-up over the welcome page to one's own home, as people do it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.factories import MovieFactory, UserFactory
from users.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 844}}


def titles(page: Page) -> list[str]:
    return page.locator(".ask__title").all_inner_texts()


def stars_of(page: Page, place: int) -> Locator:
    return page.locator(".ask").nth(place).locator(".stars")


def place_of(stars: Locator, number: float) -> tuple[float, float]:
    """Return the middle of the half star that gives so many stars."""
    stars.scroll_into_view_if_needed()
    box = stars.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (number * 2 - 0.5) / 10, box["y"] + box["height"] / 2


def given(person: User) -> list[float]:
    return sorted(rating.stars for rating in person.ratings.all())


def sign_up(page: Page) -> None:
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password", exact=True).fill("a long passphrase")
    page.get_by_label("Password again").fill("a long passphrase")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()


def test_somebody_new_rates_a_handful_and_finds_their_own_home(open_page: OpenPage, trained, camps):
    # A page that is still moving in from the last one takes no click of the mouse.
    page = open_page("/signup/", reduced_motion="reduce")
    sign_up(page)
    expect(page).to_have_url(re.compile(r"/welcome/$"))
    expect(page.get_by_text("0 of 5 rated")).to_be_visible()
    expect(page.get_by_text("Your first stars bring the first suggestions.")).to_be_visible()
    for rated in range(1, 6):
        before = titles(page)
        stars_of(page, 2).scroll_into_view_if_needed()
        page.mouse.click(*place_of(stars_of(page, 2), 4.5))
        said = f"{rated} of 5 rated" if rated < 5 else "5 rated: a good start"
        expect(page.get_by_text(said)).to_be_visible()
        after = titles(page)
        # One card is renewed; the others have kept their places.
        assert after[2] not in before
        assert after[:2] + after[3:] == before[:2] + before[3:]
        expect(page.locator(".welcome__picks > li")).to_have_count(6)
    page.get_by_role("link", name="I’m done").click()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(page.get_by_role("heading", name="Top picks for you")).to_be_visible()
    assert given(User.objects.get(username="anna")) == [4.5] * 5


def test_who_skips_is_at_home_and_finds_the_way_back(open_page: OpenPage, trained):
    page = open_page("/signup/")
    sign_up(page)
    page.get_by_role("link", name="Skip", exact=True).click()
    expect(page).to_have_url(re.compile(r"/$"))
    page.get_by_role("main").get_by_role("link", name="Rate some films").click()
    expect(page).to_have_url(re.compile(r"/welcome/$"))


def test_what_was_not_seen_is_not_asked_again_and_can_be_undone(open_page: OpenPage, trained):
    person = UserFactory()
    page = open_page("/welcome/", person)
    before = titles(page)
    page.get_by_role("button", name=f"Haven’t seen {before[1]} ").click()
    expect(page.locator(".ask__title").nth(1)).not_to_have_text(before[1])
    assert person.not_seen.count() == 1
    page.reload()
    assert before[1] not in titles(page)
    before = titles(page)
    page.get_by_role("button", name=f"Not interested in {before[0]} ").click()
    expect(page.locator(".ask__title").first).not_to_have_text(before[0])
    expect(page.locator("#welcome-status")).to_contain_text("not interested")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".ask__title").first).to_have_text(before[0])
    assert titles(page) == before
    assert not person.dismissals.exists()
    page.get_by_role("button", name="I haven’t seen any of these").click()
    expect(page.locator(".ask__title").first).not_to_have_text(before[0])
    assert person.not_seen.count() == 1 + len(before)
    assert not set(titles(page)) & set(before)


def test_by_keyboard_stars_are_chosen_first_and_given_with_enter(open_page: OpenPage, trained):
    person = UserFactory()
    page = open_page("/welcome/", person)
    before = titles(page)
    stars_of(page, 0).get_by_role("radio").first.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert given(person) == []
    expect(page.locator(".ask").first.get_by_role("button", name="Rate")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".ask__title").first).not_to_have_text(before[0])
    assert given(person) == [3.5]
    # The focus stands on the stars of the film that came instead.
    expect(stars_of(page, 0).get_by_role("radio").first).to_be_focused()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 5 rated")).to_be_visible()
    assert given(person) == [1.5, 3.5]


def test_films_answered_in_a_hurry_are_all_kept_and_no_film_comes_twice(
    open_page: OpenPage, trained
):
    person = UserFactory()
    page = open_page("/welcome/", person)
    places = [place_of(stars_of(page, place), 4) for place in (0, 1)]
    for place in places:
        page.mouse.click(*place)
    expect(page.get_by_text("2 of 5 rated")).to_be_visible()
    assert len(set(titles(page))) == 6
    assert given(person) == [4, 4]


def test_on_a_phone_by_touch(open_page: OpenPage, trained):
    person = UserFactory()
    page = open_page("/welcome/", person, **PHONE)
    stars = stars_of(page, 0)
    assert stars.bounding_box()["height"] >= 44
    page.touchscreen.tap(*place_of(stars, 3.5))
    expect(page.get_by_text("1 of 5 rated")).to_be_visible()
    assert given(person) == [3.5]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_scripts(open_page: OpenPage, trained):
    person = UserFactory()
    page = open_page("/welcome/", person, java_script_enabled=False)
    first = titles(page)[0]
    page.mouse.click(*place_of(stars_of(page, 0), 4))
    page.locator(".ask").first.get_by_role("button", name="Rate").click()
    expect(page.get_by_text("1 of 5 rated")).to_be_visible()
    assert first not in titles(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("0 of 5 rated")).to_be_visible()
    page.get_by_role("button", name="Haven’t seen").first.click()
    expect(page.get_by_text("not seen")).to_be_visible()
    assert given(person) == [] and person.not_seen.count() == 1


def test_the_last_film(open_page: OpenPage, transactional_db):
    MovieFactory(title="Heat", year=1995)
    page = open_page("/welcome/", UserFactory())
    page.get_by_role("button", name="Haven’t seen Heat").click()
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".ask__title")).to_have_text("Heat")
