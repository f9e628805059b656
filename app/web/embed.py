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
from app.services.errors import Refusal
from app.services.query import PARAMETERS, read_query
from app.services.reporting import assessed
from app.web import site
from app.web.catalogue import catalogue, say
from app.web.pages import render

router = APIRouter(include_in_schema=False)


@lru_cache(maxsize=1)
def _script() -> tuple[bytes, str]:
    """The script with its words, and its ETag."""
    names = [name for page, _, name in (key.partition(".") for key in catalogue()) if page == "element"]
    words = {name: say("element." + name) for name in names}
    low = {code: each.text for code, each in codes.HER2_LOW.items()}
    content = render("her2-card.js", words=words, her2_low=low, parameters=list(PARAMETERS)).encode()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'


@router.get("/her2-card.js")
async def script(request: Request) -> Response:
    """The element. A plain <script src> needs no CORS; a module, or one with an integrity digest, does."""
    content, tag = _script()
    told = {"ETag": tag, "Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(None, 304, told)
    return Response(content, headers=told, media_type="text/javascript")


@router.get("/embed/result/{result_id}")
async def result_frame(request: Request, result_id: str) -> Response:
    """A stored result for a frame."""

    def find() -> dict[str, Any]:
        result = finding.find_result(request.app.state.context, result_id)
        if result["classification"] is None:
            raise Refusal("conflict", say("embed.erased"))
        at, version = _minute(result["version_created_at"]), result["version"]
        return {
            "answer": result["classification"],
            "confirmation": result["confirmation"],
            "patient_id": result["patient_id"],
            "as_of": say("embed.stored_as_of", now=_now(), version=version, at=at),
        }

    return await _frame(request, find)


@router.get("/embed/classify")
async def classify_frame(request: Request) -> Response:
    """The answer to a query as GET /her2/classify takes it, for a frame."""

    def find() -> dict[str, Any]:
        return {
            "answer": assessed(read_query(request.query_params.multi_items())).answer,
            "confirmation": say("answer.nothing_stored"),
            "patient_id": None,
            "as_of": say("embed.computed_as_of", now=_now()),
        }

    return await _frame(request, find)


async def _frame(request: Request, find: Callable[[], dict[str, Any]]) -> Response:
    ancestors = request.app.state.settings.frame_ancestors.strip() or "'none'"

    async def work() -> Response:
        return site.page("embed.html", ancestors=ancestors, **await run_in_threadpool(find))

    return await site.answered(work, template="embed.html", ancestors=ancestors)


@router.get("/browser/element")
async def element_page(request: Request) -> Response:
    """Examples of the element, and what to copy."""

    async def work() -> Response:
        newest = await run_in_threadpool(finding.list_results, request.app.state.context, {}, None, 1)
        base = site.base_of(request)
        result = newest["items"][0]["id"] if newest["items"] else None
        return site.page("element.html", base=base, result=result, parameters=list(PARAMETERS))

    return await site.answered(work)


def _now() -> str:
    return _minute(datetime.now(UTC).isoformat())


def _minute(at: str) -> str:
    """A time in UTC as a reader needs it: to the minute."""
    return at[:16].replace("T", " ")
