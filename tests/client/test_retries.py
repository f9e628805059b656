"""When a call is sent again, when it is not, and what is said when it was given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from herald_client import AsyncHerald, Conflict, Herald, HeraldError, KeyConflict, Refused, Stale, Unavailable
from herald_client.calls import Call
from herald_client.trial import Trial

Step = httpx.Response | type[httpx.TransportError]
ROW: dict[str, Any] = {"id": "r-1", "version": 1}
STORED = httpx.Response(201, json=ROW)
PERSON: dict[str, Any] = {"name": "Dr A", "role": "pathologist", "reason": "mapped"}


def problem(status: int, kind: str, **more: Any) -> httpx.Response:
    document = {"type": f"urn:herald:problem:{kind}", "status": status, "detail": "Told.", "problems": [], **more}
    return httpx.Response(status, json=document)


BUSY, GONE = problem(503, "busy"), problem(503, "unavailable")


class Line(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A line on which things happen one after the other; keeps what was sent."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps, self.sent = list(steps), list[httpx.Request]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.sent.append(request)
        step = self.steps[min(len(self.sent), len(self.steps)) - 1]
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        raise step("broken", request=request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def _plain(line: Line, work: Callable[[Any], Any], **settings: Any) -> Any:
    with Herald("http://herald.test", transport=line, **settings) as herald:
        return work(herald)


def _awaited(line: Line, work: Callable[[Any], Any], **settings: Any) -> Any:
    async def run() -> Any:
        async with AsyncHerald("http://herald.test", transport=line, **settings) as herald:
            return await work(herald)

    return asyncio.run(run())


Run = Callable[..., Any]


@pytest.fixture(params=[_plain, _awaited], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Run:
    """Does one piece of work with a client on a line; every test runs with both fronts."""
    found: Run = request.param
    return found


def _report(herald: Any) -> Any:
    return herald.report({"patient": "P-1", "ihc": "3+"})


def _replay(herald: Any) -> Any:
    return herald.replay("m-1", PERSON)


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError,
        BUSY, GONE, httpx.Response(502), httpx.Response(503), httpx.Response(504), httpx.Response(429),
        problem(409, "in_progress"),
    ],
    ids=str,
)  # fmt: skip
def test_what_passes_is_sent_again_under_the_same_key(run: Run, trouble: Step) -> None:
    line = Line([trouble, trouble, STORED])
    assert run(line, _report) == ROW
    assert len({request.headers["Idempotency-Key"] for request in line.sent}) == 1
    assert len({request.content for request in line.sent}) == 1
    assert len(line.sent) == 3


def test_each_call_has_a_key_of_its_own_and_the_caller_may_give_one(run: Run) -> None:
    keys = []
    for work in (_report, _report, lambda herald: herald.report({"patient": "P-1"}, key="S26-1/A1")):
        line = Line([STORED])
        run(line, work)
        keys.append(line.sent[0].headers["Idempotency-Key"])
    assert len(set(keys)) == 3
    assert keys[2] == "S26-1/A1"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(409, "conflict"), Conflict),
        (problem(409, "key_conflict"), KeyConflict),
        (problem(412, "stale", current_version=3), Stale),
        (problem(422, "invalid"), Refused),
        (problem(404, "not_found"), Refused),
        (httpx.Response(404, text="<html>nginx</html>"), Refused),
        (httpx.Response(302, headers={"Location": "http://elsewhere.test"}), Refused),
        (httpx.Response(500), Unavailable),
        (httpx.Response(201, text="<html>log in"), HeraldError),
        (httpx.Response(200, json=["no object"]), HeraldError),
        (httpx.UnsupportedProtocol, httpx.UnsupportedProtocol),
    ],
    ids=str,
)
def test_what_does_not_pass_is_sent_once(run: Run, answer: Step, error: type[Exception]) -> None:
    line = Line([answer, STORED])
    with pytest.raises(error) as caught:
        run(line, _report)
    assert len(line.sent) == 1
    if isinstance(caught.value, Stale):
        assert caught.value.current_version == 3


@pytest.mark.parametrize(
    ("steps", "unknown"),
    [
        ([httpx.ConnectError], False),
        ([BUSY], False),
        ([httpx.Response(429)], False),
        ([httpx.ReadTimeout], True),
        ([GONE], True),
        ([httpx.Response(503)], True),
        ([problem(409, "in_progress")], True),
        ([httpx.ConnectError, httpx.ReadTimeout, httpx.ConnectError], True),
    ],
)
def test_who_gives_up_says_whether_it_may_have_been_stored(run: Run, steps: list[Step], unknown: bool) -> None:
    line = Line(steps)
    with pytest.raises(Unavailable) as caught:
        run(line, _report, retries=3)
    assert (caught.value.outcome_unknown, caught.value.attempts, len(line.sent)) == (unknown, 4, 4)


@pytest.mark.parametrize(
    "work",
    [
        lambda herald: herald.find_result("r-1"),
        lambda herald: herald.classify({"ihc": "3+"}),
        lambda herald: herald.considerations({"result_id": "r-1"}),
        lambda herald: herald.report({"patient": "P-1"}, dry_run=True),
        lambda herald: herald.send_hl7(b"MSH|", dry_run=True),
    ],
)
def test_what_stores_nothing_leaves_nothing_unknown(run: Run, work: Callable[[Any], Any]) -> None:
    line = Line([httpx.ReadTimeout])
    with pytest.raises(Unavailable) as caught:
        run(line, work, retries=1)
    assert not caught.value.outcome_unknown
    assert len(line.sent) == 2


@pytest.mark.parametrize(
    ("trouble", "sent"),
    [(httpx.ReadTimeout, 1), (GONE, 1), (httpx.ConnectError, 6), (BUSY, 6), (httpx.Response(429), 6)],
)
def test_what_cannot_be_repeated_is_sent_again_only_where_nothing_was_done(run: Run, trouble: Step, sent: int) -> None:
    line = Line([trouble])
    with pytest.raises(Unavailable) as caught:
        run(line, _replay)
    assert len(line.sent) == sent
    assert caught.value.outcome_unknown is (sent == 1)


def _hint(retry_after: str | None) -> tuple[bool | float, float | None]:
    """What the hook tells stamina of a 503 with this header, and what the caller would be told."""
    trial = Trial(Call("GET", "/", lambda response: response))
    with pytest.raises(Unavailable) as caught:
        trial.answered(httpx.Response(503, headers={} if retry_after is None else {"Retry-After": retry_after}))
    return trial.again(caught.value), caught.value.retry_after


@pytest.mark.parametrize("seconds", [0, 1, 60])
def test_it_waits_as_long_as_the_server_asks_and_a_little_more(seconds: int) -> None:
    wait, told = _hint(str(seconds))
    assert seconds <= wait <= seconds + 1
    assert told == seconds


def test_a_date_is_a_time_to_wait_as_well() -> None:
    wait, _ = _hint(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert 20 < wait <= 31


def test_a_wait_that_is_too_long_is_told_to_the_caller_instead() -> None:
    assert _hint("3600") == (False, 3600.0)


@pytest.mark.parametrize("unreadable", [None, "soon", "-1", "Wed, 25 Nov 2026 12:00:00"])
def test_without_a_time_that_can_be_read_it_waits_by_itself(unreadable: str | None) -> None:
    assert _hint(unreadable) == (True, None)


def test_a_person_who_switches_retries_off_gets_one_attempt(run: Run) -> None:
    line = Line([BUSY, STORED])
    with pytest.raises(Unavailable):
        run(line, _report, retries=0)
    assert len(line.sent) == 1


@pytest.mark.parametrize("token", ["geheim\n", "gehéim"])
def test_a_token_that_no_header_carries_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(ValueError) as caught:
        Herald("http://herald.test", token=token)
    assert token not in str(caught.value)


def test_sender_and_token_go_with_every_call(run: Run) -> None:
    line = Line([STORED])
    run(line, _report, sender="North LIS", token="t-1")
    assert line.sent[0].headers["Herald-Sender"] == "North LIS"
    assert line.sent[0].headers["Authorization"] == "Bearer t-1"
