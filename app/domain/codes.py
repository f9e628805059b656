"""Every code an answer can carry, with its text and its place in the sources. Stable: part of the contract.

Marks: [V] seen in a public page, [K] not verified against the publication, [R] Herald's reading (docs/readings.md).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A code, what it means for a reader, and where it comes from."""

    code: str
    text: str
    source: str


def _list(text: str) -> dict[str, Code]:
    codes: dict[str, Code] = {}
    for line in text.strip().splitlines():
        code, meaning, source = (part.strip() for part in line.split("|"))
        codes[code] = Code(code, meaning, source)
    return codes


STATUSES = _list("""
positive      | HER2 positive | ASCO/CAP 2018 figures 1-3 [V]
negative      | HER2 negative, to be read with the comment where there is one | ASCO/CAP 2018 figures 1-6 [V]
equivocal     | IHC 2+ waiting for ISH; under 2007 and 2013 also an equivocal ISH | ASCO/CAP 2018 figure 1 [V]
pending       | not final: the guideline asks for a further step | Herald's word; ASCO/CAP 2018 figures 2-6 [V]
indeterminate | technical failure, no usable result left | ASCO/CAP 2018 table of reporting [V]
invalid       | contradictory, impossible or out of scope: no status can be shown | Herald's word
""")

HER2_LOW = _list("""
low              | IHC 1+, or IHC 2+ with a negative ISH | FDA label wording [V]
ultralow         | IHC 0 with faint staining in 10% or less; a descriptor only | FDA label wording [V]
null             | IHC 0 without any staining | NCCN wording [V]
zero_unspecified | IHC 0, staining not described: the slide has to be looked at again | experts' description [V]
not_applicable   | the status is positive | by definition
undetermined     | cannot be said from what is on record | by definition
""")

COMMENTS = _list(
    """
G2 | A high ratio with few copies: evidence that HER2-targeted treatment works here is limited; \
such patients did not seem to gain in the first adjuvant trials, but were too few to be sure. \
Without IHC 3+ the specimen is regarded as negative | ASCO/CAP 2018 figure 4, in our wording [V]
G3 | A low ratio with many copies and no protein overexpression: too little is known about benefit, \
since such patients could not enter the first adjuvant trials. With IHC 0 or 1+ the specimen is regarded as negative \
| ASCO/CAP 2018 figure 5, in our wording [V]
G4 | Copies between the two limits with a low ratio: benefit without IHC 3+ is uncertain, and a repeat near \
the threshold may flip by chance. Without IHC 3+ the specimen is regarded as negative without further testing of \
the same specimen | ASCO/CAP 2018 figure 6, in our wording [V]
""".replace("\\\n", "")
)

REPORT_NOTES = _list(
    """
LOW_EXPRESSION_2023 | The difference between IHC 0 and 1+ now matters for treatment aimed at low HER2 levels in the \
metastatic setting; it marks eligibility in trials, not a new result category | ASCO/CAP 2023 [V], wording [K]
""".replace("\\\n", "")
)

NOTES = _list("""
SCORED_UNDER_OTHER_EDITION | The IHC score was made under another edition; running it here is not a re-score | [R]
""")

RETEST = _list("""
should     | a new test should be ordered | ASCO/CAP 2018 [K]
should_not | a new test should not be ordered | ASCO/CAP 2018 [K]
may        | a new test on the excision may be ordered | ASCO/CAP 2018 [V]
must       | a new test on the excision must be ordered | ASCO/CAP 2013 [V]
""")

