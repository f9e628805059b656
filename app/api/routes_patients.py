"""/patients, /results/{id}/moves: whose a result is. Plain `def` routes: the store waits for the disk."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.api import answers_patients as answers
from app.api.problems import documented, known_parameters
from app.api.stored import VERBS, WRITES, Body, IdempotencyKey, IfMatch, Use, expected, found, key_of, replied, sent
from app.services import finding, identity
from app.services.reporting import Reply

router = APIRouter(tags=["patients"], dependencies=[Depends(known_parameters)])

_UNCHANGED = "it was so already: nothing stored"


def _answers(model: Any) -> dict[int | str, dict[str, Any]]:
    return {201: {"model": model}, 200: {"model": model, "description": _UNCHANGED}}


def _decided(reply: Reply) -> Response:
    return replied(reply, status=201 if reply.body["changed"] else 200)


@router.get(
    "/patients/{patient:path}/her2",
    operation_id="find_timeline",
    responses={200: {"model": answers.Timeline}, **documented("not_found", "invalid", "unavailable")},
)
def find_timeline(
    use: Use,
    patient: str,
    system: Annotated[str | None, Query(min_length=1, max_length=300, description="the pseudonym's system")] = None,
) -> Response:
    """A patient's HER2 over specimens, with changes of status named. By Herald's patient id, or by pseudonym."""
    return found(finding.find_timeline(use, patient, system))


@router.post(
    "/patients/merge",
    operation_id="merge_patients",
    status_code=201,
    responses={**_answers(answers.PatientLink), **documented(*WRITES, "not_found")},
    openapi_extra=sent("PatientMerge"),
)
def merge(request: Request, body: Body, use: Use, key: IdempotencyKey = None) -> Response:
    """Two patients are one: the timeline of the one in `into` shows the results of both. Can be taken back."""
    return _decided(identity.merge(use, body, key_of(request, key, body)))


@router.post(
    "/patients/unmerge",
    operation_id="unmerge_patients",
    status_code=201,
    responses={**_answers(answers.PatientLink), **documented(*WRITES, "not_found")},
    openapi_extra=sent("PatientMerge"),
)
def unmerge(request: Request, body: Body, use: Use, key: IdempotencyKey = None) -> Response:
    """Take a merge back: each patient has the results again that came with its own identifiers."""
    return _decided(identity.unmerge(use, body, key_of(request, key, body)))


@router.post(
    "/results/{result_id}/moves",
    operation_id="move_result",
    status_code=201,
    responses={**_answers(answers.MovedResult), **documented(*VERBS)},
    openapi_extra=sent("ResultMove"),
)
def move(
    request: Request, result_id: str, body: Body, use: Use, key: IdempotencyKey = None, if_match: IfMatch = None
) -> Response:
    """The result is another patient's. The version stays; both timelines tell of it. Moving it back takes it back."""
    return _decided(identity.move_result(use, result_id, body, key_of(request, key, body), expected(if_match)))
