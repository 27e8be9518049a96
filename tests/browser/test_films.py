"""Finding films and looking at them, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.factories import CreditFactory, MovieFactory, UserFactory
from users.ratings import rate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def godfather():
    film = MovieFactory(
        title="The Godfather", year=1972, genres=["Crime"], rating_count=200, rating_sum=1800
    )
    CreditFactory(movie=film, person__name="Al Pacino")
    MovieFactory(title="Tokyo Godfathers", year=2003, genres=["Animation"])
    return film


def test_enter_without_a_choice_opens_the_page_of_results(open_page, godfather):
    page = open_page("/")
    page.get_by_role("combobox").fill("al pacino")
    page.get_by_role("combobox").press("Enter")
    page.get_by_role("main").get_by_role("link", name="Al Pacino").click()
    expect(page.get_by_role("heading", name="Al Pacino", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="The Godfather")).to_be_visible()


def test_everything_can_be_found_and_read_without_scripts(open_page, godfather):
    for number in range(60):
        MovieFactory(title=f"Film {number}")
    page = open_page("/films/", java_script_enabled=False)
    page.get_by_label("Sort", exact=True).select_option("Title, A to Z")
    page.get_by_role("button", name="Show films").click()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="Tokyo Godfathers")).to_be_visible()
    page.get_by_role("searchbox").fill("godfater")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("main").get_by_role("link", name="The Godfather").click()
    expect(page.get_by_role("heading", name="The Godfather", level=1)).to_be_visible()
    page.get_by_role("link", name="See which of your ratings").click()
    expect(page.get_by_role("heading", name="Why The Godfather?")).to_be_visible()


def test_a_film_says_what_is_like_it_and_why_it_might_suit(open_page, camps, trained):
    person = UserFactory()
    for film in camps[1][0:8:2]:
        rate(person, film, 5)
    film = camps[1][20]
    page = open_page(film.get_absolute_url(), person)
    like = page.get_by_role("region", name="Films like it")
    expect(like.locator(".card").first).to_be_visible()
    expect(page.get_by_text("Your own ratings that speak for it")).to_be_visible()


def test_each_recommendation_says_why_when_asked(open_page, camps, trained):
    person = UserFactory()
    for film in camps[1][0:8:2]:
        rate(person, film, 5)
    page = open_page("/recommendations/", person)
    page.locator("summary", has_text="Why?").first.click()
    expect(page.locator(".reasons li").first).to_be_visible()


def test_the_home_page_changes_with_the_first_star(open_page, camps, trained):
    page = open_page("/", UserFactory())
    expect(page.get_by_role("heading", name="Top picks for you")).to_have_count(0)
    stars = page.get_by_role("region", name="Films to rate").get_by_role("group").first
    stars.get_by_role("radio", name="5 stars").check(force=True)
    expect(page.get_by_role("heading", name="Top picks for you")).to_be_visible()


def test_the_theme_is_kept_from_page_to_page(open_page, godfather):
    page = open_page("/", color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto("/films/")
    assert page.evaluate(ground) == dark


def test_the_drawn_poster_stays_where_the_photograph_does_not_come(new_context, live_server):
    film = MovieFactory(poster_url="https://upload.wikimedia.org/gone.jpg")
    context = new_context(base_url=live_server.url)
    context.route("https://**", lambda route: route.abort())
    page = context.new_page()
    page.goto(film.get_absolute_url())
    poster = page.locator(".film .poster")
    expect(poster.locator(".poster__photo")).to_have_count(0)
    width = "image => image.complete && image.naturalWidth"
    assert poster.locator("img").evaluate(width) > 0


@pytest.mark.parametrize("path", ["/", "/films/", "/recommendations/", "/search/?q=godfather"])
@pytest.mark.parametrize("size", [PHONE, {"viewport": {"width": 1440, "height": 900}}])
def test_no_page_is_wider_than_the_screen(open_page, godfather, path, size):
    page = open_page(path, UserFactory(), **size)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_the_first_tab_leads_past_the_masthead(open_page, godfather):
    page = open_page("/films/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_nothing_moves_for_those_who_asked_for_stillness(open_page, godfather):
    page = open_page("/", reduced_motion="reduce")
    page.get_by_role("link", name="Marquee", exact=True).hover()
    moving = page.evaluate("document.getAnimations().length")
    assert moving == 0
