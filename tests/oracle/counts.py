"""One count of signals: what its values say under one edition (guideline 1.2, 1.4, 2.2, 7.2 to 7.4, 8.8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from tests.oracle.measures import (
    ANY,
    Measure,
    Span,
    all_above,
    all_inside,
    divide,
    meet,
    multiply,
    point,
    rounded,
)

Class = int | str  # a group 1 to 5, or the ISH class of 2007 and 2013, or the band of a single probe

ZERO = Fraction(0)


def _below(high: str, *, low: str = "0", low_open: bool = False) -> Span:
    return Span(Fraction(low), low_open or low == "0", Fraction(high), True)


def _from(low: str, *, open_end: bool = False) -> Span:
    return Span(Fraction(low), open_end, None, True)


# Ratio and copies as the figures cut them.
RATIO_2018 = ((_below("2.0"), "below"), (_from("2.0"), "two"))
COPIES_2018 = ((_below("4.0"), "low"), (_below("6.0", low="4.0"), "mid"), (_from("6.0"), "high"))
RATIO_2007 = (
    (_below("1.8"), "below"),
    (Span(Fraction("1.8"), False, Fraction("2.2"), False), "between"),
    (_from("2.2", open_end=True), "above"),
)
COPIES_2007 = (
    (_below("4.0"), "low"),
    (Span(Fraction(4), False, Fraction(6), False), "mid"),
    (_from("6.0", open_end=True), "high"),
)


@dataclass(slots=True)
class Values:
    """The values of one count as reported; nothing where nothing was sent."""

    ratio: Measure | None = None
    her2: Measure | None = None
    cep17: Measure | None = None
    her2_signals: Measure | None = None
    cep17_signals: Measure | None = None
    cells: int | None = None
    her2_cells: int | None = None
    cep17_cells: int | None = None

    @property
    def any(self) -> bool:
        """Some value of the result, cells aside."""
        # READING: a block that holds a number of cells and nothing else is still an outstanding result.
        return not (
            self.ratio is None
            and self.her2 is None
            and self.cep17 is None
            and self.her2_signals is None
            and self.cep17_signals is None
        )

    @property
    def short_of_cells(self) -> bool:
        # READING: when several cell numbers are stated, one below 20 makes the count short.
        return any(number is not None and number < 20 for number in (self.cells, self.her2_cells, self.cep17_cells))

    @property
    def second_colour(self) -> bool:
        return self.ratio is not None or self.cep17 is not None or self.cep17_signals is not None


@dataclass(slots=True)
class Reading:
    """What a count says: usable with its possible classes, short of cells, or unusable."""

    state: str  # usable, few, unusable
    classes: set[Class] = field(default_factory=set)
    why: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    fda: str | None = None
    cells_stated: bool = True


def dual_class(edition: str, ratio: str, copies: str) -> Class:
    """Class of a dual-probe result from the cell of its ratio and the cell of its copies."""
    if edition == "2007":
        return {"below": "negative", "between": "equivocal", "above": "positive"}[ratio]
    if edition == "2013":
        if ratio == "two" or copies == "high":
            return "positive"
        return "equivocal" if copies == "mid" else "negative"
    if ratio == "two":
        return 2 if copies == "low" else 1
    if copies == "high":
        return 3
    return 4 if copies == "mid" else 5


def single_class(edition: str, copies: str) -> str:
    """Class of a single-probe result: in 2018 the middle band has no result yet."""
    if copies == "mid":
        return "equivocal" if edition in ("2007", "2013") else "workup_single_4_to_6"
    return "positive" if copies == "high" else "negative"


class Plane(NamedTuple):
    """One edition's cuts."""

    edition: str
    ratio: tuple[tuple[Span, str], ...]
    copies: tuple[tuple[Span, str], ...]

    def independent(self, ratio: Span, copies: Span) -> set[Class]:
        """Ratio and copies both stated (or both free): every pair is possible."""
        ratio, copies = rounded(ratio), rounded(copies)
        rows = [name for cell, name in self.ratio if meet(ratio, cell)]
        columns = [name for cell, name in self.copies if meet(copies, cell)]
        return {dual_class(self.edition, row, column) for row in rows for column in columns}

    def quotient(self, copies: Span, cep17: Span) -> set[Class]:
        """The ratio follows from copies and CEP17: cut the copies first, then divide piece by piece."""
        found: set[Class] = set()
        exact = copies.low == copies.high
        for cell, column in self.copies:
            piece = copies if exact else meet(copies, cell)
            if piece is None or (exact and not meet(rounded(copies), cell)):
                continue
            ratio = rounded(divide(piece, cep17))
            found.update(dual_class(self.edition, row, column) for edge, row in self.ratio if meet(ratio, edge))
        return found

    def product(self, ratio: Span, cep17: Span) -> set[Class]:
        """The copies follow from ratio and CEP17."""
        found: set[Class] = set()
        exact = ratio.low == ratio.high
        for cell, row in self.ratio:
            piece = ratio if exact else meet(ratio, cell)
            if piece is None or (exact and not meet(rounded(ratio), cell)):
                continue
            copies = rounded(multiply(piece, cep17))
            found.update(dual_class(self.edition, row, column) for edge, column in self.copies if meet(copies, edge))
        return found

    def of(self, ratio: Span | None, copies: Span | None, cep17: Span | None) -> set[Class]:
        """Every class the given values can hit; a stated ratio goes before HER2/CEP17."""
        if ratio is not None:
            if copies is None and cep17 is not None:
                return self.product(ratio, cep17)
            return self.independent(ratio, ANY if copies is None else copies)
        if cep17 is not None:
            return self.quotient(ANY if copies is None else copies, cep17)
        # READING: a free ratio is any ratio above 0; that CEP17 would have to be credible is not used to narrow it.
        return self.independent(ANY, ANY if copies is None else copies)

    def single(self, copies: Span | None) -> set[Class]:
        copies = ANY if copies is None else rounded(copies)
        return {single_class(self.edition, name) for cell, name in self.copies if meet(copies, cell)}


