"""HL7 v2 messages in: keep, record, acknowledge; nothing is said before it is true.

| what happened                          | original mode         | enhanced mode (MSH-15, MSH-16)        |
| -------------------------------------- | --------------------- | ------------------------------------- |
| kept                                   | nothing yet           | CA, where MSH-15 asks for it          |
| recorded, or nothing in it is about HER2 | AA                  | then AA, where MSH-16 asks for it     |
| waits for a person                     | AA with ERR-4 W       | then the same; AE for a strict sender |
| unreadable, unsupported, not production | AR                   | then AR                               |
| control id came before for other content | AE, 205             | then AE, 205                          |
| an error of ours after it was kept     | AE, 207               | then AE, 207                          |
| can never be kept, or too large        | AR                    | CR, asked for or not                  |
| the database is down or busy           | no answer at all      | no answer at all                      |

Over HTTP the application acknowledgement is the answer in either mode.

No answer, and a closed connection, in the last case: a sender takes that for a broken line and sends this very message
again before any other, for as long as it takes. AE, AR, CE and CR all say that the message was dealt with: many
engines then put it aside and go on with the next, so the result waits for a person and the feed is out of order.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from app.domain.problems import Problem
from app.interop.hl7.acknowledgement import AckCode, AckError, acknowledge, errors_of
from app.interop.hl7.envelope import Condition, peek, wants
from app.services.alarms import Alarm
from app.services.errors import Refusal
from app.services.payloads import HL7V2, Desk, Kept, Outcome, Payload

_TRANSIENT = ("busy", "unavailable")
_REJECTED = frozenset({"UNREADABLE", "UNSUPPORTED", "NOT_PRODUCTION"})
_BEFORE = b"\xef\xbb\xbf \t\r\n\x0b"
_LONGEST_NAME = 199  # MSH-10 from 2.7 on
_OURS = Problem("INTERNAL", "", "An error on our side; the message is kept.", "Do not send it again.")
_FAULTS = {
    "too_large": ("The message is larger than this listener takes.", "Send less, or raise HERALD_MLLP_FRAME_BYTES."),
    "unstorable": ("The message cannot be kept.", "Send plain text of a usual length."),
    "nested": ("Another message begins inside it.", "End each message with FS and CR, and send it again."),
}


def _now() -> datetime:
    return datetime.now(UTC)


class Exchange:
    """Answers messages at a desk. strict: whether a sender is told AE for what waits, which stops an ordered feed.

    most_waiting: messages that may be kept and acknowledged by CA alone before they are recorded; further ones wait.
    together_seconds: so long such a message waits for others to be recorded with, since nobody waits for an answer.
    """

    def __init__(
        self,
        desk: Desk,
        clock: Callable[[], datetime] = _now,
        *,
        log: Any,
        strict: Callable[[str], bool] = lambda sender: False,
        most_waiting: int = 2_000,
        together_seconds: float = 0.1,
    ) -> None:
        self._together_seconds = together_seconds
        self._desk, self._clock, self._strict = desk, clock, strict
        self._room = asyncio.Semaphore(most_waiting)
        self._later: set[asyncio.Task[None]] = set()
        self._failing = Alarm(log, "message_not_recorded")

    async def answers(self, message: bytes) -> AsyncIterator[bytes]:
        """Each acknowledgement as soon as it is true: none, one, or CA and then AA, AE or AR.

        Raises Refusal("busy") or Refusal("unavailable"): then nothing may be answered and the sender has to send again.
        """
        asked = wants(message)
        kept = await self._keep(message)
        if kept is None:
            yield self.refuse(message, "unstorable")
            return
        if asked.mode == "enhanced" and _is_asked(asked.accept, "CA"):
            yield self._acknowledged(message, "CA", ())
        if asked.application == "NE":
            await self._room.acquire()
            work = asyncio.create_task(self._record_later(kept))
            self._later.add(work)
            work.add_done_callback(self._later.discard)
            return
        code, errors = await self._verdict(kept)
        if _is_asked(asked.application, code):
            yield self._acknowledged(message, code, errors)

    async def answer(self, message: bytes) -> bytes:
        """AA, AE or AR whatever the sender asks for: for a door with one answer. Raises as answers does."""
        kept = await self._keep(message)
        if kept is None:
            return self.refuse(message, "unstorable")
        code, errors = await self._verdict(kept)
        return self._acknowledged(message, code, errors)

    def refuse(self, beginning: bytes, fault: str) -> bytes:
        """The answer to what was not kept and never will be, whatever the sender asks for. beginning: with the MSH."""
        enhanced = wants(beginning).mode == "enhanced"
        problem = Problem("UNREADABLE", "", *_FAULTS[fault])
        return self._acknowledged(beginning, "CR" if enhanced else "AR", errors_of([problem]))

    async def finish(self) -> None:
        """Wait until what was acknowledged by CA alone has been recorded."""
        while self._later:
            await asyncio.wait(self._later)

    async def _keep(self, message: bytes) -> Kept | None:
        """None where it can never be kept."""
        try:
            return await self._desk.keep(payload(message))
        except Refusal as refused:
            if refused.kind in _TRANSIENT:
                raise
            return None

    async def _record_later(self, kept: Kept) -> None:
        try:
            await asyncio.sleep(self._together_seconds)
            await self._verdict(kept)
        except Refusal as refused:
            # it is on disk in the state `received`: the intake takes it up again
            self._failing.strike(refused.kind)
        finally:
            self._room.release()

    async def _verdict(self, kept: Kept) -> tuple[AckCode, tuple[AckError, ...]]:
        try:
            outcome = await self._desk.record(kept)
        except Refusal as refused:
            if refused.kind in _TRANSIENT:
                raise
            outcome = Outcome(kept.id, "refused", problems=refused.problems or (_OURS,))
        except Exception as error:
            # an endless repetition would mend nothing, and hold up the feed
            self._failing.strike(type(error).__name__)
            return "AE", errors_of([_OURS])
        self._failing.end()
        return verdict(outcome, strict=self._strict(kept.payload.sender))

    def _acknowledged(self, message: bytes, code: AckCode, errors: tuple[AckError, ...]) -> bytes:
        # an answer repeats of the header only, and to split a whole message takes six times as long
        return acknowledge(_header(message), code, errors, self._clock(), secrets.token_hex(10))


def payload(message: bytes) -> Payload:
    """An HL7 v2 message as the intake takes it."""
    sender, control_id = (_name(each) for each in peek(message))
    return Payload(message, HL7V2, sender, control_id)


def verdict(outcome: Outcome, *, strict: bool = False) -> tuple[AckCode, tuple[AckError, ...]]:
    """The application acknowledgement of what became of a message, and its errors.

    Raises Refusal("busy") where it is not recorded yet.
    """
    codes = {each.code for each in outcome.problems}
    if outcome.state in ("received", "processing"):
        raise Refusal("busy", "The message is kept and not recorded yet.")
    if outcome.state not in ("refused", "quarantined"):
        return "AA", errors_of(outcome.problems, "W")
    if "CONTROL_ID_REUSED" in codes:
        return "AE", errors_of(outcome.problems)
    if outcome.state == "refused" or codes & _REJECTED:
        return "AR", errors_of(outcome.problems)
    return ("AE", errors_of(outcome.problems)) if strict else ("AA", errors_of(outcome.problems, "W"))


def _header(message: bytes) -> bytes:
    """The first segment. A two-byte character set gives all of it, for it has no single bytes to split at."""
    return message if b"\x00" in message[:16] else re.split(rb"[\r\n]", message.lstrip(_BEFORE), maxsplit=1)[0]


def _is_asked(condition: Condition, code: AckCode) -> bool:
    """MSH-15 and MSH-16: always, never, on error or rejection only, on success only."""
    return condition == "AL" or condition == ("SU" if code in ("AA", "CA") else "ER")


def _name(text: str) -> str:
    """A name that can be a key, or "": a message whose names are not to be used is still kept."""
    return text if text.isprintable() and len(text) <= _LONGEST_NAME else ""
