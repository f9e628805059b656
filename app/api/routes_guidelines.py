"""/guidelines: the editions, drawn from their tables as JSON or as a page."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.api import answers
from app.api.bodies import encode
from app.api.problems import documented, known_parameters
from app.services.assessment import guideline_document, guideline_identities
from app.services.errors import Refusal
from app.services.evidence import guideline_row

router = APIRouter(tags=["guidelines"], dependencies=[Depends(known_parameters)])


@router.get("/guidelines", operation_id="list_guidelines", responses={200: {"model": list[answers.EditionIdentity]}})
async def list_guidelines() -> Response:
    """Every edition, the default first."""
    return Response(encode(guideline_identities()), media_type="application/json")


@router.get(
    "/guidelines/{edition}",
    operation_id="find_guideline",
    responses={
        200: {"model": answers.Guideline, "content": {"text/html": {}}},
        **documented("not_found", "invalid"),
    },
)
async def find_guideline(
    request: Request, edition: str, format: Annotated[Literal["json", "html"] | None, Query()] = None
) -> Response:
    """An edition's tables: JSON, or a page where the browser asks for text/html (or format=html)."""
    document = guideline_document(edition)
    if document is None:
        raise Refusal("not_found", "There is no such edition; GET /guidelines lists them.")
    accepted = request.headers.get("accept", "")
    if format == "html" or (format is None and "text/html" in accepted):
        page: Response = request.app.state.guideline_page(document)
        return page
    return Response(encode(document), media_type="application/json")


@router.get(
    "/guidelines/{edition}/tables/{table}/rows/{row}",
    operation_id="find_guideline_row",
    responses={200: {"model": answers.GuidelineRow}, **documented("not_found", "invalid")},
)
async def find_guideline_row(edition: str, table: str, row: str) -> Response:
    """One row with its citation: the permanent link of what a trace names."""
    return Response(encode(guideline_row(edition, table, row)), media_type="application/json")
