"""/meetings: the tumour board's lists and outcomes. Plain `def` routes: the store waits for the disk."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from app.api import answers_meetings as answers
from app.api.problems import documented, known_parameters
from app.api.stored import SENDER, WRITES, Body, IdempotencyKey, Use, found, key_of, replied, sent
from app.domain.problems import Problem
from app.services import meetings, outcomes
from app.services.errors import Refusal
from app.services.payloads import FHIR_JSON

router = APIRouter(tags=["meetings"], dependencies=[Depends(known_parameters)])

_UNCHANGED = "it was so already: nothing stored"
_VERBS = (*WRITES, "not_found")
_FHIR_LIST = {
    "type": "object",
    "required": ["resourceType", "entry"],
    "properties": {"resourceType": {"type": "string", "enum": ["List"]}, "entry": {"type": "array"}},
}
_Day = Annotated[str | None, Query(description="YYYY-MM-DD", max_length=10)]
_Person = Query(max_length=200, description="who asks; only with a FHIR List, whose source.display it replaces")


def _answers(model: Any) -> dict[int | str, dict[str, Any]]:
    return {201: {"model": model}, 200: {"model": model, "description": _UNCHANGED}}


def _placing() -> dict[str, Any]:
    body = sent("CasePlacing")
    body["requestBody"]["content"][FHIR_JSON] = {"schema": _FHIR_LIST}
    return body


@router.post(
    "/meetings",
    operation_id="make_meeting",
    status_code=201,
    responses={201: {"model": answers.MeetingDetail}, **documented(*WRITES)},
    openapi_extra=sent("NewMeeting"),
)
def make_meeting(request: Request, body: Body, use: Use, key: IdempotencyKey = None) -> Response:
    """Make a meeting on a date."""
    reply = meetings.make_meeting(use, body, key_of(request, key, body))
    response = replied(reply)
    response.headers["Location"] = f"/meetings/{reply.body['id']}"
    return response


@router.get(
    "/meetings",
    operation_id="list_meetings",
    responses={200: {"model": answers.MeetingPage}, **documented("bad_cursor", "invalid", "unavailable")},
)
def list_meetings(
    use: Use,
    held_from: _Day = None,
    held_before: _Day = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Meetings, the latest first. held_from takes its day, held_before leaves it out."""
    narrow = {"held_from": held_from, "held_before": held_before}
    return found(meetings.list_meetings(use, narrow, cursor, limit))


@router.get(
    "/meetings/{meeting_id}",
    operation_id="find_meeting",
    responses={200: {"model": answers.MeetingDetail}, **documented("not_found", "invalid", "unavailable")},
)
def find_meeting(use: Use, meeting_id: str) -> Response:
    """A meeting with its cases in order: status, open steps, question, and what was decided."""
    return found(meetings.find_meeting(use, meeting_id))


@router.post(
    "/meetings/{meeting_id}/cases",
    operation_id="place_cases",
    status_code=201,
    responses={**_answers(answers.CasesPlaced), **documented(*_VERBS)},
    openapi_extra=_placing(),
)
def place_cases(
    request: Request,
    meeting_id: str,
    body: Body,
    use: Use,
    key: IdempotencyKey = None,
    sender: Annotated[
        str, Header(alias="Herald-Sender", pattern=SENDER, description="whose own a List's relative references are")
    ] = "",
    name: Annotated[str | None, _Person] = None,
    role: Annotated[str | None, _Person] = None,
) -> Response:
    """Put cases at the end of the list: one by patient, result_id or accession, or all that open steps name.

    As application/fhir+json: a List of Patients, placed in its order; entries that name nobody known are told in
    `unknown` one by one, and nothing is guessed. A patient on the list already stays where it is.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == FHIR_JSON:
        sent_for = key_of(request, key, {"list": body, "sender": sender, "name": name, "role": role})
        reply = meetings.place_list(use, meeting_id, body, sent_for, sender=sender, name=name, role=role)
    else:
        wrong = [
            Problem("UNKNOWN_FIELD", parameter, "belongs to a FHIR List", "send name and role in the body")
            for parameter, value in (("name", name), ("role", role))
            if value is not None
        ]
        if wrong:
            raise Refusal("invalid", "The query cannot be read.", wrong)
        reply = meetings.place_case(use, meeting_id, body, key_of(request, key, body))
    return replied(reply, status=201 if reply.body["changed"] else 200)


@router.post(
    "/meetings/{meeting_id}/cases/{patient_id}/removals",
    operation_id="remove_case",
    status_code=201,
    responses={201: {"model": answers.CaseRemoved}, **documented(*_VERBS)},
    openapi_extra=sent("CaseRemoval"),
)
def remove_case(
    request: Request, meeting_id: str, patient_id: str, body: Body, use: Use, key: IdempotencyKey = None
) -> Response:
    """Take a case off the list; one with an outcome stays."""
    return replied(meetings.remove_case(use, meeting_id, patient_id, body, key_of(request, key, body)))


@router.post(
    "/meetings/{meeting_id}/cases/{patient_id}/moves",
    operation_id="move_case",
    status_code=201,
    responses={**_answers(answers.CaseMoved), **documented(*_VERBS)},
    openapi_extra=sent("CaseMove"),
)
def move_case(
    request: Request, meeting_id: str, patient_id: str, body: Body, use: Use, key: IdempotencyKey = None
) -> Response:
    """Move a case one place up or down."""
    reply = meetings.move_case(use, meeting_id, patient_id, body, key_of(request, key, body))
    return replied(reply, status=201 if reply.body["changed"] else 200)


@router.post(
    "/meetings/{meeting_id}/cases/{patient_id}/outcomes",
    operation_id="record_outcome",
    status_code=201,
    responses={201: {"model": answers.RecordedOutcome}, **documented(*_VERBS, "stale")},
    openapi_extra=sent("OutcomeRecording"),
)
def record_outcome(
    request: Request, meeting_id: str, patient_id: str, body: Body, use: Use, key: IdempotencyKey = None
) -> Response:
    """Record what was decided, agreeing or not with which consideration and why; earlier outcomes stay.

    412 with what changed, when the result is at another version than the one looked at.
    """
    return replied(outcomes.record_outcome(use, meeting_id, patient_id, body, key_of(request, key, body)))
