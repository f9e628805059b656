"""The second storey: a walk over words through an edition's figures, once for each world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.decision_table import Row
from app.domain.case import Case
from app.domain.classification import Step
from app.guidelines import common
from app.guidelines.asking import ask
from app.guidelines.editions import Edition
from app.guidelines.outcomes import OUTCOMES
from app.guidelines.words import Judged, judge


@dataclass
class Walked:
    """Where one world's walk ended. group: the group that stands in the answer, None where there is none."""

    status: str = "pending"
    comment: str | None = None
    review: bool = False
    certain: bool = False
    cluster_used: bool = False
    group: str | None = None
    result: str | None = None
    steps: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    trace: list[Step] = field(default_factory=list)


class World(NamedTuple):
    """One class the values can still hit: which figure it is read in, and its row (None without a usable ISH)."""

    tested: str
    row: Row | None

    @property
    def said(self) -> tuple[tuple[str, Any], ...]:
        """What the class table says, to tell classes apart."""
        return tuple(self.row.outputs.items()) if self.row else ()

    @property
    def assumption(self) -> str:
        if self.row is None:
            return self.tested
        return f"{self.tested} probe, " + ", ".join(f"{name} {text}" for name, text in self.row.conditions)


def walk(
    case: Case, edition: Edition, policy: dict[str, str], words: dict[str, Any], world: World, alone: bool
) -> Walked:
    """Read the figures once. alone: no other class is possible, so a second count can be compared with this one."""
    here = dict(words, tested=world.tested, group="none")
    walked = Walked()
    if world.row is not None:
        here.update(world.row.outputs)
        walked.result = world.row["result"]
        walked.group = world.row.outputs.get("group")
    here["main_group"] = here["group"] if alone else "none"
    table = common.RECORD
    while True:
        row = ask(table, here, walked.trace)
        outcome = OUTCOMES.decide({"outcome": row["outcome"], **policy})
        walked.flags.update(outcome["flags"])
        walked.cluster_used |= row.outputs.get("uses") == "yes"
        walked.steps += outcome["steps"]
        following = outcome["next"]
        if following is None:
            break
        if following == "second_count":
            here.update(_second_count(case, edition, here["group"], alone, walked))
        elif following == "end_rule":
            adjudicated = row["outcome"] == "end by adjudication"
            here["deciding"] = walked.group = str(case.adjudicated_group) if adjudicated else here["group"]
        table = edition.figures[following]
    ask(OUTCOMES, {"outcome": row["outcome"], **policy}, walked.trace)
    walked.status, walked.comment = outcome["status"], outcome["comment"]
    walked.review = outcome["review"] == "yes"
    if outcome["certain"]:
        walked.certain = ask(common.SURE_3PLUS, {"probe": here["probe"], **policy}, walked.trace)["certain"] == "yes"
    return walked


def _second_count(case: Case, edition: Edition, group: str, alone: bool, walked: Walked) -> dict[str, str]:
    """The words of figures 4 to 6: what the recount is worth, and whether a count backs the adjudicated group."""
    recount, second = _recount(case.recount, edition, group, alone, walked, noted=True)
    _, third = _recount(case.third_count, edition, group, alone, walked, noted=False)
    adjudicated = "none"
    if case.adjudicated_group is not None:
        adjudicated = "counted" if str(case.adjudicated_group) in {group, second, third} else "other"
    return {"recount": recount, "adjudicated": adjudicated}


def _recount(
    count: Any, edition: Edition, group: str, alone: bool, walked: Walked, *, noted: bool
) -> tuple[str, str | None]:
    """The recount's word, and the group it gives where it is valid."""
    assert edition.recount is not None
    judged: Judged | None = judge(count, edition, walked.trace if noted else []) if count else None
    row = judged.group(edition.dual) if judged else None
    found = row["group"] if row else None
    values = {
        "second": "given" if count else "none",
        "blinded": "yes" if count and count.blinded else "no",
        "area": "yes" if count and count.in_ihc2_area else "no",
        "observer": "same" if count and count.same_observer else "other",
        "cells": judged.facts.cells if judged and judged.facts.all_cells else None,
        "second_group": "unusable"
        if found is None
        else "unknown"
        if not alone
        else "same"
        if found == group
        else "other",
    }
    word = ask(edition.recount, values, walked.trace if noted or count else [])["recount"]
    if word in ("none", "invalid"):
        found = None
    if noted and judged:
        for note in edition.recount_notes:
            walked.flags.update(note.decide(values)["flags"])
        if found:
            walked.flags.update(judged.notes)
    return word, found
