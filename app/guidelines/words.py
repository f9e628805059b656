"""The first storey: a case's numbers and records become the words that the figures are read with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from app.decision_table import Row, Table
from app.domain.case import Case, Count, Ihc, Specimen
from app.domain.classification import Step, Used
from app.domain.numbers import Measure
from app.domain.pairs import pairs
from app.guidelines import common, plausibility, preanalytics
from app.guidelines.asking import ask, ask_range, shown
from app.guidelines.editions import EDITIONS, Edition
from app.guidelines.measure import Facts, Range, facts


class Judged(NamedTuple):
    """A count and what the plausibility tables say of it. why: the codes that make it unusable or short."""

    source: Count
    facts: Facts
    word: str
    why: tuple[str, ...]
    notes: tuple[str, ...]

    def group(self, table: Table) -> Row | None:
        """The one class it hits, None where it is not usable or could hit several."""
        if self.word in ("contradictory", "implausible"):
            return None
        rows = self.facts.used.classes(table)
        return rows[0] if len(rows) == 1 else None


def ranged(measure: Measure | None) -> Range | None:
    """A measure as a table's number column takes it."""
    return None if measure is None else (measure.low, measure.high)


def _yes(value: object) -> str:
    return "yes" if value else "no"


def judge(count: Count, edition: Edition, trace: list[Step], dual: bool = True) -> Judged:
    """Ask the plausibility tables about one count."""
    got = facts(count, edition.dual, None if dual else edition.single)
    highest = {"her2": got.highest_her2, "cep17": got.highest_cep17, "ratio": got.highest_ratio}
    credible = ask(plausibility.CREDIBLE, highest, trace)["credible"]
    row = ask(
        plausibility.COUNT,
        values := {
            "credible": credible,
            "totals": got.totals,
            "ratio_check": got.ratio_check,
            "cells": got.cells,
            "all_cells": _yes(got.all_cells),
        },
        trace,
    )
    notes: list[str] = []
    if row["count"] in ("usable", "few"):
        if dual:
            ratio = got.used.ratio
            if ratio is None or ratio[0] == ratio[1]:
                notes += ask(plausibility.NEAR, {"ratio": ratio and ratio[0]}, trace)["flags"]
            elif near := ask_range(plausibility.NEAR, {"ratio": ratio}, trace):
                notes += near["flags"]
        told, steps = _noted(dual, got.ratio_check, got.totals, got.computed, credible)
        notes += told
        trace += steps
        her2 = got.used.her2
        known = {"her2": her2[0] if her2 else None, "cep17_known": _yes(got.used.cep17)}
        notes += ask(plausibility.AVERAGE, known, trace)["flags"]
    usable, why = row["count"] == "usable", set(row["flags"])
    if row["count"] == "implausible":
        # The values may contradict each other as well: both are told.
        beside = plausibility.COUNT.decide(values | {"credible": "yes"})
        why.update(beside["flags"] if beside["count"] == "contradictory" else ())
    return Judged(count, got, row["count"], () if usable else tuple(why), (*notes, *(why if usable else ())))


@lru_cache(maxsize=1024)
def _noted(
    dual: bool, ratio_check: str, totals: str, computed: str, credible: str
) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    """What the tables of words note of a count, and their steps. Remembered."""
    trace: list[Step] = []
    notes: list[str] = []
    if dual:
        notes += ask(plausibility.AGREEMENT, {"ratio_check": ratio_check, "totals": totals}, trace)["flags"]
        notes += ask(plausibility.COMPUTED, {"computed": computed}, trace)["flags"]
    notes += ask(plausibility.HIGH, {"credible": credible}, trace)["flags"]
    return tuple(notes), tuple(trace)


def short_of_cells(judged: Judged) -> bool:
    """Would the count be short of cells, its values aside? (For a cluster that comes before unusable values.)"""
    sound = {"credible": "yes", "totals": "none", "ratio_check": "none", "all_cells": "no"}
    values = sound | {"cells": judged.facts.cells}
    return bool(plausibility.COUNT.decide(values)["count"] == "few")


