"""What CDS Hooks tests share: the specification's rules for an answer, and requests as EHRs send them.

The rules are those of cds-hooks.hl7.org/2.0, each with its heading, and know nothing of the code that writes cards.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

SERVER = "https://ehr.example.org/fhir"
PATIENT_VIEW, ORDER_SELECT = "/cds-services/her2-patient-view", "/cds-services/her2-order-select"

_CARD = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links",
    "extension",
}  # fmt: skip

_BEHAVIOURS = ("at-most-one", "any")
_SUGGESTION = {"label", "uuid", "isRecommended", "actions"}
# What a prefetch template may hold of the context of these two hooks.
_TOKEN = re.compile(r"\{\{(context\.(userId|patientId|encounterId)|user\w+Id)\}\}")


def _empty(value: Any, at: str) -> Iterator[str]:
    """JSON: "null, empty string, empty array and empty object SHALL NOT be used"; cards may be empty."""
    if value is None or value in ("", [], {}):
        if at != "cards":
            yield f"{at} is {value!r}"
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _empty(each, f"{at}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _empty(each, f"{at}[{number}]")


def _absolute(url: Any) -> bool:
    parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _link(link: dict[str, Any], at: str) -> Iterator[str]:
    """Link: label, url, type REQUIRED; appContext only with smart."""
    if not link.keys() <= {"label", "url", "type", "appContext", "autolaunchable"}:
        yield f"{at} has other members"
    if not isinstance(link.get("label"), str) or not _absolute(link.get("url")):
        yield f"{at} has no label or no absolute url"
    if link.get("type") not in ("absolute", "smart"):
        yield f"{at}.type"
    if "appContext" in link and (link["type"] != "smart" or not isinstance(link["appContext"], str)):
        yield f"{at}.appContext"


def _suggestion(suggestion: dict[str, Any], at: str) -> Iterator[str]:
    """Suggestion: label REQUIRED. Action: type and description REQUIRED."""
    if not isinstance(suggestion.get("label"), str) or not suggestion.keys() <= _SUGGESTION:
        yield f"{at}.label"
    for action in suggestion.get("actions", []):
        if action.get("type") not in ("create", "update", "delete") or not isinstance(action.get("description"), str):
            yield f"{at}.actions"


def _card(card: dict[str, Any], at: str) -> Iterator[str]:
    """Card Attributes: summary under 140 characters, indicator, source REQUIRED."""
    if not card.keys() <= _CARD:
        yield f"{at} has other members: {card.keys() - _CARD}"
    summary = card.get("summary")
    # counted as a browser counts
    if not isinstance(summary, str) or len(summary.encode("utf-16-le")) // 2 >= 140 or "\n" in summary:
        yield f"{at}.summary"
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield f"{at}.indicator"
    if not isinstance(card.get("detail", ""), str):
        yield f"{at}.detail"
    uuid.UUID(card["uuid"])  # feedback needs it
    source = card.get("source", {})
    if not isinstance(source.get("label"), str) or not source.keys() <= {"label", "url", "icon", "topic"}:
        yield f"{at}.source"
    if "url" in source and not _absolute(source["url"]):
        yield f"{at}.source.url"
    for name, coding in [("topic", source.get("topic", {})), *(("reason", each) for each in card["overrideReasons"])]:
        if coding.keys() != {"system", "code", "display"} or not all(isinstance(each, str) for each in coding.values()):
            yield f"{at}.{name}"
    if ("suggestions" in card or "selectionBehavior" in card) and card.get("selectionBehavior") not in _BEHAVIOURS:
        yield f"{at}.selectionBehavior"
    for number, suggestion in enumerate(card.get("suggestions", [])):
        yield from _suggestion(suggestion, f"{at}.suggestions[{number}]")
    for number, link in enumerate(card.get("links", [])):
        yield from _link(link, f"{at}.links[{number}]")


def broken_rules(answer: Any) -> list[str]:
    """Every rule of the specification that the answer of a service breaks."""
    if not isinstance(answer, dict) or not isinstance(answer.get("cards"), list):
        return ["cards is REQUIRED"]
    found = list(_empty(answer, ""))
    if not answer.keys() <= {"cards", "systemActions", "extension"}:
        found.append("other members")
    for number, card in enumerate(answer["cards"]):
        found += _card(card, f"cards[{number}]")
    ids = [each["uuid"] for each in answer["cards"]]
    return found if len(set(ids)) == len(ids) else [*found, "a uuid twice"]


def broken_discovery(answer: Any) -> list[str]:
    """Discovery: hook, description, id REQUIRED; prefetch an object of FHIR queries."""
    found = list(_empty(answer, "services"))
    for each in answer["services"]:
        if not {"hook", "description", "id"} <= each.keys():
            found.append("hook, description and id are REQUIRED")
        if not each.keys() <= {"hook", "title", "description", "id", "prefetch", "usageRequirements"}:
            found.append("other members")
        for key, query in each.get("prefetch", {}).items():
            if " " in query or query.startswith("/") or "{" in _TOKEN.sub("", query):
                found.append(key)
    called = [(each["id"], each["hook"]) for each in answer["services"]]
    if len(set(called)) < len(called):
        found.append("an id twice for one hook")
    return found


def observation(id: str, loinc: str, patient: str = "p1", **more: Any) -> dict[str, Any]:
    """A final Observation by a LOINC code, of specimen s1 unless told otherwise (None leaves a member out)."""
    told = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-11-18T09:30:00+01:00",
        "specimen": {"reference": "Specimen/s1"},
        **more,
    }
    return {name: value for name, value in told.items() if value is not None}


def ihc(score: str, id: str = "ihc", **more: Any) -> dict[str, Any]:
    return observation(id, "85319-2", valueString=score, **more)


def ratio(value: float, id: str = "ratio", **more: Any) -> dict[str, Any]:
    return observation(id, "49683-6", valueQuantity={"value": value}, **more)


def copies(value: float, id: str = "copies", **more: Any) -> dict[str, Any]:
    return observation(id, "74860-8", valueQuantity={"value": value}, **more)


def cells(value: int, id: str = "cells", **more: Any) -> dict[str, Any]:
    return observation(id, "62361-1", valueInteger=value, **more)


def oestrogen(word: str, id: str = "er", **more: Any) -> dict[str, Any]:
    return observation(id, "85337-4", valueString=word, **more)


def searchset(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"resource": each, "search": {"mode": "match"}} for each in resources]
    return {"resourceType": "Bundle", "type": "searchset", **({"entry": entries} if entries else {}), **more}


def patient_view(*observations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A patient-view request with these Observations prefetched."""
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/abc", "patientId": "p1"},
        "prefetch": {"observations": searchset(*observations)},
        **more,
    }


def order_select(drug: str, *observations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An order-select request with one draft order by its words."""
    order = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": drug},
        "subject": {"reference": "Patient/p1"},
    }
    context = {
        "userId": "Practitioner/abc",
        "patientId": "p1",
        "selections": ["MedicationRequest/r1"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]},
    }
    return {**patient_view(*observations), "hook": "order-select", "context": context, **more}


def as_text(answer: Any) -> str:
    return json.dumps(answer)
