"""What is known of a patient's HER2 when an EHR asks: Herald's own results, and what the EHR's Observations say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.problems import Problem
from app.domain.reading import moment
from app.records.inbox import Inbox
from app.records.queries import Reading
from app.records.rows import Identity, ResultView, Step
from app.services.ehr_results import Found
from app.services.finding import reading
from app.services.reporting import Context
from app.services.views import confirmation, step_document


@dataclass(frozen=True, slots=True)
class Told:
    """HER2 of one specimen as it is known. answer: as of /her2/classify; at: when the tissue was taken, None: not told.

    as_of: where this comes from and of when, for a person; result_id, patient_id: Herald's, "" where nothing is stored;
    before: the status of the version before, where it was another; steps: documents of open steps; awaited: whether a
    result is not yet final in the EHR, and not read.
    """

    answer: Mapping[str, Any]
    document: Mapping[str, Any]
    specimen: str
    at: datetime | None
    as_of: str
    result_id: str = ""
    patient_id: str = ""
    awaits_sign_off: bool = False
    before: str | None = None
    steps: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[Problem, ...] = ()
    awaited: bool = False

    @property
    def says(self) -> tuple[str, bool, str]:
        """The answer in short: by this two are the same or differ."""
        return self.answer["status"], self.answer["final"], self.answer["her2_low"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What Herald has of a patient. patients: Herald's ids, several where the identifiers belong to several patients,
    and then no results; results: the oldest first; codes: those that persons mapped for the EHR's messages."""

    patients: tuple[str, ...] = ()
    results: tuple[Told, ...] = ()
    codes: Mapping[tuple[str, str], str] | None = None


def stored_of(context: Context, identifiers: Iterable[tuple[str, str]], sender: str) -> Stored:
    """What is on record for the patient with these identifiers, (system, value). Raises Refusal("unavailable")."""

    def find(records: Reading) -> Stored:
        codes = Inbox(records).codes(sender)
        patients, results = records.find_results_of(Identity(*each) for each in identifiers)
        told = [_stored(records, view, context.sign_off) for view in results]
        return Stored(patients, tuple(each for each in told if each), codes)

    return reading(context, find)


def _stored(records: Reading, view: ResultView, sign_off: bool) -> Told | None:
    """None where the content was erased by order."""
    version, row = view.version, view.classification
    if version.document is None or row is None or row.answer is None:
        return None
    steps = tuple(map(_step, records.open_steps_of(view.id))) if not row.final else ()
    before = None
    if version.number > 1:
        earlier = records.find_version(view.id, version.number - 1)
        was = earlier.current if earlier else None
        before = was.status if was and was.status != row.status else None
    as_of = f"As of {minute(version.created_at)}, result version {version.number}"
    return Told(
        answer=json.loads(row.answer),
        document=json.loads(version.document),
        specimen=" ".join(each for each in (version.accession, version.block) if each),
        at=version.collected_at,
        as_of=f"{as_of}, {confirmation(view.signed, sign_off)}.",
        result_id=view.id,
        patient_id=view.patient_id,
        awaits_sign_off=sign_off and not view.signed,
        before=before,
        steps=steps,
    )


def _step(step: Step) -> Mapping[str, Any]:
    return {**step_document(step), "due": step.due_at}


def told_by_ehr(found: Found, now: datetime) -> Told:
    """What the EHR's Observations say, of which nothing is stored."""
    when = f" of {found.effective[:10]}" if found.effective else ""
    return Told(
        answer=found.answer,
        document=found.document,
        specimen=found.specimen,
        at=moment(found.effective) if found.effective else None,
        as_of=f"As of {minute(now)}, from the EHR's Observations{when}, nothing stored.",
        problems=found.problems,
        awaited=found.awaited,
    )


def minute(at: datetime) -> str:
    """A time for a person, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
