"""What contradicts waits: nothing is chosen, neither the first value nor the last (interop.md 0.7)."""

from __future__ import annotations

import pytest

from app.interop.feeds import Feed, read_feed
from app.interop.received import Item
from tests.interop.feeds.messages import coded, facts, item, lines, loinc, mapped, quantity, snomed, text, waits


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (item(loinc("85319-2"), values=(text("3+"),)), item(loinc("85319-2"), values=(text("2+"),))),
        (item(loinc("85319-2"), values=(text("3+"),)), item(loinc("18474-7"), values=(text("1+"),))),
        (item(loinc("49683-6"), values=(quantity("1.8"),)), item(loinc("49683-6"), values=(quantity("2.1"),))),
        (item(loinc("49683-6"), values=(quantity("1.8"),)), item(snomed("1365744007"), values=(quantity("2.3"),))),
        (item(loinc("48676-1"), values=(text("positive"),)), item(loinc("48676-1"), values=(text("negative"),))),
    ],
)
def test_two_values_for_one_field_wait(first: Item, second: Item) -> None:
    assert waits(mapped(first, second)) == {"CONTRADICTORY"}
    assert waits(mapped(second, first)) == {"CONTRADICTORY"}


@pytest.mark.parametrize(
    "document",
    ["HER2 IHC: 3+\nHER2 IHC: 2+", "HER2/CEP17 ratio: 1.9\nHER2/CEP17 ratio: 2.1", "HER2 IHC: 0\nHER2 by IHC: 1+"],
)
def test_a_label_twice_with_other_values_waits(document: str) -> None:
    assert waits(lines(document)) == {"CONTRADICTORY"}


def test_the_same_value_twice_is_no_contradiction() -> None:
    told = lines("HER2 IHC: 3+\nHER2 by IHC: 3+")
    assert not told.problems
    assert facts(told) == {"ihc.score": "3+"}


@pytest.mark.parametrize(
    ("code", "display"),
    [
        ("85319-2", "Ki-67 [Presence] in Breast cancer specimen"),
        ("85319-2", "Chromosome 17 copy number"),
        ("85319-2", "HER2 by FISH"),
        ("18474-7", "HER2 in Serum"),
        ("49683-6", "HER2 immunohistochemistry"),
        ("49683-6", "Estrogen receptor"),
        ("74860-8", "Chromosome 17 copy number/nucleus"),
    ],
)
def test_a_code_whose_display_says_another_test_waits(code: str, display: str) -> None:
    told = mapped(item(loinc(code, display), values=(quantity("2"),)))
    assert (facts(told), waits(told)) == ({}, {"CONTRADICTORY"})


@pytest.mark.parametrize("number", ["4.5", "2.0", "15", "80"])
def test_a_number_on_an_ordinal_code_waits(number: str) -> None:
    """The Lithuanian draft codes the HER2 average as 85318-4, the CEP17 average as 85319-2 (interop.md 1.4)."""
    for code in ("85319-2", "85318-4", "18474-7", "48676-1"):
        told = mapped(item(loinc(code), values=(quantity(number),)))
        assert (facts(told), waits(told)) == ({}, {"CONTRADICTORY"})


def test_two_codes_that_mean_different_things_wait() -> None:
    told = mapped(item(loinc("48676-1"), loinc("85319-2"), values=(text("3+"),)))
    assert (facts(told), waits(told)) == ({}, {"AMBIGUOUS"})


def test_two_values_in_one_item_wait() -> None:
    told = mapped(item(loinc("85319-2"), values=(text("3+"), text("2+"))))
    assert (facts(told), waits(told)) == ({}, {"CONTRADICTORY"})


@pytest.mark.parametrize(
    ("code", "display"),
    [("431396003", "HER2 gene amplification detected"), ("LA11842-4", "3+"), ("LA6577-6", "Positive")],
)
def test_an_answer_whose_display_says_another_waits(code: str, display: str) -> None:
    """Two public demonstrations send 431396003 for a positive case (interop.md 1.3)."""
    coding = loinc(code, display) if code.startswith("LA") else snomed(code, display)
    told = mapped(item(loinc("85319-2"), values=(coded(coding, written=display),)))
    assert (facts(told), waits(told)) == ({}, {"CONTRADICTORY"})


def test_a_sender_s_own_words_do_not_hide_what_the_code_says() -> None:
    feed = read_feed("[words.'ihc.score']\n'strongly positive' = '3+'\n'positive' = '3+'\n")
    assert isinstance(feed, Feed)
    negative = item(loinc("85319-2"), values=(coded(loinc("LA6577-6"), written="Positive"),))
    assert waits(mapped(negative, feed=feed)) == {"CONTRADICTORY"}
