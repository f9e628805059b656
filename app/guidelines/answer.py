"""The third storey: what all worlds agree in, HER2-low, final, advice, and why a record is invalid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.domain import codes
from app.domain.case import Case
from app.domain.classification import Settled, Step
from app.domain.classification import World as TracedWorld
from app.domain.pairs import pairs
from app.domain.problems import Problem
from app.guidelines import common
from app.guidelines.asking import ask
from app.guidelines.editions import EDITIONS, Edition
from app.guidelines.governing import Ish
from app.guidelines.walk import Walked, World, walk
from app.guidelines.words import handling, retest

_STEP_ORDER = {step: place for place, step in enumerate(codes.NEXT_STEPS)}
_AGREED = {"positive": "decided", "negative": "decided", "invalid": "invalid"}
_FLAG_ORDER = {flag: place for place, flag in enumerate(codes.FLAGS)}

# What to send instead, for the codes that make a record invalid; {ish} is the ISH record that governs.
_REMEDIES = {
    "NOT_INVASIVE": ("specimen.invasive", "HER2 is classified on invasive carcinoma only"),
    "OUT_OF_SCOPE_SITE": ("specimen.breast_carcinoma", "HER2 is classified here for breast carcinoma only"),
    "IHC_PATTERN_MISMATCH": ("ihc.score", "correct the score or the described pattern: they contradict each other"),
    "IMPLAUSIBLE_VALUE": (
        "{ish}",
        "send total signals in her2_signals and cep17_signals with cells, and averages per cell in the copies fields",
    ),
    "RATIO_MISMATCH": ("{ish}.ratio", "correct ratio, her2_copies, cep17_copies or totals: they give different groups"),
    "ROUNDING_CROSSES_THRESHOLD": ("{ish}", "send the totals and cells alone, or correct the rounded values"),
    "ASSAY_CONFLICT": (
        "{ish}.assay",
        "a single probe has no ratio and no CEP17; a case has one governing dual-probe result",
    ),
    "ADJUDICATION_UNSUPPORTED": ("adjudication.group", "name one of the groups that were counted"),
}


def settle(
    case: Case,
    edition: Edition,
    policy: dict[str, str],
    words: dict[str, Any],
    ish: Ish,
    cluster_notes: tuple[str, ...],
    worlds: Sequence[World],
    problems: Sequence[Problem],
) -> Settled:
    """Walk the figures in every world, ask what all agree in, and answer."""
    walks = [walk(case, edition, policy, words, world, alone=len(worlds) == 1) for world in worlds]
    one, trace = len(walks) == 1, list[Step]()
    statuses = {each.status for each in walks}
    agreed = ask(
        common.CERTAINTY,
        {
            "worlds": "one" if one else "many",
            "statuses": "agree" if len(statuses) == 1 else "differ",
            "agreed": _AGREED.get(walks[0].status, "open"),
            "classes": "same" if len({world.said for world in worlds}) == 1 else "differ",
        },
        [] if one else trace,
    )
    rule = agreed["rule"]
    status = "pending" if rule == "pending" else walks[0].status
    certain = walks[0].certain if rule == "as found" else rule == "certain" and any(_final(each) for each in walks)
    steps = set.intersection(*(set(each.steps) for each in walks))
    flags = set.intersection(*(each.flags for each in walks)) | set(agreed["flags"]) | set(ish.flags)
    group = _common(walks, "group")
    if one:
        trace += walks[0].trace

    found = handling(case.specimen, edition, trace)
    low_values = {
        "status": status,
        "ihc": words["ihc"],
        "staining": words["staining"],
        "low_in_groups_2_to_4": policy["low_in_groups_2_to_4"],
    }
    groups = dict.fromkeys(each.group or "none" for each in walks)
    lows = [ask(edition.her2_low, {**low_values, "group": each}, trace) for each in groups]
    again = retest(case, edition, status, found, trace)
    deviation = any(found.values())
    advice = ask(
        common.ADVICE, {"status": status, "deviation": "yes" if deviation else "no"}, trace if deviation else []
    )
    note = ask(edition.report_note, {"status": status}, [])
    next_steps = _ordered([*steps, *advice["steps"]], agreed["steps"])
    final_values = {"status": status, "steps": _openness(next_steps), "certain": "yes" if certain else "no"}
    final = ask(common.FINAL, final_values, trace)["final"] == "yes"

    flags.update(set.intersection(*(set(low["flags"]) for low in lows)), *found.values())
    flags.update(_count_flags(ish), common.HETEROGENEITY.decide({"cluster": words["cluster"]})["flags"])
    if any(each.cluster_used for each in walks):
        flags.update(cluster_notes)
    if case.recount is not None and status != "invalid" and not _second_count_asked(edition, words, worlds):
        flags.add("RECOUNT_NOT_REQUIRED")
    told = list(problems)
    if status == "invalid":
        told += _invalid(words, flags, ish, problems)
        flags -= {problem.code for problem in told}
    return Settled(
        edition=edition.id,
        policy=policy if edition.switched else {},
        status=status,
        final=final,
        ish_group=int(group) if group else None,
        ish_result=_common(walks, "result"),
        her2_low=lows[0]["her2_low"] if len({low["her2_low"] for low in lows}) == 1 else "undetermined",
        comment=_common(walks, "comment") if status == "negative" else None,
        report_notes=note["notes"],
        notes=_other_score(case, edition),
        next_steps=next_steps,
        flags=tuple(sorted(flags, key=_FLAG_ORDER.__getitem__)),
        review_required=all(each.review for each in walks),
        retest=again,
        problems=tuple(told),
        trace=tuple(trace),
        worlds=()
        if one
        else tuple(
            TracedWorld(world.assumption, each.status, tuple(each.trace)) for world, each in pairs(worlds, walks)
        ),
    )


def _common(walks: Sequence[Walked], name: str) -> Any:
    """A field that is equal in all worlds, else None."""
    values = {getattr(each, name) for each in walks}
    return values.pop() if len(values) == 1 else None


def _ordered(steps: Iterable[str], first: Iterable[str] = ()) -> tuple[str, ...]:
    ahead = tuple(dict.fromkeys(first))
    return ahead + tuple(sorted(set(steps) - set(ahead), key=_STEP_ORDER.__getitem__))


def _final(walked: Walked) -> bool:
    """Would this world's status be final if it were the only one?"""
    steps = _openness(walked.steps)
    values = {"status": walked.status, "steps": steps, "certain": "yes" if walked.certain else "no"}
    return bool(common.FINAL.decide(values)["final"] == "yes")


