"""What goes into the store and what comes out: frozen, flat, named as the columns are. Documents are JSON text.

Times are aware datetimes in UTC. Ids are texts that sort by time. None in a field marked erasable in tables.py
may also mean "erased by order".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")


def columns_of(row: Any) -> dict[str, Any]:
    """The fields of one of these classes by name; a shallow and quick dataclasses.asdict."""
    return {name: getattr(row, name) for name in row.__slots__}


Purpose = Literal["current", "re-evaluation"]
ActKind = Literal["recount", "adjudication", "sign_off"]
ClosingCause = Literal["arrived", "replaced", "person"]
DeliveryState = Literal["started", "delivered", "failed", "parked"]


@dataclass(frozen=True, slots=True)
class Identity:
    """An identifier of a patient: the system that gives it out, and its value."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version of a result to append.

    document: the input as written; cause: reported, amended, recount, adjudication, ...; source: the way it came
    (api, hl7, csv, ...); the rest is what lists are filtered by. person and reason: of whoever changed it.
    """

    document: str
    cause: str
    source: str
    reason: str | None = None
    person_name: str | None = None
    person_role: str | None = None
    laboratory: str | None = None
    accession: str | None = None
    specimen: str | None = None
    block: str | None = None
    collected_at: datetime | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A stored version. number: 1, 2, ...; digest: SHA-256 of the document's UTF-8, in hex."""

    id: str
    result_id: str
    number: int
    replaces_id: str | None
    cause: str
    reason: str | None
    person_name: str | None
    person_role: str | None
    source: str
    laboratory: str | None
    accession: str | None
    specimen: str | None
    block: str | None
    collected_at: datetime | None
    reported_at: datetime | None
    document: str | None
    digest: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewClassification:
    """An answer to append, with everything it depends on. policy and answer: JSON text as it was sent."""

    edition_id: str
    edition_digest: str
    pack_id: str
    pack_version: str
    pack_digest: str
    policy: str
    engine: str
    status: str
    final: bool
    review_required: bool
    answer: str
    ish_group: int | None = None
    her2_low: str | None = None
    purpose: Purpose = "current"


@dataclass(frozen=True, slots=True)
class Classification:
    """A stored answer; see NewClassification."""

    id: str
    version_id: str
    purpose: str
    edition_id: str
    edition_digest: str
    pack_id: str
    pack_version: str
    pack_digest: str
    policy: str
    engine: str
    status: str
    final: bool
    ish_group: int | None
    her2_low: str | None
    review_required: bool
    answer: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewAct:
    """What a person did to a version. meaning: in the words shown to that person; detail: JSON text, if any."""

    kind: ActKind
    person_name: str
    person_role: str
    meaning: str
    performed_at: datetime
    reason: str | None = None
    detail: str | None = None
    led_to_version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """A stored act: on version_id, which may have led to another version."""

    id: str
    version_id: str
    led_to_version_id: str | None
    kind: str
    person_name: str
    person_role: str
    meaning: str
    reason: str | None
    detail: str | None
    performed_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step that an answer waits for. awaited: the code of the next step; who: a role or name, if known."""

    awaited: str
    since: datetime
    due_at: datetime
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A stored step; the closed_* and by_* fields are None as long as it is open."""

    id: str
    result_id: str
    version_id: str
    awaited: str
    since: datetime
    due_at: datetime
    who: str | None
    created_at: datetime
    closed_at: datetime | None = None
    closed_cause: str | None = None
    closed_reason: str | None = None
    by_version_id: str | None = None
    by_act_id: str | None = None


@dataclass(frozen=True, slots=True)
class ResultView:
    """A result at its newest version. patient_id: where it stands now; signed: a sign-off of this very version."""

    id: str
    patient_id: str
    join_key: str | None
    created_at: datetime
    version: Version
    classification: Classification | None
    signed: bool


@dataclass(frozen=True, slots=True)
class ResultDetail:
    """A result with what a person did to its newest version, and what it still waits for."""

    view: ResultView
    acts: tuple[Act, ...]
    open_steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class VersionDetail:
    """One version in a history. classifications: the current one first, then re-evaluations in order of time."""

    version: Version
    classifications: tuple[Classification, ...]
    acts: tuple[Act, ...]
    steps: tuple[Step, ...]

    @property
    def current(self) -> Classification | None:
        """The answer that counts; None where there is none."""
        return next((each for each in self.classifications if each.purpose == "current"), None)

    def is_signed(self, at: datetime | None = None) -> bool:
        """Has a person confirmed it, by that moment if one is given?"""
        return any(act.kind == "sign_off" and (at is None or act.recorded_at <= at) for act in self.acts)


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided that patients are one, or that a result is another's; in which role, and why."""

    person_name: str
    person_role: str
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """A result went to another patient; number: 1, 2, ... within the result."""

    id: str
    result_id: str
    from_patient_id: str
    to_patient_id: str
    number: int
    person_name: str
    person_role: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A patient was merged into another, or unmerged; the newest number of a patient counts."""

    id: str
    patient_id: str
    into_patient_id: str
    number: int
    kind: str
    person_name: str
    person_role: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Timeline:
    """All results that stand with a patient, oldest collection first; moves and links that concern the patient.

    patient_id: the survivor; asked_id: the patient asked for, another where that one is merged; patient_ids: all who
    stand together, the survivor first.
    """

    patient_id: str
    asked_id: str
    patient_ids: tuple[str, ...]
    identities: tuple[Identity, ...]
    results: tuple[ResultView, ...]
    moves: tuple[Move, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """What a list is narrowed to; None asks nothing. Intervals of time take their start and leave out their end."""

    status: str | None = None
    final: bool | None = None
    her2_low: str | None = None
    ish_group: int | None = None
    edition_id: str | None = None
    review_required: bool | None = None
    signed: bool | None = None
    patient_id: str | None = None
    accession: str | None = None
    laboratory: str | None = None
    collected_from: datetime | None = None
    collected_before: datetime | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepFilter:
    """What the list of open steps is narrowed to; None asks nothing. due_before: leaves out that moment."""

    awaited: str | None = None
    who: str | None = None
    due_before: datetime | None = None
    result_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list. next_cursor: ask with it for what follows; None at the end."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer kept for its idempotency key. http_status: as sent; headers: JSON text; body: text."""

    http_status: int
    headers: str
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of a claim. new: do the work, then complete it; replay: send answer again; conflict: the key was
    used for another request; in_progress: the first request with this key still runs. answer: on replay only, and
    None there too if it was erased by order."""

    state: Literal["new", "replay", "conflict", "in_progress"]
    answer: StoredAnswer | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A raw message as received; message is None once erased by order."""

    id: str
    sender: str
    control_id: str
    content_hash: str
    media_type: str
    message: bytes | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A line of the outbox."""

    id: str
    topic: str
    version_id: str | None
    payload: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """One thing wrong with the chain or with a record it covers. sequence: the line, 0 where none is concerned."""

    sequence: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What verifying found. lines: of the chain; records: rows checked against it; erased: contents and rows gone by
    order; head_*: the newest line, to be kept elsewhere so that a chain cut short is seen."""

    organisation: str
    lines: int
    records: int
    erased: int
    head_sequence: int
    head_digest: str
    problems: tuple[AuditProblem, ...] = field(default=())

    @property
    def sound(self) -> bool:
        return not self.problems
