"""How an answer is shown: the steps that decided it, and its values on the thresholds of the edition's own tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.decision_table import Table
from app.domain import codes
from app.domain.numbers import AVERAGE, MICRO, UNBOUNDED, Measure, micro, read_measure
from app.guidelines import common, plausibility
from app.guidelines.editions import EDITIONS, Edition
from app.guidelines.outcomes import OUTCOMES

Answer = Mapping[str, Any]

# Tables that say something of every case; of the others only what sends a case another way is told large.
_ALWAYS = {common.IHC.name, common.CERTAINTY.name, common.FINAL.name}
_GATES = ("usable", "probe")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_RANGE = re.compile(r"([\[(])\s*(\d+(?:\.\d+)?) \.\. (\d+(?:\.\d+)?)\s*([\])])")
_FROM, _TO = {"[": "≥", "(": ">"}, {"]": "≤", ")": "<"}
_OUT_OF = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where a table changes its answer. text: as the table spells it; upper: whether the number itself lies below."""

    text: str
    value: int
    upper: bool
    at: str


@dataclass(frozen=True, slots=True)
class Distance:
    """How a value lies to a threshold. by: the gap; how: below, above, at; of an interval at_least_below,
    at_least_above, all_below, all_above (it reaches as far as the threshold), across."""

    how: str
    threshold: Threshold
    by: str


@dataclass(frozen=True, slots=True)
class NumberLine:
    """A value on the thresholds of one column of a table. Places are percent of the drawn range, as text.

    name: ratio, her2_copies, cep17_copies or cells; observed: None where no value is on record; start, end, width: what
    the value covers; beyond: all of it lies outside the drawn range; open: some of it does; label, anchor: of its text.
    """

    name: str
    observed: str | None
    basis: str | None
    table: str
    title: str
    place: str
    top: str
    thresholds: tuple[Threshold, ...]
    distances: tuple[Distance, ...]
    start: str
    end: str
    width: str
    exact: bool
    beyond: bool
    open: bool
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A step of the trace. matters: whether it is told large; asked: (column, observed, what the row asks)."""

    step: Mapping[str, Any]
    matters: bool
    asked: tuple[tuple[str, str, str], ...]


def edition_of(answer: Answer) -> Edition | None:
    """The edition whose tables gave this answer; None where they are not at hand any more."""
    told = answer["edition"]
    edition = EDITIONS.get(told["id"])
    return edition if edition and edition.digest == told["digest"] else None


def meaning(answer: Answer, of: str) -> str:
    """What a word of the answer means. of: status, her2_low or retest."""
    listed = {"status": codes.STATUSES, "her2_low": codes.HER2_LOW, "retest": codes.RETEST}[of]
    return listed[answer[of]].text


def path(answer: Answer, steps: list[Mapping[str, Any]] | None = None) -> list[Shown]:
    """The steps of an answer, or of one of its worlds, each with whether it is one that decides."""
    edition = edition_of(answer)
    found: list[Shown] = []
    large: set[tuple[str, str]] = set()
    for step in answer["trace"] if steps is None else steps:
        at = step["table"], step["row"]
        # Worlds may ask a table several times: one answer is told large once.
        matters = edition is None or (at not in large and _matters(step, edition, answer))
        if matters:
            large.add(at)
        found.append(Shown(step, matters, tuple(_asked(step))))
    return found


def _asked(step: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What was observed against what the row asks, the columns left out in which it takes anything."""
    for column, wanted in step["when"].items():
        if wanted != "-":
            yield column, step["observed"][column], plain(wanted)


def plain(condition: str) -> str:
    """A condition in signs that everybody reads: `[4.0..6.0)` is `≥ 4.0 and < 6.0`."""
    spelt = _RANGE.sub(
        lambda found: f"{_FROM[found[1]]} {found[2]} and {_TO[found[4]]} {found[3]}", condition.replace("..", " .. ")
    )
    return spelt.replace(">=", "≥").replace("<=", "≤")


def _matters(step: Mapping[str, Any], edition: Edition, answer: Answer) -> bool:
    name, says = step["table"], step["says"]
    if name in _ALWAYS or name in (edition.dual.name, edition.single.name):
        return True
    if edition.recount is not None and name == edition.recount.name:
        return bool(says.get("recount") != "none")
    if name == edition.her2_low.name:
        return bool(answer["her2_low"] != "not_applicable")
    if name == plausibility.COUNT.name:
        return bool(says.get("count") != "usable")
    gates = {common.RECORD.name, *(edition.figures[gate].name for gate in _GATES if gate in edition.figures)}
    if name in gates:
        return _ends(says.get("outcome"))
    return name in {table.name for table in edition.figures.values()}


def _ends(outcome: str | None) -> bool:
    """Does a figure's word give a status, rather than lead to another figure?"""
    rows = [row for row in OUTCOMES.rows if dict(row.conditions)["outcome"] == outcome]
    return any(row["next"] is None for row in rows)


