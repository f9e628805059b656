"""The documents that come back: the fields that people use. All fields are in openapi/openapi.json.

Times are ISO 8601 in UTC; measured values are texts, unrounded.
"""

from __future__ import annotations

from typing import Any, TypedDict


class EditionIdentity(TypedDict):
    """An edition of the guideline."""

    id: str
    version: str
    title: str
    errata: int
    digest: str


class EvidenceIdentity(TypedDict):
    """A pack of evidence."""

    id: str
    version: str
    digest: str


class MeasuredValue(TypedDict):
    """A value that was decided on."""

    name: str
    value: str
    unit: str
    basis: str


class TraceStep(TypedDict):
    """One table asked, the row that was hit, and its place in the paper."""

    table: str
    row: str
    observed: dict[str, str]
    says: dict[str, str]
    place: str
    text: str


class Considerations(TypedDict):
    """What the evidence says for a context, for and against."""

    her2: str
    considerations: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    says_nothing: str | None
    general_caution: str
    evidence: EvidenceIdentity


class Answer(TypedDict):
    """The answer to one case. Codes: docs/codes.md; texts: a text for every code in the answer."""

    status: str
    final: bool
    summary: str
    ish_group: int | None
    ish_result: str | None
    her2_low: str
    comment: str | None
    next_steps: list[str]
    flags: list[str]
    review_required: bool
    retest: str | None
    texts: dict[str, str]
    measured: list[MeasuredValue]
    trace: list[TraceStep]
    edition: EditionIdentity
    evidence: EvidenceIdentity
    engine: str
    considerations: dict[str, Any]


class OpenStep(TypedDict):
    """What a not-final answer waits for."""

    id: str
    result_id: str
    awaited: str
    text: str
    since: str
    due_at: str
    who: str | None


class Act(TypedDict):
    """What a person did."""

    kind: str
    name: str
    role: str
    meaning: str
    reason: str | None
    performed_at: str


class Result(TypedDict):
    """A stored result at its newest version; id and version are None in a dry run."""

    id: str | None
    version: int | None
    patient_id: str | None
    created_at: str | None
    cause: str
    laboratory: str | None
    signed: bool
    confirmation: str
    input: dict[str, Any] | None
    classification: Answer | None
    acts: list[Act]
    open_steps: list[OpenStep]


class ResultRow(TypedDict):
    """A stored result in a list."""

    id: str
    version: int
    patient_id: str
    created_at: str
    laboratory: str | None
    accession: str | None
    block: str | None
    collected_at: str | None
    reported_at: str | None
    edition: str | None
    status: str | None
    final: bool | None
    ish_group: int | None
    her2_low: str | None
    review_required: bool | None
    signed: bool
    confirmation: str


class Change(TypedDict):
    """One field that differs between two versions."""

    field: str
    before: Any
    after: Any


class VersionView(TypedDict):
    """One version in a history."""

    version: int
    created_at: str
    cause: str
    name: str | None
    role: str | None
    reason: str | None
    input: dict[str, Any] | None
    changes: list[Change]
    classification: Answer | None
    signed: bool
    confirmation: str


class History(TypedDict):
    """Every version of a result, the oldest first."""

    id: str
    versions: list[VersionView]


class Timeline(TypedDict):
    """A patient's HER2 over specimens, never merged into one status."""

    patient_id: str
    results: list[ResultRow]
    changes: list[dict[str, Any]]
