"""The figures of the guideline, walked for one possible ISH finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.oracle.counts import read_dual
from tests.oracle.measures import Span
from tests.oracle.record import DUAL, SINGLE, Case, Finding, one_class

COMMENT = {2: "G2", 3: "G3", 4: "G4"}


@dataclass(slots=True)
class Outcome:
    """One way through the figures."""

    status: str
    steps: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    comment: str | None = None
    review: bool = False
    problems: set[str] = field(default_factory=set)
    group: int | None = None
    ish_result: str | None = None
    fda: str | None = None
    certain: bool = False  # waiting steps cannot change the status
    low: str = "undetermined"


def _negative(comment: str | None = None) -> Outcome:
    return Outcome("negative", comment=comment)


def _discordant(status: str, *steps: str) -> Outcome:
    """IHC and ISH point to different statuses: a pathologist reconciles them."""
    return Outcome(status, [*steps, "review_discordance"], {"DISCORDANT_IHC_ISH"}, review=True)


def walk(case: Case, found: Finding, *, several: bool) -> Outcome:
    """From the ISH finding and the IHC to a status."""
    outcome: Outcome | None = None
    recount_called = False
    if found.kind == "unusable":
        if case.ihc == "3+":
            outcome = Outcome("positive", ["verify_data"], set(found.why), certain=_3plus_holds(case, found))
        else:
            outcome = Outcome("invalid", ["verify_data"], problems=set(found.why))
    else:
        recount_called = not case.old and found.kind == "dual" and found.cls in (2, 3, 4) and case.ihc == "2+"
        # Group 1 is decided without the cluster; a group that is not known goes by the cluster like groups 2 to 5.
        undecided = case.ihc != "3+" and (found.group != 1 or several)
        if not case.old and "cluster" in case.counts and undecided:
            outcome, cluster_flags = _cluster(case)
            if outcome is None:
                outcome = _main_population(case, found, several=several)
            outcome.flags |= cluster_flags
        if outcome is None:
            outcome = _main_population(case, found, several=several)

    outcome.flags |= found.flags
    if case.document.get("cluster") is not None:
        outcome.flags.add("HETEROGENEITY")
    # READING: a second count is not required wherever this walk did not meet IHC 2+ with group 2, 3 or 4,
    # READING: a count short of cells, an outstanding ISH and the editions 2007 and 2013 included.
    if case.document.get("recount") is not None and not recount_called:
        outcome.flags.add("RECOUNT_NOT_REQUIRED")
    if outcome.group is None:
        outcome.group = found.group
    outcome.ish_result = _ish_result(found)
    outcome.fda = found.fda
    return outcome


def _ish_result(found: Finding) -> str | None:
    # READING: ish_result is that of the governing assay; a second count or an adjudication does not rewrite it.
    if found.group is None:
        return str(found.cls) if found.cls is not None else None
    if found.group == 1:
        return "positive"
    return "negative" if found.group == 5 else f"workup_group_{found.group}"


def _3plus_holds(case: Case, found: Finding) -> bool:
    """IHC 3+ stays positive whatever the ISH will say; under hold one ISH result would make it pending."""
    # READING: with hold such a 3+ is positive but not final.
    if DUAL in found.assays and case.hold("group5_ihc_3plus"):
        return False
    return not (SINGLE in found.assays and case.hold("single_probe_discordant"))


def _main_population(case: Case, found: Finding, *, several: bool) -> Outcome:
    if found.kind == "none":
        return _no_ish(case)
    if found.kind == "failed":
        return _failed_ish(case)
    if found.kind in ("outstanding", "few"):
        return _unfinished_ish(case, found)
    if case.old:
        return _older_edition(case, found)
    if found.kind == "single":
        return _single_probe(case, str(found.cls))
    assert isinstance(found.cls, int)
    return _dual_probe(case, found.cls, several=several)


def _no_ish(case: Case) -> Outcome:
    if case.ihc == "3+":
        return Outcome("positive")
    if case.ihc in ("0", "1+"):
        return _negative()
    if case.ihc == "2+":
        return Outcome("equivocal", ["reflex_ish_or_new_specimen"])
    if case.ihc == "indeterminate":
        return Outcome("indeterminate", ["repeat_or_new_specimen"])
    return Outcome("pending", ["perform_ihc_or_ish"])


def _failed_ish(case: Case) -> Outcome:
    if case.ihc == "3+":
        return Outcome("positive")
    if case.ihc in ("0", "1+"):
        return _negative()
    return Outcome("indeterminate", ["repeat_or_new_specimen"])


def _unfinished_ish(case: Case, found: Finding) -> Outcome:
    """The result is outstanding, or fewer than 20 cells were counted."""
    step = "count_more_cells" if found.kind == "few" else "complete_missing_ish_values"
    if case.ihc == "3+":
        return Outcome("positive", [step], certain=_3plus_holds(case, found))
    if found.kind == "outstanding" and case.ihc in ("0", "1+"):
        return Outcome("negative", [step])
    # READING: an indeterminate IHC with an outstanding ISH is pending, since a usable test may still come.
    return Outcome("pending", [step])


# Figure 3: dual probe.
def _dual_probe(case: Case, group: int, *, several: bool) -> Outcome:
    if group == 1:
        if case.ihc in ("0", "1+"):
            return _discordant("pending" if case.hold("group1_ihc_negative") else "positive")
        return Outcome("positive")
    if group == 5:
        if case.ihc == "3+":
            return _discordant("pending" if case.hold("group5_ihc_3plus") else "positive")
        return _negative()
    if case.ihc == "3+":
        return Outcome("positive")
    if case.ihc in ("0", "1+"):
        return _negative(COMMENT[group])
    if case.ihc == "2+":
        return _second_count(case, group, several=several)
    return Outcome("pending", ["perform_ihc_same_tissue"])


# Figures 4 to 6: the second count.
def _second_count(case: Case, group: int, *, several: bool) -> Outcome:
    named = (case.document.get("adjudication") or {}).get("group")
    second, faults, count_flags = _extra_count(case, "recount")
    if second is None:
        # No valid second count: count again, and nobody can have adjudicated yet.
        outcome = Outcome("pending", ["blinded_recount_ihc2_area"], faults)
        if named is not None:
            outcome.flags.add("ADJUDICATION_UNSUPPORTED")
        return outcome
    if several:
        # READING: with the first group unknown there is nothing to compare a second count with.
        return Outcome("pending", ["complete_missing_ish_values"], count_flags)
    third = _extra_count(case, "third_count")[0]
    if named is not None and named not in (group, second, third):
        # READING: an invalid adjudication asks to verify the record; ish_group stays that of the first count.
        return Outcome("invalid", ["verify_data"], problems={"ADJUDICATION_UNSUPPORTED"}, group=group)
    if second == group:
        outcome = _end_rule(group)
        outcome.group = group
    elif named is None:
        outcome = Outcome("pending", ["adjudicate_ish_category"])
    else:
        outcome = _end_rule(named)
        outcome.group = named
    outcome.flags |= count_flags
    return outcome


def _end_rule(group: int) -> Outcome:
    if group in (1, 3):
        return Outcome("positive")
    if group in (2, 4):
        return _negative(COMMENT[group])
    return _negative()


def _extra_count(case: Case, name: str) -> tuple[int | None, set[str], set[str]]:
    """Group of a second or third count if it is valid, what is wrong with it, and the flags of its values."""
    block: dict[str, Any] | None = case.document.get(name)
    if block is None:
        return None, set(), set()
    faults: set[str] = set()
    if block.get("same_observer") is True:
        faults.add("RECOUNT_SAME_OBSERVER")
    if block.get("blinded") is not True:
        faults.add("RECOUNT_NOT_BLINDED")
    if block.get("in_ihc_2plus_area") is not True:
        faults.add("RECOUNT_AREA_NOT_IHC2")
    values = case.counts[name]
    reading = read_dual(values, case.edition)
    # READING: each probe's cells must be stated in a second count; one unstated is as good as fewer than 20.
    if not reading.cells_stated or values.short_of_cells:
        faults.add("RECOUNT_LT_20")
    group = one_class(reading)
    if group is None:
        # READING: an unusable second count carries RECOUNT_UNUSABLE only, not the code of the single value.
        faults.add("RECOUNT_UNUSABLE")
    if faults:
        return None, faults, set()
    return group, set(), reading.flags


# Heterogeneity: a distinct cluster (1.6).
def _cluster(case: Case) -> tuple[Outcome | None, set[str]]:
    """What the cluster decides; nothing when the main population decides. Flags of the cluster's count."""
    share: Span | None = case.spans.get("share_percent")
    more = share is not None and (share.low > 10 or (share.low == 10 and share.low_open))
    less = share is not None and share.high is not None and share.high <= 10
    if less:
        # READING: a cluster of 10 % or less is not judged, so its values set no flags.
        return None, set()
    if not more:
        # READING: an unknown share comes before too few cells: nobody knows yet whether the cluster counts.
        return Outcome("pending", ["complete_missing_ish_values"]), set()
    values = case.counts["cluster"]
    if values.short_of_cells:
        return Outcome("pending", ["count_more_cells"]), {"FEWER_THAN_20_CELLS"}
    reading = read_dual(values, case.edition)
    group = one_class(reading)
    if group is None:
        # READING: an unusable cluster shows the code that says why as a flag, since the record itself stays valid.
        return Outcome("pending", ["complete_missing_ish_values"]), set(reading.why)
    if group == 5:
        return None, reading.flags
    if group == 1:
        # READING: positive by the cluster leaves no step open for the main population, whatever it lacks.
        if case.ihc in ("0", "1+"):
            return _discordant("pending" if case.hold("group1_ihc_negative") else "positive"), reading.flags
        return Outcome("positive"), reading.flags
    # READING: a cluster in group 2, 3 or 4 asks for a pathologist, so review is required.
    return Outcome("pending", ["review_discordance"], review=True), reading.flags


