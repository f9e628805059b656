"""The caller of a CDS service is known before a byte of its body is read."""

from __future__ import annotations

from fastapi import Request

from app.services.cds_clients import CdsClients
from app.services.errors import Refusal


async def authenticated(request: Request) -> None:
    """Refuse who brings no token of a client on record, made for this endpoint; a dependency of routers.

    The endpoint's URL is that of the setting, never of the Host header: who forges it could bring another's tokens.
    """
    clients: CdsClients = request.app.state.cds_clients
    if clients.is_open:
        return
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refusal("unauthenticated", "Send Authorization: Bearer, with a token for this call.")
    await clients.authenticate(token.strip(), f"{request.app.state.settings.base_url}{request.url.path}")
