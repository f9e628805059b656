"""Notes beside an observation (NTE, Observation.note) are never read as values; one that may hold a result waits."""

from __future__ import annotations

import pytest

from tests.interop.feeds.messages import facts, item, loinc, mapped, quantity, text, waits

IHC = item(loinc("85319-2"), values=(text("1+"),))
RATIO = item(loinc("49683-6"), values=(quantity("2.4"),))


@pytest.mark.parametrize(
    "note",
    [
        "HER2/CEP17 ratio: 2.4", "HER2/CEP17 RATIO 2.4 (AMPLIFIED)", "FISH: ratio 2.4", "HER2 IHC: 3+",
        "HER2 is amplified by FISH.", "HER2 score 3+ on the excision", "Average HER2 copy number = 6.2",
    ],
)  # fmt: skip
def test_a_result_in_a_note_waits(note: str) -> None:
    told = mapped(IHC._replace(notes=(note,)))
    assert facts(told) == {"ihc.score": "1+"}
    assert told.problems


@pytest.mark.parametrize("note", ["HER2/CEP17 ratio: 2.40", "HER2/CEP17 ratio 2.4", "HER2 is amplified by FISH."])
def test_but_not_one_that_is_sent_as_a_value_as_well(note: str) -> None:
    told = mapped(IHC, RATIO._replace(notes=(note,)))
    assert (facts(told), told.problems) == ({"ihc.score": "1+", "ish.ratio": "2.4"}, ())


@pytest.mark.parametrize(
    "note",
    [
        "See comment.", "Antibody clone 4B5 (Ventana).", "Scored by ASCO/CAP 2018.", "Reviewed by two pathologists.",
        "A HER2/CEP17 ratio of <2.0 is considered not amplified.", "Fixed in formalin for 6-72 hours.",
    ],
)  # fmt: skip
def test_remarks_give_nothing_and_wait_for_nothing(note: str) -> None:
    told = mapped(IHC._replace(notes=(note,)), notes=(note,))
    assert (facts(told), told.problems) == ({"ihc.score": "1+"}, ())
    assert [each.text for each in told.lines if each.code == "note"] == [note, note]


def test_cells_in_a_note_below_a_ratio_wait() -> None:
    assert waits(mapped(RATIO._replace(notes=("Cells counted: 12",)))) == {"AMBIGUOUS"}


def test_a_note_below_another_test_is_not_about_her2() -> None:
    other = item(loinc("718-7", "Hemoglobin"), values=(text("13.2"),), notes=("ratio 2.4 by FISH",))
    assert (mapped(other).parts, mapped(other).problems) == ((), ())
