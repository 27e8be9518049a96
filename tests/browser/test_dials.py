"""Dials, as people turn them: by keyboard and mouse, with and without scripts, by a link."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.factories import UserFactory
from users.dials import Dials
from users.models import User
from users.ratings import rate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
FOR_YOU = "/recommendations/"
NEW = "How new"


@pytest.fixture
def person(trained, camps) -> User:
    """Somebody who loves four films of the first camp."""
    person = UserFactory()
    for film in camps[1][0:8:2]:
        rate(person, film, 5)
    return person


def first_titles(page: Page) -> list[str]:
    return page.locator(".card__title").all_inner_texts()[:5]


def dials_of(person: User) -> Dials:
    return User.objects.get(pk=person.pk).dials


def test_a_dial_that_is_turned_turns_the_list_at_once_and_is_kept(
    open_page: OpenPage, person: User
):
    page = open_page(FOR_YOU, person)
    before = first_titles(page)
    dial = page.get_by_label(NEW)
    dial.focus()
    page.keyboard.press("Home")
    expect(page.locator("output", has_text="much older")).to_be_visible()
    expect(dial).to_have_attribute("aria-valuetext", "much older")
    link = page.get_by_text("A link to this list with its dials")
    expect(link).to_be_visible()
    turned = first_titles(page)
    assert turned != before
    assert dials_of(person) == Dials(newness=-2)
    page.reload()
    expect(page.get_by_label(NEW)).to_have_value("-2")
    assert first_titles(page) == turned
    page.get_by_role("button", name="All to the middle").click()
    expect(link).to_be_hidden()
    assert first_titles(page) == before
    expect(page.get_by_label(NEW)).to_have_value("0")
    assert dials_of(person) == Dials()


def test_the_filter_stays_while_a_dial_is_turned(open_page: OpenPage, person: User):
    page = open_page(f"{FOR_YOU}?genre=drama", person)
    page.get_by_label("How well known").press("ArrowLeft")
    expect(page.get_by_text("A link to this list with its dials")).to_be_visible()
    expect(page.get_by_label("Genre")).to_have_value("drama")
    assert "genre=drama" in page.url
    assert dials_of(person) == Dials(obscurity=-1)


def test_a_link_shows_its_dials_until_they_are_made_ones_own(open_page: OpenPage, person: User):
    page = open_page(f"{FOR_YOU}?newness=-2", person)
    expect(page.get_by_label(NEW)).to_have_value("-2")
    page.get_by_label(NEW).press("ArrowRight")
    page.wait_for_url("**newness=-1**")
    assert dials_of(person) == Dials()
    page.get_by_role("button", name="Make them mine").click()
    page.wait_for_url(f"**{FOR_YOU}")
    expect(page.get_by_label(NEW)).to_have_value("-1")
    assert dials_of(person) == Dials(newness=-1)


def test_without_scripts(open_page: OpenPage, person: User):
    page = open_page(FOR_YOU, person, java_script_enabled=False)
    page.get_by_label(NEW).fill("2")
    page.get_by_role("button", name="Turn them").click()
    expect(page.get_by_label(NEW)).to_have_value("2")
    assert dials_of(person) == Dials(newness=2)
    page.get_by_role("button", name="All to the middle").click()
    assert dials_of(person) == Dials()


def test_less_like_this_is_pressed_on_a_card_and_taken_back(open_page: OpenPage, person: User):
    page = open_page(FOR_YOU, person)
    title = first_titles(page)[0]
    card = page.locator(".grid > li").first
    card.get_by_role("button", name="Less like this").click()
    undo = card.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    page.goto("/less-like/")
    expect(page.get_by_role("link", name=title)).to_be_visible()
    page.get_by_role("button", name="Less like this").click()
    expect(page.get_by_role("button", name="Less like this")).to_have_attribute(
        "aria-pressed", "false"
    )
    assert not person.less_like.exists()


def test_dials_fit_a_phone(open_page: OpenPage, person: User):
    page = open_page(FOR_YOU, person, viewport={"width": 320, "height": 700}, has_touch=True)
    for label in ("How well known", "How close to your films", NEW):
        box = page.get_by_label(label).bounding_box()
        assert box is not None and box["height"] >= 44
        assert box["x"] >= 0 and box["x"] + box["width"] <= 320
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
