"""/hl7v2: one HL7 v2 message in the body, its acknowledgement in the answer; the same exchange as over MLLP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.bodies import encode
from app.api.problems import documented, known_parameters
from app.domain.problems import Problem
from app.services.assessment import problem_document
from app.services.errors import Refusal
from app.services.exchange import Exchange, payload
from app.services.payloads import HL7V2, Outcome

router = APIRouter(tags=["hl7v2"], dependencies=[Depends(known_parameters)])

MEDIA_TYPES = (HL7V2, "application/hl7-v2", "text/plain")
_TEXT = {"schema": {"type": "string"}}


@router.post(
    "/hl7v2",
    operation_id="take_hl7v2",
    response_class=Response,
    responses={
        200: {
            "description": "The acknowledgement (AA, AE or AR); with dry_run, what would be read",
            "content": {**dict.fromkeys(MEDIA_TYPES, _TEXT), "application/json": {"schema": {"type": "object"}}},
        },
        **documented("invalid", "unsupported", "too_large", "busy", "unavailable"),
    },
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES, _TEXT)}},
)
async def take_hl7v2(
    request: Request, dry_run: Annotated[bool, Query(description="what would be read; nothing is stored")] = False
) -> Response:
    """Keep, record and acknowledge one message of HL7 v2.3 to 2.8 (ER7). Its bytes are taken as they are.

    The acknowledgement is AA, AE or AR whatever MSH-15 and MSH-16 ask for.
    """
    kind = _kind(request)
    message = await request.body()
    if dry_run:
        outcome: Outcome = await run_in_threadpool(request.app.state.intake.preview, payload(message))
        return Response(encode(_document(outcome)), media_type="application/json")
    exchange: Exchange = request.app.state.exchange
    # bytes by its own MSH-18: a charset parameter could only contradict it
    return Response(await exchange.answer(message), headers={"Content-Type": kind})


def _kind(request: Request) -> str:
    kind = request.headers.get("content-type", HL7V2).split(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    problems = []
    if kind not in MEDIA_TYPES:
        problems.append(Problem("WRONG_TYPE", "Content-Type", "is not HL7 v2", f"send Content-Type: {HL7V2}"))
    if coding != "identity":
        remedy = "send it as it is, without Content-Encoding"
        problems.append(Problem("WRONG_TYPE", "Content-Encoding", "is not taken", remedy))
    if problems:
        raise Refusal("unsupported", "The body is not declared as a plain HL7 v2 message.", problems)
    return kind


def _document(outcome: Outcome) -> dict[str, Any]:
    return {
        "state": outcome.state,
        "step": outcome.step,
        "problems": [problem_document(each) for each in outcome.problems],
        "results": list(outcome.results),
        "lines": list(outcome.lines),
    }