PLANES = {
    "2007": Plane("2007", RATIO_2007, COPIES_2007),
    "2013": Plane("2013", RATIO_2018, COPIES_2018),
    "2018": Plane("2018", RATIO_2018, COPIES_2018),
    "2023": Plane("2018", RATIO_2018, COPIES_2018),
}


def _average(total: Measure | None, cells: int | None) -> Span | None:
    if total is None or cells is None:
        return None
    return divide(total.span, point(Fraction(cells)))


def read_single(values: Values, edition: str) -> Reading:
    """A single-probe count: HER2 copies only."""
    plane = PLANES[edition]
    own_cells = values.her2_cells if values.her2_cells is not None else values.cells
    from_totals = _average(values.her2_signals, own_cells)
    reported = values.her2.span if values.her2 else None
    copies = from_totals if from_totals is not None else reported
    classes = plane.single(copies)

    why: set[str] = set()
    if from_totals is not None and values.her2 is not None and classes.isdisjoint(plane.single(reported)):
        # READING: totals against a reported average beyond rounding carry RATIO_MISMATCH, also for a single probe.
        why.add("ROUNDING_CROSSES_THRESHOLD" if meet(values.her2.wide, from_totals) else "RATIO_MISMATCH")
    if any(span is not None and all_above(span, 60) for span in (from_totals, reported)):
        why.add("IMPLAUSIBLE_VALUE")

    flags: set[str] = set()
    if own_cells is None:
        flags.add("CELLS_NOT_REPORTED")
    if copies is not None and all_above(copies, 20):
        flags.add("CHECK_AVERAGE")
    return _close(why, values, Reading("usable", classes, flags=flags))


