"""Finding: every query names its organisation, and "newest" is worked out from the facts, never stored."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Result,
    Row,
    Select,
    and_,
    exists,
    or_,
    select,
)

from app.records import tables as t
from app.records.columns import instant_text
from app.records.cursors import make_cursor, read_cursor
from app.records.errors import BadCursor, NotFound
from app.records.patients import PatientFinding
from app.records.rows import (
    Act,
    Classification,
    Identity,
    Link,
    Message,
    Move,
    Page,
    ResultDetail,
    ResultFilter,
    ResultView,
    Step,
    StepFilter,
    Timeline,
    Version,
    VersionDetail,
    columns_of,
)
from app.records.statements import HEADS, OPEN_STEPS, STANDING, STEPS, signed, stands_with

R = TypeVar("R")
PAGE_SIZE = 50
PAGE_SIZE_MOST = 500


class Reading(PatientFinding):
    """What can be found in one organisation's records, as they stood when the transaction began to read."""

    def __init__(self, connection: Connection, organisation: str) -> None:
        self.organisation = organisation
        self.connection = connection

    # ---- results

    def find_result(self, result_id: str) -> ResultDetail | None:
        """The result at its newest version, or None."""
        row = self._execute_heads(HEADS.where(t.result.c.id == result_id)).first()
        if row is None:
            return None
        view = view_of(row)
        return ResultDetail(view, self._acts([view.version.id]), self.open_steps_of(result_id))

    def find_results(self, result_ids: Collection[str]) -> dict[str, ResultView]:
        """Results at their newest version by id."""
        return {view.id: view for view in self.views(t.result.c.id.in_(result_ids))} if result_ids else {}

    def find_result_by_join_key(self, join_key: str) -> ResultDetail | None:
        """The result that split reports of this specimen meet in, or None."""
        query = select(t.result.c.id).where(self.own(t.result), t.result.c.join_key == join_key)
        result_id = self.connection.execute(query).scalar()
        return None if result_id is None else self.find_result(result_id)

    def find_version(self, result_id: str, number: int) -> VersionDetail | None:
        """One version by its number (1, 2, ...), or None."""
        found = [d for d in self.find_history(result_id) if d.version.number == number]
        return found[0] if found else None

    def find_history(self, result_id: str) -> tuple[VersionDetail, ...]:
        """All versions, oldest first; empty where there is no such result."""
        versions = self._all(Version, t.result_version, t.result_version.c.result_id == result_id, "number")
        ids = [v.id for v in versions]
        answers = self._all(Classification, t.classification, t.classification.c.version_id.in_(ids), "id")
        acts = self._acts(ids)
        steps = self._steps(t.open_step.c.result_id == result_id)
        return tuple(
            VersionDetail(
                version,
                tuple(sorted((a for a in answers if a.version_id == version.id), key=lambda a: a.purpose != "current")),
                tuple(a for a in acts if a.version_id == version.id),
                tuple(s for s in steps if s.version_id == version.id),
            )
            for version in versions
        )

    def list_results(
        self, narrow: ResultFilter | None = None, *, cursor: str | None = None, limit: int = PAGE_SIZE
    ) -> Page[ResultView]:
        """Results at their newest version, the newest result first. limit: 1 to 500. Raises BadCursor."""
        narrow = narrow or ResultFilter()
        of = list_name("results", columns_of(narrow))
        # by the version's column: the index that finds the newest version is then read in the order asked for
        query = HEADS.where(*self._narrowed(narrow)).order_by(t.result_version.c.result_id.desc())
        if cursor is not None:
            (after,) = read_cursor(self.organisation, of, cursor, 1)
            query = query.where(t.result_version.c.result_id < after)
        limit = max(1, min(limit, PAGE_SIZE_MOST))
        items = [view_of(row) for row in self._execute_heads(query.limit(limit + 1))]
        more = len(items) > limit
        items = items[:limit]
        return Page(tuple(items), make_cursor(self.organisation, of, (items[-1].id,)) if more else None)

    # ---- patients

    def has_patient(self, patient_id: str) -> bool:
        """Is there a patient with this id?"""
        return self._there(t.patient, patient_id)

    def find_timeline(self, patient_id: str) -> Timeline | None:
        """All results that stand with a patient, or with the one it was merged into; moves and links both ways.

        None for an unknown patient.
        """
        if not self._there(t.patient, patient_id):
            return None
        patients = self.find_family(self.find_survivor(patient_id))
        results = self.find_standing(patients)
        identities = self._all(Identity, t.patient_identity, t.patient_identity.c.patient_id.in_(patients), "id")
        move, link = t.result_move.c, t.patient_link.c
        moved = or_(move.from_patient_id.in_(patients), move.to_patient_id.in_(patients))
        linked = or_(link.patient_id.in_(patients), link.into_patient_id.in_(patients))
        return Timeline(
            patients[0],
            patient_id,
            patients,
            tuple(i for i in identities if i.value is not None),
            results,
            self._all(Move, t.result_move, moved, "id"),
            self._all(Link, t.patient_link, linked, "id"),
        )

    def find_results_of(self, identities: Iterable[Identity]) -> tuple[tuple[str, ...], tuple[ResultView, ...]]:
        """The patients that these identifiers stand with, and where it is one, the results, the oldest tissue first."""
        owners = set(self._rows_of(identities).values())
        if not owners:
            return (), ()
        if len(owners) == 1 and not self.is_linked(owner := next(iter(owners))):
            return (owner,), self.find_standing([owner])
        patients = tuple(sorted({self.find_survivor(owner) for owner in owners}))
        return patients, self.find_standing(self.find_family(patients[0])) if len(patients) == 1 else ()

    def find_standing(self, patients: Sequence[str]) -> tuple[ResultView, ...]:
        """The results that stand with these patient rows, merges not followed, by when the tissue was taken."""

        def when(each: ResultView) -> tuple[datetime, str]:
            return each.version.collected_at or each.version.reported_at or each.created_at, each.id

        return tuple(sorted(self.views_of(patients), key=when))

    # ---- open steps

    def open_steps_of(self, *result_ids: str) -> tuple[Step, ...]:
        """What results still wait for, the first due first."""
        values = {"organisation": self.organisation, "results": list(result_ids)}
        return tuple(pick(Step, row._mapping) for row in self.connection.execute(OPEN_STEPS, values))

    def list_open_steps(
        self, narrow: StepFilter | None = None, *, cursor: str | None = None, limit: int = PAGE_SIZE
    ) -> Page[Step]:
        """Steps that nobody has closed, the first due first. limit: 1 to 500. Raises BadCursor."""
        narrow = narrow or StepFilter()
        of = list_name("open steps", columns_of(narrow))
        step, closing = t.open_step, t.open_step_closing
        closed = exists().where(closing.c.organisation == step.c.organisation, closing.c.step_id == step.c.id)
        query = select(step).where(self.own(step), ~closed).order_by(step.c.due_at, step.c.id)
        for column, wanted in ((step.c.awaited, narrow.awaited), (step.c.who, narrow.who)):
            query = query if wanted is None else query.where(column == wanted)
        if narrow.result_id is not None:
            query = query.where(step.c.result_id == narrow.result_id)
        if narrow.due_before is not None:
            query = query.where(step.c.due_at < narrow.due_before)
        if cursor is not None:
            due, after = read_cursor(self.organisation, of, cursor, 2)
            due_at = _moment(due)
            query = query.where(or_(step.c.due_at > due_at, and_(step.c.due_at == due_at, step.c.id > after)))
        limit = max(1, min(limit, PAGE_SIZE_MOST))
        items = [pick(Step, row._mapping) for row in self.connection.execute(query.limit(limit + 1))]
        more = len(items) > limit
        items = items[:limit]
        last = (instant_text(items[-1].due_at), items[-1].id) if more else ()
        return Page(tuple(items), make_cursor(self.organisation, of, last) if more else None)

    def acts_of(self, version_id: str) -> tuple[Act, ...]:
        """What persons did to a version, in the order it was recorded."""
        return self._acts([version_id])

    # ---- messages

    def find_message(self, message_id: str) -> Message | None:
        """A raw message, or None."""
        found = self._all(Message, t.inbox, t.inbox.c.id == message_id, "id")
        return found[0] if found else None

    # ---- shared

    def views(self, condition: ColumnElement[bool]) -> tuple[ResultView, ...]:
        """Results at their newest version that meet a condition."""
        return tuple(view_of(row) for row in self._execute_heads(HEADS.where(condition)))

    def views_of(self, patient_ids: Sequence[str]) -> tuple[ResultView, ...]:
        """Results at their newest version that stand with these patient rows, merges not followed."""
        values = {"organisation": self.organisation, "patients": list(patient_ids)}
        return tuple(map(view_of, self.connection.execute(STANDING, values)))

    def own(self, table: FromClause) -> ColumnElement[bool]:
        """Of this organisation."""
        return table.c.organisation == self.organisation

    def _execute_heads(self, query: Select[Any]) -> Result[Any]:
        return self.connection.execute(query, {"organisation": self.organisation})

    def _there(self, table: FromClause, id: str) -> bool:
        return self.connection.execute(select(table.c.id).where(self.own(table), table.c.id == id)).first() is not None

    def _all(
        self, kind: type[R], table: FromClause, condition: ColumnElement[bool], order: str, limit: int | None = None
    ) -> tuple[R, ...]:
        query = select(table).where(self.own(table), condition).order_by(table.c[order]).limit(limit)
        return tuple(pick(kind, row._mapping) for row in self.connection.execute(query))

    def _acts(self, version_ids: Sequence[str]) -> tuple[Act, ...]:
        return self._all(Act, t.act, t.act.c.version_id.in_(version_ids), "id")

    def _steps(self, condition: ColumnElement[bool]) -> tuple[Step, ...]:
        query = STEPS.where(condition)
        return tuple(pick(Step, row._mapping) for row in self._execute_heads(query))

    def _newest(self, result_id: str) -> tuple[str, int]:
        """Id and number of the newest version. Raises NotFound."""
        version = t.result_version
        query = (
            select(version.c.id, version.c.number)
            .where(self.own(version), version.c.result_id == result_id)
            .order_by(version.c.number.desc())
            .limit(1)
        )
        row = self.connection.execute(query).first()
        if row is None:
            raise NotFound("result", result_id)
        return row.id, row.number

    def _narrowed(self, narrow: ResultFilter) -> list[ColumnElement[bool]]:
        version, answer = t.result_version.c, t.classification.c
        equal = (
            (answer.status, narrow.status),
            (answer.final, narrow.final),
            (answer.her2_low, narrow.her2_low),
            (answer.ish_group, narrow.ish_group),
            (answer.edition_id, narrow.edition_id),
            (answer.review_required, narrow.review_required),
            (version.accession, narrow.accession),
            (version.laboratory, narrow.laboratory),
        )
        conditions: list[ColumnElement[bool]] = [column == wanted for column, wanted in equal if wanted is not None]
        if narrow.signed is not None:
            conditions.append(signed() if narrow.signed else ~signed())
        if narrow.patient_id is not None:
            family = self.find_family(self.find_survivor(narrow.patient_id))
            conditions.append(stands_with(family))
        if narrow.collected_from is not None:
            conditions.append(version.collected_at >= narrow.collected_from)
        if narrow.collected_before is not None:
            conditions.append(version.collected_at < narrow.collected_before)
        if narrow.created_from is not None:
            conditions.append(t.result.c.created_at >= narrow.created_from)
        if narrow.created_before is not None:
            conditions.append(t.result.c.created_at < narrow.created_before)
        return conditions


def pick(kind: type[R], values: Any, prefix: str = "") -> R:
    """The row whose fields are named as the columns are; a field that the query lacks keeps its default."""
    return kind(**{f.name: values[prefix + f.name] for f in fields(kind) if prefix + f.name in values})  # type: ignore[arg-type]


def view_of(row: Row[Any]) -> ResultView:
    """A result at its newest version, of a row of _heads."""
    values = row._mapping
    return ResultView(
        id=values["id"],
        patient_id=values["stands_with"],
        join_key=values["join_key"],
        created_at=values["created_at"],
        version=pick(Version, values, "version_"),
        classification=None if values["answer_id"] is None else pick(Classification, values, "answer_"),
        signed=bool(values["signed"]),
    )


def list_name(name: str, narrowed: dict[str, Any]) -> str:
    """A list and its filters in one text, which its cursors are good for."""
    asked = {k: instant_text(v) if isinstance(v, datetime) else v for k, v in narrowed.items() if v is not None}
    return f"{name} {json.dumps(asked, sort_keys=True)}"


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadCursor from None
