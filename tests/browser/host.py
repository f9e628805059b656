"""Other software on an origin of its own, with a strict policy, that holds the element or the frame."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.journeys.server import Server

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self' {herald}; connect-src {herald}; frame-src {herald}; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html; charset=utf-8"}
STATUSES = ("positive", "negative", "equivocal", "pending", "indeterminate")


@dataclass
class Host:
    """Other software, on a port of its own. files: what it serves, by path; herald: the origin that it lets in."""

    port: int = 0
    herald: str = ""
    policy: str = POLICY
    files: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def holds(self, body: str, css: str = "", script: str = "") -> str:
        """Serve a page with this body; its address."""
        self.files["/host.css"], self.files["/host.js"] = css, script
        self.files["/page.html"] = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="stylesheet" href="/host.css"><script src="/host.js" defer></script>'
            f'<script src="{self.herald}/her2-card.js" defer></script></head>'
            f"<body><main><h1>Host</h1>{body}</main></body></html>"
        )
        return f"{self.origin}/page.html"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, host: Host, *given: Any) -> None:
        self.host = host
        super().__init__(*given)

    def do_GET(self) -> None:
        content = self.host.files.get(self.path.partition("?")[0])
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Type", _TYPES.get(Path(self.path.partition("?")[0]).suffix, "text/plain"))
        self.send_header("Content-Security-Policy", self.host.policy.format(herald=self.host.herald))
        self.end_headers()
        self.wfile.write((content or "").encode())

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def hosting() -> Iterator[Host]:
    """A host that serves until the block ends."""
    host = Host()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, host))
    host.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield host
    server.shutdown()
    server.server_close()
    thread.join()


def card(page: Page) -> Locator:
    """What the first element of the page shows."""
    return page.locator("her2-card .card").first


def shows(page: Page, status: str) -> None:
    """The element shows this status, once it has answered."""
    expect(card(page).locator("h2")).to_contain_text(status)


def shows_no_status(page: Page, why: str) -> None:
    """The element says why there is none, and names no status."""
    expect(card(page).locator("h2")).to_have_text("No status")
    expect(card(page)).to_contain_text(why)
    text = card(page).inner_text()
    assert not [each for each in STATUSES if f"HER2 {each}" in text]


def newest(herald: Server) -> dict[str, Any]:
    """The newest stored result."""
    row = herald.http.get("/results?limit=1").json()["items"][0]
    result: dict[str, Any] = herald.http.get(f"/results/{row['id']}").json()
    return result
