"""/cds-services/{id}/feedback: what users did with cards, told by the EHR; and the counts of it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from app.api import answers_feedback as told
from app.api.client_jwt import authenticated
from app.api.problems import documented, known_parameters
from app.api.stored import WRITES, Body, Use, found, sent
from app.services import feedback

# Apart, since only the first is called by an EHR with a token.
router = APIRouter(
    tags=["cds-hooks"],
    dependencies=[Depends(authenticated), Depends(known_parameters)],
    responses=documented("unauthenticated"),
)
summaries = APIRouter(tags=["cds-hooks"], dependencies=[Depends(known_parameters)])

_TIME = "date, or date-time with offset (+ written as %2B)"


@router.post(
    "/cds-services/{service}/feedback",
    operation_id="report_feedback",
    response_class=Response,
    responses={
        200: {
            "description": "Stored",
            "content": {"application/json": {"schema": {"type": "object", "maxProperties": 0}}},
        },
        **documented(*(kind for kind in WRITES if kind not in ("key_conflict", "conflict")), "not_found"),
    },
    openapi_extra=sent("FeedbackReport"),
)
def report_feedback(service: str, body: Body, use: Use) -> Response:
    """What users did with cards of this service: several reports at once, all stored or none."""
    feedback.report(use, service, body)
    return found({})


@summaries.get(
    "/cds-services/feedback",
    operation_id="summarise_feedback",
    responses={
        200: {"model": told.FeedbackSummary, "content": {"text/csv": {"schema": {"type": "string"}}}},
        **documented("invalid", "unavailable"),
    },
)
def summarise_feedback(
    use: Use,
    since: Annotated[str | None, Query(alias="from", max_length=40, description=_TIME)] = None,
    before: Annotated[str | None, Query(max_length=40, description=_TIME)] = None,
    service: Annotated[str | None, Query(max_length=100)] = None,
    format: Literal["json", "csv"] = "json",
) -> Response:
    """Reports counted by service, kind of card, outcome and reason, of those that came in [from, before)."""
    answer = feedback.summary(use, since, before, service)
    if format == "csv":
        headers = {"Content-Disposition": 'attachment; filename="feedback.csv"'}
        return Response(feedback.as_csv(answer), headers=headers, media_type="text/csv")
    return found(answer)
