"""The home page, its shelves and the film for tonight, over a real model."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from movies.models import Movie
from recommender.serving import tonight
from recommender.serving.recommend import recommend
from tests.factories import MovieFactory, UserFactory
from users.models import Rating
from users.ratings import dismiss, rate

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}
SHELVES, TONIGHT = "/shelves/", "/tonight/"


@pytest.fixture(autouse=True)
def _no_evening_before():
    cache.clear()


@pytest.fixture
def fan(camps, client):
    """Someone new who loves four films of the first camp, logged in."""
    person = UserFactory()
    for film in camps[1][0:8:2]:
        rate(person, film, 5)
    client.force_login(person)
    return person


def film_of(answer):
    return answer.context["tonight"].movie


def test_a_visitor_gets_shelves_without_a_model(client):
    for _ in range(5):
        MovieFactory(rating_count=30, rating_sum=250)
    assert reverse("users:signup") in client.get("/").content.decode()
    assert client.get(SHELVES).context["shelves"]


def test_an_empty_catalogue_says_how_to_fill_it(client):
    assert "import_movielens" in client.get(SHELVES).content.decode()


def test_newcomers_can_rate_well_known_films_at_once(client, trained, camps):
    person = UserFactory()
    client.force_login(person)
    assert client.get("/").context["missing"] == 3
    answer = client.get("/shelves/to-rate/", headers=HTMX)
    first = answer.context["to_rate"][0]
    assert reverse("users:rate", args=[first.pk]) in answer.content.decode()
    rate(person, first, 4)
    answer = client.get(SHELVES)
    assert answer.context["missing"] == 2
    assert first not in answer.context["to_rate"]


def test_shelves_are_personal_after_a_few_ratings(client, trained, fan):
    answer = client.get(SHELVES)
    assert answer.context["shelves"][0].key == "picks"
    assert "missing" not in answer.context


def test_htmx_fetches_the_shelves_alone_and_whoever_has_no_scripts_the_whole_page(
    client, trained, fan
):
    part = client.get(SHELVES, headers=HTMX).content.decode()
    assert "<html" not in part and 'hx-trigger="rated from:body' in part
    page = client.get(SHELVES).content.decode()
    assert "<html" in page and "Top picks for you" in page and "http-equiv" not in page
    assert f'<meta http-equiv="refresh" content="0; url={SHELVES}">' in (
        client.get("/").content.decode()
    )


def rate_many_films(person):
    """Give stars to 2,000 films more."""
    films = Movie.objects.bulk_create(Movie(title=f"Other {n}") for n in range(2000))
    Rating.objects.bulk_create(Rating(user=person, movie=film, value=8) for film in films)


def test_the_home_page_asks_the_database_as_little_of_a_person_with_many_ratings(
    client, trained, fan, django_assert_max_num_queries
):
    client.get(TONIGHT, headers=HTMX)
    with django_assert_max_num_queries(5) as few:
        assert film_of(client.get("/"))
    rate_many_films(fan)
    with django_assert_max_num_queries(len(few)):
        assert film_of(client.get("/"))


def test_the_shelves_ask_as_little_of_a_person_with_many_ratings(
    client, trained, fan, django_assert_max_num_queries
):
    with django_assert_max_num_queries(60) as few:
        client.get(SHELVES, headers=HTMX)
    rate_many_films(fan)
    with django_assert_max_num_queries(len(few)):
        client.get(SHELVES, headers=HTMX)


def test_the_pick_is_a_recommendation_says_why_and_stays_for_the_evening(
    client, trained, fan, camps
):
    answer = client.get(TONIGHT, headers=HTMX)
    film = film_of(answer)
    assert film in [found.movie for found in recommend(fan, tonight.CHOICES)]
    loved = [camps[1][place].title for place in range(0, 8, 2)]
    assert any(f">{title}</a> 5 stars" in answer.content.decode() for title in loved)
    for address in ("/", SHELVES, "/"):
        assert film_of(client.get(address)) == film


def test_another_is_another_and_none_comes_twice_while_there_are_others(client, trained, fan):
    first = film_of(client.get(TONIGHT, headers=HTMX))
    seen = {first.pk}
    for number in range(15):
        seen.add(film_of(client.post(TONIGHT, headers=HTMX)).pk)
        assert len(seen) == number + 2
    answer = client.post(TONIGHT)
    assert answer.status_code == 302 and answer.url == "/"
    assert film_of(client.get("/")).pk not in seen


def test_a_film_that_the_person_has_settled_makes_way(client, trained, fan):
    film = film_of(client.get(TONIGHT, headers=HTMX))
    dismiss(fan, film)
    assert client.get("/").context["tonight"] is None
    assert film_of(client.get(TONIGHT, headers=HTMX)) != film


def test_when_every_film_was_passed_over_they_come_round_again(client, fan, camps):
    left = camps[1][10:12]
    for film in camps[1]:
        if film not in left:
            rate(fan, film, 4)
    seen = [film_of(client.post(TONIGHT, headers=HTMX)) for _ in range(4)]
    assert set(seen) == set(left) and seen[0] != seen[1] and seen[2] != seen[3]


def test_where_no_film_is_left_there_is_no_pick(client, fan, camps):
    for film in camps[1]:
        rate(fan, film, 4)
    assert client.get(TONIGHT, headers=HTMX).content == b""
    assert client.get("/").status_code == 200


def test_visitors_are_asked_to_log_in(client):
    assert client.post(TONIGHT).url.startswith(reverse("users:login"))
