"""The compose file, as far as it can be judged without a container engine."""

import re

import pytest
import yaml

from recommender.config.stack import BASE_DIR

DOCKER = BASE_DIR / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "beat")


def test_the_site_runs_as_web_worker_and_beat_after_a_migration():
    assert set(SERVICES) == {"postgres", "valkey", *OURS}
    assert {SERVICES[name]["image"] for name in OURS} == {"marquee"}
    for name in ("web", "worker", "beat"):
        condition = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_the_migration_waits_for_healthy_servers(name: str):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES["migrate"]["depends_on"][name]["condition"] == "service_healthy"


def test_every_volume_that_is_mounted_is_a_named_one():
    mounted = {
        volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", [])
    }
    assert mounted == set(COMPOSE["volumes"])


def test_no_secret_has_a_default_and_every_variable_is_in_the_example():
    text = (DOCKER / "compose.yaml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
        assert uses
        assert all(use.startswith(":?") for use in uses)
    example = (DOCKER / ".env.example").read_text()
    for name in set(re.findall(r"\$\{(\w+)", text)):
        assert re.search(rf"^(# )?{name}=", example, re.MULTILINE), name


def test_the_image_holds_only_what_the_dockerfile_copies_and_what_is_there():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DOCKER / "Dockerfile").read_text(), re.M)
    sources = [source for line in copied for source in line.split()]
    allowed = (BASE_DIR / ".dockerignore").read_text()
    for source in sources:
        assert (BASE_DIR / source).exists(), source
        assert f"!{source.split('/')[0]}\n" in allowed, source
