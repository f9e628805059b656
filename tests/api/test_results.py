"""POST /results and GET /results/{id}: what was sent, what was answered, kept as it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.cases import ANSWER_FIELDS, AWAITS_ISH, GROUP_4, NEGATIVE, PERSON, POSITIVE, problem, versions_missing
from tests.fixtures_service import Service, Start

WHOLE = {
    **GROUP_4,
    "edition": "asco-cap-2023",
    "policy": {"low_in_groups_2_to_4": "exclude"},
    "specimen": {
        "accession": "S26-1234",
        "block": "A1",
        "site": "left breast, ä 乳房",
        "kind": "primary",
        "procedure": "core",
        "collected_at": "2026-01-02T08:30:00+01:00",
        "reported_at": "2026-01-05",
        "fixation_hours": "24.0",
    },
    "context": {"er": "positive", "setting": "metastatic", "prior_therapies": ["tamoxifen"]},
}


def test_a_stored_result_is_answered_whole_with_its_place_and_version(service: Service) -> None:
    response = service.post("/results", {"patient": "P-1", "laboratory": "North", **WHOLE})
    result = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/results/{result['id']}"
    assert response.headers["etag"] == '"1"'
    assert (result["version"], result["cause"], result["laboratory"]) == (1, "reported", "North")
    assert result["input"] == WHOLE
    assert (result["signed"], result["confirmation"]) == (False, "computed, not yet confirmed")
    assert set(result["classification"]) == ANSWER_FIELDS
    assert versions_missing(result["classification"]) == []
    assert [step["awaited"] for step in result["open_steps"]] == result["classification"]["next_steps"]


def test_what_was_stored_is_read_back_byte_for_byte(service: Service) -> None:
    posted = service.post("/results", {"patient": "P-1", **WHOLE})
    read = service.get(posted.headers["location"])
    assert read.status_code == 200
    assert read.json() == posted.json()
    assert read.headers["etag"] == posted.headers["etag"]
    assert service.get(posted.headers["location"]).content == read.content


def test_the_stored_answer_is_that_of_classify(service: Service) -> None:
    assert service.report(WHOLE)["classification"] == service.post("/her2/classify", WHOLE).json()


@pytest.mark.parametrize("number", ["1.80", "1.8", "2.000"])
def test_the_digits_of_a_json_number_are_in_the_stored_input(service: Service, number: str) -> None:
    body = f'{{"patient": "P", "ihc": "2+", "ish": {{"ratio": {number}, "her2_copies": 4.50, "cells": 40}}}}'
    posted = service.request("POST", "/results", content=body, headers={"Content-Type": "application/json"})
    assert posted.status_code == 201, posted.text
    for kept in (posted.json(), service.get(posted.headers["location"]).json()):
        ish = kept["input"]["ish"]
        assert (str(ish["ratio"]), str(ish["her2_copies"]), ish["cells"]) == (number, "4.50", 40)


@pytest.mark.parametrize("case", [WHOLE, POSITIVE, AWAITS_ISH, {}])
def test_a_dry_run_answers_what_would_be_stored_and_stores_nothing(service: Service, case: dict[str, Any]) -> None:
    body = {"patient": "P-1", "laboratory": "North", **case}
    dry = service.post("/results?dry_run=true", body, key="a-key")
    assert dry.status_code == 200
    assert dry.json()["dry_run"] is True
    assert "etag" not in dry.headers and "location" not in dry.headers
    assert service.get("/results").json()["items"] == []
    assert service.get("/open-steps").json()["items"] == []
    problem(service.get("/patients/P-1/her2"), 404, "not_found")
    stored = service.post("/results", body, key="a-key")
    assert stored.status_code == 201
    assert "idempotency-replayed" not in stored.headers
    for name in ("input", "classification", "cause", "laboratory", "signed", "confirmation", "acts"):
        assert dry.json()[name] == stored.json()[name], name


def test_a_dry_run_refuses_what_would_be_refused(service: Service) -> None:
    body = {"patient": "", "laboratory": 1, "ihc": "4+"}
    dry, real = service.post("/results?dry_run=true", body), service.post("/results", body)
    assert (dry.status_code, real.status_code) == (422, 422)
    assert dry.json() == real.json()


@pytest.mark.parametrize(
    "patient", ["P-1", {"value": "P-1"}, {"value": "P-1", "system": "urn:hospital"}, "Ärztin 乳", "x" * 200]
)
def test_a_patient_is_named_by_a_pseudonym_alone_or_with_its_system(service: Service, patient: Any) -> None:
    first, second = service.report(POSITIVE, patient=patient), service.report(NEGATIVE, patient=patient)
    assert first["patient_id"] == second["patient_id"]
    assert first["id"] != second["id"]
    assert str(first["patient_id"]) not in ("P-1", "x" * 200)


def test_equal_pseudonyms_of_two_systems_are_two_patients(service: Service) -> None:
    patients = {
        service.report(POSITIVE, patient={"value": "1", "system": system})["patient_id"]
        for system in ("urn:north", "urn:south")
    }
    patients.add(service.report(POSITIVE, patient="1")["patient_id"])
    assert len(patients) == 3


@pytest.mark.parametrize("case", [{"ihc": "4+"}, {"ihc": "2+", "ratio": "0"}, {"specimen": {"invasive": False}}])
def test_an_invalid_case_is_not_stored(service: Service, case: dict[str, Any]) -> None:
    told = problem(service.post("/results", {"patient": "P-1", **case}), 422, "invalid")
    assert told["problems"]
    assert told["classification"]["status"] == "invalid"
    assert service.get("/results").json()["items"] == []
    problem(service.get("/patients/P-1/her2"), 404, "not_found")


def test_a_result_is_still_there_after_a_restart(start: Start, shared_url: str) -> None:
    first = start(shared_url)
    stored = first.report(WHOLE)
    again = start(shared_url)
    assert again.get(f"/results/{stored['id']}").json() == stored
    assert again.get("/results").json()["items"][0]["id"] == stored["id"]


def test_every_answer_says_how_far_a_person_stands_behind_it(start: Start, shared_url: str) -> None:
    with_sign_off = start(shared_url)
    stored = with_sign_off.report(POSITIVE, patient="P-1")["id"]
    without = start(shared_url, sign_off=False)
    for service, words in ((with_sign_off, "computed, not yet confirmed"), (without, "uses no sign-off")):
        told = [
            service.get(f"/results/{stored}").json(),
            service.get("/results").json()["items"][0],
            service.get(f"/results/{stored}/history").json()["versions"][0],
            service.get("/patients/P-1/her2").json()["results"][0],
            service.post("/results?dry_run=true", {"patient": "P", **POSITIVE}).json(),
            service.post(f"/results/{stored}/re-evaluations", {"edition": "asco-cap-2013"}).json(),
        ]
        assert all(words in each["confirmation"] for each in told), [each["confirmation"] for each in told]
    problem(without.post(f"/results/{stored}/sign-offs", PERSON), 409, "conflict")


def test_a_body_as_large_as_the_limit_is_read_and_a_larger_one_is_not(start: Start, shared_url: str) -> None:
    service = start(shared_url, body_limit=2000)
    body = b'{"ihc":"3+"}'
    json_type = {"Content-Type": "application/json"}
    padded = body + b" " * (2000 - len(body))
    assert service.request("POST", "/her2/classify", content=padded, headers=json_type).status_code == 200
    refused = service.request("POST", "/her2/classify", content=padded + b" ", headers=json_type)
    problem(refused, 413, "too_large")
