"""The one path from a case to a classification: a fold over an edition's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import codes
from app.domain.case import Case, Count
from app.domain.classification import Classification, Step, Used
from app.domain.classification import World as TracedWorld
from app.domain.problems import Problem
from app.guidelines import common
from app.guidelines.asking import ask
from app.guidelines.editions import EDITIONS, Edition
from app.guidelines.walk import Walked, World, walk
from app.guidelines.words import (
    Judged,
    block_word,
    handling,
    ihc_words,
    judge,
    ranged,
    retest,
    short_of_cells,
    used_values,
)

_STEP_ORDER = {step: place for place, step in enumerate(codes.NEXT_STEPS)}
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


@dataclass(frozen=True, slots=True)
class _Ish:
    """The governing ISH record: its field, what is left of it for the figures, and its count."""

    field: str
    tested: str
    probe: str
    judged: Judged | None
    flags: tuple[str, ...]


def _governing(case: Case, edition: Edition, trace: list[Step]) -> _Ish:
    first = block_word(case.ish, trace)
    follow_up = "none" if case.follow_up_ish is None else block_word(case.follow_up_ish, trace)
    governs = ask(common.GOVERNS, {"first": first, "follow_up": follow_up}, trace)["governs"]
    flags = common.FAILURE.decide({"governs": governs, "follow_up": follow_up})["flags"]
    followed = governs == "follow_up"
    count: Count | None = case.follow_up_ish if followed else case.ish
    judged = None
    if count is not None and governs in ("dual", "single", "either", "follow_up"):
        judged = judge(count, edition, trace, dual=governs in ("dual", "follow_up"))
    word = judged.word if judged else "none"
    tested = ask(common.ROUTE, {"governs": governs, "count": word}, trace)["tested"]
    return _Ish("follow_up_ish" if followed else "ish", tested, _probe(case, governs, follow_up), judged, flags)


def _probe(case: Case, governs: str, follow_up: str) -> str:
    """The kind of assay whose result is used or awaited: dual, single, or either where that is not known."""
    if governs in ("dual", "follow_up") or (governs == "outstanding" and follow_up == "outstanding"):
        return "dual"
    named = {"dual_probe": "dual", "single_probe": "single"}.get((case.ish and case.ish.assay) or "", "either")
    return "either" if governs == "conflict" else named


def _worlds(ish: _Ish, edition: Edition) -> list[World]:
    if ish.judged is None or ish.tested not in ("dual", "single", "either"):
        return [World(ish.tested, None)]
    used = ish.judged.facts.used
    worlds = []
    if ish.tested in ("dual", "either"):
        worlds += [World("dual", row) for row in used.classes(edition.dual)]
    if ish.tested in ("single", "either"):
        worlds += [World("single", row) for row in used.classes(edition.single)]
    # Two rows of a table that say the same are one class.
    return list({(world.tested, world.said): world for world in reversed(worlds)}.values())[::-1]


def _cluster_words(case: Case, edition: Edition, trace: list[Step]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The cluster's words, and the codes to tell of its count where it is used."""
    words: dict[str, Any] = {"cluster": "absent", "share": None, "cluster_group": "none"}
    if case.cluster is None:
        return words, ()
    asked: list[Step] = []
    judged = judge(case.cluster.count, edition, asked)
    row = judged.group(edition.dual)
    share = ranged(case.cluster.share_percent)
    if short_of_cells(judged):
        words["cluster"] = "few"
    elif row is None or not case.cluster.count.valued:
        words["cluster"] = "unusable"
    else:
        words["cluster"], words["cluster_group"] = "usable", row.outputs.get("group", "none")
    if share and "usable" in edition.figures and "share" in edition.figures["usable"].inputs:
        low, high = edition.figures["usable"].cuts("share")[-1], share
        words["share"] = share[0] if (high[1] < low) == (high[0] < low) else None
    trace += asked
    told: dict[str, tuple[str, ...]] = {"usable": judged.notes, "unusable": judged.why, "few": ()}
    return words, told[words["cluster"]]


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


