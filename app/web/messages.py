"""/browser/messages: the message browser for interface engineers. Server-rendered, plain forms, no script."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.interop.feeds import TARGETS
from app.services import messages
from app.services.payloads import TERMINAL
from app.web import site
from app.web.catalogue import say

router = APIRouter(prefix="/browser/messages", include_in_schema=False)

_NARROW = ("state", "sender", "accession", "control_id", "received_from", "received_before", "result_id")
# what cannot be seen is shown as its picture; lines end as the sender ended them
_PICTURES = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {127: 0x2421}


def _page(name: str, **parts: Any) -> Response:
    return site.page(name, again=TERMINAL, here="messages", **parts)


def _there(message_id: str) -> Response:
    return site.there(f"/browser/messages/{message_id}")


@router.get("")
async def list_page(request: Request) -> Response:
    """States with counts, a search, and the messages found."""

    async def work() -> Response:
        query = request.query_params
        # an unknown sender is the empty one: a link can ask for it, an empty field of the form asks nothing
        exact = "accession" not in query
        asked = {n: query[n].strip() for n in _NARROW if query.get(n, "").strip() or (n == "sender" in query and exact)}
        narrow = {name: asked.get(name) for name in _NARROW}
        context = request.app.state.context
        page = await run_in_threadpool(messages.list_messages, context, narrow, query.get("cursor"), 50)
        counts = await run_in_threadpool(messages.count_messages, context)
        return _page("messages.html", page=page, counts=counts, narrow=narrow, asked=asked)

    return await site.answered(work)


@router.get("/paste")
async def paste_page() -> Response:
    """A form for a message to be read."""
    return _page("messages_paste.html", message="", format="hl7v2", sender="", outcome=None)


@router.post("/paste")
async def paste(request: Request) -> Response:
    """What Herald would read of the message; nothing is stored."""

    async def work() -> Response:
        form = await site.form(request)
        text, sender = form.get("message", ""), form.get("sender", "").strip()
        format = "fhir" if form.get("format") == "fhir" else "hl7v2"
        outcome = await run_in_threadpool(
            messages.preview, request.app.state.intake, text.encode(), format=format, sender=sender or None
        )
        return _page("messages_paste.html", message=text, format=format, sender=sender, outcome=outcome)

    return await site.answered(work)


@router.post("/replays")
async def replay_all(request: Request) -> Response:
    """Process all messages of a search again."""

    async def work() -> Response:
        form, state = await site.form(request), request.app.state
        done = await run_in_threadpool(messages.replay_messages, state.context, state.intake, form)
        told = [say("messages.processed_told", replayed=done["replayed"], left=done["left"]), _states(done["states"])]
        return _page("messages_told.html", title=say("messages.processed"), told=told, message="")

    return await site.answered(work)


@router.post("/mappings")
async def map_code(request: Request) -> Response:
    """Map a code for a sender, and process again what waited for it."""

    async def work() -> Response:
        form, state = await site.form(request), request.app.state
        message = form.pop("message", "")
        done = await run_in_threadpool(messages.map_code, state.context, state.intake, form)
        told = [
            say("messages.mapped_now" if done["changed"] else "messages.mapped_before"),
            say("messages.mapped_told", replayed=done["replayed"], waiting=done["still_waiting"]),
            _states(done["states"]),
        ]
        return _page("messages_told.html", title=say("messages.mapped"), told=told, message=message)

    return await site.answered(work)


@router.get("/{message_id}")
async def message_page(request: Request, message_id: str) -> Response:
    """One message: raw beside read beside recorded, its history, and what can be done."""

    async def work() -> Response:
        state = request.app.state
        message = await run_in_threadpool(messages.find_message, state.context, state.intake, message_id)
        raw = None
        if message["size"] is not None:
            raw = _shown((await run_in_threadpool(messages.find_raw, state.context, message_id))[0])
        return _page("messages_one.html", message=message, raw=raw, targets=TARGETS)

    return await site.answered(work)


@router.post("/{message_id}/replay")
async def replay(request: Request, message_id: str) -> Response:
    """Process a message again."""

    async def work() -> Response:
        form, state = await site.form(request), request.app.state
        await run_in_threadpool(messages.replay_message, state.context, state.intake, message_id, form)
        return _there(message_id)

    return await site.answered(work)


@router.post("/{message_id}/dismissals")
async def dismiss(request: Request, message_id: str) -> Response:
    """Close a message that waits."""

    async def work() -> Response:
        form = await site.form(request)
        await run_in_threadpool(messages.dismiss_message, request.app.state.context, message_id, form)
        return _there(message_id)

    return await site.answered(work)


def _states(found: dict[str, int]) -> str:
    return ", ".join(f"{many} {state}" for state, many in found.items())


def _shown(message: bytes) -> str:
    """Bytes as a person reads them: UTF-8, else Latin-1; the bytes themselves are a link away."""
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError:
        text = message.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_PICTURES)