def _openness(steps: Iterable[str]) -> str:
    left = set(steps) - codes.ADVICE_STEPS
    if not left:
        return "none"
    return "waiting" if left <= codes.WAITING_STEPS else "open"


def _count_flags(ish: Ish) -> set[str]:
    """What is told of the governing count: why it is unusable, or what is noted of its values."""
    flags = {"ASSAY_CONFLICT"} if ish.tested == "conflict" else set()
    if ish.judged is not None:
        flags.update(ish.judged.why)
        if ish.tested not in ("contradictory", "implausible"):
            flags.update(ish.judged.notes)
    return flags


def _second_count_asked(edition: Edition, words: dict[str, Any], worlds: Sequence[World]) -> bool:
    """Does the dual-probe figure ask for a second count in any world?"""
    if "dual" not in edition.figures:
        return False
    figure = edition.figures["dual"]
    return any(
        world.tested == "dual"
        and world.row is not None
        and figure.decide({"group": world.row["group"], "ihc": words["ihc"]})["outcome"] == "second count"
        for world in worlds
    )


def _invalid(words: dict[str, Any], flags: set[str], ish: Ish, problems: Sequence[Problem]) -> list[Problem]:
    """Why the record is invalid beside what could not be read, each with its field and what to send."""
    found = [
        *common.SCOPE.decide(words)["flags"],
        *common.SITE.decide(words)["flags"],
        *common.PATTERN_CHECK.decide(words)["flags"],
    ]
    if not any(problem.field.startswith(ish.field) for problem in problems):
        # What was not read may be just what would have made the count usable.
        found += [code for code in codes.FLAGS if code in flags and code in _REMEDIES]
    told = []
    for code in found:
        field, remedy = _REMEDIES[code]
        told.append(Problem(code, field.format(ish=ish.field), codes.FLAGS[code].text, remedy))
    return told


def _other_score(case: Case, edition: Edition) -> tuple[str, ...]:
    scored = case.ihc.scored_under
    if case.ihc.score and scored and EDITIONS[scored].scored_as != edition.scored_as:
        return ("SCORED_UNDER_OTHER_EDITION",)
    return ()
