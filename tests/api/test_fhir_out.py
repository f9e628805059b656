"""Stored results over FHIR: read, searched and taken whole, with the digits they came in."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.fixtures_service import Service

CASE = {
    "specimen": {"accession": "S26-1", "block": "A1", "collected_at": "2026-01-05"},
    "ihc": "2+",
    "ish": {"ratio": "1.80", "her2_copies": "3.5", "cells": 40},
}


def got(service: Service, path: str) -> dict[str, Any]:
    """The resource at a path, which is valid FHIR."""
    response = service.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/fhir+json"
    document: dict[str, Any] = response.json()
    get_fhir_model_class(document["resourceType"]).model_validate_json(response.content)
    return document


def test_a_classification_is_read_by_the_id_of_its_result(service: Service) -> None:
    stored = service.report(CASE)
    found = got(service, f"/fhir/Observation/{stored['id']}")
    assert found["valueCodeableConcept"]["coding"][0]["display"] == "Negative"
    assert service.get(f"/fhir/Observation/{stored['id']}").headers["etag"] == 'W/"1"'
    for reference in (found["subject"], found["specimen"], *found["derivedFrom"]):
        got(service, f"/fhir/{reference['reference']}")
    got(service, f"/fhir/DiagnosticReport/{stored['id']}")


def test_digits_are_kept_in_the_bytes(service: Service) -> None:
    stored = service.report(CASE)
    assert b'"value":1.80,' in service.get(f"/fhir/Observation/{stored['id']}-ish-ratio").content
    assert b'"value":1.80,' in service.get(f"/fhir/Patient/{stored['patient_id']}/$everything").content


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("", 4),
        ("&code=48676-1", 1),
        ("&code=http://loinc.org|48676-1", 1),
        ("&code=http://loinc.org|48676-1,http://loinc.org|85319-2", 2),
        ("&code=http://snomed.info/sct|48676-1", 0),
        ("&code=|48676-1", 1),
    ],
)
def test_observations_are_searched_by_patient_and_code(code: str, number: int, service: Service) -> None:
    stored = service.report(CASE)
    service.report(CASE)
    for patient in (stored["patient_id"], f"Patient/{stored['patient_id']}"):
        found = got(service, f"/fhir/Observation?patient={patient}{code}")
        assert (found["type"], found["total"], len(found.get("entry", []))) == ("searchset", number, number)


def test_a_search_for_an_unknown_patient_finds_nothing(service: Service) -> None:
    assert got(service, "/fhir/Observation?patient=nobody")["total"] == 0


def test_everything_holds_the_patient_and_both_specimens(service: Service) -> None:
    stored = service.report(CASE, patient="P-shared")
    service.report({"ihc": "3+"}, patient="P-shared")
    found = got(service, f"/fhir/Patient/{stored['patient_id']}/$everything")
    kinds = [each["resource"]["resourceType"] for each in found["entry"]]
    assert [kinds.count(each) for each in ("Patient", "Specimen", "DiagnosticReport", "Observation")] == [1, 2, 2, 6]
    assert found["entry"][0]["resource"]["identifier"][0]["value"] == "P-shared"


def test_a_final_result_that_is_amended_says_so(service: Service) -> None:
    stored = service.report({"ihc": "3+"})
    change = {"changes": {"ihc": "1+"}, "name": "A", "role": "pathologist", "reason": "read again"}
    response = service.post(f"/results/{stored['id']}/amendments", change)
    assert response.status_code == 201, response.text
    found = got(service, f"/fhir/Observation/{stored['id']}")
    assert (found["status"], found["meta"]["versionId"]) == ("amended", "2")


def test_a_result_that_becomes_final_is_final_and_not_amended(service: Service) -> None:
    stored = service.report({"ihc": "2+"})
    assert got(service, f"/fhir/Observation/{stored['id']}")["status"] == "preliminary"
    change = {"changes": CASE, "name": "A", "role": "pathologist", "reason": "ISH came"}
    response = service.post(f"/results/{stored['id']}/amendments", change)
    assert response.status_code == 201, response.text
    assert got(service, f"/fhir/Observation/{stored['id']}")["status"] == "final"


def test_the_report_is_final_once_it_is_signed(service: Service) -> None:
    stored = service.report({"ihc": "3+"})
    assert got(service, f"/fhir/DiagnosticReport/{stored['id']}")["status"] == "preliminary"
    response = service.post(f"/results/{stored['id']}/sign-offs", {"name": "A", "role": "pathologist"})
    assert response.status_code == 201, response.text
    assert got(service, f"/fhir/DiagnosticReport/{stored['id']}")["status"] == "final"


def test_another_organisation_finds_nothing(start: Any, shared_url: str) -> None:
    north, south = start(shared_url, "north"), start(shared_url, "south")
    stored = north.report(CASE)
    assert south.get(f"/fhir/Observation/{stored['id']}").status_code == 404
    assert south.get(f"/fhir/Patient/{stored['patient_id']}/$everything").status_code == 404


def test_metadata_tells_what_is_there(service: Service) -> None:
    told = got(service, "/fhir/metadata")
    paths = {path for path in service.get("/openapi.json").json()["paths"] if path.startswith("/fhir")}
    operations = {each["name"] for each in told["rest"][0]["operation"]}
    assert {f"/fhir/${each}" for each in operations} <= paths
    assert told["implementation"]["url"] == "http://herald.test/fhir"
