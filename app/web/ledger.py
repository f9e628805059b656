"""How the ledger shows a finding's printed numbers: as words, and ratios as a small picture on a logarithmic axis.

Works on the documents of an answer, stored ones too, and reads effects as the big pictures do (app.web.plots). Nothing
is pooled, averaged or ranked; every picture has the same axis, so that two of them may be looked at side by side.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.evidence import RATIO_MEASURES, Arm, Effect
from app.web.catalogue import say
from app.web.plots import Mark, marks_of

Document = Mapping[str, Any]
# In units of the picture, which are pixels where there is room.
WIDTH, _EDGE, _LINE, _ROW, _AXIS = 280, 10, 14, 18, 20
_CHARS = 42
# The ends of the axis, no effect in the middle; the first that holds every figure of the finding is taken.
_AXES = (("0.2", "0.5", "1", "2", "5"), ("0.1", "0.2", "0.5", "1", "2", "5", "10"), ("0.01", "0.1", "1", "10", "100"))
_PLACE = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Told:
    """One effect in words. about: what was measured; printed: its figures as printed; said: tests and how they read."""

    about: str
    printed: tuple[str, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure drawn, coordinates as texts in the picture's units. interval: its ends, None where none is printed."""

    lines: tuple[tuple[str, str], ...]
    y: str
    points: tuple[str, ...]
    interval: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Forest:
    """The ratios of one finding. ticks: place and label; alternative: the picture in words."""

    height: str
    axis: str
    rows: tuple[Row, ...]
    ticks: tuple[tuple[str, str], ...]
    no_effect: str
    alternative: str


def told(effect: Document) -> Told:
    """An effect of a statement's document in words, digits as printed."""
    at = effect["at"]
    about = [effect["measure"], effect["endpoint"]]
    about += [effect["compares"]] if effect["compares"] else []
    about += [f"{at['value']} {at['unit']}"] if at else []
    printed = [f"{mark.group}: {mark.printed}" if mark.group else mark.printed for mark in _marks(effect)]
    if (unit := effect["unit"]) and unit != "%":
        printed = [f"{each} {unit}" for each in printed]
    return Told(", ".join(about), tuple(printed), tuple(_said(effect)))


def forest(statement: Document) -> Forest | None:
    """The ratios that a statement prints, as a picture; None where it prints none."""
    drawn = [
        (effect, mark)
        for effect in statement["effects"]
        if effect["measure"] in RATIO_MEASURES
        for mark in _marks(effect)
    ]
    if not drawn:
        return None
    labels = _axis(mark for _, mark in drawn)
    rows, y = [], 0
    for effect, mark in drawn:
        named = f"{mark.group}: {mark.printed}" if mark.group else f"{effect['measure']} {mark.printed}"
        lines = []
        for line in textwrap.wrap(named, _CHARS, break_on_hyphens=False):
            y += _LINE
            lines.append((str(y - 3), line))
        y += _ROW
        across = None if mark.interval is None else (place(mark.interval[0], labels), place(mark.interval[1], labels))
        points = tuple(place(value, labels) for value in mark.values)
        rows.append(Row(tuple(lines), str(y - _ROW // 2), points, across))
    figures = "; ".join(
        f"{effect['measure']}, {effect['endpoint']}: {f'{mark.group}: ' if mark.group else ''}{mark.printed}"
        for effect, mark in drawn
    )
    alternative = say("ledger.forest", low=labels[0], high=labels[-1], figures=figures)
    ticks = tuple((place(Decimal(label), labels), label) for label in labels)
    return Forest(str(y + _AXIS), str(y), tuple(rows), ticks, place(Decimal(1), labels), alternative)


def place(value: Decimal, labels: tuple[str, ...]) -> str:
    """Where a ratio stands on the logarithmic axis, to a hundredth of a unit; beyond an end it stands at the end."""
    return _place(value, labels[0], labels[-1])


@lru_cache(maxsize=4096)
def _place(value: Decimal, first: str, last: str) -> str:
    low, high = Decimal(first), Decimal(last)
    inside = min(max(value, low), high)
    share = (inside / low).log10() / (high / low).log10()
    return f"{(_EDGE + share * (WIDTH - 2 * _EDGE)).quantize(_PLACE):f}"


def _axis(marks: Iterator[Mark]) -> tuple[str, ...]:
    numbers = [number for mark in marks for number in (*mark.values, *(mark.interval or ()))]
    least, most = min(numbers), max(numbers)
    fits = (labels for labels in _AXES if Decimal(labels[0]) <= least and most <= Decimal(labels[-1]))
    return next(fits, _AXES[-1])


def _said(effect: Document) -> Iterator[str]:
    tests = (
        ("p", "{}"),
        ("p_heterogeneity", "heterogeneity: {}"),
        ("p_interaction", "interaction: {}"),
        ("n", "n = {}"),
    )
    for name, words in tests:
        if effect[name] is not None:
            yield words.format(effect[name])
    yield from effect["reads_as"]


def _marks(effect: Document) -> tuple[Mark, ...]:
    """The figures of an effect's document, read as app.web.plots reads them."""
    return tuple(marks_of(_effect(effect)))


def _effect(told: Document) -> Effect:
    def pair(ends: Any) -> tuple[Decimal, Decimal] | None:
        return None if ends is None else (Decimal(ends[0]), Decimal(ends[1]))

    return Effect(
        measure=told["measure"],
        endpoint=told["endpoint"],
        value=None if told["value"] is None else Decimal(told["value"]),
        span=pair(told["span"]),
        arms=tuple(Arm(arm["group"], Decimal(arm["value"]), arm["n"]) for arm in told["arms"]),
        unit=told["unit"],
        qualifier=told["qualifier"],
        ci95=pair(told["ci95"]),
    )
