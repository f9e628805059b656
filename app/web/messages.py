"""/browser/messages: the message browser for interface engineers. Server-rendered, plain forms, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.domain.problems import Problem
from app.interop.feeds import TARGETS
from app.services import messages
from app.services.errors import Refusal
from app.services.payloads import TERMINAL
from app.web.pages import render

router = APIRouter(prefix="/browser/messages", include_in_schema=False)

_DIGEST = base64.b64encode(hashlib.sha256(render("messages.css").encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # none at all would hide from our forms where they came from
}
_NARROW = ("state", "sender", "accession", "control_id", "received_from", "received_before", "result_id")
_STATUS = {"not_found": 404, "conflict": 409, "busy": 503, "unavailable": 503}
# what cannot be seen is shown as its picture; lines end as the sender ended them
_PICTURES = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {127: 0x2421}


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form that this site's own page sent; an empty one is absent. Raises Refusal."""
    if _is_foreign(request):
        raise Refusal("conflict", "This form was sent by another site; send it from the page itself.")
    try:
        sent = parse_qsl((await request.body()).decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        problem = Problem("WRONG_TYPE", "body", "is not an urlencoded form", "send the page's own form")
        raise Refusal("invalid", "The form cannot be read.", [problem]) from error
    return dict(sent)


def _is_foreign(request: Request) -> bool:
    """Did a page of another site send this? As the browser says; an old one by its Origin alone."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def _page(name: str, status: int = 200, **parts: Any) -> Response:
    return HTMLResponse(render(name, again=TERMINAL, **parts), status, _HEADERS)


async def _told(work: Callable[[], Awaitable[Response]]) -> Response:
    """A page, or the page that says why not."""
    try:
        return await work()
    except Refusal as refused:
        status = _STATUS.get(refused.kind, 422)
        parts = {"title": "Not done", "told": [refused.detail], "problems": refused.problems, "message": ""}
        return _page("messages_told.html", status, **parts)


def _there(message_id: str) -> Response:
    return RedirectResponse(f"/browser/messages/{message_id}", 303, _HEADERS)


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

    return await _told(work)


@router.get("/paste")
async def paste_page() -> Response:
    """A form for a message to be read."""
    return _page("messages_paste.html", message="", format="hl7v2", sender="", outcome=None)


@router.post("/paste")
async def paste(request: Request) -> Response:
    """What Herald would read of the message; nothing is stored."""

    async def work() -> Response:
        form = await _form(request)
        text, sender = form.get("message", ""), form.get("sender", "").strip()
        format = "fhir" if form.get("format") == "fhir" else "hl7v2"
        outcome = await run_in_threadpool(
            messages.preview, request.app.state.intake, text.encode(), format=format, sender=sender or None
        )
        return _page("messages_paste.html", message=text, format=format, sender=sender, outcome=outcome)

    return await _told(work)


@router.post("/replays")
async def replay_all(request: Request) -> Response:
    """Process all messages of a search again."""

    async def work() -> Response:
        form, state = await _form(request), request.app.state
        done = await run_in_threadpool(messages.replay_messages, state.context, state.intake, form)
        told = [f"{done['replayed']} processed again; {done['left']} left.", _states(done["states"])]
        return _page("messages_told.html", title="Processed again", told=told, problems=(), message="")

    return await _told(work)


@router.post("/mappings")
async def map_code(request: Request) -> Response:
    """Map a code for a sender, and process again what waited for it."""

    async def work() -> Response:
        form, state = await _form(request), request.app.state
        message = form.pop("message", "")
        done = await run_in_threadpool(messages.map_code, state.context, state.intake, form)
        told = [
            "Mapped from now on." if done["changed"] else "It was mapped so already.",
            f"{done['replayed']} processed again; {done['still_waiting']} of this sender still wait.",
            _states(done["states"]),
        ]
        return _page("messages_told.html", title="Code mapped", told=told, problems=(), message=message)

    return await _told(work)


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

    return await _told(work)


@router.post("/{message_id}/replay")
async def replay(request: Request, message_id: str) -> Response:
    """Process a message again."""

    async def work() -> Response:
        form, state = await _form(request), request.app.state
        await run_in_threadpool(messages.replay_message, state.context, state.intake, message_id, form)
        return _there(message_id)

    return await _told(work)


@router.post("/{message_id}/dismissals")
async def dismiss(request: Request, message_id: str) -> Response:
    """Close a message that waits."""

    async def work() -> Response:
        form = await _form(request)
        await run_in_threadpool(messages.dismiss_message, request.app.state.context, message_id, form)
        return _there(message_id)

    return await _told(work)


def _states(found: dict[str, int]) -> str:
    return ", ".join(f"{many} {state}" for state, many in found.items())


def _shown(message: bytes) -> str:
    """Bytes as a person reads them: UTF-8, else Latin-1; the bytes themselves are a link away."""
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError:
        text = message.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_PICTURES)
