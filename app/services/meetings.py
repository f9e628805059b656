"""Meetings of a tumour board: make and find them, put cases on the list, order them, take them off.

Patients are named by Herald's ids in every answer, refusal and audit line; what cannot be found is told, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from app.domain.problems import Problem, shown
from app.domain.reading import is_text
from app.interop.fhir.lists import read_list
from app.records.ids import is_id
from app.records.meetings import CaseFact, Meeting, MeetingFilter, Meetings, MeetingsWriting, Source
from app.records.queries import Reading
from app.records.rows import StepFilter
from app.records.writing import Transaction
from app.services.assessment import problem_document
from app.services.errors import Refusal
from app.services.finding import reading
from app.services.meeting_patients import (
    patient_named,
    patient_of,
    patient_of_accession,
    patient_of_result,
    steps_of,
    waiting,
)
from app.services.meeting_views import Entry, board_document, entries_of, head_document, read_board
from app.services.reporting import Context, Document, Key, Reply, in_transaction
from app.services.requests import Fields, patient_identity

MOST = 200  # cases on one list
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ONE_OF = "send exactly one of patient, result_id, accession and open_steps"


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, in which role."""

    name: str
    role: str


# ---- meetings


def make_meeting(context: Context, body: Mapping[str, Any], key: Key | None) -> Reply:
    """A new meeting. body: held_on (YYYY-MM-DD), title, name and role of who makes it."""
    fields = Fields(body)
    by = by_of(fields)
    title = fields.text("title", needed=True) or ""
    told = fields.take("held_on")
    wrong = [] if _is_day(told) else [_not_a_day("held_on", told)]
    fields.close(*wrong)

    def record(tx: Transaction) -> Reply:
        meeting = MeetingsWriting(tx).append_meeting(told, title, name=by.name, role=by.role)
        tx.append_audit("meeting.made", {"meeting": meeting.id, "held_on": told, "name": by.name, "role": by.role})
        return Reply({**head_document(meeting), "cases": []}, None, None)

    return in_transaction(context, key, record)


def list_meetings(
    context: Context, narrow: Mapping[str, str | None], cursor: str | None, limit: int, *, earliest_first: bool = False
) -> Document:
    """Meetings by their dates, the latest first unless told, each with how many cases it has and how many of them
    have an outcome. narrow: held_from, held_before."""
    wrong = [_not_a_day(name, day) for name, day in narrow.items() if day is not None and not _is_day(day)]
    if wrong:
        raise Refusal("invalid", "The query cannot be read.", wrong)

    def find(records: Reading) -> Document:
        meetings = Meetings(records)
        page = meetings.list_meetings(
            MeetingFilter(**narrow), cursor=cursor, limit=limit, earliest_first=earliest_first
        )
        ids = [each.id for each in page.items]
        cases, outcomes = meetings.cases(ids), meetings.outcomes(ids)
        items = []
        for each in page.items:
            entries = entries_of(records, cases.get(each.id, ()))
            decided = {outcome.patient_id for outcome in outcomes.get(each.id, ())}
            counts = {"cases": len(entries), "decided": sum(not decided.isdisjoint(one.family) for one in entries)}
            items.append({**head_document(each), **counts})
        return {"items": items, "next_cursor": page.next_cursor}

    return reading(context, find)


def find_meeting(context: Context, meeting_id: str) -> Document:
    """A meeting with its cases in order."""

    def find(records: Reading) -> Document:
        meeting = known_meeting(Meetings(records), meeting_id)
        return board_document(read_board(records, meeting), sign_off=context.sign_off)

    return reading(context, find)


def meetings_of(context: Context, patient_id: str) -> list[Document]:
    """The meetings on whose lists a patient is, the latest first, each with the patient's case there."""

    def find(records: Reading) -> list[Document]:
        family = records.find_family(records.find_survivor(patient_id))
        found = []
        for meeting in Meetings(records).meetings_with(family):
            told = board_document(read_board(records, meeting), sign_off=context.sign_off)
            case = next((each for each in told.pop("cases") if each["patient_id"] in family), None)
            found.append({**told, "case": case})
        return found

    return reading(context, find)


# ---- the list of one


