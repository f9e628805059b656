"""What a source says, and how it bears on one patient: statements, considerations, a weighing.

Decimals are exact and printed as the source prints them (1.70 stays 1.70). Unknown is a value of its own and never
means negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from app.domain.numbers import Measure

UNKNOWN = "unknown"

SETTINGS = ("metastatic", "neoadjuvant", "adjuvant", "preclinical", "biology", "testing", "strategy")
PATIENT_SETTINGS = ("metastatic", "neoadjuvant", "adjuvant")
DESIGNS = (
    "meta-analysis",
    "randomised",
    "subgroup",
    "retrospective subgroup",
    "prospective",
    "single arm",
    "observational",
    "guideline",
    "narrative",
    "ongoing",
    "preclinical",
    "not stated",
)
DIRECTIONS = (
    "benefit",
    "no difference",
    "less benefit",
    "resistance",
    "harm",
    "worse prognosis",
    "unclear",
    "descriptive",
)
BEARINGS = ("prediction", "prognosis", "description", "mechanism")
SIZES = ("large", "small", "not stated")
MEASURES = ("relative risk", "hazard ratio", "risk reduction", "rate", "suppression", "duration", "share", "count")
RATIO_MEASURES = ("relative risk", "hazard ratio")
UNITS = ("%", "months", "years", "patients", "tumours", "trials", "comparisons")
QUALIFIERS = ("about", "more than", "at least", "up to", "only")
KINDS = ("endocrine", "anti-HER2", "combination", "testing", "monitoring")
TREATMENT_KINDS = ("endocrine", "anti-HER2", "combination")
IDENTIFICATIONS = ("sure", "probable", "candidate", "not identified")
# From the gravest: what has become of a cited work since it appeared. Unknown: nobody has looked it up.
STANDINGS = ("retracted", "expression of concern", "superseded", "corrected", "valid", UNKNOWN)
RECEPTORS = ("positive", "negative", UNKNOWN)
# What the patient's HER2 result amounts to for the review: a final class, or `open`.
HER2_CLASSES = ("positive", "low", "ultralow", "negative", "low unknown", "open")
MENOPAUSAL = ("pre", "peri", "post", UNKNOWN)
SPECIMENS = ("primary", "metastasis", "nodal", UNKNOWN)
BIOMARKERS = (
    "aib1_high",
    "erbb2_mutation",
    "esr1_high",
    "fish_ratio_low",
    "ki67_on_treatment_high",
    "pam50_her2_enriched",
    "pam50_luminal",
    "pik3ca_mutation",
)
_CONVENTIONAL_P = Decimal("0.05")
_NO_EFFECT_OF_A_RATIO = 1


@dataclass(frozen=True, slots=True)
class Reference:
    """A cited work. title, doi and pmid stand only where they were seen in a source and the work is surely the one.

    standing: what has become of it, with the date (a year may be all that is known) and who said so.
    """

    key: str
    cited_as: str
    identification: str
    title: str | None = None
    doi: str | None = None
    pmid: str | None = None
    note: str | None = None
    standing: str = UNKNOWN
    standing_date: str | None = None
    standing_source: str | None = None


@dataclass(frozen=True, slots=True)
class PValue:
    """A printed P: sign is '=', '<' or '>'."""

    sign: str
    value: Decimal

    def __str__(self) -> str:
        return f"P {self.sign} {self.value:f}"

    @property
    def significant(self) -> bool | None:
        """At the conventional 5%; None where the printed sign leaves it open."""
        if self.sign == ">":
            return False if self.value >= _CONVENTIONAL_P else None
        if self.sign == "<":
            return True if self.value <= _CONVENTIONAL_P else None
        return self.value < _CONVENTIONAL_P


@dataclass(frozen=True, slots=True)
class Arm:
    """One group's figure, in the effect's unit; `n` where the source gives the group's size."""

    group: str
    value: Decimal
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """A printed result: one value, a span, or one value per group.

    unit: '%' or a word of UNITS, None for a ratio; ci95: both ends; at: the time of measurement with its unit;
    p: the test of the difference; p_heterogeneity and p_interaction: those tests, printed for the effect.
    """

    measure: str
    endpoint: str
    compares: str | None = None
    value: Decimal | None = None
    span: tuple[Decimal, Decimal] | None = None
    arms: tuple[Arm, ...] = ()
    unit: str | None = None
    qualifier: str | None = None
    at: tuple[Decimal, str] | None = None
    ci95: tuple[Decimal, Decimal] | None = None
    p: PValue | None = None
    p_heterogeneity: PValue | None = None
    p_interaction: PValue | None = None
    n: int | None = None

    def numbers(self) -> tuple[Decimal, ...]:
        """Every printed number of the effect."""
        found: list[Decimal] = [*(self.span or ()), *(self.ci95 or ())]
        if self.value is not None:
            found.append(self.value)
        for arm in self.arms:
            found += [arm.value] if arm.n is None else [arm.value, Decimal(arm.n)]
        found += [p.value for p in (self.p, self.p_heterogeneity, self.p_interaction) if p is not None]
        if self.ci95 is not None:
            found.append(Decimal(95))
        if self.at is not None:
            found.append(self.at[0])
        if self.n is not None:
            found.append(Decimal(self.n))
        return tuple(found)

    def readings(self) -> tuple[str, ...]:
        """What must be said beside the numbers: not significant, an interval that includes no effect."""
        said = []
        if self.p is not None and self.p.significant is False:
            said.append("not statistically significant")
        if self.p is not None and self.p.significant is None:
            said.append("the printed P leaves significance open")
        if self.ci95 is not None and self.measure in RATIO_MEASURES:
            low, high = self.ci95
            if low <= _NO_EFFECT_OF_A_RATIO <= high:
                said.append("the 95% interval includes no effect")
        if self.p_interaction is not None and self.p_interaction.significant is False:
            said.append("interaction not statistically significant")
        return tuple(said)


