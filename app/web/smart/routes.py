"""/smart: the launch, the way back, the case page of the open record, and its end."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.services.errors import Refusal
from app.services.outward import is_loopback
from app.web import site
from app.web.smart.case import Session, read_case
from app.web.smart.cookies import Cookies, attributes, drop
from app.web.smart.oauth import OAuth, Pending, code_of
from app.web.smart.servers import Server, Servers
from app.web.smart.trouble import Trouble

router = APIRouter(prefix="/smart", include_in_schema=False)

_CALLBACK, _CASE = "/smart/callback", "/smart/case"
_WAITS = 600  # seconds to sign in and consent
_STATE, _TAB = re.compile(r"[A-Za-z0-9_-]{32}"), re.compile(r"[A-Za-z0-9_-]{16}")


class Smart:
    """What the routes share: the listed servers, the cookies, what was discovered. base_url, ca: of the settings."""

    def __init__(self, servers: Servers, session_key: str, base_url: str, ca: Path | None = None) -> None:
        self.servers, self.base_url = servers, base_url
        self.cookies, self.oauth = Cookies(session_key), OAuth(servers, ca)

    def base(self, request: Request) -> str:
        """The address that the EHR knows us by. Raises Trouble where it is neither https nor loopback."""
        base = self.base_url or str(request.base_url).rstrip("/")
        told = urlsplit(base)
        if told.scheme != "https" and not is_loopback(told.hostname or ""):
            raise Trouble("insecure")
        return base

    def listed(self, iss: str) -> Server:
        """The server of an iss. Raises Trouble where it is not listed: it is then never contacted."""
        server = self.servers.find(iss)
        if server is None:
            raise Trouble("unlisted", 403)
        return server


async def _answered(request: Request, work: Callable[[Smart], Awaitable[Response]]) -> Response:
    """What the work answers, or a page that says what to do."""
    smart: Smart | None = getattr(request.app.state, "smart", None)
    if smart is None:
        # The list of EHRs is there, and empty; nothing else is.
        status = 200 if request.url.path == "/smart/start" else 404
        return site.page("smart_trouble.html", status, key="off", code="")
    ancestors = smart.servers.ancestors
    try:
        return await work(smart)
    except Trouble as trouble:
        return site.page("smart_trouble.html", trouble.status, ancestors=ancestors, key=trouble.key, code=trouble.code)
    except Refusal as refused:
        return site.page("refused.html", 503, ancestors=ancestors, refused=refused)


@router.get("/launch")
async def launch(request: Request) -> Response:
    """The EHR launches: ?iss= its FHIR base URL, &launch= its handle of the open record."""

    async def work(smart: Smart) -> Response:
        handle = request.query_params.get("launch", "")
        if not handle:
            raise Trouble("no_launch")
        return await _away(request, smart, smart.listed(request.query_params.get("iss", "")), handle)

    return await _answered(request, work)


@router.get("/start")
async def start(request: Request) -> Response:
    """The listed servers; with ?iss= the way to that one, to sign in and choose a patient there."""

    async def work(smart: Smart) -> Response:
        if "iss" in request.query_params:
            return await _away(request, smart, smart.listed(request.query_params["iss"]), None)
        return site.page("smart_start.html", ancestors=smart.servers.ancestors, servers=smart.servers.all)

    return await _answered(request, work)


@router.get("/callback")
async def callback(request: Request) -> Response:
    """Back from the EHR: the code becomes a token, the token a session in this tab."""
    left: list[tuple[str, str]] = []  # what to take back, whatever comes of it

    async def work(smart: Smart) -> Response:
        query = request.query_params
        state = query.get("state", "")
        if not _STATE.fullmatch(state):
            raise Trouble("state")
        name = f"herald_smart_{state}"
        try:
            kept = smart.cookies.get(request, name)
        except Trouble as trouble:
            raise Trouble("state") from trouble
        pending = Pending(**{each: str(kept[each]) for each in Pending.__slots__})
        server = smart.listed(pending.iss)
        left.append((name, attributes(server, pending.redirect_uri)))
        if "error" in query:
            raise Trouble(
                "denied" if query["error"] == "access_denied" else "not_granted", 403, code_of(query["error"])
            )
        if not query.get("code"):
            raise Trouble("not_granted")
        granted = await smart.oauth.finish(server, pending, query["code"])
        tab = secrets.token_urlsafe(12)
        path = f"{_CASE}/{tab}"
        session = {
            "iss": server.iss, "patient": granted.patient, "user": granted.user, "token": granted.token,
            "until": int(time.time()) + granted.seconds, "app_context": granted.app_context,
        }  # fmt: skip
        response = site.there(path)
        kind = attributes(server, pending.redirect_uri)
        smart.cookies.set(response, kind, f"herald_smart_{tab}", path, session, granted.seconds)
        return response

    response = await _answered(request, work)
    for name, kind in left:
        drop(response, kind, name, _CALLBACK)
    return response


@router.get("/case/{tab}")
async def case_page(request: Request, tab: str) -> Response:
    """The case page of the record that is open in this tab, from the EHR's data of now."""

    async def work(smart: Smart) -> Response:
        session = _session(smart, request, tab)
        server = smart.listed(session.iss)
        parts = await read_case(request, session)
        return site.page(
            "smart_case.html", ancestors=smart.servers.ancestors, server=server, session=session, tab=tab,
            until=datetime.fromtimestamp(session.until, UTC).strftime("%Y-%m-%d %H:%M"),  **parts,
        )  # fmt: skip

    return await _answered(request, work)


@router.post("/case/{tab}/end")
async def end(request: Request, tab: str) -> Response:
    """Forget the token of this tab."""

    async def work(smart: Smart) -> Response:
        await site.form(request)
        server = smart.listed(_session(smart, request, tab).iss)
        response = site.page("smart_ended.html", ancestors=smart.servers.ancestors, server=server)
        drop(response, attributes(server, smart.base(request)), f"herald_smart_{tab}", f"{_CASE}/{tab}")
        return response

    return await _answered(request, work)


@router.get("/jwks.json")
async def jwks(request: Request) -> Response:
    """The public keys of an app that signs in with a private key."""
    smart: Smart | None = getattr(request.app.state, "smart", None)
    return JSONResponse(smart.servers.jwks() if smart is not None else {"keys": []})


async def _away(request: Request, smart: Smart, server: Server, handle: str | None) -> Response:
    """To the EHR's authorization page, with what has to come back kept in a cookie of its own."""
    base = smart.base(request)
    url, pending = await smart.oauth.begin(server, f"{base}{_CALLBACK}", handle)
    response = RedirectResponse(url, 303, site.headers(smart.servers.ancestors))
    kept: dict[str, Any] = pending.document
    smart.cookies.set(response, attributes(server, base), f"herald_smart_{pending.state}", _CALLBACK, kept, _WAITS)
    return response


def _session(smart: Smart, request: Request, tab: str) -> Session:
    if not _TAB.fullmatch(tab):
        raise Trouble("no_session", 404)
    kept = smart.cookies.get(request, f"herald_smart_{tab}")
    return Session(**{each: kept[each] for each in Session.__slots__})
