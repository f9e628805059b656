"""Messages in: find them, tell line by line what became of them, process them again, close them, map their codes."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from app.domain.problems import Problem
from app.interop.feeds import TARGETS
from app.interop.received import part_of
from app.records.inbox import Contribution, Inbox, InboxWriting, MessageFilter, MessageState, MessageView
from app.records.rows import Message
from app.services.assessment import problem_document
from app.services.documents import text_of
from app.services.errors import Refusal
from app.services.exchange import payload
from app.services.finding import reading, times
from app.services.intake import Intake, kept_of, lines_of, outcome_of, refusing
from app.services.payloads import FHIR_JSON, HL7V2, STATES, TERMINAL, Outcome, Payload
from app.services.recorder import Understood
from app.services.reporting import Context, Document
from app.services.requests import Fields, Person

MOST = 5000  # messages that one request processes again
_AT_ONCE = 50
_PAGE = 500
_ERASED = "The content of this message was erased by order."


def list_messages(context: Context, narrow: Mapping[str, Any], cursor: str | None, limit: int) -> Document:
    """Messages without their bytes, the newest first. narrow: the fields of MessageFilter, times as text."""
    chosen = _filter(narrow)
    page = reading(context, lambda records: Inbox(records).list_messages(chosen, cursor=cursor, limit=limit))
    return {"items": [_row(view) for view in page.items], "next_cursor": page.next_cursor}


def count_messages(context: Context) -> Document:
    """How many messages are in each state, and of which senders."""
    found = reading(context, lambda records: Inbox(records).counts())
    states = [{"state": state, "count": sum(found.get(state, {}).values())} for state in STATES]
    senders = [
        {"state": state, "sender": sender, "count": many}
        for state in STATES
        for sender, many in found.get(state, {}).items()
    ]
    return {"states": states, "senders": senders}


def find_message(context: Context, intake: Intake, message_id: str) -> Document:
    """One message: what became of it and who had a hand in it, how its feed reads it now, and what it recorded."""
    inbox, states, said, overlay = reading(context, lambda records: _everything(Inbox(records), message_id))
    now: Document | None = None
    if inbox.message is not None and _is_message(inbox):
        now = _read_document(intake.understand(kept_of(inbox).payload, overlay))
    newest = states[-1] if states else None
    outcome = outcome_of(inbox.id, newest.state if newest else "received", newest.detail if newest else None)
    standing = max((part.number for part in said if part.result_id), default=0)
    return {
        "id": inbox.id,
        "sender": inbox.sender,
        "control_id": inbox.control_id,
        "content_hash": inbox.content_hash,
        "media_type": inbox.media_type,
        "size": None if inbox.message is None else len(inbox.message),
        "received_at": _when(inbox.received_at),
        "state": outcome.state,
        "step": newest.step if newest else None,
        "problems": [problem_document(each) for each in outcome.problems],
        "states": [_state_document(each) for each in states],
        "reads_now": now,
        "recorded": [_part_document(each, standing) for each in said],
    }


def find_raw(context: Context, message_id: str) -> tuple[bytes, str]:
    """The bytes as they came, and their media type. Raises Refusal, not_found, also where they were erased."""
    found = reading(context, lambda records: _message(Inbox(records), message_id))
    if found.message is None:
        raise Refusal("not_found", _ERASED)
    return found.message, found.media_type


def export_messages(context: Context, narrow: Mapping[str, Any]) -> Iterator[Document]:
    """Every message of a list with its bytes in base64, null once erased by order; the newest first."""
    chosen = _filter(narrow)
    cursor: str | None = None
    while True:
        page, bytes_of = reading(context, lambda records: _with_bytes(Inbox(records), chosen, cursor))  # noqa: B023
        for view in page.items:
            stored = bytes_of[view.id].message
            told = None if stored is None else base64.b64encode(stored).decode()
            yield {**_row(view), "message_base64": told}
        cursor = page.next_cursor
        if cursor is None:
            return


def preview(intake: Intake, message: bytes, *, format: str, sender: str | None) -> Document:
    """What Herald would read of a pasted message; nothing is stored. sender: else the one that it names itself."""
    told = payload(message) if format == "hl7v2" else Payload(message, FHIR_JSON, "")
    return outcome_document(intake.preview(told if sender is None else replace(told, sender=sender)))


def outcome_document(outcome: Outcome) -> Document:
    """What became of a message, as a document."""
    return {
        "id": outcome.message_id or None,
        "state": outcome.state,
        "step": outcome.step,
        "problems": [problem_document(each) for each in outcome.problems],
        "results": list(outcome.results),
        "lines": list(outcome.lines),
    }


def replay_message(context: Context, intake: Intake, message_id: str, body: Mapping[str, Any]) -> Document:
    """Process a message again, as a person asks with a reason. Its newest run replaces what it said before."""
    fields = Fields(body)
    person = _person(fields)
    fields.close()
    (outcome,) = _replay(context, intake, [message_id], person)
    return outcome_document(outcome)


def replay_messages(context: Context, intake: Intake, body: Mapping[str, Any]) -> Document:
    """Process all messages of one state again, narrowed as a list is; at most MOST, the oldest first."""
    fields = Fields(body)
    person, state = _person(fields), fields.text("state", needed=True)
    narrow = {name: fields.take(name) for name in ("sender", "received_from", "received_before")}
    wrong = []
    if state is not None and state not in TERMINAL:
        told = f"use one of {', '.join(TERMINAL)}"
        wrong.append(Problem("UNKNOWN_VALUE", "state", "is no state to process again", told))
    fields.close(*wrong, *_not_text(narrow))
    ids = _all_ids(context, _filter({**narrow, "state": state}))
    outcomes = _replay(context, intake, ids[:MOST], person, leave_out=True)
    return {"replayed": len(outcomes), "left": len(ids) - len(outcomes), "states": _by_state(outcomes)}


def dismiss_message(context: Context, message_id: str, body: Mapping[str, Any]) -> Document:
    """Close a message that waits, with a reason; it records nothing and can still be processed again."""
    fields = Fields(body)
    person = _person(fields)
    fields.close()
    with refusing(), context.store.transaction(context.organisation) as tx:
        inbox = InboxWriting(tx)
        _message(inbox, message_id)
        newest = inbox.newest([message_id]).get(message_id)
        if newest is None or newest.state != "quarantined":
            raise Refusal("conflict", "Only a message that waits in quarantine can be dismissed.")
        who = {"name": person.name, "role": person.role, "reason": person.reason}
        if not tx.append_message_state(
            message_id, newest.number + 1, "dismissed", detail=text_of(who), person_name=person.name
        ):
            raise Refusal("busy", "Another process is at this message; read it again.")
        tx.append_audit("message.dismissed", {"message": message_id, "name": person.name, "role": person.role})
    return {"id": message_id, "state": "dismissed"}


def map_code(context: Context, intake: Intake, body: Mapping[str, Any]) -> Document:
    """Map a code for a sender from now on, and process its messages again that wait for nothing else."""
    fields = Fields(body)
    person = _person(fields)
    code, target = fields.text("code", needed=True), fields.text("target", needed=True)
    named = {"sender": fields.take("sender") or "", "system": fields.take("system") or ""}
    wrong = _not_text(named)
    if target is not None and target not in TARGETS:
        told = f"use one of {', '.join(TARGETS)}"
        wrong.append(Problem("UNKNOWN_VALUE", "target", "is no field that a code can give", told))
    fields.close(*wrong)
    sender, system = named["sender"], named["system"]
    with refusing(), context.store.transaction(context.organisation) as tx:
        new = InboxWriting(tx).append_code(
            sender, system, code or "", target or "", name=person.name, role=person.role, reason=person.reason
        )
        if new:
            mapped = {"sender": sender, "system": system, "code": code, "target": target}
            tx.append_audit("code.mapped", {**mapped, "name": person.name, "role": person.role})
    ready, waiting = _ready(context, intake, sender)
    told_why = replace(person, reason=f"code mapped to {target}: {person.reason}")
    outcomes = _replay(context, intake, ready[:MOST], told_why, leave_out=True)
    states = _by_state(outcomes)
    still = waiting + len(ready) - len(outcomes) + states.get("quarantined", 0)
    return {"changed": new, "replayed": len(outcomes), "states": states, "still_waiting": still}


# ---- again


def _replay(
    context: Context, intake: Intake, ids: Sequence[str], person: Person, *, leave_out: bool = False
) -> list[Outcome]:
    """Process messages again. leave_out: pass over those that cannot be, instead of refusing."""
    outcomes: list[Outcome] = []
    for start in range(0, len(ids), _AT_ONCE):
        found = _taken_up(context, ids[start : start + _AT_ONCE], person, leave_out)
        outcomes += intake.record([kept_of(each) for each in found])
    return outcomes


def _taken_up(context: Context, ids: Sequence[str], person: Person, leave_out: bool) -> list[Message]:
    """Set messages back to `received` by a person's word; from then on they are processed even if we die."""
    taken = []
    with refusing(), context.store.transaction(context.organisation) as tx:
        inbox = InboxWriting(tx)
        messages, newest = inbox.messages(ids), inbox.newest(ids)
        who = {"name": person.name, "role": person.role, "reason": person.reason}
        for id in ids:
            fact = newest.get(id)
            refused = _why_not(messages.get(id), fact)
            if refused is None and fact is not None:
                if tx.append_message_state(
                    id, fact.number + 1, "received", step="replay", detail=text_of(who), person_name=person.name
                ):
                    taken.append(messages[id])
                    continue
                refused = Refusal("busy", "Another process is at this message; read it again.")
            if refused is not None and not leave_out:
                raise refused
        if taken:
            told = {"messages": [each.id for each in taken], "name": person.name, "role": person.role}
            tx.append_audit("message.replayed", told)
    return taken


