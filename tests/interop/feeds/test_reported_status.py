"""What the sender thinks: kept with what it is about, compared, never chosen from and never used (interop.md 0.4)."""

from __future__ import annotations

import pytest

from tests.interop.feeds.messages import facts, item, lines, loinc, mapped, text, waits

OVERALL, IHC, FISH = loinc("48676-1"), loinc("85319-2"), loinc("85318-4")


def status(overall: str = "", ihc: str = "", fish: str = "") -> object:
    told = zip((OVERALL, IHC, FISH), (overall, ihc, fish), strict=True)
    return mapped(*(item(code, values=(text(said),)) for code, said in told if said))


@pytest.mark.parametrize(
    ("overall", "ihc", "fish", "kept"),
    [
        ("Negative", "Equivocal", "Not amplified", "negative; equivocal by IHC; negative by ISH"),
        ("Negative", "", "Amplified", "negative; positive by ISH"),
        ("Positive", "positive", "", "positive; positive by IHC"),
        ("", "low", "", "low by IHC"),
    ],
)
def test_statuses_of_different_tests_stand_side_by_side(overall: str, ihc: str, fish: str, kept: str) -> None:
    told = status(overall, ihc, fish)
    assert not told.problems  # type: ignore[attr-defined]
    assert facts(told)["reported_status"] == kept  # type: ignore[arg-type]


def test_two_of_one_test_must_agree() -> None:
    assert waits(lines("HER2 status: positive\nHER2: negative")) == {"CONTRADICTORY"}
    assert not lines("HER2 status: NEGATIVE (see interpretation)\nHER2 result: negative").problems


@pytest.mark.parametrize("told", ["Negative", "positive", "low", "Negative for HER2 amplification", "amplified"])
def test_no_status_is_an_assay(told: str) -> None:
    """The published mCODE example carries a status alone: it is kept, and there is nothing to classify."""
    assert set(facts(mapped(item(OVERALL, values=(text(told),))))) == {"reported_status"}
