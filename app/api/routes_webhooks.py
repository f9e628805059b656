"""/webhooks: who is told what, and what became of it. Plain `def` routes wait for the disk, the test for the target."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.api import answers_webhooks as told
from app.api.problems import documented, known_parameters
from app.api.stored import WRITES, Body, IdempotencyKey, found, key_of, replied, sent
from app.services import webhooks
from app.services.reporting import Reply
from app.services.webhook_sending import Webhooks
from app.services.webhooks import LINE_STATES

router = APIRouter(tags=["webhooks"], dependencies=[Depends(known_parameters)])

_ACTS = tuple(kind for kind in WRITES if kind != "key_conflict")


def _webhooks(request: Request) -> Webhooks:
    use: Webhooks = request.app.state.webhooks
    return use


Use = Annotated[Webhooks, Depends(_webhooks)]


def _made(reply: Reply) -> Response:
    response = replied(reply)
    response.headers["Location"] = f"/webhooks/{reply.body['id']}"
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post(
    "/webhooks",
    operation_id="subscribe",
    status_code=201,
    responses={201: {"model": told.WebhookWithSecret}, **documented(*WRITES)},
    openapi_extra=sent("WebhookRequest"),
)
def subscribe(request: Request, use: Use, body: Body, key: IdempotencyKey = None) -> Response:
    """A subscription that takes events from now on. Its secret stands in this answer and in no other."""
    return _made(webhooks.subscribe(use, body, key_of(request, key, body)))


@router.get(
    "/webhooks",
    operation_id="list_webhooks",
    responses={200: {"model": told.WebhookList}, **documented("invalid", "unavailable")},
)
def list_webhooks(use: Use) -> Response:
    """Every subscription with its deliveries counted, the newest first."""
    return found(webhooks.list_webhooks(use))


@router.get(
    "/webhooks/{webhook_id}",
    operation_id="find_webhook",
    responses={200: {"model": told.WebhookCounted}, **documented("not_found", "invalid", "unavailable")},
)
def find_webhook(use: Use, webhook_id: str) -> Response:
    """One subscription with its facts and its deliveries counted."""
    return found(webhooks.find_webhook(use, webhook_id))


@router.post(
    "/webhooks/{webhook_id}/states",
    operation_id="change_webhook_state",
    status_code=201,
    responses={201: {"model": told.Webhook}, **documented("not_found", *WRITES)},
    openapi_extra=sent("WebhookStateChange"),
)
def change_state(request: Request, use: Use, webhook_id: str, body: Body, key: IdempotencyKey = None) -> Response:
    """Pause, activate or end a subscription. What waits while it is paused is sent when it is active again."""
    return _made(webhooks.change_state(use, webhook_id, body, key_of(request, key, body)))


@router.post(
    "/webhooks/{webhook_id}/secrets",
    operation_id="rotate_webhook_secret",
    status_code=201,
    responses={201: {"model": told.WebhookWithSecret}, **documented("not_found", *WRITES)},
    openapi_extra=sent("SecretRotation"),
)
def rotate_secret(request: Request, use: Use, webhook_id: str, body: Body, key: IdempotencyKey = None) -> Response:
    """A new secret, told in this answer only; for 24 hours messages are signed by the one before too."""
    return _made(webhooks.rotate_secret(use, webhook_id, body, key_of(request, key, body)))


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    operation_id="list_webhook_deliveries",
    responses={200: {"model": told.DeliveryPage}, **documented("not_found", "bad_cursor", "invalid", "unavailable")},
)
def list_deliveries(
    use: Use,
    webhook_id: str,
    state: Annotated[Literal[LINE_STATES] | None, Query()] = None,  # type: ignore[valid-type]
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Each event of a subscription with every attempt and what was answered, the newest first."""
    return found(webhooks.list_deliveries(use, webhook_id, state, cursor, limit))


@router.post(
    "/webhooks/{webhook_id}/replays",
    operation_id="replay_webhook_deliveries",
    responses={200: {"model": told.DeliveriesReplayed}, **documented("not_found", *_ACTS)},
    openapi_extra=sent("DeliveryReplayRequest"),
)
def replay(use: Use, webhook_id: str, body: Body) -> Response:
    """Send again one delivery that is delivered or parked, or all parked, at most 5000 at a time; ids stay."""
    return found(webhooks.replay(use, webhook_id, body))


@router.post(
    "/webhooks/{webhook_id}/test",
    operation_id="test_webhook",
    responses={200: {"model": told.WebhookTested}, **documented("not_found", *_ACTS)},
    openapi_extra=sent("WebhookTest"),
)
async def test(use: Use, webhook_id: str, body: Body) -> Response:
    """Send a herald.test event at once, and tell what came back."""
    return found(await webhooks.try_out(use, webhook_id, body))
