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
         "72383-3": "immunoassay, not stain"}  # fmt: skip
TEXTS = {
    "22637-3": "final diagnosis", "34574-4": "final diagnosis", "60568-3": "synoptic report", "35265-8": "addendum",
    "60569-1": "synoptic addendum", "22639-9": "supplemental report", "22638-1": "comments", "74885-5": "panel",
}  # fmt: skip
IGNORED = (
    "22636-5", "60573-3", "60572-5", "60574-1", "14130-9", "85310-1", "10861-3", "85331-7",
)  # fmt: skip
SCORED = item(loinc("85319-2"), values=(text("2+"),))


@pytest.mark.parametrize("code", sorted(SCORE))
def test_codes_that_ask_for_a_score(code: Coding) -> None:
    assert facts(mapped(item(code, values=(text("2+"),)))) == {"ihc.score": "2+"}


@pytest.mark.parametrize(("code", "field"), NUMBERS.items())
def test_codes_that_ask_for_a_number(code: Coding, field: str) -> None:
    assert facts(mapped(item(code, values=(quantity("1.80"),)))) == {field: "1.80"}


@pytest.mark.parametrize(
    ("answer", "status"),
    [("positive", "positive"), ("negative", "negative"), ("amplified", "positive"), ("Not amplified", "negative"),
     ("Negative (not amplified)", "negative"), ("nicht amplifiziert", "negative"), ("equivocal", "equivocal")],
)  # fmt: skip
@pytest.mark.parametrize("code", PRESENCE)
def test_presence_by_fish_says_that_ish_was_done_and_no_value(code: Coding, answer: str, status: str) -> None:
    """A status, and an ISH without values: outstanding, so that nothing is final that it could change (7.2)."""
    told = mapped(item(code, values=(text(answer),)))
    assert (facts(told), told.problems) == ({"reported_status": f"{status} by ISH", "ish.method": "FISH"}, ())


@pytest.mark.parametrize("answer", ["pending", "to follow", "see comment"])
@pytest.mark.parametrize("code", PRESENCE)
def test_presence_by_fish_still_to_come_is_outstanding(code: Coding, answer: str) -> None:
    told = mapped(item(code, values=(text(answer),)))
    assert (facts(told), told.problems) == ({"ish.method": "FISH"}, ())


@pytest.mark.parametrize("code", PRESENCE)
def test_presence_by_fish_coded_without_text(code: Coding) -> None:
    told = mapped(item(code, values=(coded(loinc("LA6576-8")),)))
    assert facts(told) == {"reported_status": "positive by ISH", "ish.method": "FISH"}
    assert facts(mapped(item(code, values=(coded(snomed("416237000")),)))) == {}


@pytest.mark.parametrize("code", PRESENCE)
@pytest.mark.parametrize("value", [text("ratio 2.5"), text("2.5"), text("cancelled"), quantity("2.5")])
def test_presence_by_fish_with_a_number_or_no_result_waits(code: Coding, value: object) -> None:
    told = mapped(item(code, values=(value,)))  # type: ignore[arg-type]
    assert facts(told) == {}
    assert told.problems


@pytest.mark.parametrize(
    ("answer", "status"),
    [("positive", "positive"), ("NEGATIVE (see interpretation)", "negative"), ("low", "low"),
     ("HER2 negative, luminal type", "HER2 negative, luminal type")],
)  # fmt: skip
def test_the_interpretation_is_kept_and_never_a_value_that_classifies(answer: str, status: str) -> None:
    told = mapped(item(loinc("48676-1"), values=(text(answer),)))
    assert (facts(told), told.problems) == ({"reported_status": status}, ())


@pytest.mark.parametrize("answer", ["3+", "0", "Positive (IHC 3+)", "Positive (3+)", "ratio 2.5", "1+ or 2+"])
def test_a_score_or_number_in_the_interpretation_waits(answer: str) -> None:
    """Kept as an opinion alone, an assay would be lost without a word."""
    told = mapped(item(loinc("48676-1"), values=(text(answer),)))
    assert not {"ihc.score", "ish.ratio"} & set(facts(told))
    assert waits(told) == {"AMBIGUOUS"}


def test_but_not_where_the_score_is_sent_as_well() -> None:
    told = mapped(item(loinc("48676-1"), values=(text("Equivocal (2+)"),)), SCORED)
    assert (facts(told), told.problems) == ({"reported_status": "Equivocal (2+)", "ihc.score": "2+"}, ())


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
def test_receptors_stand_beside_a_her2_result(code: str, field: str) -> None:
    told = mapped(item(loinc(code), values=(text("Positive (95%)"),)), SCORED)
    assert facts(told) == {field: "positive", f"{field}_percent": "95", "ihc.score": "2+"}


def test_receptors_alone_are_no_her2_result() -> None:
    told = mapped(item(loinc("85337-4"), values=(text("Positive"),)), patient=(), accession="")
    assert (told.parts, told.problems) == ((), ())


@pytest.mark.parametrize(
    ("code", "field"), [("85329-1", "er"), ("14228-1", "er"), ("85325-9", "pgr"), ("14230-7", "pgr")]
)
def test_percentages_of_receptors(code: str, field: str) -> None:
    told = mapped(item(loinc(code), values=(quantity("90", "%"),)), SCORED)
    assert facts(told)[f"context.{field}_percent"] == "90"


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_codes_of_reports_as_text(code: str) -> None:
    assert facts(mapped(item(loinc(code), values=(text("HER2 IHC: 2+"),)))) == {"ihc.score": "2+"}


@pytest.mark.parametrize("code", IGNORED)
def test_ignored_codes_give_nothing_whatever_they_say(code: str) -> None:
    told = mapped(item(loinc(code), values=(text("HER2 IHC: 3+"),)))
    assert (told.parts, told.problems) == ((), ())


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
    tested = {*SCORE, *NUMBERS, *PRESENCE, *map(loinc, (*NEVER, *TEXTS, *IGNORED, "48676-1", "62361-1"))}
    receptors = {at for at, target in STANDARD.codes.items() if target.startswith("context.")}
    assert {(each.system, each.code) for each in tested} | receptors == set(STANDARD.codes)
