"""What is refused: a problem document that names every field at once and repeats nothing that may name a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.services import finding
from tests.api.cases import GROUP_4, PERSON, POSITIVE, fields_of, problem
from tests.fixtures_service import Service, Start

EVERY_FIELD_WRONG: dict[str, Any] = {
    "edition": "asco-cap-2019",
    "policy": {"group1_ihc_negative": "maybe", "nonsense": 1},
    "specimen": {
        "accession": 17,
        "kind": "elbow",
        "procedure": "guess",
        "invasive": "yes",
        "collected_at": "yesterday",
        "histology": "odd",
        "grade": 4,
        "purity_percent": "101",
        "fixation_hours": "-1",
        "cold_ischaemia_minutes": "1,5",
    },
    "ihc": {"score": "positive", "controls": "good", "membrane": "thick", "percent": "110"},
    "ish": {"ratio": "2,1", "her2_copies": 0, "cells": "2.5", "assay": "triple", "failed": 1},
    "recount": {"ratio": "NaN", "blinded": "yes"},
    "third_count": {"cells": True},
    "adjudication": {"group": 6},
    "cluster": {"share_percent": "-5", "ratio": "two"},
    "context": {"er": "yes", "line": 0, "prior_therapies": "tamoxifen", "biomarkers": {"pik3ca_mutation": "maybe"}},
    "unheard_of": 1,
}
NAMED = [
    "adjudication.group", "cluster.ratio", "cluster.share_percent", "context.biomarkers.pik3ca_mutation",
    "context.er", "context.line", "context.prior_therapies", "edition", "ihc.controls", "ihc.membrane",
    "ihc.percent", "ihc.score", "ish.assay", "ish.cells", "ish.failed", "ish.her2_copies", "ish.ratio",
    "policy.group1_ihc_negative", "policy.nonsense", "recount.blinded", "recount.ratio", "specimen.accession",
    "specimen.cold_ischaemia_minutes", "specimen.collected_at", "specimen.fixation_hours", "specimen.grade",
    "specimen.histology", "specimen.invasive", "specimen.kind", "specimen.procedure", "specimen.purity_percent",
    "third_count.cells", "unheard_of",
]  # fmt: skip


def test_every_field_that_is_wrong_is_named_at_once(stateless: Service) -> None:
    told = problem(stateless.post("/her2/classify", EVERY_FIELD_WRONG), 422, "invalid")
    assert fields_of(told) == NAMED


def test_a_report_names_its_own_fields_beside_those_of_the_case(service: Service) -> None:
    sent = {**EVERY_FIELD_WRONG, "patient": {"value": "", "sytem": "x"}, "laboratory": ["North"]}
    told = problem(service.post("/results", sent), 422, "invalid")
    assert fields_of(told) == sorted([*NAMED, "laboratory", "patient.sytem", "patient.value"])
    assert service.get("/results").json()["items"] == []


@pytest.mark.parametrize(
    ("verb", "body", "named"),
    [
        ("amendments", {}, ["case", "name", "reason", "role"]),
        ("amendments", {"name": "A", "role": "B", "reason": " ", "changes": {}}, ["reason"]),
        (
            "amendments",
            {**PERSON, "changes": [1], "laboratory": 3, "performed_at": "soon", "more": 1},
            ["changes", "laboratory", "more", "performed_at"],
        ),
        ("recounts", {"who": "A"}, ["count", "name", "role", "who"]),
        ("adjudications", {"group": 4}, ["name", "reason", "role"]),
        ("adjudications", {}, ["group", "name", "reason", "role"]),
        ("sign-offs", {"meaning": ""}, ["meaning", "name", "role"]),
        ("re-evaluations", {}, ["edition"]),
        ("re-evaluations", {"edition": "asco-cap-2013", "policy": {"x": 1}}, ["policy.x"]),
    ],
)
def test_a_verb_names_every_field_that_is_missing_or_wrong(
    service: Service, verb: str, body: dict[str, Any], named: list[str]
) -> None:
    stored = service.report(GROUP_4)
    told = problem(service.post(f"/results/{stored['id']}/{verb}", body), 422, "invalid")
    assert fields_of(told) == named
    assert service.get(f"/results/{stored['id']}").json()["version"] == 1


def test_a_query_names_every_parameter_that_is_wrong(service: Service) -> None:
    query = {"status": "good", "ish_group": "6", "limit": "0", "final": "maybe", "edition": "2018"}
    told = problem(service.get("/results", params=query), 422, "invalid")
    assert fields_of(told) == sorted(query)
    times = {"created_from": "x", "created_before": "2026-99-01", "collected_from": "1"}
    assert fields_of(problem(service.get("/results", params=times), 422, "invalid")) == sorted(times)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/results/none", 404, "not_found"),
        ("GET", "/results/none/history", 404, "not_found"),
        ("GET", "/patients/none/her2", 404, "not_found"),
        ("GET", "/guidelines/asco-cap-1999", 404, "not_found"),
        ("POST", "/results/none/replay", 404, "not_found"),
        ("DELETE", "/results", 405, "method_not_allowed"),
        ("PUT", "/her2/classify", 405, "method_not_allowed"),
        ("PATCH", "/results/x", 405, "method_not_allowed"),
        ("POST", "/open-steps", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_and_what_is_not_done_are_problems_too(
    service: Service, method: str, path: str, status: int, kind: str
) -> None:
    response = service.request(method, path)
    problem(response, status, kind)
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize("verb", ["amendments", "recounts", "adjudications", "sign-offs", "re-evaluations"])
def test_a_verb_on_a_result_that_is_not_there_is_not_found(service: Service, verb: str) -> None:
    bodies: dict[str, Any] = {
        "amendments": {**PERSON, "changes": {"ihc": "3+"}},
        "recounts": {**PERSON, "count": {"ratio": "1"}},
        "adjudications": {**PERSON, "group": 4},
        "sign-offs": PERSON,
        "re-evaluations": {"edition": "asco-cap-2013"},
    }
    problem(service.post(f"/results/none/{verb}", bodies[verb]), 404, "not_found")


# ---- nothing is repeated that may name a person

SECRETS = ("Erika Mustermann", "MRN-00482913", "00482913", "erika.mustermann@clinic.example", "1957-03-12 Mustermann")
_TELLING = ("mustermann", "00482913", "1957-03-12")


def _paths(node: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in node.items():
        yield (*at, name)
        if isinstance(value, dict):
            yield from _paths(value, (*at, name))


def _with(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    body: Any = value
    for name in reversed(path):
        body = {name: body}
    return body  # type: ignore[no-any-return]


CASE_FIELDS = sorted({*_paths(EVERY_FIELD_WRONG), ("ihc", "clone"), ("ish", "method"), ("ratio",), ("copies",)})
_VERB_FIELDS = ("name", "role", "reason", "performed_at", "meaning", "group", "count", "changes", "case", "edition")


def _leaks(told: str) -> list[str]:
    return [secret for secret in _TELLING if secret in told.lower()]


def test_no_answer_and_no_log_line_repeats_an_identifier(
    capsys: pytest.CaptureFixture[str], start: Start, shared_url: str
) -> None:
    service = start(shared_url, log_level="debug")
    stored = service.report(GROUP_4)["id"]
    leaks, asked = [], 0

    def ask(method: str, url: str, **sent: Any) -> None:
        nonlocal asked
        asked += 1
        response = service.request(method, url, **sent)
        assert response.status_code != 500, (method, url, sent)
        told = response.text if response.status_code >= 400 else ""
        told += json.dumps(dict(response.headers))
        if url.startswith("/her2/classify"):
            told += response.text
        leaks.extend((method, url, sent, found) for found in _leaks(told))

    for secret in SECRETS:
        for path in CASE_FIELDS:
            for value in (secret, [secret], {secret: secret}):
                ask("POST", "/her2/classify", json=_with(path, value))
            ask("POST", "/results", json={"patient": "P", **_with(path, {secret: 1})})
        ask("POST", "/results", json={"patient": {"value": secret, "system": [secret]}, **POSITIVE})
        ask("POST", "/results", json={"patient": {"value": [secret], secret: secret}, "laboratory": {"x": secret}})
        ask("POST", "/results", json={"patient": secret, "laboratory": secret, "ihc": secret})
        for verb in ("amendments", "recounts", "adjudications", "sign-offs", "re-evaluations"):
            for field in _VERB_FIELDS:
                ask("POST", f"/results/{stored}/{verb}", json={field: secret})
                ask("POST", f"/results/{stored}/{verb}", json={**PERSON, field: [secret], secret: secret})
        for name in ("status", "final", "ish_group", "edition", "created_from", "cursor", "limit", "signed"):
            ask("GET", "/results", params={name: secret})
        for name in ("awaited", "due_before", "cursor", "limit"):
            ask("GET", "/open-steps", params={name: secret})
        for name in ("ihc", "ratio", "copies", "cells", "er", "edition", secret):
            ask("GET", "/her2/classify", params={name: secret})
        for path in ("/results/{}", "/results/{}/history", "/patients/{}/her2", "/guidelines/{}", "/{}"):
            ask("GET", path.format(secret))
        ask("POST", f"/results/{stored}/sign-offs", json=PERSON, headers={"If-Match": secret})
        ask("POST", "/results", json={"patient": "P"}, headers={"Idempotency-Key": secret})
        for body in (f'"{secret}"', f'{{"{secret}": ', f'{{"ihc": {secret}}}', f'{{"{secret}":1,"{secret}":2}}'):
            ask("POST", "/her2/classify", content=body, headers={"Content-Type": "application/json"})
        ask("POST", "/her2/classify", content="{}", headers={"Content-Type": f"text/{secret.split()[0].lower()}"})
    assert asked > 500
    assert not leaks, leaks[:5]
    service.stop()
    logged = capsys.readouterr().err
    lines = [json.loads(line) for line in logged.splitlines()]
    assert sum(line["event"] == "request" for line in lines) == asked + 1
    assert _leaks(logged) == []


@pytest.mark.parametrize("log_level", ["info", "error"])
def test_an_error_of_ours_is_a_problem_and_its_words_reach_neither_the_sender_nor_the_log(
    capsys: pytest.CaptureFixture[str], start: Start, shared_url: str, monkeypatch: pytest.MonkeyPatch, log_level: str
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError(SECRETS[0])

    service = start(shared_url, log_level=log_level, errors_pass=True)
    monkeypatch.setattr(finding, "find_result", fail)
    try:
        # an exception that passes here would be printed by the server, words and all
        response = service.get("/results/x")
    finally:
        service.stop()
    problem(response, 500, "internal")
    logged = capsys.readouterr().err
    assert _leaks(response.text + logged) == []
    errors = [line for line in map(json.loads, logged.splitlines()) if "RuntimeError" in str(line.get("error"))]
    assert len(errors) == 1
    assert errors[0]["request_id"] == response.headers["x-request-id"]


def test_what_a_field_holds_is_never_an_identifier_in_the_list_of_results(service: Service) -> None:
    """A list is shown on screens: it tells Herald's own id of the patient, never the pseudonym."""
    service.report(POSITIVE, patient="MRN-00482913")
    assert _leaks(service.get("/results").text) == []
    assert _leaks(service.get("/open-steps").text) == []
