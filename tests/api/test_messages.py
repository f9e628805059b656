"""/messages: found by state and key, raw beside read beside recorded, processed again by a person, closed, exported."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from app.services.payloads import HL7V2, Payload
from tests.fixtures_service import Service

WHO = {"name": "Ada Engineer", "role": "interface engineer", "reason": "the feed was mended"}
GARBAGE = b"garbage \xff"


def adt(control: str, sender: str = "LIS|NORTH") -> bytes:
    return f"MSH|^~\\&|{sender}|HERALD|HOSP|20260301090000+0100||ADT^A01|{control}|P|2.5.1\rPID|1||P1\r".encode()


def oru(control: str, sender: str = "LIS|NORTH", observation: str = "718-7^Haemoglobin^LN||13.1") -> bytes:
    return (
        f"MSH|^~\\&|{sender}|HERALD|HOSP|20260301090000+0100||ORU^R01|{control}|P|2.5.1\r"
        f"PID|1||P1^^^N^MR||Doe\rOBR|1||S26-{control}|T\rOBX|1|ST|{observation}||||||F\r"
    ).encode()


def take(service: Service, message: bytes, sender: str = "LIS|NORTH", control: str = "", kind: str = HL7V2) -> str:
    """Keep and record a message; its id."""
    intake = service.app.state.intake
    (kept,) = intake.keep([Payload(message, kind, sender, control)])
    intake.record([kept])
    return str(kept.id)


def document(service: Service, url: str) -> Any:
    answer = service.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


# ---- finding


def test_messages_are_counted_by_state_and_sender(service: Service) -> None:
    for number in range(2):
        take(service, b"garbage %d" % number)
    take(service, adt("A1"), sender="OTHER")
    counts = document(service, "/messages/counts")
    by_state = {each["state"]: each["count"] for each in counts["states"]}
    assert by_state["quarantined"] == 3 and by_state["recorded"] == 0
    assert {(each["sender"], each["count"]) for each in counts["senders"]} == {("LIS|NORTH", 2), ("OTHER", 1)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"state": "quarantined"}, {"one", "two"}),
        ({"state": "recorded"}, set()),
        ({"sender": "SOUTH"}, {"two"}),
        ({"control_id": "C1"}, {"one"}),
        ({"received_from": "2000-01-01"}, {"one", "two"}),
        ({"received_before": "2000-01-01"}, set()),
        ({"accession": "none such"}, set()),
    ],
)
def test_a_list_is_narrowed(service: Service, query: dict[str, str], expected: set[str]) -> None:
    ids = {"one": take(service, b"one", control="C1"), "two": take(service, b"two", sender="SOUTH")}
    found = service.get("/messages", params=query).json()["items"]
    assert {each["id"] for each in found} == {ids[name] for name in expected}


def test_a_list_goes_on_by_its_cursor_the_newest_first(service: Service) -> None:
    ids = [take(service, b"message %d" % number) for number in range(5)]
    seen, cursor = [], ""
    while True:
        page = document(service, f"/messages?limit=2{cursor}")
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == sorted(ids, reverse=True)


@pytest.mark.parametrize("query", ["?stat=x", "?state=nosuch", "?received_from=yesterday", "?cursor=x", "?limit=501"])
def test_what_cannot_be_asked_is_told(service: Service, query: str) -> None:
    answer = service.get(f"/messages{query}")
    assert answer.status_code == 422 and answer.json()["problems"]


def test_a_message_tells_why_it_waits_and_at_which_step(service: Service) -> None:
    told = document(service, f"/messages/{take(service, GARBAGE)}")
    assert (told["state"], told["step"], told["size"]) == ("quarantined", "read", len(GARBAGE))
    assert told["problems"][0]["code"] in ("UNREADABLE", "UNSUPPORTED")
    assert told["problems"] == told["states"][-1]["problems"] and told["problems"] == told["reads_now"]["problems"]
    assert told["recorded"] == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/raw"), ("POST", "/replay"), ("POST", "/dismissals")]
)
def test_a_message_that_is_not_there_is_404(service: Service, method: str, path: str) -> None:
    body = WHO if method == "POST" else None
    assert service.request(method, f"/messages/nosuch{path}", json=body).status_code == 404


# ---- raw and export


def test_raw_bytes_come_back_as_they_came(service: Service) -> None:
    text = service.get(f"/messages/{take(service, adt('A1'))}/raw")
    assert (text.content, text.headers["content-type"]) == (adt("A1"), "text/plain; charset=utf-8")
    binary = service.get(f"/messages/{take(service, GARBAGE)}/raw")
    assert (binary.content, binary.headers["content-type"]) == (GARBAGE, "application/octet-stream")
    assert binary.headers["content-disposition"].startswith("attachment")


def test_an_export_holds_metadata_and_bytes(service: Service) -> None:
    for number in range(60):
        take(service, b"garbage %d \xff" % number)
    take(service, b"other", sender="SOUTH")
    answer = service.get("/messages/export", params={"sender": "LIS|NORTH", "state": "quarantined"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert {base64.b64decode(row["message_base64"]) for row in rows} == {b"garbage %d \xff" % n for n in range(60)}
    assert all(row["state"] == "quarantined" and row["received_at"] for row in rows)
    assert service.get("/messages/export?received_from=never").status_code == 422


# ---- by a person


def test_a_replay_is_told_with_who_and_why_and_what_became_of_it(service: Service) -> None:
    id = take(service, GARBAGE)
    answer = service.post(f"/messages/{id}/replay", WHO)
    assert answer.status_code == 200 and (answer.json()["id"], answer.json()["state"]) == (id, "quarantined")
    states = document(service, f"/messages/{id}")["states"]
    assert [each["state"] for each in states] == ["quarantined", "received", "quarantined"]
    asked = states[1]
    assert {name: asked[name] for name in WHO} == WHO and asked["step"] == "replay"


def test_a_message_set_aside_can_be_processed_again(service: Service) -> None:
    id = take(service, oru("H1"))
    assert document(service, f"/messages/{id}")["state"] == "set_aside"
    assert service.post(f"/messages/{id}/replay", WHO).json()["state"] == "set_aside"


@pytest.mark.parametrize("missing", ["name", "role", "reason"])
@pytest.mark.parametrize("path", ["replay", "dismissals"])
def test_nobody_acts_without_a_name_a_role_and_a_reason(service: Service, path: str, missing: str) -> None:
    id = take(service, GARBAGE)
    body = {name: said for name, said in WHO.items() if name != missing}
    answer = service.post(f"/messages/{id}/{path}", body)
    assert answer.status_code == 422 and answer.json()["problems"][0]["field"] == missing
    assert len(document(service, f"/messages/{id}")["states"]) == 1


def test_only_a_message_that_waits_is_dismissed(service: Service) -> None:
    id = take(service, GARBAGE)
    assert service.post(f"/messages/{id}/dismissals", WHO).json() == {"id": id, "state": "dismissed"}
    told = document(service, f"/messages/{id}")
    assert told["state"] == "dismissed" and told["states"][-1]["reason"] == WHO["reason"]
    assert service.post(f"/messages/{id}/dismissals", WHO).status_code == 409
    assert service.post(f"/messages/{id}/replay", WHO).json()["state"] == "quarantined"


def test_a_message_on_its_way_is_not_replayed(service: Service) -> None:
    (kept,) = service.app.state.intake.keep([Payload(GARBAGE, HL7V2, "S")])
    assert service.post(f"/messages/{kept.id}/replay", WHO).status_code == 409


def test_a_file_is_not_read_as_a_message(service: Service) -> None:
    (kept,) = service.app.state.intake.keep([Payload(b"a,b", "text/csv", "S")])
    assert document(service, f"/messages/{kept.id}")["reads_now"] is None
    assert service.post(f"/messages/{kept.id}/replay", WHO).status_code == 409


def test_all_of_a_state_and_sender_are_processed_again(service: Service) -> None:
    mine = [take(service, b"garbage %d" % number) for number in range(3)]
    other = take(service, b"other", sender="SOUTH")
    answer = service.post("/messages/replays", {**WHO, "state": "quarantined", "sender": "LIS|NORTH"})
    assert answer.json() == {"replayed": 3, "left": 0, "states": {"quarantined": 3}}
    assert all(len(document(service, f"/messages/{id}")["states"]) == 3 for id in mine)
    assert len(document(service, f"/messages/{other}")["states"]) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [({"state": "received"}, "state"), ({"state": None}, "state"), ({"sender": 3}, "sender"), ({"many": 1}, "many")],
)
def test_what_cannot_be_replayed_is_told(service: Service, change: dict[str, Any], field: str) -> None:
    answer = service.post("/messages/replays", {**WHO, "state": "quarantined", **change})
    assert answer.status_code == 422 and answer.json()["problems"][0]["field"] == field


# ---- mapping a code


def test_a_code_is_mapped_once_and_what_waits_for_another_reason_keeps_waiting(service: Service) -> None:
    id = take(service, GARBAGE)
    body = {**WHO, "sender": "LIS|NORTH", "code": "HER2-IHC", "target": "ihc.score"}
    answer = service.post("/messages/mappings", body)
    assert answer.json() == {"changed": True, "replayed": 0, "states": {}, "still_waiting": 1}
    assert service.post("/messages/mappings", body).json()["changed"] is False
    assert len(document(service, f"/messages/{id}")["states"]) == 1


@pytest.mark.parametrize(
    ("change", "field"), [({"target": "ihc.colour"}, "target"), ({"code": ""}, "code"), ({"system": 1}, "system")]
)
def test_a_mapping_that_leads_nowhere_is_refused(service: Service, change: dict[str, Any], field: str) -> None:
    answer = service.post("/messages/mappings", {**WHO, "sender": "S", "code": "X", "target": "ihc.score", **change})
    assert answer.status_code == 422 and answer.json()["problems"][0]["field"] == field


# ---- paste


@pytest.mark.parametrize(("query", "message"), [("", adt("A1")), ("?format=fhir", b'{"resourceType": "Patient"}')])
def test_a_pasted_message_is_read_and_not_kept(service: Service, query: str, message: bytes) -> None:
    answer = service.post(f"/messages/preview{query}", content=message)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["id"], answer.json()["state"]) == (None, "quarantined")
    assert document(service, "/messages")["items"] == []
