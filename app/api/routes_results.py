"""/results, /open-steps: what is stored. Plain `def` routes: the store waits for the disk."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from app.api import answers
from app.api.bodies import json_bytes, parse_object
from app.api.problems import documented, known_parameters
from app.api.stored import (
    SENDER,
    VERBS,
    WRITES,
    Body,
    IdempotencyKey,
    IfMatch,
    Use,
    expected,
    found,
    key_of,
    replied,
    sent,
)
from app.domain import codes
from app.services import acts, finding, reporting
from app.services.posted import posting

router = APIRouter(tags=["results"], dependencies=[Depends(known_parameters)])

Limit = Annotated[int, Query(ge=1, le=500)]
_Time = Annotated[str | None, Query(description="date, or date-time with offset")]


@router.post(
    "/results",
    operation_id="report",
    status_code=201,
    responses={
        201: {"model": answers.Result},
        200: {"model": answers.Result, "description": "dry run: nothing stored"},
        **documented(*WRITES),
    },
    openapi_extra=sent("Report"),
)
def report(
    request: Request,
    raw: Annotated[bytes, Depends(json_bytes)],
    use: Use,
    key: IdempotencyKey = None,
    sender: Annotated[str | None, Header(alias="Herald-Sender", pattern=SENDER, description="who sends")] = None,
    dry_run: bool = False,
) -> Response:
    """Store a result with its classification. With dry_run=true the same answer, and nothing stored.

    The body is kept as it came, before it is read, and stays in the inbox also where it is refused.
    """
    if dry_run:
        return replied(reporting.report(use, parse_object(raw), None, dry_run=True), status=200)
    with posting(request.app.state.intake, raw, sender or "json", key or "") as kept:
        body = parse_object(raw)
        return replied(reporting.report(use, body, key_of(request, key, body), kept=kept))


@router.get(
    "/results",
    operation_id="list_results",
    responses={200: {"model": answers.ResultPage}, **documented("bad_cursor", "invalid", "unavailable")},
)
def list_results(
    use: Use,
    status: Annotated[Literal[tuple(codes.STATUSES)] | None, Query()] = None,  # type: ignore[valid-type]
    final: bool | None = None,
    her2_low: Annotated[Literal[tuple(codes.HER2_LOW)] | None, Query()] = None,  # type: ignore[valid-type]
    ish_group: Annotated[int | None, Query(ge=1, le=5)] = None,
    edition: Annotated[Literal[codes.EDITIONS] | None, Query()] = None,  # type: ignore[valid-type]
    review_required: bool | None = None,
    signed: bool | None = None,
    patient_id: Annotated[str | None, Query(max_length=100)] = None,
    accession: Annotated[str | None, Query(max_length=500)] = None,
    laboratory: Annotated[str | None, Query(max_length=200)] = None,
    collected_from: _Time = None,
    collected_before: _Time = None,
    created_from: _Time = None,
    created_before: _Time = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Limit = 50,
) -> Response:
    """Stored results at their newest version, the newest first."""
    narrow = {
        "status": status,
        "final": final,
        "her2_low": her2_low,
        "ish_group": ish_group,
        "edition_id": edition,
        "review_required": review_required,
        "signed": signed,
        "patient_id": patient_id,
        "accession": accession,
        "laboratory": laboratory,
        "collected_from": collected_from,
        "collected_before": collected_before,
        "created_from": created_from,
        "created_before": created_before,
    }
    return found(finding.list_results(use, narrow, cursor, limit))


@router.get(
    "/results/{result_id}",
    operation_id="find_result",
    responses={200: {"model": answers.Result}, **documented("not_found", "invalid", "unavailable")},
)
def find_result(use: Use, result_id: str) -> Response:
    """One result at its newest version; its ETag is for If-Match."""
    document = finding.find_result(use, result_id)
    return found(document, document["version"])


@router.get(
    "/results/{result_id}/history",
    operation_id="find_history",
    responses={200: {"model": answers.History}, **documented("not_found", "invalid", "unavailable")},
)
def find_history(use: Use, result_id: str) -> Response:
    """Every version: who, why, and field by field what changed."""
    return found(finding.find_history(use, result_id))


@router.post(
    "/results/{result_id}/amendments",
    operation_id="amend",
    status_code=201,
    responses={201: {"model": answers.Result}, **documented(*VERBS)},
    openapi_extra=sent("Amendment"),
)
def amend(
    request: Request, result_id: str, body: Body, use: Use, key: IdempotencyKey = None, if_match: IfMatch = None
) -> Response:
    """A new version with a reason; the old one stays."""
    return replied(acts.amend(use, result_id, body, key_of(request, key, body), expected(if_match)))


@router.post(
    "/results/{result_id}/recounts",
    operation_id="record_recount",
    status_code=201,
    responses={201: {"model": answers.Result}, **documented(*VERBS)},
    openapi_extra=sent("RecountAct"),
)
def record_recount(
    request: Request, result_id: str, body: Body, use: Use, key: IdempotencyKey = None, if_match: IfMatch = None
) -> Response:
    """A person's second count."""
    return replied(acts.record_recount(use, result_id, body, key_of(request, key, body), expected(if_match)))


