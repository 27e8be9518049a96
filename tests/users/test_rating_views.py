import json

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import MovieFactory, RatingFactory, UserFactory
from users import ratings
from users.models import Rating, User

pytestmark = pytest.mark.django_db

PAGE = "/films/?genre=drama"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{PAGE}"}


@pytest.fixture
def person(client):
    person = UserFactory()
    client.force_login(person)
    return person


@pytest.fixture
def movie():
    return MovieFactory(title="Heat", year=1995)


def post(client, act, movie, headers=None, **form):
    return client.post(reverse(f"users:{act}", args=[movie.pk]), form, headers=headers)


def stars(person):
    return User.objects.get(pk=person.pk).stars


def events(response):
    return json.loads(response["HX-Trigger"])


@pytest.mark.parametrize("given", ["0.5", "1.0", "3.5", "5.0", "5"])
def test_a_plain_form_sets_the_stars_and_comes_back(client, person, movie, given):
    response = post(client, "rate", movie, stars=given, next=PAGE)
    assert (response.status_code, response.url) == (302, PAGE)
    assert stars(person) == {movie.pk: float(given)}


def test_stars_can_be_changed_and_withdrawn(client, person, movie):
    post(client, "rate", movie, stars="4.0")
    post(client, "rate", movie, stars="2.5")
    assert stars(person) == {movie.pk: 2.5}
    # Without scripts the chosen radio button is sent along.
    post(client, "rate", movie, stars="2.5", withdraw="1")
    assert stars(person) == {}


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", ""])
def test_only_a_page_of_ours_is_come_back_to(client, person, movie, address):
    response = post(client, "rate", movie, stars="4.0", next=address)
    assert response.url == movie.get_absolute_url()


def test_htmx_gets_the_changed_part_and_events(client, person, movie):
    response = post(client, "rate", movie, HTMX, stars="3.5")
    html = response.content.decode()
    assert response.status_code == 200
    assert "3½ stars" in html
    assert "<html" not in html
    assert events(response) == {
        "rated": {"movie": movie.pk},
        "toast": {"text": "Heat: 3½ stars.", "level": "success"},
    }


def test_htmx_gets_the_whole_control_back_without_stars(client, person, movie):
    ratings.rate(person, movie, 4)
    response = post(client, "rate", movie, HTMX, stars="4.0", withdraw="1")
    html = response.content.decode()
    assert "Not rated yet" in html
    assert 'type="radio"' in html
    assert "checked" not in html
    assert "rated" in events(response)


def test_rating_a_listed_film_refreshes_its_list_controls(client, person, movie):
    ratings.add_to_watchlist(person, movie)
    assert "hx-swap-oob" in post(client, "rate", movie, HTMX, stars="3.5").content.decode()
    assert "hx-swap-oob" not in post(client, "rate", movie, HTMX, stars="3.5").content.decode()


@pytest.mark.parametrize("given", ["0", "5.5", "3.25", "-1", "nan", "inf", "1e400", "four", ""])
@pytest.mark.parametrize("headers", [None, HTMX])
def test_stars_off_the_scale_are_refused_and_change_nothing(client, person, movie, given, headers):
    ratings.rate(person, movie, 4)
    ratings.dismiss(person, movie)
    response = post(client, "rate", movie, headers, stars=given, next=PAGE)
    assert response.status_code == 422
    assert "in half stars" in response.content.decode()
    assert stars(person) == {movie.pk: 4.0}
    assert User.objects.get(pk=person.pk).dismissed_ids == {movie.pk}
    if headers:
        assert events(response)["toast"]["level"] == "error"


def test_a_refused_form_can_be_put_right_and_comes_back(client, person, movie):
    html = post(client, "rate", movie, stars="9", next=PAGE).content.decode()
    assert f'name="next" value="{PAGE}"' in html


@pytest.mark.parametrize("act", ["rate", "watch", "dismiss"])
def test_visitors_are_sent_to_log_in_and_back(client, movie, act):
    login = reverse("users:login")
    plain = post(client, act, movie, stars="4.0", next=PAGE)
    assert plain.url == f"{login}?next=/films/%3Fgenre%3Ddrama"
    by_htmx = post(client, act, movie, HTMX, stars="4.0")
    assert by_htmx["HX-Redirect"] == plain.url
    assert not Rating.objects.exists()


@pytest.mark.parametrize("act", ["rate", "watch", "dismiss"])
def test_nothing_is_done_by_following_a_link(client, person, movie, act):
    assert client.get(reverse(f"users:{act}", args=[movie.pk])).status_code == 405


@pytest.mark.parametrize("act", ["rate", "watch", "dismiss"])
@pytest.mark.parametrize("pk", [0, 10**30])
def test_a_film_that_is_not_there_is_not_found(client, person, act, pk):
    url = reverse(f"users:{act}", args=[pk])
    assert client.post(url, {"stars": "4.0"}).status_code == 404


@pytest.mark.parametrize("act", ["rate", "watch", "dismiss"])
def test_another_site_cannot_act_for_the_person(person, movie, act):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert post(client, act, movie, stars="4.0").status_code == 403
    assert stars(person) == {}


def test_each_person_changes_their_own_stars_alone(client, person, movie):
    other = RatingFactory(movie=movie, value=2)
    post(client, "rate", movie, stars="4.0", user=other.user.pk)
    post(client, "rate", movie, withdraw="1", user=other.user.pk)
    assert stars(other.user) == {movie.pk: 1.0}
    assert stars(person) == {}


def test_a_rating_costs_few_queries(client, person, movie, django_assert_max_num_queries):
    with django_assert_max_num_queries(17):
        post(client, "rate", movie, HTMX, stars="3.5")


def test_a_film_is_left_out_and_counts_again(client, person, movie):
    ratings.rate(person, movie, 4)
    assert post(client, "leave_out", movie, next=PAGE).url == PAGE
    assert User.objects.get(pk=person.pk).left_out_ids == {movie.pk}
    response = post(client, "leave_out", movie, HTMX, restore="1")
    assert 'aria-checked="true"' in response.content.decode()
    assert set(events(response)) == {"left_out", "toast"}
    assert User.objects.get(pk=person.pk).left_out_ids == set()


@pytest.mark.parametrize("headers", [None, HTMX])
def test_a_film_without_stars_cannot_be_left_out(client, person, movie, headers):
    response = post(client, "leave_out", movie, headers, next=PAGE)
    assert response.status_code == 422
    assert "You have not rated Heat." in response.content.decode()


def test_a_withdrawal_that_is_undone_leaves_the_film_out_again(client, person, movie):
    ratings.rate(person, movie, 4)
    ratings.leave_out(person, movie)
    undo = events(post(client, "rate", movie, HTMX, withdraw="1"))["toast"]["undo"]
    client.post(undo["url"], undo["values"], headers=HTMX)
    assert stars(person) == {movie.pk: 4.0}
    assert User.objects.get(pk=person.pk).left_out_ids == {movie.pk}