def _why_not(message: Message | None, fact: MessageState | None) -> Refusal | None:
    if message is None:
        return Refusal("not_found", "There is no such message.")
    if message.message is None:
        return Refusal("not_found", _ERASED)
    if not _is_message(message):
        return Refusal("conflict", "A file is not processed again: import it anew.")
    if fact is None or fact.state not in TERMINAL:
        return Refusal("conflict", "This message is on its way; read it again in a moment.")
    return None


def _ready(context: Context, intake: Intake, sender: str) -> tuple[list[str], int]:
    """Ids of a sender's messages that waited for their meaning and are clear now; how many others wait."""
    ids = _all_ids(context, MessageFilter(state="quarantined", sender=sender))
    ready: list[str] = []
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        messages, newest, overlay = reading(
            context,
            lambda records: (
                Inbox(records).messages(part),  # noqa: B023
                Inbox(records).newest(part),  # noqa: B023
                Inbox(records).codes(sender),
            ),
        )
        for id in part:
            stored = messages[id]
            if stored.message is None or not _is_message(stored) or newest[id].step != "map":
                continue
            if not intake.understand(kept_of(stored).payload, overlay).mapped.problems:
                ready.append(id)
    return ready, len(ids) - len(ready)


def _all_ids(context: Context, narrow: MessageFilter) -> list[str]:
    """Ids of all messages of a list, the oldest first."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = reading(
            context,
            lambda records: Inbox(records).list_messages(narrow, cursor=cursor, limit=_PAGE),  # noqa: B023
        )
        ids += [view.id for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return ids[::-1]


# ---- documents


def _row(view: MessageView) -> Document:
    told = asdict(view)
    outcome = outcome_of(view.id, view.state, told.pop("detail"))
    told.pop("number")
    told |= {"received_at": _when(view.received_at), "changed_at": _when(view.changed_at)}
    return {**told, "problems": [problem_document(each) for each in outcome.problems]}


def _state_document(fact: MessageState) -> Document:
    told = json.loads(fact.detail or "{}")
    return {
        "number": fact.number,
        "state": fact.state,
        "step": fact.step,
        "at": _when(fact.created_at),
        "name": fact.person_name,
        "role": told.get("role"),
        "reason": told.get("reason"),
        "problems": told.get("problems", []),
        "results": told.get("results", []),
    }


def _part_document(part: Contribution, standing: int) -> Document:
    """standing: the run whose word stands, 0 for none."""
    facts = part_of(json.loads(part.content)).facts if part.content else ()
    return {
        "run": part.number,
        "sequence": part.sequence,
        "result_id": part.result_id,
        "accession": part.accession,
        "stands": part.result_id is not None and part.number == standing,
        "erased": part.content is None,
        "facts": [fact._asdict() for fact in facts],
    }


def _read_document(told: Understood) -> Document:
    return {
        "event": told.received.event if told.received else "",
        "step": told.step,
        "problems": [problem_document(each) for each in told.mapped.problems],
        "lines": list(lines_of(told.mapped)),
        "notes": list(told.received.notes) if told.received else [],
        "unmapped": _unmapped(told),
    }


def _unmapped(told: Understood) -> list[Document]:
    """The codes of the observations that wait because their sender's feed does not map them."""
    places = {each.field for each in told.mapped.problems if each.code == "UNKNOWN_CODE"}
    items = [item for report in (told.received.reports if told.received else ()) for item in report.items]
    items += [component for item in items for component in item.components]
    found = [
        {"where": item.where, **coding._asdict()}
        for item in items
        if {f"{item.where}.3", f"{item.where}.code"} & places
        for coding in item.codings
    ]
    return list({(each["system"], each["code"]): each for each in found}.values())


