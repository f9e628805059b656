"""The public contract: what is sent. These models describe; app.domain.reading reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.domain.codes import HER2_LOW, STATUSES
from app.domain.evidence import BIOMARKERS, MENOPAUSAL, PATIENT_SETTINGS, RECEPTORS, UNKNOWN

# What is written is at most 40 characters long, so the ends of a range are shorter.
_DECIMAL = r"([0-9]{1,9}(\.[0-9]{0,20})?|\.[0-9]{1,20})"
_END = r"([0-9]{1,9}(\.[0-9]{0,6})?|\.[0-9]{1,6})"
_INTERVAL = rf"((<=|>=|<|>|≤|≥) ?)?{_DECIMAL}|{_END} ?[-–] ?{_END}"


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
    reported_status: Text | None = Field(
        None, description="the sender's own reading, such as 'positive': kept and shown, never used to classify"
    )
    ratio: Ratio | None = None
    copies: Average | None = None
    cep17: Average | None = None
    cells: Cells | None = None


class Her2Class(_Sent):
    """A HER2 answer that was given elsewhere."""

    status: Literal[tuple(STATUSES)]  # type: ignore[valid-type]
    final: bool
    her2_low: Literal[tuple(HER2_LOW)] | None = None  # type: ignore[valid-type]
    ihc: Literal["0", "1+", "2+", "3+", "none", "unusable"] | None = None


class ConsiderationsRequest(_Sent):
    """A context, beside exactly one of `result_id`, `case` and `her2`. Absent or unknown is not negative."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "her2": {"status": "positive", "final": True},
                    "context": {"er": "positive", "setting": "metastatic", "line": 1},
                }
            ]
        },
    )

    result_id: str | None = None
    case: Case | None = None
    her2: Her2Class | None = None
    context: Context | None = Field(None, description="instead of the context that the case or the result holds")
    specimen_kind: Literal["primary", "metastasis", "nodal"] | None = None


class PatientId(_Sent):
    """A pseudonym in the system that gives it out."""

    value: str = Field(min_length=1, max_length=200)
    system: str | None = Field(None, min_length=1, max_length=300)


Patient = Annotated[str, Field(min_length=1, max_length=200)] | PatientId
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

    patient: Patient
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


class PatientMerge(_Sent):
    """The patient given up is the one in `into`; sent to /patients/unmerge, that this is taken back."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "into": "P-0001",
                    "given_up": {"system": "urn:hospital:temporary", "value": "T-77"},
                    "name": "A. Clerk",
                    "role": "patient registry",
                    "reason": "admitted without papers",
                }
            ]
        },
    )

    into: Patient
    given_up: Patient
    name: Name
    role: Role
    reason: Reason


class ResultMove(_Sent):
    """The result is another patient's."""

    to: Patient
    name: Name
    role: Role
    reason: Reason


class ReEvaluation(_Sent):
    """The stored input under another edition or policy."""

    edition: EditionId
    policy: Policy | None = None