def number_lines(answer: Answer) -> list[NumberLine]:
    """The governing count's ratio and HER2 copies, and CEP17 and cells where they are on record, on their thresholds.

    Empty where the tables of the answer are not at hand: today's thresholds may be others.
    """
    edition = edition_of(answer)
    if edition is None:
        return []
    governs = next(
        (step["says"]["governs"] for step in answer["trace"] if step["table"] == common.GOVERNS.name), "none"
    )
    measured = {each["name"]: (each["value"], each["basis"]) for each in answer["measured"]}
    single = governs in ("single", "either")
    found = []
    if governs != "single":
        found.append(_line("ratio", "ratio", edition.dual, measured.get("ratio")))
    found.append(_line("her2_copies", "her2", edition.single if single else edition.dual, measured.get("her2_copies")))
    if "cep17_copies" in measured:
        found.append(_line("cep17_copies", "cep17", plausibility.CREDIBLE, measured["cep17_copies"]))
    counted = next((step for step in answer["trace"] if step["table"] == plausibility.COUNT.name), None)
    if counted is not None:
        cells = counted["observed"]["cells"]
        told = None if cells == "missing" else (cells.removesuffix(".0"), "reported")
        found.append(_line("cells", "cells", plausibility.COUNT, told))
    return found


def thresholds(table: Table, column: str) -> tuple[Threshold, ...]:
    """Where a number column changes its answer, smallest first, spelled as in the table; none without that column."""
    if column not in table.inputs:
        return ()
    spelt = {micro(text): text for row in table.rows for text in _NUMBER.findall(dict(row.conditions)[column])}
    cuts = [(cut - cut % 10, cut % 10 == 1) for cut in table.cuts(column)]
    top = _top(cuts[-1][0]) if cuts else 1
    return tuple(Threshold(spelt[value], value, upper, _percent(value, top)) for value, upper in cuts)


def _top(highest: int) -> int:
    """The end of the drawn range: half as much again as the highest threshold."""
    return highest * 3 // 2


def _percent(value: int, top: int) -> str:
    return str((Decimal(value) / top * _OUT_OF).quantize(Decimal(1)) / 10)


def _line(name: str, column: str, table: Table, told: tuple[str, str] | None) -> NumberLine:
    cuts = thresholds(table, column)
    top = _top(cuts[-1].value) if cuts else 1
    measure = read_value(told[0]) if told else None
    low, high = (measure.low, measure.high) if measure else (0, 0)
    first, last = min(low, top), min(high, top)
    middle = (first + last) // 2
    return NumberLine(
        name=name,
        observed=told[0] if told else None,
        basis=told[1] if told else None,
        table=table.name,
        title=table.title,
        place=table.place,
        top=str(Decimal(top) / MICRO),
        thresholds=cuts,
        distances=tuple(_distance(measure, each) for each in cuts) if measure else (),
        start=_percent(first, top),
        end=_percent(last, top),
        width=_percent(last - first, top),
        exact=bool(measure and measure.exact),
        beyond=low > top,
        open=high > top,
        label=_percent(middle, top),
        # The text of a value near an end of the line stays within it.
        anchor="start" if middle * 5 < top else "end" if middle * 5 > top * 4 else "middle",
    )


def read_value(text: str) -> Measure:
    """A measured value as an answer prints it: a plain number, an interval, `1.8 to 2.2` or `1.8 or more`."""
    if text.endswith(" or more"):
        text = f">={text.removesuffix(' or more')}"
    measure = read_measure(text.replace(" to ", "-"), AVERAGE, "measured")
    if not isinstance(measure, Measure):
        raise ValueError(f"not a measured value: {measure.code}")
    return measure


def _distance(measure: Measure, threshold: Threshold) -> Distance:
    """How far a value, or the near end of an interval, lies from a threshold; exact, in the digits of both."""
    first_above = threshold.value + threshold.upper
    low, high = _ends_of(measure)
    if measure.exact and measure.low == threshold.value:
        return Distance("at", threshold, "0")
    if measure.high < first_above:
        how, gap, end = "below", threshold.value - high, high
    elif measure.low >= first_above:
        how, gap, end = "above", low - threshold.value, low
    else:
        return Distance("across", threshold, "")
    if gap == 0:
        return Distance(f"all_{how}", threshold, "0")
    places = max(_places(measure, end), len(threshold.text.partition(".")[2]))
    by = str((Decimal(gap) / MICRO).quantize(Decimal(1).scaleb(-places)))
    return Distance(how if measure.exact else f"at_least_{how}", threshold, by)


def _ends_of(measure: Measure) -> tuple[int, int]:
    """The ends as written: `> 1.8` begins one millionth above 1.8."""
    low, high = measure.low, measure.high
    if measure.text.startswith(">") and not measure.text.startswith(">="):
        low -= 1
    if measure.text.startswith("<") and not measure.text.startswith("<="):
        high += 1
    return low, high


def _places(measure: Measure, end: int) -> int:
    """The decimal places of the number written for an end of a value, six at most: what lies below is not read."""
    written = [text for text in _NUMBER.findall(measure.text) if micro(text) == end]
    return min(6, len(written[0].partition(".")[2])) if written else 6 if end < UNBOUNDED else 0


@dataclass(frozen=True, slots=True)
class Compared:
    """One part of two answers: its name, what each says (codes, "" for nothing), and whether they are the same."""

    name: str
    first: str
    second: str
    same: bool


_COMPARED = (
    "status", "final", "ish_group", "ish_result", "her2_low", "comment", "next_steps", "flags", "report_notes",
    "review_required", "retest",
)  # fmt: skip


def compared(first: Answer, second: Answer) -> list[Compared]:
    """Two answers to one case side by side, part by part."""
    return [Compared(name, _told(first, name), _told(second, name), first[name] == second[name]) for name in _COMPARED]


def _told(answer: Answer, name: str) -> str:
    value = answer[name]
    if isinstance(value, bool):
        return "yes" if value else "no"
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return "; ".join(answer["texts"].get(each, str(each).replace("_", " ")) for each in listed)