# In the order in which a laboratory would do them.
NEXT_STEPS = _list("""
verify_data                 | Correct the record | Herald
complete_missing_ish_values | Add the missing ratio, copies, result or assay type | ASCO/CAP 2018 figures 2, 3 [V]
count_more_cells            | Count more cells: at least 20 | ASCO/CAP 2018 [V]
perform_ihc_or_ish          | Do a HER2 test: none is on record | ASCO/CAP 2018 [V]
reflex_ish_or_new_specimen  | IHC 2+: ISH on the same specimen, or IHC or ISH on a new one | ASCO/CAP 2018 figure 1 [V]
perform_ihc_same_tissue     | Do IHC on sections of the tissue used for ISH, and review both together | ASCO/CAP 2018 figures 3-6 [V]
perform_ihc_or_dual_probe   | Do IHC and/or a dual-probe assay | ASCO/CAP 2018 figure 2 [V]
perform_dual_probe          | Do a dual-probe assay | ASCO/CAP 2018 figure 2 [V]
blinded_recount_ihc2_area   | A second, blinded observer counts at least 20 cells including the area with IHC 2+ | ASCO/CAP 2018 figures 4-6 [V]
adjudicate_ish_category     | The recount fell in another group: name the final one by the laboratory's procedure | ASCO/CAP 2018 figures 4-6 [V]
concomitant_ihc_review      | Read the single-probe result together with IHC | ASCO/CAP 2018 figure 2 [V]
resolve_equivocal_ish       | ISH equivocal: further test by that edition | ASCO/CAP 2013, 2007 [V]
review_discordance          | A pathologist reconciles IHC and ISH before sign-out | [R]
repeat_or_new_specimen      | Technical failure: repeat, or ask for another specimen | ASCO/CAP 2018 [V]
consider_repeat             | Advice only: consider another specimen, since handling deviated | ASCO/CAP 2018 [R]
""")

# How openly a step stands: waiting steps do not count where every result still possible gives the same status.
ADVICE_STEPS = frozenset({"consider_repeat"})
WAITING_STEPS = frozenset({"count_more_cells", "complete_missing_ish_values", "verify_data"})

FLAGS = _list("""
DISCORDANT_IHC_ISH         | IHC and ISH point to different statuses | [R] 8.1, 8.2, 8.6
LOW_NOT_GROUP5             | HER2-low although the ISH group is 2, 3 or 4 | [R] 8.5
ULTRALOW_UNKNOWN           | IHC 0 without detail of staining: ultralow or null cannot be told apart | [V]
IHC_MISSING_FOR_LOW        | Negative by ISH alone: HER2-low cannot be said | [R]
NEAR_THRESHOLD             | A dual-probe ratio of 1.80 to 2.20 | assay instructions [V], 8.9
RATIO_COMPUTED             | The ratio was computed from averages or totals | [V]
COPIES_COMPUTED            | HER2 copies were computed from ratio and CEP17 | [V]
RATIO_MISMATCH             | The ratio and HER2/CEP17 disagree beyond rounding | [R] 7.3
ROUNDING_CROSSES_THRESHOLD | Totals, averages and ratio give different groups by rounding | [R] 7.3, 8.8
GROUP_UNKNOWN              | The status is certain although the ISH group is not | [R] 7.2
CELLS_NOT_REPORTED         | The number of cells counted is missing | ASCO/CAP 2018 [V]
FEWER_THAN_20_CELLS        | Fewer than 20 cells were counted | ASCO/CAP 2018 [V]
CEP17_HIGH                 | The CEP17 average is high | [R] 7.4
ISH_INDETERMINATE          | ISH or its controls failed | ASCO/CAP 2018 [V]
SINGLE_PROBE               | A single-probe result read without IHC | ASCO/CAP 2018 figure 2 [V]
RECOUNT_NOT_BLINDED        | Second count not used: not stated as blinded | ASCO/CAP 2018 figures 4-6 [V]
RECOUNT_LT_20              | Second count not used: 20 cells are not stated | ASCO/CAP 2018 figures 4-6 [V]
RECOUNT_AREA_NOT_IHC2      | Second count not used: the IHC 2+ area is not stated | ASCO/CAP 2018 figures 4-6 [V]
RECOUNT_SAME_OBSERVER      | Second count not used: same observer | ASCO/CAP 2018 figures 4-6 [V]
RECOUNT_UNUSABLE           | Second count incomplete, contradictory or not credible | [R] 7.6
RECOUNT_NOT_REQUIRED       | Second count kept, not called for, not used | [R] 7.6
ADJUDICATION_UNSUPPORTED   | The named group is not backed by a count on record | [R] 7.5
HETEROGENEITY              | A distinct cell population is recorded | ASCO/CAP 2018 [K]
PREANALYTIC_FIXATION       | Fixation time outside the limits of the edition | ASCO/CAP 2018 [V], 2007 [K]
PREANALYTIC_ISCHAEMIA      | Time to fixation above the limit | ASCO/CAP 2018 [V]
PREANALYTIC_SECTION_AGE    | Sections older than the limit | ASCO/CAP 2018 [V]
PREANALYTIC_FIXATIVE       | Not fixed in 10% neutral buffered formalin | ASCO/CAP 2018 [V]
PREANALYTIC_DECALCIFIED    | Decalcified tissue: the assay is not validated for it | CAP 2025 [V]
IHC_PATTERN_MISMATCH       | Pattern, intensity and percentage define another score | [R] 1.1
IMPLAUSIBLE_VALUE          | Not credible as an average: send totals in the totals fields | [R] 7.4
NOT_INVASIVE               | No invasive component: not classifiable | ASCO/CAP 2018 [V]
OUT_OF_SCOPE_SITE          | Not a breast carcinoma | ASCO/CAP 2018 [V]
MALFORMED_NUMBER           | Neither a plain decimal nor an interval | [R] 7.1
VALUE_OUT_OF_RANGE         | Impossible as a measured value | [R] section 0
UNKNOWN_SCORE              | Not an IHC score | ASCO/CAP 2018 figure 1 [V]
ASSAY_CONFLICT             | The assay named and the values given do not go together | [R] 1.4
CHECK_AVERAGE              | High HER2 count without CEP17 beside it: check that this is an average | [R] 7.4
""")

