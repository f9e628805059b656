"""Stored results as documents: what lists, timelines and answers show."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain import codes
from app.records.rows import Act, Classification, Link, Move, ResultDetail, ResultView, Step, Timeline, VersionDetail
from app.services.documents import differences

# Who usually does a step: told in the list of open steps, changed by nobody's decision but the laboratory's.
WHO = {
    "verify_data": "laboratory",
    "complete_missing_ish_values": "laboratory",
    "count_more_cells": "laboratory",
    "perform_ihc_or_ish": "laboratory",
    "reflex_ish_or_new_specimen": "laboratory",
    "perform_ihc_same_tissue": "laboratory",
    "perform_ihc_or_dual_probe": "laboratory",
    "perform_dual_probe": "laboratory",
    "blinded_recount_ihc2_area": "second observer",
    "adjudicate_ish_category": "pathologist",
    "concomitant_ihc_review": "pathologist",
    "resolve_equivocal_ish": "laboratory",
    "review_discordance": "pathologist",
    "repeat_or_new_specimen": "laboratory",
}
CONFIRMED, COMPUTED, NOT_USED = "confirmed", "computed, not yet confirmed", "computed; this laboratory uses no sign-off"


def confirmation(signed: bool, sign_off: bool) -> str:
    """How far a person stands behind an answer, in words shown wherever it is."""
    return CONFIRMED if signed else COMPUTED if sign_off else NOT_USED


def result_document(
    document: Mapping[str, Any], answer: Mapping[str, Any], laboratory: str | None, *, sign_off: bool
) -> dict[str, Any]:
    """A result that is not stored (a dry run), in the shape of a stored one."""
    return {
        "id": None,
        "version": None,
        "patient_id": None,
        "created_at": None,
        "version_created_at": None,
        "cause": "reported",
        "laboratory": laboratory,
        "input": document,
        "classification": answer,
        "signed": False,
        "confirmation": confirmation(False, sign_off),
        "acts": [],
        "open_steps": [],
    }


def summary_document(detail: ResultDetail, *, sign_off: bool) -> dict[str, Any]:
    """A stored result at its newest version, with acts and open steps."""
    view = detail.view
    return {
        **_head(view, sign_off),
        "input": json.loads(view.version.document) if view.version.document else None,
        "classification": _answer(view.classification),
        "acts": [act_document(act) for act in detail.acts],
        "open_steps": [step_document(step) for step in detail.open_steps],
    }


def row_document(view: ResultView, *, sign_off: bool) -> dict[str, Any]:
    """A stored result as a row of a list: no input, the answer in short."""
    version, told = view.version, view.classification
    return {
        **_head(view, sign_off),
        "accession": version.accession,
        "block": version.block,
        "collected_at": _time(version.collected_at),
        "reported_at": _time(version.reported_at),
        "edition": told.edition_id if told else None,
        "status": told.status if told else None,
        "final": told.final if told else None,
        "ish_group": told.ish_group if told else None,
        "her2_low": told.her2_low if told else None,
        "review_required": told.review_required if told else None,
    }


def _head(view: ResultView, sign_off: bool) -> dict[str, Any]:
    return {
        "id": view.id,
        "version": view.version.number,
        "patient_id": view.patient_id,
        "created_at": _time(view.created_at),
        "version_created_at": _time(view.version.created_at),
        "cause": view.version.cause,
        "laboratory": view.version.laboratory,
        "signed": view.signed,
        "confirmation": confirmation(view.signed, sign_off),
    }


def act_document(act: Act) -> dict[str, Any]:
    """What a person did."""
    return {
        "kind": act.kind,
        "name": act.person_name,
        "role": act.person_role,
        "meaning": act.meaning,
        "reason": act.reason,
        "detail": json.loads(act.detail) if act.detail else None,
        "performed_at": _time(act.performed_at),
        "recorded_at": _time(act.recorded_at),
    }


def step_document(step: Step) -> dict[str, Any]:
    """A step that an answer waits for, or waited for."""
    entry = codes.NEXT_STEPS.get(step.awaited)
    return {
        "id": step.id,
        "result_id": step.result_id,
        "awaited": step.awaited,
        "text": entry.text if entry else step.awaited,
        "since": _time(step.since),
        "due_at": _time(step.due_at),
        "who": step.who,
        "closed_at": _time(step.closed_at),
        "closed_cause": step.closed_cause,
    }


def history_document(versions: tuple[VersionDetail, ...], *, sign_off: bool) -> list[dict[str, Any]]:
    """Every version, oldest first: who and why, and field by field what changed since the one before."""
    told: list[dict[str, Any]] = []
    before: Any = None
    for detail in versions:
        version = detail.version
        document = json.loads(version.document) if version.document else None
        current, signed = detail.current, detail.is_signed()
        told.append(
            {
                "version": version.number,
                "created_at": _time(version.created_at),
                "cause": version.cause,
                "name": version.person_name,
                "role": version.person_role,
                "reason": version.reason,
                "laboratory": version.laboratory,
                "digest": version.digest,
                "input": document,
                "changes": list(differences(before, document)) if before is not None and document is not None else [],
                "classification": _answer(current),
                "re_evaluations": [
                    {"created_at": _time(each.created_at), "classification": _answer(each)}
                    for each in detail.classifications
                    if each.purpose != "current"
                ],
                "signed": signed,
                "confirmation": confirmation(signed, sign_off),
                "acts": [act_document(act) for act in detail.acts],
                "open_steps": [step_document(step) for step in detail.steps],
            }
        )
        before = document
    return told


def timeline_document(timeline: Timeline, *, sign_off: bool) -> dict[str, Any]:
    """A patient's results over specimens, oldest first, with each change of status between them named."""
    results = [row_document(view, sign_off=sign_off) for view in timeline.results]
    changes = [
        {
            "field": field,
            "from": before[field],
            "to": after[field],
            "from_result": before["id"],
            "to_result": after["id"],
            "at": after["collected_at"] or after["reported_at"] or after["created_at"],
            "both_final": bool(before["final"] and after["final"]),
            "text": f"{_word(field)} changed from {before[field]} to {after[field]}",
        }
        for before, after in itertools.pairwise(results)
        for field in ("status", "her2_low")
        if before[field] != after[field]
    ]
    asked, survivor = timeline.asked_id, timeline.patient_id
    return {
        "patient_id": survivor,
        "asked_patient_id": asked,
        "patient_ids": list(timeline.patient_ids),
        "note": None
        if asked == survivor
        else f"Patient {asked} was merged into patient {survivor}, whose timeline this is.",
        "results": results,
        "changes": changes,
        "moves": [_move_document(move, timeline.patient_ids) for move in timeline.moves],
        "links": [_link_document(link) for link in timeline.links],
    }


