"""Bringing a history, taking everything along and leaving, as people do it, at both widths."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import DESK, PHONE, look_at
from tests.factories import MovieFactory, UserFactory
from tests.users.history.test_formats import SAMPLES, zipped
from users import history, ratings
from users.models import HistoryImport, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
PAGE = "/account/import/"


@pytest.fixture
def person(db) -> User:
    """Somebody who has rated one of the films already, another way than elsewhere."""
    person = UserFactory()
    for title, year in (("Seven (Se7en)", 1995), ("Amelie", 2001), ("Stalker", 1979)):
        MovieFactory(title=title.split(" (")[0], year=year, alternative_titles=["Se7en"])
    MovieFactory.create_batch(2, title="Paddington 2", year=2017)
    good = MovieFactory(title="The Good, the Bad & the Ugly", year=1966)
    ratings.rate(person, good, 3)
    return person


@pytest.fixture
def export_file(tmp_path: Path) -> Path:
    file = tmp_path / "letterboxd-anna.zip"
    file.write_bytes(zipped(SAMPLES / "letterboxd"))
    return file


def bring(page: Page, file: Path) -> None:
    page.get_by_label("The file").set_input_files(file)
    page.get_by_role("button", name="Look at it").press("Enter")


def press_until(page: Page, key: str, selector: str) -> None:
    for _ in range(80):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} is never reached by {key}")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_letterboxd_account_is_brought_by_keyboard(
    open_page: OpenPage, person: User, export_file: Path, size: dict[str, int]
):
    page = open_page("/account/", person, viewport=size)
    page.get_by_role("link", name="Bring your history").click()
    bring(page, export_file)
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    # The doubtful film is shown first: choose the second of the two with the arrow keys.
    expect(page.locator(".chip[aria-current]")).to_have_text(re.compile("Doubtful 1"))
    press_until(page, "Tab", "[name^=film-]")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".import-film input").nth(0)).to_be_checked()
    page.get_by_label("Take the file’s").check()
    # Enter saves what is chosen, and writes nothing.
    with page.expect_navigation():
        page.get_by_label("Take the file’s").press("Enter")
    expect(page.get_by_label("Take the file’s")).to_be_checked()
    assert HistoryImport.objects.get().takes_theirs
    page.get_by_role("button", name="Other stars than yours 1").press("Enter")
    expect(page.get_by_text("yours: 3 stars")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Make \d films mine")).press("Enter")
    expect(page.get_by_role("heading", name="Your history is here")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    stars = {rating.movie.title: rating.stars for rating in person.ratings.with_movies()}
    assert stars == {"Seven": 4.5, "Amelie": 0.5, "The Good, the Bad & the Ugly": 5}
    assert person.seen.get().movie.title == "Paddington 2"


def test_without_scripts_a_table_is_named_and_written(
    open_page: OpenPage, person: User, tmp_path: Path
):
    file = tmp_path / "mine.csv"
    file.write_text("Was;Wann;Wie\nStalker;1979;9/10\n")
    page = open_page(PAGE, person, java_script_enabled=False)
    bring(page, file)
    page.get_by_label("Title").select_option("Was")
    page.get_by_label("Year").select_option("Wann")
    page.get_by_label("Rating", exact=True).select_option("Wie")
    page.get_by_role("button", name="Read it so").click()
    page.get_by_role("button", name="Make 1 film mine").click()
    expect(page.get_by_role("heading", name="Your history is here")).to_be_visible()
    assert 4.5 in {rating.stars for rating in person.ratings.all()}


def test_no_step_has_a_barrier(open_page: OpenPage, person: User, export_file: Path, monkeypatch):
    page = open_page(PAGE, person)
    history.begin(person, "mine.csv", b"Was;Wann\nStalker;1979\n")
    found = look_at(page, PAGE)
    history.begin(person, export_file.name, export_file.read_bytes())
    found += [
        line for show in ("doubtful", "unknown") for line in look_at(page, f"{PAGE}?show={show}")
    ]
    history.start(HistoryImport.objects.get(), HistoryImport.State.WRITING)
    found += look_at(page, PAGE)
    monkeypatch.setattr(history, "AT_ONCE", 0)
    history.begin(person, export_file.name, export_file.read_bytes())
    HistoryImport.objects.update(started_at=timezone.now())
    found += look_at(page, PAGE)
    assert not found, "\n".join(found)


def test_a_long_import_says_how_it_is_and_shows_itself_when_it_is_done(
    open_page: OpenPage, person: User, export_file: Path, monkeypatch
):
    monkeypatch.setattr(history, "AT_ONCE", 0)
    page = open_page(PAGE, person)
    bring(page, export_file)
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("No worker is up")).to_be_visible(timeout=15_000)
    history.work(HistoryImport.objects.get())
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()


def test_a_file_that_is_none_is_refused_with_a_word(
    open_page: OpenPage, person: User, tmp_path: Path
):
    file = tmp_path / "ratings.csv"
    file.write_bytes(b"%PDF-1.7\0")
    page = open_page(PAGE, person)
    bring(page, file)
    expect(page.get_by_role("alert")).to_contain_text("no text, but some other kind of file")


def test_everything_is_taken_along_and_the_account_is_gone(open_page: OpenPage, person: User):
    page = open_page("/account/delete/", person)
    with page.expect_download() as download:
        page.get_by_role("link", name="Take everything along first").click()
    with zipfile.ZipFile(download.value.path()) as files:
        assert "The Good, the Bad & the Ugly" in files.read("ratings.csv").decode()
    page.get_by_label("Your password").fill("a long passphrase")
    page.get_by_role("button", name="Delete it all").press("Enter")
    expect(page.get_by_text("Your account is deleted")).to_be_visible()
    assert not User.objects.filter(pk=person.pk).exists()
