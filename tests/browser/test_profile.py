"""Yourself in pictures, on a desk and on a phone, by keyboard, and without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.factories import CreditFactory, UserFactory
from users.models import User
from users.ratings import rate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def person(trained, camps) -> User:
    """Somebody who loves twelve films of the first camp, and two of the second."""
    person = UserFactory()
    for film in camps[1][0:24:2]:
        rate(person, film, 5)
    for film in camps[1][1:5:2]:
        rate(person, film, 4.5)
        CreditFactory(movie=film, person__name="Ida Lupino", role="director")
    return person


def picks(page: Page) -> list[str]:
    page.goto("/recommendations/")
    return page.locator(".card__title").all_inner_texts()


def test_a_person_looks_at_themselves_and_leaves_a_film_out(open_page: OpenPage, person: User):
    walk(open_page("/", person, viewport=DESK, color_scheme="dark"), person)
    walk(open_page("/", person, viewport=PHONE, color_scheme="light"), person)


def walk(page: Page, person: User) -> None:
    """From the navigation to the pictures, their numbers, the switch, and what follows from it."""
    before = picks(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="You", exact=True).click()
    expect(page.get_by_role("heading", name="Your taste in pictures")).to_be_visible()
    for name in ("How you give stars", "Decades", "What you love", "What you see"):
        expect(page.get_by_role("img", name=name)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The numbers lie beneath each picture.
    figure = page.get_by_role("figure").filter(has_text="How you give stars")
    summary = figure.get_by_text("The numbers")
    summary.focus()
    page.keyboard.press("Enter")
    expect(figure.get_by_role("row", name="5 stars 12")).to_be_visible()
    # The switch, by keyboard: the focus stays on it, and its film moves to those left out.
    switch = page.get_by_role("switch").first
    name = switch.get_attribute("aria-label")
    assert name is not None
    switch.focus()
    page.keyboard.press("Space")
    same = page.get_by_role("switch", name=name, exact=True)
    expect(page.get_by_role("heading", name="Left out of your taste")).to_be_visible()
    expect(same).to_have_attribute("aria-checked", "false")
    expect(same).to_be_focused()
    expect(page.locator("#toasts")).to_contain_text("no longer counts")
    assert person.left_out.count() == 1
    # The toast takes it back, and so do your ratings.
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Left out of your taste")).to_be_hidden()
    expect(same).to_have_attribute("aria-checked", "true")
    assert not person.left_out.exists()
    same.click()
    expect(same).to_have_attribute("aria-checked", "false")
    assert picks(page) != before
    page.goto("/ratings/")
    page.get_by_role("switch", name=name, exact=True).click()
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    assert picks(page) == before


def test_without_scripts(open_page: OpenPage, person: User):
    page = open_page("/you/", person, java_script_enabled=False)
    expect(page.get_by_role("img", name="What you love")).to_be_visible()
    switch = page.get_by_role("switch").first
    name = switch.get_attribute("aria-label")
    switch.click()
    page.wait_for_url("**/you/")
    expect(page.get_by_role("switch", name=name, exact=True)).to_have_attribute(
        "aria-checked", "false"
    )
