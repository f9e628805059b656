"""Reading from an EHR's FHIR server: only where allowed, in bounds, and whatever it answers."""

from __future__ import annotations

import asyncio
import gzip
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.strict_json import write
from app.logs import configure
from app.services.ehr import Access, Ehr
from app.services.outward import outward_client, safe_url
from tests.fixtures_outside import Answer, Outside, as_json, outside

BASE = "/fhir"
TOKEN = "secret-token-7"
HER2 = "Observation?patient=pat-8315&code=http://loinc.org|85319-2,http://loinc.org|48676-1"
ASKED = f"{BASE}/{HER2}"
PATIENT_SECONDS, HASTY_SECONDS = 30.0, 0.3


@pytest.fixture
def server() -> Iterator[Outside]:
    with outside() as started:
        yield started


class Log:
    """What was logged, as a logger gets it."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})


def read(server: Outside, urls: dict[str, str], *, seconds: float = PATIENT_SECONDS, **told: Any) -> dict[str, Any]:
    """What an Ehr that may ask this server reads there."""
    access = told.pop("access", None) or Access(server.url + BASE, TOKEN)

    async def once() -> dict[str, Any]:
        async with outward_client() as client:
            return await Ehr([server.url + BASE], seconds, client=client, **told).read(access, urls)

    return asyncio.run(once())


def searchset(*ids: str, following: str | None = None) -> dict[str, Any]:
    entries = [{"resource": {"resourceType": "Observation", "id": each}} for each in ids]
    link = [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": link}


def ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle["entry"]]


def is_whole(bundle: dict[str, Any]) -> bool:
    return not [link for link in bundle["link"] if link["relation"] == "next"]


def test_searches_and_reads_come_by_key_with_every_digit(server: Outside) -> None:
    ratio = b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"valueQuantity":{"value":1.80}}}]}'
    server.answer(ASKED, (200, {}, ratio))
    server.answer(f"{BASE}/Patient/pat-8315", as_json({"resourceType": "Patient", "id": "pat-8315"}))
    found = read(server, {"patient": "Patient/pat-8315", "her2": HER2, "gone": "Condition?patient=1"})
    assert list(found) == ["patient", "her2"]
    assert b'"value":1.80' in write(found["her2"])
    for _, headers in server.asked:
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert headers["Accept"] == "application/fhir+json"


def test_without_a_token_none_is_sent(server: Outside) -> None:
    server.answer(ASKED, as_json(searchset("a")))
    assert ids(read(server, {"her2": HER2}, access=Access(server.url + BASE, None))["her2"]) == ["a"]
    assert all("Authorization" not in headers for _, headers in server.asked)


def test_reads_run_side_by_side(server: Outside) -> None:
    together = threading.Barrier(2, timeout=PATIENT_SECONDS)

    def both() -> Answer:
        together.wait()  # answers only while the other one is asked too
        return as_json(searchset("a"))

    server.answer(f"{BASE}/Observation?a=1", both)
    server.answer(f"{BASE}/Condition?a=1", both)
    assert set(read(server, {"one": "Observation?a=1", "two": "Condition?a=1"})) == {"one", "two"}


# ---- where it may ask


@pytest.mark.parametrize("other", ["/other", "/fhir/more", "/FHIR", "/fhir/../admin", "/fhir?x=1", ""])
def test_only_the_exact_base_url_is_asked(server: Outside, other: str) -> None:
    assert read(server, {"her2": HER2}, access=Access(server.url + other, TOKEN)) == {}
    assert server.asked == []


def test_a_slash_at_the_end_makes_no_difference(server: Outside) -> None:
    server.answer(ASKED, as_json(searchset("a")))
    assert ids(read(server, {"her2": HER2}, access=Access(f"{server.url}{BASE}/", TOKEN))["her2"]) == ["a"]


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example.org/fhir",
        "ftp://ehr.example.org/fhir",
        "https://user@ehr.example.org/fhir",
        "https://ehr.example.org/fhir?x=1",
        "https://ehr.example.org/fhir#x",
        "http://127.0.0.1.example.org/fhir",
        "http://localhost.example.org/fhir",
        "https:///fhir",
        "ehr.example.org/fhir",
    ],
)
def test_a_server_without_tls_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="is not an https address"):
        safe_url(url)


@pytest.mark.parametrize(
    "url", ["https://ehr.example.org/fhir", "http://127.0.0.1:8080/fhir", "http://localhost/fhir", "http://[::1]:80/x"]
)
def test_https_and_loopback_are_taken(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.test/Patient/1",
        "//elsewhere.test/Patient/1",
        "/admin",
        "../admin",
        "Patient/..",
        "Patient/../admin",
        "Patient/%2e%2e/admin",
        "Patient/1/$everything",
        "Observation?patient=1#x",
        "Observation?patient=a b",
        "Observation?patient=\r\nX: 1",
        "",
    ],
)
def test_what_is_not_a_relative_fhir_url_is_not_asked(server: Outside, url: str) -> None:
    assert read(server, {"her2": url}) == {}
    assert server.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Outside, status: int) -> None:
    with outside() as other:
        other.answer(ASKED, as_json(searchset("a")))
        server.answer(ASKED, (status, {"Location": other.url + ASKED}, b""))
        assert read(server, {"her2": HER2}) == {}
        assert other.asked == []


def test_a_proxy_of_the_environment_is_not_asked(server: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer(ASKED, as_json(searchset("a")))
    with outside() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert set(read(server, {"her2": HER2})) == {"her2"}
        assert proxy.asked == []


def test_a_session_of_one_call_is_not_shown_in_the_next(server: Outside) -> None:
    server.answer(ASKED, (200, {"Set-Cookie": "session=of-dr-a; Path=/"}, as_json(searchset("a"))[2]))

    async def twice() -> None:
        async with outward_client() as client:
            ehr = Ehr([server.url + BASE], PATIENT_SECONDS, client=client)
            for token in ("a", "b"):
                assert set(await ehr.read(Access(server.url + BASE, token), {"her2": HER2})) == {"her2"}

    asyncio.run(twice())
    assert len(server.asked) == 2
    assert all("Cookie" not in headers for _, headers in server.asked)


# ---- pages


def test_the_pages_of_a_search_are_joined(server: Outside) -> None:
    server.answer(ASKED, as_json(searchset("a", following=f"{server.url}{BASE}?page=2")))
    server.answer(f"{BASE}?page=2", as_json(searchset("b", following=f"{BASE}/Observation?page=3")))
    server.answer(f"{BASE}/Observation?page=3", as_json(searchset("c")))
    bundle = read(server, {"her2": HER2})["her2"]
    assert (ids(bundle), is_whole(bundle)) == (["a", "b", "c"], True)


def test_a_page_on_another_server_is_not_asked_and_the_search_says_that_it_is_not_whole(server: Outside) -> None:
    with outside() as other:
        beyond = [
            f"{other.url}{BASE}?page=2",
            f"{server.url}/admin?page=2",
            f"{server.url}{BASE}/../admin",
            f"{server.url}{BASE}/%2e%2e/admin",
            f"{server.url}{BASE}evil/Observation",
            server.url.replace("http://", "https://") + f"{BASE}?page=2",
            server.url.replace("http://", "http://user@") + f"{BASE}?page=2",
            "file:///etc/passwd",
            "http://[broken",
        ]
        for following in beyond:
            server.answer(ASKED, as_json(searchset("a", following=following)))
            bundle = read(server, {"her2": HER2})["her2"]
            assert (ids(bundle), is_whole(bundle)) == (["a"], False), following
        assert other.asked == []
    assert server.paths() == [ASKED] * len(beyond)


def test_pages_without_end_are_given_up(server: Outside) -> None:
    server.answer(ASKED, as_json(searchset("a", following=f"{server.url}{BASE}?more")))
    server.answer(f"{BASE}?more", as_json(searchset("b", following=f"{server.url}{BASE}?more")))
    bundle = read(server, {"her2": HER2}, pages=3)["her2"]
    assert (ids(bundle), is_whole(bundle)) == (["a", "b", "b"], False)
    assert len(server.asked) == 3


def test_a_page_that_cannot_be_read_leaves_those_before_it(server: Outside) -> None:
    server.answer(ASKED, as_json(searchset("a", following=f"{server.url}{BASE}?page=2")))
    for broken in (as_json({}, 500), (200, {}, b"<html>"), as_json({"resourceType": "OperationOutcome"})):
        server.answer(f"{BASE}?page=2", broken)
        bundle = read(server, {"her2": HER2})["her2"]
        assert (ids(bundle), is_whole(bundle)) == (["a"], False)


# ---- what it may answer


@pytest.mark.parametrize(
    "answer",
    [
        as_json({}, 401),
        as_json({}, 500),
        as_json(searchset("a"), 202),
        (200, {"Content-Type": "text/html"}, b"<html>please log in</html>"),
        (200, {}, b""),
        (200, {}, b"[1]"),
        (200, {}, b'{"resourceType":"Bundle","resourceType":"Bundle"}'),
        (200, {}, b"\xff\xfe"),
        as_json({"type": "searchset"}),
        as_json({"resourceType": "OperationOutcome", "issue": []}),
        as_json({"resourceType": "Bundle", "type": "document"}),
        as_json({"resourceType": "Bundle", "type": "searchset", "entry": {"resource": 1}}),
        as_json({"resourceType": "Bundle", "type": "searchset", "entry": ["a"]}),
        as_json({"resourceType": "Bundle", "type": "searchset", "link": "next"}),
        (200, {"Content-Encoding": "gzip"}, gzip.compress(as_json(searchset("a"))[2])),
        (200, {"Content-Length": "5"}, b'{"a":1}'),
        (200, {"Content-Length": "50"}, b'{"a":1}'),
    ],
)
def test_what_is_no_searchset_was_not_read(server: Outside, answer: Answer) -> None:
    server.answer(ASKED, answer)
    assert read(server, {"her2": HER2}, seconds=2) == {}


def test_a_read_by_id_is_of_the_type_asked_for(server: Outside) -> None:
    server.answer(f"{BASE}/Patient/1", as_json({"resourceType": "Practitioner"}))
    assert read(server, {"patient": "Patient/1"}) == {}


def test_more_than_it_may_hold_is_given_up_page_by_page(server: Outside) -> None:
    server.answer(ASKED, as_json(searchset("a" * 5_000)))
    assert read(server, {"her2": HER2}, most_bytes=4_000) == {}
    server.answer(ASKED, as_json(searchset("a" * 2_500, following=f"{server.url}{BASE}?page=2")))
    server.answer(f"{BASE}?page=2", as_json(searchset("b" * 2_500)))
    bundle = read(server, {"her2": HER2}, most_bytes=4_000)["her2"]
    assert (len(bundle["entry"]), is_whole(bundle)) == (1, False)


def test_a_server_that_is_down_was_not_read() -> None:
    with outside() as gone:
        pass
    assert read(gone, {"her2": HER2}) == {}


def test_what_may_pass_is_tried_once_more(server: Outside) -> None:
    answers = iter([as_json({}, 503), as_json(searchset("a"))])
    server.answer(ASKED, lambda: next(answers))
    assert ids(read(server, {"her2": HER2})["her2"]) == ["a"]
    server.answer(ASKED, as_json({}, 503))
    assert read(server, {"her2": HER2}) == {}
    assert len(server.asked) == 4


# ---- time


def test_what_is_not_there_in_time_is_left_out_and_the_rest_is_kept(server: Outside) -> None:
    never = threading.Event()

    def slow() -> Answer:
        never.wait(PATIENT_SECONDS)
        return as_json(searchset("late"))

    server.answer(f"{BASE}/Condition?patient=1", slow)
    server.answer(f"{BASE}/Observation?page=2", slow)
    server.answer(ASKED, as_json(searchset("a", following="Observation?page=2")))
    server.answer(f"{BASE}/Patient/1", as_json({"resourceType": "Patient"}))
    urls = {"slow": "Condition?patient=1", "paged": HER2, "patient": "Patient/1"}
    found = read(server, urls, seconds=HASTY_SECONDS)
    never.set()
    assert list(found) == ["paged", "patient"]
    assert (ids(found["paged"]), is_whole(found["paged"])) == (["a"], False)


# ---- silence


def test_neither_token_nor_patient_stands_in_a_log(server: Outside, caplog: pytest.LogCaptureFixture) -> None:
    configure("debug", "json")
    caplog.set_level(logging.DEBUG)
    log = Log()
    server.answer(ASKED, as_json(searchset("a")))
    server.answer(f"{BASE}/Patient/pat-8315", as_json({}, 503))
    urls = {"her2": HER2, "patient": "Patient/pat-8315", "odd": "pat-8315?#"}
    assert set(read(server, urls, log=log)) == {"her2"}
    assert sorted(line["error"] for line in log.lines) == ["not a relative FHIR url", "status 503"]
    told = str(log.lines) + caplog.text
    assert TOKEN not in told + repr(Access(server.url, TOKEN))
    assert "pat-8315" not in told


@pytest.mark.parametrize("token", ["line\nbreak", "naïve", "snow\u2603"])
def test_a_token_that_no_header_can_hold_reads_nothing(server: Outside, token: str) -> None:
    log = Log()
    assert read(server, {"her2": HER2}, access=Access(server.url + BASE, token), log=log) == {}
    assert token not in str(log.lines)
    assert server.asked == []


def test_a_certificate_of_a_hospitals_own_authority_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        outward_client(tmp_path / "none.pem")
