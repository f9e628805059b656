"""/webhooks: subscribe, read, pause, rotate, log, send again, try out; what is not allowed is told with its remedy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.records.tables import idempotency_answer
from tests.api.cases import POSITIVE, problem
from tests.fixtures_service import Service, Start
from tests.fixtures_webhooks import KEY, Receiver

WHO = {"name": "Ada Engineer", "role": "interface engineer", "reason": "agreed with the cancer registry"}


@pytest.fixture
def hooked(start: Start, shared_url: str, receiver: Receiver) -> Service:
    """The service with a key and the receiver on its list of targets."""
    return start(shared_url, webhook_key=KEY, webhook_targets=f"{receiver.origin} https://hooks.test")


def wait(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, "never came true"
        time.sleep(0.02)


def subscribe(service: Service, receiver: Receiver, **parts: Any) -> dict[str, Any]:
    answer = service.post("/webhooks", {"url": receiver.url, "topics": ["result.final"], **WHO, **parts})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    receiver.secrets.append(made["secret"])
    return made


def test_a_subscription_is_made_and_its_secret_is_told_once(hooked: Service, receiver: Receiver) -> None:
    made = subscribe(hooked, receiver)
    assert made["secret"].startswith("whsec_")
    assert made["topics"] == ["result.final", "result.amended"]
    assert (made["sees"], made["state"]) == ("nothing", "active")
    read = hooked.get(f"/webhooks/{made['id']}")
    assert read.status_code == 200 and made["secret"] not in read.text
    assert read.json()["states"][0]["reason"] == WHO["reason"]
    listed = hooked.get("/webhooks")
    assert [each["id"] for each in listed.json()["items"]] == [made["id"]]
    assert made["secret"] not in listed.text
    with_patient = subscribe(hooked, receiver, sees="patient")
    assert with_patient["topics"] == ["result.final", "result.amended", "result.moved"]


def test_a_result_reported_over_http_reaches_the_receiver_and_is_in_the_log(
    hooked: Service, receiver: Receiver
) -> None:
    made = subscribe(hooked, receiver)
    result = hooked.report(POSITIVE)
    wait(lambda: len(receiver.got) == 1)
    log = f"/webhooks/{made['id']}/deliveries"
    wait(lambda: bool(hooked.get(f"{log}?state=delivered").json()["items"]))
    (line,) = hooked.get(log).json()["items"]
    assert (line["id"], line["type"], line["state"]) == (receiver.got[0][0], "result.final", "delivered")
    assert (line["result_id"], line["version"]) == (result["id"], 1)
    assert [(each["state"], each["detail"]) for each in line["attempts"]] == [("started", None), ("delivered", "204")]
    assert hooked.get(f"{log}?state=parked").json() == {"items": [], "next_cursor": None}
    read = hooked.get(f"/webhooks/{made['id']}").json()
    assert read["deliveries"] == {"waiting": 0, "failing": 0, "delivered": 1, "parked": 0}
    assert read["last_delivered_at"]

    again = hooked.post(f"/webhooks/{made['id']}/replays", {"delivery": line["id"], **WHO})
    assert (again.status_code, again.json()) == (200, {"replayed": 1})
    wait(lambda: len(receiver.got) == 2)
    assert receiver.got[0] == receiver.got[1]


def test_the_log_is_read_page_by_page(hooked: Service, receiver: Receiver) -> None:
    made = subscribe(hooked, receiver)
    hooked.post(f"/webhooks/{made['id']}/states", {"state": "paused", **WHO})
    for _ in range(5):
        hooked.report(POSITIVE)
    seen: list[str] = []
    cursor = None
    while True:
        url = f"/webhooks/{made['id']}/deliveries?limit=2&state=waiting"
        page = hooked.get(url + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        problem(hooked.get(f"/webhooks/{made['id']}/deliveries?cursor={cursor}"), 422, "bad_cursor")
    assert len(set(seen)) == len(seen) == 5
    assert seen == sorted(seen, reverse=True)
    problem(hooked.get(f"/webhooks/{made['id']}/deliveries?state=lost"), 422, "invalid")


def test_a_subscription_is_paused_activated_and_ended_for_good(hooked: Service, receiver: Receiver) -> None:
    made = subscribe(hooked, receiver)
    states = f"/webhooks/{made['id']}/states"
    assert hooked.post(states, {"state": "paused", **WHO}).json()["state"] == "paused"
    problem(hooked.post(states, {"state": "paused", **WHO}), 409, "conflict")
    assert hooked.post(states, {"state": "active", **WHO}).json()["state"] == "active"
    ended = hooked.post(states, {"state": "ended", **WHO})
    assert ended.status_code == 201
    assert [each["state"] for each in ended.json()["states"]] == ["active", "paused", "active", "ended"]
    for path, body in (
        ("states", {"state": "active"}), ("secrets", {}), ("replays", {"state": "parked"}),
    ):  # fmt: skip
        problem(hooked.post(f"/webhooks/{made['id']}/{path}", {**body, **WHO}), 409, "conflict")
    problem(hooked.post(f"/webhooks/{made['id']}/test", {"name": "A", "role": "b"}), 409, "conflict")


def test_a_secret_is_rotated_and_the_new_one_is_told_once(hooked: Service, receiver: Receiver) -> None:
    made = subscribe(hooked, receiver)
    rotated = hooked.post(f"/webhooks/{made['id']}/secrets", WHO)
    assert rotated.status_code == 201
    assert rotated.headers["cache-control"] == "no-store"
    assert rotated.json()["secret"] != made["secret"]
    assert rotated.json()["states"][-1]["secret"] == 2
    assert rotated.json()["secret"] not in hooked.get(f"/webhooks/{made['id']}").text


def test_the_same_request_with_the_same_key_makes_one_subscription_and_its_kept_answer_holds_no_secret(
    hooked: Service, receiver: Receiver
) -> None:
    body = {"url": receiver.url, "topics": ["result.final"], **WHO}
    first, again = (hooked.post("/webhooks", body, key="make") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true" and again.json() == first.json()
    assert len(hooked.get("/webhooks").json()["items"]) == 1
    rotated = [hooked.post(f"/webhooks/{first.json()['id']}/secrets", WHO, key="turn").json() for _ in range(2)]
    assert rotated[0] == rotated[1] and rotated[0]["states"][-1]["secret"] == 2
    context = hooked.app.state.context
    with context.store.reading(context.organisation) as reading:
        kept = repr(list(reading.connection.execute(idempotency_answer.select())))
    assert "whsec_" not in kept and first.json()["id"] in kept
    problem(hooked.post("/webhooks", {**body, "sees": "patient"}, key="make"), 409, "key_conflict")


def test_a_test_event_is_sent_at_once_and_tells_what_came_back(hooked: Service, receiver: Receiver) -> None:
    made = subscribe(hooked, receiver)
    told = hooked.post(f"/webhooks/{made['id']}/test", {"name": "Ada", "role": "engineer"}).json()
    assert (told["delivered"], told["status"]) == (True, 204)
    assert receiver.got == [(told["id"], receiver.got[0][1])]
    assert receiver.types() == ["herald.test"] and receiver.data() == [{}]
    receiver.answer = lambda message: 500
    told = hooked.post(f"/webhooks/{made['id']}/test", {"name": "Ada", "role": "engineer"}).json()
    assert (told["delivered"], told["status"], told["detail"]) == (False, 500, "500")
    receiver.stop()
    told = hooked.post(f"/webhooks/{made['id']}/test", {"name": "Ada", "role": "engineer"}).json()
    assert (told["delivered"], told["status"], told["detail"]) == (False, None, "not reached")
    assert hooked.get(f"/webhooks/{made['id']}/deliveries").json()["items"] == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/x",
        "http://hooks.test/x",
        "https://hooks.test@evil.test/x",
        "https://hooks.test:8443/x",
        "http://2130706433/x",
        "http://[::ffff:7f00:1]/x",
        "http://169.254.169.254/latest",
        "javascript:alert(1)",
        7,
        None,
    ],
)
def test_an_address_that_is_not_listed_is_refused_with_its_field_and_not_repeated(hooked: Service, url: Any) -> None:
    told = problem(hooked.post("/webhooks", {"url": url, "topics": ["result.final"], **WHO}), 422, "invalid")
    assert [each["field"] for each in told["problems"]] == ["url"]
    assert hooked.get("/webhooks").json() == {"items": []}


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ({"topics": []}, {"topics"}),
        ({"topics": ["patient.merged"]}, {"topics"}),
        ({"topics": "result.final"}, {"topics"}),
        ({"topics": [["result.final"]]}, {"topics"}),
        ({"sees": "mrn"}, {"sees"}),
        ({"sees": ["patient"]}, {"sees"}),
        ({"secret": "mine"}, {"secret"}),
        ({"name": None, "reason": None}, {"name", "reason"}),
    ],
)
def test_what_cannot_be_read_of_a_subscription_is_named(hooked: Service, parts: Any, fields: set[str]) -> None:
    body = {"url": "https://hooks.test/x", "topics": ["result.final"], **WHO, **parts}
    told = problem(hooked.post("/webhooks", body), 422, "invalid")
    assert {each["field"] for each in told["problems"]} == fields


@pytest.mark.parametrize(
    "body", [{}, {"delivery": "x", "state": "parked"}, {"state": "delivered"}, {"delivery": 7}, {"state": ["parked"]}]
)
def test_what_cannot_be_sent_again_is_named(hooked: Service, receiver: Receiver, body: Any) -> None:
    made = subscribe(hooked, receiver)
    problem(hooked.post(f"/webhooks/{made['id']}/replays", {**body, **WHO}), 422, "invalid")


def test_what_is_not_there_is_not_found_and_of_another_organisation_neither(
    hooked: Service, receiver: Receiver, start: Start, shared_url: str
) -> None:
    made = subscribe(hooked, receiver)
    other = start(shared_url, "other", webhook_key=KEY, webhook_targets=receiver.origin)
    assert other.get("/webhooks").json() == {"items": []}
    for service, id in ((hooked, "nobody"), (hooked, "%00"), (other, made["id"])):
        problem(service.get(f"/webhooks/{id}"), 404, "not_found")
        problem(service.get(f"/webhooks/{id}/deliveries"), 404, "not_found")
        problem(service.post(f"/webhooks/{id}/states", {"state": "paused", **WHO}), 404, "not_found")
        problem(service.post(f"/webhooks/{id}/test", {"name": "A", "role": "b"}), 404, "not_found")
    problem(hooked.post(f"/webhooks/{made['id']}/replays", {"delivery": "nothing", **WHO}), 404, "not_found")


def test_without_a_key_there_are_no_webhooks(service: Service) -> None:
    assert service.get("/webhooks").json() == {"items": []}
    told = problem(service.post("/webhooks", {"url": "https://hooks.test/x", "topics": [], **WHO}), 409, "conflict")
    assert "HERALD_WEBHOOK_KEY" in told["detail"]


def test_the_audit_trail_tells_every_act_and_no_secret(hooked: Service, receiver: Receiver) -> None:
    made = subscribe(hooked, receiver)
    rotated = hooked.post(f"/webhooks/{made['id']}/secrets", WHO).json()
    context = hooked.app.state.context
    assert context.store.verify_audit(context.organisation).sound
    shown = json.dumps([hooked.get(f"/webhooks/{made['id']}").json(), repr(hooked.app.state.settings)])
    assert made["secret"] not in shown and rotated["secret"] not in shown and KEY not in shown
