"""Find: results, histories, timelines and open steps; replay and re-evaluation of what is stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app import ENGINE_VERSION
from app.domain.problems import Problem, shown
from app.domain.reading import is_text, moment
from app.records.errors import BadCursor, NotFound, Unavailable, Unstorable
from app.records.queries import Reading
from app.records.rows import Classification, Identity, ResultFilter, StepFilter, VersionDetail
from app.records.writing import Transaction
from app.services.assessment import EVIDENCE_IDENTITY, assess
from app.services.documents import canonical, differences, digest
from app.services.errors import Refusal
from app.services.reporting import Context, Key, Reply, check_id, classification_row, in_transaction
from app.services.requests import PSEUDONYM, Fields
from app.services.views import (
    confirmation,
    history_document,
    row_document,
    step_document,
    summary_document,
    timeline_document,
)

T = TypeVar("T")


def find_result(context: Context, result_id: str) -> dict[str, Any]:
    """One result at its newest version."""
    detail = reading(context, lambda records: records.find_result(result_id))
    if detail is None:
        raise Refusal("not_found", "There is no such result.")
    return summary_document(detail, sign_off=context.sign_off)


def find_history(context: Context, result_id: str) -> dict[str, Any]:
    """Every version of a result, with what changed, who changed it and why."""
    versions = reading(context, lambda records: records.find_history(result_id))
    if not versions:
        raise Refusal("not_found", "There is no such result.")
    return {"id": result_id, "versions": history_document(versions, sign_off=context.sign_off)}


def list_results(context: Context, narrow: Mapping[str, Any], cursor: str | None, limit: int) -> dict[str, Any]:
    """Results, the newest first. narrow: the fields of ResultFilter, times as text."""
    chosen = ResultFilter(**times(narrow, "collected_from", "collected_before", "created_from", "created_before"))
    page = reading(context, lambda records: records.list_results(chosen, cursor=cursor, limit=limit))
    items = [row_document(view, sign_off=context.sign_off) for view in page.items]
    return {"items": items, "next_cursor": page.next_cursor}


def list_open_steps(context: Context, narrow: Mapping[str, Any], cursor: str | None, limit: int) -> dict[str, Any]:
    """What not-final answers wait for, the first due first."""
    chosen = StepFilter(**times(narrow, "due_before"))
    page = reading(context, lambda records: records.list_open_steps(chosen, cursor=cursor, limit=limit))
    return {"items": [step_document(step) for step in page.items], "next_cursor": page.next_cursor}


def find_timeline(context: Context, patient: str, system: str | None) -> dict[str, Any]:
    """A patient's HER2 over specimens. patient: Herald's id of the patient, or the pseudonym in `system`.

    Where that patient was merged into another, the timeline is that one's and says so.
    """

    def find(records: Reading) -> Any:
        if system is None and (timeline := records.find_timeline(patient)):
            return timeline
        known = records.find_patient(Identity(system or PSEUDONYM, patient))
        return None if known is None else records.find_timeline(known)

    timeline = reading(context, find)
    if timeline is None:
        raise Refusal("not_found", "There is no such patient.")
    return timeline_document(timeline, sign_off=context.sign_off)


def find_patient(context: Context, patient_id: str) -> dict[str, Any]:
    """A patient by Herald's id: the identifiers that results came with, and the ids of the results, oldest first."""
    timeline = reading(context, lambda records: records.find_timeline(patient_id))
    if timeline is None:
        raise Refusal("not_found", "There is no such patient.")
    return {
        "id": timeline.patient_id,
        "identifiers": [(each.system, each.value) for each in timeline.identities],
        "results": [view.id for view in timeline.results],
    }


