"""An interval says what all plain values inside it say: interval answers against dense sampling, and the arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.numbers import MICRO, UNBOUNDED, decimal_text, micro
from app.guidelines.editions import EDITIONS
from app.guidelines.measure import ANY, Triple, divide, multiply
from tests.properties.made import EXACT, Document, answer

M = MICRO
SCORES = st.sampled_from([None, "1+", "2+", "3+"])
EDITION = st.sampled_from(["asco-cap-2018", "asco-cap-2018", "asco-cap-2013", "asco-cap-2007"])
TENTHS = st.integers(10, 75)


@st.composite
def spans(draw: st.DrawFn) -> tuple[str, int, int]:
    """An interval as written, and its ends in millionths; open ends are cut where nothing changes any more."""
    low = draw(TENTHS) * M // 10
    high = low + draw(st.integers(0, 12)) * M // 10
    form = draw(st.sampled_from(["to", "<", "<=", ">", ">=", "plain"]))
    one, other = decimal_text(low), decimal_text(high)
    return {
        "to": (f"{one}-{other}", low, high),
        "plain": (one, low, low),
        "<": (f"<{one}", M // 10, low - 1),
        "<=": (f"<={one}", M // 10, low),
        ">": (f">{one}", low + 1, 11 * M),
        ">=": (f">={one}", low, 11 * M),
    }[form]


def _points(low: int, high: int) -> list[int]:
    """The ends, the thresholds and a millionth beside them, and some between."""
    cuts = [4 * M, 6 * M, 2 * M, 2_200_000, 1_800_000]
    some = {
        low,
        high,
        *(cut + step for cut in cuts for step in (-1, 0, 1)),
        *range(low, high, max((high - low) // 9, 1)),
    }
    return sorted(value for value in some if low <= value <= high)


def _by_values(
    edition: str, ihc: Any, ish: Document, name: str, ends: tuple[int, int], other: str, more: list[int]
) -> set[str]:
    found = set()
    for value in _points(*ends):
        for beside in more:
            values = {**ish, name: decimal_text(value), other: decimal_text(beside)}
            found.add(answer({"edition": edition, "ihc": ihc, "ish": values}).status)
    return found - {"invalid"}


@EXACT
@given(EDITION, SCORES, spans(), spans())
def test_two_intervals_say_what_their_values_say(
    edition: str, ihc: Any, ratio: tuple[str, int, int], copies: tuple[str, int, int]
) -> None:
    block = {"assay": "dual_probe", "cells": 20}
    written = {**block, "ratio": ratio[0], "her2_copies": copies[0]}
    told = answer({"edition": edition, "ihc": ihc, "ish": written}).status
    found = _by_values(edition, ihc, block, "ratio", ratio[1:], "her2_copies", _points(*copies[1:]))
    assume(found)
    assert told == (found.pop() if len(found) == 1 else "pending")


@EXACT
@given(SCORES, spans(), st.integers(8, 45))
def test_copies_over_cep17_say_what_their_values_say(ihc: Any, copies: tuple[str, int, int], tenths: int) -> None:
    cep17 = tenths * M // 10
    block = {"cells": 20, "cep17_copies": decimal_text(cep17)}
    told = answer({"ihc": ihc, "ish": {**block, "her2_copies": copies[0]}}).status
    # The ratio is computed from the copies: also where it crosses 2.0.
    crossing = 2 * cep17
    points = sorted({*_points(*copies[1:]), *(at for at in (crossing - 1, crossing, crossing + 1)
                                              if copies[1] <= at <= copies[2])})  # fmt: skip
    found = set()
    for value in points:
        found.add(answer({"ihc": ihc, "ish": {**block, "her2_copies": decimal_text(value)}}).status)
    found -= {"invalid"}
    assume(found)
    assert told == (found.pop() if len(found) == 1 else "pending")


@EXACT
@given(SCORES, spans())
def test_a_single_probe_interval(ihc: Any, copies: tuple[str, int, int]) -> None:
    block = {"assay": "single_probe", "cells": 20}
    told = answer({"ihc": ihc, "ish": {**block, "her2_copies": copies[0]}})
    statuses = {
        answer({"ihc": ihc, "ish": {**block, "her2_copies": decimal_text(value)}}).status
        for value in _points(*copies[1:])
    }
    assert told.status == (statuses.pop() if len(statuses) == 1 else "pending")


# ---- arithmetic of ranges

RANGE = st.tuples(st.integers(1, 10**8), st.integers(0, 10**8)).map(lambda ends: (ends[0], ends[0] + ends[1]))


@EXACT
@given(RANGE, RANGE)
def test_a_quotient_of_ranges_holds_every_quotient_and_no_more(one: tuple[int, int], other: tuple[int, int]) -> None:
    low, high = divide(one, other)
    least, most = Fraction(one[0], other[1]), Fraction(one[1], other[0])
    if one[0] == one[1] and other[0] == other[1]:
        assert low == high and (abs(Fraction(low, M) - least) <= Fraction(1, 2 * M) or low == 1)
    else:
        # Whole millionths inside the true range, which none of them leaves.
        assert low == max(-(-least.numerator * M // least.denominator), 1)
        assert high == max(most.numerator * M // most.denominator, low)


@EXACT
@given(RANGE, RANGE)
def test_a_product_of_ranges(one: tuple[int, int], other: tuple[int, int]) -> None:
    for got, a, b in zip(multiply(one, other), one, other, strict=True):
        assert abs(Fraction(got, M) - Fraction(a, M) * Fraction(b, M)) <= Fraction(1, 2 * M) or got == 1


def test_ranges_without_an_end() -> None:
    assert divide(ANY, (2 * M, 2 * M)) == (1, UNBOUNDED)
    assert divide((4 * M, UNBOUNDED), (2 * M, 2 * M)) == (2 * M, UNBOUNDED)
    assert divide((4 * M, 4 * M), ANY) == (1, 4 * M * M)
    assert divide((4 * M, 4 * M), (2 * M, UNBOUNDED)) == (1, 2 * M)
    assert multiply((2 * M, UNBOUNDED), (3 * M, 3 * M)) == (6 * M, UNBOUNDED)
    assert multiply((2 * M, 2 * M), (3 * M, UNBOUNDED)) == (6 * M, UNBOUNDED)
    assert multiply((1, 1), (1, 1)) == (1, 1)
    assert divide((1, 1), (3 * M, 3 * M)) == (1, 1)
    assert divide((5 * M, 5 * M), (2 * M, 4 * M)) == (1_250_000, 2_500_000)


GROUP = EDITIONS["asco-cap-2018"].dual


def _at(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return micro(low), micro(high or low)


@pytest.mark.parametrize(
    ("ratio", "her2", "cep17", "groups"),
    [
        ("2.0", "4.0", None, "1"),
        ("1.8-2.2", "5.0", None, "14"),
        ("1.8-2.2", "3.9-6.0", None, "12345"),
        ("2.2", None, None, "12"),
        (None, "5.0", None, "14"),
        (None, "3.0", None, "25"),
        (None, None, None, "12345"),
        (None, "3.5-5.0", "2.0", "15"),  # 1.75 to 2.5; with 2.0 a ratio of 2.0 means 4.0 copies
        (None, "4.0-5.0", "2.0", "1"),
        (None, "3.0-3.9", "1.0-2.0", "25"),
        (None, "6.0-8.0", "3.0-5.0", "13"),
        ("1.9-2.1", None, "2.0", "15"),  # copies 3.8 to 4.2 move with the ratio
        ("2.0-2.1", None, "2.0", "1"),
        ("2.5", None, "1.5", "2"),
        (None, None, "2.0", "15"),
        (None, None, "1.9-2.1", "1245"),  # group 3 needs more than 3.0
        ("1.5", None, None, "345"),
    ],
)
def test_the_groups_that_values_can_hit(ratio: str | None, her2: str | None, cep17: str | None, groups: str) -> None:
    triple = Triple(*(_at(text) if text else None for text in (ratio, her2, cep17))).completed()
    assert "".join(row.id for row in triple.classes(GROUP)) == groups
    if None not in (ratio, her2) or sum(text is not None for text in (ratio, her2, cep17)) == 2:
        assert None not in triple[:3]
