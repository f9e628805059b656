"""Still the first storey: which ISH record governs, what is left of it, and every class its values can hit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from app.domain.case import Case, Count
from app.domain.classification import Step
from app.guidelines import common
from app.guidelines.asking import ask, step_of
from app.guidelines.editions import Edition
from app.guidelines.walk import World
from app.guidelines.words import Judged, block_facts, block_word, judge, ranged, short_of_cells


class Ish(NamedTuple):
    """The governing ISH record: its field, what is left of it for the figures, and its count."""

    field: str
    tested: str
    probe: str
    judged: Judged | None
    flags: tuple[str, ...]


def governing(case: Case, edition: Edition, trace: list[Step]) -> Ish:
    """Which ISH record governs, judged."""
    ish, follow = case.ish, case.follow_up_ish
    words = _record_words(block_facts(ish), block_facts(follow))
    trace += words.steps
    followed = words.governs == "follow_up"
    count: Count | None = follow if followed else ish
    judged = None
    if count is not None and words.governs in ("dual", "single", "either", "follow_up"):
        judged = judge(count, edition, trace, dual=words.governs in ("dual", "follow_up"))
    values = {"governs": words.governs, "count": judged.word if judged else "none"}
    tested = ask(common.ROUTE, values, trace)["tested"]
    return Ish("follow_up_ish" if followed else "ish", tested, _probe(case, words), judged, words.flags)


class _Record(NamedTuple):
    """What the two ISH records are, and which governs."""

    governs: str
    follow_up: str
    flags: tuple[str, ...]
    steps: tuple[Step, ...]


@lru_cache(maxsize=1024)
def _record_words(first: tuple[str, ...], follow_up: tuple[str, ...]) -> _Record:
    """Ask the tables of records. Remembered: there are few combinations."""
    trace: list[Step] = []
    words = {
        "first": block_word(first, trace),
        "follow_up": block_word(follow_up, trace if follow_up[0] == "given" else []),
    }
    governs = ask(common.GOVERNS, words, trace)["governs"]
    flags = common.FAILURE.decide({"governs": governs, "follow_up": words["follow_up"]})["flags"]
    return _Record(governs, words["follow_up"], flags, tuple(trace))


def _probe(case: Case, words: _Record) -> str:
    """The kind of assay whose result is used or awaited: dual, single, or either where that is not known."""
    if words.governs in ("dual", "follow_up") or (words.governs == words.follow_up == "outstanding"):
        return "dual"
    named = {"dual_probe": "dual", "single_probe": "single"}.get((case.ish and case.ish.assay) or "", "either")
    return "either" if words.governs == "conflict" else named


def worlds_of(ish: Ish, edition: Edition) -> list[World]:
    if ish.judged is None or ish.tested not in ("dual", "single", "either"):
        return [World(ish.tested, None)]
    used = ish.judged.facts.used
    if ish.tested == "dual":
        rows = used.classes(edition.dual)
        if len(rows) == 1:
            return [World("dual", rows[0])]
    worlds = []
    if ish.tested in ("dual", "either"):
        worlds += [World("dual", row) for row in used.classes(edition.dual)]
    if ish.tested in ("single", "either"):
        worlds += [World("single", row) for row in used.classes(edition.single)]
    # Two rows of a table that say the same are one class.
    return list({(world.tested, world.said): world for world in reversed(worlds)}.values())[::-1]


_NO_CLUSTER: dict[str, Any] = {"cluster": "absent", "share": None, "cluster_group": "none"}


def cluster_words(case: Case, edition: Edition, trace: list[Step]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The cluster's words, and the codes to tell of its count where it is used."""
    words = dict(_NO_CLUSTER)
    if case.cluster is None:
        return _NO_CLUSTER, ()
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


def class_step(world: World, edition: Edition, ish: Ish) -> tuple[Step, ...]:
    """The class table's row as a step: it was found by its box, so it is traced by hand."""
    if world.row is None or ish.judged is None:
        return ()
    table = edition.dual if world.tested == "dual" else edition.single
    used = ish.judged.facts.used
    return (step_of(table, world.row, {"ratio": used.ratio, "her2": used.her2}),)


def fda_ratio_of(ish: Ish) -> str | None:
    if ish.judged is None or ish.tested != "dual" or ish.judged.facts.used.ratio is None:
        return None
    ratio = ish.judged.facts.used.ratio
    if ratio[0] == ratio[1]:
        return str(common.FDA_RATIO.decide({"ratio": ratio[0]})["fda_ratio"])
    rows = common.FDA_RATIO.meeting({"ratio": ratio})
    return rows[0]["fda_ratio"] if len(rows) == 1 else None
