"""Numbers as a laboratory writes them: a plain decimal, or an interval of values (guideline 7.1, 7.3, 14)."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

MALFORMED = "MALFORMED_NUMBER"
RANGE = "VALUE_OUT_OF_RANGE"
MILLION = 1_000_000

_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_PLAIN = re.compile(_NUMBER)
_BOUND = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({_NUMBER})")
_RANGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*-\s*([0-9]+(?:\.[0-9]+)?)")


class Span(NamedTuple):
    """All values between two ends; no upper end means without limit."""

    low: Fraction
    low_open: bool
    high: Fraction | None
    high_open: bool


class Measure(NamedTuple):
    """A value as used (six decimals), and as wide as its digits allow (for 7.3)."""

    span: Span
    wide: Span


class Unreadable(Exception):
    """The value cannot stand; the argument is the code."""


ANY = Span(Fraction(0), True, None, True)


@lru_cache(maxsize=200_000)
def six(value: Fraction) -> Fraction:
    """Six decimals, only against binary noise."""
    # READING: a tie in the seventh decimal goes to the even sixth decimal (the guideline names no rule).
    return Fraction(round(value * MILLION), MILLION)


def rounded(span: Span) -> Span:
    """Both ends to six decimals."""
    if span.high is span.low or span.high == span.low:
        point = six(span.low)
        return Span(point, span.low_open, point, span.high_open)
    return Span(six(span.low), span.low_open, None if span.high is None else six(span.high), span.high_open)


def point(value: Fraction) -> Span:
    return Span(value, False, value, False)


def meet(one: Span, two: Span) -> Span | None:
    """The common part of two spans, or nothing."""
    if one.low > two.low:
        low, low_open = one.low, one.low_open
    elif one.low < two.low:
        low, low_open = two.low, two.low_open
    else:
        low, low_open = one.low, one.low_open or two.low_open
    if one.high is None:
        high, high_open = two.high, two.high_open
    elif two.high is None or one.high < two.high:
        high, high_open = one.high, one.high_open
    elif one.high > two.high:
        high, high_open = two.high, two.high_open
    else:
        high, high_open = one.high, one.high_open or two.high_open
    if high is not None and (low > high or (low == high and (low_open or high_open))):
        return None
    return Span(low, low_open, high, high_open)


def divide(top: Span, bottom: Span) -> Span:
    """Every quotient of two spans of values above 0."""
    if bottom.high is None:
        low, low_open = Fraction(0), True
    else:
        low, low_open = top.low / bottom.high, top.low_open or bottom.high_open
    if top.high is None or bottom.low <= 0:
        return Span(low, low_open, None, True)
    if top.high == top.low and bottom.high == bottom.low:
        return Span(low, False, low, False)
    return Span(low, low_open, top.high / bottom.low, top.high_open or bottom.low_open)


def multiply(one: Span, two: Span) -> Span:
    """Every product of two spans of values above 0."""
    low, low_open = one.low * two.low, one.low_open or two.low_open
    if one.high is None or two.high is None:
        return Span(low, low_open, None, True)
    return Span(low, low_open, one.high * two.high, one.high_open or two.high_open)


def all_above(span: Span, limit: int) -> bool:
    """Every value lies above the limit."""
    low = six(span.low)
    return low > limit or (low == limit and span.low_open)


def all_inside(span: Span, low: Fraction, high: Fraction) -> bool:
    """Every value lies between the ends, ends included."""
    return span.low >= low and span.high is not None and span.high <= high


def all_outside(span: Span, low: Fraction | int | None, high: Fraction | int) -> bool:
    """Every value lies below low, or every value above high (or the reverse end of it)."""
    if low is not None and span.high is not None and (span.high < low or (span.high == low and span.high_open)):
        return True
    return span.low > high or (span.low == high and span.low_open)


def written(value: Any) -> str:
    """The digits as received."""
    if isinstance(value, bool) or value is None:
        raise Unreadable(MALFORMED)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unreadable(MALFORMED)
        return format(Decimal(repr(value)), "f")
    if isinstance(value, int | Decimal):
        return format(Decimal(value), "f")
    raise Unreadable(MALFORMED)


@lru_cache(maxsize=200_000)
def _parsed(text: str) -> Measure | str:
    """The interval a text stands for, before the limits of the field are known."""
    if _PLAIN.fullmatch(text):
        exact = Fraction(text)
        digits = len(text.partition(".")[2])
        half = Fraction(1, 2 * 10**digits)
        return Measure(point(six(exact)), Span(exact - half, False, exact + half, False))
    bound = _BOUND.fullmatch(text)
    if bound:
        end = six(Fraction(bound[2]))
        if bound[1] in ("<", "<=", "≤"):
            span = Span(Fraction(-(10**12)), True, end, bound[1] == "<")
        else:
            span = Span(end, bound[1] == ">", None, True)
        return Measure(span, span)
    limits = _RANGE.fullmatch(text)
    if limits:
        low, high = six(Fraction(limits[1])), six(Fraction(limits[2]))
        if low <= high:
            span = Span(low, False, high, False)
            return Measure(span, span)
        # READING: a range whose first end is the higher one is not an interval: malformed.
    return MALFORMED


@lru_cache(maxsize=200_000)
def _within(text: str, above_zero: bool, top: int | None) -> Measure | str:
    parsed = _parsed(text)
    if isinstance(parsed, str):
        return parsed
    allowed = Span(Fraction(0), above_zero, None if top is None else Fraction(top), top is None)
    # READING: an interval that only touches impossible values ("0-2.0", "<2.0") keeps its possible part.
    span = meet(parsed.span, allowed)
    if span is None:
        return RANGE
    if parsed.span.low == parsed.span.high:
        return Measure(span, parsed.wide)
    return Measure(span, span)


def measure(value: Any, *, above_zero: bool, top: int | None = None) -> Measure:
    """A measure within the limits of its field."""
    found = _within(written(value), above_zero, top)
    if isinstance(found, str):
        raise Unreadable(found)
    return found


def signals(value: Any) -> Measure:
    """Total signals: whole, above 0, possibly an interval."""
    found = measure(value, above_zero=True)
    # READING: the ends of an interval of signals must be whole too; between them the interval is read as continuous.
    if found.span.low.denominator != 1 or (found.span.high is not None and found.span.high.denominator != 1):
        raise Unreadable(RANGE)
    return found


def cell_number(value: Any) -> int:
    """Cells: a whole number above 0 without comparator."""
    text = written(value)
    if not _PLAIN.fullmatch(text):
        # READING: a comparator or a range in a cell count is a malformed number.
        raise Unreadable(MALFORMED)
    number = six(Fraction(text))
    if number <= 0 or number.denominator != 1:
        raise Unreadable(RANGE)
    return int(number)
