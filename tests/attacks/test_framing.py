"""Broken framing on a real socket: refused or closed, no error of ours, and the server answers the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.server import Server, serve

_OK = b'{"ihc":"3+"}'
_POST = b"POST /her2/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "an empty line": b"\r\n\r\n",
    "bytes that mean nothing": bytes(range(256)),
    "a word": b"hello\r\n\r\n",
    "another protocol": b"GET /healthz HTTQ/1.1\r\nHost: x\r\n\r\n",
    "version 9": b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    "an HL7 message": b"\x0bMSH|^~\\&|LIS|LAB|||202601010000||ORU^R01|1|P|2.5\r\x1c\r",
    "a header without a colon": b"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
    "a blank before the colon": b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello",
    "a blank in the path": b"GET /her2/classify?ihc=2 + HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header of a megabyte": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "a path of a megabyte": b"GET /results/" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a negative length": _POST + b"Content-Length: -1\r\n\r\n" + _OK,
    "a length that is no number": _POST + b"Content-Length: twelve\r\n\r\n" + _OK,
    "a length without end": _POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n" + _OK,
    "two lengths": _POST + b"Content-Length: 12\r\nContent-Length: 5\r\n\r\n" + _OK,
    "a length and chunks": _POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + b"xyz" + _OK,
    "an unknown coding": _POST + b"Transfer-Encoding: magic\r\n\r\n" + _OK,
    "a chunk whose size is no number": _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + _OK,
    "a chunk of negative size": _POST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + _OK,
    "a chunk larger than anything": _POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n" + _OK,
    "a chunk that is longer than told": _POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\n" + _OK + b"\r\n0\r\n\r\n",
    "a body shorter than told": _POST + b"Content-Length: 500\r\n\r\n" + _OK,
    "chunks that break off": _POST + b"Transfer-Encoding: chunked\r\n\r\n" + _chunk(_OK),
    "no body": _POST + b"\r\n",
    "no body though a length is told": _POST + b"Content-Length: 12\r\n\r\n",
    "more than the limit, told": _POST + b"Content-Length: 2000000\r\n\r\n" + b" " * 2_000_000,
    "more than the limit, announced alone": _POST + b"Content-Length: 2000000\r\n\r\n",
    "more than the limit, in chunks": _POST
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + _chunk(b" " * 65536) * 32
    + b"0\r\n\r\n",
    "a header that is folded": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\nno colon\r\n\r\n",
    "an escape in the method": b"\x1b[2JGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method of a kilobyte": b"G" * 1000 + b" /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "an escaped line break": b"GET /results/a%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("framing")
    with serve(f"sqlite:///{folder}/herald.sqlite3", folder) as running:
        yield running


@pytest.mark.parametrize("why", BROKEN)
def test_broken_framing_is_refused_or_closed_and_the_next_request_is_answered(server: Server, why: str) -> None:
    before = len(server.log)
    told = server.raw(BROKEN[why])
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", told)]
    assert all(400 <= status < 500 for status in statuses), told[:500]
    assert b"Traceback" not in told
    assert b"set-cookie" not in told.lower()
    if "the limit" in why:
        assert statuses == [413], told[:300]
        assert b"urn:herald:problem:too_large" in told
    assert server.http.get("/her2/classify?ihc=3").json()["status"] == "positive"
    assert "Traceback" not in server.log[before:]


def test_requests_in_one_breath_are_answered_one_after_the_other(server: Server) -> None:
    get = b"GET /her2/classify?ihc=3 HTTP/1.1\r\nHost: x\r\n\r\n"
    bad = b"POST /her2/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{"
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    told = server.raw(get + bad + get + last, close=False)
    assert re.findall(rb"HTTP/1\.1 (\d{3})", told) == [b"200", b"400", b"200", b"200"]


def test_a_body_that_comes_byte_by_byte_is_read(server: Server) -> None:
    head = _POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(_OK)
    told = server.raw(head, *(_OK[at : at + 1] for at in range(len(_OK))))
    assert told.startswith(b"HTTP/1.1 200")
    told = server.raw(
        _POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        *(_chunk(_OK[at : at + 1]) for at in range(len(_OK))),
        b"0\r\n\r\n",
    )
    assert told.startswith(b"HTTP/1.1 200")
