"""Meetings of a tumour board: who is on a list, in which order, and what was decided. Each is a fact with a number.

Finding takes a Reading, appending a Transaction: `Meetings(reading)`, `MeetingsWriting(transaction)`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from app.records import board_tables as b
from app.records import tables as t
from app.records.cursors import make_cursor, read_cursor
from app.records.queries import PAGE_SIZE, PAGE_SIZE_MOST, Reading, list_name, pick
from app.records.rows import Page, ResultView, Step, columns_of
from app.records.writing import Transaction

Source = Literal["hand", "open-steps", "fhir-list"]


@dataclass(frozen=True, slots=True)
class Meeting:
    """A board on a date. held_on: YYYY-MM-DD; person: who made it."""

    id: str
    held_on: str
    title: str
    person_name: str
    person_role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CaseFact:
    """A patient was placed on a list, or removed; sequence: the place, the smaller the earlier."""

    id: str
    meeting_id: str
    patient_id: str
    number: int
    kind: str
    sequence: int
    source: str
    question: str | None
    person_name: str
    person_role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided on a case. version_id: what was looked at, None without a result; views: JSON text.

    result_id, version, status, final are of that version; status and final None once its answer was erased.
    """

    id: str
    meeting_id: str
    patient_id: str
    version_id: str | None
    number: int
    decision: str | None
    views: str | None
    person_name: str
    person_role: str
    created_at: datetime
    result_id: str | None = None
    version: int | None = None
    status: str | None = None
    final: bool | None = None


@dataclass(frozen=True, slots=True)
class MeetingFilter:
    """What a list of meetings is narrowed to; dates as YYYY-MM-DD. held_before: leaves out that day."""

    held_from: str | None = None
    held_before: str | None = None


class Meetings:
    """What can be found of meetings."""

    def __init__(self, reading: Reading) -> None:
        self._reading, self._connection = reading, reading.connection

    def find(self, meeting_id: str) -> Meeting | None:
        """A meeting, or None."""
        query = select(b.meeting).where(self._own(b.meeting), b.meeting.c.id == meeting_id)
        row = self._connection.execute(query).first()
        return None if row is None else pick(Meeting, row._mapping)

    def list_meetings(
        self,
        narrow: MeetingFilter,
        *,
        cursor: str | None = None,
        limit: int = PAGE_SIZE,
        earliest_first: bool = False,
    ) -> Page[Meeting]:
        """Meetings by their dates, the latest first unless told. limit: 1 to 500. Raises BadCursor."""
        of = list_name("meetings", {**columns_of(narrow), "earliest": earliest_first or None})
        meeting = b.meeting.c
        query = select(b.meeting).where(self._own(b.meeting))
        if narrow.held_from is not None:
            query = query.where(meeting.held_on >= narrow.held_from)
        if narrow.held_before is not None:
            query = query.where(meeting.held_on < narrow.held_before)
        if cursor is not None:
            day, last = read_cursor(self._reading.organisation, of, cursor, 2)
            later = or_(meeting.held_on > day, and_(meeting.held_on == day, meeting.id > last))
            earlier = or_(meeting.held_on < day, and_(meeting.held_on == day, meeting.id < last))
            query = query.where(later if earliest_first else earlier)
        order = (meeting.held_on, meeting.id)
        query = query.order_by(*(order if earliest_first else (each.desc() for each in order)))
        limit = max(1, min(limit, PAGE_SIZE_MOST))
        found = [pick(Meeting, row._mapping) for row in self._connection.execute(query.limit(limit + 1))]
        more = len(found) > limit
        items = found[:limit]
        after = (items[-1].held_on, items[-1].id) if more else ()
        return Page(tuple(items), make_cursor(self._reading.organisation, of, after) if more else None)

    def cases(self, meeting_ids: Collection[str]) -> dict[str, tuple[CaseFact, ...]]:
        """Who is on the list of each meeting, in order."""
        return self._placed(b.meeting_case.c.meeting_id.in_(meeting_ids))

    def meetings_with(self, patient_ids: Collection[str]) -> tuple[Meeting, ...]:
        """The meetings on whose lists one of these patients is, the latest first."""
        ids = self._placed(b.meeting_case.c.patient_id.in_(patient_ids)).keys()
        meeting = b.meeting.c
        query = select(b.meeting).where(self._own(b.meeting), meeting.id.in_(ids))
        rows = self._connection.execute(query.order_by(meeting.held_on.desc(), meeting.id.desc()))
        return tuple(pick(Meeting, row._mapping) for row in rows)

    def outcomes(self, meeting_ids: Collection[str]) -> dict[str, tuple[Outcome, ...]]:
        """What was decided in each meeting, oldest first, with the version looked at."""
        said, version, answer = b.meeting_outcome, t.result_version, t.classification
        query = (
            select(
                said, version.c.result_id, version.c.number.label("version"), answer.c.status, answer.c.final
            )
            .outerjoin(version, and_(version.c.organisation == said.c.organisation, version.c.id == said.c.version_id))
            .outerjoin(
                answer,
                and_(
                    answer.c.organisation == said.c.organisation,
                    answer.c.version_id == said.c.version_id,
                    answer.c.purpose == "current",
                ),
            )
            .where(self._own(said), said.c.meeting_id.in_(meeting_ids))
            .order_by(said.c.number, said.c.created_at)
        )  # fmt: skip
        found: dict[str, list[Outcome]] = defaultdict(list)
        for row in self._connection.execute(query):
            found[row.meeting_id].append(pick(Outcome, row._mapping))
        return {meeting_id: tuple(each) for meeting_id, each in found.items()}

    def open_steps(self, result_ids: Collection[str]) -> dict[str, tuple[Step, ...]]:
        """What each result still waits for, the first due first."""
        step, closing = t.open_step, t.open_step_closing
        closed = exists().where(closing.c.organisation == step.c.organisation, closing.c.step_id == step.c.id)
        query = select(step).where(self._own(step), ~closed, step.c.result_id.in_(result_ids))
        found: dict[str, list[Step]] = defaultdict(list)
        for row in self._connection.execute(query.order_by(step.c.due_at, step.c.id)):
            found[row.result_id].append(pick(Step, row._mapping))
        return {result_id: tuple(each) for result_id, each in found.items()}

    def results(self, patient_ids: Collection[str]) -> tuple[ResultView, ...]:
        """Results that stand with these patient rows, oldest collection first."""
        views = self._reading.views_of(tuple(patient_ids))
        when = {each.id: each.version.collected_at or each.version.reported_at or each.created_at for each in views}
        return tuple(sorted(views, key=lambda each: (when[each.id], each.id)))

    def patients_of(self, result_ids: Collection[str]) -> dict[str, str]:
        """The patient that each result stands with, merges not followed."""
        return {view.id: view.patient_id for view in self._reading.views(t.result.c.id.in_(result_ids))}

    def _placed(self, condition: ColumnElement[bool]) -> dict[str, tuple[CaseFact, ...]]:
        fact = b.meeting_case
        newer = fact.alias()
        outdated = exists().where(
            newer.c.organisation == fact.c.organisation,
            newer.c.meeting_id == fact.c.meeting_id,
            newer.c.patient_id == fact.c.patient_id,
            newer.c.number > fact.c.number,
        )
        query = select(fact).where(self._own(fact), condition, fact.c.kind == "placed", ~outdated)
        found: dict[str, list[CaseFact]] = defaultdict(list)
        for row in self._connection.execute(query.order_by(fact.c.sequence, fact.c.id)):
            found[row.meeting_id].append(pick(CaseFact, row._mapping))
        return {meeting_id: tuple(each) for meeting_id, each in found.items()}

    def _own(self, table: Any) -> ColumnElement[bool]:
        return self._reading.own(table)


