"""A meeting as a document: its cases in order, what each waits for, what was decided and whether that still stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.records.meetings import CaseFact, Meeting, Meetings, Outcome
from app.records.queries import Reading
from app.records.rows import ResultView, Step
from app.services.reporting import Document
from app.services.views import row_document, step_document


@dataclass(frozen=True, slots=True)
class Entry:
    """One case of a list: a patient, by all the rows that stand together. facts: its placings, the first counts."""

    patient_id: str
    family: tuple[str, ...]
    facts: tuple[CaseFact, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A meeting with everything on its list, read in one transaction."""

    meeting: Meeting
    entries: tuple[Entry, ...]
    outcomes: tuple[Outcome, ...]
    results: tuple[ResultView, ...]
    steps: Mapping[str, tuple[Step, ...]]

    def find(self, patient_id: str) -> Entry | None:
        """The case of a patient, by any of the ids that stand together."""
        return next((each for each in self.entries if patient_id in each.family), None)


def entries_of(reading: Reading, facts: Iterable[CaseFact]) -> tuple[Entry, ...]:
    """The cases of a list in order; patients merged since they were placed are one case, at the first one's place."""
    together: dict[str, list[CaseFact]] = {}
    for fact in facts:
        together.setdefault(reading.find_survivor(fact.patient_id), []).append(fact)
    return tuple(Entry(each, reading.find_family(each), tuple(placed)) for each, placed in together.items())


def read_board(reading: Reading, meeting: Meeting) -> Board:
    """Everything on a meeting's list."""
    meetings = Meetings(reading)
    entries = entries_of(reading, meetings.cases([meeting.id]).get(meeting.id, ()))
    results = meetings.results([row for entry in entries for row in entry.family])
    outcomes = meetings.outcomes([meeting.id]).get(meeting.id, ())
    steps = meetings.open_steps([each.id for each in results])
    return Board(meeting, entries, outcomes, results, steps)


def head_document(meeting: Meeting) -> Document:
    """A meeting without its cases."""
    return {
        "id": meeting.id,
        "held_on": meeting.held_on,
        "title": meeting.title,
        "name": meeting.person_name,
        "role": meeting.person_role,
        "created_at": _time(meeting.created_at),
    }


def board_document(board: Board, *, sign_off: bool) -> Document:
    """A meeting with its cases in order."""
    cases = [
        case_document(board, entry, position, sign_off=sign_off) for position, entry in enumerate(board.entries, 1)
    ]
    return {**head_document(board.meeting), "cases": cases}


def case_document(board: Board, entry: Entry, position: int, *, sign_off: bool) -> Document:
    """One case: its results, the oldest collected first, what they wait for, the question, what was decided."""
    fact = entry.facts[0]
    results = [each for each in board.results if each.patient_id in entry.family]
    steps = [step for each in results for step in board.steps.get(each.id, ())]
    steps.sort(key=lambda step: (step.due_at, step.id))
    return {
        "patient_id": entry.patient_id,
        "position": position,
        "source": fact.source,
        "question": fact.question,
        "name": fact.person_name,
        "role": fact.person_role,
        "placed_at": _time(fact.created_at),
        "result_id": results[-1].id if results else None,
        "results": [_row(each, sign_off) for each in results],
        "open_steps": [step_document(step) for step in steps],
        "outcomes": outcome_documents(board.outcomes, entry, results),
    }


def _row(view: ResultView, sign_off: bool) -> Document:
    specimen = json.loads(view.version.document or "{}").get("specimen") or {}
    return {**row_document(view, sign_off=sign_off), "specimen_kind": specimen.get("kind")}


def outcome_documents(outcomes: Sequence[Outcome], entry: Entry, results: Sequence[ResultView]) -> list[Document]:
    """What was decided on a case, oldest first, each with what has changed since. results: of the patient, now."""
    mine = [each for each in outcomes if each.patient_id in entry.family]
    if len({each.patient_id for each in mine}) > 1:
        mine.sort(key=lambda each: (each.created_at, each.number))
    return [_outcome(each, number, results) for number, each in enumerate(mine, 1)]


def _outcome(outcome: Outcome, number: int, results: Sequence[ResultView]) -> Document:
    views = json.loads(outcome.views) if outcome.views else {"evidence": None, "considerations": []}
    return {
        "number": number,
        "decision": outcome.decision,
        "name": outcome.person_name,
        "role": outcome.person_role,
        "at": _time(outcome.created_at),
        "result_id": outcome.result_id,
        "version": outcome.version,
        "status": outcome.status,
        "final": outcome.final,
        "evidence": views["evidence"],
        "views": views["considerations"],
        "since": list(_since(outcome, results)),
    }


def _since(outcome: Outcome, results: Sequence[ResultView]) -> Iterator[str]:
    """What has changed since a decision, in words."""
    if outcome.result_id is not None:
        now = next((each for each in results if each.id == outcome.result_id), None)
        if now is None:
            yield "The result decided on stands with another patient now."
        elif now.version.number != outcome.version:
            then, present = stands(outcome.status, outcome.final), _stands_now(now)
            yield f"Decided on version {outcome.version} ({then}); now version {now.version.number} says {present}."
    late = [each for each in results if each.created_at > outcome.created_at and each.id != outcome.result_id]
    for each in late:
        yield f"A further result was reported after this decision: {_stands_now(each)}."


def _stands_now(view: ResultView) -> str:
    told = view.classification
    return stands(told.status if told else None, told.final if told else None)


def stands(status: str | None, final: bool | None) -> str:
    """A status with whether it is final, as one reads it aloud."""
    if status is None:
        return "an answer erased by order"
    return f"HER2 {status}, {'final' if final else 'not final'}"


def _time(value: datetime) -> str:
    return value.isoformat()
