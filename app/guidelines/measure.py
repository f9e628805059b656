"""From a count's numbers to what the tables can be asked: arithmetic and comparison, no threshold.

Ranges are closed pairs of millionths. A missing number stands for every value above 0.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from app.decision_table import Row, Table
from app.domain.case import Count
from app.domain.numbers import MICRO, UNBOUNDED, Measure, quotient
from app.domain.pairs import pairs

Range = tuple[int, int]
ANY: Range = (1, UNBOUNDED)


def divide(over: Range, under: Range) -> Range:
    """Every value of over / under, rounded to millionths only where both are plain numbers."""
    if over[0] == over[1] and under[0] == under[1]:
        value = min(max(quotient(over[0], under[0]), 1), UNBOUNDED)
        return value, value
    low = -(-over[0] * MICRO // under[1]) if under[1] < UNBOUNDED else 1
    high = over[1] * MICRO // under[0] if over[1] < UNBOUNDED else UNBOUNDED
    return min(max(low, 1), UNBOUNDED), min(max(high, low, 1), UNBOUNDED)


def multiply(one: Range, other: Range) -> Range:
    """Every value of one * other."""
    low, high = (
        UNBOUNDED if UNBOUNDED in (a, b) else min(max((a * b + MICRO // 2) // MICRO, 1), UNBOUNDED)
        for a, b in pairs(one, other)
    )
    return low, high


def _range(measure: Measure | None) -> Range | None:
    return None if measure is None else (measure.low, measure.high)


class Triple(NamedTuple):
    """Ratio, HER2 and CEP17 averages, each None where unknown, and which of the three was derived from the others."""

    ratio: Range | None
    her2: Range | None
    cep17: Range | None
    derived: str = "none"

    def completed(self) -> Triple:
        """Two of the three give the third."""
        if self.ratio is None and self.her2 and self.cep17:
            return Triple(divide(self.her2, self.cep17), self.her2, self.cep17, "ratio")
        if self.her2 is None and self.ratio and self.cep17:
            return Triple(self.ratio, multiply(self.ratio, self.cep17), self.cep17, "copies")
        if self.cep17 is None and self.ratio and self.her2:
            return Triple(self.ratio, self.her2, divide(self.her2, self.ratio), "cep17")
        return self

    def classes(self, table: Table) -> tuple[Row, ...]:
        """Every row of a class table that the values can hit; derived values move together with their sources."""
        ratio, her2, cep17 = self.ratio or ANY, self.her2 or ANY, self.cep17
        if ratio[0] == ratio[1] and her2[0] == her2[1]:
            return (table.decide({"ratio": ratio[0], "her2": her2[0]}),)
        boxes = [(ratio, her2)]
        if "ratio" in table.inputs and cep17:
            if self.derived == "ratio" or not (self.ratio or self.her2):
                cuts = table.cuts("her2") if "her2" in table.inputs else ()
                boxes = [(divide(part, cep17), part) for part in _parts(her2, cuts)]
            elif self.derived == "copies":
                boxes = [(part, multiply(part, cep17)) for part in _parts(ratio, table.cuts("ratio"))]
        hit = {row.id: row for box in boxes for row in table.meeting({"ratio": box[0], "her2": box[1]})}
        return tuple(row for row in table.rows if row.id in hit)


_NOTHING = Triple(None, None, None)


def _parts(whole: Range, cuts: tuple[int, ...]) -> list[Range]:
    """A range cut where the table's answer changes."""
    ends = [whole[0], *(cut for cut in cuts if whole[0] < cut <= whole[1]), whole[1] + 1]
    return [(low, high - 1) for low, high in itertools.pairwise(ends)]


class Facts(NamedTuple):
    """What a count says: the values used, and the words for the plausibility tables.

    highest_*: low end of the larger of reported and computed, millionths, None where unknown.
    """

    used: Triple
    computed: str
    ratio_check: str
    totals: str
    cells: int | None
    all_cells: bool
    highest_her2: int | None
    highest_cep17: int | None
    highest_ratio: int | None


def _totals(count: Count) -> Triple:
    """Averages and ratio from total signals; where each probe has its own cells, the ratio of the averages."""
    her2_cells, cep17_cells = count.her2_cells or count.cells, count.cep17_cells or count.cells
    signals, reference = _range(count.her2_signals), _range(count.cep17_signals)
    her2 = divide(signals, (her2_cells.low, her2_cells.high)) if signals and her2_cells else None
    cep17 = divide(reference, (cep17_cells.low, cep17_cells.high)) if reference and cep17_cells else None
    ratio = None
    if signals and reference:
        if count.her2_cells is None and count.cep17_cells is None:
            ratio = divide(signals, reference)
        elif her2_cells and cep17_cells:
            # Exact: (h / n) / (c / m) = h m / (c n), not the quotient of rounded averages.
            n, m = her2_cells.low // MICRO, cep17_cells.low // MICRO
            ratio = divide((signals[0] * m, signals[1] * m), (reference[0] * n, reference[1] * n))
    return Triple(ratio, her2, cep17)


def _span(measure: Measure) -> Range:
    """The closed interval a reported value stands for, in ten-millionths: half its last digit to either side."""
    return measure.low * 10 - measure.half, measure.high * 10 + measure.half


