"""The invented patients of the simulated EHR, as FHIR R4; numbers are decimals so that each digit is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
MRN = "urn:oid:2.999.1.1"
_NAMES = {
    "85319-2": "HER2 [Presence] in Breast cancer specimen by Immune stain",
    "49683-6": "ERBB2 gene copy number/Chromosome 17 copy number in Tissue by FISH",
    "74860-8": "ERBB2 gene copy number/nucleus in Tissue by FISH",
    "74861-6": "Chromosome 17 copy number/nucleus in Tissue by FISH",
    "62361-1": "Cells counted",
    "85337-4": "Estrogen receptor Ag [Presence] in Breast cancer specimen by Immune stain",
}
_SCORES = {"0": "LA6111-4", "1+": "LA11841-6", "2+": "LA11842-4", "3+": "LA11843-2"}


def _patient(id: str, given: str, family: str, born: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "id": id, "birthDate": born, "gender": "female",
        "identifier": [{"use": "usual", "system": MRN, "value": f"MRN-{id}"}],
        "name": [{"use": "official", "given": [given], "family": family}],
    }  # fmt: skip


PATIENTS = {
    "mara": _patient("mara", "Mara", "Testperson", "1961-04-02"),
    "ines": _patient("ines", "Ines", "Sampleton", "1974-11-19"),
    "olga": _patient("olga", "Olga", "Beispielova", "1968-02-11"),
    "ruth": _patient("ruth", "Ruth", "Exampleby", "1955-07-30"),
}
# patient -> specimen -> what was found, by LOINC code; a text is an answer, a decimal a quantity
_FOUND: dict[str, dict[str, dict[str, str | Decimal]]] = {
    "mara": {
        "S26-0412-A": {
            "85319-2": "2+", "49683-6": Decimal("1.80"), "74860-8": Decimal("3.10"), "74861-6": Decimal("1.72"),
            "62361-1": Decimal("40"),
        }
    },
    "ines": {"S26-0733-B": {"85319-2": "3+"}},
    "olga": {"S25-1180-A": {"85319-2": "1+"}, "S26-0901-C": {"85319-2": "2+"}},
    "ruth": {},
}  # fmt: skip


def resources(patient: str, kind: str) -> list[dict[str, Any]]:
    """A patient's resources of one kind."""
    if kind == "Condition":
        return [_cancer(patient)]
    if kind != "Observation":
        return []
    return [
        _observation(patient, specimen, code, value)
        for specimen, found in _FOUND[patient].items()
        for code, value in found.items()
    ]


def _observation(patient: str, specimen: str, code: str, value: str | Decimal) -> dict[str, Any]:
    if isinstance(value, str):
        told: dict[str, Any] = {
            "valueCodeableConcept": {
                "coding": [{"system": LOINC, "code": _SCORES[value], "display": value}],
                "text": value,
            }
        }
    else:
        told = {"valueQuantity": {"value": value}}
    return {
        "resourceType": "Observation", "id": f"{patient}-{specimen}-{code}", "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
        ],
        "code": {"coding": [{"system": LOINC, "code": code, "display": _NAMES[code]}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-03-12T10:20:00+01:00",
        "issued": "2026-03-17T15:05:00+01:00",
        "specimen": {"identifier": {"system": "urn:oid:2.999.1.2", "value": specimen}, "display": specimen},
        **told,
    }  # fmt: skip


def _cancer(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition", "id": f"{patient}-c50",
        "code": {"coding": [{"system": SNOMED, "code": "254837009", "display": "Malignant neoplasm of breast"}]},
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip
