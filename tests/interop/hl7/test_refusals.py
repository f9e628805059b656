"""Merges, and what makes a message wait: half a merge, what is not taken, what cannot be read."""

from __future__ import annotations

import pytest

from app.interop.hl7.reading import read
from app.interop.received import Received
from tests.interop.hl7.samples import MERGE, MSH, ODD_SEPARATORS, RATIO, SYNOPTIC, message, oru


def codes(received: Received) -> list[tuple[str, str]]:
    return [(each.code, each.field) for each in received.problems]


def test_a_merge_names_who_stays_and_who_is_given_up() -> None:
    received = read(MERGE, "x")
    assert (received.event, received.problems, received.reports) == ("ADT^A40", (), ())
    told = [([i.value for i in each.into], [i.value for i in each.given_up]) for each in received.merges]
    assert told == [(["new1"], ["old1", "old2"]), (["new2"], ["old3"])]
    assert read(MERGE.replace(b"A40", b"A47"), "x").merges == received.merges


@pytest.mark.parametrize(
    ("segments", "place"),
    [
        (("PID|1||a^^^H",), "MRG"),
        (("MRG|b^^^H",), "MRG[1]"),
        (("PID|1||a^^^H", "MRG|"), "MRG[1].1"),
        (("PID|1||", "MRG|b^^^H"), "MRG[1]"),
        (("PID|1||a^^^H", "PID|2||c^^^H", "MRG|b^^^H"), "PID[1]"),
        ((), "MRG"),
    ],
)
def test_half_a_merge_waits(segments: tuple[str, ...], place: str) -> None:
    header = MSH.replace("ORU^R01^ORU_R01", "ADT^A40")
    assert codes(read(message(*segments, header=header), "x")) == [("MISSING_FIELD", place)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("ORU^R01^ORU_R01", "ADT^A01", ("UNSUPPORTED", "MSH[1].9.2")),
        ("ORU^R01^ORU_R01", "ORU^R30", ("UNSUPPORTED", "MSH[1].9.2")),
        ("ORU^R01^ORU_R01", "ORM^O01", ("UNSUPPORTED", "MSH[1].9.1")),
        ("ORU^R01^ORU_R01", "", ("MISSING_FIELD", "MSH[1].9")),
        ("2.5.1", "2.2", ("UNSUPPORTED", "MSH[1].12")),
        ("2.5.1", "2.5.1PID", ("UNSUPPORTED", "MSH[1].12")),
        ("|P|", "|T|", ("NOT_PRODUCTION", "MSH[1].11")),
        ("|P|", "|D|", ("NOT_PRODUCTION", "MSH[1].11")),
        ("|M1|", "||", ("MISSING_FIELD", "MSH[1].10")),
    ],
)
def test_what_is_not_taken_is_said_with_its_place(old: str, new: str, expected: tuple[str, str]) -> None:
    received = read(SYNOPTIC.replace(old.encode(), new.encode(), 1), "x")
    assert codes(received) == [expected]


def test_a_training_message_is_taken_where_the_site_says_so() -> None:
    training = SYNOPTIC.replace(b"|P|", b"|T|", 1)
    received = read(training, "x", accept=frozenset({"P", "T", ""}))
    assert not received.problems and received.processing == "T"


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.2", ""])
def test_every_version_from_2_3_to_2_8_is_taken(version: str) -> None:
    assert not read(SYNOPTIC.replace(b"2.5.1", version.encode()), "x").problems


@pytest.mark.parametrize("content", [b"", b"MSH", b"MSH|", b"MSH||||", b"\x00\xff\xfe", b"PID|1", b"FHS|^~\\&|", b"{}"])
def test_garbage_is_answered_and_never_raises(content: bytes) -> None:
    received = read(content, "x")
    assert [each.code for each in received.problems] == ["UNREADABLE"]
    assert received.reports == ()


def test_two_messages_in_one_wait() -> None:
    assert ("UNREADABLE", "MSH[2]") in codes(read(SYNOPTIC + ODD_SEPARATORS.replace(b"$", b"|"), "x"))


def test_no_problem_repeats_an_identifier_or_free_text() -> None:
    contents = (SYNOPTIC.replace(b"ORU^R01^ORU_R01", b"4711^DOE"), oru(f"OBX|1|NM|{RATIO}||1.8||||||DOE"))
    for content in contents:
        received = read(content, "x")
        problems = [*received.problems, *(p for r in received.reports for i in r.items for p in i.problems)]
        assert problems and not any("DOE" in each.message or "4711" in each.message for each in problems)
