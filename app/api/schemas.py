"""The public contract: what is sent and what comes back. These models describe; app.domain.reading reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.domain import codes
from app.domain.evidence import BIOMARKERS, MENOPAUSAL, PATIENT_SETTINGS, RECEPTORS, UNKNOWN

_DECIMAL = r"([0-9]{1,9}(\.[0-9]{1,6})?|\.[0-9]{1,6})"
_INTERVAL = rf"((<=|>=|<|>|≤|≥) ?)?{_DECIMAL}|{_DECIMAL} ?[-–] ?{_DECIMAL}"


def _number(description: str, example: str, *, interval: bool = True) -> Any:
    text = {"type": "string", "pattern": rf"^({_INTERVAL if interval else _DECIMAL})$"}
    number = {"type": "number", "minimum": 0}
    return WithJsonSchema({"anyOf": [text, number], "description": description, "examples": [example]})


def _whole(description: str, example: int) -> Any:
    text = {"type": "string", "pattern": r"^[1-9][0-9]{0,8}$"}
    number = {"type": "integer", "minimum": 1}
    return WithJsonSchema({"anyOf": [text, number], "description": description, "examples": [example]})


Score = Annotated[
    str | int,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^([Ss]core )?([0-3] ?\+?|indeterminate|not_done)$"},
                {"type": "integer", "minimum": 0, "maximum": 3},
            ],
            "description": "0, 0+, 1+, 2+, 3+ (also 1, 2, 3, 'score 2+'), indeterminate or not_done; "
            "0+ means 0 with faint staining in 10% or less. A word such as positive is a status and is refused.",
            "examples": ["2+"],
        }
    ),
]
Ratio = Annotated[str | int | float, _number("HER2/CEP17 ratio, above 0; an interval as '>2.0' or '1.8-2.2'", "1.8")]
Average = Annotated[str | int | float, _number("average signals per cell, above 0; or an interval", "4.5")]
Percent = Annotated[str | int | float, _number("percentage from 0 to 100; or an interval", "15")]
Duration = Annotated[str | int | float, _number("0 or more; or an interval", "24")]
Total = Annotated[str | int, _whole("total signals over the cells counted, a whole number above 0", 143)]
Cells = Annotated[str | int, _whole("number of cells counted, a whole number above 0, no < or >", 20)]
EditionId = Literal["asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007"]
Text = Annotated[str, Field(max_length=500)]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Policy(_Sent):
    """Readings that a laboratory may want otherwise; the defaults are in docs/readings.md."""

    group1_ihc_negative: Literal["review", "hold"] | None = None
    group5_ihc_3plus: Literal["review", "hold"] | None = None
    single_probe_discordant: Literal["review", "hold"] | None = None
    low_in_groups_2_to_4: Literal["include", "exclude"] | None = None


class Specimen(_Sent):
    """What was tested and how it was handled."""

    accession: Text | None = Field(None, description="the laboratory's number")
    block: Text | None = None
    site: Text | None = Field(None, description="anatomical site")
    kind: Literal["primary", "metastasis", "nodal"] | None = None
    procedure: Literal["core", "excision", "cytology", "other"] | None = None
    invasive: bool | None = Field(None, description="false: no invasive component, not classifiable")
    breast_carcinoma: bool | None = Field(None, description="false: out of scope")
    collected_at: str | None = Field(None, description="date, or date-time with offset", examples=["2026-11-20"])
    reported_at: str | None = Field(None, description="date, or date-time with offset", examples=["2026-11-24"])
    histology: Literal["ductal", "lobular", "tubular", "mucinous", "cribriform", "adenoid_cystic", "other"] | None = (
        None
    )
    grade: Literal[1, 2, 3] | None = Field(None, description="histologic grade")
    purity_percent: Percent | None = None
    little_invasive_tumour: bool | None = None
    excision_differs: bool | None = Field(None, description="the excision holds high-grade carcinoma unlike the core")
    handling_doubt: bool | None = Field(None, description="doubt about handling, or suspicion of a testing error")
    cold_ischaemia_minutes: Duration | None = None
    fixation_hours: Duration | None = None
    fixative: Literal["neutral_buffered_formalin", "other"] | None = None
    decalcified: bool | None = None
    section_age_days: Duration | None = None


class Ihc(_Sent):
    """Immunohistochemistry. The score is the pathologist's; a described pattern only checks it."""

    score: Score | None = None
    controls: Literal["passed", "failed"] | None = None
    membrane: Literal["none", "incomplete", "complete"] | None = None
    intensity: Literal["faint", "weak", "moderate", "intense"] | None = None
    percent: Percent | None = None
    scored_under: EditionId | None = None
    clone: Text | None = None


class Count(_Sent):
    """One ISH count: averages per cell, or total signals with cells; two of ratio, HER2, CEP17 give the third."""

    ratio: Ratio | None = None
    her2_copies: Average | None = None
    cep17_copies: Average | None = None
    her2_signals: Total | None = None
    cep17_signals: Total | None = None
    cells: Cells | None = None
    her2_cells: Cells | None = None
    cep17_cells: Cells | None = None