@lru_cache(maxsize=4096)
def ihc_words(ihc: Ihc, edition: Edition) -> tuple[dict[str, str], tuple[Step, ...]]:
    """The score, its staining when 0, whether a described pattern spells it; and the steps. Remembered, not changed."""
    trace: list[Step] = []
    controls = "failed" if ihc.controls == "failed" else "other"
    word: str = ask(common.IHC, {"score": ihc.score or "none", "controls": controls}, trace)["ihc"]
    words = {"ihc": word, "staining": "unknown", "pattern": "uncovered"}
    described = ihc.membrane or ihc.intensity or ihc.percent
    if word == "0":
        membrane = "missing" if ihc.membrane is None else "none" if ihc.membrane == "none" else "stained"
        values: dict[str, Any] = {
            "score": ihc.score,
            "membrane": membrane,
            "intensity": "given" if ihc.intensity else "missing",
            "percent": ranged(ihc.percent),
        }
        if ihc.percent and membrane == "none":
            # "<10" beside "no staining" says nothing else than none, beside a sign of staining nothing else than some.
            values["percent"] = ihc.percent.low
        elif ihc.percent and (membrane == "stained" or ihc.intensity or ihc.score == "0+"):
            values["percent"] = ihc.percent.high
        if row := ask_range(common.STAINING, values, trace):
            words["staining"] = row["staining"]
    if described and word not in ("none", "unusable"):
        scoring = EDITIONS[ihc.scored_under] if ihc.scored_under else edition
        values = {
            "membrane": ihc.membrane or "missing",
            "intensity": ihc.intensity or "missing",
            "percent": ranged(ihc.percent),
        }
        ask_range(scoring.pattern, values, trace)
        spelt = {row["spells"] for row in scoring.pattern.meeting(values)}
        if None not in spelt:
            # A band of percentages disputes the score only if all of it spells others.
            words["pattern"] = "other" if word not in spelt else "same" if len(spelt) == 1 else "uncovered"
    return words, tuple(trace)


_BLOCK = ("block", "failed", "controls", "values", "assay", "second_colour")


def block_facts(count: Count | None) -> tuple[str, ...]:
    """The words of an ISH record, in the order of the columns of the table `block`."""
    if count is None:
        return ("none", "no", "other", "none", "none", "no")
    return (
        "given",
        _yes(count.failed),
        "failed" if count.controls == "failed" else "other",
        "some" if count.valued else "none",
        count.assay or "none",
        _yes(count.second_colour),
    )


def block_word(facts: tuple[str, ...], trace: list[Step]) -> str:
    """What an ISH record is: none, failed, outstanding, conflict, dual, single or either."""
    return str(ask(common.BLOCK, dict(pairs(_BLOCK, facts)), trace)["block_is"])


def handling(specimen: Specimen, edition: Edition, trace: list[Step]) -> dict[str, tuple[str, ...]]:
    """The flags of each handling table, by its name; only what is stated is asked."""
    found: dict[str, tuple[str, ...]] = {}
    tables = {"cold_ischaemia_minutes": preanalytics.ISCHAEMIA, "fixation_hours": edition.fixation}
    for field, table in {**tables, "section_age_days": preanalytics.SECTION_AGE}.items():
        measure: Measure | None = getattr(specimen, field)
        if measure and (row := ask_range(table, {field: ranged(measure)}, trace)):
            found[table.name] = row["flags"]
    if specimen.fixative:
        found["fixative"] = ask(preanalytics.FIXATIVE, {"fixative": specimen.fixative}, trace)["flags"]
    if specimen.decalcified:
        found["decalcified"] = ask(preanalytics.DECALCIFIED, {"decalcified": "yes"}, trace)["flags"]
    return found


def retest(case: Case, edition: Edition, status: str, found: Mapping[str, Any], trace: list[Step]) -> str | None:
    """The advice on testing again, asked only where something on record bears on it."""
    specimen = case.specimen
    if edition.listed is None or not (specimen.procedure or specimen.histology or specimen.grade):
        return None
    histology = {
        "grade": "1" if specimen.grade == 1 else "other",
        "histology": specimen.histology or "other",
        "er": "positive" if case.er == "positive" else "other",
        "pgr": "positive" if case.pgr == "positive" else "other",
        "purity": ranged(specimen.purity_percent),
    }
    listed = ask_range(edition.listed, histology, trace)
    doubt = ask(
        preanalytics.DOUBT,
        {
            "stated": _yes(specimen.handling_doubt),
            "ischaemia": _yes(found.get("ischaemia")),
            "fixation": _yes(found.get("fixation")),
        },
        trace,
    )["doubt"]
    reason = ask(
        preanalytics.REASON,
        {
            "grade": "3" if specimen.grade == 3 else "other",
            "little_invasive_tumour": _yes(specimen.little_invasive_tumour),
            "excision_differs": _yes(specimen.excision_differs),
        },
        trace,
    )["reason"]
    values = {
        "status": status,
        "listed": listed["listed"] if listed else "no",
        "doubt": doubt,
        "procedure": "core" if specimen.procedure == "core" else "other",
        "reason": reason,
    }
    told: str | None = ask(edition.retest, values, trace)["retest"]
    return told


def used_values(judged: Judged) -> tuple[Used, ...]:
    """The values decided on, unrounded, each with its unit and whether it was reported or computed."""
    used, count = judged.facts.used, judged.source
    rows = (
        ("ratio", used.ratio, "HER2/CEP17", count.ratio),
        ("her2_copies", used.her2, "signals per cell", count.her2),
        ("cep17_copies", used.cep17, "signals per cell", count.cep17),
    )
    found = []
    for name, value, unit, told in rows:
        if value and told and told.low == value[0] and told.high == value[1]:
            found.append(Used(name, told.text, unit, "reported"))
        elif value:
            found.append(Used(name, shown(value), unit, "computed"))
    return tuple(found)
