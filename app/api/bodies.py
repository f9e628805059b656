"""JSON bodies read with nothing lost: digits kept as written, doubled keys and broken text refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from starlette.requests import Request

from app.domain.numbers import Digits
from app.domain.problems import Problem
from app.services.errors import Refusal

encode = msgspec.json.Encoder().encode


class _Doubled(ValueError):
    """A key that occurs twice in one object: which value was meant can't be known."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise _Doubled
    return read


# Numbers with a point stay text ("1.80"), so does NaN, which the rules then refuse by name of its field.
_DECODER = json.JSONDecoder(parse_float=Digits, parse_constant=Digits, object_pairs_hook=_object)


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises Refusal("malformed") with what to send instead."""
    try:
        read = _DECODER.decode(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _malformed("is not UTF-8", "send JSON in UTF-8") from error
    except _Doubled as error:
        raise _malformed("holds a key twice in one object", "send each key once") from error
    except json.JSONDecodeError as error:
        raise _malformed(f"is not JSON, at line {error.lineno} column {error.colno}", "send a JSON object") from error
    except (RecursionError, ValueError) as error:
        raise _malformed("is nested too deeply or holds a number too long", "send a plain JSON object") from error
    if not isinstance(read, dict):
        raise _malformed("is not a JSON object", "send a JSON object: {...}")
    return read


def _malformed(message: str, remedy: str) -> Refusal:
    return Refusal("malformed", f"The body {message}.", [Problem("WRONG_TYPE", "body", message, remedy)])


async def json_object(request: Request) -> dict[str, Any]:
    """The request's body as an object; a dependency of every route that takes one."""
    stated = request.headers.get("content-type", "application/json")
    kind = stated if stated == "application/json" else stated.split(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Refusal(
            "unsupported",
            "The body is not declared as JSON.",
            [Problem("WRONG_TYPE", "Content-Type", "is not application/json", "send Content-Type: application/json")],
        )
    coding = request.headers.get("content-encoding")
    if coding is not None and coding.strip().lower() != "identity":
        remedy = "send it as it is, without Content-Encoding"
        raise Refusal(
            "unsupported",
            "The body is declared as compressed.",
            [Problem("WRONG_TYPE", "Content-Encoding", "is not taken", remedy)],
        )
    return parse_object(await request.body())
