"""What a printed number says and what has to be said beside it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.evidence import Arm, Effect, PValue


def effect(**given: object) -> Effect:
    return Effect(measure=str(given.pop("measure", "hazard ratio")), endpoint="death", **given)  # type: ignore[arg-type]


def p(sign: str, value: str) -> PValue:
    return PValue(sign, Decimal(value))


@pytest.mark.parametrize(
    ("test", "significant"),
    [
        (p("=", "0.049"), True),
        (p("=", "0.05"), False),
        (p("=", "0.18"), False),
        (p("<", "0.00001"), True),
        (p("<", "0.05"), True),
        (p("<", "0.1"), None),
        (p(">", "0.05"), False),
        (p(">", "0.01"), None),
    ],
)
def test_significance(test: PValue, significant: bool | None) -> None:
    assert test.significant is significant


def test_p_is_printed_as_it_was() -> None:
    assert str(p("<", "0.00001")) == "P < 0.00001"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [("0.37", "1.03", True), ("0.59", "0.87", False), ("1.00", "1.50", True), ("0.5", "1", True), ("1.01", "2", False)],
)
def test_an_interval_that_includes_no_effect_is_called_so(low: str, high: str, said: bool) -> None:
    readings = effect(value=Decimal("0.9"), ci95=(Decimal(low), Decimal(high))).readings()
    assert ("the 95% interval includes no effect" in readings) is said


def test_readings_of_tests() -> None:
    assert effect(p=p("=", "0.49")).readings() == ("not statistically significant",)
    assert effect(p=p("<", "0.1")).readings() == ("the printed P leaves significance open",)
    assert effect(p_interaction=p("=", "0.2")).readings() == ("interaction not statistically significant",)
    assert effect(p=p("=", "0.01"), p_interaction=p("=", "0.038")).readings() == ()


def test_numbers_are_all_of_them() -> None:
    full = effect(
        span=(Decimal(2), Decimal(3)),
        ci95=(Decimal(4), Decimal(5)),
        value=Decimal(6),
        arms=(Arm("a", Decimal(7), 8), Arm("b", Decimal(9))),
        at=(Decimal(10), "years"),
        p=p("=", "0.1"),
        p_heterogeneity=p("=", "0.2"),
        p_interaction=p("=", "0.3"),
        n=11,
    )
    assert sorted(full.numbers()) == sorted(
        [*map(Decimal, range(2, 12)), Decimal(95), Decimal("0.1"), Decimal("0.2"), Decimal("0.3")]
    )
