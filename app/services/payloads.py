"""What doors hand to the intake, and what they get back: one message in, one outcome out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from app.domain.problems import Problem
from app.services.assessment import Assessment

HL7V2, FHIR_JSON = "x-application/hl7-v2+er7", "application/fhir+json"

# received: kept, not looked at yet; processing: a file whose rows are being recorded; recorded: its results stand;
# recorded_in_part: a file some of whose rows were refused; quarantined: waits for a person, problems say why;
# set_aside: nothing in it is about HER2; refused: the sender was told no and nothing waits; dismissed: a person
# closed it with a reason
STATES = (
    "received", "processing", "recorded", "recorded_in_part", "quarantined", "set_aside", "refused", "dismissed",
)  # fmt: skip

TERMINAL = tuple(state for state in STATES if state not in ("received", "processing"))


@dataclass(frozen=True, slots=True)
class Payload:
    """A message as it came. sender and control_id: as the door sees them before anything is parsed, "" if unknown.

    resource: a FHIR resource that was read before and is only previewed; then there is no message.
    """

    message: bytes
    media_type: str
    sender: str
    control_id: str = ""
    resource: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that is on disk. new: False when these very bytes came before from this sender."""

    id: str
    payload: Payload
    new: bool


class Part(NamedTuple):
    """What a previewed message says of one specimen: the case document of its final values, what is wrong in it, and
    what the document alone gives."""

    specimen: str
    document: dict[str, Any]
    problems: tuple[Problem, ...]
    assessed: Assessment


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message. state: one of STATES; results: documents of the results that it gave or changed
    ({"id", "version", "status", "final", "changed"}); lines: what was read beside what became of it; parts: of a
    preview, one for each result."""

    message_id: str
    state: str
    step: str | None = None
    problems: tuple[Problem, ...] = ()
    results: tuple[dict[str, Any], ...] = ()
    lines: tuple[dict[str, str], ...] = ()
    parts: tuple[Part, ...] = ()


class Desk(Protocol):
    """The intake as asynchronous doors use it; many calls at once share a commit.

    Raises Refusal("busy") or Refusal("unavailable") when the database cannot take it: then nothing may be acknowledged.
    """

    async def keep(self, payload: Payload) -> Kept:
        """Store the bytes; they are on disk when this returns."""
        ...

    async def record(self, kept: Kept) -> Outcome:
        """Read, map and record a kept message; answers what became of it before, where it was recorded before."""
        ...
