"""The intake: keep a message as it came, read it, map it, record it; what cannot be recorded waits with the reason.

Keeping and recording are two transactions: what was kept is never lost, whatever happens to it later. A message that
stays in the state `received`, because the process died, is taken up again by `resume`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.domain.problems import Problem
from app.interop.feeds import Feed, Feeds, map_received
from app.interop.fhir.reading import read as read_fhir
from app.interop.fhir.reading import read_resource
from app.interop.hl7.reading import read as read_hl7
from app.interop.received import Mapped, Received
from app.records.errors import Busy, Duplicate, IdentityConflict, Stale, Unavailable, Unstorable
from app.records.inbox import Inbox, InboxWriting
from app.records.rows import Message
from app.services.assessment import assess
from app.services.errors import Refusal, told_of
from app.services.joining import assembled, document_of
from app.services.payloads import FHIR_JSON, HL7V2, TERMINAL, Kept, Outcome, Part, Payload
from app.services.recorder import Recorder, Understood, Waits, located, waves
from app.services.reporting import Context

_AT_WORK = timedelta(seconds=20)  # a message younger than this may be on its way through another process
_TRIES = 5
_READ = (HL7V2, FHIR_JSON)  # the others are answered, or taken up, by their own doors
_INTERNAL = Problem("INTERNAL", "message", "an error on our side", "process the message again; tell the maintainers")


class Intake:
    """Keeps and records messages of one organisation. Thread-safe: it holds nothing of them.

    log: a logger, told of errors of ours by kind and place, never of what was sent.
    """

    def __init__(self, context: Context, feeds: Feeds, log: Any = None) -> None:
        self.context, self.feeds, self.log = context, feeds, log

    def ours(self, error: Exception) -> None:
        """An error of ours, for the log: the message waits as INTERNAL, which does not say what went wrong."""
        if self.log is not None:
            self.log.error("message_failed", **told_of(error))

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
            mapped = map_received(received, feed, overlay or {})
        except Exception as error:
            self.ours(error)
            return Understood(None, Mapped((), (), (_INTERNAL,)), "read")
        step = "read" if received.problems else "map" if mapped.problems else None
        return Understood(received, mapped, step)

    def preview(self, payload: Payload) -> Outcome:
        """What Herald would read of a message, part by part; nothing is stored, and nothing stored is looked at."""
        with refusing(), self.context.store.reading(self.context.organisation) as reading:
            overlay = Inbox(reading).codes(payload.sender)
        return self.preview_by(payload, overlay)

    def preview_by(self, payload: Payload, overlay: dict[tuple[str, str], str]) -> Outcome:
        """The same by codes that were read before: nothing waits for the database."""
        told = self.understand(payload, overlay)
        problems, results, parts = list(told.mapped.problems), [], []
        for part in told.mapped.parts:
            fields, contradictory = assembled([part])
            document = document_of(fields)
            assessed = assess(document)
            found = assessed.classification
            wrong = (*contradictory, *located(found.problems, part))
            problems += wrong
            parts.append(Part(part.specimen, document, wrong, assessed))
            results.append({"id": None, "version": None, "status": found.status, "final": found.final, "changed": True})
        state = "quarantined" if problems else "recorded" if results or told.mapped.merges else "set_aside"
        step = told.step or ("record" if problems else None)
        return Outcome("", state, step, tuple(problems), tuple(results), lines_of(told.mapped), tuple(parts))

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
        found: dict[str, Outcome] = {}
        try:
            for wave in waves(kept, told) if len(kept) > 1 else ():
                found |= self._in_transaction(wave, told)
        except Unavailable as error:
            raise Refusal("unavailable", "The database cannot be reached; the message is kept.") from error
        except Exception:  # noqa: S110 - one of them does not go with the others, and says why when it is alone
            pass
        for each in kept:
            found[each.id] = found.get(each.id) or self._alone(each, told[each.id])
        return found

    def _alone(self, kept: Kept, told: Understood) -> Outcome:
        """One message by itself: tried again where a rival was first; what it meets then is why it waits."""
        for attempt in range(1, _TRIES + 1):
            try:
                return self._in_transaction([kept], {kept.id: told})[kept.id]
            except (Busy, Stale, Duplicate) as error:
                if (done := self._done(kept)) is not None:
                    return done
                if attempt == _TRIES:
                    raise Refusal("busy", "The database is busy; the message is kept.") from error
            except Unavailable as error:
                raise Refusal("unavailable", "The database cannot be reached; the message is kept.") from error
            except Waits as waits:
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
            except Exception as error:
                self.ours(error)
                return self._done(kept) or self._set_down(kept, told, (_INTERNAL,))
        raise AssertionError("unreachable")

    def _done(self, kept: Kept) -> Outcome | None:
        """What a rival has made of it."""
        with refusing(), self.context.store.reading(self.context.organisation) as reading:
            newest = Inbox(reading).newest([kept.id]).get(kept.id)
        if newest is None or newest.state not in TERMINAL:
            return None
        return outcome_of(kept.id, newest.state, newest.detail)

    def _set_down(self, kept: Kept, told: Understood, problems: Sequence[Problem]) -> Outcome:
        with refusing(), self.context.store.transaction(self.context.organisation) as tx:
            return Recorder(self.context, tx, [kept], {kept.id: told}).set_down(problems)

    def _in_transaction(self, kept: Sequence[Kept], told: dict[str, Understood]) -> dict[str, Outcome]:
        with self.context.store.transaction(self.context.organisation) as tx:
            return Recorder(self.context, tx, kept, told).record()

    # ---- again

    def resume(self, since: datetime | None = None, most: int = 500) -> int:
        """Record what was kept and not recorded because the process died; how many were taken up.

        since: looks only at what came from then on.
        """
        with refusing(), self.context.store.reading(self.context.organisation) as reading:
            inbox = Inbox(reading)
            before = datetime.now(UTC) - _AT_WORK
            ids = inbox.waiting(("received",), media_types=_READ, since=since, before=before, limit=most)
            messages = inbox.messages(ids) if ids else {}
        kept = [kept_of(each) for _, each in sorted(messages.items()) if each.message is not None]
        for start in range(0, len(kept), 50):
            self.record(kept[start : start + 50])
        return len(kept)


def load_feeds(folder: str) -> Feeds:
    """The feeds of a folder, "" for the standard one alone. Raises ValueError with every mistake."""
    return Feeds.load(Path(folder) if folder else None)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """What the store refuses becomes a Refusal that every door can tell."""
    try:
        yield
    except Busy as error:
        raise Refusal("busy", "The database is busy; nothing was stored, send it again.") from error
    except Unavailable as error:
        raise Refusal("unavailable", "The database cannot be reached; send it again.") from error
    except Unstorable as error:
        problem = Problem("WRONG_TYPE", "sender", "sender or control id is too long or not text", "send a shorter")
        raise Refusal("invalid", "The message cannot be kept.", [problem]) from error


def kept_of(message: Message) -> Kept:
    """A stored message, not erased, as it is processed again."""
    payload = Payload(message.message or b"", message.media_type, message.sender, message.control_id)
    return Kept(message.id, payload, False)


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
    if payload.resource is not None:
        return read_resource(payload.resource, payload.sender)
    if payload.media_type == FHIR_JSON:
        return read_fhir(payload.message, payload.sender)
    return read_hl7(
        payload.message,
        payload.sender,
        charset=feed.charset,
        accept=frozenset({"", *feed.accept_processing}),
        zone=feed.zone,
    )
