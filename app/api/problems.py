"""Errors as RFC 9457 problem documents: what was wrong, in which field, what to send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus, unquote_to_bytes

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.bodies import encode
from app.domain.problems import Problem, named, shown
from app.domain.strict_json import write
from app.services.assessment import problem_document
from app.services.errors import Refusal
from app.services.fhir_exchange import refused
from app.services.payloads import FHIR_JSON

# kind -> status, title. The type is urn:herald:problem:<kind>, a name and not an address.
KINDS: dict[str, tuple[int, str]] = {
    "invalid": (422, "The request cannot be accepted as it is"),
    "malformed": (400, "The body cannot be read"),
    "unauthenticated": (401, "The caller is not known"),
    "unsupported": (415, "The body is of another media type"),
    "not_acceptable": (406, "No representation that is accepted"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "This resource does not take this method"),
    "too_large": (413, "The body is too large"),
    "prefetch_missing": (412, "Data that the service needs were not sent"),
    "stale": (412, "The result has changed since it was read"),
    "key_conflict": (409, "The Idempotency-Key was used for another request"),
    "in_progress": (409, "The first request with this key is still at work"),
    "conflict": (409, "The request conflicts with what is on record"),
    "bad_cursor": (422, "The cursor cannot be used here"),
    "busy": (503, "Busy"),
    "unavailable": (503, "The database cannot be reached"),
    "internal": (500, "An error on our side"),
}


class ProblemItem(BaseModel):
    """One thing wrong."""

    code: str = Field(description="A stable code, see docs/codes.md")
    field: str = Field(description="Dotted path of the field")
    message: str = Field(description="What was wrong")
    remedy: str = Field(description="What to send instead")


class ProblemDocument(BaseModel):
    """RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    problems: list[ProblemItem] = []
    classification: dict[str, Any] | None = Field(None, description="How an invalid case was read, with its trace")
    current_version: int | None = Field(None, description="With `stale`: the version that is current")


def problem_response(
    kind: str, detail: str, problems: Sequence[Problem] = (), extra: Mapping[str, Any] | None = None
) -> Response:
    """A problem document as a response."""
    status, title = KINDS[kind]
    body = {
        "type": f"urn:herald:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "problems": [problem_document(problem) for problem in problems],
        **(extra or {}),
    }
    headers = {"Retry-After": "1"} if status == 503 or kind == "in_progress" else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(encode(body), status, headers, media_type="application/problem+json")


def refusal_response(
    path: str, kind: str, detail: str, problems: Sequence[Problem] = (), extra: Mapping[str, Any] | None = None
) -> Response:
    """What was not done, in the words of the path's protocol: under /fhir an OperationOutcome, else a problem."""
    if path != "/fhir" and not path.startswith("/fhir/"):
        return problem_response(kind, detail, problems, extra)
    # FHIR answers a search or an operation that cannot be read by 400.
    status = 400 if kind == "invalid" else KINDS[kind][0]
    headers = {"Retry-After": "1"} if status == 503 else None
    return Response(write(refused(kind, detail, problems)), status, headers, media_type=FHIR_JSON)


def query_items(request: Request) -> list[tuple[str, str]]:
    """The query's names and values. Raises Refusal for bytes that are not UTF-8, which would be read as others."""
    items = request.query_params.multi_items()
    if any("\ufffd" in text for item in items for text in item):
        problems = [
            Problem("WRONG_TYPE", named("", unquote_plus(part.split("=")[0])), "is not UTF-8", "escape it as UTF-8")
            for part in request.url.query.split("&")
            if not _is_utf_8(part)
        ]
        if problems:
            raise Refusal("invalid", "The query cannot be read.", problems)
    return items


def _is_utf_8(escaped: str) -> bool:
    try:
        unquote_to_bytes(escaped).decode()
    except UnicodeDecodeError:
        return False
    return True


def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have, or one sent twice: a mistyped one must not be ignored."""
    asked = request.scope["route"].dependant
    known = {field.alias for each in (asked, *asked.dependencies) for field in each.query_params}
    sent = [name for name, _ in query_items(request)]
    problems = [
        Problem(
            "UNKNOWN_FIELD",
            named("", name),
            "there is no such parameter",
            f"use one of {', '.join(sorted(known))}" if known else "send no parameters",
        )
        for name in sent
        if name not in known
    ]
    problems += [
        Problem("TWICE_STATED", name, "is given twice", f"send {name} once") for name in known if sent.count(name) > 1
    ]
    if problems:
        raise Refusal("invalid", "The query cannot be read.", problems)


def documented(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of a route that can answer these kinds."""
    told: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, "internal"):
        status, title = KINDS[kind]
        description = f"{told[status]['description']}; {title}" if status in told else title
        schema = {"$ref": "#/components/schemas/ProblemDocument"}
        told[status] = {"description": description, "content": {"application/problem+json": {"schema": schema}}}
    return told


def install(app: FastAPI) -> None:
    """Answer what is refused as a problem document; an error of ours is answered by RequestLayer."""

    @app.exception_handler(Refusal)
    async def turned_down(request: Request, error: Refusal) -> Response:
        return refusal_response(request.url.path, error.kind, error.detail, error.problems, error.extra)

    @app.exception_handler(RequestValidationError)
    async def unread(request: Request, error: RequestValidationError) -> Response:
        problems = [
            Problem(
                "MISSING_FIELD" if each["type"] == "missing" else "WRONG_TYPE",
                ".".join(str(part) for part in each["loc"][1:]) or "body",
                f"{shown(each.get('input'))}: {each['msg']}" if each["type"] != "missing" else "is needed",
                "see the API's description of this parameter",
            )
            for each in error.errors()
        ]
        return refusal_response(request.url.path, "invalid", "A parameter cannot be read.", problems)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        kind = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "malformed")
        response = refusal_response(request.url.path, kind, KINDS[kind][1] + ".")
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        return response
