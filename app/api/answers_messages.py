"""The public contract: messages in, and what persons ask of them. These models describe what app.services makes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.problems import ProblemItem
from app.services.payloads import STATES

State = Literal[STATES]  # type: ignore[valid-type]
_FACTS = "field, value, status, at, where (its place in the message) and text (as sent)"


class MessageRow(BaseModel):
    """A message without its bytes, at its newest state."""

    id: str
    sender: str = Field(description="as the door saw it, empty where unknown")
    control_id: str
    content_hash: str = Field(description="SHA-256 of the bytes as received")
    media_type: str
    size: int | None = Field(description="bytes as received; null once erased by order")
    received_at: str
    state: State
    step: str | None = Field(description="read, map or record: where it was held; replay: by a person's word")
    changed_at: str
    problems: list[ProblemItem]


class MessagePage(BaseModel):
    """Messages, the newest first."""

    items: list[MessageRow]
    next_cursor: str | None


class ExportedMessage(MessageRow):
    """One line of an export."""

    message_base64: str | None = Field(description="the bytes as received; null once erased by order")


class StateCount(BaseModel):
    """How many messages are in a state."""

    state: State
    count: int


class SenderCount(StateCount):
    """How many messages of a sender are in a state."""

    sender: str


class MessageCounts(BaseModel):
    """Messages by state, zeros told too, and by state and sender."""

    states: list[StateCount]
    senders: list[SenderCount]


class MessageLine(BaseModel):
    """One line of what was received beside what became of it."""

    where: str
    code: str
    text: str
    field: str = Field(description="of the case document; empty where the line gave nothing")
    value: str
    note: str


class MessageFact(BaseModel):
    """What became of a message; name, role, reason where a person asked for it."""

    number: int
    state: State
    step: str | None
    at: str
    name: str | None
    role: str | None
    reason: str | None
    problems: list[ProblemItem]
    results: list[dict[str, Any]]


class ReadNow(BaseModel):
    """How the sender's feed reads a message now, whatever became of it then."""

    event: str
    step: str | None
    problems: list[ProblemItem]
    lines: list[MessageLine]
    notes: list[str]
    unmapped: list[dict[str, str]] = Field(description="where, system, code, display of each code to be mapped")


class RecordedPart(BaseModel):
    """What one run of a message said about one specimen."""

    run: int
    sequence: int
    result_id: str | None = Field(description="null while it waits")
    accession: str | None
    stands: bool = Field(description="of the newest run that reached a result: its word is in that result")
    erased: bool
    facts: list[dict[str, Any]] = Field(description=_FACTS)


class MessageDetail(BaseModel):
    """One message: raw at /messages/{id}/raw, read in reads_now, recorded in recorded."""

    id: str
    sender: str
    control_id: str
    content_hash: str
    media_type: str
    size: int | None
    received_at: str
    state: State
    step: str | None
    problems: list[ProblemItem]
    states: list[MessageFact]
    reads_now: ReadNow | None = Field(description="null for a file, and once erased by order")
    recorded: list[RecordedPart]


class MessageOutcome(BaseModel):
    """What became of a message, or would become of it (id null)."""

    id: str | None
    state: State
    step: str | None
    problems: list[ProblemItem]
    results: list[dict[str, Any]]
    lines: list[MessageLine]


class Replayed(BaseModel):
    """What became of the messages processed again. left: how many of the list were not taken up."""

    replayed: int
    left: int
    states: dict[str, int]


class Dismissed(BaseModel):
    """A message that a person closed."""

    id: str
    state: Literal["dismissed"]


class CodeMapped(BaseModel):
    """A code mapped. still_waiting: messages of this sender that stay in quarantine."""

    changed: bool = Field(description="false where it was mapped so already")
    replayed: int
    states: dict[str, int]
    still_waiting: int


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, description="who asks for it")
    role: str = Field(max_length=100)
    reason: str = Field(max_length=2000)


class MessageAct(_Sent):
    """A person processes a message again, or dismisses it."""


class MessageReplays(_Sent):
    """A person processes all messages of a state again."""

    state: State
    sender: str | None = None
    received_from: str | None = None
    received_before: str | None = None


class CodeMapping(_Sent):
    """A person maps a sender's code. target: a field of the case document, document, note or ignore."""

    sender: str = ""
    system: str = Field("", description="URI of the code's list; empty for the sender's own list")
    code: str = Field(max_length=200)
    target: str = Field(examples=["ihc.score"])


SENT = (MessageAct, MessageReplays, CodeMapping, ExportedMessage)
