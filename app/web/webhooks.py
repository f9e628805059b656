"""/browser/webhooks: subscriptions, and what became of each delivery. Server-rendered, plain forms, no script."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.services import webhooks
from app.services.webhook_events import EVENTS
from app.services.webhooks import LINE_STATES
from app.web import site

router = APIRouter(prefix="/browser/webhooks", include_in_schema=False)


def _page(name: str, status: int = 200, **parts: Any) -> Response:
    return site.page(name, status, here="webhooks", **parts)


def _path(webhook_id: str) -> str:
    return f"/browser/webhooks/{webhook_id}"


@router.get("")
async def list_page(request: Request) -> Response:
    """Every subscription, and a form for a new one."""

    async def work() -> Response:
        use = request.app.state.webhooks
        listed = await run_in_threadpool(webhooks.list_webhooks, use)
        return _page("webhooks.html", listed=listed["items"], events=EVENTS, on=use.on)

    return await site.answered(work)


@router.post("")
async def subscribe(request: Request) -> Response:
    """A new subscription; its secret is on the page that answers."""

    async def work() -> Response:
        items = await site.form_items(request)
        form = {name: value for name, value in items if value and name != "topics"}
        body = {**form, "topics": [value for name, value in items if name == "topics"]}
        made = await run_in_threadpool(webhooks.subscribe, request.app.state.webhooks, body)
        return _page("webhooks_secret.html", 201, webhook=made.body, rotated=False)

    return await site.answered(work)


@router.get("/{webhook_id}")
async def webhook_page(request: Request, webhook_id: str) -> Response:
    """One subscription with the log of its deliveries."""

    async def work() -> Response:
        use, query = request.app.state.webhooks, request.query_params
        state = query.get("state") if query.get("state") in LINE_STATES else None
        found = await run_in_threadpool(webhooks.find_webhook, use, webhook_id)
        log = await run_in_threadpool(webhooks.list_deliveries, use, webhook_id, state, query.get("cursor"), 50)
        return _page("webhooks_one.html", webhook=found, log=log, state=state, states=LINE_STATES, tested=None)

    return await site.answered(work)


@router.post("/{webhook_id}/states")
async def change_state(request: Request, webhook_id: str) -> Response:
    """Pause, activate or end it."""

    async def work() -> Response:
        form = await site.form(request)
        await run_in_threadpool(webhooks.change_state, request.app.state.webhooks, webhook_id, form)
        return site.there(_path(webhook_id))

    return await site.answered(work)


@router.post("/{webhook_id}/secrets")
async def rotate(request: Request, webhook_id: str) -> Response:
    """A new secret, on the page that answers."""

    async def work() -> Response:
        form = await site.form(request)
        made = await run_in_threadpool(webhooks.rotate_secret, request.app.state.webhooks, webhook_id, form)
        return _page("webhooks_secret.html", 201, webhook=made.body, rotated=True)

    return await site.answered(work)


@router.post("/{webhook_id}/replays")
async def replay(request: Request, webhook_id: str) -> Response:
    """Send the chosen delivery again, or all that are parked."""

    async def work() -> Response:
        form = await site.form(request)
        await run_in_threadpool(webhooks.replay, request.app.state.webhooks, webhook_id, form)
        return site.there(f"{_path(webhook_id)}#log")

    return await site.answered(work)


@router.post("/{webhook_id}/test")
async def test(request: Request, webhook_id: str) -> Response:
    """Try it out; what came back is on the page that answers."""

    async def work() -> Response:
        use, form = request.app.state.webhooks, await site.form(request)
        tested = await webhooks.try_out(use, webhook_id, form)
        found = await run_in_threadpool(webhooks.find_webhook, use, webhook_id)
        log = await run_in_threadpool(webhooks.list_deliveries, use, webhook_id, None, None, 50)
        return _page("webhooks_one.html", webhook=found, log=log, state=None, states=LINE_STATES, tested=tested)

    return await site.answered(work)
