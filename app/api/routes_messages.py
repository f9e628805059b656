"""/messages: what came in and what became of it. Plain `def` routes: the store waits for the disk."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from app.api import answers_messages as told
from app.api.bodies import encode
from app.api.problems import documented, known_parameters
from app.api.stored import WRITES, Body, Use, found, sent
from app.services import messages
from app.services.intake import Intake
from app.services.payloads import FHIR_JSON, HL7V2, STATES

router = APIRouter(tags=["messages"], dependencies=[Depends(known_parameters)])

_ACTS = ("not_found", *(kind for kind in WRITES if kind != "key_conflict"))
_READS = ("invalid", "unavailable")
_Key = Annotated[str | None, Query(max_length=500)]
_Time = Annotated[str | None, Query(description="date, or date-time with offset")]
_State = Annotated[Literal[STATES] | None, Query()]  # type: ignore[valid-type]
_BYTES = {"schema": {"type": "string", "format": "binary"}}


def _intake(request: Request) -> Intake:
    intake: Intake = request.app.state.intake
    return intake


def _narrow(
    state: _State = None,
    sender: _Key = None,
    accession: _Key = None,
    control_id: _Key = None,
    received_from: _Time = None,
    received_before: _Time = None,
    result_id: _Key = None,
) -> dict[str, Any]:
    return {
        "state": state,
        "sender": sender,
        "accession": accession,
        "control_id": control_id,
        "received_from": received_from,
        "received_before": received_before,
        "result_id": result_id,
    }


_Intake = Annotated[Intake, Depends(_intake)]
_Narrow = Annotated[dict[str, Any], Depends(_narrow)]


async def _bytes(request: Request) -> bytes:
    return await request.body()


@router.get(
    "/messages",
    operation_id="list_messages",
    responses={200: {"model": told.MessagePage}, **documented("bad_cursor", *_READS)},
)
def list_messages(
    use: Use,
    narrow: _Narrow,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Messages at their newest state, the newest first. accession: of a specimen that the message spoke of."""
    return found(messages.list_messages(use, narrow, cursor, limit))


@router.get(
    "/messages/counts",
    operation_id="count_messages",
    responses={200: {"model": told.MessageCounts}, **documented(*_READS)},
)
def count_messages(use: Use) -> Response:
    """How many messages are in each state, and of which senders."""
    return found(messages.count_messages(use))


@router.get(
    "/messages/export",
    operation_id="export_messages",
    response_class=Response,
    responses={
        200: {
            "description": "JSON Lines, one ExportedMessage a line",
            "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/ExportedMessage"}}},
        },
        **documented(*_READS),
    },
)
def export_messages(use: Use, narrow: _Narrow) -> Response:
    """Messages with their bytes, narrowed as the list is, the newest first."""
    rows = messages.export_messages(use, narrow)
    # The first row before the answer begins: what is refused is still told as a problem.
    rows = itertools.chain(list(itertools.islice(rows, 1)), rows)
    headers = {"Content-Disposition": 'attachment; filename="messages.jsonl"'}
    return StreamingResponse(_lines(rows), headers=headers, media_type="application/x-ndjson")


@router.post(
    "/messages/preview",
    operation_id="preview_message",
    responses={200: {"model": told.MessageOutcome}, **documented("too_large", *_READS)},
    openapi_extra={
        "requestBody": {"required": True, "content": dict.fromkeys(("text/plain", HL7V2, FHIR_JSON), _BYTES)}
    },
)
def preview_message(
    intake: _Intake,
    message: Annotated[bytes, Depends(_bytes)],
    format: Annotated[Literal["hl7v2", "fhir"], Query()] = "hl7v2",
    sender: Annotated[str | None, Query(max_length=300, description="else the one the message names")] = None,
) -> Response:
    """What Herald would read of the message in the body, line by line; nothing is stored."""
    return found(messages.preview(intake, message, format=format, sender=sender))


@router.post(
    "/messages/replays",
    operation_id="replay_messages",
    responses={200: {"model": told.Replayed}, **documented(*_ACTS)},
    openapi_extra=sent("MessageReplays"),
)
def replay_messages(use: Use, intake: _Intake, body: Body) -> Response:
    """Process all messages of a state again, at most 5000 at a time."""
    return found(messages.replay_messages(use, intake, body))


@router.post(
    "/messages/mappings",
    operation_id="map_code",
    responses={200: {"model": told.CodeMapped}, **documented(*_ACTS)},
    openapi_extra=sent("CodeMapping"),
)
def map_code(use: Use, intake: _Intake, body: Body) -> Response:
    """Map a sender's code from now on, and process its messages again that waited for that alone."""
    return found(messages.map_code(use, intake, body))


@router.get(
    "/messages/{message_id}",
    operation_id="find_message",
    responses={200: {"model": told.MessageDetail}, **documented("not_found", *_READS)},
)
def find_message(use: Use, intake: _Intake, message_id: str) -> Response:
    """One message: its history, how its feed reads it now, and what it recorded."""
    return found(messages.find_message(use, intake, message_id))


@router.get(
    "/messages/{message_id}/raw",
    operation_id="find_raw_message",
    response_class=Response,
    responses={
        200: {
            "description": "The bytes as received; an attachment where they are not UTF-8",
            "content": {"text/plain": _BYTES, "application/octet-stream": _BYTES},
        },
        **documented("not_found", *_READS),
    },
)
def find_raw_message(use: Use, message_id: str) -> Response:
    """The bytes as they came. Says so (404) where they were erased by order."""
    message, _ = messages.find_raw(use, message_id)
    try:
        message.decode("utf-8")
    except UnicodeDecodeError:
        headers = {"Content-Disposition": f'attachment; filename="{message_id}.bin"'}
        return Response(message, headers=headers, media_type="application/octet-stream")
    return Response(message, media_type="text/plain; charset=utf-8")


@router.post(
    "/messages/{message_id}/replay",
    operation_id="replay_message",
    responses={200: {"model": told.MessageOutcome}, **documented(*_ACTS)},
    openapi_extra=sent("MessageAct"),
)
def replay_message(use: Use, intake: _Intake, message_id: str, body: Body) -> Response:
    """Process a message again; what it says now replaces what it said before."""
    return found(messages.replay_message(use, intake, message_id, body))


@router.post(
    "/messages/{message_id}/dismissals",
    operation_id="dismiss_message",
    responses={200: {"model": told.Dismissed}, **documented(*_ACTS)},
    openapi_extra=sent("MessageAct"),
)
def dismiss_message(use: Use, message_id: str, body: Body) -> Response:
    """Close a message that waits."""
    return found(messages.dismiss_message(use, message_id, body))


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield encode(row) + b"\n"
