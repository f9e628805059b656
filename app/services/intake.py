"""The intake: keep a message as it came, read it, map it, record it; what cannot be recorded waits with the reason.

Keeping and recording are two transactions: what was kept is never lost, whatever happens to it later. A message that
stays in the state `received`, because the process died, is taken up again by `resume`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.domain.problems import Problem
from app.interop.feeds import Feed, Feeds, map_received
from app.interop.fhir.reading import read as read_fhir
from app.interop.hl7.reading import read as read_hl7
from app.interop.received import Mapped, Part, Received, part_of
from app.records.errors import Busy, Duplicate, IdentityConflict, RecordsError, Stale, Unavailable, Unstorable
from app.records.inbox import Inbox, InboxWriting
from app.records.rows import Identity, ResultView
from app.records.writing import Transaction
from app.services.assessment import assess, problem_document
from app.services.documents import text_of
from app.services.errors import Refusal
from app.services.identity import apply_merge
from app.services.joining import assembled, cause_of, document_of, renewed
from app.services.payloads import FHIR_JSON, HL7V2, Kept, Outcome, Payload
from app.services.reporting import Context, new_version, record_version
from app.services.requests import Person

_AT_WORK = timedelta(seconds=20)  # a message younger than this may be on its way through another process
TERMINAL = ("recorded", "recorded_in_part", "quarantined", "set_aside", "refused", "dismissed")
_INTERNAL = Problem("INTERNAL", "message", "an error on our side", "process the message again; tell the maintainers")


@dataclass(frozen=True, slots=True)
class Understood:
    """A message as read and mapped; step: where the first problem arose."""

    received: Received | None
    mapped: Mapped
    step: str | None


class _Waits(Exception):
    """Why a message waits, found while it was being recorded."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class Intake:
    """Keeps and records messages of one organisation. Thread-safe: it holds nothing of them."""

    def __init__(self, context: Context, feeds: Feeds) -> None:
        self.context, self.feeds = context, feeds

    def is_strict(self, sender: str) -> bool:
        """Is this sender told AE for a message that waits?"""
        return self.feeds.of(sender).ae_for_quarantine

    # ---- keep

    def keep(self, payloads: Sequence[Payload]) -> list[Kept]:
        """Store messages in one transaction; they are on disk when this returns.

        Raises Refusal: busy or unavailable (nothing stored, send again), invalid (sender or control id too long).
        """
        rows = [(each.sender, each.control_id, each.message, each.media_type) for each in payloads]
        with refusing(), self.context.store.transaction(self.context.organisation) as tx:
            kept = InboxWriting(tx).keep(rows)
            if any(new for _, new in kept):
                tx.append_audit("message.kept", {"messages": [id for id, new in kept if new]})
        return [Kept(id, payload, new) for (id, new), payload in zip(kept, payloads, strict=True)]

    # ---- understand

    def understand(self, payload: Payload, overlay: dict[tuple[str, str], str] | None = None) -> Understood:
        """Read and map a message; nothing is stored. overlay: the codes that persons mapped for its sender."""
        feed = self.feeds.of(payload.sender)
        try:
            received = read_payload(payload, feed)
            if received.problems:
                mapped = map_received(received, feed, overlay or {})
                problems = (*received.problems, *(p for p in mapped.problems if p not in received.problems))
                return Understood(received, mapped._replace(problems=problems), "read")
            mapped = map_received(received, feed, overlay or {})
        except Exception:
            return Understood(None, Mapped((), (), (_INTERNAL,)), "read")
        return Understood(received, mapped, "map" if mapped.problems else None)

    def preview(self, payload: Payload) -> Outcome:
        """What Herald would read of a message, part by part; nothing is stored, and nothing stored is looked at."""
        with refusing(), self.context.store.reading(self.context.organisation) as reading:
            overlay = Inbox(reading).codes(payload.sender)
        told = self.understand(payload, overlay)
        problems, results = list(told.mapped.problems), []
        for part in told.mapped.parts:
            fields, contradictory = assembled([part])
            found = assess(document_of(fields)).classification
            problems += [*contradictory, *_located(found.problems, part)]
            results.append({"id": None, "version": None, "status": found.status, "final": found.final, "changed": True})
        state = "quarantined" if problems else "recorded" if results or told.mapped.merges else "set_aside"
        step = told.step or ("record" if problems else None)
        return Outcome("", state, step, tuple(problems), tuple(results), lines_of(told.mapped))

    # ---- record

    def record(self, kept: Sequence[Kept]) -> list[Outcome]:
        """Read, map and record kept messages; one already dealt with is answered as it was."""
        with refusing(), self.context.store.reading(self.context.organisation) as reading:
            inbox = Inbox(reading)
            known = inbox.newest([each.id for each in kept if not each.new])
            overlays = {sender: inbox.codes(sender) for sender in {each.payload.sender for each in kept}}
        told = {each.id: self.understand(each.payload, overlays[each.payload.sender]) for each in kept}
        open_ones = {each.id: each for each in kept if each.id not in known or known[each.id].state not in TERMINAL}
        done = self._record_all(list(open_ones.values()), told)
        outcomes = []
        for each in kept:
            outcome = done.get(each.id) or outcome_of(each.id, known[each.id].state, known[each.id].detail)
            outcomes.append(replace(outcome, lines=lines_of(told[each.id].mapped)))
        return outcomes

    def _record_all(self, kept: Sequence[Kept], told: dict[str, Understood]) -> dict[str, Outcome]:
        if not kept:
            return {}
        try:
            return self._in_transaction(kept, told)
        except (Busy, Stale, Duplicate, IdentityConflict, _Waits, Unstorable, Refusal):
            pass  # one of them does not go with the others: each by itself
        except Unavailable as error:
            raise Refusal("unavailable", "The database cannot be reached; the message is kept.") from error
        except Exception:
            if len(kept) == 1:
                return self._set_down(kept[0], told[kept[0].id], (_INTERNAL,))
        if len(kept) > 1:
            found: dict[str, Outcome] = {}
            for each in kept:
                found |= self._record_all([each], told)
            return found
        return self._alone(kept[0], told[kept[0].id])

    def _alone(self, kept: Kept, told: Understood) -> dict[str, Outcome]:
        """One message by itself: tried again where a rival was first; what it meets then is why it waits."""
        tries = 5
        for attempt in range(tries):
            with refusing(), self.context.store.reading(self.context.organisation) as reading:
                rival = Inbox(reading).newest([kept.id]).get(kept.id)
            if rival is not None and rival.state in TERMINAL:
                return {kept.id: outcome_of(kept.id, rival.state, rival.detail)}
            try:
                return self._in_transaction([kept], {kept.id: told})
            except (Busy, Stale, Duplicate) as error:
                if attempt == tries - 1:
                    raise Refusal("busy", "The database is busy; the message is kept.") from error
            except _Waits as waits:
                return self._set_down(kept, told, waits.problems)
            except Refusal as refused:
                return self._set_down(kept, told, refused.problems or (_INTERNAL,))
            except IdentityConflict:
                remedy = "merge the patients, or send the right identifiers; then process the message again"
                problem = Problem("PATIENT_DIFFERS", "patient", "the identifiers belong to several patients", remedy)
                return self._set_down(kept, told, (problem,))
            except Unstorable:
                problem = Problem("WRONG_TYPE", "message", "holds a key that is too long", "send a shorter one")
                return self._set_down(kept, told, (problem,))
            except Exception:
                return self._set_down(kept, told, (_INTERNAL,))
        raise AssertionError("unreachable")

    def _set_down(self, kept: Kept, told: Understood, problems: Sequence[Problem]) -> dict[str, Outcome]:
        with refusing(), self.context.store.transaction(self.context.organisation) as tx:
            return {kept.id: _settle(tx, kept, told, "quarantined", "record", tuple(problems), ())}

    def _in_transaction(self, kept: Sequence[Kept], told: dict[str, Understood]) -> dict[str, Outcome]:
        with self.context.store.transaction(self.context.organisation) as tx:
            reused = InboxWriting(tx).reused([(e.id, e.payload.sender, e.payload.control_id) for e in kept])
            return {each.id: self._one(tx, each, told[each.id], each.id in reused) for each in kept}

    def _one(self, tx: Transaction, kept: Kept, told: Understood, reused: bool) -> Outcome:
        if reused:
            problem = Problem(
                "CONTROL_ID_REUSED",
                "MSH[1].10" if kept.payload.media_type == HL7V2 else "control id",
                "came before from this sender with other content",
                "send each message with a control id of its own",
            )
            return _settle(tx, kept, told, "quarantined", "read", (problem,), ())
        if told.mapped.problems:
            return _settle(tx, kept, told, "quarantined", told.step, told.mapped.problems, ())
        person = Person(kept.payload.sender or "unknown sender", "system", f"message {kept.id}", datetime.now(UTC))
        for merge in told.mapped.merges:
            apply_merge(tx, _identities(merge.into, kept), _identities(merge.given_up, kept), person)
        results = []
        run = _run(tx, kept.id)
        for sequence, part in enumerate(told.mapped.parts, 1):
            results.append(self._join(tx, kept, part, run, sequence))
        state = "recorded" if results or told.mapped.merges else "set_aside"
        return _settle(tx, kept, told, state, None, (), results)

    def _join(self, tx: Transaction, kept: Kept, part: Part, run: int, sequence: int) -> dict[str, Any]:
        """Give a part to the result of its specimen, and renew that."""
        inbox = InboxWriting(tx)
        key = join_key(part, kept.payload.sender)
        identities = _identities(part.patient, kept)
        head = inbox.heads_by_key([key]).get(key)
        stored = inbox.contributions([head.id]).get(head.id, ()) if head else ()
        before = [part_of(json.loads(e.content)) for e in stored if e.content and e.message_id != kept.id]
        fields, contradictory = assembled([*before, part])
        if contradictory:
            raise _Waits(contradictory)
        if head is None:
            version, status, final = self._begin(tx, kept, part, key, identities, fields)
            result_id, number, changed = version.result_id, version.number, True
        else:
            if tx.find_patients(identities) != (tx.find_survivor(head.patient_id),):
                remedy = "if they are one person, merge the patients; else move the result; then process it again"
                message = "this case of the laboratory stands with another patient"
                raise _Waits([Problem("PATIENT_DIFFERS", "patient", message, remedy)])
            old = assembled([part_of(json.loads(e.content)) for e in stored if e.content])[0]
            number, status, final, changed = self._renew(tx, kept, part, head, old, fields, [*before, part])
            result_id = head.id
        inbox.append_contribution(
            {
                "message_id": kept.id,
                "number": run,
                "sequence": sequence,
                "result_id": result_id,
                "accession": part.accession,
                "content": text_of(part.document),
            }
        )
        return {"id": result_id, "version": number, "status": status, "final": final, "changed": changed}

    def _begin(
        self, tx: Transaction, kept: Kept, part: Part, key: str, identities: Sequence[Identity], fields: dict[str, Any]
    ) -> tuple[Any, str, bool]:
        document = document_of(fields)
        found = assess(document)
        if found.classification.status == "invalid":
            raise _Waits(_located(found.classification.problems, part))
        row = replace(new_version(document, cause_of(part), part.laboratory or None), source=_source(kept))
        version = tx.append_result(tx.find_or_append_patient(identities), row, join_key=key)
        record_version(self.context, tx, version, found, f"result.{row.cause}")
        return version, found.classification.status, found.classification.final

    def _renew(
        self,
        tx: Transaction,
        kept: Kept,
        part: Part,
        head: ResultView,
        old: dict[str, Any],
        fields: dict[str, Any],
        parts: Sequence[Part],
    ) -> tuple[int, str, bool, bool]:
        current = json.loads(head.version.document or "{}")
        amended = head.version.created_at.isoformat() if head.version.source == "api" else ""
        newest = {fact.field: fact.at for each in parts for fact in sorted(each.facts, key=lambda f: f.at)}
        document = renewed(current, old, fields, newest, amended)
        answered = head.classification
        if document == current:
            status = answered.status if answered else "pending"
            return head.version.number, status, bool(answered and answered.final), False
        found = assess(document)
        if found.classification.status == "invalid":
            raise _Waits(_located(found.classification.problems, part))
        row = replace(new_version(document, cause_of(part), part.laboratory or None), source=_source(kept))
        version = tx.append_version(head.id, head.version.number, row)
        record_version(self.context, tx, version, found, f"result.{row.cause}", before=answered)
        return version.number, found.classification.status, found.classification.final, True

    # ---- again

    def resume(self, most: int = 500) -> int:
        """Record what was kept and not recorded because the process died; how many were taken up."""
        with refusing(), self.context.store.reading(self.context.organisation) as reading:
            inbox = Inbox(reading)
            messages = inbox.messages(inbox.waiting(("received",), before=datetime.now(UTC) - _AT_WORK, limit=most))
        kept = [kept_of(each.id, each) for _, each in sorted(messages.items()) if each.message is not None]
        for start in range(0, len(kept), 50):
            self.record(kept[start : start + 50])
        return len(kept)


