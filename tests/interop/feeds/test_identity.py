"""Whose result it is: patient, laboratory, accession, specimen, block (interop.md 2.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.interop.feeds import map_received
from app.interop.feeds.feed import STANDARD
from app.interop.received import Identifier
from tests.interop.feeds.messages import facts, item, loinc, mapped, received, report, text, waits

IHC = item(loinc("85319-2"), values=(text("2+"),))
FISH = item(loinc("49683-6"), values=(text("1.2"),))


def grouped(one: str, other: str, **more: Any) -> tuple[Any, ...]:
    feed = replace(STANDARD, **more)
    told = mapped(IHC._replace(group=one), FISH._replace(group=other), feed=feed)
    return told, [each.block for each in told.parts]


@pytest.mark.parametrize(("more", "code"), [({"patient": ()}, "NO_PATIENT"), ({"accession": ""}, "NO_ACCESSION")])
def test_a_result_of_nobody_waits(more: dict[str, Any], code: str) -> None:
    assert waits(mapped(IHC, **more)) == {code}


def test_a_report_that_is_not_about_her2_needs_neither() -> None:
    told = mapped(item(loinc("718-7", "Hemoglobin"), values=(text("13.2"),)), patient=(), accession="")
    assert (told.parts, told.problems) == ((), ())


def test_one_part_for_each_specimen() -> None:
    told = map_received(received(report(IHC, specimen="A"), report(FISH, specimen="B")), STANDARD, {})
    assert [(each.specimen, each.accession) for each in told.parts] == [("A", "S1"), ("B", "S1")]
    assert not told.problems


def test_reports_of_one_specimen_are_one_part() -> None:
    told = map_received(received(report(IHC), report(FISH)), STANDARD, {})
    assert len(told.parts) == 1
    assert facts(told) == {"ihc.score": "2+", "ish.ratio": "1.2"}


def test_another_patient_is_another_part() -> None:
    told = map_received(received(report(IHC), report(FISH, patient=(Identifier("N", "P-2"),))), STANDARD, {})
    assert len(told.parts) == 2


def test_the_feed_names_the_laboratory() -> None:
    feed = replace(STANDARD, laboratory="North")
    assert mapped(IHC, feed=feed, laboratory="sent").parts[0].laboratory == "North"
    assert mapped(IHC, laboratory="sent").parts[0].laboratory == "sent"


def test_the_block_of_the_specimen() -> None:
    assert mapped(IHC, block="A1").parts[0].block == "A1"


def test_the_block_from_the_group() -> None:
    told, blocks = grouped("A1", "B1", block_from="group")
    assert (blocks, told.problems) == (["A1", "B1"], ())


def test_no_block() -> None:
    assert mapped(IHC, feed=replace(STANDARD, block_from="none"), block="A1").parts[0].block == ""


@pytest.mark.parametrize(("one", "other"), [("1", "2"), ("", ""), ("1.1", "1.2"), ("A1", "A2"), ("A", "")])
def test_places_in_a_list_are_no_blocks(one: str, other: str) -> None:
    assert not grouped(one, other)[0].problems


@pytest.mark.parametrize(("one", "other"), [("A", "B"), ("A1", "B1"), ("a", "b2")])
def test_letters_of_two_specimens_in_one_report_wait(one: str, other: str) -> None:
    assert waits(grouped(one, other)[0]) == {"AMBIGUOUS"}


def test_problems_name_no_patient() -> None:
    told = mapped(IHC, IHC._replace(values=(text("3+"),)), patient=(Identifier("N", "SECRET-77"),))
    assert told.problems
    assert "SECRET-77" not in str(told.problems)