@dataclass(frozen=True, slots=True)
class Population:
    """Whom a finding is about. Empty means not stated, which is never read as 'all'.

    er, pgr: receptor statuses included; her2: HER2 classes compared or included; menopausal: statuses included;
    line: lines of treatment; prior: classes of earlier therapy; setting is the statement's own.
    """

    text: str
    er: tuple[str, ...] = ()
    pgr: tuple[str, ...] = ()
    her2: tuple[str, ...] = ()
    menopausal: tuple[str, ...] = ()
    line: tuple[int, ...] = ()
    prior: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One finding as the source states it, in our words with its printed numbers.

    cited_as: the in-text citations, empty where the sentence is the authors' own view; size: what the source says of
    the number of patients; locator: at most eight words by which the place is found; note_outside: what is known from
    the cited work itself; note_ours: the curator's reading of an odd place. Neither note belongs to the source.
    """

    id: str
    section: str
    setting: str
    design: str
    direction: str
    bears_on: str
    population: Population
    summary: str
    locator: str
    cited_as: tuple[str, ...] = ()
    study: str | None = None
    intervention: str | None = None
    comparator: str | None = None
    endpoint: str | None = None
    effects: tuple[Effect, ...] = ()
    size: str = "not stated"
    caveats: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()
    note_outside: str | None = None
    note_ours: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """When a consideration applies: every part named must hold, and unknown holds only where it is listed.

    prior: classes of earlier therapy that must all have been given; biomarkers: (name, status) pairs that must hold.
    """

    her2: tuple[str, ...]
    er: tuple[str, ...] = ()
    pgr: tuple[str, ...] = ()
    setting: tuple[str, ...] = ()
    menopausal: tuple[str, ...] = ()
    line: tuple[int, ...] = ()
    specimen: tuple[str, ...] = ()
    prior: tuple[str, ...] = ()
    biomarkers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Consideration:
    """One thing a tumour board should weigh in a context: the claim in the title, and what stands for and against."""

    id: str
    title: str
    kind: str
    applies_when: Condition
    supporting: tuple[str, ...]
    must_not_conclude: tuple[str, ...]
    opposing: tuple[str, ...] = ()
    against_note: str | None = None
    therapies: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """A context for which the source has nothing, and how that is said."""

    id: str
    when: Condition
    text: str


@dataclass(frozen=True, slots=True)
class Therapy:
    """A class of therapy and the lower-case words by which it is recognised in a list of earlier treatments.

    unless: words with which it is another drug (trastuzumab deruxtecan is not trastuzumab).
    """

    name: str
    words: tuple[str, ...]
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PackVersion:
    """A line of a pack's changelog: what this version brought."""

    version: str
    date: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """One source, curated: compared by identity, told apart by digest (SHA-256 of the content); newest change first."""

    id: str
    version: str
    title: str
    licence: str
    curators: tuple[str, ...]
    source: Reference
    general_caution: str
    dated: str
    historic_caveat: str
    historic_before: int
    therapies: tuple[Therapy, ...]
    silences: tuple[Silence, ...]
    references: Mapping[str, Reference]
    statements: Mapping[str, Statement]
    considerations: tuple[Consideration, ...]
    changelog: tuple[PackVersion, ...]
    digest: str


class PatientContext(NamedTuple):
    """What is known about the patient beside HER2.

    er, pgr: a word of RECEPTORS; percentages as measured; line: line of treatment, from 1; prior_therapies: as
    written, None where nothing was sent and () where it was said that there were none; biomarkers: (name, status)
    pairs; specimen_kind: what was tested.
    """

    er: str = UNKNOWN
    er_percent: Measure | None = None
    pgr: str = UNKNOWN
    pgr_percent: Measure | None = None
    setting: str = UNKNOWN
    menopausal_status: str = UNKNOWN
    line: int | None = None
    prior_therapies: tuple[str, ...] | None = None
    biomarkers: tuple[tuple[str, str], ...] = ()
    specimen_kind: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure the findings for a consideration are: a level, the row that gave it and the words it was asked with."""

    level: str
    row: str
    because: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a finding is about someone else than the patient: a difference, not a refutation."""

    what: str
    finding: str
    patient: str


@dataclass(frozen=True, slots=True)
class WeighedStatement:
    """A statement beside one patient: what it differs in, its caveats, whether it counts (a retracted one does not)."""

    statement: Statement
    references: tuple[Reference, ...]
    caveats: tuple[str, ...]
    differs_in: tuple[Difference, ...]
    counts: bool = True


@dataclass(frozen=True, slots=True)
class WeighedConsideration:
    """A consideration for one patient. `against` is never empty without `against_note`."""

    consideration: Consideration
    certainty: Certainty
    supporting: tuple[WeighedStatement, ...]
    opposing: tuple[WeighedStatement, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of the context not given and what it would change; opens: ids of the considerations it could bring."""

    field: str
    text: str
    opens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Weighing:
    """What one pack has for one patient. Compared by identity, so that a page made from it can be kept beside it.

    says_nothing: what the source does not offer here, None where nothing need be said; her2: the word of HER2_CLASSES
    that the result amounts to.
    """

    considerations: tuple[WeighedConsideration, ...]
    missing: tuple[Missing, ...]
    says_nothing: str | None
    general_caution: str
    dated: str
    pack_id: str
    pack_version: str
    pack_digest: str
    her2: str
