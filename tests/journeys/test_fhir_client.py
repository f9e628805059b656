"""A FHIR client library that is not ours reads over a real socket what we send."""

from __future__ import annotations

from pathlib import Path

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from tests.journeys.server import serve

REPORT = {
    "patient": "P-1",
    "laboratory": "North",
    "specimen": {"accession": "S26-1", "collected_at": "2026-01-05"},
    "ihc": "2+",
    "ish": {"ratio": "1.80", "her2_copies": "3.5", "cells": 40},
}


def test_a_client_library_finds_a_patients_status_and_follows_every_reference(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path / 'herald.sqlite3'}", tmp_path) as server:
        stored = server.http.post("/results", json=REPORT).json()
        client = SyncFHIRClient(f"http://127.0.0.1:{server.port}/fhir")
        search = client.resources("Observation").search(patient=stored["patient_id"], code="http://loinc.org|48676-1")
        (status,) = search.fetch_all()
        assert status["valueCodeableConcept"]["coding"][0]["code"] == "LA6577-6"
        assert status["subject"].to_resource()["identifier"][0]["value"] == "P-1"
        measured = [each.to_resource() for each in status["derivedFrom"]]
        assert [each["code"]["coding"][0]["code"] for each in measured] == ["85319-2", "49683-6", "74860-8"]
        report = client.reference("DiagnosticReport", stored["id"]).to_resource()
        assert report["specimen"][0].to_resource()["accessionIdentifier"]["value"] == "S26-1"
        whole = client.execute(f"Patient/{stored['patient_id']}/$everything", method="get")
        assert len(whole["entry"]) == len(["Patient", "Specimen", *status["derivedFrom"], "status", "report"])


def test_a_client_library_is_told_what_is_wrong_and_classifies(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path / 'herald.sqlite3'}", tmp_path) as server:
        client = SyncFHIRClient(f"http://127.0.0.1:{server.port}/fhir")
        with pytest.raises(OperationOutcome, match="there is no such parameter"):
            client.resources("Observation").search(patient="p", subject="q").fetch()
        with pytest.raises(ResourceNotFound):
            client.reference("Observation", "none").to_resource()
        told = client.execute(
            "$classify-her2",
            data={"resourceType": "Parameters", "parameter": [{"name": "ihc", "valueString": "3+"}]},
        )
        assert told["parameter"][0] == {"name": "status", "valueCode": "positive"}
