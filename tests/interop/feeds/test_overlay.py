"""Codes that persons mapped in the message browser stand before those of the feed."""

from __future__ import annotations

from app.interop.feeds import map_received
from app.interop.feeds.feed import STANDARD
from app.interop.received import LOINC, Coding
from tests.interop.feeds.messages import facts, item, loinc, received, report, text, waits

LOCAL = item(Coding("", "HER2X", "HER2 stain"), values=(text("2+"),))


def test_a_local_code_waits_until_it_is_mapped() -> None:
    message = received(report(LOCAL))
    assert waits(map_received(message, STANDARD, {})) == {"UNKNOWN_CODE"}
    told = map_received(message, STANDARD, {("", "HER2X"): "ihc.score"})
    assert (facts(told), told.problems) == ({"ihc.score": "2+"}, ())


def test_a_code_set_to_ignore_or_note_waits_no_more() -> None:
    for target in ("ignore", "note"):
        told = map_received(received(report(LOCAL)), STANDARD, {("", "HER2X"): target})
        assert (told.parts, told.problems) == ((), ())


def test_it_stands_before_the_feed() -> None:
    message = received(report(item(loinc("85319-2"), values=(text("2+"),))))
    assert facts(map_received(message, STANDARD, {(LOINC, "85319-2"): "reported_status"})) == {"reported_status": "2+"}


def test_one_of_two_codes_set_to_ignore_leaves_the_other() -> None:
    message = received(report(item(loinc("48676-1"), loinc("85319-2"), values=(text("2+"),))))
    assert waits(map_received(message, STANDARD, {})) == {"AMBIGUOUS"}
    assert facts(map_received(message, STANDARD, {(LOINC, "48676-1"): "ignore"})) == {"ihc.score": "2+"}
