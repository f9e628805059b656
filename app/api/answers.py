"""The public contract: what comes back. These models describe what app.services makes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.domain import codes


class TraceStep(BaseModel):
    """One table asked."""

    table: str
    row: str
    title: str
    observed: dict[str, str] = Field(description="what was observed in each column")
    when: dict[str, str] = Field(description="the row's conditions")
    says: dict[str, str]
    place: str = Field(description="place in the paper; [K] not verified, [R] a reading of Herald's")
    text: str


class WorldTrace(BaseModel):
    """One class that missing values can still hit."""

    assumption: str
    status: str
    trace: list[TraceStep]


class MeasuredValue(BaseModel):
    """A value that was decided on, unrounded."""

    name: str
    value: str
    unit: str
    basis: Literal["reported", "computed"]


class EditionIdentity(BaseModel):
    """An edition of the guideline."""

    id: str
    version: str
    title: str
    errata: int
    errata_date: str
    digest: str


class EvidenceIdentity(BaseModel):
    """A pack of evidence."""

    id: str
    version: str
    digest: str


class PackIdentity(EvidenceIdentity):
    """A pack in the list of packs."""

    title: str
    source: str
    changelog: list[dict[str, str]]
    releases: list[str] = Field(description="earlier versions at hand, for a difference")
    statements: int
    considerations: int


class PackDifference(BaseModel):
    """What differs between two versions of a pack; each kind lists what was added, removed and changed."""

    before: EvidenceIdentity
    after: EvidenceIdentity
    statements: dict[str, Any]
    references: dict[str, Any]
    considerations: dict[str, Any]


class Classified(BaseModel):
    """The HER2 answer that was weighed."""

    status: str
    final: bool
    her2_low: str
    edition: EditionIdentity | None = Field(description="null where the class was named and not computed here")


class Considerations(BaseModel):
    """What the evidence says for a context, for and against."""

    classified: Classified
    her2: str = Field(description="what the answer amounts to for the source; open: not final or contradictory")
    considerations: list[dict[str, Any]]
    missing: list[dict[str, Any]] = Field(description="what is not known and what it would change")
    says_nothing: str | None
    general_caution: str
    dated: str
    evidence: EvidenceIdentity
    source: str
    beside: list[dict[str, Any]] = Field(description="the same of each pack of the hospital's own, by its source")


class StatementView(BaseModel):
    """One finding of the source, in Herald's words with the numbers as printed."""

    id: str
    section: str
    setting: str
    design: str
    direction: str
    bears_on: str
    cited_as: list[str]
    references: list[dict[str, Any]]
    population: dict[str, Any]
    summary: str
    effects: list[dict[str, Any]]
    caveats: list[str]
    contradicts: list[str]
    considerations: list[dict[str, str]] = Field(description="the considerations that name it, and on which side")
    locator: str = Field(description="words by which the place is found in the source")
    curator_note: dict[str, str | None] | None
    link: str = Field(description="permanent: an id is never given to another statement")
    citation: str = Field(description="one line to cite it by")
    pack: EvidenceIdentity


class StatementPage(BaseModel):
    """Statements found."""

    total: int
    items: list[StatementView]
    next_cursor: str | None
    pack: EvidenceIdentity


class ReferenceView(BaseModel):
    """A cited work."""

    key: str
    cited_as: str
    identification: str = Field(description="how surely the cited work is identified")
    standing: Literal["valid", "corrected", "expression of concern", "retracted", "superseded", "unknown"]
    standing_date: str | None
    standing_source: str | None
    title: str | None
    doi: str | None
    pmid: str | None
    note_from_outside_the_review: str | None
    cited_by: list[str]
    link: str


class ReferenceList(BaseModel):
    """Every cited work."""

    items: list[ReferenceView]
    pack: EvidenceIdentity


class WholePack(EvidenceIdentity):
    """A pack as it is held."""

    title: str
    licence: str
    curators: list[str]
    source: ReferenceView
    general_caution: str
    dated: str
    references: list[ReferenceView]
    statements: list[StatementView]
    considerations: list[dict[str, Any]]
    silences: list[dict[str, Any]]


