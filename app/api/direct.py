"""A route that is called with the request alone: it reads its input itself and depends on nothing."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class DirectRoute(APIRoute):
    """Calls what the router depends on, then the endpoint, each with the request alone and nothing read of the body.

    A Refusal goes up to the application's own handlers.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.methods and scope["method"] not in self.methods:
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive)
        for each in self.dependencies:
            assert each.dependency is not None
            await each.dependency(request)
        response: Response = await self.endpoint(request)
        await response(scope, receive, send)