def classify(case: Case, problems: Sequence[Problem] = ()) -> Classification:
    """Classify one case under its edition and policy.

    problems: what could not be read (app.domain.reading); any makes the record invalid. Source: the edition's tables.
    """
    edition = EDITIONS[case.edition]
    policy = case.policy if edition.switched else codes.DEFAULT_POLICY
    trace: list[Step] = []
    specimen = case.specimen
    words: dict[str, Any] = ihc_words(case.ihc, edition, trace)
    words["invasive"] = "no" if specimen.invasive is False else "other"
    words["site"] = "other" if specimen.breast_carcinoma is False else "breast"
    words["values"] = "impossible" if problems else "sound"
    ish = _governing(case, edition, trace)
    cluster, cluster_notes = _cluster_words(case, edition, trace)
    words.update(cluster, probe=ish.probe)

    worlds = _worlds(ish, edition)
    walks = [walk(case, edition, policy, words, world, alone=len(worlds) == 1) for world in worlds]
    statuses = {each.status for each in walks}
    settled = ask(
        common.CERTAINTY,
        {
            "worlds": "one" if len(walks) == 1 else "many",
            "statuses": "agree" if len(statuses) == 1 else "differ",
            "agreed": "decided" if statuses <= {"positive", "negative"} else "open",
            "classes": "same" if len({world.said for world in worlds}) == 1 else "differ",
        },
        [] if len(walks) == 1 else trace,
    )
    rule = settled["rule"]
    status = "pending" if rule == "pending" else walks[0].status
    certain = walks[0].certain if rule == "as found" else rule == "certain" and any(_final(each) for each in walks)
    steps = set.intersection(*(set(each.steps) for each in walks))
    flags = set.intersection(*(each.flags for each in walks)) | set(settled["flags"]) | set(ish.flags)
    group = _common(walks, "group")

    found = handling(specimen, edition, trace)
    answers: list[Step] = []
    low_values = {
        "status": status,
        "ihc": words["ihc"],
        "staining": words["staining"],
        "low_in_groups_2_to_4": policy["low_in_groups_2_to_4"],
    }
    groups = dict.fromkeys(each.group or "none" for each in walks)
    lows = [ask(edition.her2_low, {**low_values, "group": each}, answers) for each in groups]
    again = retest(case, edition, status, found, answers)
    deviation = any(found.values())
    advice = ask(
        common.ADVICE, {"status": status, "deviation": "yes" if deviation else "no"}, answers if deviation else []
    )
    note = ask(edition.report_note, {"status": status}, [])
    next_steps = _ordered([*steps, *advice["steps"]], settled["steps"])
    final_values = {"status": status, "steps": _openness(next_steps), "certain": "yes" if certain else "no"}
    final = ask(common.FINAL, final_values, answers)["final"] == "yes"

    flags.update(set.intersection(*(set(low["flags"]) for low in lows)), *found.values())
    if ish.judged is not None:
        unusable = ish.tested in ("contradictory", "implausible")
        flags.update(ish.judged.why)
        flags.update(() if unusable else ish.judged.notes)
    if ish.tested == "conflict":
        flags.add("ASSAY_CONFLICT")
    flags.update(common.HETEROGENEITY.decide({"cluster": words["cluster"]})["flags"])
    if any(each.cluster_used for each in walks):
        flags.update(cluster_notes)
    if case.recount is not None and status != "invalid" and not _second_count_asked(edition, words, worlds):
        flags.add("RECOUNT_NOT_REQUIRED")
    told = list(problems)
    if status == "invalid":
        told += _invalid(words, flags, ish, problems)
        flags -= {problem.code for problem in told}
    one = len(walks) == 1
    return Classification(
        edition=edition.id,
        policy=policy if edition.switched else {},
        status=status,
        final=final,
        ish_group=int(group) if group else None,
        ish_result=_common(walks, "result"),
        fda_ratio=_fda_ratio(ish),
        her2_low=lows[0]["her2_low"] if len({low["her2_low"] for low in lows}) == 1 else "undetermined",
        comment=_common(walks, "comment") if status == "negative" else None,
        report_notes=note["notes"],
        notes=_other_score(case, edition),
        next_steps=next_steps,
        flags=tuple(sorted(flags, key=_FLAG_ORDER.__getitem__)),
        review_required=all(each.review for each in walks),
        retest=again,
        problems=tuple(told),
        used=_used(ish),
        trace=(
            *trace,
            *(_class_step(worlds[0], edition, ish) if one else ()),
            *(walks[0].trace if one else ()),
            *answers,
        ),
        worlds=()
        if one
        else tuple(
            TracedWorld(world.assumption, each.status, tuple(each.trace))
            for world, each in zip(worlds, walks, strict=True)
        ),
    )


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


def _class_step(world: World, edition: Edition, ish: _Ish) -> tuple[Step, ...]:
    """The class table's row as a step: it was found by its box, so it is traced by hand."""
    if world.row is None or ish.judged is None:
        return ()
    from app.guidelines.asking import step_of

    table = edition.dual if world.tested == "dual" else edition.single
    used = ish.judged.facts.used
    return (step_of(table, world.row, {"ratio": used.ratio, "her2": used.her2}),)


def _invalid(words: dict[str, Any], flags: set[str], ish: _Ish, problems: Sequence[Problem]) -> list[Problem]:
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


def _fda_ratio(ish: _Ish) -> str | None:
    if ish.judged is None or ish.tested != "dual" or ish.judged.facts.used.ratio is None:
        return None
    rows = common.FDA_RATIO.meeting({"ratio": ish.judged.facts.used.ratio})
    return rows[0]["fda_ratio"] if len(rows) == 1 else None


def _used(ish: _Ish) -> tuple[Used, ...]:
    return used_values(ish.judged) if ish.judged else ()


def _other_score(case: Case, edition: Edition) -> tuple[str, ...]:
    scored = case.ihc.scored_under
    if case.ihc.score and scored and EDITIONS[scored].scored_as != edition.scored_as:
        return ("SCORED_UNDER_OTHER_EDITION",)
    return ()
