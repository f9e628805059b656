"""Whose a result is: patients merged and taken apart, results moved; both timelines say so, and no identifier leaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.problems import Problem
from app.records.outbox import Outbox, Wanted
from app.records.rows import Identity
from app.records.store import Store
from app.services.errors import Refusal
from app.services.identity import apply_merge
from app.services.reporting import Context
from app.services.requests import PSEUDONYM, Person
from tests.api.cases import NEGATIVE, PERSON, POSITIVE, fields_of, problem
from tests.fixtures_service import Service

OLD, NEW = "T-secret-1", "P-secret-2"
WHO = {"name": "A. Clerk", "role": "patient registry", "reason": "admitted without papers"}
MERGE = {"into": NEW, "given_up": OLD, **WHO}


@pytest.fixture
def reported(service: Service) -> dict[str, dict[str, Any]]:
    """One result of each of two patients."""
    return {OLD: service.report(NEGATIVE, patient=OLD), NEW: service.report(POSITIVE, patient=NEW)}


def _timeline(service: Service, patient: str) -> dict[str, Any]:
    response = service.get(f"/patients/{patient}/her2")
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def _ids(told: dict[str, Any]) -> list[str]:
    return [row["id"] for row in told["results"]]


def _store(service: Service) -> tuple[Store, str]:
    context: Context = service.app.state.context
    return context.store, context.organisation


def _outbox(service: Service) -> list[tuple[str, dict[str, Any]]]:
    store, organisation = _store(service)
    wanted = Wanted("test", ("patient.", "result.moved"))
    with store.transaction(organisation) as tx:
        lines = [each.line for each in Outbox(tx).due(wanted, tx.now)]
    return [(line.topic, json.loads(line.payload or "{}")) for line in lines]


# ---- merge


def test_a_merge_shows_both_patients_results_on_one_timeline_that_says_so(
    service: Service, reported: dict[str, dict[str, Any]]
) -> None:
    old, new = (reported[each]["patient_id"] for each in (OLD, NEW))
    response = service.post("/patients/merge", MERGE)
    assert response.status_code == 201, response.text
    assert response.json() == {"changed": True, "patient_id": old, "into_patient_id": new, "stands_with": new}
    told, asked = _timeline(service, NEW), _timeline(service, OLD)
    assert _ids(told) == [reported[each]["id"] for each in (OLD, NEW)]
    assert [row["patient_id"] for row in told["results"]] == [old, new]
    assert (told["patient_id"], told["asked_patient_id"], told["note"]) == (new, new, None)
    assert (asked["patient_id"], asked["asked_patient_id"], asked["patient_ids"]) == (new, old, [new, old])
    assert asked["note"] == f"Patient {old} was merged into patient {new}, whose timeline this is."
    assert asked["results"] == told["results"]
    assert _timeline(service, old) == asked, "by Herald's id as by pseudonym"
    assert "HER2 status changed from negative to positive" in [change["text"] for change in told["changes"]]
    (link,) = told["links"]
    assert link.pop("at")
    assert link == {
        "kind": "merge",
        "patient_id": old,
        "into_patient_id": new,
        **WHO,
        "text": f"Patient {old} was merged into patient {new}",
    }
    for each in (old, new):
        assert len(service.get("/results", params={"patient_id": each}).json()["items"]) == 2


def test_an_unmerge_gives_each_patient_its_own_results_again(
    service: Service, reported: dict[str, dict[str, Any]]
) -> None:
    before = {each: _timeline(service, each) for each in (OLD, NEW)}
    service.post("/patients/merge", MERGE)
    response = service.post("/patients/unmerge", MERGE)
    old = reported[OLD]["patient_id"]
    assert (response.status_code, response.json()["changed"], response.json()["stands_with"]) == (201, True, old)
    for each in (OLD, NEW):
        now = _timeline(service, each)
        links = now.pop("links")
        assert now == {name: value for name, value in before[each].items() if name != "links"}
        assert [link["kind"] for link in links] == ["merge", "unmerge"]
        assert links[1]["text"].startswith(f"Patient {old} was taken out again of patient")


@pytest.mark.usefixtures("reported")
def test_the_same_again_is_answered_200_and_stores_nothing(service: Service) -> None:
    for path, first in (("/patients/unmerge", 200), ("/patients/merge", 201), ("/patients/unmerge", 201)):
        answers = [service.post(path, MERGE) for _ in range(3)]
        assert [each.status_code for each in answers] == [first, 200, 200]
        assert [each.json()["changed"] for each in answers] == [first == 201, False, False]
    assert len(_timeline(service, OLD)["links"]) == 2


def test_a_patient_without_results_may_be_merged_into_and_not_given_up(service: Service) -> None:
    service.report(POSITIVE, patient=OLD)
    assert service.post("/patients/merge", MERGE).status_code == 201
    later = service.report(POSITIVE, patient=NEW)
    assert later["id"] in _ids(_timeline(service, OLD))
    told = problem(service.post("/patients/merge", {**MERGE, "given_up": "nobody"}), 404, "not_found")
    assert fields_of(told) == ["given_up"]
    assert "nobody" not in json.dumps(told)
    for field in ("into", "given_up"):
        refused = service.post("/patients/unmerge", {**MERGE, field: "nobody"})
        assert fields_of(problem(refused, 404, "not_found")) == [field]


@pytest.mark.usefixtures("reported")
def test_merges_that_contradict_one_another_wait_for_a_person(service: Service) -> None:
    third = service.report(NEGATIVE, patient="P-secret-3")["id"]
    service.post("/patients/merge", MERGE)
    for body in ({"into": OLD, "given_up": NEW}, {"into": "P-secret-3", "given_up": OLD}):
        told = problem(service.post("/patients/merge", {**MERGE, **body}), 409, "conflict")
        assert [each["code"] for each in told["problems"]] == ["PATIENT_DIFFERS"]
        assert "secret" not in json.dumps(told)
    problem(service.post("/patients/unmerge", {**MERGE, "into": OLD, "given_up": NEW}), 409, "conflict")
    assert _ids(_timeline(service, "P-secret-3")) == [third]


def test_patients_are_named_by_system_and_value(service: Service) -> None:
    one = service.report(POSITIVE, patient={"system": "urn:a", "value": "1"})
    two = service.report(POSITIVE, patient={"system": "urn:b", "value": "1"})
    body = {**WHO, "into": {"system": "urn:a", "value": "1"}, "given_up": {"system": "urn:b", "value": "1"}}
    assert service.post("/patients/merge", body).json()["stands_with"] == one["patient_id"]
    assert two["id"] in _ids(service.get("/patients/1/her2", params={"system": "urn:a"}).json())


# ---- move


def test_a_moved_result_stands_with_the_other_patient_and_both_timelines_say_so(
    service: Service, reported: dict[str, dict[str, Any]]
) -> None:
    old, new = (reported[each]["patient_id"] for each in (OLD, NEW))
    stored = reported[OLD]
    path = f"/results/{stored['id']}/moves"
    response = service.post(path, {"to": NEW, **WHO})
    assert response.status_code == 201, response.text
    moved = response.json()
    assert (moved.pop("changed"), moved["patient_id"], moved["version"]) == (True, new, 1)
    assert response.headers["location"] == f"/results/{stored['id']}"
    assert service.get(f"/results/{stored['id']}").json() == moved == {**stored, "patient_id": new}
    left, came = _timeline(service, OLD), _timeline(service, NEW)
    assert (_ids(left), set(_ids(came))) == ([], {each["id"] for each in reported.values()})
    assert [each["text"] for each in left["moves"]] == [f"Result {stored['id']} moved to patient {new}"]
    assert [each["text"] for each in came["moves"]] == [f"Result {stored['id']} came from patient {old}"]
    for told in (left, came):
        assert {name: told["moves"][0][name] for name in WHO} == WHO
        assert "secret" not in json.dumps(told)
    assert [row["id"] for row in service.get("/results", params={"patient_id": old}).json()["items"]] == []
    again = service.post(path, {"to": NEW, **WHO})
    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert service.post(path, {"to": OLD, **WHO}).status_code == 201
    assert _ids(_timeline(service, OLD)) == [stored["id"]]
    assert len(_timeline(service, NEW)["moves"]) == 2


def test_a_result_may_move_to_a_patient_who_has_none(service: Service) -> None:
    stored = service.report(POSITIVE, patient=OLD)
    assert service.post(f"/results/{stored['id']}/moves", {"to": "P-new", **WHO}).status_code == 201
    assert _ids(_timeline(service, "P-new")) == [stored["id"]]


def test_a_move_heeds_the_version_that_was_read(service: Service) -> None:
    stored = service.report(POSITIVE, patient=OLD)
    path = f"/results/{stored['id']}"
    etag = service.get(path).headers["etag"]
    service.post(f"{path}/amendments", {**PERSON, "changes": {"ihc": "1+"}})
    body = {"to": NEW, **WHO}
    told = problem(service.post(f"{path}/moves", body, headers={"If-Match": etag}), 412, "stale")
    assert told["current_version"] == 2
    assert _timeline(service, OLD)["moves"] == []
    response = service.post(f"{path}/moves", body, headers={"If-Match": service.get(path).headers["etag"]})
    assert (response.status_code, response.headers["etag"]) == (201, '"2"')


@pytest.mark.parametrize("result_id", ["none", "0" * 36])
def test_a_result_that_is_not_there_does_not_move(service: Service, result_id: str) -> None:
    problem(service.post(f"/results/{result_id}/moves", {"to": NEW, **WHO}), 404, "not_found")
    problem(service.get(f"/patients/{NEW}/her2"), 404, "not_found")


# ---- what all three share

VERBS = [
    ("/patients/merge", MERGE),
    ("/patients/unmerge", MERGE),
    ("/results/{id}/moves", {"to": "P-3", **WHO}),
]


@pytest.mark.parametrize(("path", "body"), VERBS)
def test_one_key_is_answered_the_same_and_stored_once(
    service: Service, reported: dict[str, dict[str, Any]], path: str, body: dict[str, Any]
) -> None:
    if path == "/patients/unmerge":
        service.post("/patients/merge", MERGE)
    path = path.format(id=reported[OLD]["id"])
    first = service.post(path, body, key="k-1")
    again = service.post(path, dict(reversed(body.items())), key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    problem(service.post(path, {**body, "reason": "another"}, key="k-1"), 409, "key_conflict")
    unchanged = [service.post(path, body, key="k-2") for _ in range(2)]
    assert [each.status_code for each in unchanged] == [200, 200], "a replay has the status it was answered with"


@pytest.mark.parametrize(("path", "body"), VERBS)
def test_every_field_is_needed_and_no_other_is_taken(
    service: Service, reported: dict[str, dict[str, Any]], path: str, body: dict[str, Any]
) -> None:
    path = path.format(id=reported[OLD]["id"])
    assert fields_of(problem(service.post(path, {}), 422, "invalid")) == sorted(body)
    for name in body:
        told = problem(service.post(path, {**body, name: ["secret"]}), 422, "invalid")
        assert fields_of(told) == [name if name in WHO else f"{name}.value"]
        assert "secret" not in json.dumps(told)
    told = problem(service.post(path, {**body, "performed_at": "2026-01-01T00:00:00Z"}), 422, "invalid")
    assert fields_of(told) == ["performed_at"]
    assert _outbox(service) == []


def test_what_goes_out_and_into_the_audit_names_no_identifier(
    service: Service, reported: dict[str, dict[str, Any]]
) -> None:
    old, new = (reported[each]["patient_id"] for each in (OLD, NEW))
    result = reported[OLD]["id"]
    for path, body in VERBS:
        assert service.post(path.format(id=result), body).status_code == 201
    third = _timeline(service, "P-3")["patient_id"]
    assert _outbox(service) == [
        ("patient.merged", {"patient": old, "into": new}),
        ("patient.unmerged", {"patient": old, "into": new}),
        ("result.moved", {"result": result, "from": old, "to": third}),
    ]
    store, organisation = _store(service)
    report = store.verify_audit(organisation)
    assert (report.problems, report.lines) == ((), 7)  # each of two results as a message and as a result


# ---- messages

MESSAGE = {"name": "ADT^HOSPITAL", "role": "sending system", "reason": "message 7"}


def _apply(service: Service, into: list[str], given_up: list[str]) -> bool:
    """The merge of a message, in the transaction that records the message."""
    store, organisation = _store(service)
    stay, gone = ([Identity(PSEUDONYM, value) for value in values] for values in (into, given_up))
    with store.transaction(organisation) as tx:
        tx.append_audit("message.recorded", {})
        return apply_merge(tx, stay, gone, Person(**MESSAGE, performed_at=tx.now))


def test_a_message_may_merge_patients_before_any_result_came(service: Service) -> None:
    assert _apply(service, [NEW], [OLD])
    assert not _apply(service, [NEW], [OLD]), "sent twice"
    ids = [service.report(POSITIVE, patient=each)["id"] for each in (OLD, NEW)]
    told = _timeline(service, OLD)
    assert _ids(told) == ids
    assert {name: told["links"][0][name] for name in MESSAGE} == MESSAGE
    assert [topic for topic, _ in _outbox(service)] == ["patient.merged"]


def test_a_message_that_needs_a_person_is_refused_and_leaves_nothing(service: Service) -> None:
    for each in ("A", "B", "C"):
        service.report(POSITIVE, patient=each)
    assert _apply(service, ["B"], ["A"])
    before = {each: _timeline(service, each) for each in ("A", "B", "C")}
    for into, given_up, field in ((["C", "B"], ["D"], "into"), (["C"], ["A"], "given_up"), (["A"], ["B"], "given_up")):
        with pytest.raises(Refusal) as refused:
            _apply(service, into, given_up)
        (told,) = refused.value.problems
        assert isinstance(told, Problem)
        assert (refused.value.kind, told.code, told.field) == ("conflict", "PATIENT_DIFFERS", field)
    assert {each: _timeline(service, each) for each in before} == before
    problem(service.get("/patients/D/her2"), 404, "not_found")
