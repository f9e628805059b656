"""The public contract: feedback on CDS cards, and its summary."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.cards import KINDS

_CARD = rf"^[0-9A-Fa-f]{{8}}-[0-9A-Fa-f]{{4}}-800[0-{len(KINDS) - 1}]-[89ABab][0-9A-Fa-f]{{3}}-[0-9A-Fa-f]{{12}}$"


class Coding(BaseModel):
    """The reason that the card offered and the user chose."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(min_length=1, max_length=300)
    system: str | None = Field(None, min_length=1, max_length=300)
    display: str | None = Field(None, min_length=1, max_length=300)


class OverrideReason(BaseModel):
    """Why a card was put aside."""

    model_config = ConfigDict(extra="forbid")
    reason: Coding | None = None
    userComment: str | None = Field(None, max_length=4000)


class AcceptedSuggestion(BaseModel):
    """A suggestion that was taken."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1, max_length=300)


class CardFeedback(BaseModel):
    """What a user did with one card; the same card may be reported many times."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "card": "4f0d1c3a-9b2e-8000-8d4c-2a1b3c4d5e6f",
                    "outcome": "overridden",
                    "overrideReason": {"reason": {"code": "known", "system": "https://herald.example.org/reasons"}},
                    "outcomeTimestamp": "2026-11-25T14:30:00Z",
                }
            ]
        },
    )
    card: str = Field(description="the uuid of the card", pattern=_CARD)
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: list[AcceptedSuggestion] | None = Field(None, description="with accepted")
    overrideReason: OverrideReason | None = Field(None, description="with overridden")
    outcomeTimestamp: str = Field(description="date-time in UTC", json_schema_extra={"format": "date-time"})


class FeedbackReport(BaseModel):
    """POST /cds-services/{id}/feedback (CDS Hooks 2.0): stored all or nothing."""

    model_config = ConfigDict(extra="forbid")
    feedback: list[CardFeedback] = Field(min_length=1, max_length=1000)


class FeedbackRow(BaseModel):
    """Reports that agree in service, kind of card, outcome and reason."""

    service: str
    kind: Literal[KINDS] = Field(description="what the card was about")  # type: ignore[valid-type]
    outcome: Literal["accepted", "overridden"]
    reason_system: str | None
    reason_code: str | None
    reports: int
    cards: int = Field(description="different cards among them")


class FeedbackSummary(BaseModel):
    """Feedback in numbers: no comment, no card, no patient."""

    model_config = ConfigDict(populate_by_name=True)
    since: str | None = Field(alias="from")
    before: str | None
    reports: int
    rows: list[FeedbackRow]


SENT: tuple[Any, ...] = (FeedbackReport,)
