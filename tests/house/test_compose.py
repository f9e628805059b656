"""The compose file: the database, then the migrations as the owner, then the API as a role that owns nothing."""

from __future__ import annotations

import re
from typing import Any

import yaml

from app.settings import Settings
from tests.house.house import ROOT

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# Read by the compose file and the database's own script, not by Herald.
PASSWORDS = {"HERALD_OWNER_PASSWORD", "HERALD_APPLICATION_PASSWORD"}


def test_migrations_come_first() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert SERVICES["api"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["api"]["environment"]["HERALD_MIGRATE_ON_START"] == "false"


def test_the_api_is_not_the_owner_of_the_tables() -> None:
    owner, role = (SERVICES[name]["environment"]["HERALD_DATABASE_URL"] for name in ("migrate", "api"))
    assert owner.startswith("postgresql://herald_owner:")
    assert role.startswith("postgresql://herald:")


def test_what_stays_up_is_watched() -> None:
    assert all("healthcheck" in SERVICES[name] for name in ("database", "api"))


def test_images_are_pinned_by_version() -> None:
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert all(re.search(r":\d+\.\d+", image) for image in images), images


def test_the_image_runs_the_herald_command() -> None:
    assert 'ENTRYPOINT ["herald"]' in DOCKERFILE
    assert SERVICES["api"]["command"][0] == "serve"
    assert "herald migrate" in str(SERVICES["migrate"]["command"])


def test_every_variable_that_is_named_is_a_setting() -> None:
    settings = {f"HERALD_{name.upper()}" for name in Settings.model_fields}
    pages = [ROOT / "docker-compose.yml", ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        named = set(re.findall(r"\bHERALD_[A-Z_]+\b", page.read_text()))
        assert named <= settings | PASSWORDS, page.name
