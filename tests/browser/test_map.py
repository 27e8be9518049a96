"""The map of films in a real browser: by pointer, keys and touch, and as a list."""

import math
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from movies.models import Movie
from tests.browser.test_accessibility import look_at
from tests.conftest import put_on_a_map
from tests.factories import MovieFactory, UserFactory
from users.ratings import rate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
STILL = {"reduced_motion": "reduce"}


@pytest.fixture
def films(transactional_db) -> list[Movie]:
    """Twelve films on a circle, and the best known in the middle of it."""
    around = [
        MovieFactory(title=f"Star {n}", year=1930 + 7 * n, genres=["Horror"], rating_count=9)
        for n in range(12)
    ]
    middle = MovieFactory(title="The Sun", year=1969, genres=["Musical"], rating_count=900)
    turns = [math.tau * n / 12 for n in range(12)]
    places = [(math.cos(turn), math.sin(turn)) for turn in turns]
    put_on_a_map([middle, *around], [(0, 0), *places])
    return [middle, *around]


def open_map(open_page: OpenPage, path: str = "/map/", *args, **options) -> Page:
    page = open_page(path, *args, **options)
    expect(page.locator("[data-map=ready]")).to_be_visible()
    return page


def names(page: Page) -> list[str]:
    return page.locator(".sky__name--film").all_inner_texts()


def middle_of_map(page: Page) -> tuple[float, float]:
    box = page.locator("[data-sky]").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_film_is_shown_under_the_pointer_and_opened_by_a_click(open_page, films):
    page = open_map(open_page, **DESK, **STILL)
    page.locator("[data-sky]").scroll_into_view_if_needed()
    page.mouse.move(*middle_of_map(page))
    card = page.locator(".leaflet-tooltip", has_text="The Sun")
    expect(card).to_be_visible()
    expect(card.locator(".poster")).to_be_visible()
    page.mouse.click(*middle_of_map(page))
    expect(page).to_have_url(re.compile("/the-sun/$"))


def test_the_map_is_dragged_and_zoomed_by_wheel_buttons_and_keys(open_page, films):
    page = open_map(open_page, **DESK, **STILL)
    sun = page.locator(".sky__name--film", has_text="The Sun")
    before = sun.bounding_box()
    x, y = middle_of_map(page)
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    page.mouse.move(x + 40, y - 60, steps=4)
    page.mouse.up()
    assert sun.bounding_box()["x"] == pytest.approx(before["x"] + 100, abs=12)
    assert len(names(page)) > 4
    page.mouse.move(x + 100, y)
    page.mouse.wheel(0, -600)
    expect(page.locator(".sky__name--film")).not_to_have_count(13)
    page.get_by_role("button", name="Zoom out").click()
    page.locator("[data-sky]").press("+")
    page.locator("[data-sky]").press("ArrowLeft")
    expect(page.locator("[data-sky]")).to_be_focused()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_film_is_found_by_name_and_opened_by_keys(open_page, films, size):
    page = open_map(open_page, **size, **STILL)
    box = page.get_by_role("combobox", name="Find a film on the map")
    box.press_sequentially("star 7")
    expect(page.get_by_role("option", name="Star 7")).to_be_visible()
    box.press("Enter")
    card = page.locator(".leaflet-popup", has_text="Star 7")
    expect(card).to_be_visible()
    expect(page.get_by_text("Star 7 is in the middle of the map.")).to_be_visible()
    assert page.url.endswith(f"#film={films[8].pk}")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    expect(page.locator("[data-sky]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/star-7/$"))


def test_a_tap_shows_the_film_and_the_card_leads_on(open_page, films):
    page = open_map(open_page, **PHONE, **STILL)
    page.locator("[data-sky]").scroll_into_view_if_needed()
    page.touchscreen.tap(*middle_of_map(page))
    card = page.locator(".leaflet-popup", has_text="The Sun")
    expect(card).to_be_visible()
    card.get_by_role("link").tap()
    expect(page).to_have_url(re.compile("/the-sun/$"))


def test_the_legend_shows_one_group_alone_and_colours_by_decade(open_page, films):
    person = UserFactory()
    rate(person, films[3], 4)
    page = open_map(open_page, "/map/", person, **DESK, **STILL)
    musicals = page.get_by_role("button", name="Musical")
    musicals.click()
    expect(musicals).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".sky__name--film")).to_have_text(["The Sun"])
    page.get_by_role("radio", name="Decade").check()
    expect(musicals).to_be_hidden()
    page.get_by_role("button", name="1960s").click()
    expect(page.locator(".sky__name--film", has_text="The Sun")).to_have_count(1)
    page.get_by_role("button", name="Your films").click()
    expect(page.locator(".sky__name--film")).to_have_text([films[3].title])


def test_an_address_leads_to_a_film_and_says_where_there_is_none(open_page, films):
    page = open_map(open_page, f"/map/#film={films[2].pk}", **DESK)
    expect(page.locator(".leaflet-popup", has_text=films[2].title)).to_be_visible()
    page.goto("/map/#film=0")
    expect(page.get_by_text("This film has no place on the map yet.")).to_be_visible()
    page.get_by_role("link", name=re.compile("^See .* on the map$")).first.click()
    expect(page.get_by_text("in the middle of the map.")).to_be_visible()


def test_axe_finds_nothing_serious(open_page, films):
    page = open_page("/")
    assert look_at(page, "/map/") == []
    expect(page.locator("[data-map=ready]")).to_be_visible()


def test_without_scripts_the_map_is_a_list(open_page, films):
    page = open_page("/map/", java_script_enabled=False)
    expect(page.get_by_role("heading", name="Its regions")).to_be_visible()
    expect(page.locator("[data-map]")).to_be_hidden()
    page.get_by_role("link", name="The Sun").click()
    expect(page.get_by_role("heading", name="The Sun", level=1)).to_be_visible()
