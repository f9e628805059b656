"""Pages of an allowed origin may call every method and read every answer, also a refusal; pages of others none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from app.services import finding
from tests.api.cases import GROUP_4, PERSON, POSITIVE
from tests.fixtures_service import Service, Start
from tests.fixtures_tokens import BASE

ORIGIN, SECOND, OTHER = "https://sandbox.example.org", "http://localhost:8080", "https://evil.example.org"
PATH = "/cds-services/her2-patient-view/feedback"
ALLOWED = "access-control-allow-origin"


@pytest.fixture
def service(start: Start, shared_urls: Callable[[str], str]) -> Service:
    return start(shared_urls("sqlite"), cors_origins=f"{ORIGIN} {SECOND}")


@pytest.fixture
def answers(
    service: Service, start: Start, shared_urls: Callable[[str], str]
) -> Callable[[str], Iterator[httpx.Response]]:
    """An answer of every status that a page has to be able to read, as a page of an origin gets it."""
    closed = start(shared_urls("sqlite"), host="0.0.0.0", base_url=BASE, cors_origins=f"{ORIGIN} {SECOND}")
    stored = service.report(GROUP_4)["id"]

    def each(origin: str) -> Iterator[httpx.Response]:
        told = {"Origin": origin}
        yield service.get("/guidelines", headers=told)
        yield service.post("/her2/classify", POSITIVE, headers=told)
        yield service.request("HEAD", "/healthz", headers=told)
        yield closed.post(PATH, {}, headers=told)
        yield service.get("/results/none", headers=told)
        yield service.get("/nowhere", headers=told)
        yield service.request("PUT", "/results", headers=told)
        stale = {**told, "If-Match": '"7"'}
        yield service.post(f"/results/{stored}/amendments", {**PERSON, "changes": POSITIVE}, headers=stale)
        yield service.request("POST", "/her2/classify", content=b"x" * 1_000_001, headers=told)
        chunked = iter([b"x" * 1_000_001])

        async def parts() -> object:
            for part in chunked:
                yield part

        yield service.request("POST", "/her2/classify", content=parts(), headers=told)
        yield service.post("/her2/classify", {"ihc": "good"}, headers=told)
        yield service.request("POST", "/her2/classify", content=b"{", headers=told)

    return each


def test_every_answer_may_be_read_by_a_page_of_an_allowed_origin(
    answers: Callable[[str], Iterator[httpx.Response]],
) -> None:
    for origin in (ORIGIN, SECOND):
        given = [(each.status_code, each.headers.get(ALLOWED)) for each in answers(origin)]
        statuses = [200, 200, 200, 401, 404, 404, 405, 412, 413, 413, 422, 400]
        assert given == [(status, origin) for status in statuses]


def test_no_answer_may_be_read_by_a_page_of_another(answers: Callable[[str], Iterator[httpx.Response]]) -> None:
    for origin in (OTHER, "null", f"{ORIGIN}.evil.example.org", ORIGIN.replace("https", "http"), ORIGIN.upper()):
        assert [each.headers.get(ALLOWED) for each in answers(origin)] == [None] * 12, origin


def test_an_error_of_ours_may_be_read_too(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Mrs Anderson")

    monkeypatch.setattr(finding, "find_result", broken)
    for origin, allowed in ((ORIGIN, ORIGIN), (OTHER, None)):
        response = service.get("/results/1", headers={"Origin": origin})
        assert (response.status_code, response.headers.get(ALLOWED)) == (500, allowed)
        assert response.headers["content-type"] == "application/problem+json"


def test_an_answer_says_that_it_is_for_one_origin_and_takes_no_cookie(service: Service) -> None:
    response = service.get("/guidelines", headers={"Origin": ORIGIN})
    assert "Origin" in response.headers["vary"]
    assert "access-control-allow-credentials" not in response.headers
    assert {"ETag", "Location"} <= set(response.headers["access-control-expose-headers"].split(", "))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", [PATH, "/cds-services", "/her2/classify", "/results/1"])
def test_a_preflight_passes_without_a_token_for_every_method(
    start: Start, shared_urls: Callable[[str], str], method: str, path: str
) -> None:
    closed = start(shared_urls("sqlite"), host="0.0.0.0", base_url=BASE, cors_origins=ORIGIN)
    asked = "authorization,content-type,accept"
    headers = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": asked}
    passed = closed.request("OPTIONS", path, headers={**headers, "Origin": ORIGIN})
    assert passed.status_code == 200
    assert passed.headers[ALLOWED] == ORIGIN
    assert method in passed.headers["access-control-allow-methods"].split(", ")
    allowed = {each.lower() for each in passed.headers["access-control-allow-headers"].split(", ")}
    assert set(asked.split(",")) <= allowed
    refused = closed.request("OPTIONS", path, headers={**headers, "Origin": OTHER})
    assert (refused.status_code, refused.headers.get(ALLOWED)) == (400, None)


def test_without_the_setting_no_page_of_another_origin_may_read(stateless: Service) -> None:
    assert ALLOWED not in stateless.get("/guidelines", headers={"Origin": ORIGIN}).headers
    assert ALLOWED not in stateless.get("/nowhere", headers={"Origin": ORIGIN}).headers
