"""Sample messages, as bytes and as documents that a test may change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.interop.fhir.reading import read
from app.interop.received import Item, Received

SAMPLES = Path(__file__).parent / "samples"
NAMES = tuple(sorted(path.stem for path in SAMPLES.glob("*.json")))
LOINC = "http://loinc.org"


def raw(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(raw(name))
    return document


def as_bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


def observation(code: str = "85319-2", **more: Any) -> dict[str, Any]:
    """A final Observation of one LOINC code."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        **more,
    }


def bundle(*resources: Any, kind: str = "collection") -> dict[str, Any]:
    """A Bundle of resources; a pair is a fullUrl and its resource."""
    entries = [
        {"fullUrl": each[0], "resource": each[1]} if isinstance(each, tuple) else {"resource": each}
        for each in resources
    ]
    if kind in ("transaction", "batch"):
        for entry in entries:
            entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def reading(document: Any) -> Received:
    return read(as_bytes(document), "lab")


def only(received: Received) -> Item:
    """The one item of a message."""
    (report,) = received.reports
    (item,) = report.items
    return item


def told(problems: Any) -> list[tuple[str, str]]:
    return [(each.code, each.field) for each in problems]
