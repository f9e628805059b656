"""JSON bodies read with nothing lost: digits kept as written, doubled keys and broken text refused."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request

from app.domain.problems import Problem
from app.domain.strict_json import NotJson, read_object
from app.services.errors import Refusal

encode = msgspec.json.Encoder().encode


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises Refusal("malformed") with what to send instead."""
    try:
        return read_object(raw)
    except NotJson as error:
        raise _malformed(error.message, error.remedy) from error


def _malformed(message: str, remedy: str) -> Refusal:
    return Refusal("malformed", f"The body {message}.", [Problem("WRONG_TYPE", "body", message, remedy)])


async def json_bytes(request: Request) -> bytes:
    """The request's body, declared as JSON and not compressed, as it came."""
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
    return await request.body()


async def json_object(request: Request) -> dict[str, Any]:
    """The request's body as an object; a dependency of every route that takes one."""
    return parse_object(await json_bytes(request))
