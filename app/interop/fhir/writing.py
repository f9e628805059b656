"""A stored result as FHIR R4 resources: the classification by mCODE STU4, what it was made from, specimen and report.

A status that the guideline gives is a tumour marker test of mCODE. One without a value (pending, invalid) is not, since
the profile asks for value[x] exactly once: it then claims no profile and says why the value is absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.interop.fhir.inputs import input_observations, totals_of
from app.interop.fhir.parts import (
    CATEGORY,
    MARKER_TEST,
    RESULT_ID,
    Resource,
    about,
    coded,
    effective,
    meta,
    reference,
)  # fmt: skip
from app.interop.received import LOINC, SNOMED

HER2_STATUS = ("48676-1", "HER2 [Interpretation] in Tissue")
ANSWERS = {
    "positive": ("LA6576-8", "Positive"),
    "negative": ("LA6577-6", "Negative"),
    "equivocal": ("LA11885-3", "Equivocal"),
    "indeterminate": ("LA11884-6", "Indeterminate"),
}
# A pending status is awaited; an invalid one is not known.
_ABSENT = {"pending": ("temp-unknown", "Temporarily Unknown"), "invalid": ("unknown", "Unknown")}
_ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_PROFILES = "http://hl7.org/fhir/us/core/StructureDefinition"
_UNKNOWN = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}


def resources_of(result: Mapping[str, Any], *, final_before: bool, awaits_sign_off: bool) -> list[Resource]:
    """The resources of a stored result (GET /results/{id}): Specimen, Observations, DiagnosticReport.

    final_before: whether an earlier version was final, so that a final one now is amended; awaits_sign_off: whether a
    person still has to confirm it. Content erased by order gives no resource.
    """
    answer = result["classification"]
    if answer is None or result["input"] is None:
        return []
    inputs = input_observations(result)
    classified = _classified(result, answer, inputs, final_before)
    return [_specimen(result), *inputs, classified, _report(result, inputs, classified, awaits_sign_off)]


def observation_of(result: Mapping[str, Any]) -> Resource:
    """The classification of a result that is not stored: of nobody, without an id, so it claims no profile."""
    made = _classified(result, result["classification"], (), False)
    return {name: each for name, each in made.items() if name not in ("id", "meta", "identifier", "issued", "specimen")}


def patient(id: str, identifiers: Sequence[tuple[str, str]]) -> Resource:
    """A patient as far as known here: the identifiers that results came with."""
    told = [{"system": system, "value": value} for system, value in identifiers]
    return {"resourceType": "Patient", "id": id, **({"identifier": told} if told else {})}


def bundle(base: str, resources: Sequence[Resource], included: Sequence[Resource] = ()) -> Resource:
    """A searchset of what was asked for and of what that refers to; base: the address of the FHIR endpoint."""
    entries = [
        {
            "fullUrl": f"{base}/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": mode},
        }
        for mode, listed in (("match", resources), ("include", included))
        for each in listed
    ]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        **({"entry": entries} if entries else {}),
    }


def _classified(
    result: Mapping[str, Any], answer: Mapping[str, Any], inputs: Sequence[Resource], final_before: bool
) -> Resource:
    status = answer["status"]
    conforms = status in ANSWERS and result["patient_id"] is not None
    return {
        "resourceType": "Observation",
        "id": result["id"],
        "meta": meta(result, [MARKER_TEST] if conforms else []),
        "identifier": [{"system": RESULT_ID, "value": result["id"]}],
        "status": _status(result, answer, final_before),
        "category": CATEGORY,
        "code": coded(LOINC, *HER2_STATUS),
        **about(result),
        **effective(result["input"]),
        "issued": result["version_created_at"],
        **_value(status),
        "note": [{"text": text} for text in notes(result, answer)],
        "method": {"text": f"{answer['edition']['title']}, computed by Herald {answer['engine']}"},
        **({"derivedFrom": [reference(each) for each in inputs]} if inputs else {}),
    }


def _status(result: Mapping[str, Any], answer: Mapping[str, Any], final_before: bool) -> str:
    """Final where the guideline asks for nothing more and no person still has to look at it."""
    if not answer["final"] or (answer["review_required"] and not result["signed"]):
        return "preliminary"
    return "amended" if final_before else "final"


def _value(status: str) -> Resource:
    if status in ANSWERS:
        return {"valueCodeableConcept": coded(LOINC, *ANSWERS[status])}
    return {"dataAbsentReason": coded(_ABSENT_REASON, *_ABSENT[status])}


def notes(result: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    """For a reader: the summary, what is missing, HER2-low, comments and flags, by what, and how far confirmed."""
    yield answer["summary"]
    texts = answer["texts"]
    if answer["status"] not in ANSWERS:
        yield "No value: the result has no status yet, so it does not claim the mCODE profile, which asks for one."
    if not answer["final"]:
        for code in answer["next_steps"]:
            yield f"Missing: {texts[code]}"
    yield f"HER2-low: {answer['her2_low']}"
    for code in (answer["comment"], *answer["report_notes"], *answer["flags"]):
        if code:
            yield f"{code}: {texts[code]}"
    yield from totals_of(result)
    edition = answer["edition"]
    yield f"Edition {edition['version']}, engine {answer['engine']}"
    yield str(result["confirmation"])


def _specimen(result: Mapping[str, Any]) -> Resource:
    told = result["input"].get("specimen") or {}
    collection: Resource = {}
    if told.get("collected_at"):
        collection["collectedDateTime"] = told["collected_at"]
    if told.get("procedure"):
        collection["method"] = {"text": told["procedure"]}
    if told.get("site"):
        collection["bodySite"] = {"text": told["site"]}
    block = {"identifier": [{"value": told.get("block")}], "type": coded(SNOMED, "434464009", "Tissue cassette")}
    tissue = coded("http://terminology.hl7.org/CodeSystem/v2-0487", "TISS", "Tissue")
    return {
        "resourceType": "Specimen",
        "id": f"{result['id']}-specimen",
        "meta": meta(result, ["http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-human-specimen"]),
        **({"accessionIdentifier": {"value": told["accession"]}} if told.get("accession") else {}),
        "type": tissue,
        **({"subject": {"reference": f"Patient/{result['patient_id']}"}} if result["patient_id"] else {}),
        **({"collection": collection} if collection else {}),
        **({"container": [block]} if told.get("block") else {}),
    }


def _report(
    result: Mapping[str, Any], inputs: Sequence[Resource], classified: Resource, awaits_sign_off: bool
) -> Resource:
    """A laboratory report of US Core. Unlike an Observation it is final only once a person stands behind it."""
    told = about(result)
    told["specimen"] = [told["specimen"]]
    return {
        "resourceType": "DiagnosticReport",
        "id": result["id"],
        "meta": meta(result, [f"{_PROFILES}/us-core-diagnosticreport-lab"] if result["patient_id"] else []),
        "identifier": [{"system": RESULT_ID, "value": result["id"]}],
        "status": "preliminary" if awaits_sign_off else classified["status"],
        "category": [coded("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", "Laboratory")],
        "code": coded(LOINC, *HER2_STATUS),
        **told,
        # The profile asks for a time: where none is known it says so.
        **(effective(result["input"]) or {"_effectiveDateTime": {"extension": [_UNKNOWN]}}),
        "issued": result["version_created_at"],
        "result": [reference(each) for each in (classified, *inputs)],
        "conclusion": result["classification"]["summary"],
    }