@router.post(
    "/results/{result_id}/adjudications",
    operation_id="record_adjudication",
    status_code=201,
    responses={201: {"model": answers.Result}, **documented(*VERBS)},
    openapi_extra=sent("AdjudicationAct"),
)
def record_adjudication(
    request: Request, result_id: str, body: Body, use: Use, key: IdempotencyKey = None, if_match: IfMatch = None
) -> Response:
    """The final ISH group, named by a person."""
    return replied(acts.record_adjudication(use, result_id, body, key_of(request, key, body), expected(if_match)))


@router.post(
    "/results/{result_id}/sign-offs",
    operation_id="sign_off",
    status_code=201,
    responses={201: {"model": answers.Result}, **documented(*VERBS)},
    openapi_extra=sent("SignOff"),
)
def sign_off(
    request: Request, result_id: str, body: Body, use: Use, key: IdempotencyKey = None, if_match: IfMatch = None
) -> Response:
    """A person confirms the present version."""
    return replied(acts.sign_off(use, result_id, body, key_of(request, key, body), expected(if_match)))


@router.post(
    "/results/{result_id}/replay",
    operation_id="replay",
    responses={200: {"model": answers.Replay}, **documented("not_found", "invalid", "conflict", "unavailable")},
)
def replay(use: Use, result_id: str, version: Annotated[int | None, Query(ge=1, le=10**6)] = None) -> Response:
    """Evaluate the stored input again by the stored versions and compare; stores nothing."""
    return found(finding.replay(use, result_id, version))


@router.post(
    "/results/{result_id}/re-evaluations",
    operation_id="re_evaluate",
    status_code=201,
    responses={201: {"model": answers.ReEvaluated}, **documented(*VERBS)},
    openapi_extra=sent("ReEvaluation"),
)
def re_evaluate(request: Request, result_id: str, body: Body, use: Use, key: IdempotencyKey = None) -> Response:
    """The stored input under another edition; kept beside the current answer, which stays."""
    return replied(finding.re_evaluate(use, result_id, body, key_of(request, key, body)))


@router.get(
    "/open-steps",
    operation_id="list_open_steps",
    tags=["open steps"],
    responses={200: {"model": answers.OpenStepPage}, **documented("bad_cursor", "invalid", "unavailable")},
)
def list_open_steps(
    use: Use,
    awaited: Annotated[Literal[tuple(codes.NEXT_STEPS)] | None, Query()] = None,  # type: ignore[valid-type]
    who: Annotated[str | None, Query(max_length=100)] = None,
    result_id: Annotated[str | None, Query(max_length=100)] = None,
    due_before: _Time = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Limit = 50,
) -> Response:
    """What every not-final answer waits for: since when, due when, who."""
    narrow = {"awaited": awaited, "who": who, "result_id": result_id, "due_before": due_before}
    return found(finding.list_open_steps(use, narrow, cursor, limit))
