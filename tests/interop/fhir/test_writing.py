"""A stored result as resources: valid R4, the elements that mCODE and US Core ask for, digits as they were received."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.domain.codes import FLAGS, MESSAGE_PROBLEMS, SHAPE_PROBLEMS
from app.domain.problems import Problem
from app.domain.strict_json import write
from app.interop.fhir import writing
from app.interop.fhir.capability import capability_statement
from app.interop.fhir.outcome import operation_outcome, problem_issues
from app.interop.fhir.reading import read
from app.services.assessment import assess
from app.services.views import result_document

BASE = "https://herald.example/fhir"
ID = "0198c0de-0000-7000-8000-000000000000"
MARKER_TEST = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-tumor-marker-test"
SPECIMEN = {
    "accession": "S26-1",
    "block": "A1",
    "procedure": "core",
    "site": "left breast",
    "collected_at": "2026-01-05",
}
CASES: dict[str, dict[str, Any]] = {
    "positive": {"ihc": "3+"},
    "negative": {"ihc": {"score": "2+", "clone": "4B5"}, "ish": {"ratio": "1.80", "her2_copies": "3.5", "cells": 40}},
    "equivocal": {"ihc": "2+"},
    "indeterminate": {"ihc": "indeterminate"},
    "pending": {"ratio": "2.50", "copies": "3.0"},
    "invalid": {"ratio": "2.5", "ish": {"her2_copies": "2.0", "cep17_copies": "3.0"}},
    "interval": {"ratio": "<2.0", "copies": "4.0 - 6.0"},
    "totals": {"ish": {"her2_signals": 799, "cep17_signals": 400, "cells": 200, "method": "FISH"}},
    "recount": {
        "ihc": "2+",
        "ish": {"ratio": "2.1", "her2_copies": "3.9", "cells": 40},
        "recount": {"ratio": "1.9", "her2_copies": "3.8", "cells": 40, "blinded": True},
    },
}


def stored(case: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A case as GET /results/{id} gives it."""
    document = {"specimen": SPECIMEN, **case}
    told = result_document(document, assess(document).answer, "North", sign_off=True)
    times = {"created_at": "2026-01-06T10:00:00+00:00", "version_created_at": "2026-01-07T10:00:00.123456+00:00"}
    return {**told, "id": ID, "version": 3, "patient_id": "p-1", **times, **more}


def resources(
    case: dict[str, Any], *, final_before: bool = False, awaits: bool = True, **more: Any
) -> list[dict[str, Any]]:
    """The resources as a reader gets them, numbers as text."""
    made = writing.resources_of(stored(case, **more), final_before=final_before, awaits_sign_off=awaits)
    return [json.loads(write(each), parse_float=str, parse_int=str) for each in made]


