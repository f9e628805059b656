"""Whatever happens to the line, a result is stored once, and the client says truly whether it is."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herald_client import Herald, KeyConflict, Unavailable

# lost: the request never arrives; forgotten: it is done, but the answer never arrives; overloaded: nothing was done
Fault = Literal["lost", "forgotten", "cut", "overloaded", "pass"]
FAULTS: tuple[Fault, ...] = ("lost", "forgotten", "cut", "overloaded", "pass")


class Proxy:
    """Stands before a server; does to each request in turn what `faults` says, then lets all through."""

    def __init__(self, base_url: str) -> None:
        self.faults: list[Fault] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fault = proxy.faults.pop(0) if proxy.faults else "pass"
                self.close_connection = True
                if fault == "lost":
                    return
                if fault == "overloaded":
                    self.send_response(429)
                    self.end_headers()
                    return
                answer = proxy.upstream.post(self.path, content=body, headers=dict(self.headers))
                if fault == "forgotten":
                    return
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content[:20] if fault == "cut" else answer.content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.upstream = httpx.Client(base_url=base_url, timeout=30)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join(30)
        self.server.server_close()
        self.upstream.close()


@pytest.fixture
def proxy(base_url: str) -> Iterator[Proxy]:
    proxy = Proxy(base_url)
    yield proxy
    proxy.stop()


numbers = itertools.count(1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=7), retries=st.integers(0, 4))
def test_a_result_is_stored_once_and_who_gave_up_knows_if_it_may_be(
    proxy: Proxy, herald: Herald, faults: list[Fault], retries: int
) -> None:
    accession = f"S26-{next(numbers)}"
    proxy.faults = list(faults)
    with Herald(proxy.base_url, retries=retries) as broken:
        try:
            told = broken.report({"patient": "P-1", "specimen": {"accession": accession}, "ihc": "3+"}, key=accession)
            known, possible = told["id"], {1}
        except Unavailable as error:
            known, possible = None, {0, 1} if error.outcome_unknown else {0}
    stored = list(herald.list_results(accession=accession))
    assert len(stored) in possible
    assert known in (None, *(row["id"] for row in stored))


def test_the_answer_after_a_forgotten_one_is_the_same_result(proxy: Proxy, herald: Herald) -> None:
    proxy.faults = ["forgotten", "forgotten", "cut"]
    with Herald(proxy.base_url) as broken:
        told = broken.report({"patient": "P-1", "ihc": "2+"})
        assert proxy.faults == []
        proxy.faults = ["forgotten"]
        signed = broken.sign_off(str(told["id"]), {"name": "Dr A", "role": "pathologist"}, version=1)
    assert signed["signed"]
    (row,) = herald.list_results()
    assert row["id"] == told["id"]
    assert len(herald.find_result(row["id"])["acts"]) == 1


def test_a_key_for_something_else_is_told_apart(herald: Herald) -> None:
    herald.report({"patient": "P-1", "ihc": "2+"}, key="k-1")
    with pytest.raises(KeyConflict):
        herald.report({"patient": "P-1", "ihc": "3+"}, key="k-1")
