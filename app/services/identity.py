"""Whose a result is: merge patients, take a merge back, move a result. Each with name, role and reason, and reversible.

What is written out (audit, outbox, answers) names patients by Herald's ids, never by an identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.problems import Problem
from app.records.errors import IdentityConflict, LinkConflict, NotFound, Stale
from app.records.rows import Decision, Identity, Link
from app.records.writing import Transaction
from app.services.documents import text_of
from app.services.errors import Refusal
from app.services.reporting import Context, Key, Reply, check_id, in_transaction, reply_of
from app.services.requests import Fields, Person, patient_identity

_WHOSE = 'send "a pseudonym", or {"system": ..., "value": ...}'


def merge(context: Context, body: Mapping[str, Any], key: Key | None) -> Reply:
    """The patient in `given_up` is the one in `into`. A patient in `into` without a result yet is made."""
    into, given_up, decision = _pair(body)

    def record(tx: Transaction) -> Reply:
        # a slip of the pen here would give a stranger's later results to this patient
        row = _known(tx, given_up, "given_up")
        links = _merge(tx, [into], [given_up], decision)
        return _linked(tx, row, _known(tx, into, "into"), changed=bool(links))

    return in_transaction(context, key, record)


def unmerge(context: Context, body: Mapping[str, Any], key: Key | None) -> Reply:
    """Take back that the patient in `given_up` was merged into the one in `into`."""
    into, given_up, decision = _pair(body)

    def record(tx: Transaction) -> Reply:
        row, other = _known(tx, given_up, "given_up"), _known(tx, into, "into")
        try:
            link = tx.unmerge_patients(other, row, decision)
        except LinkConflict as error:
            raise _conflict(error, "given_up") from error
        if link is not None:
            _tell(tx, "patient.unmerged", link)
        return _linked(tx, row, other, changed=link is not None)

    return in_transaction(context, key, record)


def move_result(
    context: Context, result_id: str, body: Mapping[str, Any], key: Key | None, expected: int | None
) -> Reply:
    """The result is of the patient in `to`, who is made where nobody has that identifier. No new version."""
    fields = Fields(body)
    decision = _decision(fields)
    to = _patient(fields, "to")
    fields.close()
    check_id(result_id)

    def record(tx: Transaction) -> Reply:
        there = tx.find_result(result_id)
        if there is None:
            raise NotFound("result", result_id)
        version = there.view.version
        if expected is not None and expected != version.number:
            raise Stale(result_id, expected, version.number)
        move = tx.move_result(result_id, tx.find_or_append_patient([to]), decision)
        if move is not None:
            told = {"result": result_id, "from": move.from_patient_id, "to": move.to_patient_id}
            tx.append_audit("result.moved", told)
            tx.append_outbox("result.moved", text_of(told), version_id=version.id)
        reply = reply_of(context, tx, result_id)
        return Reply({**reply.body, "changed": move is not None}, reply.result_id, reply.version)

    return in_transaction(context, key, record)


def apply_merge(tx: Transaction, into: Iterable[Identity], given_up: Iterable[Identity], person: Person) -> bool:
    """The merge that a message tells (ADT^A40, A47); whether it changes anything. Identifiers may all be new.

    person: the sending system, with the message's id as the reason. The caller has an audit line of its own.
    Raises Refusal("conflict"), with PATIENT_DIFFERS, where a person has to decide; nothing is appended then.
    """
    return bool(_merge(tx, into, given_up, Decision(person.name, person.role, person.reason or "")))


def _merge(
    tx: Transaction, into: Iterable[Identity], given_up: Iterable[Identity], decision: Decision
) -> tuple[Link, ...]:
    try:
        links = tx.merge_patients(into, given_up, decision)
    except LinkConflict as error:
        raise _conflict(error, "given_up") from error
    except IdentityConflict as error:
        raise _conflict(error, "into") from error
    for link in links:
        _tell(tx, "patient.merged", link)
    return links


def _tell(tx: Transaction, topic: str, link: Link) -> None:
    told = {"patient": link.patient_id, "into": link.into_patient_id}
    tx.append_audit(topic, told)
    tx.append_outbox(topic, text_of(told))


def _conflict(error: LinkConflict | IdentityConflict, field: str) -> Refusal:
    told = str(error)
    problem = Problem("PATIENT_DIFFERS", field, told, "a person has to decide: unmerge first, or name other patients")
    return Refusal("conflict", f"{told[0].upper()}{told[1:]}.", [problem])


def _linked(tx: Transaction, patient_id: str, into_id: str, *, changed: bool) -> Reply:
    told = {
        "changed": changed,
        "patient_id": patient_id,
        "into_patient_id": into_id,
        "stands_with": tx.find_survivor(patient_id),
    }
    return Reply(told, None, None)


def _pair(body: Mapping[str, Any]) -> tuple[Identity, Identity, Decision]:
    fields = Fields(body)
    decision = _decision(fields)
    into, given_up = _patient(fields, "into"), _patient(fields, "given_up")
    fields.close()
    return into, given_up, decision


def _decision(fields: Fields) -> Decision:
    name, role, reason = (fields.text(each, needed=True) or "" for each in ("name", "role", "reason"))
    return Decision(name, role, reason)


def _patient(fields: Fields, name: str) -> Identity:
    """The identifier in a field; what is wrong with it is told when the fields are closed."""
    value = fields.take(name)
    if value is None:
        fields.problems.append(Problem("MISSING_FIELD", name, "is needed", _WHOSE))
        return Identity("", "")
    return Identity(*(patient_identity(value, fields.problems, name) or ("", "")))


def _known(tx: Transaction, identity: Identity, field: str) -> str:
    patient_id = tx.find_patient(identity)
    if patient_id is None:
        problem = Problem("UNKNOWN_VALUE", field, "belongs to no patient", "send an identifier that a result came with")
        raise Refusal("not_found", f"There is no patient with the identifier in `{field}`.", [problem])
    return patient_id