def place_case(context: Context, meeting_id: str, body: Mapping[str, Any], key: Key | None) -> Reply:
    """Put cases on the list, at its end: exactly one of `patient` (Herald's id, or an identifier), `result_id`,
    `accession`, and `open_steps` (overdue, who, awaited: every patient with such a step, the first due first).

    A question given for a patient who is on the list already becomes that case's question.
    """
    fields = Fields(body)
    by, question = by_of(fields), fields.text("question", lines=True)
    patient, steps = fields.take("patient"), fields.take("open_steps")
    result_id, accession = fields.take("result_id"), fields.text("accession")
    wrong: list[Problem] = []
    if sum(each is not None for each in (patient, result_id, accession, steps)) != 1 and not fields.problems:
        wrong.append(Problem("MISSING_FIELD", "patient", "names no case, or several", _ONE_OF))
    if patient is not None:
        patient_identity(patient, wrong)
    if result_id is not None and not (isinstance(result_id, str) and is_text(result_id)):
        wrong.append(Problem("WRONG_TYPE", "result_id", "is not a text", "send the id of a result"))
    narrow, overdue = steps_of(steps, wrong)
    if steps is not None and question is not None:
        wrong.append(Problem("UNKNOWN_FIELD", "question", "belongs to one case", "leave it out"))
    fields.close(*wrong)

    def record(tx: Transaction) -> Reply:
        meetings, _ = locked(tx, meeting_id)
        if steps is not None:
            due = StepFilter(**narrow, due_before=tx.now if overdue else None)
            return _placed(tx, meetings, meeting_id, waiting(tx, due), "open-steps", by)
        if patient is not None:
            found = patient_of(tx, patient)
        elif result_id is not None:
            found = patient_of_result(tx, result_id)
        else:
            found = patient_of_accession(tx, accession or "")
        return _placed(tx, meetings, meeting_id, [found], "hand", by, question=question)

    return in_transaction(context, key, record)


def place_list(
    context: Context,
    meeting_id: str,
    document: Mapping[str, Any],
    key: Key | None,
    *,
    sender: str = "",
    name: str | None = None,
    role: str | None = None,
) -> Reply:
    """Put the patients of a FHIR List on the list, in its order; entries that name nobody known are told one by one.

    sender: the system whose own identifiers those without a system are; name, role: who asks, else List.source.
    """
    told = read_list(document, sender)
    fields = Fields({"name": name or told.source or None, "role": role or "source of the List"})
    by = by_of(fields)
    fields.close(*told.problems)

    def record(tx: Transaction) -> Reply:
        meetings, _ = locked(tx, meeting_id)
        found = [(each, patient_named(tx, each)) for each in told.entries]
        wanted = [patient for _, patient in found if isinstance(patient, str)]
        unknown = [problem for _, problem in found if isinstance(problem, Problem)]
        return _placed(tx, meetings, meeting_id, wanted, "fhir-list", by, unknown=unknown)

    return in_transaction(context, key, record)


def remove_case(context: Context, meeting_id: str, patient_id: str, body: Mapping[str, Any], key: Key | None) -> Reply:
    """Take a case off the list. One with an outcome stays: it was discussed."""
    fields = Fields(body)
    by = by_of(fields)
    fields.close()

    def record(tx: Transaction) -> Reply:
        meetings, entries = locked(tx, meeting_id)
        entry = known_case(entries, patient_id)
        if any(each.patient_id in entry.family for each in meetings.outcomes([meeting_id]).get(meeting_id, ())):
            raise Refusal("conflict", "An outcome is recorded for this case, so it stays on the list.")
        for fact in entry.facts:
            _append(meetings, fact, "removed", fact.sequence, by)
        _tell(tx, "meeting.case-removed", meeting_id, entry.patient_id, by)
        return Reply({"meeting_id": meeting_id, "patient_id": entry.patient_id, "changed": True}, None, None)

    return in_transaction(context, key, record)


def move_case(context: Context, meeting_id: str, patient_id: str, body: Mapping[str, Any], key: Key | None) -> Reply:
    """Move a case one place up or down; at the end of the list nothing changes."""
    fields = Fields(body)
    by, direction = by_of(fields), fields.take("direction")
    wrong = []
    if direction not in ("up", "down"):
        wrong.append(Problem("UNKNOWN_VALUE", "direction", "is neither up nor down", "send up or down"))
    fields.close(*wrong)

    def record(tx: Transaction) -> Reply:
        meetings, entries = locked(tx, meeting_id)
        entry = known_case(entries, patient_id)
        here = entries.index(entry)
        there = here - 1 if direction == "up" else here + 1
        changed = 0 <= there < len(entries)
        if changed:
            pair = (entry, entries[there]) if direction == "up" else (entries[there], entry)
            places = sorted(each.facts[0].sequence for each in pair)
            # who comes first is appended first: a merge taken back leaves two at one place
            for moved, place in zip(pair, places, strict=True):
                for fact in moved.facts:
                    _append(meetings, fact, "placed", place, by)
            _tell(tx, "meeting.case-moved", meeting_id, entry.patient_id, by, position=there + 1)
        told = {"meeting_id": meeting_id, "patient_id": entry.patient_id, "changed": changed}
        return Reply({**told, "position": (there if changed else here) + 1}, None, None)

    return in_transaction(context, key, record)


