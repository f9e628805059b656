"""herald webhooks as its users type it: subscribe, list, log, replay, exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from tests.fixtures_webhooks import KEY

WHO = ("--name", "Ada", "--role", "engineer", "--reason", "agreed")


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_template: Path) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "cli.sqlite3")
    monkeypatch.setenv("HERALD_DATABASE_URL", f"sqlite:///{tmp_path}/cli.sqlite3")
    monkeypatch.setenv("HERALD_WEBHOOK_KEY", KEY)
    monkeypatch.setenv("HERALD_WEBHOOK_TARGETS", "https://hooks.test")
    monkeypatch.setenv("NO_COLOR", "1")


def herald(*words: str) -> Result:
    return CliRunner().invoke(app, ["webhooks", *words])


def test_a_subscription_is_made_listed_and_looked_into() -> None:
    made = herald("add", "https://hooks.test/x", "--topic", "result.final", *WHO)
    assert made.exit_code == 0, made.output
    told = dict(map(str.strip, line.split(None, 1)) for line in made.stdout.splitlines() if line.strip())
    assert told["secret"].startswith("whsec_")
    assert told["events"].split() == ["result.final", "result.amended"]
    listed = herald("list")
    assert told["id"] in listed.stdout and told["secret"] not in listed.stdout
    assert herald("log", told["id"]).exit_code == 0
    done = herald("replay", told["id"], *WHO)
    assert (done.exit_code, done.stdout.strip()) == (0, "0 sent again")


def test_what_is_refused_is_told_with_its_field_and_remedy() -> None:
    told = herald("add", "https://evil.test/x", "--topic", "result.final", *WHO)
    assert told.exit_code == 2
    assert "url" in told.stderr and "HERALD_WEBHOOK_TARGETS" in told.stderr
    assert herald("log", "nobody").exit_code == 1
    assert herald("log", "nobody", "--state", "lost").exit_code == 2


@pytest.mark.parametrize(("name", "value"), [("KEY", "short"), ("TARGETS", "http://hooks.test")])
def test_a_setting_that_cannot_be_used_stops_the_command_and_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"HERALD_WEBHOOK_{name}", value)
    told = herald("list")
    assert told.exit_code == 2
    assert f"HERALD_WEBHOOK_{name}" in told.stderr
    assert name != "KEY" or value not in told.stderr.replace("shorter", "")
