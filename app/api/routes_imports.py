"""/imports: a table in the body, its rows recorded in the background; its progress, and the file back with problems."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.bodies import encode
from app.api.problems import documented, known_parameters
from app.domain.problems import Problem
from app.services.errors import Refusal
from app.services.imports import MEDIA_TYPES, upload

router = APIRouter(tags=["imports"], dependencies=[Depends(known_parameters)])

_FILE = {"schema": {"type": "string", "format": "binary"}}
_JSON = {"application/json": {"schema": {"type": "object"}}}
_LOCATION = {"Location": {"description": "Where its progress is told", "schema": {"type": "string"}}}


@router.post(
    "/imports",
    operation_id="import_file",
    status_code=202,
    response_class=Response,
    responses={
        200: {"description": "With dry_run: what would become of each row", "content": _JSON},
        202: {
            "description": "The file is kept; its rows are being recorded",
            "content": _JSON,
            "headers": _LOCATION,
        },
        **documented("invalid", "unsupported", "too_large", "busy", "unavailable"),
    },
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES, _FILE)}},
)
async def import_file(
    request: Request,
    mapping: Annotated[
        str | None, Query(description="a mapping that comes with Herald; absent: columns named as the fields")
    ] = None,
    sender: Annotated[str | None, Query(description="who sends it: its patients' numbers are this sender's")] = None,
    laboratory: Annotated[str | None, Query(description="the laboratory whose cases these are")] = None,
    dry_run: Annotated[bool, Query(description="what would become of each row; nothing is stored")] = False,
) -> Response:
    """Keep a table (CSV, TSV, Excel, Parquet) as it came and record its rows. The same file is one import."""
    kind = _kind(request)
    sent = upload(await request.body(), kind, mapping, sender, laboratory)
    imports = request.app.state.imports
    if dry_run:
        return _answer(await run_in_threadpool(imports.preview, sent))
    message_id = await run_in_threadpool(imports.keep, sent)
    request.app.state.import_jobs.begin(message_id)
    return _answer(await run_in_threadpool(imports.report, message_id), 202, {"Location": f"/imports/{message_id}"})


@router.get(
    "/imports/{import_id}",
    operation_id="read_import",
    response_class=Response,
    responses={
        200: {"description": "How far it is: counts, and the problems by row", "content": _JSON},
        **documented("not_found", "invalid", "busy", "unavailable"),
    },
)
def read_import(request: Request, import_id: str) -> Response:
    """State, rows, done, recorded, refused, and the problems by row; row 1 is the header."""
    return _answer(request.app.state.imports.report(import_id))


@router.get(
    "/imports/{import_id}/file",
    operation_id="read_import_file",
    response_class=Response,
    responses={
        200: {
            "description": "The file with each row's status and problems",
            "content": dict.fromkeys(MEDIA_TYPES, _FILE),
        },
        **documented("not_found", "invalid", "conflict", "busy", "unavailable"),
    },
)
def read_import_file(request: Request, import_id: str) -> Response:
    """The file in its own format with the columns herald.status and herald.problem, to be mended and sent again."""
    kind, data = request.app.state.imports.given_back(import_id)
    return Response(data, headers={"Content-Type": kind, "Content-Disposition": "attachment"})


def _answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encode(body), status, headers, media_type="application/json")


def _kind(request: Request) -> str:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    problems = []
    if kind not in MEDIA_TYPES:
        remedy = f"send Content-Type: one of {', '.join(MEDIA_TYPES)}"
        problems.append(Problem("WRONG_TYPE", "Content-Type", "is no table that is taken", remedy))
    if coding != "identity":
        remedy = "send it as it is, without Content-Encoding"
        problems.append(Problem("WRONG_TYPE", "Content-Encoding", "is not taken", remedy))
    if problems:
        raise Refusal("unsupported", "The body is not declared as a table.", problems)
    return kind
