"""FHIR, HL7 v2, files and messages: what goes out and how answers are read, against a stand-in for the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from herald_client import AsyncHerald, Conflict, Herald, HeraldError, Refused

Answer = Callable[[httpx.Request], httpx.Response]
OBSERVATION = {"resourceType": "Observation", "status": "final", "valueQuantity": {"value": Decimal("1.80")}}
DONE = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
PERSON: Any = {"name": "Dr A", "role": "engineer", "reason": "code mapped"}


def _herald(answer: Answer, **settings: Any) -> Herald:
    return Herald("http://herald.test/her2", transport=httpx.MockTransport(answer), **settings)


@pytest.mark.parametrize(
    ("kind", "path"),
    [("Observation", "/fhir/Observation"), ("DiagnosticReport", "/fhir/DiagnosticReport"), ("Bundle", "/fhir")],
)
def test_a_resource_goes_to_its_door_with_its_digits(kind: str, path: str) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, json=DONE, headers={"Location": "/fhir/Observation/r-1/_history/1"})

    told = _herald(answer, sender="North LIS").send_fhir({**OBSERVATION, "resourceType": kind})
    assert sent[0].url.path == f"/her2{path}"
    assert b'"value":1.80}' in sent[0].content
    assert sent[0].headers["Content-Type"] == "application/fhir+json"
    assert sent[0].headers["Herald-Sender"] == "North LIS"
    assert "Idempotency-Key" not in sent[0].headers, (
        "the same bytes are the same message, so no key may tell them apart"
    )
    assert (told.status, told.location, told.waits) == (201, "/fhir/Observation/r-1/_history/1", False)


def test_bytes_go_out_as_they_are_and_a_dry_run_says_so() -> None:
    raw = b'{ "resourceType" : "Observation",\n "valueQuantity": {"value": 1.80} }'

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.content == raw
        assert request.url.params["dry_run"] == "true"
        assert request.headers["Idempotency-Key"] == "m-1"
        return httpx.Response(200, json=DONE)

    assert _herald(answer).send_fhir(raw, key="m-1", dry_run=True).resource == DONE


@pytest.mark.parametrize("raw", [b"{", b"[1]", b'"Bundle"', b"\xff"])
def test_bytes_that_are_no_resource_go_to_the_door_that_keeps_them(raw: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.url.path, request.content) == ("/her2/fhir", raw)
        return httpx.Response(400, json={"resourceType": "OperationOutcome", "issue": []})

    with pytest.raises(Refused):
        _herald(answer).send_fhir(raw)


def test_what_waits_for_a_person_is_no_error_and_says_so() -> None:
    assert _herald(lambda _: httpx.Response(202, json=DONE)).send_fhir(OBSERVATION).waits


def test_an_outcome_with_errors_is_told_by_expression() -> None:
    issue = {
        "severity": "error",
        "code": "code-invalid",
        "details": {"coding": [{"system": "urn:herald:problem-code", "code": "UNKNOWN_CODE"}], "text": "is not mapped"},
        "diagnostics": "Observation.code: is not mapped; map it in the feed",
        "expression": ["Observation.code"],
    }
    other = {"severity": "error", "code": "transient", "diagnostics": "later"}
    document = {"resourceType": "OperationOutcome", "issue": [issue, other]}
    with pytest.raises(Refused) as caught:
        _herald(lambda _: httpx.Response(422, json=document)).send_fhir(OBSERVATION)
    assert caught.value.problems == (
        ("UNKNOWN_CODE", "Observation.code", "is not mapped", "map it in the feed"),
        ("transient", "", "later", ""),
    )
    with pytest.raises(Conflict):
        _herald(lambda _: httpx.Response(409, json=document)).send_fhir(OBSERVATION)


@pytest.mark.parametrize("status", [200, 409, 422])
def test_a_negative_acknowledgement_is_an_answer_and_no_exception(status: int) -> None:
    ack = b"MSH|^~\\&|HERALD||LIS|N|20261125||ACK|1|P|2.5.1\rMSA|AR|M-1\rERR||MSH^1^11|202^x^HL70357|E||||no\r"

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Content-Type"] == "x-application/hl7-v2+er7"
        return httpx.Response(status, content=ack, headers={"Content-Type": "x-application/hl7-v2+er7"})

    told = _herald(answer).send_hl7(b"MSH|^~\\&|LIS|N")
    assert (told.code, told.control_id, told.accepted, told.errors[0].code) == ("AR", "M-1", False, "202")


def test_a_dry_run_of_hl7_gives_what_would_be_read() -> None:
    assert _herald(lambda _: httpx.Response(200, json={"state": "recorded"})).send_hl7(b"MSH|", dry_run=True) == {
        "state": "recorded"
    }


def _imports(states: list[str]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            assert request.url.params["mapping"] == "north"
            assert request.headers["Content-Type"] == "text/csv"
            assert request.content == b"ihc\n3+\n"
            return httpx.Response(202, headers={"Location": "/imports/i-1"})
        assert request.url.path == "/her2/imports/i-1"
        return httpx.Response(200, json={"id": "i-1", "state": states.pop(0) if len(states) > 1 else states[0]})

    return answer


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "results.CSV"
    path.write_bytes(b"ihc\n3+\n")
    return path


def test_an_import_is_waited_for_by_both_fronts(table: Path) -> None:
    states = ["received", "processing", "recorded_in_part"]
    job = _herald(_imports([*states])).import_file(table, mapping="north")
    assert job.wait(every=0)["state"] == "recorded_in_part"

    async def work() -> Any:
        async with AsyncHerald("http://herald.test/her2", transport=httpx.MockTransport(_imports([*states]))) as herald:
            other = await herald.import_file(table, mapping="north")
            return await other.wait(every=0)

    assert asyncio.run(work())["state"] == "recorded_in_part"


def test_who_waits_too_short_is_told(table: Path) -> None:
    job = _herald(_imports(["processing"])).import_file(table, mapping="north")
    with pytest.raises(TimeoutError, match="processing"):
        job.wait(timeout=0)


def test_a_file_of_another_kind_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "results.doc"
    path.write_bytes(b"x")
    with pytest.raises(ValueError, match=r"\.csv"):
        _herald(lambda _: httpx.Response(500)).import_file(path)


def test_an_import_whose_place_is_not_told_is_an_error(table: Path) -> None:
    with pytest.raises(HeraldError, match="where the import stands"):
        _herald(lambda _: httpx.Response(202)).import_file(table)


def test_messages_are_listed_found_and_sent_through_again() -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.raw_path.decode()))
        if request.method == "POST":
            return httpx.Response(201, json={"id": "m-3", "name": json.loads(request.content)["name"]})
        if request.url.path.endswith("/messages"):
            last = "cursor" in request.url.params
            return httpx.Response(
                200, json={"items": [{"id": "m-2" if last else "m-1"}], "next_cursor": None if last else "c"}
            )
        return httpx.Response(200, json={"id": "m-1"})

    herald = _herald(answer)
    assert [each["id"] for each in herald.messages(state="quarantined", sender="North LIS")] == ["m-1", "m-2"]
    assert herald.message("m/1")["id"] == "m-1"
    assert herald.replay("m-1", PERSON) == {"id": "m-3", "name": "Dr A"}
    assert asked[0] == ("GET", "/her2/messages?state=quarantined&sender=North+LIS&limit=100")
    assert asked[2] == ("GET", "/her2/messages/m%2F1")
    assert asked[3] == ("POST", "/her2/messages/m-1/replay")
