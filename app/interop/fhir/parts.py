"""What the resources of a result have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Resource = dict[str, Any]
MARKER_TEST = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-tumor-marker-test"
RESULT_ID = "urn:herald:result"


def coded(system: str, code: str, display: str) -> Resource:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code, "display": display}]}


CATEGORY = [coded("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory", "Laboratory")]


def meta(result: Mapping[str, Any], profiles: list[str]) -> Resource:
    """Version and time of the result's version that a resource was made from."""
    told = {"versionId": str(result["version"]), "lastUpdated": result["version_created_at"]}
    return {**told, "profile": profiles} if profiles else told


def about(result: Mapping[str, Any]) -> Resource:
    """Whose result it is, of which specimen, by whom."""
    laboratory = result["laboratory"]
    return {
        **({"subject": {"reference": f"Patient/{result['patient_id']}"}} if result["patient_id"] else {}),
        **({"performer": [{"type": "Organization", "display": laboratory}]} if laboratory else {}),
        "specimen": {"reference": f"Specimen/{result['id']}-specimen"},
    }


def effective(document: Mapping[str, Any]) -> Resource:
    """When the tissue was taken, which is the time that a result is about."""
    told = (document.get("specimen") or {}).get("collected_at")
    return {"effectiveDateTime": told} if told else {}


def reference(resource: Resource) -> Resource:
    """A Reference to a resource of this service."""
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}
