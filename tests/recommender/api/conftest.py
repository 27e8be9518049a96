import pytest
from django.contrib.auth.models import Permission
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from tests.factories import UserFactory
from users.models import User


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    """Nothing is counted, but where a test sets rates of its own."""
    rates = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES)
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
    return rates


def client_of(user: User | None) -> APIClient:
    """A program's client, signed in by token unless it is nobody's."""
    client = APIClient(raise_request_exception=False)
    if user:
        token, _ = Token.objects.get_or_create(user=user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


@pytest.fixture
def user(db) -> User:
    return UserFactory()


@pytest.fixture
def client(user) -> APIClient:
    return client_of(user)


@pytest.fixture
def anonymous(db) -> APIClient:
    return client_of(None)


@pytest.fixture
def trainer(db) -> User:
    trainer = UserFactory(is_staff=True)
    trainer.user_permissions.add(Permission.objects.get(codename="run_training"))
    return trainer


def problem(response) -> dict[str | None, str]:
    """The codes of a problem answer by field, once its shape is checked."""
    body = response.json()
    assert set(body) == {"type", "errors"}
    assert all(set(error) == {"code", "detail", "attr"} for error in body["errors"])
    assert all(error["detail"] for error in body["errors"])
    return {error["attr"]: error["code"] for error in body["errors"]}
