"""Looking for films and people from the box that every page has, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import CreditFactory, MovieFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture
def godfather():
    film = MovieFactory(
        title="The Godfather", year=1972, genres=["Crime"], rating_count=200, rating_sum=1800
    )
    CreditFactory(movie=film, person__name="Al Pacino")
    MovieFactory(title="Tokyo Godfathers", year=2003, genres=["Animation"])
    return film


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_by_keyboard(open_page, godfather, size):
    page = open_page("/search/", **size)
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search films and people")
    expect(box).to_be_focused()
    box.press_sequentially("godfater")
    options = page.get_by_role("option")
    # Two films, and the way to all that is found.
    expect(options).to_have_count(3)
    expect(options.first).to_contain_text("1972 · Al Pacino")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("[data-search-status]")).to_have_text("2 films.")

    def is_chosen(option):
        expect(option).to_have_attribute("aria-selected", "true")
        expect(box).to_have_attribute("aria-activedescendant", option.get_attribute("id"))

    box.press("ArrowDown")
    is_chosen(options.first)
    box.press("End")
    is_chosen(options.last)
    box.press("ArrowDown")
    expect(box).not_to_have_attribute("aria-activedescendant", re.compile("."))
    box.press("ArrowUp")
    is_chosen(options.last)
    box.press("Home")
    is_chosen(options.first)
    box.press("Escape")
    expect(options).to_have_count(0)
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("godfater")
    box.press_sequentially("r")
    expect(options.first).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    expect(page).to_have_url(re.compile("/the-godfather/$"))


@pytest.mark.parametrize(
    ("system", "key", "other"),
    [("Windows NT 10.0", "Control", "Meta"), ("Mac OS X 10_15_7", "Meta", "Control")],
)
def test_no_single_key_leads_to_the_box(open_page, godfather, system, key, other):
    page = open_page("/films/", user_agent=f"Mozilla/5.0 ({system}) Chrome/130")
    box = page.get_by_role("combobox", name="Search films and people")
    page.get_by_label("From").focus()
    for press in ("/", "k", "Shift+K", f"{other}+k"):
        page.keyboard.press(press)
        expect(page.get_by_label("From")).to_be_focused()
    page.keyboard.press(f"{key}+k")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-keyshortcuts", f"{key}+K")


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_by_mouse_or_finger_and_what_was_looked_for_is_offered_again(open_page, godfather, size):
    page = open_page("/search/", **size)
    press = "tap" if size is PHONE else "click"
    box = page.get_by_role("combobox")
    before = page.get_by_role("heading", name="What are you looking for?").bounding_box()
    box.press_sequentially("pacin")
    option = page.get_by_role("option", name="Al Pacino")
    expect(option).to_contain_text("The Godfather")
    # What comes beneath the box moves nothing on the page, and is as wide as a phone.
    assert page.get_by_role("heading", name="What are you looking for?").bounding_box() == before
    if size is PHONE:
        assert page.locator(".suggestions").bounding_box()["width"] == 390
    getattr(option, press)()
    expect(page.get_by_role("heading", name="Al Pacino", level=1)).to_be_visible()
    page.get_by_role("combobox").fill("mafia")
    page.get_by_role("combobox").press("Enter")
    expect(page.get_by_role("heading", name="“mafia”")).to_be_visible()

    page.goto("/search/")
    getattr(page.get_by_role("combobox"), press)()
    expect(page.get_by_role("option")).to_have_text(["mafia", "Al Pacino"])
    page.get_by_role("combobox").press("ArrowDown")
    page.get_by_role("combobox").press("ArrowDown")
    page.get_by_role("combobox").press("Enter")
    expect(page.get_by_role("heading", name="Al Pacino", level=1)).to_be_visible()
    getattr(page.get_by_role("combobox"), press)()
    getattr(page.get_by_role("button", name="Forget these"), press)()
    expect(page.get_by_role("option")).to_have_count(0)
    page.reload()
    page.get_by_role("combobox").focus()
    expect(page.get_by_role("option")).to_have_count(0)


def test_the_last_option_looks_through_everything(open_page, godfather):
    page = open_page("/")
    box = page.get_by_role("combobox")
    box.press_sequentially("godfather")
    page.get_by_role("option", name="Search titles, names and stories for “godfather”").click()
    expect(page).to_have_url(re.compile(r"/search/\?q=godfather$"))
    box.fill("zzzz")
    expect(page.get_by_text("Nothing by that name.").first).to_be_visible()


def test_a_description_finds_the_film_as_one_types_and_a_condition_can_be_taken_off(open_page):
    MovieFactory(
        title="Quick Change",
        year=1990,
        genres=["Comedy"],
        overview="A clown robs a bank; the heist goes well, the escape does not.",
    )
    MovieFactory(
        title="Heat", year=1995, genres=["Crime"], overview="Thieves plan a heist, a bank."
    )
    page = open_page("/")
    box = page.get_by_role("combobox")
    box.press_sequentially("thieves robbing a bank")
    expect(page.get_by_role("option", name=re.compile("^Heat"))).to_be_visible()
    box.fill("funny heist films from the nineties")
    # A question that is left open when the page goes is a complaint on the console.
    expect(page.get_by_text("By what they are about, only")).to_be_visible()
    box.press("Enter")
    expect(page.get_by_role("main").get_by_role("link", name="Quick Change")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Heat")).to_have_count(0)
    page.get_by_role("link", name="Remove the filter Comedy").click()
    expect(page.get_by_role("main").get_by_role("link", name="Heat")).to_be_visible()
    expect(page.get_by_role("link", name="Remove the filter 1990s")).to_be_visible()
