"""What stands beside the status: HER2-low, pre-analytics, retest (guideline 1.7, 1.8, 4, 8.5)."""

from __future__ import annotations

from fractions import Fraction

from tests.oracle.figures import Outcome
from tests.oracle.record import Case, outside


def describe_low(case: Case, outcome: Outcome) -> None:
    """HER2-low and its flags for one outcome."""
    if outcome.status == "positive":
        outcome.low = "not_applicable"
        return
    if outcome.status != "negative":
        outcome.low = "undetermined"
        return
    if case.ihc in (None, "indeterminate"):
        outcome.low = "undetermined"
        outcome.flags.add("IHC_MISSING_FOR_LOW")
    elif case.ihc == "0":
        if case.staining == "some":
            outcome.low = "ultralow"
        elif case.staining == "none":
            outcome.low = "null"
        else:
            outcome.low = "zero_unspecified"
            outcome.flags.add("ULTRALOW_UNKNOWN")
    elif case.edition == "2007" and case.ihc == "1+":
        outcome.low = "undetermined"
    else:
        outcome.low = "low"
        if outcome.group in (2, 3, 4):
            outcome.flags.add("LOW_NOT_GROUP5")
            if case.ihc == "2+" and case.policy.get("low_in_groups_2_to_4") == "exclude":
                outcome.low = "undetermined"


def preanalytic_flags(case: Case) -> set[str]:
    """Deviations that are stated."""
    flags: set[str] = set()
    if outside(case, "fixation_hours", 6, 48 if case.edition == "2007" else 72):
        flags.add("PREANALYTIC_FIXATION")
    if outside(case, "cold_ischaemia_minutes", None, 60):
        flags.add("PREANALYTIC_ISCHAEMIA")
    if outside(case, "section_age_days", None, 42):
        flags.add("PREANALYTIC_SECTION_AGE")
    if case.specimen.get("fixative") == "other":
        flags.add("PREANALYTIC_FIXATIVE")
    if case.specimen.get("decalcified") is True:
        # READING: decalcification is a deviation like the others, so a negative result advises a repeat.
        flags.add("PREANALYTIC_DECALCIFIED")
    return flags


def retest(case: Case, status: str, deviations: set[str]) -> str | None:
    """Repeat testing by histology and by the reasons for a negative core."""
    if case.edition == "2007":
        return None
    specimen = case.specimen
    doubt = specimen.get("handling_doubt") is True or not deviations.isdisjoint(
        {"PREANALYTIC_FIXATION", "PREANALYTIC_ISCHAEMIA"}
    )
    # READING: the advice follows the status shown, also while it is not final.
    if status == "positive":
        return "should" if _discordant_histology(case) else None
    if status == "negative":
        if _discordant_histology(case) and not doubt:
            return "should_not"
        reasons = (
            doubt
            or specimen.get("grade") == 3
            or specimen.get("little_invasive_tumour") is True
            or specimen.get("excision_differs") is True
        )
        if specimen.get("procedure") == "core" and reasons:
            return "must" if case.edition == "2013" else "may"
    return None


def _discordant_histology(case: Case) -> bool:
    if case.specimen.get("grade") != 1:
        return False
    histology = case.specimen.get("histology")
    if histology in ("ductal", "lobular"):
        # READING: only the stated receptor status counts; none is derived from a percentage.
        context = case.document.get("context") or {}
        return context.get("er") == "positive" and context.get("pgr") == "positive"
    if histology in ("tubular", "mucinous", "cribriform", "adenoid_cystic"):
        # READING: a purity that is missing, or an interval that begins below 90 %, does not make the type listed.
        purity = case.spans.get("purity_percent")
        return purity is not None and purity.low >= Fraction(90)
    return False
