"""What this service can do over FHIR, as a CapabilityStatement. It claims no implementation guide's."""

from __future__ import annotations

from typing import Any

FHIR_VERSION = "4.0.1"
# Of the statement, not of the answer: raised whenever something below changes.
DATE = "2026-11-25"
_DEFINITIONS = "http://hl7.org/fhir/OperationDefinition"
_VALIDATE = {"name": "validate", "definition": f"{_DEFINITIONS}/Resource-validate"}
_SIMPLE = (
    ("ihc", "string", "The IHC score: 0, 0+, 1+, 2+, 3+"),
    ("ratio", "string", "HER2/CEP17; a string or a decimal, digits kept"),
    ("copies", "string", "HER2 signals per cell, average"),
    ("cep17", "string", "CEP17 signals per cell, average"),
    ("cells", "string", "Cells counted"),
    ("edition", "string", "The edition of the guideline"),
)
_ANSWERED = (
    ("status", "code", 1),
    ("final", "boolean", 1),
    ("her2Low", "code", 0),
    ("ishGroup", "integer", 0),
    ("summary", "string", 1),
    ("observation", "Observation", 1),
    ("problems", "OperationOutcome", 0),
)


def capability_statement(base: str, version: str) -> dict[str, Any]:
    """The statement. base: the address of the FHIR endpoint; version: of the software."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "Herald", "version": version},
        "implementation": {"description": "HER2 results in, HER2 status by ASCO/CAP out", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "contained": [_classify_her2()],
        "rest": [
            {
                "mode": "server",
                "documentation": "What is sent is kept as a message; results are made from it. Resources that only "
                "accompany a result are not kept as resources of their own.",
                "resource": [
                    _resource(
                        "Observation",
                        ["read", "create", "search-type"],
                        searchParam=[_search("patient", "reference"), _search("code", "token")],
                        operation=[_VALIDATE],
                    ),
                    _resource("DiagnosticReport", ["read", "create"]),
                    _resource(
                        "Patient",
                        ["read"],
                        operation=[{"name": "everything", "definition": f"{_DEFINITIONS}/Patient-everything"}],
                    ),
                    _resource("Specimen", ["read"]),
                ],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "operation": [_VALIDATE, {"name": "classify-her2", "definition": "#classify-her2"}],
            }
        ],
    }


def _resource(kind: str, interactions: list[str], **more: Any) -> dict[str, Any]:
    return {"type": kind, "interaction": [{"code": each} for each in interactions], "versioning": "versioned", **more}


def _search(name: str, kind: str) -> dict[str, str]:
    return {"name": name, "definition": f"http://hl7.org/fhir/SearchParameter/clinical-{name}", "type": kind}


def _classify_her2() -> dict[str, Any]:
    given = [_parameter(name, "in", kind, 0, told) for name, kind, told in _SIMPLE]
    resources = "Observations of one specimen, or a Bundle of them"
    return {
        "resourceType": "OperationDefinition",
        "id": "classify-her2",
        "name": "ClassifyHer2",
        "status": "active",
        "kind": "operation",
        "code": "classify-her2",
        "system": True,
        "type": False,
        "instance": False,
        "affectsState": False,
        "parameter": [
            {**_parameter("resource", "in", "Resource", 0, resources), "max": "*"},
            *given,
            *(_parameter(name, "out", kind, least) for name, kind, least in _ANSWERED),
        ],
    }


def _parameter(name: str, use: str, kind: str, least: int, told: str = "") -> dict[str, Any]:
    made = {"name": name, "use": use, "min": least, "max": "1", "type": kind}
    return {**made, "documentation": told} if told else made
