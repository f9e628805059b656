"""POST /hl7v2: bytes as they came to the exchange, its acknowledgement back; the desk keeps in memory."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from app.domain.problems import Problem
from app.services.errors import Refusal
from app.services.exchange import Exchange
from app.services.payloads import Kept, Outcome, Payload
from tests.fixtures_service import Service, Start

ER7 = "x-application/hl7-v2+er7"
UNMAPPED = Problem("UNKNOWN_CODE", "OBX[1].3", "Not mapped.", "Map it.")


class Intake:
    """Desk and intake in one: keeps in memory, answers one outcome."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome, self.kept, self.refusal = outcome, [], None  # type: ignore[var-annotated]

    async def keep(self, payload: Payload) -> Kept:
        if self.refusal:
            raise Refusal(self.refusal, "Not now.")
        self.kept.append(payload)
        return Kept("1", payload, True)

    async def record(self, kept: Kept) -> Outcome:
        return self.outcome

    def preview(self, payload: Payload) -> Outcome:
        return self.outcome


def oru(name: str = "Müller", charset: str = "UNICODE UTF-8", encoding: str = "utf-8", asks: str = "|") -> bytes:
    header = f"MSH|^~\\&|LIS|NORTH|HERALD|HOSP|20260301090000+0100||ORU^R01|M1|P|2.5.1|||{asks}||{charset}"
    return f"{header}\rPID|1||P1^^^N^MR||{name}\rOBR|1||S1\rOBX|1|ST|85319-2^^LN||2+||||||F\r".encode(encoding)


def with_intake(service: Service, state: str = "recorded", *problems: Problem, **parts: Any) -> Intake:
    intake = Intake(Outcome("1", state, problems=problems, **parts))
    service.app.state.intake = intake
    service.app.state.exchange = Exchange(intake, log=structlog.get_logger())
    return intake


def send(service: Service, message: bytes, kind: str | None = ER7, query: str = "", **headers: str) -> Any:
    told = ({"Content-Type": kind} if kind else {}) | headers
    return service.post(f"/hl7v2{query}", content=message, headers=told)


@pytest.mark.parametrize("kind", [ER7, "application/hl7-v2", "text/plain"])
def test_a_message_is_acknowledged_in_the_media_type_it_came_in(stateless: Service, kind: str) -> None:
    intake = with_intake(stateless)
    answer = send(stateless, oru(), kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert "\rMSA|AA|M1\r" in answer.text
    assert (intake.kept[0].sender, intake.kept[0].control_id) == ("LIS|NORTH", "M1")


def test_the_bytes_are_kept_as_they_came_whatever_the_header_says_of_their_charset(stateless: Service) -> None:
    intake = with_intake(stateless)
    message = oru(charset="8859/1", encoding="latin-1")
    assert send(stateless, message, "text/plain; charset=utf-8").status_code == 200
    assert intake.kept[0].message == message


def test_what_waits_is_acknowledged_with_a_warning(stateless: Service) -> None:
    with_intake(stateless, "quarantined", UNMAPPED)
    answer = send(stateless, oru())
    assert "\rMSA|AA|M1|" in answer.text and "|103^" in answer.text and "|W|" in answer.text


def test_in_enhanced_mode_the_answer_is_the_application_acknowledgement(stateless: Service) -> None:
    with_intake(stateless)
    for asks in ("AL|NE", "NE|NE", "AL|AL"):
        assert "\rMSA|AA|M1\r" in send(stateless, oru(asks=asks)).text


@pytest.mark.parametrize("kind", ["busy", "unavailable"])
def test_what_cannot_be_kept_now_is_503(stateless: Service, kind: str) -> None:
    with_intake(stateless).refusal = kind
    answer = send(stateless, oru())
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert answer.json()["type"] == f"urn:herald:problem:{kind}"


def test_a_dry_run_tells_what_would_be_read_and_keeps_nothing(stateless: Service) -> None:
    lines = ({"where": "OBX[1].5", "code": "85319-2", "text": "2+", "field": "ihc", "value": "2+", "note": ""},)
    intake = with_intake(stateless, "recorded", UNMAPPED, lines=lines)
    answer = send(stateless, oru(), query="?dry_run=true")
    assert answer.status_code == 200 and not intake.kept
    told = answer.json()
    assert told["state"] == "recorded" and told["lines"] == list(lines)
    assert told["problems"][0]["code"] == "UNKNOWN_CODE"


@pytest.mark.parametrize("headers", [{"Content-Type": "application/json"}, {"Content-Encoding": "gzip"}])
def test_another_kind_of_body_is_415(stateless: Service, headers: dict[str, str]) -> None:
    intake = with_intake(stateless)
    answer = stateless.post("/hl7v2", content=oru(), headers={"Content-Type": ER7} | headers)
    assert answer.status_code == 415 and not intake.kept


def test_too_large_a_body_is_413(start: Start, shared_url: str) -> None:
    service = start(shared_url, body_limit=1000)
    with_intake(service)
    answer = send(service, oru() + b"x" * 2000)
    assert answer.status_code == 413 and answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_parameter_is_refused(stateless: Service) -> None:
    with_intake(stateless)
    assert send(stateless, oru(), query="?dryrun=true").status_code == 422


def test_what_is_no_message_is_kept_and_rejected(stateless: Service) -> None:
    unreadable = Problem("UNREADABLE", "MSH", "It does not begin with MSH.", "Send an HL7 v2 message.")
    intake = with_intake(stateless, "quarantined", unreadable)
    answer = send(stateless, b"hello")
    assert answer.status_code == 200 and "\rMSA|AR" in answer.text
    assert intake.kept[0].message == b"hello"
