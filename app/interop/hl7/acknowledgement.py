"""The answer to an HL7 v2 message: MSH, MSA and ERR in the sender's version, separators and character set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from app.domain.problems import Problem
from app.interop.hl7.charsets import encoding_of
from app.interop.hl7.escapes import Dialect, escaped
from app.interop.hl7.segments import Segment, parse
from app.interop.hl7.times import written

AckCode = Literal["AA", "AE", "AR", "CA", "CE", "CR"]
Severity = Literal["E", "W", "I"]

# HL7 table 0357.
_TEXTS = {
    "0": "Message accepted", "100": "Segment sequence error", "101": "Required field missing",
    "102": "Data type error", "103": "Table value not found", "200": "Unsupported message type",
    "201": "Unsupported event code", "202": "Unsupported processing id", "203": "Unsupported version id",
    "204": "Unknown key identifier", "205": "Duplicate key identifier", "207": "Application internal error",
}  # fmt: skip
_CODES = {
    "MISSING_FIELD": "101", "NO_PATIENT": "101", "NO_ACCESSION": "101", "UNKNOWN_CODE": "103",
    "UNKNOWN_VALUE": "103", "AMBIGUOUS": "103", "WRONG_TYPE": "102", "CONTRADICTORY": "102", "NOT_ACCEPTED": "102",
    "PATIENT_DIFFERS": "204", "NOT_PRODUCTION": "202", "CONTROL_ID_REUSED": "205", "INTERNAL": "207",
}  # fmt: skip
_UNSUPPORTED = {"9": "200", "9.1": "200", "9.2": "201", "11": "202", "12": "203"}
_PLACE = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})(?:\[(?P<number>\d+)\])?"
    r"(?:\.(?P<field>\d+)(?:\[(?P<repetition>\d+)\])?(?:\.(?P<component>\d+))?(?:\.(?P<subcomponent>\d+))?)?",
    re.ASCII,
)
_VERSION = re.compile(r"2\.[0-9](?:\.[0-9])?", re.ASCII)
_LONGEST = 250


class AckError(NamedTuple):
    """One ERR. code: HL7 table 0357; place: an HL7 path or ""; own: Herald's code; words: for a person."""

    code: str
    severity: Severity
    place: str
    own: str
    words: str


def errors_of(problems: Iterable[Problem], severity: Severity = "E") -> tuple[AckError, ...]:
    """Problems as errors of an acknowledgement. A place that is no HL7 path is told in the words only."""
    return tuple(
        AckError(
            _code(problem),
            severity,
            problem.field if _PLACE.fullmatch(problem.field) else "",
            problem.code,
            f"{problem.message}{'' if problem.message.endswith('.') else ':'} {problem.remedy}".strip(": "),
        )
        for problem in problems
    )


def acknowledge(
    message: bytes,
    code: AckCode,
    errors: Sequence[AckError],
    now: datetime,
    control_id: str,
    *,
    charset: str = "",
) -> bytes:
    """The acknowledgement of a message, segments ended by CR. now: aware; control_id: of the acknowledgement itself.

    What the message's header does not say is left empty, and then the version is 2.5.1. Raises nothing.
    """
    parsed = parse(message, charset)
    header, dialect = parsed.header, parsed.dialect
    version = header.text(12) if _VERSION.fullmatch(header.text(12)) else "2.5.1"
    segments = [
        _header(header, dialect, version, now, control_id),
        _line(dialect, "MSA", code, header.raw(10), _first_words(errors, dialect) if version < "2.7" else ""),
    ]
    if errors and version < "2.5":
        listed = (_located(each, dialect) for each in errors)
        segments.append(_line(dialect, "ERR", dialect.repetition.join(listed)))
    elif errors:
        segments.extend(_error(each, dialect) for each in errors)
    return "".join(f"{segment}\r" for segment in segments).encode(dialect.encoding, "replace")


def _code(problem: Problem) -> str:
    found = _PLACE.fullmatch(problem.field)
    if problem.code == "UNSUPPORTED":
        segment, _, rest = problem.field.partition(".")
        return _UNSUPPORTED.get(rest, "200") if segment.startswith("MSH") else "200"
    if problem.code == "UNREADABLE":
        return "102" if found is not None and found["field"] else "100"
    return _CODES.get(problem.code, "207")


def _header(header: Segment, dialect: Dialect, version: str, now: datetime, control_id: str) -> str:
    trigger = header.text(9, 2)
    event = trigger if re.fullmatch(r"[A-Z][A-Z0-9]{2}", trigger, re.ASCII) else ""
    kinds = ["ACK", event, "ACK"] if event and version >= "2.3.1" else ["ACK", event] if event else ["ACK"]
    # MSH-18 is echoed only where it is true.
    declared = header.element(18).text(1)
    character_set = header.raw(18) if encoding_of(declared) == dialect.encoding else ""
    if not character_set and dialect.encoding == "utf-8" and version >= "2.3.1":
        character_set = "UNICODE UTF-8"
    return "".join(
        (
            f"MSH{dialect.field}",
            _line(
                dialect,
                dialect.characters,
                *(header.raw(field) for field in (5, 6, 3, 4)),
                written(now),
                "",
                dialect.component.join(kinds),
                escaped(control_id, dialect),
                header.raw(11) or "P",
                version,
                *([""] * 5),
                character_set,
            ),
        )
    )


def _first_words(errors: Sequence[AckError], dialect: Dialect) -> str:
    return escaped(errors[0].words[:80], dialect) if errors else ""


def _error(error: AckError, dialect: Dialect) -> str:
    """ERR from 2.5 on: ERR-2 place, ERR-3 HL7's code, ERR-4 severity, ERR-5 Herald's code, ERR-8 words."""
    words = escaped(error.words[:_LONGEST], dialect)
    return _line(
        dialect,
        "ERR",
        "",
        dialect.component.join(_path(error.place)),
        dialect.component.join((error.code, _TEXTS.get(error.code, ""), "HL70357")),
        error.severity,
        dialect.component.join((error.own, "", "99HERALD")) if error.own else "",
        "",
        "",
        words,
    )


def _located(error: AckError, dialect: Dialect) -> str:
    """A repetition of ERR-1 before 2.5: segment, its number, field, and the code with its parts."""
    segment, number, field = (*_path(error.place), "", "", "")[:3]
    code = dialect.subcomponent.join((error.code, _TEXTS.get(error.code, ""), "HL70357"))
    return dialect.component.join((segment, number, field, code))


def _path(place: str) -> list[str]:
    """A place as an error location (ERL): segment, number, field, repetition, component, subcomponent."""
    found = _PLACE.fullmatch(place)
    if found is None:
        return []
    parts = [found["segment"], found["number"] or "1"]
    if found["field"]:
        parts += [found["field"], found["repetition"] or "1"]
        parts += [each for each in (found["component"], found["subcomponent"]) if each]
    return parts


def _line(dialect: Dialect, *fields: str) -> str:
    return dialect.field.join(fields).rstrip(dialect.field)
