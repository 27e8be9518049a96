"""An evening in two browsers: invited by a link, vetoed by one and seen by the other, agreed on."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.factories import UserFactory
from users import evenings
from users.models import Evening, User
from users.ratings import rate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
DIAL = "What counts most"
# What the others do is seen within seconds; a busy machine takes longer.
SOON = 20_000


@pytest.fixture
def ann(trained, camps) -> User:
    """Somebody who loves four films of the first camp."""
    ann = UserFactory(username="ann")
    for film in camps[1][0:8:2]:
        rate(ann, film, 5)
    return ann


def picks(page: Page) -> Locator:
    return page.locator(".pick")


def titles(page: Page) -> list[str]:
    return page.locator(".pick .pick__title").all_inner_texts()


def test_an_evening_from_the_invitation_to_the_film(open_page: OpenPage, ann: User):
    ours = open_page("/account/", ann, viewport=DESK)
    ours.get_by_role("link", name="Choose a film together").click()
    ours.get_by_label("What do you call it?").fill("Friday at ours")
    ours.get_by_role("button", name="Start it").click()
    expect(ours.get_by_role("heading", name="Waiting for somebody")).to_be_visible()
    expect(ours.get_by_label(DIAL)).to_be_hidden()
    link = ours.get_by_label("Send this link to the others").input_value()

    theirs = open_page(link, viewport=PHONE, has_touch=True, color_scheme="dark")
    expect(theirs.get_by_text("ann invites you")).to_be_visible()
    theirs.get_by_role("link", name="Sign up and join").click()
    theirs.get_by_label("Name").fill("ben")
    theirs.get_by_label("Password", exact=True).fill("long enough 7")
    theirs.get_by_label("Password again").fill("long enough 7")
    theirs.get_by_role("button", name="Sign up").click()
    theirs.get_by_role("link", name="Skip", exact=True).click()
    theirs.get_by_role("button", name="Join as ben").click()
    expect(picks(theirs)).to_have_count(20)
    assert theirs.evaluate("document.documentElement.scrollWidth") <= 390

    # The page that waited has seen them come, and shows the same films.
    expect(picks(ours)).to_have_count(20, timeout=SOON)
    expect(ours.get_by_label("Who is in")).to_contain_text("ben")
    expect(ours.get_by_label(DIAL)).to_be_visible()
    assert titles(ours) == titles(theirs)
    expect(picks(ours).first.locator(".liking")).to_have_count(2)

    # One vetoes: the film is out for the other, who cannot take it back.
    vetoed, wanted = titles(ours)[0], titles(ours)[1]
    picks(theirs).first.get_by_role("button", name="Veto").click()
    expect(theirs.locator(".say__out")).to_be_visible()
    expect(picks(theirs).first.get_by_role("button", name="Take back your veto")).to_be_focused()
    expect(picks(ours).first.locator(".pick__title")).to_have_text(wanted, timeout=SOON)
    out = ours.locator(".vetoed")
    expect(out).to_contain_text(f"{vetoed} by ben")
    expect(out.get_by_role("button")).to_have_count(0)

    # Both say yes: the sign says so on both pages.
    picks(ours).first.get_by_role("button", name="Yes to").click()
    expect(picks(ours).first.get_by_role("button", name="Yes to")).to_be_focused()
    shortlist = theirs.locator(".shortlist")
    expect(shortlist).to_contain_text("1 of 2 said yes: ann", timeout=SOON)
    shortlist.get_by_role("button", name="Yes to").click()
    for page in (ours, theirs):
        expect(page.locator(".evening__agreed")).to_contain_text(wanted, timeout=SOON)
    expect(theirs.locator("#evening-status")).to_contain_text(f"All of you said yes to {wanted}")

    # What was vetoed comes back for both.
    theirs.locator(".vetoed").get_by_role("button", name="Take back").click()
    expect(out).to_be_hidden(timeout=SOON)
    expect(picks(ours).first.locator(".pick__title")).to_have_text(vetoed)


def test_the_dial_and_the_filters_turn_ones_own_page_and_stay(
    open_page: OpenPage, ann: User, camps
):
    evening = evenings.start(ann, "Friday")
    evenings.join(camps[0][1], evening.token)
    here = evening.get_absolute_url()
    page = open_page(here, ann, viewport=PHONE)
    before = titles(page)
    page.get_by_label(DIAL).press("End")
    expect(page.locator("output", has_text="least misery")).to_be_visible()
    page.wait_for_url(f"**{here}?care=4")
    turned = titles(page)
    assert turned != before
    page.get_by_label("Genre").select_option("drama")
    page.wait_for_url("**genre=drama**")
    assert "care=4" in page.url
    # News from the others leaves the page as it was turned.
    other = evening.members.get(user=camps[0][1])
    evenings.say_yes(other, camps[1][30])
    expect(page.locator(".shortlist")).to_contain_text(camps[1][30].title, timeout=SOON)
    expect(page.get_by_label("Genre")).to_have_value("drama")
    expect(page.locator(".chip", has_text="Drama")).to_be_visible()
    # Taken out meanwhile, one is led away.
    evenings.end(evening)
    page.wait_for_url("**/together/")
    expect(page.get_by_text("That evening has ended")).to_be_visible()


def test_without_scripts(open_page: OpenPage, ann: User, camps):
    page = open_page("/together/", ann, java_script_enabled=False)
    page.get_by_label("What do you call it?").fill("Friday")
    page.get_by_role("button", name="Start it").click()
    evening = Evening.objects.get()
    evenings.join(camps[0][1], evening.token)
    page.reload()
    first = titles(page)[0]
    page.get_by_label(DIAL).fill("0")
    page.get_by_role("button", name="Show films").click()
    expect(page.get_by_label(DIAL)).to_have_value("0")
    picks(page).first.get_by_role("button", name="Veto").click()
    expect(page.locator(".vetoed")).to_be_visible()
    assert "care=0" in page.url
    page.locator(".vetoed").get_by_role("button", name="Take back").click()
    expect(page.locator(".vetoed")).to_be_hidden()
    assert first in titles(page)
    page.get_by_text("End the evening").click()
    page.get_by_role("button", name="End it").click()
    assert not Evening.objects.exists()