class Answer(BaseModel):
    """The answer to one case. Codes: docs/codes.md."""

    status: Literal[tuple(codes.STATUSES)]  # type: ignore[valid-type]
    final: bool
    summary: str
    ish_group: Literal[1, 2, 3, 4, 5] | None
    ish_result: Literal[codes.ISH_RESULTS] | None  # type: ignore[valid-type]
    fda_ratio: Literal["amplified", "not_amplified"] | None
    her2_low: Literal[tuple(codes.HER2_LOW)]  # type: ignore[valid-type]
    comment: Literal[tuple(codes.COMMENTS)] | None  # type: ignore[valid-type]
    report_notes: list[Literal[tuple(codes.REPORT_NOTES)]]  # type: ignore[valid-type]
    notes: list[Literal[tuple(codes.NOTES)]]  # type: ignore[valid-type]
    next_steps: list[Literal[tuple(codes.NEXT_STEPS)]]  # type: ignore[valid-type]
    flags: list[Literal[tuple(codes.FLAGS)]]  # type: ignore[valid-type]
    review_required: bool
    retest: Literal[tuple(codes.RETEST)] | None  # type: ignore[valid-type]
    problems: list[dict[str, str]]
    texts: dict[str, str] = Field(description="a text for every code in this answer")
    measured: list[MeasuredValue]
    policy: dict[str, str] = Field(description="the switches in force; empty where the edition has none")
    trace: list[TraceStep]
    worlds: list[WorldTrace] = Field(description="where values are missing: the way from each class still possible")
    edition: EditionIdentity
    evidence: EvidenceIdentity
    engine: str
    considerations: dict[str, Any] = Field(description="what the evidence says for the context, for and against")


class Act(BaseModel):
    """What a person did."""

    kind: str
    name: str
    role: str
    meaning: str
    reason: str | None
    detail: Any
    performed_at: str
    recorded_at: str


class OpenStep(BaseModel):
    """What a not-final answer waits for."""

    id: str
    result_id: str
    awaited: str
    text: str
    since: str
    due_at: str
    who: str | None
    closed_at: str | None
    closed_cause: str | None


class Result(BaseModel):
    """A stored result at its newest version."""

    id: str | None
    version: int | None
    patient_id: str | None
    created_at: str | None
    version_created_at: str | None
    cause: str
    laboratory: str | None
    signed: bool
    confirmation: str
    input: dict[str, Any] | None
    classification: Answer | None
    acts: list[Act]
    open_steps: list[OpenStep]
    dry_run: bool | None = None


class ResultRow(BaseModel):
    """A stored result in a list."""

    id: str
    version: int
    patient_id: str
    created_at: str
    version_created_at: str
    cause: str
    laboratory: str | None
    signed: bool
    confirmation: str
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


class ResultPage(BaseModel):
    """Some of a list; ask with next_cursor for what follows."""

    items: list[ResultRow]
    next_cursor: str | None


class OpenStepPage(BaseModel):
    """Some of the open steps, the first due first."""

    items: list[OpenStep]
    next_cursor: str | None


class Change(BaseModel):
    """One field that differs between two versions."""

    field: str
    before: Any
    after: Any


class VersionView(BaseModel):
    """One version in a history."""

    version: int
    created_at: str
    cause: str
    name: str | None
    role: str | None
    reason: str | None
    laboratory: str | None
    digest: str | None
    input: dict[str, Any] | None
    changes: list[Change]
    classification: Answer | None
    re_evaluations: list[dict[str, Any]]
    signed: bool
    confirmation: str
    acts: list[Act]
    open_steps: list[OpenStep]


class History(BaseModel):
    """Every version of a result, the oldest first."""

    id: str
    versions: list[VersionView]


class Replay(BaseModel):
    """A stored answer against its evaluation today."""

    id: str
    version: int
    equal: bool | None = Field(description="null where edition, pack or engine have changed since: nothing is claimed")
    versions_then: dict[str, str]
    versions_now: dict[str, str]
    stored_digest: str
    replayed_digest: str
    differences: list[Change]
    input_digest_holds: bool


class ReEvaluated(BaseModel):
    """A stored input under another edition."""

    id: str
    version: int
    current_edition: str | None
    current_status: str | None
    changed: bool
    confirmation: str
    classification: Answer


class GuidelineRow(BaseModel):
    """One row of an edition's table."""

    id: str
    table: str
    table_title: str
    table_digest: str
    when: dict[str, str]
    then: dict[str, Any]
    place: str
    impossible: bool
    edition: dict[str, str]
    citation: str
    link: str


class Guideline(EditionIdentity):
    """An edition, drawn from its tables."""

    source: str
    notes: list[str]
    tables: list[dict[str, Any]]


class EvidencePlot(BaseModel):
    """A picture of the evidence pack's printed numbers."""

    name: str
    title: str
    text_alternative: str = Field(description="every line of the picture in words, with caveats and statement ids")
    link: str = Field(description="path of the picture; with ?format=text the text alternative")
