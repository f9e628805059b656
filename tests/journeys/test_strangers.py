"""A stranger over a real socket: answered before the body is sent, and when it was sent in full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures_tokens import PATH, write_clients
from tests.journeys.server import Server, serve

SIZE = 1_000_000
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: herald\r\nContent-Type: application/json\r\nConnection: close\r\n".encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("strangers")
    clients: Path = write_clients(folder)
    url = f"sqlite:///{folder / 'herald.sqlite3'}"
    with serve(url, folder, cds_clients=clients, base_url="https://herald.example.org") as started:
        yield started


@pytest.mark.parametrize("length", [b"Content-Length: 1000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
@pytest.mark.parametrize("token", [b"", b"Authorization: Bearer a.b.c\r\n"])
def test_a_stranger_is_told_so_before_the_body_is_sent(server: Server, length: bytes, token: bytes) -> None:
    told = server.raw(HEAD + token + length, close=False)
    assert told.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: bearer" in told.lower()
    assert b"urn:herald:problem:unauthenticated" in told


def test_a_stranger_who_sends_a_whole_megabyte_is_told_so(server: Server) -> None:
    response = server.http.post(PATH, content=b"x" * SIZE, headers={"Content-Type": "application/json"})
    assert response.status_code == 401
    assert server.http.get("/healthz").status_code == 200


def test_what_a_stranger_sends_is_not_in_the_log(server: Server) -> None:
    server.http.post(PATH, content=b"secret-body", headers={"Authorization": "Bearer secret-token"})
    refused = [line for line in server.lines() if line.get("status") == 401]
    assert refused
    assert "secret" not in server.log
