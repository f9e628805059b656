"""What the routes of stored things share: their headers, the store they use, and how they answer."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from starlette.responses import Response

from app.api.bodies import encode, json_object
from app.domain.problems import Problem
from app.services.errors import Refusal
from app.services.reporting import Context, Key, Reply

Body = Annotated[dict[str, Any], Depends(json_object)]
SENDER = r"^[\x20-\x7e]{1,100}$"
_KEY = r"^[\x21-\x7e]{1,200}$"
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=_KEY, description="same key and body: same answer, stored once"),
]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="the ETag that was read; 412 when stale")]
WRITES = ("invalid", "malformed", "unsupported", "too_large", "key_conflict", "conflict", "busy", "unavailable")
VERBS = (*WRITES, "not_found", "stale")


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Use = Annotated[Context, Depends(_context)]


def sent(model: str) -> dict[str, Any]:
    """What a route adds to the contract for a body of one of the models of app.api.schemas."""
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def key_of(request: Request, key: str | None, body: Any) -> Key | None:
    """The Idempotency-Key with what it was sent for; None where none was sent."""
    return None if key is None else Key(key, f"{request.method} {request.url.path}", body)


def expected(if_match: str | None) -> int | None:
    """The version an If-Match names: "3" or W/"3"; * asks only that the result is there."""
    if if_match is None or if_match.strip() == "*":
        return None
    tag = re.fullmatch(r'\s*(?:W/)?"(\d{1,9})"\s*', if_match)
    if not tag:
        problem = Problem("WRONG_TYPE", "If-Match", "is not an ETag of a result", 'send the ETag as read, such as "2"')
        raise Refusal("invalid", "If-Match cannot be read.", [problem])
    return int(tag[1])


def replied(reply: Reply, *, status: int = 201) -> Response:
    """What a use case answers, with Location and ETag where it is a result."""
    headers = {}
    if reply.result_id is not None:
        headers = {"Location": f"/results/{reply.result_id}", "ETag": f'"{reply.version}"'}
    if reply.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(encode(reply.body), status, headers, media_type="application/json")


def found(document: Any, etag: int | None = None) -> Response:
    """What was found, as JSON. etag: the version to send back in If-Match."""
    headers = {} if etag is None else {"ETag": f'"{etag}"'}
    return Response(encode(document), headers=headers, media_type="application/json")
