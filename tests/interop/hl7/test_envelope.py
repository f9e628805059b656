"""Who sends, which answer is asked for, and files of several messages."""

from __future__ import annotations

import pytest

from app.interop.hl7.envelope import peek, split_batch, wants
from app.interop.hl7.reading import read
from tests.interop.hl7.samples import MERGE, MSH, ODD_SEPARATORS, SYNOPTIC, TWO_CASES


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (SYNOPTIC, ("LIS|PATHLAB", "M1")),
        (ODD_SEPARATORS, ("LIS|PATHLAB", "M2")),
        (b"\x0b" + SYNOPTIC, ("LIS|PATHLAB", "M1")),
        (b"\xef\xbb\xbf\r\n" + SYNOPTIC, ("LIS|PATHLAB", "M1")),
        (SYNOPTIC.decode().encode("utf-16"), ("LIS|PATHLAB", "M1")),
        (b"MSH|^~\\&|LIS^1.2.3^ISO|^1.2.4^ISO|||||ORU|7", ("LIS|1.2.4", "7")),
        (b"MSH|^~\\&||LAB", ("|LAB", "")),
        (b"MSH|^~\\&|L\\T\\S|M\xfcller||||||5||2.3||||||8859/1", ("L&S|Müller", "5")),
        (b"MSH|^~\\&", ("", "")),
        (b"MSH|", ("", "")),
        (b"MSH", ("", "")),
        (b"", ("", "")),
        (b"\xff\xfe\x00", ("", "")),
    ],
)
def test_the_sender_and_the_control_id_are_found_before_reading(content: bytes, expected: tuple[str, str]) -> None:
    assert peek(content) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("", ("original", "NE", "AL")),
        ("|AL|NE", ("enhanced", "AL", "NE")),
        ("|NE|NE", ("enhanced", "NE", "NE")),
        ("|ER|SU", ("enhanced", "ER", "SU")),
        ("|AL", ("enhanced", "AL", "NE")),
        ("||AL", ("enhanced", "NE", "AL")),
        ("|al|XX", ("enhanced", "AL", "AL")),
    ],
)
def test_the_answers_that_msh_15_and_16_ask_for(conditions: str, expected: tuple[str, str, str]) -> None:
    header = MSH.partition("|2.5.1")[0] + "|2.5.1||" + conditions
    assert wants(header.encode()) == expected
    assert wants(b"MSH") == ("original", "NE", "AL")


@pytest.mark.parametrize("line_end", ["\r", "\n", "\r\n"])
def test_a_batch_gives_its_messages(line_end: str) -> None:
    batch = b"FHS|^~\\&|LIS\rBHS|^~\\&|LIS\r" + SYNOPTIC + TWO_CASES + b"BTS|2\rBHS|^~\\&\r" + MERGE + b"BTS|1\rFTS|2\r"
    found = split_batch(batch.replace(b"\r", line_end.encode()))
    assert [read(each, "x") for each in found] == [read(each, "x") for each in (SYNOPTIC, TWO_CASES, MERGE)]


def test_a_message_gives_itself_and_nothing_of_a_file_is_dropped() -> None:
    assert split_batch(SYNOPTIC) == [SYNOPTIC]
    assert split_batch(b"lost?\r" + SYNOPTIC) == [b"lost?\r", SYNOPTIC]
    assert split_batch(b"") == split_batch(b"FHS|\r\nFTS|0") == []
