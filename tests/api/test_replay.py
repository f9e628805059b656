"""Replay proves a stored answer; re-evaluation puts another edition's answer beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.services import finding
from tests.api.cases import AWAITS_ISH, GROUP_1, GROUP_4, PERSON, POSITIVE, fields_of, problem, versions_missing
from tests.fixtures_service import Service

EDITIONS = ("asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007")
CASES: list[dict[str, Any]] = [
    {},
    AWAITS_ISH,
    GROUP_1,
    POSITIVE,
    {"ihc": "2+", "ratio": ">1.8", "copies": "5.0"},
    {**GROUP_4, "context": {"er": "positive", "setting": "metastatic"}, "policy": {"low_in_groups_2_to_4": "exclude"}},
    *({**GROUP_4, "edition": edition} for edition in EDITIONS),
]


def _replay(service: Service, result_id: str, **query: Any) -> dict[str, Any]:
    response = service.post(f"/results/{result_id}/replay", params=query)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def test_every_stored_answer_replays_equal(service: Service) -> None:
    for case in CASES:
        told = _replay(service, service.report(case)["id"])
        assert (told["equal"], told["differences"], told["input_digest_holds"]) == (True, [], True), case
        assert told["stored_digest"] == told["replayed_digest"]
        assert told["versions_then"] == told["versions_now"]
        assert set(told["versions_now"]) == {"edition", "evidence", "engine"}


def test_each_version_replays_by_its_number(service: Service) -> None:
    stored = service.report(AWAITS_ISH)
    service.post(f"/results/{stored['id']}/amendments", {**PERSON, "changes": {"ihc": "3+"}})
    told = {number: _replay(service, stored["id"], version=number) for number in (1, 2)}
    assert [told[number]["version"] for number in (1, 2)] == [1, 2]
    assert told[1]["stored_digest"] != told[2]["stored_digest"]
    assert all(each["equal"] for each in told.values())
    assert _replay(service, stored["id"]) == told[2]
    problem(service.post(f"/results/{stored['id']}/replay?version=3"), 404, "not_found")


def test_replay_stores_nothing(service: Service) -> None:
    stored = service.report(AWAITS_ISH)
    history = service.get(f"/results/{stored['id']}/history").json()
    _replay(service, stored["id"])
    assert service.get(f"/results/{stored['id']}/history").json() == history


class _Found:
    """What was found, with an answer made to differ."""

    def __init__(self, found: Any, **changes: Any) -> None:
        self.classification = found.classification
        self.answer = {**json.loads(json.dumps(found.answer)), **changes}


def _another_engine(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(finding, "ENGINE_VERSION", "9.9.9")


def _another_pack(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(finding, "EVIDENCE_IDENTITY", {**finding.EVIDENCE_IDENTITY, "digest": "0" * 64})


def _another_edition(patch: pytest.MonkeyPatch) -> None:
    real = finding.assess

    def assess(document: Any) -> Any:
        found = real(document)
        return _Found(found, edition={**found.answer["edition"], "digest": "0" * 64})

    patch.setattr(finding, "assess", assess)


@pytest.mark.parametrize(
    ("change", "what"), [(_another_engine, "engine"), (_another_pack, "evidence"), (_another_edition, "edition")]
)
def test_nothing_is_claimed_where_the_versions_of_then_are_not_at_work(
    service: Service, monkeypatch: pytest.MonkeyPatch, change: Any, what: str
) -> None:
    stored = service.report(GROUP_1)
    change(monkeypatch)
    told = _replay(service, stored["id"])
    assert told["equal"] is None
    assert told["versions_then"][what] != told["versions_now"][what]
    assert service.get(f"/results/{stored['id']}").json()["classification"] == stored["classification"]
    monkeypatch.undo()
    assert _replay(service, stored["id"])["equal"] is True


def test_an_answer_that_would_differ_under_the_same_versions_is_not_called_equal(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = service.report(GROUP_1)
    real = finding.assess

    monkeypatch.setattr(finding, "assess", lambda document: _Found(real(document), status="negative"))
    told = _replay(service, stored["id"])
    assert told["equal"] is False
    assert [each["field"] for each in told["differences"]] == ["status"]
    assert (told["differences"][0]["before"], told["differences"][0]["after"]) == ("positive", "negative")


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_re_evaluation_stands_beside_the_current_answer_which_stays(service: Service, edition: str) -> None:
    case = {"ihc": "2+", "ish": {"ratio": "1.5", "her2_copies": "5.0", "cells": 40}}
    stored = service.report(case)
    response = service.post(f"/results/{stored['id']}/re-evaluations", {"edition": edition})
    assert response.status_code == 201
    told = response.json()
    assert told["classification"] == service.post("/her2/classify", {**case, "edition": edition}).json()
    assert versions_missing(told["classification"]) == []
    assert (told["current_edition"], told["current_status"]) == ("asco-cap-2018", "pending")
    assert told["changed"] == (told["classification"]["status"] != "pending")
    assert service.get(f"/results/{stored['id']}").json() == stored
    (version,) = service.get(f"/results/{stored['id']}/history").json()["versions"]
    assert [each["classification"] for each in version["re_evaluations"]] == [told["classification"]]


def test_a_re_evaluation_may_name_a_policy(service: Service) -> None:
    stored = service.report({"ihc": "3+", "ish": {"ratio": "1.2", "her2_copies": "2.4", "cells": 40}})
    body = {"edition": "asco-cap-2018", "policy": {"group5_ihc_3plus": "hold"}}
    told = service.post(f"/results/{stored['id']}/re-evaluations", body).json()
    assert told["classification"]["policy"]["group5_ihc_3plus"] == "hold"
    assert (told["current_status"], told["classification"]["status"], told["changed"]) == ("positive", "pending", True)


@pytest.mark.parametrize("edition", ["asco-cap-2019", "", 2018, ["asco-cap-2018"], {}, True, "ASCO-CAP-2018", None])
def test_an_unknown_edition_is_not_run(service: Service, edition: Any) -> None:
    stored = service.report(POSITIVE)
    response = service.post(f"/results/{stored['id']}/re-evaluations", {"edition": edition})
    assert fields_of(problem(response, 422, "invalid")) == ["edition"]
    (version,) = service.get(f"/results/{stored['id']}/history").json()["versions"]
    assert version["re_evaluations"] == []
