"""Numbers as laboratories write them: the grammar, intervals, digits kept, rounding, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.numbers import (
    AVERAGE,
    CELLS,
    DURATION,
    MICRO,
    PERCENT,
    TOTAL,
    UNBOUNDED,
    Kind,
    Measure,
    decimal_text,
    micro,
    quotient,
    read_measure,
)
from app.domain.problems import Problem

M = MICRO
EXACT = settings(max_examples=300, deadline=None, derandomize=True)

# As written, and what it stands for: low, high, half of the last digit in ten-millionths.
PLAIN: dict[Any, tuple[int, int]] = {
    "2": (2 * M, 5_000_000),
    "2.": (2 * M, 5_000_000),
    "2.0": (2 * M, 500_000),
    "2.00": (2 * M, 50_000),
    "2.10": (2_100_000, 50_000),
    ".5": (500_000, 500_000),
    "0.000001": (1, 5),
    "00.5": (500_000, 500_000),
    " 2.0 ": (2 * M, 500_000),
    "1.9999999999999998": (2 * M, 5),
    "1.999": (1_999_000, 5_000),
    "1.999999": (1_999_999, 5),
    "1.9999994": (1_999_999, 5),
    "1.9999996": (2 * M, 5),
    "123456789": (123_456_789 * M, 5_000_000),
    "1000000000": (10**9 * M, 5_000_000),
    2: (2 * M, 5_000_000),
    2.5: (2_500_000, 500_000),
    1.9999999999999998: (2 * M, 5),
    0.00001: (10, 50),
    Decimal("2.10"): (2_100_000, 50_000),
    Decimal("2E+1"): (20 * M, 5_000_000),
    Decimal("1E-5"): (10, 50),
}


@pytest.mark.parametrize("written", PLAIN, ids=repr)
def test_a_plain_number(written: Any) -> None:
    value, half = PLAIN[written]
    got = read_measure(written, AVERAGE, "ratio")
    assert isinstance(got, Measure)
    assert (got.low, got.high, got.half, got.exact) == (value, value, half, True)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2.10", "2.10"),
        (" 2.10", "2.10"),
        (2.5, "2.5"),
        (0.00001, "0.00001"),
        (Decimal("2.10"), "2.10"),
        (3, "3"),
        (">6.0", ">6.0"),
    ],
    ids=repr,
)
def test_digits_are_kept(written: Any, kept: str) -> None:
    got = read_measure(written, AVERAGE, "ratio")
    assert isinstance(got, Measure)
    assert got.text == kept


INTERVALS: dict[str, tuple[int, int]] = {
    "<2.0": (1, 2 * M - 1),
    "< 2.0": (1, 2 * M - 1),
    "<=2.0": (1, 2 * M),
    "≤2.0": (1, 2 * M),
    "≤ 2": (1, 2 * M),
    ">6.0": (6 * M + 1, UNBOUNDED),
    ">=6.0": (6 * M, UNBOUNDED),
    "≥6.0": (6 * M, UNBOUNDED),
    "> .5": (500_001, UNBOUNDED),
    "1.8-2.2": (1_800_000, 2_200_000),
    "1.8 - 2.2": (1_800_000, 2_200_000),
    "1.8–2.2": (1_800_000, 2_200_000),
    "2-2": (2 * M, 2 * M),
    "0-2.2": (1, 2_200_000),
    ".5-.7": (500_000, 700_000),
    ">0": (1, UNBOUNDED),
}


@pytest.mark.parametrize("written", INTERVALS)
def test_an_interval(written: str) -> None:
    got = read_measure(written, AVERAGE, "ratio")
    assert isinstance(got, Measure)
    assert (got.low, got.high) == INTERVALS[written]
    assert got.half == 0
    assert got.text == written
    assert got.exact == (got.low == got.high)


@pytest.mark.parametrize(
    ("written", "kind", "low", "high"),
    [
        ("0", PERCENT, 0, 0),
        ("100", PERCENT, 100 * M, 100 * M),
        ("<10", PERCENT, 0, 10 * M - 1),
        (">10", PERCENT, 10 * M + 1, 100 * M),
        (">=100", PERCENT, 100 * M, 100 * M),
        ("10-19", PERCENT, 10 * M, 19 * M),
        ("0-0", PERCENT, 0, 0),
        ("0", DURATION, 0, 0),
        ("<6", DURATION, 0, 6 * M - 1),
        (">72", DURATION, 72 * M + 1, UNBOUNDED),
        ("20", CELLS, 20 * M, 20 * M),
        ("20.0", CELLS, 20 * M, 20 * M),
        ("1", CELLS, M, M),
        ("143", TOTAL, 143 * M, 143 * M),
        (">20", TOTAL, 20 * M + 1, UNBOUNDED),
        ("<20", TOTAL, M, 20 * M - 1),
    ],
)
def test_each_kind_has_its_ends(written: str, kind: Kind, low: int, high: int) -> None:
    got = read_measure(written, kind, "field")
    assert isinstance(got, Measure)
    assert (got.low, got.high) == (low, high)


MALFORMED: list[Any] = [
    "1,8", "NaN", "nan", "inf", "Infinity", "-Infinity", "1e1", "1E-2", "abc", "", " ", ".", "+2.0", "2.0.1", "1 8",
    "2 0", "~2", "2..3", "1.8-", "-", "<", "<>2", "=2", "==2", ">-2", "<2.0>", "1.8-2.2-2.4", "1.8 to 2.2", "0x10",
    "1_000", "٢", "２.0", "½", "−2.0", "2%", "[Not Available]", "1" * 41, float("nan"), float("inf"),
    Decimal("NaN"), True, False, None, [], {}, ["2.0"], b"2.0", "1.8—2.2", ">\n2.0x", "2.0\x00",
]  # fmt: skip


@pytest.mark.parametrize("written", MALFORMED, ids=ascii)
def test_what_is_no_number(written: Any) -> None:
    got = read_measure(written, AVERAGE, "ish.ratio")
    assert isinstance(got, Problem)
    assert (got.code, got.field) == ("MALFORMED_NUMBER", "ish.ratio")
    assert got.message.endswith(" is not a plain decimal or interval")
    assert got.remedy == f"send {AVERAGE.takes}"


OUT: list[tuple[Any, Kind]] = [
    ("0", AVERAGE), ("0.0", AVERAGE), ("0.0000001", AVERAGE), ("-1", AVERAGE), ("- 1.5", AVERAGE), (-2.5, AVERAGE),
    (-1, AVERAGE), ("<0", AVERAGE), ("<=0", AVERAGE), ("<0.000001", AVERAGE), ("2.2-1.8", AVERAGE), ("0-0", AVERAGE),
    ("1000000001", AVERAGE), (">1000000001", AVERAGE), ("9" * 40, AVERAGE), (10**30, AVERAGE),
    ("100.1", PERCENT), ("-1", PERCENT), (">100", PERCENT), ("90-101", PERCENT), ("<0", PERCENT),
    ("-1", DURATION), ("0", CELLS), ("20.5", CELLS), ("-20", CELLS), (19.5, CELLS),
    ("0", TOTAL), ("143.5", TOTAL), ("<1", TOTAL), ("0.5", TOTAL),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "kind"), OUT, ids=lambda value: value.name if isinstance(value, Kind) else repr(value)
)
def test_what_cannot_be_measured(written: Any, kind: Kind) -> None:
    got = read_measure(written, kind, "field")
    assert isinstance(got, Problem)
    assert (got.code, got.field) == ("VALUE_OUT_OF_RANGE", "field")
    assert got.message.endswith(" is outside what can be measured")
    assert got.remedy == f"send {kind.takes}"


@pytest.mark.parametrize("written", ["<20", ">=20", "≥20", "20-60", "many", "20 cells"])
def test_cells_take_no_comparator(written: str) -> None:
    got = read_measure(written, CELLS, "ish.cells")
    assert isinstance(got, Problem)
    assert got.code == "MALFORMED_NUMBER"
    assert got.remedy == "send the whole number of cells counted, above 0, without < or >"


def test_what_may_be_an_identifier_is_not_repeated() -> None:
    got = read_measure("Mustermann 12.3.1950", AVERAGE, "ish.ratio")
    assert isinstance(got, Problem)
    assert got.message == "a text of 20 characters is not a plain decimal or interval"
    shown = read_measure("1,8", AVERAGE, "ish.ratio")
    assert isinstance(shown, Problem)
    assert shown.message == "'1,8' is not a plain decimal or interval"
    outside = read_measure("-1", AVERAGE, "ish.ratio")
    assert isinstance(outside, Problem)
    assert outside.message == "'-1' is outside what can be measured"


def test_the_longest_number() -> None:
    assert isinstance(read_measure("1." + "0" * 38, AVERAGE, "ratio"), Measure)
    assert isinstance(read_measure("1." + "0" * 39, AVERAGE, "ratio"), Problem)


@EXACT
@given(st.integers(1, 10**12), st.integers(0, 9))
def test_a_value_is_rounded_to_six_places_and_nothing_else(digits: int, places: int) -> None:
    text = f"{digits // 10**places}.{digits % 10**places:0{places}d}" if places else str(digits)
    exact = Fraction(digits, 10**places)
    got = micro(text)
    assert abs(Fraction(got, M) - exact) <= Fraction(1, 2 * M)
    if places <= 6:
        assert Fraction(got, M) == exact


@EXACT
@given(st.integers(0, 10**13))
def test_a_printed_value_reads_back(value: int) -> None:
    text = decimal_text(value)
    assert micro(text) == value
    whole, point, rest = text.partition(".")
    assert point and rest and (rest == "0" or not rest.endswith("0"))
    assert whole == str(value // M)


@pytest.mark.parametrize(
    ("value", "text"), [(3_995_000, "3.995"), (0, "0.0"), (2 * M, "2.0"), (1, "0.000001"), (100_000, "0.1")]
)
def test_the_shortest_decimal(value: int, text: str) -> None:
    assert decimal_text(value) == text


@EXACT
@given(st.integers(1, 10**10), st.integers(1, 10**10))
def test_a_quotient_is_the_nearest_millionth(one: int, other: int) -> None:
    assert abs(Fraction(quotient(one, other), M) - Fraction(one, other)) <= Fraction(1, 2 * M)


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [(1, 1, M), (1, 3, 333_333), (2, 3, 666_667), (1, 2 * M, 1), (1, 2 * M + 1, 0), (3, 2 * M, 2)],
)
def test_a_quotient_is_rounded_half_up(one: int, other: int, told: int) -> None:
    assert quotient(one, other) == told


@EXACT
@given(st.decimals("0.01", "99", places=2))
def test_text_number_and_decimal_say_the_same(value: Decimal) -> None:
    readings = {
        (got.low, got.high)
        for written in (str(value), value, float(value))
        if isinstance(got := read_measure(written, AVERAGE, "ratio"), Measure)
    }
    assert readings == {(micro(str(value)),) * 2}


def test_ascii_digits_only() -> None:
    assert not any(isinstance(read_measure(digit, AVERAGE, "ratio"), Measure) for digit in ("٣", "३", "3̄", "Ⅲ", "³"))


@pytest.mark.parametrize(
    ("sent", "said"), [([], "a list"), ({}, "an object"), (True, "true"), ("x" * 41, "a text of 41 characters")]
)
def test_what_was_sent_is_told_by_its_kind(sent: Any, said: str) -> None:
    found = read_measure(sent, AVERAGE, "ratio")
    assert isinstance(found, Problem)
    assert (found.code, found.field, found.message) == (
        "MALFORMED_NUMBER",
        "ratio",
        f"{said} is not a plain decimal or interval",
    )
