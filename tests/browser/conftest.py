"""A real Chromium, on a real server. Where there is none, these tests are skipped and say so."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from users.models import User

# Playwright's synchronous interface runs an event loop, in which Django would refuse its database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# A busy machine answers late; what never comes still fails.
expect.set_options(timeout=20_000)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Addresses that tests open to see how the site says that something went wrong.
PAGES_OF_FAULTS = (
    "/no-such-page/",
    "/broken/",
    "/forbidden/",
    "/stale/",
    "/away/",
    "/no-such-invitation/",
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("No Chromium on this machine.")
    return {**browser_type_launch_args, "executable_path": path, "args": QUIET}


def is_answer(message: ConsoleMessage) -> bool:
    """Whether the complaint is of an answer that is meant: a form or a page refused.

    The browser says so, and htmx once more.
    """
    return message.text.startswith(("Failed to load resource", "Response Status Error Code")) and (
        "422" in message.text or message.location["url"].endswith(PAGES_OF_FAULTS)
    )


@pytest.fixture
def open_page(
    new_context: Callable[..., BrowserContext], live_server: Any
) -> Iterator[Callable[..., Page]]:
    """`open_page(path, person, **context)`: a page in a browser of its own, logged in as person.

    What a page complains of on the console (a script that fails, a broken policy) fails the test.
    """
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def hear(message: ConsoleMessage) -> None:
        # The browser reports each refused form and each page that says what went wrong.
        if message.type in ("error", "warning") and not is_answer(message):
            complaints.append(message.text)

    def open_(path: str, person: User | None = None, **options: Any) -> Page:
        # A click falls through while one page fades into the next: tests of motion ask for it.
        context = new_context(
            **{"base_url": live_server.url, "reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        if person is not None:
            client = Client()
            client.force_login(person)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    _wait_for_answers()
    assert not complaints


def _wait_for_answers() -> None:
    """Wait until no request reads the database any more, which is emptied after the test."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
                " AND state <> 'idle'"
            )
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)
