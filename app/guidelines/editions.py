"""The editions by name: each an ordered tuple of tables with an errata level and date."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.decision_table import Table
from app.domain.codes import EDITIONS as IDS
from app.guidelines import (
    asco_cap_2007,
    asco_cap_2013,
    asco_cap_2018,
    asco_cap_2023,
    common,
    her2_low,
    plausibility,
    preanalytics,
)


@dataclass(frozen=True, eq=False)
class Edition:
    """One edition of the guideline.

    dual, single: the class tables; figures: the tables an outcome's `next` names, `usable` being the first figure;
    pattern, recount, retest and so on: its own tables; scored_as: editions that share the definitions of the IHC
    score. errata counts the corrections of Herald's tables to this edition since errata_date (ISO date).
    """

    id: str
    title: str
    source: str
    errata: int
    errata_date: str
    scored_as: str
    dual: Table
    single: Table
    pattern: Table
    figures: Mapping[str, Table]
    recount: Table | None
    recount_notes: tuple[Table, ...]
    fixation: Table
    her2_low: Table
    listed: Table | None
    retest: Table
    report_note: Table
    notes: tuple[str, ...]

    @property
    def switched(self) -> bool:
        """Whether the policy switches act (they concern the groups and the single probe of 2018)."""
        return "dual" in self.figures

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """Every table the edition reads, in the order of the three storeys: measure, figures, answer."""
        own = [*self.recount_notes, *([self.recount] if self.recount else [])]
        listed = [self.listed] if self.listed else []
        figures = [table for table in self.figures.values() if table not in common.FIGURES]
        return (
            *common.MEASURES,
            *plausibility.TABLES,
            self.pattern,
            self.dual,
            self.single,
            *own,
            *common.FIGURES,
            *figures,
            *common.ANSWERS,
            self.her2_low,
            *preanalytics.TABLES,
            self.fixation,
            *listed,
            self.retest,
            self.report_note,
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the digests of all tables, with id, errata level and date."""
        content = [self.id, str(self.errata), self.errata_date, *(table.digest for table in self.tables)]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()

    def identity(self) -> dict[str, Any]:
        """What every answer carries of the edition."""
        return {
            "id": self.id,
            "version": f"{self.id}+errata{self.errata}",
            "title": self.title,
            "errata": self.errata,
            "errata_date": self.errata_date,
            "digest": self.digest,
        }


_FIGURES_2018 = {
    "usable": asco_cap_2018.CLUSTER,
    "probe": asco_cap_2018.PROBE,
    "dual": asco_cap_2018.DUAL,
    "second_count": asco_cap_2018.SECOND_COUNT,
    "end_rule": asco_cap_2018.END_RULE,
    "single": asco_cap_2018.SINGLE,
    "no_usable_ish": common.NO_USABLE_ISH,
}


def _like_2018(id: str, title: str, source: str, report_note: Table, notes: tuple[str, ...]) -> Edition:
    return Edition(
        id=id,
        title=title,
        source=source,
        errata=0,
        errata_date="2026-11-25",
        scored_as="2018",
        dual=asco_cap_2018.GROUP,
        single=asco_cap_2018.BAND,
        pattern=asco_cap_2018.PATTERN,
        figures=_FIGURES_2018,
        recount=asco_cap_2018.RECOUNT,
        recount_notes=asco_cap_2018.RECOUNT_NOTES,
        fixation=asco_cap_2018.FIXATION,
        her2_low=her2_low.HER2_LOW,
        listed=asco_cap_2018.DISCORDANT_HISTOLOGY,
        retest=asco_cap_2018.RETEST,
        report_note=report_note,
        notes=notes,
    )


_2018 = _like_2018(
    IDS[0],
    "ASCO/CAP HER2 testing in breast cancer, focused update 2018",
    "Wolff et al., J Clin Oncol 2018;36:2105; Arch Pathol Lab Med 2018;142:1364",
    asco_cap_2018.REPORT_NOTE,
    (
        "Groups and figures 1 to 6 were read in the pocket guide; the full text was not.",
        "Items marked [K] are not verified against the publication; items marked [R] are Herald's readings.",
    ),
)
_2023 = _like_2018(
    IDS[1],
    "ASCO/CAP HER2 testing in breast cancer, 2023 affirmation of 2018",
    "Wolff et al., J Clin Oncol 2023;41:3867; Arch Pathol Lab Med 2023;147:993",
    asco_cap_2023.REPORT_NOTE,
    ("The 2018 recommendations are affirmed: same tables, with a note beside negative reports.",),
)
_2013 = Edition(
    id=IDS[2],
    title="ASCO/CAP HER2 testing in breast cancer, 2013 update",
    source="ASCO/CAP 2013, as reproduced in NCCN 2.2015 and later reviews",
    errata=0,
    errata_date="2026-11-25",
    scored_as="2013",
    dual=asco_cap_2013.DUAL_CLASS,
    single=asco_cap_2013.SINGLE_CLASS,
    pattern=asco_cap_2013.PATTERN,
    figures={
        "usable": asco_cap_2013.PROBE,
        "whole": asco_cap_2013.WHOLE,
        "no_usable_ish": common.NO_USABLE_ISH,
    },
    recount=None,
    recount_notes=(),
    fixation=asco_cap_2013.FIXATION,
    her2_low=her2_low.HER2_LOW,
    listed=asco_cap_2013.DISCORDANT_HISTOLOGY,
    retest=asco_cap_2013.RETEST,
    report_note=asco_cap_2013.REPORT_NOTE,
    notes=("Kept to re-evaluate old results; superseded by 2018.", "The whole-case status is a reading [R]."),
)
_2007 = Edition(
    id=IDS[3],
    title="ASCO/CAP HER2 testing in breast cancer, 2007",
    source="ASCO/CAP 2007, as reproduced in later reviews",
    errata=0,
    errata_date="2026-11-25",
    scored_as="2007",
    dual=asco_cap_2007.DUAL_CLASS,
    single=asco_cap_2007.SINGLE_CLASS,
    pattern=asco_cap_2007.PATTERN,
    figures={
        "usable": asco_cap_2007.PROBE,
        "whole": asco_cap_2007.WHOLE,
        "no_usable_ish": common.NO_USABLE_ISH,
    },
    recount=None,
    recount_notes=(),
    fixation=asco_cap_2007.FIXATION,
    her2_low=her2_low.HER2_LOW_2007,
    listed=None,
    retest=asco_cap_2007.RETEST,
    report_note=asco_cap_2007.REPORT_NOTE,
    notes=("Kept to re-evaluate old results; superseded by 2013 and 2018.", "The whole-case status is a reading [R]."),
)

EDITIONS: dict[str, Edition] = {edition.id: edition for edition in (_2018, _2023, _2013, _2007)}
