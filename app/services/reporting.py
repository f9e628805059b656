"""Report: receive a result, check, classify, record; amend it; record what a person did. One transaction each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app import ENGINE_VERSION
from app.domain.evidence import Pack
from app.domain.problems import Problem
from app.domain.reading import moment
from app.records import Store
from app.records.errors import Busy, IdentityConflict, NotFound, Stale, Unavailable, Unstorable
from app.records.ids import is_id
from app.records.inbox import Inbox
from app.records.rows import (
    Classification,
    Identity,
    NewAct,
    NewClassification,
    NewStep,
    NewVersion,
    StoredAnswer,
    Version,
)
from app.records.writing import Transaction
from app.services.assessment import EVIDENCE_IDENTITY, Assessment, assess
from app.services.documents import digest, text_of
from app.services.errors import Refusal
from app.services.payloads import Kept
from app.services.requests import Fields, Person, patient_identity
from app.services.views import WHO, result_document, summary_document

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a use case answers: the body, and the id and version of the result, None where nothing was stored."""

    body: Document
    result_id: str | None
    version: int | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a use case needs of the process: the store, the organisation, and the laboratory's settings.

    packs: the hospital's own evidence, shown beside the review's and never mixed with it.
    """

    store: Store
    organisation: str
    idempotency_days: int = 30
    step_due_days: int = 14
    sign_off: bool = True
    packs: tuple[Pack, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """An Idempotency-Key with what it was sent for."""

    key: str
    method_path: str
    body: Any


def assessed(document: Mapping[str, Any]) -> Assessment:
    """The assessment of a document that can be classified; else the refusal that names every field."""
    found = assess(document)
    if found.classification.status == "invalid":
        raise Refusal(
            "invalid",
            "The result cannot be classified as sent.",
            found.problems,
            {
                "classification": {
                    name: found.answer[name] for name in ("status", "trace", "edition", "evidence", "engine")
                }
            },
        )
    return found


def report(
    context: Context, body: Mapping[str, Any], key: Key | None, *, dry_run: bool = False, kept: Kept | None = None
) -> Reply:
    """A new result. body: a case document with `patient` and `laboratory`. Refuses with every problem at once.

    kept: the message that it came as, which is told what became of it in the same transaction.
    """
    document, patient, laboratory = _parts(body)
    found = assessed(document)
    if dry_run:
        view = result_document(document, found.answer, laboratory, sign_off=context.sign_off)
        return Reply({**view, "dry_run": True}, None, None)

    def record(tx: Transaction) -> Reply:
        patient_id = tx.find_or_append_patient([Identity(*patient)])
        version = tx.append_result(patient_id, new_version(document, "reported", laboratory))
        if kept is not None:
            told = found.classification
            result = {"id": version.result_id, "version": version.number, "status": told.status, "final": told.final}
            detail = text_of({"results": [{**result, "changed": True}]})
            number = 1 if kept.new else len(Inbox(tx).states(kept.id)) + 1
            tx.append_message_state(kept.id, number, "recorded", detail=detail, version_id=version.id)
        return _recorded(context, tx, version, found, "result.reported")

    return in_transaction(context, key, record)


def check_id(result_id: str) -> None:
    """Refuse what cannot be an id before the database is asked."""
    if not is_id(result_id):
        raise Refusal("not_found", "There is no such result.")


def new_version(
    document: Mapping[str, Any], cause: str, laboratory: str | None, person: Person | None = None
) -> NewVersion:
    """The row of a version: the document as written, and what lists are filtered by."""
    specimen = document.get("specimen") or {}
    return NewVersion(
        document=text_of(document),
        cause=cause,
        source="api",
        reason=person.reason if person else None,
        person_name=person.name if person else None,
        person_role=person.role if person else None,
        laboratory=laboratory,
        accession=specimen.get("accession"),
        specimen=specimen.get("site"),
        block=specimen.get("block"),
        collected_at=_moment(specimen.get("collected_at")),
        reported_at=_moment(specimen.get("reported_at")),
    )


def new_version_of(
    context: Context,
    result_id: str,
    key: Key | None,
    expected: int | None,
    cause: str,
    change: Callable[[Document], Document],
    person: Person,
    *,
    act: Any = None,
    detail: Any = None,
    laboratory: str | None = None,
) -> Reply:
    """Append the version that follows from a change of the present document, with the act that led to it."""

    check_id(result_id)

    def record(tx: Transaction) -> Reply:
        there = tx.find_result(result_id)
        if there is None or there.view.version.document is None:
            raise NotFound("result", result_id)
        old = there.view.version
        if expected is not None and expected != old.number:
            raise Stale(result_id, expected, old.number)
        before = json.loads(old.document or "{}")
        document = change(before)
        if document == before and laboratory in (None, old.laboratory):
            raise Refusal("conflict", "This changes nothing of the result, so no version is made.")
        found = assessed(document)
        row = new_version(document, cause, laboratory or old.laboratory, person)
        version = tx.append_version(result_id, old.number, row)
        if act is not None:
            meaning = {"recount": "second count", "adjudication": "final ISH category by the laboratory's procedure"}[
                act
            ]
            done = NewAct(
                act, person.name, person.role, meaning, person.performed_at, person.reason, text_of(detail), version.id
            )
            tx.append_act(old.id, done)
        return _recorded(context, tx, version, found, f"result.{cause}", before=there.view.classification)

    return in_transaction(context, key, record)


def classification_row(found: Assessment, purpose: Any = "current") -> NewClassification:
    """The row of an answer, with everything it depends on."""
    told = found.classification
    return NewClassification(
        edition_id=told.edition,
        edition_digest=found.answer["edition"]["digest"],
        pack_id=EVIDENCE_IDENTITY["id"],
        pack_version=EVIDENCE_IDENTITY["version"],
        pack_digest=EVIDENCE_IDENTITY["digest"],
        policy=text_of(told.policy),
        engine=ENGINE_VERSION,
        status=told.status,
        final=told.final,
        review_required=told.review_required,
        answer=text_of(found.answer),
        ish_group=told.ish_group,
        her2_low=told.her2_low,
        purpose=purpose,
    )


def in_transaction(context: Context, key: Key | None, record: Callable[[Transaction], Reply]) -> Reply:
    """Run a use case in one transaction under its idempotency key; what the store refuses becomes a Refusal."""
    try:
        with context.store.transaction(context.organisation) as tx:
            if key is None:
                return record(tx)
            kept = timedelta(days=context.idempotency_days)
            claim = tx.claim_idempotency(key.key, key.method_path, digest(key.body), kept=kept)
            if claim.state == "replay":
                return _replayed(claim.answer)
            if claim.state == "conflict":
                raise Refusal("key_conflict", "This Idempotency-Key was used for another request.")
            if claim.state == "in_progress":
                raise Refusal(
                    "in_progress", "The first request with this Idempotency-Key is still at work; send it again."
                )
            reply = record(tx)
            headers = text_of({"result": reply.result_id, "version": reply.version})
            tx.complete_idempotency(key.key, StoredAnswer(201, headers, text_of(reply.body)))
            return reply
    except NotFound as error:
        raise Refusal("not_found", f"There is no such {error.kind}.") from error
    except Stale as error:
        detail = f"The result is at version {error.current}, not {error.expected}: read it again and decide anew."
        raise Refusal("stale", detail, extra={"current_version": error.current}) from error
    except IdentityConflict as error:
        raise Refusal(
            "conflict", "The identifiers belong to different patients; a person has to merge them."
        ) from error
    except Unstorable as error:
        problem = Problem(
            "WRONG_TYPE", "body", "holds a text too long for a key", "send shorter accession, block or ids"
        )
        raise Refusal("invalid", "The request holds text that cannot be stored.", [problem]) from error
    except Busy as error:
        raise Refusal("busy", "The database is busy; nothing was stored, send it again.") from error
    except Unavailable as error:
        raise Refusal("unavailable", "The database cannot be reached; send it again with the same key.") from error


def _parts(body: Mapping[str, Any]) -> tuple[Document, tuple[str, str], str | None]:
    """A report's case, patient and laboratory; every problem of all three is told together."""
    document = dict(body)
    patient, laboratory = document.pop("patient", None), document.pop("laboratory", None)
    problems: list[Problem] = []
    identity = None
    if patient is None:
        remedy = 'send "patient": "a pseudonym", or {"system": ..., "value": ...}'
        problems.append(Problem("MISSING_FIELD", "patient", "is needed", remedy))
    else:
        identity = patient_identity(patient, problems)
    fields = Fields({"laboratory": laboratory} if laboratory is not None else {})
    read = fields.text("laboratory")
    problems += fields.problems
    if problems or identity is None:
        raise Refusal("invalid", "The report cannot be stored as sent.", [*problems, *assess(document).problems])
    return document, identity, read


