"""Bytes out and in: JSON that keeps digits, and the acknowledgement of HL7 v2."""

from __future__ import annotations

import json
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
                raise TypeError("send a number: this Decimal is none")
            return f"{value:f}"
        case Mapping():
            return "{" + ",".join(f"{json.dumps(str(key))}:{_written(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_written, value)) + "]"
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
    raise TypeError(f"send text, whole numbers, Decimal, lists and mappings, not {type(value).__name__}")


class AcknowledgedError(NamedTuple):
    """One ERR segment. place: ERR-2 (ERR-1 before version 2.5) as sent; code: HL7 table 0357; severity: E, W, I or F."""

    place: str
    code: str
    severity: str
    message: str


class Acknowledgement(NamedTuple):
    """An answer to an HL7 v2 message. code: AA, AE, AR, CA, CE or CR; control_id: MSH-10 of what it answers."""

    code: str
    control_id: str
    text: str
    errors: tuple[AcknowledgedError, ...]
    raw: bytes

    @property
    def accepted(self) -> bool:
        """Whether the message is stored; one that waits in quarantine is, and says so in errors with severity W."""
        return self.code in ("AA", "CA")


def acknowledgement(raw: bytes) -> Acknowledgement:
    """The acknowledgement in an answer. Raises HeraldError where it is none."""
    segments = [line for line in raw.decode("utf-8", "replace").replace("\n", "\r").strip("\x0b\x1c\r").split("\r") if line]
    separator = segments[0][3:4] if segments and segments[0].startswith("MSH") else ""
    fields = [line.split(separator) + [""] * 9 for line in segments] if separator else []
    said = next((each for each in fields if each[0] == "MSA"), None)
    if said is None:
        raise HeraldError("the answer is not an HL7 v2 acknowledgement: is base_url the address of Herald?")
    component = fields[0][1][:1] or "^"
    errors = tuple(
        AcknowledgedError(each[2] or each[1], each[3].split(component)[0], each[4], each[8] or each[7])
        for each in fields
        if each[0] == "ERR"
    )
    return Acknowledgement(said[1], said[2], said[3], errors, raw)