def read_dual(values: Values, edition: str) -> Reading:
    """A dual-probe count: totals first, then reported values; two of three give the third."""
    plane = PLANES[edition]
    her2_cells = values.her2_cells if values.her2_cells is not None else values.cells
    cep17_cells = values.cep17_cells if values.cep17_cells is not None else values.cells

    # What the totals say.
    total_her2 = _average(values.her2_signals, her2_cells)
    total_cep17 = _average(values.cep17_signals, cep17_cells)
    total_ratio: Span | None = None
    if values.her2_signals is not None and values.cep17_signals is not None:
        if values.her2_cells is None and values.cep17_cells is None:
            total_ratio = divide(values.her2_signals.span, values.cep17_signals.span)
        elif total_her2 is not None and total_cep17 is not None:
            # READING: the ratio comes from the unrounded averages (100/30 over 50/30 is 2.0, not 1.999998).
            total_ratio = divide(total_her2, total_cep17)
        # READING: probes counted in different, partly unstated, numbers of cells give no ratio.

    # What was reported, and what is used in the end.
    ratio = values.ratio.span if values.ratio else None
    her2 = values.her2.span if values.her2 else None
    cep17 = values.cep17.span if values.cep17 else None
    used_ratio = total_ratio if total_ratio is not None else ratio
    used_her2 = total_her2 if total_her2 is not None else her2
    used_cep17 = total_cep17 if total_cep17 is not None else cep17

    if total_ratio is not None and total_her2 is not None and total_cep17 is not None:
        classes = plane.quotient(total_her2, total_cep17)
    else:
        classes = plane.of(used_ratio, used_her2, used_cep17)

    why, flags = _consistency(plane, values, classes, (total_ratio, total_her2, total_cep17))

    # Two of three give the third.
    computed_ratio = divide(used_her2, used_cep17) if used_her2 is not None and used_cep17 is not None else None
    final_ratio = used_ratio if used_ratio is not None else computed_ratio
    final_her2, final_cep17 = used_her2, used_cep17
    if used_her2 is None and used_ratio is not None and used_cep17 is not None:
        final_her2 = multiply(used_ratio, used_cep17)
        flags.add("COPIES_COMPUTED")
    if used_cep17 is None and used_ratio is not None and used_her2 is not None:
        final_cep17 = divide(used_her2, used_ratio)
    if total_ratio is not None or (ratio is None and computed_ratio is not None):
        flags.add("RATIO_COMPUTED")

    # Credible as averages?
    # READING: HER2/CEP17 must be credible as a ratio also where a ratio is reported beside it.
    reported_quotient = divide(her2, cep17) if her2 is not None and cep17 is not None else None
    ratios = (ratio, total_ratio, computed_ratio, reported_quotient)
    if (
        any(span is not None and all_above(span, 50) for span in ratios)
        or any(span is not None and all_above(span, 60) for span in (her2, total_her2, final_her2))
        or any(span is not None and all_above(span, 12) for span in (cep17, total_cep17, final_cep17))
    ):
        why.add("IMPLAUSIBLE_VALUE")

    fda = None
    if final_ratio is not None:
        final_ratio = rounded(final_ratio)
        if all_inside(final_ratio, Fraction("1.8"), Fraction("2.2")):
            flags.add("NEAR_THRESHOLD")
        if final_ratio.low >= 2:
            fda = "amplified"
        elif final_ratio.high is not None and (
            final_ratio.high < 2 or (final_ratio.high == 2 and final_ratio.high_open)
        ):
            fda = "not_amplified"
    if any(span is not None and all_above(span, 6) for span in (cep17, final_cep17)):
        flags.add("CEP17_HIGH")
    if final_cep17 is None and final_her2 is not None and all_above(final_her2, 20):
        flags.add("CHECK_AVERAGE")
    stated = her2_cells is not None and cep17_cells is not None
    if not stated:
        # READING: cells count as reported only when each of the two probes has a number.
        flags.add("CELLS_NOT_REPORTED")
    return _close(why, values, Reading("usable", classes, flags=flags, fda=fda, cells_stated=stated))


