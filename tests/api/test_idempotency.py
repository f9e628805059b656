"""Idempotency-Key: a request that is sent again is answered again, and stored once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.cases import GROUP_4, PERSON, POSITIVE, fields_of, problem, recount
from tests.fixtures_service import Service, Start

REPORT = {"patient": "P-1", "laboratory": "North", **GROUP_4}
VERBS: list[tuple[str, dict[str, Any]]] = [
    ("amendments", {**PERSON, "changes": {"ish": {"cells": 60}}}),
    ("recounts", recount()),
    ("adjudications", {**PERSON, "group": 4}),
    ("sign-offs", PERSON),
    ("re-evaluations", {"edition": "asco-cap-2013"}),
]
ALL = [("", REPORT), *VERBS]


def _path(service: Service, verb: str) -> str:
    return f"/results/{service.report(GROUP_4)['id']}/{verb}" if verb else "/results"


def _kept(service: Service) -> list[Any]:
    """Everything that is stored, as far as it can be read."""
    rows = service.get("/results?limit=500").json()["items"]
    return [service.get(f"/results/{row['id']}/history").json() for row in rows]


@pytest.mark.parametrize(("verb", "body"), ALL)
def test_the_same_request_is_answered_the_same_and_stored_once(
    service: Service, verb: str, body: dict[str, Any]
) -> None:
    path = _path(service, verb)
    first = service.post(path, body, key="k-1")
    assert first.status_code == 201, first.text
    assert "idempotency-replayed" not in first.headers
    kept = _kept(service)
    again = service.post(path, dict(reversed(body.items())), key="k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    for name in ("etag", "location"):
        assert again.headers[name] == first.headers[name]
    assert _kept(service) == kept


@pytest.mark.parametrize(("verb", "body"), ALL)
def test_the_same_key_with_another_body_is_a_conflict(service: Service, verb: str, body: dict[str, Any]) -> None:
    path = _path(service, verb)
    assert service.post(path, body, key="k-1").status_code == 201
    kept = _kept(service)
    other = {"patient": "P-2", **POSITIVE} if not verb else {**body, "name": "Dr Z", "policy": {}}
    if verb != "re-evaluations":
        other.pop("policy", None)
    else:
        other.pop("name")
    problem(service.post(path, other, key="k-1"), 409, "key_conflict")
    assert _kept(service) == kept


def test_the_same_key_on_another_path_is_a_conflict(service: Service) -> None:
    assert service.post("/results", REPORT, key="k-1").status_code == 201
    first, second = service.report(GROUP_4)["id"], service.report(GROUP_4)["id"]
    assert service.post(f"/results/{first}/sign-offs", PERSON, key="k-2").status_code == 201
    for path, key in (
        (f"/results/{second}/sign-offs", "k-2"),
        (f"/results/{first}/recounts", "k-2"),
        (f"/results/{first}/sign-offs", "k-1"),
    ):
        body = recount() if path.endswith("recounts") else PERSON
        problem(service.post(path, body, key=key), 409, "key_conflict")


def test_1_80_is_another_body_than_1_8(service: Service) -> None:
    ish = {"ratio": "1.8", "her2_copies": "4.5"}
    assert service.post("/results", {"patient": "P", "ihc": "2+", "ish": ish}, key="k").status_code == 201
    again = service.post("/results", {"patient": "P", "ihc": "2+", "ish": {**ish, "ratio": "1.80"}}, key="k")
    problem(again, 409, "key_conflict")


@pytest.mark.parametrize(("verb", "body"), ALL)
def test_a_request_that_is_refused_keeps_no_key(service: Service, verb: str, body: dict[str, Any]) -> None:
    path = _path(service, verb)
    refused = service.post(path, {**body, "unheard_of": 1}, key="k-1")
    problem(refused, 422, "invalid")
    assert service.post(path, body, key="k-1").status_code == 201


def test_a_stale_or_conflicting_request_keeps_no_key(service: Service) -> None:
    path = _path(service, "sign-offs")
    stale = service.post(path, PERSON, key="k-1", headers={"If-Match": '"7"'})
    problem(stale, 412, "stale")
    assert service.post(path, PERSON, key="k-1", headers={"If-Match": '"1"'}).status_code == 201


def test_a_replay_comes_before_the_question_of_the_version(service: Service) -> None:
    """The answer was lost, the sender repeats: its If-Match is stale by its own success."""
    path = _path(service, "amendments")
    body = {**PERSON, "changes": {"ish": {"cells": 60}}}
    tag = {"If-Match": '"1"'}
    first = service.post(path, body, key="k-1", headers=tag)
    again = service.post(path, body, key="k-1", headers=tag)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


@pytest.mark.parametrize(("verb", "body"), [ALL[0], ALL[1], ALL[4]])
def test_of_sixteen_at_once_one_is_stored(service: Service, verb: str, body: dict[str, Any]) -> None:
    path = _path(service, verb)
    before = len(_kept(service))

    def send(_: int) -> Any:
        for _ in range(50):
            response = service.post(path, body, key="k-1")
            if response.status_code == 201:
                return response
            told = response.json()["type"]
            assert told in ("urn:herald:problem:in_progress", "urn:herald:problem:busy"), response.text
            assert "retry-after" in response.headers
        raise AssertionError("never answered")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    kept = _kept(service)
    assert len(kept) == before + (not verb)
    versions = [version for history in kept for version in history["versions"]]
    acts = [act for version in versions for act in version["acts"]]
    assert (len(versions), len(acts)) == {"": (1, 0), "amendments": (2, 0), "sign-offs": (1, 1)}[verb]


def test_sixteen_keys_store_sixteen(service: Service) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: service.post("/results", REPORT, key=f"k-{n}"), range(16)))
    assert [answer.status_code for answer in answers] == [201] * 16
    assert len({answer.json()["id"] for answer in answers}) == 16
    assert len({answer.json()["patient_id"] for answer in answers}) == 1


def test_a_key_is_known_after_a_restart(start: Start, shared_url: str) -> None:
    before = start(shared_url)
    first = before.post("/results", REPORT, key="k-1")
    before.stop()
    after = start(shared_url)
    again = after.post("/results", REPORT, key="k-1")
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    problem(after.post("/results", {**REPORT, "ihc": "3+"}, key="k-1"), 409, "key_conflict")
    assert len(_kept(after)) == 1


def test_without_a_key_the_same_request_is_another_result(service: Service) -> None:
    ids = {service.post("/results", REPORT).json()["id"] for _ in range(2)}
    assert len(ids) == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a\tb", "x" * 201])
def test_a_key_that_cannot_be_kept_is_refused(service: Service, key: str) -> None:
    response = service.post("/results", REPORT, headers=[("Idempotency-Key", key.encode())])
    assert fields_of(problem(response, 422, "invalid")) == ["Idempotency-Key"]
    assert _kept(service) == []


@pytest.mark.parametrize("key", ["a", "x" * 200, "8e03978e-40d5-43dd-bc93-6894a57f9324", "!#$%&'*+-.^_`|~", '"quoted"'])
def test_a_key_is_any_printable_text_of_up_to_200_characters(service: Service, key: str) -> None:
    assert service.post("/results", REPORT, key=key).status_code == 201
    assert service.post("/results", REPORT, key=key).headers["idempotency-replayed"] == "true"
