"""The public contract of tumour board meetings. These models describe what app.services makes and reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.answers import OpenStep, ResultRow
from app.api.problems import ProblemItem
from app.domain.codes import NEXT_STEPS
from app.services.meeting_patients import ROLES
from app.services.outcomes import VIEWS

View = Literal[VIEWS]  # type: ignore[valid-type]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-12-03"])]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Role = Annotated[str, Field(min_length=1, max_length=100)]


class MeetingHead(BaseModel):
    """A meeting: a board on a date, made by name in that role."""

    id: str
    held_on: Day
    title: str
    name: str
    role: str
    created_at: str


class MeetingRow(MeetingHead):
    """A meeting in a list."""

    cases: int = Field(description="on its list")
    decided: int = Field(description="of these, how many have an outcome")


class MeetingPage(BaseModel):
    """Meetings, the latest first."""

    items: list[MeetingRow]
    next_cursor: str | None


class ConsiderationView(BaseModel):
    """What a meeting thought of one consideration."""

    consideration: str
    title: str
    view: View
    why: str | None


class MeetingOutcome(BaseModel):
    """What was decided on a case, and on which version of which result."""

    number: int = Field(description="1, 2, ... within the case; the newest counts, the others stay")
    decision: str | None = Field(description="null once erased by order")
    name: str
    role: str
    at: str
    result_id: str | None = Field(description="null where the patient had no result")
    version: int | None
    status: str | None = Field(description="of that version")
    final: bool | None
    evidence: dict[str, Any] | None = Field(description="id, version and digest of the pack looked at")
    views: list[ConsiderationView]
    since: list[str] = Field(description="what has changed since: a newer version, a further result; empty: nothing")


class RecordedOutcome(MeetingOutcome):
    """An outcome just recorded."""

    meeting_id: str
    patient_id: str


class CaseResult(ResultRow):
    """A result of a case."""

    specimen_kind: str | None


class MeetingCase(BaseModel):
    """A case: a patient on the list. name, role, placed_at: who placed or moved it last."""

    patient_id: str
    position: int
    source: Literal["hand", "open-steps", "fhir-list"]
    question: str | None
    name: str
    role: str
    placed_at: str
    result_id: str | None = Field(description="the result collected last; null without one")
    results: list[CaseResult] = Field(description="the oldest collected first")
    open_steps: list[OpenStep]
    outcomes: list[MeetingOutcome]


class MeetingDetail(MeetingHead):
    """A meeting with its cases in order."""

    cases: list[MeetingCase]


class CasePlace(BaseModel):
    """A patient's place on the list."""

    patient_id: str
    position: int


class CasesPlaced(BaseModel):
    """What was put on the list, what was there already, and which entries name nobody known."""

    meeting_id: str
    changed: bool
    placed: list[CasePlace]
    already: list[CasePlace]
    unknown: list[ProblemItem] = Field(description="entries of a FHIR List that name nobody, or several patients")
    left: int = Field(description="how many were not placed because the list is full")


class CaseRemoved(BaseModel):
    """A case taken off the list."""

    meeting_id: str
    patient_id: str
    changed: bool


class CaseMoved(CaseRemoved):
    """A case with its place. changed: false at the end of the list."""

    position: int


class _ByPerson(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    role: Role


class NewMeeting(_ByPerson):
    """A meeting to make."""

    held_on: Day
    title: Annotated[str, Field(min_length=1, max_length=200)]


class OpenStepsWanted(BaseModel):
    """Which open steps fill a list; without a filter all."""

    model_config = ConfigDict(extra="forbid")

    overdue: bool | None = None
    who: Literal[ROLES] | None = None  # type: ignore[valid-type]
    awaited: Literal[tuple(NEXT_STEPS)] | None = None  # type: ignore[valid-type]


class PatientIdentifier(BaseModel):
    """An identifier that a result came with."""

    model_config = ConfigDict(extra="forbid")

    value: str = Field(min_length=1, max_length=200)
    system: str | None = Field(None, min_length=1, max_length=300)


class CasePlacing(_ByPerson):
    """Exactly one of patient, result_id, accession and open_steps."""

    patient: Annotated[str, Field(min_length=1, max_length=200)] | PatientIdentifier | None = Field(
        None, description="Herald's id of the patient, or an identifier"
    )
    result_id: str | None = None
    accession: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    open_steps: OpenStepsWanted | None = None
    question: Annotated[str, Field(min_length=1, max_length=1000)] | None = None


class CaseRemoval(_ByPerson):
    """A person takes a case off the list."""


class CaseMove(_ByPerson):
    """A person moves a case one place."""

    direction: Literal["up", "down"]


class SentView(BaseModel):
    """Agreeing or not with one consideration; why is needed where the meeting disagrees."""

    model_config = ConfigDict(extra="forbid")

    consideration: str
    view: View
    why: Annotated[str, Field(min_length=1, max_length=2000)] | None = None


class OutcomeRecording(_ByPerson):
    """What was decided, and the result and version looked at: needed where the patient has a result."""

    decision: Annotated[str, Field(min_length=1, max_length=4000)]
    result_id: str | None = None
    version: Annotated[int, Field(ge=1)] | None = None
    views: Annotated[list[SentView], Field(max_length=500)] | None = None
    after: Annotated[int, Field(ge=0)] | None = Field(
        None, description="how many outcomes the case had when the form was shown; 409 when another came since"
    )


SENT = (NewMeeting, CasePlacing, CaseRemoval, CaseMove, OutcomeRecording)
