"""The document as a case: what can be read, and what makes it invalid before any figure is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.oracle.counts import Reading, Values, read_dual, read_single
from tests.oracle.measures import Measure, Span, Unreadable, all_outside, cell_number, measure, signals
from tests.oracle.staining import pattern_disputes, score_of, staining_of_zero

EDITIONS = {"asco-cap-2007": "2007", "asco-cap-2013": "2013", "asco-cap-2018": "2018", "asco-cap-2023": "2023"}
SHORT_FORMS = {"ratio": "ratio", "copies": "her2_copies", "cep17": "cep17_copies", "cells": "cells"}
SPECIMEN_MEASURES = (
    ("purity_percent", 100),
    ("cold_ischaemia_minutes", None),
    ("fixation_hours", None),
    ("section_age_days", None),
)
DUAL, SINGLE = "dual_probe", "single_probe"


@dataclass(slots=True)
class Finding:
    """What the ISH part can mean in one world."""

    kind: str  # none, failed, outstanding, unusable, few, dual, single
    cls: int | str | None = None
    flags: set[str] = field(default_factory=set)
    why: set[str] = field(default_factory=set)
    fda: str | None = None
    assays: frozenset[str] = frozenset()

    @property
    def group(self) -> int | None:
        return self.cls if isinstance(self.cls, int) else None


@dataclass(slots=True)
class Case:
    """One specimen, read."""

    document: dict[str, Any]
    edition: str
    policy: dict[str, str]
    ihc: str | None = None  # 0, 1+, 2+, 3+, indeterminate, or nothing when not done
    staining: str = "unknown"
    specimen: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    counts: dict[str, Values] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    problems: set[str] = field(default_factory=set)

    @property
    def old(self) -> bool:
        return self.edition in ("2007", "2013")

    def hold(self, switch: str) -> bool:
        """The switches do not act under 2007 and 2013."""
        return not self.old and self.policy.get(switch) == "hold"


def read(document: dict[str, Any]) -> Case:
    case = Case(
        document,
        EDITIONS[document.get("edition") or "asco-cap-2018"],
        document.get("policy") or {},
        specimen=document.get("specimen") or {},
    )
    if case.specimen.get("breast_carcinoma") is False:
        case.problems.add("OUT_OF_SCOPE_SITE")
    if case.specimen.get("invasive") is False:
        case.problems.add("NOT_INVASIVE")
    for name, top in SPECIMEN_MEASURES:
        _span(case, case.specimen, name, top)
    # READING: an impossible percentage in the receptors (context) makes the record invalid like any other.
    context = document.get("context") or {}
    _span(case, context, "er_percent", 100)
    _span(case, context, "pgr_percent", 100)
    _read_ihc(case)
    _read_counts(case)
    return case


def _span(case: Case, block: dict[str, Any], name: str, top: int | None) -> Span | None:
    if block.get(name) is None:
        return None
    try:
        span = measure(block[name], above_zero=False, top=top).span
    except Unreadable as error:
        case.problems.add(str(error))
        return None
    case.spans[name] = span
    return span


def _read_ihc(case: Case) -> None:
    stated = case.document.get("ihc")
    block = stated if isinstance(stated, dict) else {"score": stated}
    share = _span(case, block, "percent", 100)
    if block.get("score") is not None:
        case.ihc = score_of(block["score"])
        if case.ihc is None:
            # READING: a score outside the scale is invalid also when the IHC controls failed.
            case.problems.add("UNKNOWN_SCORE")
            return
    if block.get("controls") == "failed":
        # READING: failed controls make the IHC indeterminate even when no score was written; the pattern is discarded.
        case.ihc = "indeterminate"
        return
    if case.ihc is None or case.ihc == "indeterminate":
        # READING: a pattern without a score is no score: the IHC counts as not done.
        return
    membrane, intensity = block.get("membrane"), block.get("intensity")
    scored_under = EDITIONS.get(block.get("scored_under") or "", case.edition)
    percent_broken = block.get("percent") is not None and share is None
    if not percent_broken and pattern_disputes(scored_under, case.ihc, membrane, intensity, share):
        case.problems.add("IHC_PATTERN_MISMATCH")
    if case.ihc in ("0", "0+"):
        case.staining = staining_of_zero(case.ihc, membrane, intensity, share)
        case.ihc = "0"


def first_ish(document: dict[str, Any]) -> dict[str, Any] | None:
    """The ISH block, short forms at the top level included."""
    block = document.get("ish")
    for short, name in SHORT_FORMS.items():
        if document.get(short) is not None:
            block = dict(block or {})
            if block.get(name) is None:
                block[name] = document[short]
    return block


def _read_counts(case: Case) -> None:
    blocks = {"ish": first_ish(case.document)}
    for name in ("follow_up_ish", "recount", "third_count", "cluster"):
        blocks[name] = case.document.get(name)
    for name, block in blocks.items():
        if block is None:
            continue
        if name in ("ish", "follow_up_ish") and block.get("failed") is True:
            continue  # a failed assay: its values are not read at all
        case.counts[name] = _values(case, name, block)
    if blocks["cluster"] is not None:
        _span(case, blocks["cluster"], "share_percent", 100)


def _values(case: Case, name: str, block: dict[str, Any]) -> Values:
    values = Values()
    for key, slot in (("ratio", "ratio"), ("her2_copies", "her2"), ("cep17_copies", "cep17")):
        if block.get(key) is not None:
            setattr(values, slot, _number(case, name, block[key], "average"))
    for key in ("her2_signals", "cep17_signals"):
        if block.get(key) is not None:
            setattr(values, key, _number(case, name, block[key], "signals"))
    for key in ("cells", "her2_cells", "cep17_cells"):
        if block.get(key) is not None:
            setattr(values, key, _number(case, name, block[key], "cells"))
    return values


def _number(case: Case, name: str, value: Any, what: str) -> Measure | int | None:
    try:
        if what == "cells":
            return cell_number(value)
        return signals(value) if what == "signals" else measure(value, above_zero=True)
    except Unreadable as error:
        case.problems.add(str(error))
        case.broken.add(name)
        return None


def _failed(block: dict[str, Any] | None) -> bool:
    return block is not None and (block.get("failed") is True or block.get("controls") == "failed")


def ish_findings(case: Case) -> list[Finding]:
    """Which ISH governs, and every class its values can hit."""
    first, second = first_ish(case.document), case.document.get("follow_up_ish")
    note: set[str] = set()
    if second is not None:
        if _failed(second):
            # READING: a failed follow-up is no conflict even if it says single probe: nothing of it is read.
            note.add("ISH_INDETERMINATE")
            if first is None:
                return [Finding("failed", flags=note)]
        else:
            return _follow_up(case, first, second)
    if first is None:
        return [Finding("none")]
    if _failed(first):
        return [Finding("failed", flags={"ISH_INDETERMINATE"})]
    values, assay = case.counts["ish"], first.get("assay")
    if not values.any:
        return [Finding("outstanding", flags=note, assays=frozenset([assay] if assay else [DUAL, SINGLE]))]
    if assay == SINGLE and values.second_colour:
        return [Finding("unusable", why={"ASSAY_CONFLICT"}, flags=note, assays=frozenset([DUAL, SINGLE]))]
    if assay is None and values.second_colour:
        assay = DUAL
    return _count_findings(case, values, [assay] if assay else [DUAL, SINGLE], note)


def _follow_up(case: Case, first: dict[str, Any] | None, second: dict[str, Any]) -> list[Finding]:
    """A follow-up that did not fail: its result governs; without one the ISH is outstanding."""
    conflict = Finding("unusable", why={"ASSAY_CONFLICT"}, assays=frozenset([DUAL, SINGLE]))
    values = case.counts["follow_up_ish"]
    if not values.any:
        return [Finding("outstanding", assays=frozenset([DUAL]))]
    if second.get("assay") == SINGLE:
        return [conflict]
    if first is not None and not _failed(first):
        before = case.counts["ish"]
        assay = first.get("assay")
        if before.any and (assay == DUAL or (assay is None and before.second_colour)):
            return [conflict]
    # READING: with a follow-up result the first assay is not judged, not even a single probe that carries a ratio.
    return _count_findings(case, values, [DUAL], set())


def _count_findings(case: Case, values: Values, assays: list[str], note: set[str]) -> list[Finding]:
    found: list[Finding] = []
    for assay in assays:
        kind = "dual" if assay == DUAL else "single"
        reading = read_dual(values, case.edition) if assay == DUAL else read_single(values, case.edition)
        flags = reading.flags | note
        if assay == SINGLE and len(assays) == 2 and reading.state == "unusable":
            # READING: copies that contradict each other for a single probe are not used for an unknown assay either.
            return [Finding("unusable", flags=flags, why=set(reading.why), assays=frozenset(assays))]
        if reading.state == "usable":
            ordered = sorted(reading.classes, key=str)
            found.extend(Finding(kind, cls, flags, fda=reading.fda, assays=frozenset([assay])) for cls in ordered)
            continue
        # READING: an unknown assay that is unusable, or short of cells, either way is one world, not two.
        twin = next((one for one in found if one.kind == reading.state and one.why == reading.why), None)
        if twin is None:
            found.append(Finding(reading.state, flags=flags, why=set(reading.why), assays=frozenset([assay])))
        else:
            twin.flags = twin.flags & flags
            twin.assays = twin.assays | {assay}
    return found


def one_class(reading: Reading) -> int | None:
    """The group of a second, third or cluster count; nothing unless its values name exactly one."""
    if reading.state != "unusable" and len(reading.classes) == 1:
        only = next(iter(reading.classes))
        return only if isinstance(only, int) else None
    return None


def outside(case: Case, name: str, low: int | None, high: int) -> bool:
    """A stated time lies outside its limits, all of it."""
    span = case.spans.get(name)
    return span is not None and all_outside(span, low, high)