def load_feeds(folder: str) -> Feeds:
    """The feeds of a folder, "" for the standard one alone. Raises ValueError with every mistake."""
    return Feeds.load(Path(folder) if folder else None)


class refusing:
    """What the store refuses becomes a Refusal that every door can tell."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Busy):
            raise Refusal("busy", "The database is busy; nothing was stored, send it again.") from error
        if isinstance(error, Unavailable):
            raise Refusal("unavailable", "The database cannot be reached; send it again.") from error
        if isinstance(error, Unstorable):
            problem = Problem("WRONG_TYPE", "sender", "sender or control id is too long or not text", "send a shorter")
            raise Refusal("invalid", "The message cannot be kept.", [problem]) from error
        if isinstance(error, RecordsError) and not isinstance(error, IdentityConflict | Stale | Duplicate):
            raise error


def kept_of(message_id: str, message: Any) -> Kept:
    """A stored message as it is processed again."""
    payload = Payload(message.message, message.media_type, message.sender, message.control_id)
    return Kept(message_id, payload, False)


def join_key(part: Part, sender: str) -> str:
    """Where split reports of one specimen meet: laboratory, else sender; accession, specimen and block."""
    return text_of([part.laboratory or sender, part.accession, part.specimen, part.block])


def outcome_of(message_id: str, state: str, detail: str | None) -> Outcome:
    """What became of a message, as it was stored."""
    told = json.loads(detail or "{}")
    problems = tuple(Problem(**each) for each in told.get("problems", ()))
    return Outcome(message_id, state, told.get("step"), problems, tuple(told.get("results", ())))


def lines_of(mapped: Mapped) -> tuple[dict[str, str], ...]:
    """The lines of a message as documents."""
    return tuple(line._asdict() for line in mapped.lines)


def read_payload(payload: Payload, feed: Feed) -> Received:
    """What a message says, read by its media type as its sender's feed asks. Raises nothing a sender can cause."""
    if payload.media_type == FHIR_JSON:
        return read_fhir(payload.message, payload.sender)
    return read_hl7(
        payload.message,
        payload.sender,
        charset=feed.charset,
        accept=frozenset({"", *feed.accept_processing}),
        zone=feed.zone,
    )


