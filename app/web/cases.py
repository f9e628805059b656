"""/browser/cases, /browser/patients, /browser/results: the page of a case, the list of cases, and the printed sheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.services import cases, finding, sheets
from app.services.reporting import Context
from app.web import site
from app.web.sheet_pdf import sheets_pdf
from app.web.sheet_view import sheet_view

router = APIRouter(include_in_schema=False)
_Version = Annotated[int | None, Query(ge=1, le=10**6)]


@router.get("/browser/cases")
async def list_page(request: Request, accession: str = "", cursor: str | None = None) -> Response:
    """What is awaited, the first due first; then the newest results; or both of one accession."""

    def shown() -> Response:
        asked = accession.strip()
        found = cases.list_cases(_context(request), asked or None, cursor)
        return site.page("cases.html", here="cases", found=found, accession=asked, paged=cursor is not None)

    return await _answered(shown)


@router.get("/browser/patients/{patient_id}")
async def case_page(request: Request, patient_id: str, result: str | None = None) -> Response:
    """One patient: the newest specimen on top, or the one asked for; never the values of two in one answer."""

    def shown() -> Response:
        return site.page("case.html", here="cases", case=cases.find_case(_context(request), patient_id, result))

    return await _answered(shown)


@router.get("/browser/results/{result_id}")
async def result_page(request: Request, result_id: str) -> Response:
    """The page of the case with this result on top."""

    def shown() -> Response:
        return site.there(f"/browser/patients/{cases.patient_of(_context(request), result_id)}?result={result_id}")

    return await _answered(shown)


@router.get("/browser/results/{result_id}/history")
async def history_page(request: Request, result_id: str) -> Response:
    """Every version of a result, the newest first: who, why, what changed, and what it said."""

    def shown() -> Response:
        history = finding.find_history(_context(request), result_id)
        return site.page("case_history.html", here="cases", history=history)

    return await _answered(shown)


@router.get("/browser/results/{result_id}/sheet")
async def sheet_page(request: Request, result_id: str, version: _Version = None) -> Response:
    """The printed page of a version; without a number of the present one."""

    def shown() -> Response:
        sheet = sheets.sheet_of(_context(request), result_id, number=version, base=site.base_of(request))
        return site.page("sheet.html", here="cases", sheet=sheet, view=sheet_view(sheet))

    return await _answered(shown)


@router.post("/browser/results/{result_id}/sheet")
async def make_sheet(request: Request, result_id: str) -> Response:
    """Make the short code of the present version where there is none, then show the page to print."""

    async def work() -> Response:
        await site.form(request)
        await run_in_threadpool(sheets.make_sheet, _context(request), result_id)
        return site.there(f"/browser/results/{result_id}/sheet")

    return await site.answered(work)


@router.get("/browser/results/{result_id}/sheet.pdf")
async def sheet_as_pdf(request: Request, result_id: str, version: _Version = None) -> Response:
    """The same page as a PDF."""

    def shown() -> Response:
        sheet = sheets.sheet_of(_context(request), result_id, number=version, base=site.base_of(request))
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'inline; filename="her2-sheet.pdf"'}
        return Response(sheets_pdf([sheet]), headers=headers, media_type="application/pdf")

    return await _answered(shown)


@router.get("/s/{code}")
async def code_page(request: Request, code: str) -> Response:
    """What a printed sheet's code says now: present, or superseded, by what, and what changed."""

    def shown() -> Response:
        found = sheets.find_sheet(_context(request), code)
        return site.page("sheet_code.html", here="cases", found=found, code=sheets.shown_code(found.code))

    return await _answered(shown)


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _answered(shown: Callable[[], Response]) -> Response:
    """A page found and drawn off the loop, or the page that says why not."""
    return await site.answered(lambda: run_in_threadpool(shown))
