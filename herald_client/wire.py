"""Bytes out and in: JSON that keeps digits, and the acknowledgement of HL7 v2."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from herald_client.errors import HeraldError


def to_json(value: object) -> bytes:
    """JSON in UTF-8; a Decimal is written as a number with its own digits. A float raises TypeError."""
    return _written(value).encode()


def from_json(content: bytes) -> Any:
    """What a JSON answer holds, numbers with a point as Decimal. Raises HeraldError where it is none."""
    try:
        return json.loads(content, parse_float=Decimal)
    except ValueError as error:
        raise HeraldError("the answer is not JSON: is base_url the address of Herald?") from error


def _written(value: object) -> str:
    match value:
        case float():
            raise TypeError("send '1.80' as text or Decimal: a float has lost the digits that were written")
        case Decimal():
            if not value.is_finite():
                raise TypeError("send a finite number, or leave the field out")
            return f"{value:f}"
        case Mapping():
            return "{" + ",".join(f"{json.dumps(str(key))}:{_written(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_written, value)) + "]"
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
    raise TypeError(f"send text, whole numbers, Decimal, lists and mappings, not {type(value).__name__}")


class AcknowledgedError(NamedTuple):
    """One ERR. place: as sent, `OBX^2^5`; code: HL7 table 0357; severity: E, W, I or F, "" before version 2.5."""

    place: str
    code: str
    severity: str
    message: str


class Acknowledgement(NamedTuple):
    """The answer to an HL7 v2 message. code: AA, AE, AR, CA, CE or CR; control_id: MSH-10 of what it answers."""

    code: str
    control_id: str
    text: str
    errors: tuple[AcknowledgedError, ...]
    raw: bytes

    @property
    def accepted(self) -> bool:
        """Whether it was accepted; a message that waits for a person is, and says so by an error of severity W."""
        return self.code in ("AA", "CA")


def acknowledgement(raw: bytes) -> Acknowledgement:
    """The acknowledgement in an answer. Raises HeraldError where it is none."""
    lines = [line for line in re.split(r"[\r\n\x0b\x1c]+", raw.decode("utf-8", "replace")) if line]
    header = lines[0] if lines and lines[0].startswith("MSH") and len(lines[0]) > len("MSH|^~\\&") else ""
    fields = [line.split(header[3]) + [""] * 9 for line in lines] if header else []
    said = next((each for each in fields if each[0] == "MSA"), None)
    if said is None:
        raise HeraldError("the answer is no HL7 v2 acknowledgement: is base_url the address of Herald?")
    component, repetition, subcomponent = header[4], header[5], header[7]
    errors = []
    for each in fields:
        if each[0] != "ERR":
            continue
        # before version 2.5 all errors stand in ERR-1, each a place with its code
        for old in filter(None, each[1].split(repetition)):
            *place, code = old.split(component)
            errors.append(AcknowledgedError(component.join(place), code.split(subcomponent)[0], "", said[3]))
        if each[3]:
            errors.append(AcknowledgedError(each[2], each[3].split(component)[0], each[4], _text(each[8], header)))
    return Acknowledgement(said[1], said[2], _text(said[3], header), tuple(errors), raw)


def _text(escaped: str, header: str) -> str:
    """A text without HL7's escapes for its separators."""
    stands, mark = dict(zip("FSRET", header[3:8], strict=True)), re.escape(header[6])
    return re.sub(f"{mark}([FSRET]){mark}", lambda found: stands[found[1]], escaped)
