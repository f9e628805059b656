"""JSON read with nothing lost: digits kept as written, doubled keys and broken text refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from app.domain.numbers import Digits


class NotJson(ValueError):
    """Bytes that cannot be read as JSON. message: what is wrong; remedy: what to send instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy


class _Doubled(ValueError):
    """A key that occurs twice in one object: which value was meant can't be known."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise _Doubled
    return read


# Numbers with a point stay text ("1.80"), so does NaN, which the rules then refuse by name of its field.
_DECODER = json.JSONDecoder(parse_float=Digits, parse_constant=Digits, object_pairs_hook=_object)


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in some bytes; numbers with a point or an exponent as Digits. Raises NotJson."""
    try:
        read = _DECODER.decode(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise NotJson("is not UTF-8", "send JSON in UTF-8") from error
    except _Doubled as error:
        raise NotJson("holds a key twice in one object", "send each key once") from error
    except json.JSONDecodeError as error:
        raise NotJson(f"is not JSON, at line {error.lineno} column {error.colno}", "send a JSON object") from error
    except (RecursionError, ValueError) as error:
        raise NotJson("is nested too deeply or holds a number too long", "send a plain JSON object") from error
    if not isinstance(read, dict):
        raise NotJson("is not a JSON object", "send a JSON object: {...}")
    return read


_encode = msgspec.json.Encoder(decimal_format="number").encode


def write(document: Any) -> bytes:
    """Plain types as JSON, Digits and Decimals as numbers with the digits they have."""
    return _encode(_raw(document))


def _raw(value: Any) -> Any:
    if isinstance(value, Digits):
        return msgspec.Raw(value.encode())
    if isinstance(value, dict):
        return {name: _raw(each) for name, each in value.items()}
    return [_raw(each) for each in value] if isinstance(value, list | tuple) else value
