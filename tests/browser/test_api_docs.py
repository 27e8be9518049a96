"""The API's documentation, which must work where the internet cannot be reached."""

from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from tests.factories import MovieFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_docs_page_tries_an_address_and_asks_no_other_host(open_page, live_server):
    MovieFactory(title="The Godfather")
    page = open_page(reverse("api:docs"))
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.reload()
    operation = page.locator("#operations-movies-movies_list")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("q", exact=True).fill("godfahter")
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .highlight-code")
    assert "The Godfather" in answer.inner_text()
    assert hosts - {""} == {urlsplit(live_server.url).netloc}
