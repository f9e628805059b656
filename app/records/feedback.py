"""Feedback on cards: what clinicians did with them, as it was reported, and counts of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import distinct, func, select

from app.records.board_tables import card_feedback
from app.records.queries import Reading
from app.records.rows import columns_of
from app.records.writing import Transaction


@dataclass(frozen=True, slots=True)
class Report:
    """One report. comment and content (JSON, without the comment) are erasable; the rest names nobody."""

    service: str
    card: str
    kind: str
    outcome: str
    outcome_at: datetime
    reason_system: str | None
    reason_code: str | None
    comment: str | None
    content: str


@dataclass(frozen=True, slots=True)
class FeedbackFilter:
    """What is counted: reports that came in [since, before), of one service or of all."""

    since: datetime | None = None
    before: datetime | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class FeedbackCount:
    """Reports that agree in service, kind of card, outcome and reason, and how many cards they are of."""

    service: str
    kind: str
    outcome: str
    reason_system: str | None
    reason_code: str | None
    reports: int
    cards: int


class Feedback:
    """What can be found of feedback."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def counts(self, narrow: FeedbackFilter) -> tuple[FeedbackCount, ...]:
        """Counts by service, kind, outcome and reason, in that order."""
        column = card_feedback.c
        groups = (column.service, column.kind, column.outcome, column.reason_system, column.reason_code)
        query = select(*groups, func.count().label("reports"), func.count(distinct(column.card)).label("cards"))
        query = query.where(self._reading.own(card_feedback))
        if narrow.since is not None:
            query = query.where(column.created_at >= narrow.since)
        if narrow.before is not None:
            query = query.where(column.created_at < narrow.before)
        if narrow.service is not None:
            query = query.where(column.service == narrow.service)
        rows = [FeedbackCount(*row) for row in self._reading.connection.execute(query.group_by(*groups))]
        # here, since the two databases sort texts and nulls differently
        return tuple(
            sorted(rows, key=lambda r: (r.service, r.kind, r.outcome, r.reason_system or "", r.reason_code or ""))
        )


class FeedbackWriting(Feedback):
    """Appending feedback."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self._transaction = transaction

    def append(self, report: Report) -> str:
        """A report as it came, its id; the caller writes the audit line."""
        return self._transaction.append_row(card_feedback, **columns_of(report), created_at=self._transaction.now)
