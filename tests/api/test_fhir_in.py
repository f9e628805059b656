"""FHIR messages at the door: kept first, then recorded; what became of them is told in FHIR's own words."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.domain.problems import Problem
from app.interop.fhir.reading import read, read_resource
from app.interop.tabular import case_document
from app.services.assessment import assess
from app.services.payloads import Kept, Outcome, Part, Payload
from tests.fixtures_service import Service

OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "49683-6"}]},
    "subject": {"reference": "Patient/p1"},
    "valueQuantity": {"value": 1.8},
}
RESULT = {
    "id": "0198c0de-0000-7000-8000-000000000000",
    "version": 2,
    "status": "negative",
    "final": True,
    "changed": True,
}
FIELDS = {"85319-2": "ihc.score", "49683-6": "ish.ratio", "74860-8": "ish.her2_copies", "62361-1": "ish.cells"}


class Intake:
    """Stands for the inbox: keeps what it is given and answers as told; a preview reads with a feed of four codes."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.kept: list[Payload] = []
        self.previewed: list[Payload] = []
        self.outcome = outcome or Outcome("m-1", "recorded", results=(RESULT,))

    async def keep(self, payload: Payload) -> Kept:
        self.kept.append(payload)
        return Kept("m-1", payload, True)

    async def record(self, kept: Kept) -> Outcome:
        assert kept.payload is self.kept[-1]
        return self.outcome

    def preview(self, payload: Payload) -> Outcome:
        self.previewed.append(payload)
        if payload.resource is not None:
            received = read_resource(payload.resource, payload.sender)
        else:
            received = read(payload.message, payload.sender)
        items = [item for report in received.reports for item in report.items]
        problems = (*received.problems, *(each for item in items for each in item.problems))
        lines = []
        for item in items:
            for value in item.values:
                code = item.codings[0].code
                told = value.number or value.codings[0].display if value.codings or value.number else value.text
                lines.append(
                    {"where": item.where, "code": code, "text": "", "field": FIELDS.get(code, ""), "value": told}
                )
        document = case_document({each["field"]: each["value"] for each in lines if each["field"]})
        parts = (Part("", document, (), assess(document)),) if document else ()
        state = "quarantined" if problems else "recorded"
        return Outcome("", state, problems=problems, lines=tuple(lines), parts=parts)


@pytest.fixture
def intake(stateless: Service) -> Intake:
    """The inbox of `stateless`."""
    stateless.app.state.desk = stateless.app.state.intake = found = Intake()
    return found


def answered(response: httpx.Response) -> dict[str, Any]:
    """The resource of an answer, which is valid FHIR."""
    assert response.headers["content-type"] == "application/fhir+json", response.text
    document: dict[str, Any] = response.json()
    get_fhir_model_class(document["resourceType"]).model_validate_json(response.content)
    return document


