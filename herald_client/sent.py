"""The documents that are sent. Every field is described in openapi/openapi.json; absent is not negative.

A number is a text or a Decimal and goes out as written, so 1.80 stays 1.80; a float is refused, since it lost that.
"""

from decimal import Decimal
from typing import Any, Literal, NotRequired, TypedDict

Number = str | int | Decimal
EditionId = Literal["asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007"]
Receptor = Literal["positive", "negative", "unknown"]
SpecimenKind = Literal["primary", "metastasis", "nodal"]
Controls = Literal["passed", "failed"]
Group = Literal[1, 2, 3, 4, 5]


class Policy(TypedDict, total=False):
    """Readings that a laboratory may want otherwise."""

    group1_ihc_negative: Literal["review", "hold"]
    group5_ihc_3plus: Literal["review", "hold"]
    single_probe_discordant: Literal["review", "hold"]
    low_in_groups_2_to_4: Literal["include", "exclude"]


class Specimen(TypedDict, total=False):
    """What was tested. collected_at, reported_at: a date, or a date-time with its offset."""

    accession: str
    block: str
    site: str
    kind: SpecimenKind
    procedure: Literal["core", "excision", "cytology", "other"]
    invasive: bool
    breast_carcinoma: bool
    collected_at: str
    reported_at: str
    histology: Literal["ductal", "lobular", "tubular", "mucinous", "cribriform", "adenoid_cystic", "other"]
    grade: Literal[1, 2, 3]
    purity_percent: Number
    little_invasive_tumour: bool
    excision_differs: bool
    handling_doubt: bool
    cold_ischaemia_minutes: Number
    fixation_hours: Number
    fixative: Literal["neutral_buffered_formalin", "other"]
    decalcified: bool
    section_age_days: Number


class Ihc(TypedDict, total=False):
    """Immunohistochemistry. score: "0", "0+", "1+", "2+", "3+", "indeterminate", "not_done"."""

    score: str | int
    controls: Controls
    membrane: Literal["none", "incomplete", "complete"]
    intensity: Literal["faint", "weak", "moderate", "intense"]
    percent: Number
    scored_under: EditionId
    clone: str


class _Count(TypedDict, total=False):
    """One ISH count: averages in signals per cell, or total signals with the number of cells."""

    ratio: Number
    her2_copies: Number
    cep17_copies: Number
    her2_signals: str | int
    cep17_signals: str | int
    cells: str | int
    her2_cells: str | int
    cep17_cells: str | int


class Ish(_Count, total=False):
    """An in situ hybridisation assay with its count."""

    assay: Literal["dual_probe", "single_probe"]
    failed: bool
    failure_reason: str
    controls: Controls
    method: str
    observer: str


class Recount(_Count, total=False):
    """A second or third count."""

    observer: str
    same_observer: bool
    blinded: bool
    in_ihc_2plus_area: bool


class Adjudication(TypedDict):
    """The final ISH group that a person named."""

    group: Group


class Cluster(_Count, total=False):
    """A distinct second population, counted separately."""

    share_percent: Number


class Context(TypedDict, total=False):
    """The patient beside HER2."""

    er: Receptor
    er_percent: Number
    pgr: Receptor
    pgr_percent: Number
    setting: Literal["metastatic", "neoadjuvant", "adjuvant", "unknown"]
    menopausal_status: Literal["pre", "peri", "post", "unknown"]
    line: int
    prior_therapies: list[str]
    biomarkers: dict[str, Receptor]


class Case(TypedDict, total=False):
    """One specimen's tests. `ratio`, `copies`, `cep17` and `cells` are short for the fields of `ish`."""

    edition: EditionId
    policy: Policy
    specimen: Specimen
    ihc: str | int | Ihc
    ish: Ish
    follow_up_ish: Ish
    recount: Recount
    third_count: Recount
    adjudication: Adjudication
    cluster: Cluster
    context: Context
    reported_status: str
    ratio: Number
    copies: Number
    cep17: Number
    cells: str | int


class PatientId(TypedDict):
    """A pseudonym in the system that gives it out."""

    value: str
    system: NotRequired[str]


class Report(Case):
    """A result to store: a case with its patient and laboratory."""

    patient: str | PatientId
    laboratory: NotRequired[str]


class _ByPerson(TypedDict):
    name: str
    role: str
    performed_at: NotRequired[str]


class Amendment(_ByPerson):
    """A correction: exactly one of `case` (the whole) and `changes` (JSON Merge Patch, RFC 7396)."""

    reason: str
    case: NotRequired[Case]
    changes: NotRequired[dict[str, Any]]
    laboratory: NotRequired[str]


class RecountAct(_ByPerson):
    """A second count, by the person named."""

    reason: NotRequired[str]
    count: Recount


class AdjudicationAct(_ByPerson):
    """The final group by the laboratory's procedure."""

    reason: str
    group: Group


class SignOff(_ByPerson):
    """A person confirms the present version."""

    reason: NotRequired[str]
    meaning: NotRequired[str]


class Her2Class(TypedDict):
    """A HER2 answer that was given elsewhere."""

    status: str
    final: bool
    her2_low: NotRequired[str]
    ihc: NotRequired[Literal["0", "1+", "2+", "3+", "none", "unusable"]]


class ConsiderationsRequest(TypedDict, total=False):
    """A context, beside exactly one of `result_id`, `case` and `her2`."""

    result_id: str
    case: Case
    her2: Her2Class
    context: Context
    specimen_kind: SpecimenKind


class ResultFilter(TypedDict, total=False):
    """What a list of results is narrowed by. Times: a date, or a date-time with its offset."""

    status: str
    final: bool
    her2_low: str
    ish_group: int
    edition: EditionId
    review_required: bool
    signed: bool
    patient_id: str
    accession: str
    laboratory: str
    collected_from: str
    collected_before: str
    created_from: str
    created_before: str


class StepFilter(TypedDict, total=False):
    """What a list of open steps is narrowed by."""

    awaited: str
    who: str
    result_id: str
    due_before: str
