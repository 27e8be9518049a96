import pytest
from django.contrib.auth import get_user
from django.core.cache import cache
from django.urls import reverse
from rest_framework.authtoken.models import Token

from tests.factories import MovieFactory, UserFactory
from users import forms, throttle
from users.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "a long passphrase"
ELSEWHERE = ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]


@pytest.fixture(autouse=True)
def no_tries_counted():
    cache.clear()


@pytest.fixture
def anna(client):
    person = UserFactory(username="anna", email="anna@example.org")
    client.force_login(person)
    return person


def sign_up(client, **changes):
    form = {"username": "anna", "password1": PASSWORD, "password2": PASSWORD, **changes}
    return client.post(reverse("users:signup"), form)


def log_in(client, username="anna", password=PASSWORD, **more):
    form = {"username": username, "password": password, **more}
    return client.post(reverse("users:login"), form)


def is_logged_in(client):
    return get_user(client).is_authenticated


# Signing up


def test_a_name_and_a_password_make_an_account_that_is_logged_in_at_once(client):
    response = sign_up(client)
    assert response.status_code == 302
    assert response.url == reverse("recommender:welcome")
    assert get_user(client).username == "anna"
    assert not get_user(client).is_staff


def test_signing_up_goes_on_to_the_page_that_asked_for_it(client):
    page = MovieFactory().get_absolute_url()
    assert f'value="{page}"' in client.get(f"/signup/?next={page}").content.decode()
    welcome = sign_up(client, next=page).url
    assert f'href="{page}">Skip</a>' in client.get(welcome).content.decode()


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_link_leads_to_another_site_by_way_of_us(client, address):
    assert sign_up(client, next=address).url == reverse("recommender:welcome")
    client.logout()
    assert log_in(client, next=address).url == reverse("home")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"username": "ANNA"}, "already"),
        ({"username": "an na"}, "valid username"),
        ({"username": ""}, "required"),
        ({"username": "a" * 151}, "at most 150"),
        ({"password2": "another passphrase"}, "match"),
        ({"password1": "12345678", "password2": "12345678"}, "numeric"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"email": "no address"}, "valid email"),
    ],
)
def test_a_form_that_cannot_be_says_why_and_makes_nobody(client, changes, said):
    UserFactory(username="anna")
    response = sign_up(client, **{"username": "berta", **changes})
    assert response.status_code == 200
    assert said in response.content.decode()
    assert User.objects.count() == 1


def test_two_who_take_a_name_at_the_same_moment_do_not_both_get_it(client, monkeypatch):
    UserFactory(username="anna")
    monkeypatch.setattr(
        forms.SignUpForm, "clean_username", lambda form: form.cleaned_data["username"]
    )
    monkeypatch.setattr(forms.SignUpForm, "validate_unique", lambda form: None)
    response = sign_up(client)
    assert "already" in response.content.decode()
    assert not is_logged_in(client)


def test_those_who_are_logged_in_are_not_asked_again(client, anna):
    assert client.get(reverse("users:signup")).url == reverse("home")
    assert client.get(reverse("users:login")).url == reverse("home")


# Logging in and out


def test_the_right_password_logs_in_and_goes_on(client):
    UserFactory(username="anna", password=PASSWORD)
    page = MovieFactory().get_absolute_url()
    assert log_in(client, next=page).url == page
    assert is_logged_in(client)


def test_the_wrong_password_says_so_without_telling_whether_the_name_exists(client):
    UserFactory(username="anna")
    known = log_in(client, "anna", "wrong").context["form"].non_field_errors()
    unknown = log_in(client, "nobody", "wrong").context["form"].non_field_errors()
    assert (
        known
        == unknown
        == ["That name and password do not go together. Mind upper and lower case."]
    )


def test_imported_people_and_closed_accounts_cannot_log_in(client):
    UserFactory(username="from-movielens", source="movielens", source_id=1, password=None)
    UserFactory(username="closed", is_active=False)
    for name in ("from-movielens", "closed"):
        log_in(client, name)
        assert not is_logged_in(client)


def test_logging_out_takes_a_post(client, anna):
    assert client.get(reverse("users:logout")).status_code == 405
    assert is_logged_in(client)
    assert client.post(reverse("users:logout")).url == reverse("home")
    assert not is_logged_in(client)


# Guessing


def test_who_guesses_must_wait_even_with_the_right_password(client):
    UserFactory(username="anna")
    for _ in range(throttle.TRIES_A_NAME):
        assert log_in(client, password="wrong").status_code == 200
    response = log_in(client)
    assert response.status_code == 429
    assert "Wait 15 minutes" in response.content.decode()
    assert not is_logged_in(client)


