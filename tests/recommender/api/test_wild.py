"""Whatever is asked, the answer is one that was meant."""

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import MovieFactory
from tests.recommender.api.conftest import problem

NAMES = ["q", "genre", "first_year", "last_year", "min_ratings", "sort", "page", "page_size", "k"]
LISTS = ["/api/v1/movies/", "/api/v1/recommendations/", "/api/v1/ratings/", "/api/v1/watchlist/"]

names = st.one_of(st.sampled_from(NAMES), st.text(max_size=10))
values = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(["drama", "", "%", "_", "\\", "'", '"', "\x00", "(", "[", "*", "amelie 2001"]),
)


@pytest.mark.django_db
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(address=st.sampled_from(LISTS), query=st.lists(st.tuples(names, values), max_size=4))
def test_wild_queries_get_an_answer_or_a_named_problem(client, address, query):
    MovieFactory(title="Amélie", year=2001, genres=["Drama"])
    encoded = urlencode(query, errors="surrogatepass")
    response = client.get(f"{address}?{encoded}")
    assert response.status_code in (200, 400, 404), response.content
    if response.status_code == 400:
        sent = {name for name, _ in query}
        assert set(problem(response)) <= sent


@pytest.mark.django_db
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["stars", "movie", "user"]), inner, max_size=3)
        ),
    )
)
def test_wild_bodies_get_an_answer_or_a_problem(client, body):
    movie = MovieFactory()
    try:
        response = client.put(f"/api/v1/ratings/{movie.pk}/", body, format="json")
    except ValueError:  # not JSON: the client itself refuses NaN
        return
    assert response.status_code in (201, 400)