class MeetingsWriting(Meetings):
    """Appending to meetings. Take the list with `lock` before its cases or outcomes are read and written."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self._transaction = transaction

    def append_meeting(self, held_on: str, title: str, *, name: str, role: str) -> Meeting:
        """A new meeting."""
        values = {"held_on": held_on, "title": title, "person_name": name, "person_role": role}
        now = self._transaction.now
        return Meeting(id=self._transaction.append_row(b.meeting, **values, created_at=now), **values, created_at=now)

    def lock(self, meeting_id: str) -> None:
        """One at a time at a meeting: two people who move or add at once would otherwise not see each other."""
        if self._connection.dialect.name == "postgresql":
            named = f"herald meeting\0{self._transaction.organisation}\0{meeting_id}"
            number = int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], "big", signed=True)
            self._connection.execute(select(func.pg_advisory_xact_lock(number)))

    def append_case(
        self,
        meeting_id: str,
        patient_id: str,
        kind: Literal["placed", "removed"],
        sequence: int,
        source: str,
        question: str | None,
        *,
        name: str,
        role: str,
    ) -> None:
        """A patient is on the list at a place from now on, or is not any more. Raises Busy when another was first."""
        self._transaction.append_fact(
            b.meeting_case,
            meeting_id=meeting_id,
            patient_id=patient_id,
            number=self._next(b.meeting_case, meeting_id, patient_id),
            kind=kind,
            sequence=sequence,
            source=source,
            question=question,
            person_name=name,
            person_role=role,
            created_at=self._transaction.now,
        )

    def append_outcome(
        self, meeting_id: str, patient_id: str, version_id: str | None, decision: str, views: str, *, name: str,
        role: str,
    ) -> None:  # fmt: skip
        """What was decided on a case; those before it stay. Raises Busy when another was first."""
        self._transaction.append_fact(
            b.meeting_outcome,
            meeting_id=meeting_id,
            patient_id=patient_id,
            version_id=version_id,
            number=self._next(b.meeting_outcome, meeting_id, patient_id),
            decision=decision,
            views=views,
            person_name=name,
            person_role=role,
            created_at=self._transaction.now,
        )

    def _next(self, table: Any, meeting_id: str, patient_id: str) -> int:
        of = (table.c.meeting_id == meeting_id) & (table.c.patient_id == patient_id)
        query = select(func.coalesce(func.max(table.c.number), 0)).where(self._own(table), of)
        return int(self._connection.execute(query).scalar_one()) + 1
