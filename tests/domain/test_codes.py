"""Every code of section 13 of the fact sheet, typed here: codes are a promise and change only with this list."""

# ruff: noqa: SIM905
from __future__ import annotations

from app.domain import codes

STATUSES = "positive negative equivocal pending indeterminate invalid".split()
COMMENTS = "G2 G3 G4".split()
HER2_LOW = "low ultralow null zero_unspecified not_applicable undetermined".split()
RETEST = "should should_not may must".split()
ISH_RESULTS = (
    "positive negative equivocal workup_group_2 workup_group_3 workup_group_4 workup_single_4_to_6".split()
)  # fmt: skip
NEXT_STEPS = """
perform_ihc_or_ish reflex_ish_or_new_specimen perform_ihc_same_tissue perform_ihc_or_dual_probe perform_dual_probe
blinded_recount_ihc2_area adjudicate_ish_category concomitant_ihc_review review_discordance
complete_missing_ish_values count_more_cells repeat_or_new_specimen resolve_equivocal_ish verify_data consider_repeat
""".split()
FLAGS = """
DISCORDANT_IHC_ISH LOW_NOT_GROUP5 ULTRALOW_UNKNOWN IHC_MISSING_FOR_LOW NEAR_THRESHOLD RATIO_COMPUTED COPIES_COMPUTED
RATIO_MISMATCH ROUNDING_CROSSES_THRESHOLD GROUP_UNKNOWN CELLS_NOT_REPORTED FEWER_THAN_20_CELLS CEP17_HIGH
ISH_INDETERMINATE SINGLE_PROBE RECOUNT_NOT_BLINDED RECOUNT_LT_20 RECOUNT_AREA_NOT_IHC2 RECOUNT_SAME_OBSERVER
RECOUNT_UNUSABLE RECOUNT_NOT_REQUIRED ADJUDICATION_UNSUPPORTED HETEROGENEITY PREANALYTIC_FIXATION PREANALYTIC_ISCHAEMIA
PREANALYTIC_SECTION_AGE PREANALYTIC_FIXATIVE PREANALYTIC_DECALCIFIED IHC_PATTERN_MISMATCH IMPLAUSIBLE_VALUE NOT_INVASIVE
OUT_OF_SCOPE_SITE MALFORMED_NUMBER VALUE_OUT_OF_RANGE UNKNOWN_SCORE ASSAY_CONFLICT CHECK_AVERAGE
""".split()


def test_the_codes_are_these() -> None:
    assert list(codes.STATUSES) == STATUSES
    assert list(codes.COMMENTS) == COMMENTS
    assert list(codes.HER2_LOW) == HER2_LOW
    assert list(codes.RETEST) == RETEST
    assert list(codes.ISH_RESULTS) == ISH_RESULTS
    assert list(codes.REPORT_NOTES) == ["LOW_EXPRESSION_2023"]
    assert list(codes.NOTES) == ["SCORED_UNDER_OTHER_EDITION"]
    assert sorted(codes.NEXT_STEPS) == sorted(NEXT_STEPS)
    assert list(codes.FLAGS) == FLAGS


def test_the_switches_are_these() -> None:
    assert codes.POLICY_SWITCHES == {
        "group1_ihc_negative": ("review", "hold"),
        "group5_ihc_3plus": ("review", "hold"),
        "single_probe_discordant": ("review", "hold"),
        "low_in_groups_2_to_4": ("include", "exclude"),
    }
    assert codes.DEFAULT_POLICY == {
        "group1_ihc_negative": "review",
        "group5_ihc_3plus": "review",
        "single_probe_discordant": "review",
        "low_in_groups_2_to_4": "include",
    }
    assert codes.EDITIONS == ("asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007")
    assert codes.DEFAULT_EDITION == "asco-cap-2018"


def test_waiting_and_advice_are_steps() -> None:
    """Section 11: consider_repeat never counts as open; three steps wait where every result gives the same status."""
    assert {"consider_repeat"} == codes.ADVICE_STEPS
    assert {"count_more_cells", "complete_missing_ish_values", "verify_data"} == codes.WAITING_STEPS


def test_every_code_has_a_text_and_a_source() -> None:
    lists = (codes.STATUSES, codes.HER2_LOW, codes.COMMENTS, codes.REPORT_NOTES, codes.NOTES, codes.RETEST)
    for listed in (*lists, codes.NEXT_STEPS, codes.FLAGS, codes.SHAPE_PROBLEMS):
        for name, code in listed.items():
            assert code.code == name
            assert len(code.text) > 3 and "\n" not in code.text
            assert code.source
    assert codes.STATUSES["positive"].text == "HER2 positive"
    assert codes.STATUSES["positive"].source == "ASCO/CAP 2018 figures 1-3 [V]"


def test_correcting_the_record_comes_first_and_advice_last() -> None:
    assert next(iter(codes.NEXT_STEPS)) == "verify_data"
    assert list(codes.NEXT_STEPS)[-1] == "consider_repeat"
    order = list(codes.NEXT_STEPS)
    assert order.index("perform_dual_probe") < order.index("review_discordance")
