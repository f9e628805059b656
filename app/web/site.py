"""What every page shares: how it is answered, its security headers, its forms, and how a refusal looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Request
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from app.domain.problems import Problem
from app.services.errors import Refusal
from app.web.pages import render

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
STATUS = {"not_found": 404, "conflict": 409, "stale": 409, "busy": 503, "unavailable": 503}

router = APIRouter(include_in_schema=False)


def headers(ancestors: str = "'none'") -> dict[str, str]:
    """The headers of a page. ancestors: of CSP's frame-ancestors, whose pages may hold this one in a frame."""
    return {
        "Content-Security-Policy": _POLICY.format(ancestors=ancestors),
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",  # none at all would hide from our forms where they came from
    }


def page(name: str, status: int = 200, *, ancestors: str = "'none'", **parts: Any) -> Response:
    """A template as a page."""
    return HTMLResponse(render(name, **parts), status, headers(ancestors))


def there(path: str) -> Response:
    """See what a form has done, at a path of this site."""
    return RedirectResponse(path, 303, headers())


def base_of(request: Request) -> str:
    """The address by which others reach this service: the setting's, else that of the request."""
    return str(request.app.state.settings.base_url or f"{request.url.scheme}://{request.url.netloc}")


async def form(request: Request) -> dict[str, str]:
    """The fields of a form that this site's own page sent; of a name sent twice the last. Raises Refusal."""
    return dict(await form_items(request))


async def form_items(request: Request) -> list[tuple[str, str]]:
    """The same, each field with its name, in the order sent."""
    if _is_foreign(request):
        raise Refusal("conflict", "This form was sent by another site; send it from the page itself.")
    try:
        return parse_qsl((await request.body()).decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        problem = Problem("WRONG_TYPE", "body", "is not an urlencoded form", "send the page's own form")
        raise Refusal("invalid", "The form cannot be read.", [problem]) from error


def _is_foreign(request: Request) -> bool:
    """Did a page of another site send this? As the browser says; an old one by its Origin alone."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


async def answered(
    work: Callable[[], Awaitable[Response]], *, template: str = "refused.html", ancestors: str = "'none'"
) -> Response:
    """What the work answers, or the page that says why it was not done."""
    try:
        return await work()
    except Refusal as refused:
        return page(template, STATUS.get(refused.kind, 422), ancestors=ancestors, refused=refused)


class Static(StaticFiles):
    """The files of static/: kept by browsers for ever, since their addresses hold their digests."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response
