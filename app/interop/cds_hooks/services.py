"""What discovery tells of the services, and the templates by which an EHR sends data before it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

PATIENT, OBSERVATIONS, CONDITIONS = "patient", "observations", "conditions"
_ID = "{{context.patientId}}"


@dataclass(frozen=True, slots=True)
class Service:
    """A CDS service: its id, the hook that calls it, and what it is, for the person who connects it."""

    id: str
    hook: str
    title: str
    description: str


SERVICES = {
    each.id: each
    for each in (
        Service(
            "her2-patient-view",
            "patient-view",
            "HER2: what is new or open",
            "Tells what is open, contradictory, changed or not yet confirmed about this patient's HER2 result, and a "
            "HER2-low class. No card where nothing has to be done or known.",
        ),
        Service(
            "her2-order-select",
            "order-select",
            "HER2: the evidence beside an order",
            "When an endocrine, anti-HER2 or CDK4/6 agent is selected: the HER2 result, whether it is final, and what "
            "the evidence says for and against in this patient. No advice, no dose, no order.",
        ),
    )
}


def prefetch_templates(codes: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The prefetch templates of every service. codes: (system, code) of the Observations that are read."""
    tokens = ",".join(f"{system}|{code}" for system, code in codes)
    return {
        PATIENT: f"Patient/{_ID}",
        OBSERVATIONS: f"Observation?patient={_ID}&code={tokens}",
        CONDITIONS: f"Condition?patient={_ID}&category=problem-list-item",
    }


def filled(template: str, patient_id: str) -> str:
    """A template for one patient: an address relative to the FHIR server. patient_id: a FHIR id."""
    return template.replace(_ID, patient_id)


def discovery(codes: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The answer of GET /cds-services."""
    templates = prefetch_templates(codes)
    return {
        "services": [
            {
                "hook": each.hook,
                "title": each.title,
                "description": each.description,
                "id": each.id,
                "prefetch": templates,
            }
            for each in SERVICES.values()
        ]
    }