def codes(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    """The severity and Herald's code of each issue that has one."""
    return [(each["severity"], each["details"]["coding"][0]["code"]) for each in outcome["issue"] if "details" in each]


@pytest.mark.parametrize("path", ["/fhir", "/fhir/Observation", "/fhir/DiagnosticReport"])
def test_what_is_sent_is_kept_byte_for_byte_with_sender_and_control_id(
    path: str, stateless: Service, intake: Intake
) -> None:
    message = b'{ "resourceType":"Observation",  "value": 1.80 }'
    headers = {"Content-Type": "application/fhir+json", "Herald-Sender": "North LIS", "X-Request-Id": "request-1"}
    response = stateless.post(path, content=message, headers=headers)
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"http://herald.test/fhir/Observation/{RESULT['id']}/_history/2"
    assert intake.kept == [Payload(message, "application/fhir+json", "North LIS", "request-1")]
    answered(response)


def test_an_idempotency_key_counts_before_a_request_id(stateless: Service, intake: Intake) -> None:
    stateless.post("/fhir/Observation", OBSERVATION, key="key-1", headers={"X-Request-Id": "request-1"})
    assert intake.kept[0].control_id == "key-1"


def test_bytes_that_are_no_json_are_kept_as_well(stateless: Service, intake: Intake) -> None:
    problem = Problem("UNREADABLE", "body", "is not JSON", "send a JSON object")
    intake.outcome = Outcome("m-1", "quarantined", "read", (problem,))
    response = stateless.post("/fhir", content=b"{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert codes(answered(response)) == [("error", "UNREADABLE")]
    assert intake.kept[0].message == b"{"


@pytest.mark.parametrize(
    ("outcome", "status", "told"),
    [
        (Outcome("m", "recorded", results=(RESULT,)), 201, []),
        (Outcome("m", "recorded", results=(RESULT | {"changed": False},)), 200, []),
        (Outcome("m", "set_aside"), 200, []),
        (Outcome("m", "received"), 202, []),
        (
            Outcome("m", "quarantined", "map", (Problem("UNKNOWN_CODE", "Observation.code", "is new", "map it"),)),
            202,
            [("warning", "UNKNOWN_CODE")],
        ),
        (
            Outcome("m", "refused", problems=(Problem("CONTROL_ID_REUSED", "X-Request-Id", "is used", "send anew"),)),
            409,
            [("error", "CONTROL_ID_REUSED")],
        ),
        (
            Outcome("m", "refused", problems=(Problem("NOT_PRODUCTION", "Observation.meta", "is a test", "no"),)),
            422,
            [("error", "NOT_PRODUCTION")],
        ),
    ],
)
def test_what_became_of_a_message_decides_the_status(
    outcome: Outcome, status: int, told: list[Any], stateless: Service, intake: Intake
) -> None:
    intake.outcome = outcome
    response = stateless.post("/fhir/Observation", OBSERVATION)
    assert response.status_code == status
    assert codes(answered(response)) == told


def test_an_issue_names_place_and_remedy(stateless: Service, intake: Intake) -> None:
    intake.outcome = Outcome(
        "m", "quarantined", "map", (Problem("CONTRADICTORY", "Observation.value[x]", "two are given", "send one"),)
    )
    (issue, _) = answered(stateless.post("/fhir/Observation", OBSERVATION))["issue"]
    assert issue["expression"] == ["Observation.value[x]"]
    assert (issue["code"], issue["severity"]) == ("invariant", "warning")
    assert "send one" in issue["diagnostics"]


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_transaction_is_answered_entry_by_entry(kind: str, stateless: Service, intake: Intake) -> None:
    request = {"method": "POST", "url": "Observation"}
    entries = [
        {"resource": {"resourceType": "Patient"}, "request": request},
        {"resource": OBSERVATION, "request": request},
    ]
    lines = ({"where": "Bundle.entry[1].resource.valueQuantity", "field": "ish.ratio", "value": "1.8"},)
    intake.outcome = Outcome("m", "recorded", results=(RESULT,), lines=lines)
    response = stateless.post("/fhir", {"resourceType": "Bundle", "type": kind, "entry": entries})
    assert response.status_code == 200
    bundle = answered(response)
    assert bundle["type"] == f"{kind}-response"
    assert [each["response"]["status"] for each in bundle["entry"]] == ["200 OK", "201 Created"]
    assert [each["response"].get("location") for each in bundle["entry"]] == [
        None,
        f"Observation/{RESULT['id']}/_history/2",
    ]


def test_a_transaction_that_waits_is_answered_as_a_whole(stateless: Service, intake: Intake) -> None:
    intake.outcome = Outcome("m", "quarantined", "map", (Problem("NO_ACCESSION", "Bundle", "is missing", "send it"),))
    response = stateless.post("/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": []})
    assert (response.status_code, answered(response)["resourceType"]) == (202, "OperationOutcome")


@pytest.mark.parametrize(
    "path", ["/fhir/$validate", "/fhir/Observation/$validate", "/fhir?dry_run=true", "/fhir/Observation?dry_run=true"]
)
def test_a_dry_run_tells_what_would_be_read_and_stores_nothing(path: str, stateless: Service, intake: Intake) -> None:
    response = stateless.post(path, content=json.dumps(OBSERVATION).replace("1.8", "1.80").encode())
    assert response.status_code == 200, response.text
    (issue,) = answered(response)["issue"]
    assert "ish.ratio = 1.80" in issue["diagnostics"]
    assert intake.kept == []


def test_what_is_wrong_is_told_by_validate(stateless: Service, intake: Intake) -> None:
    outcome = answered(stateless.post("/fhir/$validate", OBSERVATION | {"valueString": "2+"}))
    assert codes(outcome) == [("error", "CONTRADICTORY")]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/fhir/Observation?patient=p&subject=q", {}, 400),
        ("GET", "/fhir/Observation", {}, 400),
        ("GET", "/fhir/Observation?patient=p&patient=q", {}, 400),
        ("GET", "/fhir/metadata", {"headers": {"Accept": "application/fhir+xml"}}, 406),
        ("GET", "/fhir/metadata?_format=xml", {}, 406),
        ("GET", "/fhir/Encounter/1", {}, 404),
        ("GET", "/fhir/Observation/1", {}, 404),
        ("GET", "/fhir/Patient/none/$everything", {}, 404),
        ("GET", "/fhir/Patient/none/a/b/c", {}, 404),
        ("DELETE", "/fhir/Observation/1", {}, 405),
        ("POST", "/fhir", {"content": b"<a/>", "headers": {"Content-Type": "application/fhir+xml"}}, 415),
        ("POST", "/fhir", {"json": {}, "headers": {"Content-Encoding": "gzip"}}, 415),
        ("POST", "/fhir", {"json": {}, "headers": {"Herald-Sender": "x" * 101}}, 400),
        ("POST", "/fhir", {"content": b" " * 1_000_001}, 413),
        ("POST", "/fhir/$classify-her2", {"content": b"{"}, 400),
    ],
)
def test_every_error_is_an_operation_outcome(
    method: str, path: str, sent: dict[str, Any], status: int, stateless: Service, intake: Intake
) -> None:
    response = stateless.request(method, path, **sent)
    assert response.status_code == status, response.text
    assert answered(response)["issue"][0]["severity"] == "error"
    assert intake.kept == []


