"""A hospital's own source beside the review: shown apart, by its source, and never mixed into the review's answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.services.packs import PackProblems, begin_pack
from app.services.process import open_context
from tests.fixtures_service import Start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    begin_pack(tmp_path / "own", "north-hospital", "North Hospital's guide")
    return tmp_path / "own"


def test_it_is_weighed_apart_and_by_its_source(start: Start, shared_urls: Callable[[str], str], folder: Path) -> None:
    url = shared_urls("sqlite")
    with_own, without = start(url, evidence_packs=str(folder)), start(url, "south")
    body = {"her2": {"status": "pending", "final": False}, "context": {"er": "positive"}}
    told = with_own.post("/considerations", body).json()
    alone = without.post("/considerations", body).json()
    (own,) = told.pop("beside")
    assert alone.pop("beside") == []
    assert told == alone
    assert (own["source"], own["evidence"]["id"]) == ("North Hospital's guide", "north-hospital")
    assert [each["id"] for each in own["considerations"]] == ["example-replace-me"]
    final = with_own.post("/considerations", {"case": {"ihc": "3+"}}).json()["beside"][0]
    assert final["says_nothing"] == "North Hospital's guide offers nothing for this."
    listed = with_own.get("/evidence/packs").json()
    assert [each["id"] for each in listed] == ["alataki-dowsett-2022", "north-hospital"]


def test_a_pack_that_does_not_hold_stops_the_start(folder: Path) -> None:
    statements = folder / "statements/1-example.toml"
    statements.write_text(statements.read_text().replace("design", "desing"))
    with pytest.raises(PackProblems) as refused:
        open_context("sqlite:///never-opened.sqlite3", "default", evidence_packs=str(folder))
    assert any("desing" in each for each in refused.value.problems)
    assert not Path("never-opened.sqlite3").exists()


def test_it_cannot_take_the_reviews_place(folder: Path) -> None:
    pack = folder / "pack.toml"
    pack.write_text(pack.read_text().replace("north-hospital", "alataki-dowsett-2022"))
    with pytest.raises(PackProblems, match="ships with Herald"):
        open_context("sqlite:///never-opened.sqlite3", "default", evidence_packs=str(folder))