def _close(why: set[str], values: Values, reading: Reading) -> Reading:
    """An error in the values goes before too few cells."""
    if why:
        return Reading("unusable", why=why, cells_stated=reading.cells_stated)
    if values.short_of_cells:
        # READING: a count short of cells gives no ISH reading at all, no ish_result and no fda_ratio either.
        flags = reading.flags | {"FEWER_THAN_20_CELLS"}
        return Reading("few", reading.classes, flags=flags, cells_stated=reading.cells_stated)
    return reading


def _consistency(
    plane: Plane, values: Values, used: set[Class], totals: tuple[Span | None, Span | None, Span | None]
) -> tuple[set[str], set[str]]:
    """Do the values of the record contradict one another? Why it is unusable, and what is only flagged."""
    why: set[str] = set()
    flags: set[str] = set()
    ratio, her2, cep17 = values.ratio, values.her2, values.cep17
    total_ratio, total_her2, total_cep17 = totals
    reported_quotient = divide(her2.wide, cep17.wide) if her2 and cep17 else None

    # The reported ratio against the reported averages (7.3).
    # READING: where intervals allow several groups, two readings differ only if they have no group in common.
    if ratio and her2 and cep17 and reported_quotient is not None:
        differ = plane.independent(ratio.span, her2.span).isdisjoint(plane.quotient(her2.span, cep17.span))
        if meet(ratio.wide, reported_quotient):
            if differ:
                flags.add("ROUNDING_CROSSES_THRESHOLD")
        elif differ:
            # READING: reported values that contradict each other are unusable, also when totals side with one of them.
            why.add("RATIO_MISMATCH")
        else:
            flags.add("RATIO_MISMATCH")

    if total_ratio is None and total_her2 is None and total_cep17 is None:
        return why, flags

    # A reported ratio beside averages of which one comes from totals.
    # READING: handled like totals against reported values: another group is unusable, even if rounding explains it.
    if total_ratio is None and ratio:
        top = total_her2 if total_her2 is not None else (her2.wide if her2 else None)
        bottom = total_cep17 if total_cep17 is not None else (cep17.wide if cep17 else None)
        top_used = total_her2 if total_her2 is not None else (her2.span if her2 else None)
        bottom_used = total_cep17 if total_cep17 is not None else (cep17.span if cep17 else None)
        if top is not None and bottom is not None and top_used is not None and bottom_used is not None:
            differ = plane.independent(ratio.span, top_used).isdisjoint(plane.quotient(top_used, bottom_used))
            explained = meet(ratio.wide, divide(top, bottom))
            if differ:
                why.add("ROUNDING_CROSSES_THRESHOLD" if explained else "RATIO_MISMATCH")
            elif not explained:
                flags.add("RATIO_MISMATCH")

    # Totals against reported values (8.8).
    if ratio or her2 or cep17:
        reported = plane.of(ratio.span if ratio else None, her2.span if her2 else None, cep17.span if cep17 else None)
        # READING: without a reported ratio the quotient of the reported averages stands against the totals.
        wide_ratio = ratio.wide if ratio else reported_quotient
        ratio_apart = wide_ratio is not None and total_ratio is not None and not meet(wide_ratio, total_ratio)
        if used.isdisjoint(reported):
            apart = (
                ratio_apart
                or (her2 is not None and total_her2 is not None and not meet(her2.wide, total_her2))
                or (cep17 is not None and total_cep17 is not None and not meet(cep17.wide, total_cep17))
            )
            why.add("RATIO_MISMATCH" if apart else "ROUNDING_CROSSES_THRESHOLD")
        elif ratio_apart:
            flags.add("RATIO_MISMATCH")
    return why, flags