def _settle(
    tx: Transaction,
    kept: Kept,
    told: Understood,
    state: str,
    step: str | None,
    problems: tuple[Problem, ...],
    results: Iterable[dict[str, Any]],
) -> Outcome:
    """Append what became of a message. Parts that wait are kept without a result, so that their case is found."""
    inbox = InboxWriting(tx)
    results = tuple(results)
    if state == "quarantined":
        run = _run(tx, kept.id)
        for sequence, part in enumerate(told.mapped.parts, 1):
            said = {"accession": part.accession or None, "content": text_of(part.document), "result_id": None}
            inbox.append_contribution({"message_id": kept.id, "number": run, "sequence": sequence, **said})
    detail: dict[str, Any] = {"results": results}
    if problems:
        detail |= {"step": step, "problems": [problem_document(each) for each in problems]}
    number = _next(tx, kept)
    if not tx.append_message_state(kept.id, number, state, step=step, detail=text_of(detail)):
        raise Busy("another process is at this message")
    tx.append_audit(f"message.{state}", {"message": kept.id})
    if state == "quarantined":
        tx.append_outbox("message.quarantined", text_of({"message": kept.id, "sender": kept.payload.sender}))
    return Outcome(kept.id, state, step, problems, results)


def _next(tx: Transaction, kept: Kept) -> int:
    if kept.new:
        return 1
    newest = InboxWriting(tx).newest([kept.id]).get(kept.id)
    if newest is not None and newest.state in TERMINAL:
        raise Busy("another process has recorded this message")
    return newest.number + 1 if newest else 1


def _run(tx: Transaction, message_id: str) -> int:
    said = InboxWriting(tx).said_by(message_id)
    return said[-1].number + 1 if said else 1


def _identities(identifiers: Iterable[Any], kept: Kept) -> list[Identity]:
    # a number without its authority is the sender's own: another sender's same number is another patient
    own = f"urn:herald:sender:{kept.payload.sender}"
    return [Identity(each.system or own, each.value) for each in identifiers]


def _source(kept: Kept) -> str:
    return "fhir" if kept.payload.media_type == FHIR_JSON else "hl7v2"


def _located(problems: Iterable[Problem], part: Part) -> list[Problem]:
    """The rules' problems at the places of the message that gave the fields."""
    places = {fact.field: fact.where for fact in part.facts}
    return [
        Problem(
            "NOT_ACCEPTED", places.get(each.field, each.field), f"{each.field}: {each.message} ({each.code})",
            each.remedy,
        )
        for each in problems
    ]  # fmt: skip
