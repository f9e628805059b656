"""A patient's case as a page needs it: the specimen that governs, what it waits for, and the others beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.reading import is_text
from app.records.inbox import Inbox
from app.records.queries import Reading
from app.records.rows import ResultDetail, ResultFilter, Step, Timeline
from app.services.errors import Refusal
from app.services.finding import reading
from app.services.reporting import Context
from app.services.views import row_document, step_document, summary_document, timeline_document

Document = dict[str, Any]
_SHOWN = 25


@dataclass(frozen=True, slots=True)
class CaseDocument:
    """A patient's case. result: the specimen on top, as GET /results/{id}; row: the same as a row of the timeline.

    governs: is that the newest specimen; messages: ids of what it came from; steps: what each specimen waits for, the
    first due first, `overdue` told; kinds: what each specimen is, by result; digest: of the input on top, SHA-256;
    as_of: when this was read.
    """

    timeline: Document
    row: Document
    result: Document
    governs: bool
    messages: tuple[str, ...]
    steps: tuple[Document, ...]
    kinds: dict[str, str | None]
    digest: str | None
    as_of: str


def find_case(context: Context, patient_id: str, result_id: str | None = None) -> CaseDocument:
    """The case of a patient by Herald's id, with one specimen on top: the newest, or the one named. Raises Refusal.

    The newest is the last collected; a specimen without that date stands by when it was reported, else recorded.
    """

    def find(records: Reading) -> tuple[Timeline, ResultDetail, tuple[str, ...], tuple[Step, ...]] | None:
        timeline = records.find_timeline(patient_id)
        if timeline is None or not timeline.results:
            return None
        chosen = next((each for each in timeline.results if each.id == result_id), None)
        if chosen is None:
            if result_id is not None:
                return None
            chosen = timeline.results[-1]
        # Of what the timeline has found already nothing is asked again.
        steps = records.open_steps_of(*(each.id for each in timeline.results))
        own = tuple(step for step in steps if step.result_id == chosen.id)
        detail = ResultDetail(chosen, records.acts_of(chosen.version.id), own)
        parts = Inbox(records).contributions([chosen.id]).get(chosen.id, ())
        messages = tuple(dict.fromkeys(part.message_id for part in parts))
        return timeline, detail, messages, steps

    found = reading(context, find)
    if found is None:
        raise Refusal("not_found", "There is no such patient, or no such result of this patient.")
    timeline, detail, messages, steps = found
    view = detail.view
    now = datetime.now(UTC)
    return CaseDocument(
        timeline=timeline_document(timeline, sign_off=context.sign_off),
        row=row_document(view, sign_off=context.sign_off),
        result=summary_document(detail, sign_off=context.sign_off),
        governs=view.id == timeline.results[-1].id,
        messages=messages,
        steps=tuple(_step(step, now) for step in steps),
        kinds={each.id: _kind(each.version.document) for each in timeline.results},
        digest=view.version.digest,
        as_of=now.isoformat(timespec="seconds"),
    )


def patient_of(context: Context, result_id: str) -> str:
    """The patient that a result stands with. Raises Refusal."""
    detail = reading(context, lambda records: records.find_result(result_id))
    if detail is None:
        raise Refusal("not_found", "There is no such result.")
    return detail.view.patient_id


def list_cases(context: Context, accession: str | None, cursor: str | None) -> Document:
    """For the list of cases: open steps, the first due first, each with its result; then results, the newest first.

    accession: narrows both to results of that accession. Raises Refusal.
    """
    narrow = ResultFilter(accession=accession or None)
    if accession and not is_text(accession):
        return {"steps": [], "more_steps": False, "items": [], "next_cursor": None}

    def find(records: Reading) -> Document:
        page = records.list_results(narrow, cursor=cursor, limit=_SHOWN)
        rows: dict[str, Document] = {each.id: row_document(each, sign_off=context.sign_off) for each in page.items}
        if narrow.accession is None:
            steps = records.list_open_steps(limit=_SHOWN) if cursor is None else None
            opened, more = (steps.items, steps.next_cursor is not None) if steps else ((), False)
        else:
            opened, more = records.open_steps_of(*rows), False
        known = dict(rows)
        for view in records.find_results({step.result_id for step in opened} - rows.keys()).values():
            known[view.id] = row_document(view, sign_off=context.sign_off)
        now = datetime.now(UTC)
        return {
            "steps": [{**_step(step, now), "result": known[step.result_id]} for step in opened],
            "more_steps": more,
            "items": list(rows.values()),
            "next_cursor": page.next_cursor,
        }

    return reading(context, find)


def _step(step: Step, now: datetime) -> Document:
    return {**step_document(step), "overdue": step.due_at < now}


def _kind(document: str | None) -> str | None:
    specimen = json.loads(document).get("specimen") if document else None
    kind: str | None = specimen.get("kind") if isinstance(specimen, dict) else None
    return kind