@pytest.mark.parametrize("query", ["_format=json", "_format=application/fhir%2Bjson", "_format=application/fhir+json"])
def test_json_can_be_asked_for(query: str, stateless: Service) -> None:
    headers = {"Accept": "text/html"}
    assert stateless.get(f"/fhir/metadata?{query}", headers=headers).status_code == 200


def test_an_error_of_ours_is_an_operation_outcome(stateless: Service, intake: Intake) -> None:
    del stateless.app.state.desk
    response = stateless.post("/fhir", {})
    assert response.status_code == 500
    assert answered(response)["issue"][0]["code"] == "exception"


def simple(**values: Any) -> dict[str, Any]:
    """Parameters of plain values."""
    parameters = [
        {"name": name, **(value if isinstance(value, dict) else {"valueString": value})}
        for name, value in values.items()
    ]
    return {"resourceType": "Parameters", "parameter": parameters}


def out(response: httpx.Response) -> dict[str, Any]:
    """Name -> value of the Parameters of an answer."""
    assert response.status_code == 200, response.text
    parameters = answered(response)["parameter"]
    return {each.pop("name"): next(iter(each.values())) for each in parameters}


def test_simple_values_are_classified(stateless: Service) -> None:
    told = out(stateless.post("/fhir/$classify-her2", simple(ihc="2+", ratio={"valueDecimal": 1.8}, copies="3.5")))
    assert (told["status"], told["final"], told["her2Low"], told["ishGroup"]) == ("negative", True, "low", 5)
    assert told["observation"]["valueCodeableConcept"]["coding"][0]["code"] == "LA6577-6"
    assert "problems" not in told


def test_observations_are_classified_without_a_patient(stateless: Service, intake: Intake) -> None:
    ihc = OBSERVATION | {"code": {"coding": [{"system": "http://loinc.org", "code": "85319-2"}]}, "valueString": "3+"}
    ihc = {name: value for name, value in ihc.items() if name not in ("subject", "valueQuantity")}
    told = out(
        stateless.post(
            "/fhir/$classify-her2", {"resourceType": "Parameters", "parameter": [{"name": "o", "resource": ihc}]}
        )
    )
    assert (told["status"], told["her2Low"]) == ("positive", "not_applicable")
    assert intake.kept == []


def test_digits_reach_the_reader_of_a_bundle_as_they_were_written(stateless: Service, intake: Intake) -> None:
    body = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": OBSERVATION}]})
    stateless.post("/fhir/$classify-her2", content=body.replace("1.8", "1.80").encode())
    bundle = intake.previewed[0].resource
    assert bundle is not None
    assert str(bundle["entry"][0]["resource"]["valueQuantity"]["value"]) == "1.80"


def test_a_message_with_a_problem_gets_no_status(stateless: Service, intake: Intake) -> None:
    told = out(stateless.post("/fhir/$classify-her2", OBSERVATION | {"valueString": "2+"}))
    assert (told["status"], told["final"], told["her2Low"]) == ("invalid", False, "undetermined")
    assert codes(told["problems"]) == [("error", "CONTRADICTORY")]
    assert "valueCodeableConcept" not in told["observation"]


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Patient"},
        {"resourceType": "Parameters"},
        simple(score="2+"),
        simple(ihc={"valueBoolean": True}),
        {"resourceType": "Parameters", "parameter": simple(ihc="2+")["parameter"] * 2},
        {"resourceType": "Parameters", "parameter": [{"name": "x", "resource": {"resourceType": "Patient"}}]},
        {"resourceType": "Parameters", "parameter": []},
    ],
)
def test_parameters_that_cannot_be_read_are_refused(body: Any, stateless: Service) -> None:
    response = stateless.post("/fhir/$classify-her2", body)
    assert response.status_code == 400
    answered(response)
