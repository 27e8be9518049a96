"""Similar films, one's own way: by space, by a blend, with and without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from movies.models import Movie
from tests.recommender.test_similar import films, live, spaces  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]


def alike(page: Page) -> list[str]:
    return page.locator("#alike .card__title").all_inner_texts()[:3]


def test_the_films_page_answers_by_any_space_and_by_a_blend(
    open_page: OpenPage,
    spaces: list[Movie],  # noqa: F811
):
    page = open_page(spaces[0].get_absolute_url())
    choices = page.get_by_role("navigation", name="By what films are alike")
    choices.get_by_role("link", name="By story").click()
    expect(page.locator("#alike .card__title").first).to_have_text("Film 1")
    expect(choices.locator("[aria-current]")).to_have_text("By story")
    choices.get_by_role("link", name="By people").click()
    expect(page.locator("#alike .card__title").first).to_have_text("Film 29")
    page.wait_for_url("**space=people")
    choices.get_by_role("link", name="Blended").click()
    page.get_by_label("People", exact=True).press("Home")
    expect(page.locator("#alike .card__title").nth(1)).to_have_text("Film 2")
    page.wait_for_url("**people=0*")
    expect(page.get_by_label("People", exact=True)).to_be_focused()
    page.reload()
    expect(page.locator("#alike .card__title").nth(1)).to_have_text("Film 2")
    expect(page.get_by_label("People", exact=True)).to_have_value("0")


def test_without_scripts(open_page: OpenPage, spaces: list[Movie]):  # noqa: F811
    page = open_page(spaces[0].get_absolute_url(), java_script_enabled=False)
    page.get_by_role("link", name="See all").click()
    page.get_by_role("link", name="By people").click()
    expect(page.locator(".card__title").first).to_have_text("Film 29")
    page.get_by_role("link", name="Blended").click()
    page.get_by_label("Story").fill("10")
    page.get_by_label("People", exact=True).fill("0")
    page.get_by_role("button", name="Blend them so").click()
    expect(page.locator(".card__title").nth(1)).to_have_text("Film 2")


def test_it_fits_a_phone(open_page: OpenPage, spaces: list[Movie]):  # noqa: F811
    address = f"{spaces[0].get_absolute_url()}?space=blend"
    page = open_page(address, viewport={"width": 320, "height": 700}, has_touch=True)
    expect(page.get_by_label("Story")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
