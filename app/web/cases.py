"""/browser/cases, /browser/patients, /browser/results: the page of a case, the list of cases, and the printed sheet."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.services import cases, finding, sheets
from app.web import site
from app.web.sheet_pdf import sheets_pdf
from app.web.sheet_view import base_of, sheet_view

router = APIRouter(include_in_schema=False)
_Version = Annotated[int | None, Query(ge=1, le=10**6)]


@router.get("/browser/cases")
async def list_page(request: Request, accession: str = "", cursor: str | None = None) -> Response:
    """What is awaited, the first due first; then the newest results; or both of one accession."""

    async def work() -> Response:
        asked = accession.strip()
        found = await run_in_threadpool(cases.list_cases, request.app.state.context, asked or None, cursor)
        return site.page("cases.html", here="cases", found=found, accession=asked, paged=cursor is not None)

    return await site.answered(work)


@router.get("/browser/patients/{patient_id}")
async def case_page(request: Request, patient_id: str, result: str | None = None) -> Response:
    """One patient: the newest specimen on top, or the one asked for; never the values of two in one answer."""

    async def work() -> Response:
        case = await run_in_threadpool(cases.find_case, request.app.state.context, patient_id, result)
        return site.page("case.html", here="cases", case=case)

    return await site.answered(work)


@router.get("/browser/results/{result_id}")
async def result_page(request: Request, result_id: str) -> Response:
    """The page of the case with this result on top."""

    async def work() -> Response:
        patient_id = await run_in_threadpool(cases.patient_of, request.app.state.context, result_id)
        return site.there(_case(patient_id, result_id))

    return await site.answered(work)


@router.get("/browser/results/{result_id}/history")
async def history_page(request: Request, result_id: str) -> Response:
    """Every version of a result, the newest first: who, why, what changed, and what it said."""

    async def work() -> Response:
        context = request.app.state.context
        history = await run_in_threadpool(finding.find_history, context, result_id)
        return site.page("case_history.html", here="cases", history=history)

    return await site.answered(work)


@router.get("/browser/results/{result_id}/sheet")
async def sheet_page(request: Request, result_id: str, version: _Version = None) -> Response:
    """The printed page of a version; without a number of the present one."""

    async def work() -> Response:
        sheet = await _sheet(request, result_id, version)
        return site.page("sheet.html", here="cases", sheet=sheet, view=sheet_view(sheet))

    return await site.answered(work)


@router.post("/browser/results/{result_id}/sheet")
async def make_sheet(request: Request, result_id: str) -> Response:
    """Make the short code of the present version where there is none, then show the page to print."""

    async def work() -> Response:
        await site.form(request)
        await run_in_threadpool(sheets.make_sheet, request.app.state.context, result_id)
        return site.there(f"/browser/results/{result_id}/sheet")

    return await site.answered(work)


@router.get("/browser/results/{result_id}/sheet.pdf")
async def sheet_as_pdf(request: Request, result_id: str, version: _Version = None) -> Response:
    """The same page as a PDF."""

    async def work() -> Response:
        sheet = await _sheet(request, result_id, version)
        content = await run_in_threadpool(sheets_pdf, [sheet])
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'inline; filename="her2-sheet.pdf"'}
        return Response(content, headers=headers, media_type="application/pdf")

    return await site.answered(work)


@router.get("/s/{code}")
async def code_page(request: Request, code: str) -> Response:
    """What a printed sheet's code says now: present, or superseded, by what, and what changed."""

    async def work() -> Response:
        found = await run_in_threadpool(sheets.find_sheet, request.app.state.context, code)
        return site.page("sheet_code.html", here="cases", found=found, code=sheets.shown_code(found.code))

    return await site.answered(work)


async def _sheet(request: Request, result_id: str, version: int | None) -> sheets.Sheet:
    context, base = request.app.state.context, base_of(request)
    asked: dict[str, Any] = {"number": version, "base": base}
    return await run_in_threadpool(lambda: sheets.sheet_of(context, result_id, **asked))


def _case(patient_id: str, result_id: str) -> str:
    return f"/browser/patients/{patient_id}?result={result_id}"