def replay(context: Context, result_id: str, number: int | None) -> dict[str, Any]:
    """Evaluate a stored input again by the versions its answer names, and compare.

    `equal` is null where the edition, pack or engine of then is not the one at work: nothing is then claimed.
    """
    detail, stored = _stored(context, result_id, number)
    assert stored.answer is not None
    then = {
        "edition": stored.edition_digest,
        "evidence": stored.pack_digest,
        "engine": stored.engine,
    }
    found = assess(json.loads(detail.version.document or "{}"))
    now = {
        "edition": found.answer["edition"]["digest"],
        "evidence": EVIDENCE_IDENTITY["digest"],
        "engine": ENGINE_VERSION,
    }
    answer = json.loads(canonical(found.answer))
    kept = json.loads(stored.answer)
    stored_digest, replayed_digest = digest(kept), digest(answer)
    return {
        "id": result_id,
        "version": detail.version.number,
        # By digest: the list of differences takes a null for an absent field.
        "equal": stored_digest == replayed_digest if then == now else None,
        "versions_then": then,
        "versions_now": now,
        "stored_digest": stored_digest,
        "replayed_digest": replayed_digest,
        "differences": list(differences(kept, answer)),
        "input_digest_holds": detail.version.digest is not None and _input_holds(detail),
    }


def re_evaluate(context: Context, result_id: str, body: Mapping[str, Any], key: Key | None) -> Reply:
    """The stored input under another edition or policy; kept beside the current answer, which stays."""
    fields = Fields(body)
    edition, policy = fields.take("edition"), fields.take("policy")
    fields.close(
        *(
            []
            if edition is not None
            else [Problem("MISSING_FIELD", "edition", "is needed", "send the id of an edition")]
        )
    )

    check_id(result_id)

    def record(tx: Transaction) -> Reply:
        there = tx.find_result(result_id)
        if there is None or there.view.version.document is None:
            raise NotFound("result", result_id)
        version = there.view.version
        document = {**json.loads(version.document or "{}"), "edition": edition}
        if policy is not None:
            document["policy"] = policy
        found = assess(document)
        asked = [each for each in found.problems if each.field.startswith(("edition", "policy"))]
        if asked:
            raise Refusal("invalid", "The request cannot be read.", asked)
        tx.append_classification(version.id, classification_row(found, "re-evaluation"))
        tx.append_audit("result.re-evaluated", {"result": result_id, "version": version.number, "edition": edition})
        current = there.view.classification
        answer = found.answer
        told = {
            "id": result_id,
            "version": version.number,
            "current_edition": current.edition_id if current else None,
            "current_status": current.status if current else None,
            "changed": bool(current and current.status != found.classification.status),
            "confirmation": confirmation(False, context.sign_off),
            "classification": answer,
        }
        return Reply(told, result_id, version.number)

    return in_transaction(context, key, record)


def _input_holds(detail: VersionDetail) -> bool:
    text = detail.version.document or ""
    return hashlib.sha256(text.encode()).hexdigest() == detail.version.digest


def _stored(context: Context, result_id: str, number: int | None) -> tuple[VersionDetail, Classification]:
    versions = reading(context, lambda records: records.find_history(result_id))
    chosen = [each for each in versions if number is None or each.version.number == number]
    if not chosen:
        raise Refusal("not_found", "There is no such result or version.")
    detail = chosen[-1]
    current = detail.current
    if current is None or current.answer is None:
        raise Refusal("conflict", "The content of this version was erased by order.")
    return detail, current


def times(narrow: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What a list is narrowed to, without what asks nothing; the named ones become times. Raises Refusal."""
    told = {name: value for name, value in narrow.items() if value is not None}
    problems = [
        Problem("WRONG_TYPE", name, "is not a plain text", "send text without NUL")
        for name, value in told.items()
        if isinstance(value, str) and not is_text(value)
    ]
    for name in names:
        if name in told:
            try:
                told[name] = moment(told[name])
            except ValueError:
                remedy = "send a date, or a date-time with its offset (+ written as %2B)"
                problems.append(Problem("WRONG_TYPE", name, f"{shown(told[name])} is not a time", remedy))
    if problems:
        raise Refusal("invalid", "The query cannot be read.", problems)
    return told


def reading(context: Context, find: Callable[[Reading], T]) -> T:
    """What is found in one reading; what the store refuses becomes a Refusal."""
    try:
        with context.store.reading(context.organisation) as records:
            return find(records)
    except Unstorable as error:
        # Nothing can have such an id.
        raise Refusal("not_found", "There is nothing with this id.") from error
    except BadCursor as error:
        problem = Problem(
            "UNKNOWN_VALUE", "cursor", "does not belong to this list", "send the next_cursor of this very list"
        )
        raise Refusal("bad_cursor", "The cursor cannot be read.", [problem]) from error
    except Unavailable as error:
        raise Refusal("unavailable", "The database cannot be reached.") from error