def named(found: list[dict[str, Any]], name: str = "", kind: str = "Observation") -> dict[str, Any]:
    """The resource whose id is the result's with a name."""
    (one,) = [each for each in found if (each["resourceType"], each["id"]) == (kind, ID + name)]
    return one


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_resource_is_valid_and_every_reference_resolves(case: dict[str, Any]) -> None:
    made = writing.resources_of(stored(case), final_before=False, awaits_sign_off=True)
    everything = writing.bundle(BASE, [writing.patient("p-1", [("urn:mrn", "7")]), *made])
    get_fhir_model_class("Bundle").model_validate_json(write(everything))
    present = {f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in everything["entry"]}
    assert set(references(everything)) <= present
    assert all(len(each["resource"]["id"]) <= 64 for each in everything["entry"])
    assert {each["fullUrl"] for each in everything["entry"]} == {
        f"https://herald.example/fhir/{each}" for each in present
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_claims_the_marker_profile_has_what_the_profile_asks_for(case: dict[str, Any]) -> None:
    claiming = [each for each in resources(case) if MARKER_TEST in each["meta"].get("profile", [])]
    for each in claiming:
        assert each["status"] in ("final", "preliminary", "amended")
        assert each["category"][0]["coding"][0]["code"] == "laboratory"
        assert each["code"]["coding"][0]["system"] == "http://loinc.org"
        assert each["subject"]["reference"] == "Patient/p-1"
        values = {name for name in each if name.startswith("value")}
        assert len(values) == 1
        assert values <= {"valueQuantity", "valueRatio", "valueString", "valueCodeableConcept"}


@pytest.mark.parametrize(
    ("name", "code", "display"),
    [
        ("positive", "LA6576-8", "Positive"),
        ("negative", "LA6577-6", "Negative"),
        ("equivocal", "LA11885-3", "Equivocal"),
        ("indeterminate", "LA11884-6", "Indeterminate"),
    ],
)
def test_a_status_of_the_guideline_is_a_conformant_marker_test(name: str, code: str, display: str) -> None:
    found = named(resources(CASES[name]))
    assert found["meta"]["profile"] == [MARKER_TEST]
    assert found["code"]["coding"][0]["code"] == "48676-1"
    assert found["valueCodeableConcept"]["coding"] == [{"system": "http://loinc.org", "code": code, "display": display}]
    assert found["effectiveDateTime"] == "2026-01-05"


@pytest.mark.parametrize(("name", "reason"), [("pending", "temp-unknown"), ("invalid", "unknown")])
def test_a_result_without_a_status_claims_no_profile_and_says_why(name: str, reason: str) -> None:
    found = named(resources(CASES[name]))
    assert "profile" not in found["meta"]
    assert not [each for each in found if each.startswith("value")]
    assert found["dataAbsentReason"]["coding"][0]["code"] == reason
    assert found["status"] == "preliminary"
    assert any("does not claim the mCODE profile" in each["text"] for each in found["note"])


@pytest.mark.parametrize(
    ("name", "measured", "value"),
    [
        ("negative", "-ish-ratio", {"value": "1.80"}),
        ("negative", "-ish-her2-copies", {"value": "3.5"}),
        ("pending", "-ish-ratio", {"value": "2.50"}),
        ("interval", "-ish-ratio", {"value": "2.0", "comparator": "<"}),
        ("recount", "-recount-ratio", {"value": "1.9"}),
    ],
)
def test_numbers_go_out_with_the_digits_they_came_in(name: str, measured: str, value: dict[str, str]) -> None:
    quantity = named(resources(CASES[name]), measured)["valueQuantity"]
    assert {key: each for key, each in quantity.items() if key in ("value", "comparator")} == value
    assert quantity["system"] == "http://unitsofmeasure.org"


def test_a_range_is_a_string_since_the_profile_knows_no_range() -> None:
    assert named(resources(CASES["interval"]), "-ish-her2-copies")["valueString"] == "4.0 - 6.0"


def test_a_score_is_an_answer_of_loincs_list_for_breast_and_for_any_tissue() -> None:
    found = named(resources(CASES["negative"]), "-ihc")
    assert found["code"]["coding"][0]["code"] == "85319-2"
    assert found["valueCodeableConcept"]["coding"][0]["code"] == "LA11842-4"
    assert found["method"]["text"] == "IHC, clone 4B5"
    elsewhere = {"ihc": "2+", "specimen": {"breast_carcinoma": False}}
    assert named(resources(elsewhere), "-ihc")["code"]["coding"][0]["code"] == "18474-7"


def test_the_classification_is_derived_from_its_inputs_and_the_report_holds_all() -> None:
    found = resources(CASES["negative"])
    derived = [each["reference"] for each in named(found)["derivedFrom"]]
    assert derived == [f"Observation/{ID}-{each}" for each in ("ihc", "ish-ratio", "ish-her2-copies")]
    report = named(found, kind="DiagnosticReport")
    assert [each["reference"] for each in report["result"]] == [f"Observation/{ID}", *derived]
    assert report["category"][0]["coding"][0]["code"] == "LAB"
    assert {"effectiveDateTime", "issued", "code", "subject", "conclusion"} <= report.keys()


def test_a_report_without_a_time_says_that_it_is_unknown() -> None:
    report = named(resources({"ihc": "3+", "specimen": {}}), kind="DiagnosticReport")
    assert report["_effectiveDateTime"]["extension"][0]["valueCode"] == "unknown"


def test_totals_have_no_code_so_a_note_tells_them() -> None:
    found = resources(CASES["totals"])
    assert [each["resourceType"] for each in found] == ["Specimen", "Observation", "DiagnosticReport"]
    assert any("her2 signals 799" in each["text"] for each in named(found)["note"])


def test_a_failed_assay_gives_no_numbers() -> None:
    found = resources({"ihc": "3+", "ish": {"failed": True, "ratio": "2.5"}})
    assert not [each for each in found if "ish" in each["id"]]


def test_the_notes_tell_summary_missing_low_versions_and_confirmation() -> None:
    texts = [each["text"] for each in named(resources(CASES["equivocal"]))["note"]]
    assert texts[0].startswith("HER2 equivocal")
    assert any(each.startswith("Missing: IHC 2+: ISH on the same specimen") for each in texts)
    assert "HER2-low: undetermined" in texts
    assert any(each.startswith("Edition asco-cap-2018+errata") and "engine" in each for each in texts)
    assert texts[-1] == "computed, not yet confirmed"


@pytest.mark.parametrize(
    ("case", "more", "observation", "report"),
    [
        ("positive", {"awaits": True}, "final", "preliminary"),
        ("positive", {"awaits": False}, "final", "final"),
        ("positive", {"awaits": False, "final_before": True}, "amended", "amended"),
        ("equivocal", {"awaits": False, "final_before": True}, "preliminary", "preliminary"),
    ],
)
def test_a_report_is_final_only_with_a_person_behind_it(
    case: str, more: dict[str, Any], observation: str, report: str
) -> None:
    found = resources(CASES[case], **more)
    assert (named(found)["status"], named(found, kind="DiagnosticReport")["status"]) == (observation, report)


def test_what_needs_a_review_is_preliminary_until_it_is_signed() -> None:
    discordant = {"ihc": "0", "ish": {"ratio": "3.0", "her2_copies": "6.5", "cells": 40}}
    assert assess(discordant).answer["review_required"]
    assert named(resources(discordant))["status"] == "preliminary"


def test_the_specimen_carries_accession_and_block_so_that_it_is_read_back() -> None:
    specimen = named(resources(CASES["positive"]), "-specimen", "Specimen")
    assert specimen["accessionIdentifier"]["value"] == "S26-1"
    made = writing.resources_of(stored(CASES["negative"]), final_before=False, awaits_sign_off=True)
    collection = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in made]}
    received = read(write(collection), "herald")
    (report,) = received.reports
    assert received.problems == ()
    assert (report.accession, report.block, report.collected_at) == ("S26-1", "A1", "2026-01-05")
    assert [item.values[0].number for item in report.items] == ["", "1.80", "3.5", ""]
    assert not [problem for item in report.items for problem in item.problems]


def test_content_erased_by_order_gives_no_resource() -> None:
    assert resources(CASES["positive"], input=None, classification=None) == []


@pytest.mark.parametrize("code", sorted({*MESSAGE_PROBLEMS, *SHAPE_PROBLEMS, *FLAGS}))
def test_every_code_is_a_valid_issue(code: str) -> None:
    listed = {
        "invalid", "structure", "required", "value", "invariant", "not-supported", "conflict", "multiple-matches",
        "code-invalid", "business-rule", "exception",
    }  # fmt: skip
    outcome = operation_outcome(problem_issues([Problem(code, "Bundle.entry[0].resource", "is wrong", "mend it")]))
    get_fhir_model_class("OperationOutcome").model_validate(outcome)
    (issue,) = outcome["issue"]
    assert issue["code"] in listed
    assert issue["expression"] == ["Bundle.entry[0].resource"]


def test_the_capability_statement_is_valid_and_claims_no_guide() -> None:
    told = capability_statement("https://herald.example/fhir", "1.0")
    get_fhir_model_class("CapabilityStatement").model_validate(told)
    assert told["fhirVersion"] == "4.0.1"
    assert "instantiates" not in told
    assert "implementationGuide" not in told
