"""Acknowledgements, with hl7apy as a second reader."""

from __future__ import annotations

from datetime import UTC, datetime

import hl7
import pytest
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from app.domain.problems import Problem
from app.interop.hl7.acknowledgement import AckError, acknowledge, errors_of
from app.interop.hl7.reading import read
from tests.interop.hl7.samples import MSH, ODD_SEPARATORS, PID, SYNOPTIC, message

NOW = datetime(2026, 11, 3, 14, 30, tzinfo=UTC)
PROBLEMS = (
    Problem("UNKNOWN_CODE", "OBX[3].5[2].1", "This code | is not mapped.", "Map it."),
    Problem("NO_PATIENT", "patient", "Nobody is named.", "Send PID-3."),
)


def answer(version: str, *problems: Problem) -> bytes:
    content = SYNOPTIC.replace(b"2.5.1", version.encode())
    return acknowledge(content, "AE" if problems else "AA", errors_of(problems), NOW, "A1")


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8"])
@pytest.mark.parametrize("problems", [(), PROBLEMS[:1], PROBLEMS])
def test_a_second_reader_takes_the_acknowledgement_in_every_version(
    version: str, problems: tuple[Problem, ...]
) -> None:
    text = answer(version, *problems).decode()
    parsed = parse_message(text)
    assert parsed.msh.msh_12.to_er7() == version
    assert parsed.msa.msa_2.to_er7() == "M1"
    # Its tables know ACK as a structure from 2.3.1 on.
    assert version == "2.3" or Validator.validate(parsed)
    again = hl7.parse(text)
    assert [str(again["MSH"][0][field]) for field in (3, 4, 5, 6)] == ["HERALD", "HOSP", "LIS", "PATHLAB"]


def test_an_acknowledgement_from_2_5_on_says_place_code_severity_and_words() -> None:
    assert answer("2.5.1", *PROBLEMS).decode().split("\r") == [
        "MSH|^~\\&|HERALD|HOSP|LIS|PATHLAB|20261103143000+0000||ACK^R01^ACK|A1|P|2.5.1||||||UNICODE UTF-8",
        "MSA|AE|M1|This code \\F\\ is not mapped. Map it.",
        "ERR||OBX^3^5^2^1|103^Table value not found^HL70357|E|UNKNOWN_CODE^^99HERALD|||"
        "This code \\F\\ is not mapped. Map it.",
        "ERR|||101^Required field missing^HL70357|E|NO_PATIENT^^99HERALD|||Nobody is named. Send PID-3.",
        "",
    ]


def test_an_acknowledgement_before_2_5_has_its_errors_in_err_1() -> None:
    lines = answer("2.3", *PROBLEMS).decode().split("\r")
    assert lines[0].split("|")[8] == "ACK^R01"
    assert lines[2] == ("ERR|OBX^3^5^103&Table value not found&HL70357~^^^101&Required field missing&HL70357")


def test_2_8_has_neither_err_1_nor_the_text_of_msa() -> None:
    lines = answer("2.8", *PROBLEMS).decode().split("\r")
    assert lines[1] == "MSA|AE|M1"
    assert lines[2].startswith("ERR||OBX^3^5^2^1|103^")


def test_the_sender_s_separators_and_character_set_are_used() -> None:
    (error,) = errors_of([Problem("UNKNOWN_CODE", "OBX[1].3", "A $ sign.", "None.")], "W")
    lines = acknowledge(ODD_SEPARATORS, "AA", [error], NOW, "A%1").decode().split("\r")
    assert lines[0] == "MSH$%~@!$$$LIS$PATHLAB$20261103143000+0000$$ACK%R01%ACK$A@S@1$P$2.4$$$$$$UNICODE UTF-8"
    assert lines[2] == "ERR$OBX%1%3%103!Table value not found!HL70357"
    latin = MSH.replace("UNICODE UTF-8", "8859/1").replace("PATHLAB", "MÜLLER")
    content = acknowledge(f"{latin}\r{PID}".encode("latin-1"), "AA", [], NOW, "A1")
    assert "MÜLLER" in content.decode("latin-1") and b"|8859/1" in content


@pytest.mark.parametrize(
    ("code", "place", "expected"),
    [
        ("UNSUPPORTED", "MSH[1].9.1", "200"),
        ("UNSUPPORTED", "MSH[1].9.2", "201"),
        ("UNSUPPORTED", "MSH[1].12", "203"),
        ("NOT_PRODUCTION", "MSH[1].11", "202"),
        ("CONTROL_ID_REUSED", "MSH[1].10", "205"),
        ("MISSING_FIELD", "MSH[1].10", "101"),
        ("NO_PATIENT", "PID[1].3", "101"),
        ("NO_ACCESSION", "OBR[1].3", "101"),
        ("UNKNOWN_CODE", "OBX[1].3", "103"),
        ("UNKNOWN_VALUE", "OBX[1].11", "103"),
        ("CONTRADICTORY", "OBX[1].5", "102"),
        ("UNREADABLE", "MSH", "100"),
        ("UNREADABLE", "MSH[1].2", "102"),
        ("INTERNAL", "", "207"),
        ("SOMETHING_NEW", "", "207"),
    ],
)
def test_a_problem_has_its_code_of_table_0357(code: str, place: str, expected: str) -> None:
    assert [each.code for each in errors_of([Problem(code, place, "w", "r")])] == [expected]


@pytest.mark.parametrize("content", [b"", b"MSH", b"\x00", b"MSH|^~\\&|LIS|LAB"])
def test_what_cannot_be_read_is_rejected_with_what_is_known(content: bytes) -> None:
    errors = errors_of(read(content, "x").problems)
    lines = acknowledge(content, "AR", errors, NOW, "A1").decode().split("\r")
    assert lines[0].startswith("MSH|^~\\&|||")
    assert lines[0].split("|")[8:12] == ["ACK", "A1", "P", "2.5.1"]
    assert lines[1].startswith("MSA|AR|")
    assert ("|LIS|LAB|" in lines[0]) is (b"LIS" in content)


def test_the_words_are_no_longer_than_the_field() -> None:
    long = AckError("207", "E", "", "INTERNAL", "w" * 400)
    answered = acknowledge(SYNOPTIC, "AE", [long], NOW, "A1").decode().strip()
    assert max(len(each) for each in answered.split("|")) == 250


def test_a_commit_acknowledgement_echoes_the_control_id_as_it_stood() -> None:
    content = message(PID, header=MSH.replace("|M1|", "|M\\T\\1 ü|"))
    assert acknowledge(content, "CA", [], NOW, "A1").decode().split("\r")[1] == "MSA|CA|M\\T\\1 ü"
