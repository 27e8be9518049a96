from uuid import uuid4

import pytest
from django.test import override_settings
from redis import Redis
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from tests.factories import MovieFactory, UserFactory
from tests.recommender.api.conftest import client_of, problem
from users.models import Rating

pytestmark = pytest.mark.django_db

PASSPHRASE = "a long passphrase"
TOKEN = "/api/v1/token/"
OWN = [
    "/api/v1/ratings/",
    "/api/v1/watchlist/",
    "/api/v1/dismissals/",
    "/api/v1/not-seen/",
    "/api/v1/seen/",
    "/api/v1/left-out/",
]


def ask_token(client, username, password):
    return client.post(TOKEN, {"username": username, "password": password}, format="json")


def test_a_token_is_given_for_name_and_password_and_signs_in(user, anonymous):
    token = ask_token(anonymous, user.username, PASSPHRASE).json()["token"]
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert program.get(OWN[0]).status_code == 200
    assert ask_token(anonymous, user.username, PASSPHRASE).json()["token"] == token


def test_a_token_that_was_taken_back_signs_nobody_in(user, client):
    assert client.delete(TOKEN).status_code == 204
    response = client.get(OWN[0])
    assert response.status_code == 401
    assert not Token.objects.filter(user=user).exists()


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"password": "!"}, {"username": "another"}]
)
def test_no_token_for_those_who_cannot_sign_in(anonymous, change):
    user = UserFactory()
    name = user.username
    for field, value in change.items():
        setattr(user, field, value)
    user.save()
    response = ask_token(anonymous, name, PASSPHRASE)
    assert response.status_code == 400
    assert problem(response) == {"non_field_errors": "authorization"}
    assert not Token.objects.exists()


def test_a_token_needs_both_name_and_password(anonymous):
    response = anonymous.post(TOKEN, {}, format="json")
    assert problem(response) == {"username": "required", "password": "required"}
    response = ask_token(anonymous, "\x00", "\x00")
    assert response.status_code == 400
    assert set(problem(response)) == {"username", "password"}


@pytest.mark.parametrize("address", OWN)
def test_what_is_personal_needs_signing_in(anonymous, address):
    response = anonymous.get(address)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert problem(response) == {None: "not_authenticated"}
    movie = MovieFactory()
    for method in ("put", "delete"):
        response = getattr(anonymous, method)(f"{address}{movie.pk}/", {"stars": 3}, format="json")
        assert response.status_code == 401
    assert not Rating.objects.exists()


def test_an_unknown_token_is_refused_everywhere(anonymous):
    anonymous.credentials(HTTP_AUTHORIZATION="Token 0123")
    assert anonymous.get("/api/v1/movies/").status_code == 401


def test_a_browser_that_is_signed_in_may_write_with_its_csrf_token_only(user):
    movie = MovieFactory()
    browser = APIClient(enforce_csrf_checks=True)
    assert browser.login(username=user.username, password=PASSPHRASE)
    address = f"/api/v1/ratings/{movie.pk}/"
    assert browser.get("/api/v1/ratings/").status_code == 200
    refused = browser.put(address, {"stars": 3}, format="json")
    assert refused.status_code == 403
    assert not Rating.objects.exists()
    secret = "a" * 32
    browser.cookies["csrftoken"] = secret
    accepted = browser.put(address, {"stars": 3}, format="json", HTTP_X_CSRFTOKEN=secret)
    assert accepted.status_code == 201


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_a_method_that_is_not_there_is_a_problem_answer(client, method):
    response = getattr(client, method)("/api/v1/movies/")
    assert response.status_code == 405
    problem(response)


def test_an_address_that_is_not_there_is_a_problem_answer(anonymous):
    response = anonymous.get("/api/v1/nothing/")
    assert response.status_code == 404
    assert problem(response) == {None: "not_found"}


@pytest.fixture
def counted(unlimited, settings):
    """Low rates, counted under names of the test's own: other tests share the cache."""
    unlimited.update(anon="3/min", user="5/min", token="2/min")
    own = settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}
    with override_settings(CACHES={"default": own}):
        yield


def test_visitors_and_people_are_throttled_each_on_their_own(counted, anonymous, client):
    statuses = [anonymous.get("/api/v1/movies/").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    response = anonymous.get("/api/v1/movies/")
    assert problem(response) == {None: "throttled"}
    assert 0 < int(response["Retry-After"]) <= 60
    statuses = [client.get("/api/v1/movies/").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert client_of(UserFactory()).get("/api/v1/movies/").status_code == 200


def test_passwords_cannot_be_tried_at_speed(counted, user, anonymous):
    statuses = [ask_token(anonymous, user.username, "a guess").status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_a_made_up_forwarding_header_does_not_help(counted, anonymous):
    statuses = [
        anonymous.get("/api/v1/movies/", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}").status_code
        for n in range(4)
    ]
    assert statuses[-1] == 429


def test_requests_pass_while_the_cache_is_away(counted, anonymous, settings, caplog):
    away = settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    with override_settings(CACHES={"default": away}):
        statuses = [anonymous.get("/api/v1/movies/").status_code for _ in range(5)]
    assert statuses == [200] * 5
    assert "not counted" in caplog.text


def test_requests_are_counted_in_the_shared_cache(counted, anonymous, settings):
    anonymous.get("/api/v1/movies/")
    prefix = settings.CACHES["default"]["KEY_PREFIX"]
    assert list(Redis.from_url(settings.REDIS_URL).scan_iter(f"{prefix}:*throttle_anon*"))