def _by_state(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return dict(sorted(Counter(each.state for each in outcomes).items()))


def _when(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


# ---- reading


def _filter(narrow: Mapping[str, Any]) -> MessageFilter:
    return MessageFilter(**times(narrow, "received_from", "received_before"))


def _everything(inbox: Inbox, message_id: str) -> Any:
    found = _message(inbox, message_id)
    return found, inbox.states(message_id), inbox.said_by(message_id), inbox.codes(found.sender)


def _with_bytes(inbox: Inbox, narrow: MessageFilter, cursor: str | None) -> Any:
    page = inbox.list_messages(narrow, cursor=cursor, limit=_AT_ONCE)
    return page, inbox.messages([view.id for view in page.items])


def _message(inbox: Inbox, message_id: str) -> Message:
    found = inbox.message(message_id)
    if found is None:
        raise Refusal("not_found", "There is no such message.")
    return found


def _is_message(message: Message) -> bool:
    return message.media_type in (HL7V2, FHIR_JSON)


def _person(fields: Fields) -> Person:
    name, role = fields.text("name", needed=True), fields.text("role", needed=True)
    return Person(name or "", role or "", fields.text("reason", needed=True), datetime.now(UTC))


def _not_text(named: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem("WRONG_TYPE", name, "is not a text", "send a text")
        for name, value in named.items()
        if value is not None and not (isinstance(value, str) and len(value) <= 300)
    ]
