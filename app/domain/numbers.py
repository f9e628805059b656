"""Measured numbers: exact decimals and intervals, kept as written.

Values are whole millionths (an int), so that a comparison is exact and 1.9999999999999998 means 2.0
while 1.999 stays below it (reading 7.1). A missing end of an interval is UNBOUNDED.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from app.domain.problems import Problem, shown

MICRO = 1_000_000
UNBOUNDED = 10**15
_LONGEST = 40
_LARGEST = 10**9 * MICRO

_PLAIN = re.compile(r"(\d+)(?:\.(\d*))?|\.(\d+)", re.ASCII)
_COMPARED = re.compile(r"(<=|>=|<|>|≤|≥)\s*(\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_RANGE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*[-–]\s*(\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_NEGATIVE = re.compile(r"-\s*(\d+(?:\.\d*)?|\.\d+)", re.ASCII)


class Digits(str):
    """A number of a JSON text, kept as it was written; not a text where a text is asked for."""

    __slots__ = ()


class Measure(NamedTuple):
    """A number as written.

    text: the characters received; low, high: the closed range it stands for, in millionths (equal for a plain
    number, high may be UNBOUNDED); half: half of the last digit written, in ten-millionths, 0 for an interval.
    """

    text: str
    low: int
    high: int
    half: int

    @property
    def exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What a number field takes, and how to say so."""

    name: str
    least: int
    most: int
    whole: bool
    interval: bool
    takes: str


AVERAGE = Kind(
    "average", 1, UNBOUNDED, False, True, "a number above 0 with a decimal point, or an interval such as >6.0"
)
TOTAL = Kind("total", MICRO, UNBOUNDED, True, True, "the whole number of signals counted, above 0")
CELLS = Kind("cells", MICRO, UNBOUNDED, True, False, "the whole number of cells counted, above 0, without < or >")
PERCENT = Kind("percent", 0, 100 * MICRO, False, True, "a percentage from 0 to 100")
DURATION = Kind("duration", 0, UNBOUNDED, False, True, "a number of 0 or more")


def micro(digits: str) -> int:
    """A plain decimal in millionths, rounded half to even at the sixth place."""
    whole, _, places = digits.partition(".")
    if len(places) <= 6:
        return int(whole or "0") * MICRO + int(places.ljust(6, "0"))
    return int((Decimal(digits) * MICRO).to_integral_value())


@lru_cache(maxsize=65_536)
def decimal_text(value: int) -> str:
    """Millionths as the shortest plain decimal, at least one place: 3995000 is '3.995'."""
    whole, rest = divmod(value, MICRO)
    return f"{whole}.{f'{rest:06d}'.rstrip('0') or '0'}"


def quotient(numerator: int, denominator: int) -> int:
    """numerator / denominator in millionths, rounded half up at the sixth place."""
    return (2 * numerator * MICRO + denominator) // (2 * denominator)


def read_measure(value: object, kind: Kind, field: str) -> Measure | Problem:
    """The measure a field holds, or what is wrong with it (MALFORMED_NUMBER, VALUE_OUT_OF_RANGE)."""
    if isinstance(value, str) or type(value) is int:  # pragma: no mutate
        return _remembered(value, kind, field)
    return _read(value, kind, field)


def _read(value: object, kind: Kind, field: str) -> Measure | Problem:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return _malformed(value, kind, field)
    text = format(value, "f") if isinstance(value, Decimal) and value.is_finite() else str(value).strip()
    if isinstance(value, float) and "e" in text:
        text = format(Decimal(text), "f")
    if len(text) > _LONGEST:
        return _malformed(value, kind, field)
    plain = _PLAIN.fullmatch(text)
    if plain:
        low = high = micro(text)
        places = len(plain[2] or plain[3] or "")
        half = 5 * 10 ** (6 - min(places, 6))
    elif kind.interval and (compared := _COMPARED.fullmatch(text)):
        bound, half = micro(compared[2]), 0
        sign = compared[1]
        if sign in ("<", "<=", "≤"):
            low, high = kind.least, bound - (sign == "<")
        else:
            low, high = bound + (sign == ">"), kind.most
    elif kind.interval and (span := _RANGE.fullmatch(text)):
        low, high, half = micro(span[1]), micro(span[2]), 0
        if high > low == 0:
            low = kind.least
    elif _NEGATIVE.fullmatch(text):
        return _out_of_range(value, kind, field)
    else:
        return _malformed(value, kind, field)
    outside = low > high or low < kind.least or high > kind.most or low > _LARGEST
    if outside or (kind.whole and _fractional(low, half == 0)):
        return _out_of_range(value, kind, field)
    return Measure(text, low, high, half)


# Laboratories write few different numbers.
_remembered = lru_cache(maxsize=65_536)(_read)


def _fractional(low: int, interval: bool) -> bool:
    # The open end of "> 20" lies a millionth beside a whole number.
    return not interval and low % MICRO != 0


def _malformed(value: object, kind: Kind, field: str) -> Problem:
    return Problem(
        "MALFORMED_NUMBER", field, f"{shown(value)} is not a plain decimal or interval", f"send {kind.takes}"
    )


def _out_of_range(value: object, kind: Kind, field: str) -> Problem:
    return Problem("VALUE_OUT_OF_RANGE", field, f"{shown(value)} is outside what can be measured", f"send {kind.takes}")
