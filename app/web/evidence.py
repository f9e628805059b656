"""/browser/evidence: the review's statements to search and to read, each with its place, numbers and caveats."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.domain.evidence import DESIGNS, DIRECTIONS, SETTINGS
from app.services import evidence
from app.web import site

router = APIRouter(prefix="/browser/evidence", include_in_schema=False)

_PAGE = 50
_FILTERS = ("q", "setting", "drug", "biomarker", "direction", "design")
_CHOICES = {
    "setting": SETTINGS,
    "biomarker": tuple(evidence.BIOMARKERS),
    "direction": DIRECTIONS,
    "design": DESIGNS,
}


@router.get("")
async def list_page(request: Request) -> Response:
    """A search and the statements found."""

    async def work() -> Response:
        query = request.query_params
        asked = {name: told for name in _FILTERS if (told := query.get(name, "").strip())}
        # a word that is not in a list narrows to nothing, as a link of an older pack may
        known = all(asked[name] in words for name, words in _CHOICES.items() if name in asked)
        found = _NOTHING
        if known:
            q, setting, drug, biomarker, direction, design = map(asked.get, _FILTERS)
            after = query.get("cursor") or None
            found = evidence.search(q, setting, drug, biomarker, direction, design, after, _PAGE)
        parts: dict[str, Any] = {"found": found, "asked": asked, "choices": _CHOICES, "pack": evidence.evidence_pack()}
        return site.page("evidence.html", here="evidence", plots=request.app.state.plots.values(), **parts)

    return await site.answered(work)


@router.get("/{statement}")
async def statement_page(request: Request, statement: str) -> Response:
    """One statement."""

    async def work() -> Response:
        told = await run_in_threadpool(evidence.statement, statement)
        return site.page("evidence_one.html", here="evidence", finding=told)

    return await site.answered(work)


_NOTHING: dict[str, Any] = {"total": 0, "items": [], "next_cursor": None}
