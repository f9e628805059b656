"""The case page's content: what the EHR's Observations give, beside what Herald has on record of this patient."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from app.interop.cds_hooks.request import HookRequest, Prefetched, identifiers_of, is_of, is_whole
from app.interop.cds_hooks.services import PATIENT
from app.services import finding
from app.services.ehr import Access
from app.services.ehr_results import Found, found_in
from app.services.errors import Refusal
from app.services.reporting import Context
from app.web.smart.trouble import Trouble

# What has a name in smart.toml, in the order of the page.
_NAMED = (
    "ihc.score", "ihc.percent", "ish.ratio", "ish.her2_copies", "ish.cep17_copies", "ish.cells", "ish.method",
)  # fmt: skip
_SECONDS = 10.0  # a person waits, where a card may not


@dataclass(frozen=True, slots=True)
class Session:
    """A patient's record open in one tab. until: Unix seconds; patient: the EHR's id; app_context: of a card."""

    iss: str
    patient: str
    user: str
    token: str
    until: int
    app_context: str = ""


async def read_case(request: Request, session: Session) -> dict[str, Any]:
    """The parts of the page. Raises Trouble where the EHR does not give the patient or the Observations."""
    state = request.app.state
    at = datetime.now(UTC)
    whose = f"patient={session.patient}"
    given = await state.ehr.read(
        Access(session.iss, session.token),
        {
            "patient": f"Patient/{session.patient}",
            "observations": f"Observation?{whose}",
            "conditions": f"Condition?{whose}",
        },
        seconds=_SECONDS,
    )
    patient, observations = given.get("patient"), given.get("observations")
    if not _is(patient, "Patient") or not _is(observations, "Bundle"):
        raise Trouble("unread", 502)
    if patient.get("id") != session.patient:
        raise Trouble("other_patient", 502)
    bundles = [each for each in (observations, given.get("conditions")) if _is(each, "Bundle")]
    resources = list(_own(bundles, session))
    found = await run_in_threadpool(found_in, state.intake.preview, resources, {})
    stored = await run_in_threadpool(_stored, state.context, _identities(patient, session))
    return {
        "at": at,
        "patient": {"name": _name(patient), "birth_date": patient.get("birthDate")},
        "found": found,
        "incomplete": not all(map(is_whole, bundles)),
        "no_conditions": not _is(given.get("conditions"), "Bundle"),
        "stored": stored,
        "values": [_values(each.document) for each in found],
        "answers": _answers(found, stored),
        "card": _card(session.app_context, stored),
    }


def _is(resource: Any, kind: str) -> bool:
    return isinstance(resource, dict) and resource.get("resourceType") == kind


def _own(bundles: Iterable[Mapping[str, Any]], session: Session) -> Iterator[Mapping[str, Any]]:
    """The resources found, each of this patient; one of another patient is a fault of the server, and nothing shown."""
    for bundle in bundles:
        for entry in bundle.get("entry") or ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict) or resource.get("resourceType") == "OperationOutcome":
                continue
            if not is_of(resource, session.patient, session.iss):
                raise Trouble("other_patient", 502)
            yield resource


def _identities(patient: Mapping[str, Any], session: Session) -> tuple[tuple[str, str], ...]:
    """By which identifiers this patient may be on record: the same by which cards look."""
    return identifiers_of(HookRequest("", session.patient, session.iss, prefetch={PATIENT: Prefetched((patient,))}))


def _stored(context: Context, identities: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The timelines on record under these identifiers, one for each of Herald's patients."""
    found: dict[str, dict[str, Any]] = {}
    for system, value in identities:
        try:
            timeline = finding.find_timeline(context, value, system)
        except Refusal as refused:
            if refused.kind != "not_found":
                raise
            continue
        found.setdefault(timeline["patient_id"], timeline)
    return list(found.values())


def _answers(found: tuple[Found, ...], stored: list[dict[str, Any]]) -> dict[str, list[tuple[str, bool]]]:
    """The different (status, final) on record and by the EHR, in order, to be compared."""
    recorded = [(row["status"], row["final"]) for each in stored for row in each["results"] if row["status"]]
    read = [(each.answer["status"], each.answer["final"]) for each in found]
    return {"stored": list(dict.fromkeys(recorded)), "ehr": list(dict.fromkeys(read))}


def _values(document: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """The scores and counts that were read with the digits that were sent: path in the case document, value, named?"""
    found = [
        (f"{block}.{name}", str(value))
        for block in ("ihc", "ish")
        for name, value in (document.get(block) or {}).items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    ]
    places = {path: at for at, path in enumerate(_NAMED)}
    found.sort(key=lambda each: places.get(each[0], len(places)))
    return [(path, value, path in places) for path, value in found]


def _card(told: str, stored: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The stored result that the card was about (appContext of Herald's cards: {"result": id}), if it is theirs."""
    try:
        asked = json.loads(told) if told else None
    except ValueError:
        return None
    result = asked.get("result") if isinstance(asked, dict) else None
    if result is None:
        return None
    rows = [row for each in stored for row in each["results"] if row["id"] == result]
    return {"row": rows[0] if rows else None}


def _name(patient: Mapping[str, Any]) -> str:
    """The name in use, as the EHR writes it; "" where it gives none."""
    names = [each for each in patient.get("name") or () if isinstance(each, dict) and each.get("use") != "old"]
    names.sort(key=lambda each: {"usual": 0, "official": 1}.get(str(each.get("use")), 2))
    for each in names:
        given = each.get("given") or []
        text = str(each.get("text") or " ".join(map(str, [*given, each.get("family") or ""])).strip())
        if text:
            return text
    return ""
