"""A webhook receiver on a real socket, which verifies by Standard Webhooks' own library."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

KEY = "a key for tests of at least 32 characters"
Headers = dict[str, str]


class Receiver:
    """secrets: any of them may have signed; answer: by the message, what is answered (status, or with headers).

    got: what was verified and answered 2xx, as (webhook-id, message); tried: ids of all that was verified.
    """

    def __init__(self, port: int = 0) -> None:
        self.secrets: list[str] = []
        self.answer: Callable[[Any], int | tuple[int, Headers]] = lambda message: 204
        self.got: list[tuple[str, Any]] = []
        self.tried: list[str] = []
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.unverified = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/her2"

    def types(self) -> list[str]:
        return [message["type"] for _, message in self.got]

    def data(self) -> list[Any]:
        return [message["data"] for _, message in self.got]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def take(self, headers: Headers, body: bytes) -> tuple[int, Headers]:
        message = self._verified(headers, body)
        if message is None:
            self.unverified += 1
            return 401, {}
        self.tried.append(headers["webhook-id"])
        self.bodies.append(body)
        self.signatures.append(headers["webhook-signature"])
        said = self.answer(message)
        status, more = said if isinstance(said, tuple) else (said, {})
        if 200 <= status < 300:
            self.got.append((headers["webhook-id"], message))
        return status, more

    def _verified(self, headers: Headers, body: bytes) -> Any:
        for secret in self.secrets:
            with contextlib.suppress(WebhookVerificationError):
                return Webhook(secret).verify(body, headers)
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, more = receiver.take(headers, body)
                told = json.dumps({"a": "body that nobody reads"}).encode() if status != 204 else b""
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *told: Any) -> None:
                pass

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that answers 204 to what it can verify."""
    started = Receiver()
    yield started
    started.stop()
