"""Bytes to text: character sets, line ends, separators and escape sequences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interop.hl7.charsets import decode
from app.interop.hl7.escapes import Dialect, escaped, left_out, unescape
from app.interop.hl7.reading import read
from app.interop.hl7.segments import parse
from tests.interop.hl7.samples import MSH, ODD_SEPARATORS, SYNOPTIC, oru

BARE = MSH.replace("UNICODE UTF-8", "")


def header(name: str) -> bytes:
    return f"{BARE}{name}\rNTE|1||".encode()


@pytest.mark.parametrize(
    ("name", "default", "text", "written_in", "read_as"),
    [
        ("UNICODE UTF-8", "", "ü ≥", "utf-8", "utf-8"),
        ("8859/1", "", "ü", "latin-1", "iso8859-1"),
        ("8859/15", "", "€", "iso8859-15", "iso8859-15"),
        ("ISO IR87", "", "乳癌", "iso2022_jp", "iso2022_jp"),
        ("", "8859/2", "ő", "iso8859-2", "iso8859-2"),
        ("", "", "ü ≥", "utf-8", "utf-8"),
        ("", "", "ü", "cp1252", "cp1252"),
        ("ASCII", "", "plain", "ascii", "ascii"),
        ("ASCII", "", "ü", "utf-8", "utf-8"),
        ("ASCII", "8859/1", "ü", "latin-1", "iso8859-1"),
        ("8859/1~ISO IR87", "", "ü", "latin-1", "iso8859-1"),
        ("8859/1", "", "ü ≥", "utf-8", "utf-8"),
        ("UNICODE UTF-16", "", "ü", "utf-8", "utf-8"),
        ("rot13", "unicode_escape", "ü \\x41", "utf-8", "utf-8"),
        ("CAN", "", "ü", "utf-8", "utf-8"),
    ],
)
def test_text_is_read_in_the_character_set_that_is_true(
    name: str, default: str, text: str, written_in: str, read_as: str
) -> None:
    decoded = decode(header(name) + text.encode(written_in), default)
    assert decoded.text.endswith(text)
    assert decoded.encoding == read_as
    assert any(read_as in note for note in decoded.notes)


def test_a_message_in_two_byte_characters_is_read() -> None:
    whole = SYNOPTIC.decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        received = read(whole.encode(encoding), "x")
        assert received.control_id == "M1" and not received.problems


def test_lost_characters_are_counted() -> None:
    damaged = decode(header("8859/1") + "a�b�".encode())
    assert "2 characters are replacement characters: what stood there is lost" in damaged.notes
    assert decode(b"MSH|^~\\&|\x81\xff\x00").encoding == "cp1252"


def test_a_zero_character_is_left_out_for_no_database_holds_it() -> None:
    assert "\x00" not in decode(b"MSH|^~\\&|A\x00B").text


@pytest.mark.parametrize("line_end", ["\r", "\n", "\r\n", "\r\n\r\n"])
def test_every_line_end_separates_segments(line_end: str) -> None:
    changed = SYNOPTIC.decode().replace("\r", line_end).encode()
    assert read(changed, "x") == read(SYNOPTIC, "x")


def test_other_separators_are_those_that_the_message_names() -> None:
    (report,) = read(ODD_SEPARATORS, "x").reports
    assert report.patient[0].system == "urn:oid:1.2.276.0.76.3"
    assert report.items[0].values[0].text == "50 $ 60 % a!b ~ @ done"


@pytest.mark.parametrize("characters", ["^~\\&", "^~\\&#", "~\\&", "^~\\", "^~", "^"])
def test_msh_2_may_have_more_or_fewer_characters(characters: str) -> None:
    received = read(SYNOPTIC.replace(b"^~\\&", characters.encode(), 1), "x")
    assert received.reports == read(SYNOPTIC, "x").reports


@pytest.mark.parametrize("characters", ["", "^^^^", "AB\\&", "^~\\&#!", "^~\\^", "^ \\&"])
def test_separators_that_cannot_be_told_apart_are_refused(characters: str) -> None:
    received = read(SYNOPTIC.replace(b"^~\\&", characters.encode(), 1), "x")
    assert [(each.code, each.field) for each in received.problems] == [("UNREADABLE", "MSH[1].2")]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"\X0D\\X0A\ two", "\r\n two"),
        (r"M\XC3BC\ller", "Müller"),
        (r"M\XC3\\XBC\ller", "Müller"),
        (r"one\.br\two\.BR\three", "one\ntwo\nthree"),
        (r"one\.sp2\two\.sp\three", "one\n\ntwo\nthree"),
        (r"\.in+4\\.ti-2\indented\.nf\ ", "indented "),
        (r"a\.sk3\b", "a   b"),
        (r"\H\high\N\ low", "high low"),
        (r"\Zlocal\kept\C2842\\M2442\ out", "kept out"),
        (r"LAB \R\M 5", "LAB ~M 5"),
        (r"C:\temp\notes", r"C:\temp\notes"),
        (r"raw & stays", "raw & stays"),
        (r"\E\.br\E\ is text", r"\.br\ is text"),
        (r"an open \ end", r"an open \ end"),
        (r"\X00\zero", "zero"),
        (r"\P\ no truncation", r"\P\ no truncation"),
    ],
)
def test_escape_sequences_mean_what_the_standard_says(raw: str, text: str) -> None:
    assert unescape(raw, Dialect()) == text


def test_bytes_in_escapes_are_in_the_message_s_character_set() -> None:
    assert unescape(r"M\XFC\ller", Dialect(encoding="iso8859-1")) == "Müller"
    assert unescape(r"\P\ ", Dialect(truncation="#")) == "# "


def test_what_is_left_out_is_counted() -> None:
    assert left_out(r"\Zx\ \C2842\ \.br\ \F\ ", Dialect()) == 2
    (report,) = read(oru(r"OBX|1|TX|A^B^L||x\Zq\y||||||F"), "x").reports
    assert report.items[0].notes == ("OBX[1].5: 1 escape sequences were left out",)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from(" \n")))
def test_what_is_escaped_reads_back(text: str) -> None:
    dialect = Dialect()
    raw = escaped(text, dialect)
    assert not set(raw) & set("|^~&\r\n")
    assert unescape(raw, dialect) == text


def test_a_broken_line_goes_on_with_the_text_it_belongs_to() -> None:
    parsed = parse(oru("OBX|1|TX|RPT^Report^L||HER2 by IHC:\nscore 2+||||||F", "NTE|1||one\ntwo"))
    assert not parsed.problems
    assert any("2 lines" in note for note in parsed.notes)
    (report,) = read(oru("OBX|1|TX|RPT^Report^L||HER2 by IHC:\nscore 2+||||||F"), "x").reports
    assert [each.text for each in report.items[0].values] == ["HER2 by IHC:", "score 2+"]


@pytest.mark.parametrize("line", ["obx|2|ST|A^B^L||3+||||||F", "garbage", "OBXX|1"])
def test_a_line_that_belongs_nowhere_makes_the_message_wait(line: str) -> None:
    received = read(oru("OBX|1|ST|A^B^L||2+||||||F", line), "x")
    assert [each.code for each in received.problems] == ["UNREADABLE"]
    assert "garbage" not in str(received.problems)


def test_segments_of_no_use_here_are_passed_over() -> None:
    plain = read(SYNOPTIC, "x").reports
    with_more = SYNOPTIC.replace(b"\rOBX|2|", b"\rZXY|1|local\rDG1|1||C50\rOBX|2|").replace(b"\rORC", b"\rZPI|1\rORC")
    assert read(with_more, "x").reports == plain


def test_a_message_of_many_lines_is_read_in_step() -> None:
    lines = [f"OBX|{n}|TX|RPT^Report^L||line {n}||||||F" for n in range(1, 3001)]
    (report,) = read(oru(*lines), "x").reports
    assert len(report.items) == 1
    assert [each.where for each in report.items[0].values] == [f"OBX[{n}].5" for n in range(1, 3001)]
