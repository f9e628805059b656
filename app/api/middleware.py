"""One plain ASGI layer: request id, body limit, one structured log line a request. No identifier is logged."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import refusal_response
from app.services.errors import Refusal, told_of

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{8,64}")
_OURS = "The request was not carried out. The error is in the log by request id."


class RequestLayer:
    """Wraps the application. log: a logger, told once a request; a failure of ours at level error, else at info.

    body_limit: bytes; limits: other limits by path.
    """

    def __init__(self, app: ASGIApp, body_limit: int, log: Any, limits: Mapping[str, int] | None = None) -> None:
        self.app, self.body_limit, self.log, self.limits = app, body_limit, log, limits or {}

    def _limit(self, scope: Scope) -> int:
        return self.limits.get(scope["path"], self.body_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex.encode()
        status, started = 500, False
        failure: dict[str, str] = {}

        async def tell(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            length = headers.get(b"content-length", b"0")
            if length.isdigit() and int(length) > self._limit(scope):
                await refusal_response(scope["path"], "too_large", self._too_large(scope))(scope, receive, tell)
            else:
                counted = self._bounded(scope, receive) if b"transfer-encoding" in headers else receive
                await self.app(scope, counted, tell)
        except ClientDisconnect:
            # The sender hung up: nobody is left to be answered.
            status = 499
        except Exception as error:
            # Its words can hold a name or what was sent: they go neither to the sender nor, by the server, to the log.
            failure = told_of(error)
            if not started:
                await refusal_response(scope["path"], "internal", _OURS)(scope, receive, tell)
        finally:
            route = scope.get("route")
            tell_log = self.log.error if failure else self.log.info
            tell_log(
                "request",
                method=scope["method"],
                route=getattr(route, "path", None),
                status=status,
                milliseconds=round((time.perf_counter() - began) * 1000, 2),
                request_id=request_id.decode(),
                **failure,
            )

    def _too_large(self, scope: Scope) -> str:
        return f"The body is larger than {self._limit(scope)} bytes; send less, or results one by one."

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """A body of unknown length is counted while it is read, and only if it is: a stranger's never is."""
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit(scope):
                raise Refusal("too_large", self._too_large(scope))
            return message

        return counted