def _recorded(
    context: Context,
    tx: Transaction,
    version: Version,
    found: Assessment,
    kind: str,
    *,
    before: Classification | None = None,
) -> Reply:
    record_version(context, tx, version, found, kind, before=before)
    return reply_of(context, tx, version.result_id)


def record_version(
    context: Context,
    tx: Transaction,
    version: Version,
    found: Assessment,
    kind: str,
    *,
    before: Classification | None = None,
    first: bool = False,
) -> None:
    """Everything that stands beside a version: its answer, its open steps, the audit line, the outbox lines.

    before: the answer to the version before; a change of status is told. first: of the result, so nothing is open yet.
    """
    tx.append_classification(version.id, classification_row(found))
    _follow_up(context, tx, version, found, first)
    told = {"result": version.result_id, "version": version.number, "status": found.classification.status}
    tx.append_audit(kind, {**told, "document": version.digest})
    tx.append_outbox("result.final" if found.classification.final else kind, text_of(told), version_id=version.id)
    if before is not None and before.status != found.classification.status:
        changed = {"result": version.result_id, "version": version.number}
        changed |= {"from": before.status, "to": found.classification.status}
        tx.append_outbox("status.changed", text_of(changed), version_id=version.id)


def _follow_up(context: Context, tx: Transaction, version: Version, found: Assessment, first: bool) -> None:
    """Close what arrived or was replaced; open what the new answer waits for, keeping since and due of what stays."""
    open_before = {} if first else {step.awaited: step for step in tx.open_steps_of(version.result_id)}
    awaited = () if found.classification.final else found.classification.next_steps
    arrived = [code for code in open_before if code not in awaited]
    if arrived:
        tx.close_steps(version.result_id, "arrived", by_version_id=version.id, awaited=arrived)
    if replaced := [code for code in open_before if code in awaited]:
        tx.close_steps(version.result_id, "replaced", by_version_id=version.id, awaited=replaced)
    steps = []
    for code in awaited:
        before = open_before.get(code)
        since = before.since if before else tx.now
        due = before.due_at if before else tx.now + timedelta(days=context.step_due_days)
        steps.append(NewStep(code, since, due, WHO.get(code)))
    tx.append_open_steps(version.result_id, version.id, steps)


def reply_of(context: Context, tx: Transaction, result_id: str) -> Reply:
    """The result as it stands now, as a reply."""
    detail = tx.find_result(result_id)
    assert detail is not None
    body = summary_document(detail, sign_off=context.sign_off)
    return Reply(body, result_id, detail.view.version.number)


def _replayed(answer: StoredAnswer | None) -> Reply:
    if answer is None:
        raise Refusal("conflict", "The answer to this Idempotency-Key was erased by order.")
    told = json.loads(answer.headers)
    return Reply(json.loads(answer.body), told["result"], told["version"], replayed=True)


def _moment(value: Any) -> datetime | None:
    return moment(value) if isinstance(value, str) else None