class Ish(Count):
    """An in situ hybridisation assay with its count."""

    assay: Literal["dual_probe", "single_probe"] | None = None
    failed: bool | None = None
    failure_reason: Text | None = None
    controls: Literal["passed", "failed"] | None = None
    method: Text | None = Field(None, examples=["FISH"])
    observer: Text | None = None


class Recount(Count):
    """A second or third count; used only if blinded, in the IHC 2+ area, by another observer, of 20 cells or more."""

    observer: Text | None = None
    same_observer: bool | None = None
    blinded: bool | None = None
    in_ihc_2plus_area: bool | None = None


class Adjudication(_Sent):
    """The final ISH group that a person named."""

    group: Literal[1, 2, 3, 4, 5]


class Cluster(Count):
    """A distinct second population, counted separately with a dual probe."""

    share_percent: Percent | None = None


class Context(_Sent):
    """The patient beside HER2. Absent or unknown is not negative."""

    er: Literal[RECEPTORS] | None = None  # type: ignore[valid-type]
    er_percent: Percent | None = None
    pgr: Literal[RECEPTORS] | None = None  # type: ignore[valid-type]
    pgr_percent: Percent | None = None
    setting: Literal[(*PATIENT_SETTINGS, UNKNOWN)] | None = None  # type: ignore[valid-type]
    menopausal_status: Literal[MENOPAUSAL] | None = None  # type: ignore[valid-type]
    line: int | None = Field(None, ge=1, le=99, description="line of treatment")
    prior_therapies: list[str] | None = Field(None, max_length=50)
    biomarkers: dict[Literal[BIOMARKERS], Literal[RECEPTORS]] | None = None  # type: ignore[valid-type]


class Case(_Sent):
    """One specimen's tests. `ratio`, `copies`, `cep17` and `cells` are short for the fields of `ish`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"ihc": "2+", "ish": {"assay": "dual_probe", "ratio": "1.8", "her2_copies": "4.5", "cells": 40}}
            ]
        },
    )

    edition: EditionId | None = None
    policy: Policy | None = None
    specimen: Specimen | None = None
    ihc: Score | Ihc | None = None
    ish: Ish | None = None
    follow_up_ish: Ish | None = Field(None, description="the dual-probe assay after a single-probe or failed one")
    recount: Recount | None = None
    third_count: Recount | None = None
    adjudication: Adjudication | None = None
    cluster: Cluster | None = None
    context: Context | None = None
    ratio: Ratio | None = None
    copies: Average | None = None
    cep17: Average | None = None
    cells: Cells | None = None


class PatientId(_Sent):
    """A pseudonym in the system that gives it out."""

    value: str = Field(min_length=1, max_length=200)
    system: str | None = Field(None, min_length=1, max_length=300)


Name = Annotated[str, Field(min_length=1, max_length=200)]
Role = Annotated[str, Field(min_length=1, max_length=100)]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class Report(Case):
    """A result to store: a case with its patient and laboratory."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "patient": "P-0001",
                    "laboratory": "North",
                    "specimen": {"accession": "S26-1234", "block": "A1", "kind": "primary", "procedure": "core"},
                    "ihc": "2+",
                    "ish": {"assay": "dual_probe", "ratio": "1.8", "her2_copies": "4.5", "cells": 40},
                }
            ]
        },
    )

    patient: Annotated[str, Field(min_length=1, max_length=200)] | PatientId
    laboratory: Name | None = None


class _ByPerson(_Sent):
    name: Name
    role: Role
    performed_at: str | None = Field(None, description="date-time with offset; now where absent")


class Amendment(_ByPerson):
    """A correction: exactly one of `case` (the whole) and `changes` (JSON Merge Patch, RFC 7396)."""

    reason: Reason
    case: Case | None = None
    changes: dict[str, Any] | None = None
    laboratory: Name | None = None


class RecountAct(_ByPerson):
    """A second count, by the person named."""

    reason: Reason | None = None
    count: Recount


class AdjudicationAct(_ByPerson):
    """The final group by the laboratory's procedure."""

    reason: Reason
    group: Literal[1, 2, 3, 4, 5]


class SignOff(_ByPerson):
    """A person confirms the present version."""

    reason: Reason | None = None
    meaning: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class ReEvaluation(_Sent):
    """The stored input under another edition or policy."""

    edition: EditionId
    policy: Policy | None = None


# ---- answers


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


class Timeline(BaseModel):
    """A patient's HER2 over specimens, never merged into one status."""

    patient_id: str
    results: list[ResultRow]
    changes: list[dict[str, Any]]
    moves: list[dict[str, Any]]
    links: list[dict[str, Any]]


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


class Guideline(EditionIdentity):
    """An edition, drawn from its tables."""

    source: str
    notes: list[str]
    tables: list[dict[str, Any]]
