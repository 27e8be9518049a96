"""Browsing the catalogue, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.factories import CreditFactory, MovieFactory, PersonFactory, UserFactory
from users.ratings import rate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def films():
    return [
        MovieFactory(title="The Godfather", year=1972, genres=["Crime", "Drama"]),
        MovieFactory(title="Heat", year=1995, genres=["Crime"]),
        MovieFactory(title="Tokyo Godfathers", year=2003, genres=["Animation", "Drama"]),
    ]


def is_on_screen(page: Page, selector: str) -> bool:
    box = page.locator(selector).first.bounding_box()
    return box is not None and box["y"] < page.viewport_size["height"]


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_filters_work_in_place_and_stand_in_the_address(open_page, films, size):
    person = UserFactory()
    rate(person, films[0], 5)
    page = open_page("/films/", person, **size)
    assert is_on_screen(page, ".card")
    if size is PHONE:
        expect(page.get_by_label("Decade")).to_be_hidden()
        page.get_by_role("button", name="Filter and sort").click()
    page.get_by_role("button", name=re.compile("^Genres")).click()
    page.get_by_label("Crime").check()
    page.get_by_label("Drama").check()
    expect(page.get_by_role("status").get_by_text("1 film", exact=True)).to_be_attached()
    expect(page).to_have_url(re.compile(r"/films/\?genre=crime&genre=drama$"))
    page.keyboard.press("Escape")
    expect(page.get_by_label("Crime")).to_be_hidden()
    page.get_by_label("Not yet rated by me").check()
    expect(page).to_have_url(re.compile(r"/films/\?genre=crime&genre=drama&unrated=on$"))
    if size is PHONE:
        page.get_by_role("button", name="Show films").click()
        expect(page.get_by_label("Decade")).to_be_hidden()
    # Nothing is left: the page says what to loosen.
    page.get_by_role("link", name="without “Drama”: 1 film").click()
    expect(page.get_by_role("link", name="Heat")).to_be_visible()
    page.get_by_role("link", name="Remove the filter Crime").click()
    expect(page.get_by_role("link", name="Remove the filter not yet rated by you")).to_be_visible()
    expect(page.locator(".card")).to_have_count(2)


def test_the_back_button_brings_the_former_filter_back(open_page, films):
    page = open_page("/films/?decade=1970")
    page.get_by_label("Decade").select_option("2000s")
    expect(page.get_by_role("link", name="Tokyo Godfathers")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="The Godfather")).to_be_visible()
    expect(page.get_by_label("Decade")).to_have_value("1970")


def test_the_next_films_come_as_the_end_is_reached_and_the_back_button_keeps_the_place(open_page):
    for number in range(120):
        MovieFactory(title=f"Film {number:03}")
    page = open_page("/films/?sort=title")
    cards = page.locator(".card")
    expect(cards).to_have_count(48)
    page.mouse.wheel(0, 20_000)
    expect(cards).to_have_count(96)
    page.mouse.wheel(0, 20_000)
    expect(cards).to_have_count(120)
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/films/\?sort=title&through=3$"))
    last = page.get_by_role("link", name="Film 119")
    last.scroll_into_view_if_needed()
    last.click()
    expect(page.get_by_role("heading", name="Film 119", level=1)).to_be_visible()
    page.go_back()
    expect(cards).to_have_count(120)
    expect(last).to_be_in_viewport()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_persons_page_tells_their_films(open_page, size):
    welles = PersonFactory(name="Orson Welles")
    for number in range(14):
        film = MovieFactory(title=f"Part {number}", year=1940 + number, rating_count=number)
        CreditFactory(movie=film, person=welles)
    CreditFactory(
        movie=MovieFactory(title="Citizen Kane", year=1941, rating_count=99),
        person=welles,
        role="director",
    )
    page = open_page(welles.get_absolute_url(), **size)
    expect(page.get_by_text("15 films, 1940 to 1953")).to_be_visible()
    known = page.get_by_role("region", name="Best known").get_by_role("link")
    expect(known.first).to_have_accessible_name("Citizen Kane")
    directed = page.get_by_role("region", name="Directed")
    expect(directed.locator(".card")).to_have_count(1)
    played = page.get_by_role("region", name="Played in").locator(".card")
    expect(played).to_have_count(14)
    expect(played.first).to_contain_text("Part 13")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