def _meet(ratio: Range, her2: Range, cep17: Range) -> bool:
    """Do a ratio and HER2/CEP17 meet? All three as spans in ten-millionths."""
    scale = 10 * MICRO
    return her2[0] * scale <= ratio[1] * cep17[1] and ratio[0] * cep17[0] <= her2[1] * scale


def _share_a_class(one: Triple, other: Triple, table: Table) -> bool:
    """Can both hit the same class of the edition?"""
    return not {row["result"] for row in one.classes(table)}.isdisjoint(row["result"] for row in other.classes(table))


def _ratio_check(count: Count, reported: Triple, table: Table) -> str:
    if not (count.ratio and count.her2 and count.cep17):
        return "none"
    same = _share_a_class(reported, Triple(None, reported.her2, reported.cep17).completed(), table)
    if _meet(_span(count.ratio), _span(count.her2), _span(count.cep17)):
        return "agrees" if same else "rounding"
    return "mismatch" if same else "contradiction"


def _within(measure: Measure | None, value: Range | None) -> bool:
    """Can the reported value be the rounded form of the computed one?"""
    if measure is None or value is None:
        return True
    low, high = _span(measure)
    return low <= value[1] * 10 and value[0] * 10 <= high


def _totals_check(count: Count, totals: Triple, used: Triple, reported: Triple, table: Table) -> str:
    """Do the totals give the class of the reported values, and are they apart beyond rounding?"""
    if totals == _NOTHING or reported == _NOTHING:
        return "none"
    # Where only one average comes from totals, the quotient of the averages stands against the reported ratio.
    counted = Triple(totals.ratio, totals.her2 or reported.her2, totals.cep17 or reported.cep17).completed()
    same = _share_a_class(used, reported.completed(), table) and bool(
        totals.ratio or count.ratio is None or counted.ratio is None or _share_a_class(used, counted, table)
    )
    near = _ratio_near(count, totals)
    if same:
        return "same" if near else "apart"
    return "rounding" if near and _within(count.her2, totals.her2) and _within(count.cep17, totals.cep17) else "other"


def _ratio_near(count: Count, totals: Triple) -> bool:
    """Can the ratio of the totals, or of averages of which one comes from totals, be the reported one, rounded?"""
    her2 = _exact_span(totals.her2) or (_span(count.her2) if count.her2 else None)
    cep17 = _exact_span(totals.cep17) or (_span(count.cep17) if count.cep17 else None)
    if totals.ratio:
        if count.ratio:
            return _within(count.ratio, totals.ratio)
        if count.her2 and count.cep17:
            return _meet((totals.ratio[0] * 10, totals.ratio[1] * 10), _span(count.her2), _span(count.cep17))
        return True
    return not (count.ratio and her2 and cep17) or _meet(_span(count.ratio), her2, cep17)


def _exact_span(value: Range | None) -> Range | None:
    return (value[0] * 10, value[1] * 10) if value else None


def _quotient(triple: Triple) -> Range | None:
    return divide(triple.her2, triple.cep17) if triple.her2 and triple.cep17 else None


def _highest(*values: Range | None) -> int | None:
    lows = [value[0] for value in values if value]
    return max(lows) if lows else None


def _exact_copies(signals: Measure, reference: Measure, cep17: Range, rounded: Range | None) -> Range | None:
    """HER2 copies from the unrounded ratio of totals: (4 / 3) * 3.0 is 4.0, not 3.999999."""
    if not (signals.exact and reference.exact and cep17[0] == cep17[1]):
        return rounded
    value = min(max(quotient(signals.low // MICRO * cep17[0], reference.low), 1), UNBOUNDED)
    return value, value


def facts(count: Count, dual: Table, single: Table | None = None) -> Facts:
    """Derive everything the tables need from one count. `single` judges a count that is not a dual probe's."""
    table = single or dual
    reported = Triple(_range(count.ratio), _range(count.her2), _range(count.cep17))
    plain = count.her2_signals is None and count.cep17_signals is None
    totals = _NOTHING if plain else _totals(count)
    used = reported.completed()
    quotients: tuple[Range | None, ...] = ()
    if not plain:
        both = "ratio" if totals.her2 and totals.cep17 else "none"
        used = Triple(
            totals.ratio or reported.ratio, totals.her2 or reported.her2, totals.cep17 or reported.cep17, both
        ).completed()
        if totals.ratio and used.derived == "copies" and count.her2_signals and count.cep17_signals and used.cep17:
            used = used._replace(her2=_exact_copies(count.her2_signals, count.cep17_signals, used.cep17, used.her2))
        quotients = (reported.ratio, _quotient(reported), _quotient(used))
    elif used is reported:
        quotients = (_quotient(reported),)
    names = [name for name in ("ratio", "copies") if name == used.derived or (name == "ratio" and totals.ratio)]
    stated = [each.low for each in (count.cells, count.her2_cells, count.cep17_cells) if each]
    probes = (count.her2_cells,) if single else (count.her2_cells, count.cep17_cells)
    return Facts(
        used=used,
        computed=" and ".join(names) or "none",
        ratio_check=_ratio_check(count, reported, table),
        totals="none" if plain else _totals_check(count, totals, used, reported, table),
        cells=min(stated, default=None),
        all_cells=count.cells is not None or all(probes),
        highest_her2=_highest(used.her2, None if plain else reported.her2),
        highest_cep17=_highest(used.cep17, None if plain else reported.cep17),
        highest_ratio=_highest(used.ratio, *quotients),
    )
