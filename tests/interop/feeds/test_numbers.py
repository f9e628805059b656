"""Numbers: digits as written, comparators and ranges as intervals, units, commas (interop.md 0.2, 0.3, 0.5, 1.2)."""

from __future__ import annotations

import pytest

from app.interop.feeds import read_feed
from app.interop.feeds.feed import Feed
from app.interop.received import Value
from tests.interop.feeds.messages import coded, facts, item, loinc, mapped, quantity, text, waits

RATIO, HER2, CEP17 = "49683-6", "74860-8", "74861-6"
GIVES = [
    (RATIO, "1.80", "1.80"), (RATIO, "1.8", "1.8"), (RATIO, "2", "2"), (RATIO, "1.8:1", "1.8"),
    (RATIO, "1.8 : 1.0", "1.8"), (RATIO, "<2.0", "<2.0"), (RATIO, "< 2.0", "<2.0"), (RATIO, "≥2.0", ">=2.0"),
    (RATIO, ">= 2", ">=2"), (RATIO, "=1.85", "1.85"), (RATIO, "1.8-2.3", "1.8-2.3"), (RATIO, "1.8 to 2.3", "1.8-2.3"),
    (RATIO, "2.5 (amplified)", "2.5"), (RATIO, "1.1 (not amplified)", "1.1"), (RATIO, "Ratio 1.8", "1.8"),
    (RATIO, "1.8.", "1.8"), (HER2, "4.5 signals/cell", "4.5"), (HER2, "4.5 per nucleus", "4.5"),
    (HER2, "average 4.5", "4.5"), (HER2, "4.50 copies per cell", "4.50"), (CEP17, "2.1 signals", "2.1"),
]  # fmt: skip
WAITS = [
    (RATIO, each)
    for each in (
        ".8", "4,5", "1,234", "1.234,5", "<2.0 is negative", "1.8 (previous 2.3)", "2.0 (ref <2.0)", "1.8 2.3",
        "1.8 / 2.3", "5.2/2.1", "5.2 per 2.1", "1.8/1", "2 to 1", "2-1", "1:1.8", "2:1.8", "-1.8", "+1.8", "~1.8",
        "approx 1.8", "1.8x", "1e3", "1 .8", "1. 8", "not 2.0", "<>2", "4.0-", "1.8 %", "45 cells", "1.8 copies",
        "2 signals/cell", "average 1.8", "high", "n/a", "not done", "amplified", "see below", "١.٨",
    )
]  # fmt: skip
WAITS += [(HER2, each) for each in ("4.5:1", "ratio 4.5", "240 (total)", "45 cells", "4.5 per 20 cells", "3+")]


@pytest.mark.parametrize(("code", "written", "number"), GIVES)
def test_a_clear_number_is_kept_as_written(code: str, written: str, number: str) -> None:
    told = mapped(item(loinc(code), values=(text(written),)))
    assert (list(facts(told).values()), told.problems) == ([number], ())


@pytest.mark.parametrize(("code", "written"), WAITS)
def test_what_is_not_clearly_one_number_waits(code: str, written: str) -> None:
    told = mapped(item(loinc(code), values=(text(written),)))
    assert (facts(told), waits(told)) == ({}, {"AMBIGUOUS"})


@pytest.mark.parametrize(("written", "number"), [("4,5", "4.5"), ("1,80", "1.80"), ("<2,0", "<2.0"), ("1.8", "1.8")])
def test_a_decimal_comma_is_read_where_the_feed_says_so(written: str, number: str) -> None:
    feed = read_feed("decimal_comma = true")
    assert isinstance(feed, Feed)
    assert facts(mapped(item(loinc(HER2), values=(text(written),)), feed=feed)) == {"ish.her2_copies": number}


@pytest.mark.parametrize("comparator", ["", "<", "<=", ">", ">="])
def test_a_comparator_makes_an_interval(comparator: str) -> None:
    """HL7 SN `<^2.0`, FHIR Quantity.comparator."""
    told = mapped(item(loinc(RATIO), values=(quantity("2.00", "", comparator),)))
    assert facts(told) == {"ish.ratio": f"{comparator}2.00"}


@pytest.mark.parametrize("unit", ["", "1", "#", "{ratio}", "{copies}/nucleus", "{copies}/{nucleus}", "{signals}/cell"])
def test_units_that_say_nothing_more(unit: str) -> None:
    assert facts(mapped(item(loinc(HER2), values=(quantity("4.5", unit),)))) == {"ish.her2_copies": "4.5"}


@pytest.mark.parametrize(("unit", "code"), [("%", "CONTRADICTORY"), ("mm", "AMBIGUOUS"), ("ng/mL", "AMBIGUOUS")])
def test_units_of_something_else_wait(unit: str, code: str) -> None:
    told = mapped(item(loinc(RATIO), values=(quantity("1.8", unit),)))
    assert (facts(told), waits(told)) == ({}, {code})


def test_a_ratio_of_two_numbers() -> None:
    """FHIR valueRatio and HL7 SN with a colon: over 1 only; a percentage bent into a ratio waits (interop.md 1.4)."""
    over_one = Value("ratio", "2.40:1", "x", "", "2.40", "1")
    assert facts(mapped(item(loinc(RATIO), values=(over_one,)))) == {"ish.ratio": "2.40"}
    for second in ("100", "2", "0", "10"):
        told = mapped(item(loinc(RATIO), values=(Value("ratio", "x", "x", ">=", "1", second),)))
        assert (facts(told), waits(told)) == ({}, {"AMBIGUOUS"})


def test_a_range_keeps_both_ends() -> None:
    told = mapped(item(loinc(HER2), values=(Value("range", "4.0-6.0", "x", "", "4.0", "6.0"),)))
    assert facts(told) == {"ish.her2_copies": "4.0-6.0"}


def test_a_coded_answer_is_no_number() -> None:
    told = mapped(item(loinc(RATIO), values=(coded(loinc("LA6576-8"), written="Positive"),)))
    assert (facts(told), waits(told)) == ({}, {"CONTRADICTORY"})
