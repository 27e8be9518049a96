import pytest
from django.core.management import call_command
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_drawn_without_a_warning(tmp_path):
    file = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", file)
    assert "/api/v1/recommendations/" in file.read_text()


def test_every_operation_says_what_it_does(client):
    schema = client.get(reverse("api:schema"), HTTP_ACCEPT="application/json").json()
    operations = [
        operation for methods in schema["paths"].values() for operation in methods.values()
    ]
    assert len(operations) > 20
    assert all(operation["summary"] for operation in operations)