# ---- shared with outcomes


def known_meeting(meetings: Meetings, meeting_id: str) -> Meeting:
    """A meeting by its id. Raises Refusal, not_found."""
    meeting = meetings.find(meeting_id) if is_id(meeting_id) else None
    if meeting is None:
        raise Refusal("not_found", "There is no such meeting.")
    return meeting


def known_case(entries: Sequence[Entry], patient_id: str) -> Entry:
    """A case of a list by its patient. Raises Refusal, not_found."""
    for each in entries:
        if patient_id in each.family:
            return each
    raise Refusal("not_found", "This patient is not on the list of this meeting.")


def locked(tx: Transaction, meeting_id: str) -> tuple[MeetingsWriting, tuple[Entry, ...]]:
    """A meeting's list that nobody else changes until the end of the transaction."""
    meetings = MeetingsWriting(tx)
    known_meeting(meetings, meeting_id)
    meetings.lock(meeting_id)
    return meetings, entries_of(tx, meetings.cases([meeting_id]).get(meeting_id, ()))


def _placed(
    tx: Transaction, meetings: MeetingsWriting, meeting_id: str, wanted: Iterable[str], source: Source, by: By, *,
    question: str | None = None, unknown: Sequence[Problem] = (),
) -> Reply:  # fmt: skip
    """Append the patients that are not on the list; they may stand with another by a merge."""
    facts = meetings.cases([meeting_id]).get(meeting_id, ())
    entries = entries_of(tx, facts)
    there = {entry.patient_id: entry for entry in entries}
    last, room = max((fact.sequence for fact in facts), default=0), MOST - len(entries)
    placed: list[Document] = []
    already: list[Document] = []
    changed = False
    survivors = list(dict.fromkeys(tx.find_survivor(each) for each in wanted))
    for patient_id in survivors:
        entry = there.get(patient_id)
        if entry is not None:
            already.append({"patient_id": patient_id, "position": entries.index(entry) + 1})
            if question is not None and question != entry.facts[0].question:
                _append(meetings, entry.facts[0], "placed", entry.facts[0].sequence, by, question=question)
                _tell(tx, "meeting.case-asked", meeting_id, patient_id, by)
                changed = True
        elif len(placed) < room:
            last += 1
            meetings.append_case(
                meeting_id, patient_id, "placed", last, source, question, name=by.name, role=by.role
            )  # fmt: skip
            _tell(tx, "meeting.case-placed", meeting_id, patient_id, by, source=source)
            placed.append({"patient_id": patient_id, "position": len(entries) + len(placed) + 1})
    left = len(survivors) - len(placed) - len(already)
    if left and source == "hand":
        raise Refusal("conflict", f"The list holds {MOST} cases, and no list holds more.")
    return Reply(
        {
            "meeting_id": meeting_id,
            "changed": changed or bool(placed),
            "placed": placed,
            "already": already,
            "unknown": [problem_document(each) for each in unknown],
            "left": left,
        },
        None,
        None,
    )


def _append(
    meetings: MeetingsWriting, fact: CaseFact, kind: Any, sequence: int, by: By, *, question: str | None = None
) -> None:
    asked = fact.question if question is None else question
    meetings.append_case(
        fact.meeting_id, fact.patient_id, kind, sequence, fact.source, asked, name=by.name, role=by.role
    )  # fmt: skip


def _tell(tx: Transaction, kind: str, meeting_id: str, patient_id: str, by: By, **more: Any) -> None:
    tx.append_audit(kind, {"meeting": meeting_id, "patient": patient_id, "name": by.name, "role": by.role, **more})


def by_of(fields: Fields) -> By:
    """Who does it; what is wrong is told when the fields are closed."""
    return By(fields.text("name", needed=True) or "", fields.text("role", needed=True) or "")


def today() -> str:
    """The day that divides coming meetings from past ones, in UTC."""
    return datetime.now(UTC).date().isoformat()


def _is_day(told: Any) -> bool:
    try:
        return isinstance(told, str) and bool(_DAY.fullmatch(told)) and bool(date.fromisoformat(told))
    except ValueError:
        return False


def _not_a_day(name: str, told: Any) -> Problem:
    if told is None:
        return Problem("MISSING_FIELD", name, "is needed", "send a date such as 2026-12-03")
    return Problem("WRONG_TYPE", name, f"{shown(told)} is not a date", "send a date such as 2026-12-03")