# Problems of shape: the document itself is wrong, before any rule is asked.
SHAPE_PROBLEMS = _list("""
UNKNOWN_FIELD | A field this document does not have | contract
UNKNOWN_VALUE | A value outside the field's list | contract
WRONG_TYPE    | A value of the wrong type | contract
MISSING_FIELD | A field that is needed | contract
TWICE_STATED  | One thing stated in two fields with different values | contract
""")

# Problems of a message: why it waits for a person, or is refused.
MESSAGE_PROBLEMS = _list("""
UNREADABLE        | The message cannot be read: its format is broken at the place named | HL7 v2, FHIR R4
UNSUPPORTED       | A message, event, version or resource that Herald does not take | contract
NOT_PRODUCTION    | The message is marked as training or debugging (MSH-11) | HL7 v2 table 0103
CONTROL_ID_REUSED | The control id came before with other content | HL7 v2 table 0357, 205
NO_PATIENT        | Nothing says whose result this is | [R]
PATIENT_DIFFERS   | The result stands with another patient, or the identifiers belong to several | [R]
NO_ACCESSION      | Nothing says which case of the laboratory this is | [R]
UNKNOWN_CODE      | Speaks of HER2 by a code or in words that this sender's feed does not map | [R]
AMBIGUOUS         | More than one reading fits, so none is taken | [R]
CONTRADICTORY     | Two things in it contradict each other: code and display, code and kind of value, two values | [R]
NOT_ACCEPTED      | The rules refuse a value that the message gives | contract
INTERNAL          | An error on our side; the message is kept, process it again | Herald
""")

ISH_RESULTS = (
    "positive", "negative", "equivocal", "workup_group_2", "workup_group_3", "workup_group_4", "workup_single_4_to_6",
)  # fmt: skip

POLICY_SWITCHES: dict[str, tuple[str, ...]] = {
    "group1_ihc_negative": ("review", "hold"),
    "group5_ihc_3plus": ("review", "hold"),
    "single_probe_discordant": ("review", "hold"),
    "low_in_groups_2_to_4": ("include", "exclude"),
}
DEFAULT_POLICY: dict[str, str] = {name: settings[0] for name, settings in POLICY_SWITCHES.items()}
EDITIONS = ("asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007")
DEFAULT_EDITION = EDITIONS[0]