# Figure 2: single probe.
def _single_probe(case: Case, band: str) -> Outcome:
    if band == "positive":
        if case.ihc in ("0", "1+"):
            status = "pending" if case.hold("single_probe_discordant") else "positive"
            return _discordant(status, "perform_dual_probe")
        if case.ihc in ("2+", "3+"):
            return Outcome("positive")
        return Outcome("positive", ["concomitant_ihc_review"], {"SINGLE_PROBE"})
    if band == "negative":
        if case.ihc == "3+":
            return _discordant("pending" if case.hold("single_probe_discordant") else "positive")
        if case.ihc in ("0", "1+", "2+"):
            return _negative()
        return Outcome("negative", ["concomitant_ihc_review"], {"SINGLE_PROBE"})
    if case.ihc == "3+":
        return Outcome("positive")
    if case.ihc in ("0", "1+"):
        return _negative()
    if case.ihc == "2+":
        return Outcome("pending", ["perform_dual_probe"])
    # READING: SINGLE_PROBE is for a status read from a single probe alone; the middle band gives none.
    return Outcome("pending", ["perform_ihc_or_dual_probe"])


# 2007 and 2013: either assay makes a positive (2.2).
def _older_edition(case: Case, found: Finding) -> Outcome:
    if case.ihc == "3+":
        return _discordant("positive") if found.cls == "negative" else Outcome("positive")
    if found.cls == "positive":
        outcome = _discordant("positive") if case.ihc in ("0", "1+") else Outcome("positive")
    elif case.ihc in ("0", "1+") or found.cls == "negative":
        outcome = _negative()
    else:
        return Outcome("equivocal", ["resolve_equivocal_ish"])
    # READING: SINGLE_PROBE belongs to figure 2 of 2018; in the older editions such a status is final and not flagged.
    return outcome