def _move_document(move: Move, here: Sequence[str]) -> dict[str, Any]:
    """A move as one timeline tells it; the other patient is named by Herald's id alone."""
    left, came = move.from_patient_id, move.to_patient_id
    if left in here and came in here:
        text = f"moved from patient {left} to patient {came}, who stand together"
    else:
        text = f"came from patient {left}" if came in here else f"moved to patient {came}"
    told = {"result_id": move.result_id, "from_patient_id": left, "to_patient_id": came}
    return {**told, **_decided(move), "text": f"Result {move.result_id} {text}"}


def _link_document(link: Link) -> dict[str, Any]:
    done = "was merged into" if link.kind == "merge" else "was taken out again of"
    told = {"kind": link.kind, "patient_id": link.patient_id, "into_patient_id": link.into_patient_id}
    return {**told, **_decided(link), "text": f"Patient {link.patient_id} {done} patient {link.into_patient_id}"}


def _decided(fact: Move | Link) -> dict[str, Any]:
    who = {"name": fact.person_name, "role": fact.person_role, "reason": fact.reason}
    return {"at": _time(fact.created_at), **who}


def _word(field: str) -> str:
    return "HER2 status" if field == "status" else "HER2-low class"


def _answer(row: Classification | None) -> dict[str, Any] | None:
    """A stored answer exactly as it was given."""
    if row is None or row.answer is None:
        return None
    answer: dict[str, Any] = json.loads(row.answer)
    return answer


def _time(value: Any) -> str | None:
    return value.isoformat() if value is not None else None
