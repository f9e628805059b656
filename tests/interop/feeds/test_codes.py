"""What each standard code means: by system and code, never by display (interop.md 0.1, 1.2)."""

from __future__ import annotations

import pytest

from app.interop.feeds.feed import STANDARD
from tests.interop.feeds.messages import Coding, coded, facts, item, loinc, mapped, quantity, snomed, text, waits

SCORE = {loinc("85319-2"), loinc("18474-7"), snomed("433114000"), snomed("3550001000004108")}
NUMBERS = {
    loinc("49683-6"): "ish.ratio", snomed("1365744007"): "ish.ratio", snomed("1365742006"): "ish.ratio",
    loinc("74860-8"): "ish.her2_copies", snomed("1365743001"): "ish.her2_copies",
    loinc("74861-6"): "ish.cep17_copies",
}  # fmt: skip
PRESENCE = (loinc("85318-4"), loinc("31150-6"), loinc("96893-3"), snomed("434363004"))
NEVER = {"32996-1": "serum", "42914-2": "serum", "51981-9": "serum", "72382-5": "quantitative tissue",
         "72383-3": "immunoassay, not stain", "74885-5": "panel"}  # fmt: skip


@pytest.mark.parametrize("code", sorted(SCORE))
def test_codes_that_ask_for_a_score(code: Coding) -> None:
    assert facts(mapped(item(code, values=(text("2+"),)))) == {"ihc.score": "2+"}


@pytest.mark.parametrize(("code", "field"), NUMBERS.items())
def test_codes_that_ask_for_a_number(code: Coding, field: str) -> None:
    assert facts(mapped(item(code, values=(quantity("1.80"),)))) == {field: "1.80"}


@pytest.mark.parametrize("answer", ["positive", "negative", "amplified", "not amplified"])
@pytest.mark.parametrize("code", PRESENCE)
def test_presence_by_fish_says_that_ish_was_done_and_no_value(code: Coding, answer: str) -> None:
    told = mapped(item(code, values=(text(answer),)))
    assert (facts(told), told.problems) == ({"ish.method": "ISH"}, ())


@pytest.mark.parametrize("code", PRESENCE)
def test_presence_by_fish_coded_without_text(code: Coding) -> None:
    assert facts(mapped(item(code, values=(coded(loinc("LA6576-8")),)))) == {"ish.method": "ISH"}
    assert facts(mapped(item(code, values=(coded(snomed("416237000")),)))) == {}


@pytest.mark.parametrize("code", PRESENCE)
@pytest.mark.parametrize("value", [text("ratio 2.5"), text("2.5"), text("cancelled"), quantity("2.5")])
def test_presence_by_fish_with_a_number_or_no_result_waits(code: Coding, value: object) -> None:
    told = mapped(item(code, values=(value,)))  # type: ignore[arg-type]
    assert facts(told) == {}
    assert told.problems


@pytest.mark.parametrize("answer", ["3+", "positive", "0", "Positive (IHC 3+)", "low"])
def test_the_interpretation_is_kept_and_never_a_value_that_classifies(answer: str) -> None:
    assert facts(mapped(item(loinc("48676-1"), values=(text(answer),)))) == {"reported_status": answer}


@pytest.mark.parametrize("value", [text("3+"), text("2+"), quantity("15.2", "ng/mL"), coded(loinc("LA11843-2", "3+"))])
@pytest.mark.parametrize("code", sorted(NEVER))
def test_serum_quantitative_and_immunoassay_are_never_a_score(code: str, value: object) -> None:
    told = mapped(item(loinc(code), values=(value,)))  # type: ignore[arg-type]
    assert (facts(told), told.problems, told.parts) == ({}, (), ())


@pytest.mark.parametrize(
    ("code", "field"),
    [("16112-5", "context.er"), ("85337-4", "context.er"), ("40556-3", "context.er"), ("16113-3", "context.pgr"),
     ("85339-0", "context.pgr"), ("40557-1", "context.pgr")],
)  # fmt: skip
def test_receptors(code: str, field: str) -> None:
    assert facts(mapped(item(loinc(code), values=(text("Positive"),)))) == {field: "positive"}


def test_a_receptor_never_holds_a_her2_result_up() -> None:
    ki67 = item(loinc("85337-4", "Ki-67 Proliferationsindex"), values=(quantity("15", "%"),))
    told = mapped(ki67, item(loinc("85319-2"), values=(text("2+"),)))
    assert (facts(told), told.problems) == ({"ihc.score": "2+"}, ())


def test_no_display_makes_a_code() -> None:
    told = mapped(item(Coding("", "X1", "HER2 IHC score"), values=(text("3+"),)))
    assert (facts(told), waits(told)) == ({}, {"UNKNOWN_CODE"})


def test_the_same_code_of_another_system_is_another_code() -> None:
    told = mapped(item(Coding("urn:other", "85319-2", "HER2"), values=(text("3+"),)))
    assert (facts(told), waits(told)) == ({}, {"UNKNOWN_CODE"})


def test_what_is_not_about_her2_waits_for_nothing() -> None:
    told = mapped(item(loinc("718-7", "Hemoglobin"), values=(quantity("13.2", "g/dL"),)))
    assert (told.parts, told.problems, told.lines[0].note) == ((), (), "not about HER2")


def test_cells_counted_are_taken_beside_another_her2_result_only() -> None:
    """62361-1 names no gene: in a report without HER2 these are the cells of another test (interop.md 1.4)."""
    cells = item(loinc("62361-1", "Cells counted"), values=(quantity("12"),))
    ratio = item(loinc("49683-6"), values=(quantity("1.8"),))
    assert facts(mapped(ratio, cells)) == {"ish.ratio": "1.8", "ish.cells": "12"}
    assert (mapped(cells).parts, mapped(cells).problems) == ((), ())


def test_every_standard_code_has_a_test() -> None:
    tested = {
        *SCORE,
        *NUMBERS,
        *PRESENCE,
        *map(loinc, NEVER),
        loinc("48676-1"),
        loinc("22637-3"),
        loinc("60568-3"),
        loinc("62361-1"),
    }
    receptors = {at for at, target in STANDARD.codes.items() if target.startswith("context.")}
    assert {(each.system, each.code) for each in tested} | receptors == set(STANDARD.codes)
