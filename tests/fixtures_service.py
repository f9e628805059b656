"""The HTTP service in this process: each test that asks for `service` runs on SQLite and on PostgreSQL.

A test has organisations of its own in a database that all tests of the process share: making a database for each
would take longer than the tests.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from tests.fixtures_database import PostgreSQL

_TIMEOUT = 60


class Loop:
    """An event loop in a thread of its own, as a server has one: tests are plain functions and may use threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_TIMEOUT)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_TIMEOUT)
        self._loop.close()


class Service:
    """A started application; its methods send one request and give the answer.

    errors_pass: whether an exception that leaves the application is raised here, as a server would print it.
    """

    def __init__(self, app: FastAPI, loop: Loop, *, errors_pass: bool = False) -> None:
        self.app, self._loop = app, loop
        self._numbers = itertools.count(1)
        self._running = True
        self._lifespan = app.router.lifespan_context(app)
        loop.run(self._lifespan.__aenter__())
        transport = httpx.ASGITransport(app, raise_app_exceptions=errors_pass)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://herald.test", timeout=_TIMEOUT)

    def request(self, method: str, url: str, **sent: Any) -> httpx.Response:
        response: httpx.Response = self._loop.run(self._client.request(method, url, **sent))
        return response

    def get(self, url: str, **sent: Any) -> httpx.Response:
        return self.request("GET", url, **sent)

    def post(self, url: str, json: Any = None, *, key: str | None = None, **sent: Any) -> httpx.Response:
        """POST; key: an Idempotency-Key."""
        headers = dict(sent.pop("headers", {}))
        if key is not None:
            headers["Idempotency-Key"] = key
        if json is not None:
            sent["json"] = json
        return self.request("POST", url, headers=headers, **sent)

    def report(self, case: dict[str, Any], **parts: Any) -> dict[str, Any]:
        """Store a case and give the stored result; another patient each time where none is named."""
        body = {"patient": f"P-{next(self._numbers)}", "laboratory": "North", **case, **parts}
        response = self.post("/results", body)
        assert response.status_code == 201, response.text
        result: dict[str, Any] = response.json()
        return result

    def stop(self) -> None:
        """Shut down; a second time does nothing."""
        if not self._running:
            return
        self._running = False
        self._loop.run(self._client.aclose())
        self._loop.run(self._lifespan.__aexit__(None, None, None))


Start = Callable[..., Service]


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """One loop for all services of this test process."""
    loop = Loop()
    yield loop
    loop.stop()


@pytest.fixture(scope="session")
def shared_urls(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The url of the shared database of a kind, made when it is first asked for."""
    urls: dict[str, str] = {}

    def url(kind: str) -> str:
        if kind not in urls:
            urls[kind] = _sqlite(request) if kind == "sqlite" else _postgresql(request)
        return urls[kind]

    return url


def _sqlite(request: pytest.FixtureRequest) -> str:
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    path = factory.mktemp("service") / "herald.sqlite3"
    template: Path = request.getfixturevalue("sqlite_template")
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def _postgresql(request: pytest.FixtureRequest) -> str:
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.create().render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, shared_urls: Callable[[str], str]) -> str:
    """The url of a migrated database for the services of `start`; the test runs once on each kind."""
    return shared_urls(request.param)


@pytest.fixture
def start(loop: Loop) -> Iterator[Start]:
    """Start services as a test likes: start(url, organisation="south"). Organisations are this test's own."""
    started = []
    mine = uuid.uuid4().hex

    def begin(url: str, organisation: str = "default", *, errors_pass: bool = False, **settings: Any) -> Service:
        settings = {
            "migrate_on_start": False,
            "log_level": "error",
            "organisation": f"{organisation}-{mine}",
        } | settings
        started.append(Service(create_app(Settings(database_url=url, **settings)), loop, errors_pass=errors_pass))
        return started[-1]

    yield begin
    for service in started:
        service.stop()


@pytest.fixture
def service(start: Start, shared_url: str) -> Service:
    """The service with nothing stored; the test runs once on each kind of database."""
    return start(shared_url)


@pytest.fixture
def stateless(start: Start, shared_urls: Callable[[str], str]) -> Service:
    """The service for tests that store nothing."""
    return start(shared_urls("sqlite"))
