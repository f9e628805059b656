"""Herald within other software: the script of <her2-card>, the /embed pages for frames, and how to use both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.domain import codes
from app.services import finding
from app.services.case_query import PARAMETERS, case_of
from app.services.errors import Refusal
from app.services.reporting import assessed
from app.web.catalogue import catalogue, say
from app.web.pages import render
from app.web.site import page

router = APIRouter(include_in_schema=False)

_STATUS = {"not_found": 404, "conflict": 409, "busy": 503, "unavailable": 503}


@lru_cache(maxsize=1)
def _script() -> tuple[bytes, str]:
    """The script with its words, and its ETag."""
    words = {key.removeprefix("element."): told for key, told in catalogue().items() if key.startswith("element.")}
    low = {code: each.text for code, each in codes.HER2_LOW.items()}
    content = render("her2-card.js", words=words, her2_low=low).encode()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'


@router.get("/her2-card.js")
async def script(request: Request) -> Response:
    """The element. A plain <script src> needs no CORS; a module, or one with an integrity digest, does."""
    content, tag = _script()
    told = {"ETag": tag, "Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(None, 304, told)
    return Response(content, headers=told, media_type="text/javascript")


@router.get("/embed/result/{result_id}")
async def result_frame(request: Request, result_id: str) -> Response:
    """A stored result for a frame."""

    def found() -> dict[str, Any]:
        result = finding.find_result(request.app.state.context, result_id)
        if result["classification"] is None:
            raise Refusal("conflict", say("embed.erased"))
        as_of = say(
            "embed.stored_as_of", now=_now(), version=result["version"], at=_minute(result["version_created_at"])
        )
        return {
            "answer": result["classification"],
            "confirmation": result["confirmation"],
            "patient_id": result["patient_id"],
            "as_of": as_of,
        }

    return await run_in_threadpool(_frame, request, found)


@router.get("/embed/classify")
async def classify_frame(request: Request) -> Response:
    """The answer to a query as GET /her2/classify takes it, for a frame."""

    def found() -> dict[str, Any]:
        answer = assessed(case_of(request.query_params.multi_items())).answer
        return {
            "answer": answer,
            "confirmation": say("embed.computed"),
            "patient_id": None,
            "as_of": say("embed.computed_as_of", now=_now()),
        }

    return await run_in_threadpool(_frame, request, found)


def _frame(request: Request, find: Callable[[], dict[str, Any]]) -> Response:
    ancestors = request.app.state.settings.frame_ancestors.strip() or "'none'"
    try:
        parts = {**find(), "refused": None}
        return page("embed.html", ancestors=ancestors, **parts)
    except Refusal as refused:
        return page("embed.html", _STATUS.get(refused.kind, 422), ancestors=ancestors, refused=refused)


@router.get("/browser/element")
async def element_page(request: Request) -> Response:
    """Examples of the element, and what to copy."""
    context = request.app.state.context
    newest = await run_in_threadpool(finding.list_results, context, {}, None, 1)
    base = request.app.state.settings.base_url or str(request.base_url).rstrip("/")
    result = newest["items"][0]["id"] if newest["items"] else None
    return page("element.html", base=base, result=result, parameters=list(PARAMETERS))


def _now() -> str:
    return _minute(datetime.now(UTC).isoformat())


def _minute(at: str) -> str:
    """A time in UTC as a reader needs it: to the minute."""
    return at[:16].replace("T", " ")