def test_others_are_not_kept_out_by_one_who_guesses(client):
    UserFactory(username="anna")
    UserFactory(username="berta")
    for _ in range(throttle.TRIES_A_NAME + 1):
        log_in(client, password="wrong", username="ANNA")
    response = client.post(
        reverse("users:login"),
        {"username": "anna", "password": PASSWORD},
        REMOTE_ADDR="192.0.2.7",
    )
    assert response.status_code == 302
    client.logout()
    assert log_in(client, "berta").status_code == 302


def test_one_address_cannot_go_through_many_names(client):
    UserFactory(username="anna")
    for n in range(throttle.TRIES_AN_ADDRESS):
        log_in(client, f"name{n}", "wrong")
    assert log_in(client).status_code == 429


def test_the_right_password_clears_what_was_mistyped(client):
    UserFactory(username="anna")
    for _ in range(3):
        for _ in range(throttle.TRIES_A_NAME - 1):
            log_in(client, password="wrong")
        assert log_in(client).status_code == 302
        client.logout()


def test_a_forged_forwarding_header_does_not_make_a_new_address(client):
    UserFactory(username="anna")
    for n in range(throttle.TRIES_A_NAME):
        client.post(
            reverse("users:login"),
            {"username": "anna", "password": "wrong"},
            headers={"X-Forwarded-For": f"192.0.2.{n}"},
        )
    assert log_in(client).status_code == 429


def test_guessing_at_the_admins_door_counts_too(client):
    UserFactory(username="boss", is_staff=True)
    form = {"username": "boss", "password": "wrong"}
    for _ in range(throttle.TRIES_A_NAME):
        client.post(reverse("admin:login"), form)
    response = client.post(reverse("admin:login"), {**form, "password": PASSWORD})
    assert "Wait 15 minutes" in response.content.decode()
    assert not is_logged_in(client)


def test_staff_log_in_at_the_admins_door(client):
    UserFactory(username="boss", is_staff=True)
    form = {"username": "boss", "password": PASSWORD, "next": "/admin/"}
    assert client.post(reverse("admin:login"), form).url == "/admin/"


def test_people_can_log_in_while_the_cache_is_down(client, settings):
    UserFactory(username="anna")
    location = "unix:///nowhere/valkey.sock"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": location}}
    log_in(client, password="wrong")
    assert log_in(client).status_code == 302
    assert is_logged_in(client)


# The account


@pytest.mark.parametrize("name", ["account", "password", "ratings", "watchlist", "dismissed"])
def test_visitors_are_sent_to_log_in_and_back(client, name):
    page = reverse(f"users:{name}")
    assert client.get(page).url == f"{reverse('users:login')}?next={page}"


def test_name_and_email_can_be_changed(client, anna):
    form = {"username": "Anna", "email": ""}
    assert client.post(reverse("users:account"), form).status_code == 302
    anna.refresh_from_db()
    assert (anna.username, anna.email) == ("Anna", "")


def test_nobody_takes_anothers_name(client, anna):
    UserFactory(username="berta")
    response = client.post(reverse("users:account"), {"username": "BERTA", "email": ""})
    page = response.content.decode()
    assert "Somebody has that name already." in page
    assert '<h1 class="title">anna</h1>' in page
    anna.refresh_from_db()
    assert anna.username == "anna"


def test_nobody_makes_themselves_staff(client, anna):
    form = {"username": "anna", "email": "", "is_staff": "on", "is_superuser": "on"}
    client.post(reverse("users:account"), form)
    sign_up(client, username="berta", is_staff="on")
    assert not User.objects.filter(is_staff=True).exists()


def test_a_password_is_changed_by_who_knows_the_old_one(client, anna):
    new = "another passphrase"
    form = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert client.post(reverse("users:password"), form).status_code == 200
    form["old_password"] = PASSWORD
    assert client.post(reverse("users:password"), form).url == reverse("users:account")
    assert is_logged_in(client)
    client.logout()
    log_in(client, password=new)
    assert is_logged_in(client)


# The API token


def test_a_token_is_shown_once_and_works(client, anna):
    client.post(reverse("users:token"))
    key = Token.objects.get(user=anna).key
    assert key in client.get(reverse("users:account")).content.decode()
    assert key not in client.get(reverse("users:account")).content.decode()
    client.logout()
    headers = {"Authorization": f"Token {key}"}
    assert client.get("/api/v1/ratings/", headers=headers).status_code == 200


def test_a_new_token_takes_the_olds_place(client, anna):
    client.post(reverse("users:token"))
    old = Token.objects.get(user=anna).key
    client.post(reverse("users:token"))
    assert Token.objects.get(user=anna).key != old


def test_a_revoked_token_is_gone_and_others_tokens_stay(client, anna):
    others = Token.objects.create(user=UserFactory())
    client.post(reverse("users:token"))
    client.post(reverse("users:token"), {"revoke": "1"})
    assert list(Token.objects.all()) == [others]


def test_no_get_makes_a_token(client, anna):
    assert client.get(reverse("users:token")).status_code == 405
    assert not Token.objects.exists()
