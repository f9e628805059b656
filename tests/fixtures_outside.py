"""A server outside, on a real socket in a thread of its own, which answers as a test tells it and notes who asked."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Mapping[str, str], bytes]
Route = Callable[[], Answer]


def as_json(document: Any, status: int = 200, media_type: str = "application/fhir+json") -> Answer:
    return status, {"Content-Type": media_type}, json.dumps(document).encode()


class Outside:
    """routes: path with query -> what answers it; asked: (path with query, headers) of every request so far."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.asked.append((self.path, dict(self.headers.items())))
                route = outside.routes.get(self.path, lambda: as_json({"resourceType": "OperationOutcome"}, 404))
                status, headers, body = route()
                with contextlib.suppress(OSError):  # who asked may have gone
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(body)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str, answer: Answer | Route) -> None:
        """What to answer at a path; a function is called for each request, in a thread of its own."""
        self.routes[path] = answer if callable(answer) else lambda: answer

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def outside() -> Iterator[Outside]:
    """A server while the block runs."""
    server = Outside()
    try:
        yield server
    finally:
        server.stop()
