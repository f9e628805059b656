"""The tumour board's meetings over HTTP: what is sent, what comes back, and what a sender is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.cases import AWAITS_ISH, PERSON, POSITIVE, fields_of, problem
from tests.fixtures_service import Service

BY = {"name": "A. Chair", "role": "chair"}
NEW = {**BY, "held_on": "2026-12-03", "title": "Breast board"}
FHIR = {"Content-Type": "application/fhir+json"}


def _made(service: Service) -> str:
    response = service.post("/meetings", NEW)
    assert response.status_code == 201, response.text
    assert response.headers["Location"] == f"/meetings/{response.json()['id']}"
    return str(response.json()["id"])


def _wrong(response: Any) -> set[str]:
    """The fields that a refused request is told of."""
    return set(fields_of(problem(response, 422, "invalid")))


def _placed(service: Service, meeting: str, **named: Any) -> Any:
    response = service.post(f"/meetings/{meeting}/cases", {**BY, **named})
    assert response.status_code in (200, 201), response.text
    return response.json()


def test_a_meeting_is_made_filled_ordered_and_decided(service: Service) -> None:
    one, two = service.report(POSITIVE), service.report(AWAITS_ISH)
    meeting = _made(service)
    _placed(service, meeting, result_id=one["id"], question="Now?")
    _placed(service, meeting, open_steps={"who": "laboratory"})
    path = f"/meetings/{meeting}/cases/{two['patient_id']}"
    moved = service.post(f"{path}/moves", {**BY, "direction": "up"})
    assert (moved.status_code, moved.json()["position"]) == (201, 1)
    assert service.post(f"{path}/moves", {**BY, "direction": "up"}).status_code == 200, "the first stays the first"
    body = {**BY, "decision": "ISH first", "result_id": two["id"], "version": 1, "after": 0}
    decided = service.post(f"{path}/outcomes", body)
    assert decided.status_code == 201, decided.text
    assert (decided.json()["number"], decided.json()["status"]) == (1, "equivocal")
    told = service.get(f"/meetings/{meeting}").json()
    assert [each["patient_id"] for each in told["cases"]] == [two["patient_id"], one["patient_id"]]
    first, second = told["cases"]
    assert (first["outcomes"][0]["decision"], first["source"], second["question"]) == (
        "ISH first",
        "open-steps",
        "Now?",
    )
    assert [step["awaited"] for step in first["open_steps"]] == two["classification"]["next_steps"]
    removed = service.post(f"/meetings/{meeting}/cases/{one['patient_id']}/removals", BY)
    assert removed.status_code == 201
    (row,) = service.get("/meetings").json()["items"]
    assert (row["id"], row["cases"], row["decided"]) == (meeting, 1, 1)


def test_placing_again_changes_nothing_and_says_200(service: Service) -> None:
    result, meeting = service.report(POSITIVE), _made(service)
    url, body = f"/meetings/{meeting}/cases", {**BY, "patient": service.report(POSITIVE, patient="P-x")["patient_id"]}
    assert [service.post(url, body).status_code for _ in range(2)] == [201, 200]
    assert service.post(url, {**BY, "patient": {"value": "P-x"}}).status_code == 200
    assert service.post(url, {**BY, "result_id": result["id"]}).status_code == 201


def test_a_key_makes_each_write_once(service: Service) -> None:
    result = service.report(POSITIVE)
    first, again = (service.post("/meetings", NEW, key="make") for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    meeting = first.json()["id"]
    _placed(service, meeting, result_id=result["id"])
    path = f"/meetings/{meeting}/cases/{result['patient_id']}/outcomes"
    body = {**BY, "decision": "as it is", "result_id": result["id"], "version": 1}
    assert service.post(path, body, key="one").json() == service.post(path, body, key="one").json()
    other = service.post(path, {**body, "decision": "otherwise"}, key="one")
    assert problem(other, 409, "key_conflict")
    assert len(service.get(f"/meetings/{meeting}").json()["cases"][0]["outcomes"]) == 1


def test_a_fhir_list_fills_the_list_and_tells_what_it_cannot_find(service: Service) -> None:
    known = service.report(POSITIVE, patient={"system": "urn:hospital", "value": "17"})
    meeting = _made(service)
    entry = [{"item": {"identifier": {"system": "urn:hospital", "value": each}}} for each in ("secret", "17")]
    document = {"resourceType": "List", "status": "current", "mode": "working", "entry": entry}
    url = f"/meetings/{meeting}/cases"
    answer = service.post(url, document, headers=FHIR, params=BY)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert [each["patient_id"] for each in told["placed"]] == [known["patient_id"]]
    assert [(each["field"], each["code"]) for each in told["unknown"]] == [("List.entry[0].item", "UNKNOWN_VALUE")]
    assert "secret" not in answer.text
    assert service.post(url, document, headers=FHIR, params=BY).status_code == 200
    assert _wrong(service.post(url, document, headers=FHIR)) == {"name"}
    named = {**document, "source": {"display": "Ward office"}}
    assert service.post(url, named, headers=FHIR).status_code == 200
    assert _wrong(service.post(url, {**BY, "patient": "x"}, params=BY)) == {"name", "role"}


def test_an_outcome_on_an_older_version_is_412_and_names_the_present_one(service: Service) -> None:
    result, meeting = service.report(AWAITS_ISH), _made(service)
    _placed(service, meeting, result_id=result["id"])
    service.post(f"/results/{result['id']}/amendments", {**PERSON, "changes": {"ihc": "3+"}})
    path = f"/meetings/{meeting}/cases/{result['patient_id']}/outcomes"
    body = {**BY, "decision": "wait", "result_id": result["id"], "version": 1}
    told = problem(service.post(path, body), 412, "stale")
    assert told["current_version"] == 2
    assert "Changed: ihc" in told["detail"]
    assert service.post(path, {**body, "version": 2}).status_code == 201


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name", "role"}),
        ({**BY}, {"patient"}),
        ({**BY, "patient": "x", "accession": "y"}, {"patient"}),
        ({**BY, "patient": "x", "dose": 1}, {"dose"}),
        ({**BY, "open_steps": {"who": "nobody"}}, {"open_steps.who"}),
        ({**BY, "open_steps": {"awaited": "x", "late": True}}, {"open_steps.awaited", "open_steps.late"}),
        ({**BY, "open_steps": {}, "question": "why?"}, {"question"}),
        ({**BY, "result_id": 7}, {"result_id"}),
    ],
)
def test_what_cannot_be_read_is_told_by_field(service: Service, body: dict[str, Any], fields: set[str]) -> None:
    assert _wrong(service.post(f"/meetings/{_made(service)}/cases", body)) == fields


def test_an_unknown_meeting_case_or_parameter_is_told(service: Service) -> None:
    meeting, result = _made(service), service.report(POSITIVE)
    patient = result["patient_id"]
    assert service.get("/meetings/none").status_code == 404
    assert service.get(f"/meetings/{result['id']}").status_code == 404
    for verb, body in (("moves", {**BY, "direction": "up"}), ("removals", BY), ("outcomes", {**BY, "decision": "x"})):
        assert service.post(f"/meetings/{meeting}/cases/{patient}/{verb}", body).status_code == 404
        assert service.post(f"/meetings/none/cases/{patient}/{verb}", body).status_code == 404
    assert service.get("/meetings", params={"held_from": "soon"}).status_code == 422
    assert service.get("/meetings", params={"after": "x"}).status_code == 422
    assert service.get("/meetings", params={"cursor": "x"}).status_code == 422


def test_meetings_of_another_organisation_are_not_there(start: Any, shared_url: str) -> None:
    north, south = start(shared_url, organisation="north"), start(shared_url, organisation="south")
    meeting = _made(north)
    assert south.get("/meetings").json()["items"] == []
    assert south.get(f"/meetings/{meeting}").status_code == 404
