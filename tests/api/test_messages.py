"""/messages: found by state and key, raw beside read beside recorded, processed again by a person, closed, exported."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from app.records.inbox import Inbox
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


def test_content_that_was_erased_by_order_is_told_so(stateless: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    id = take(stateless, GARBAGE)
    there, all_there = Inbox.message, Inbox.messages

    def gone(inbox: Inbox, id: str) -> Any:
        return replace(there(inbox, id), message=None)

    def all_gone(inbox: Inbox, ids: Any) -> Any:
        return {id: replace(each, message=None) for id, each in all_there(inbox, ids).items()}

    monkeypatch.setattr(Inbox, "message", gone)
    monkeypatch.setattr(Inbox, "messages", all_gone)
    for answer in (stateless.get(f"/messages/{id}/raw"), stateless.post(f"/messages/{id}/replay", WHO)):
        assert answer.status_code == 404 and "erased by order" in answer.json()["detail"]
    told = document(stateless, f"/messages/{id}")
    assert (told["size"], told["reads_now"], told["state"]) == (None, None, "quarantined")
    assert json.loads(stateless.get("/messages/export").text)["message_base64"] is None
    assert "erased by order" in page(stateless, f"/{id}").text


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


# ---- mapping, with a real message


def local_her2(control: str, score: str = "2+") -> bytes:
    return oru(control, observation=f"H2IHC^HER2 IHC score^L||{score}")


MAPPING = {**WHO, "sender": "LIS|NORTH", "code": "H2IHC", "target": "ihc.score"}


def test_a_code_is_mapped_for_its_sender_and_all_that_waited_for_it_is_recorded(service: Service) -> None:
    one, two = take(service, local_her2("L1")), take(service, local_her2("L2", "3+"))
    garbage, south = take(service, GARBAGE), take(service, local_her2("L3", "1+"), sender="SOUTH")
    told = document(service, f"/messages/{one}")
    assert (told["state"], told["step"], told["problems"][0]["code"]) == ("quarantined", "map", "UNKNOWN_CODE")
    assert [each["code"] for each in told["reads_now"]["unmapped"]] == ["H2IHC"]
    answer = service.post("/messages/mappings", MAPPING)
    assert answer.json() == {"changed": True, "replayed": 2, "states": {"recorded": 2}, "still_waiting": 1}
    assert document(service, f"/messages/{garbage}")["state"] == "quarantined"
    assert document(service, f"/messages/{south}")["state"] == "quarantined"
    for id, score in ((one, "2+"), (two, "3+")):
        told = document(service, f"/messages/{id}")
        assert [each["state"] for each in told["states"]] == ["quarantined", "received", "recorded"]
        assert told["states"][1]["name"] == WHO["name"] and WHO["reason"] in told["states"][1]["reason"]
        (part,) = [each for each in told["recorded"] if each["stands"]]
        (fact,) = [each for each in part["facts"] if each["field"] == "ihc.score"]
        assert (fact["text"], fact["where"][:6]) == (score, "OBX[1]")
        assert any(line["field"] == "ihc.score" and line["text"] == score for line in told["reads_now"]["lines"])
        assert service.get(f"/results/{part['result_id']}").status_code == 200
        found = service.get("/messages", params={"result_id": part["result_id"]}).json()["items"]
        assert [each["id"] for each in found] == [id]
        found = service.get("/messages", params={"accession": part["accession"]}).json()["items"]
        assert id in {each["id"] for each in found}


def test_a_recorded_message_processed_again_says_the_same_and_makes_no_version(service: Service) -> None:
    service.post("/messages/mappings", MAPPING)
    id = take(service, local_her2("L1"))
    assert document(service, f"/messages/{id}")["state"] == "recorded"
    answer = service.post(f"/messages/{id}/replay", WHO).json()
    assert answer["state"] == "recorded" and [each["changed"] for each in answer["results"]] == [False]
    told = document(service, f"/messages/{id}")
    assert [(each["run"], each["stands"]) for each in told["recorded"]] == [(1, False), (2, True)]
    assert service.get("/results").json()["items"][0]["version"] == 1


# ---- the pages


def page(service: Service, path: str = "", **form: str) -> Any:
    url = f"/browser/messages{path}"
    return service.request("POST", url, data=form) if form else service.get(url)


def test_counts_are_links_to_what_they_count(service: Service) -> None:
    take(service, GARBAGE), take(service, b"nobody's", sender="")
    shown = page(service).text
    for link, many in (("state=quarantined", 2), ("state=quarantined&amp;sender=LIS%7CNORTH", 1), ("sender=", 1)):
        assert link in shown
        assert (
            page(service, f"?{link.replace('&amp;', '&')}").text.count('<th scope="row" class="when"><a href=') == many
        )
    assert "No message is like this." in page(service, "?state=recorded").text


def test_a_page_shows_raw_read_and_recorded_and_escapes_all(service: Service) -> None:
    id = take(service, oru("X1", observation="H2^<script>HER2</script>^L||<b>2+</b>"), sender="<i>S</i>")
    answer = page(service, f"/{id}")
    assert answer.status_code == 200 and "<script>" not in answer.text and "<b>2+" not in answer.text
    assert "<i>" not in answer.text and "&lt;b&gt;2+&lt;/b&gt;" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "UNKNOWN_CODE" in answer.text and 'name="code" value="H2"' in answer.text


def test_the_forms_map_replay_and_dismiss(service: Service) -> None:
    id, other = take(service, local_her2("L1")), take(service, GARBAGE)
    assert page(service, f"/{other}/replay", **WHO).headers["location"] == f"/browser/messages/{other}"
    assert page(service, f"/{other}/dismissals", **WHO).status_code == 303
    assert "dismissed" in page(service, f"/{other}").text and WHO["reason"] in page(service, f"/{other}").text
    told = page(service, "/mappings", **MAPPING, system="", message=id)
    assert "1 processed again; 0 of this sender still wait." in told.text
    assert document(service, f"/messages/{id}")["state"] == "recorded"
    assert "1 processed again; 0 left." in page(service, "/replays", **WHO, state="recorded").text


def test_a_form_that_lacks_something_or_comes_from_elsewhere_does_nothing(service: Service) -> None:
    id = take(service, GARBAGE)
    answer = page(service, f"/{id}/dismissals", name="Ada", role="engineer", reason="")
    assert answer.status_code == 422 and "<code>reason</code>" in answer.text
    for elsewhere in ({"Origin": "https://other.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        foreign = service.post(f"/browser/messages/{id}/dismissals", data=WHO, headers=elsewhere)
        assert foreign.status_code == 409
    assert page(service, "/nosuch").status_code == 404
    assert document(service, f"/messages/{id}")["state"] == "quarantined"


def test_a_pasted_message_is_shown_line_by_line(service: Service) -> None:
    message = oru("P1", observation="85319-2^HER2^LN||2+").decode().replace("\r", "\r\n")
    shown = page(service, "/paste", message=message, format="hl7v2", sender="").text
    assert "It would be recorded" in shown and "ihc.score" in shown
    assert document(service, "/messages")["items"] == []
