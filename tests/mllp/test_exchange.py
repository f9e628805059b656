"""What is acknowledged when: by mode, by what became of the message, and by what the sender asks for."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.problems import Problem
from app.mllp.framing import framed
from app.services.errors import Refusal
from app.services.exchange import Exchange
from tests.mllp.desk import FakeDesk, fields, oru, unavailable
from tests.mllp.wire import Log, connected, listening, run, until

UNREADABLE = Problem("UNREADABLE", "MSH[1].2", "The separators cannot be told apart.", "Send MSH|^~\\&|.")
UNSUPPORTED = Problem("UNSUPPORTED", "MSH[1].9.1", "This type of message is not taken.", "Send ORU^R01.")
UNSUPPORTED_EVENT = Problem("UNSUPPORTED", "MSH[1].9.2", "This event is not taken.", "Send ORU^R01.")
UNSUPPORTED_VERSION = Problem("UNSUPPORTED", "MSH[1].12", "This version is not taken.", "Send 2.3 to 2.8.")
TRAINING = Problem("NOT_PRODUCTION", "MSH[1].11", "Not marked as production.", "Mark it P.")
REUSED = Problem("CONTROL_ID_REUSED", "MSH[1].10", "Came before with other content.", "Send each id once.")
UNMAPPED = Problem("UNKNOWN_CODE", "OBX[1].3", "Not mapped.", "Map it.")


def answered(desk: FakeDesk, message: bytes, *, strict: bool = False) -> list[bytes]:
    async def collect() -> list[bytes]:
        exchange = Exchange(desk, log=Log(), strict=lambda sender: strict)
        found = [each async for each in exchange.answers(message)]
        await exchange.finish()
        return found

    return asyncio.run(collect())


def told(answers: list[bytes]) -> list[str]:
    return [fields(each, "MSA")[1] for each in answers]


@pytest.mark.parametrize(
    ("state", "problems", "code", "error", "severity"),
    [
        ("recorded", (), "AA", "", ""),
        ("set_aside", (), "AA", "", ""),
        ("dismissed", (), "AA", "", ""),
        ("quarantined", (UNMAPPED,), "AA", "103", "W"),
        ("quarantined", (REUSED,), "AE", "205", "E"),
        ("quarantined", (UNREADABLE,), "AR", "102", "E"),
        ("quarantined", (UNSUPPORTED,), "AR", "200", "E"),
        ("refused", (UNSUPPORTED_EVENT,), "AR", "201", "E"),
        ("refused", (UNSUPPORTED_VERSION,), "AR", "203", "E"),
        ("refused", (TRAINING,), "AR", "202", "E"),
    ],
)
def test_original_mode(state: str, problems: tuple[Problem, ...], code: str, error: str, severity: str) -> None:
    (answer,) = answered(FakeDesk(state, *problems), oru("M7"))
    assert fields(answer, "MSA")[1:3] == [code, "M7"]
    err = fields(answer, "ERR")
    assert (err[3].split("^")[0], err[4]) == (error, severity) if error else err == []


def test_a_strict_sender_is_told_ae_for_what_waits_and_aa_for_what_does_not() -> None:
    assert told(answered(FakeDesk("quarantined", UNMAPPED), oru(), strict=True)) == ["AE"]
    assert told(answered(FakeDesk("recorded"), oru(), strict=True)) == ["AA"]


@pytest.mark.parametrize(
    ("asks", "state", "codes"),
    [
        ("AL|AL", "recorded", ["CA", "AA"]),
        ("AL|NE", "recorded", ["CA"]),
        ("AL|", "recorded", ["CA"]),
        ("NE|NE", "recorded", []),
        ("NE|AL", "recorded", ["AA"]),
        ("AL|SU", "recorded", ["CA", "AA"]),
        ("AL|ER", "recorded", ["CA"]),
        ("SU|ER", "refused", ["CA", "AR"]),
        ("ER|SU", "refused", []),
    ],
)
def test_enhanced_mode_answers_what_is_asked_for(asks: str, state: str, codes: list[str]) -> None:
    desk = FakeDesk(state, *((TRAINING,) if state == "refused" else ()))
    assert told(answered(desk, oru(asks=asks))) == codes
    assert len(desk.kept) == len(desk.recorded) == 1


def test_ca_is_said_once_it_is_kept_and_aa_only_once_it_is_recorded() -> None:
    async def test() -> None:
        desk = FakeDesk()
        desk.may_record.clear()
        answers = Exchange(desk, log=Log()).answers(oru(asks="AL|AL"))
        assert fields(await anext(answers), "MSA")[1] == "CA"
        assert desk.kept and not desk.recorded
        desk.may_record.set()
        assert fields(await anext(answers), "MSA")[1] == "AA"
        assert desk.recorded

    run(test)


@pytest.mark.parametrize("asks", ["", "AL|AL", "AL|NE", "NE|NE"])
@pytest.mark.parametrize("kind", ["busy", "unavailable"])
def test_nothing_is_said_where_it_cannot_be_kept_now(kind: str, asks: str) -> None:
    desk = FakeDesk()
    desk.not_kept = Refusal(kind, "")
    with pytest.raises(Refusal):
        answered(desk, oru(asks=asks))


def test_nothing_is_said_in_original_mode_where_it_is_kept_and_cannot_be_recorded_now() -> None:
    desk = FakeDesk()
    desk.not_recorded = unavailable()
    with pytest.raises(Refusal):
        answered(desk, oru())


@pytest.mark.parametrize("state", ["received", "processing"])
def test_what_is_not_recorded_yet_is_not_acknowledged(state: str) -> None:
    with pytest.raises(Refusal):
        answered(FakeDesk(state), oru())


def test_an_error_of_ours_is_ae_207_since_the_message_is_kept() -> None:
    desk = FakeDesk()
    desk.not_recorded = ValueError("Doe^Jane")
    (answer,) = answered(desk, oru())
    assert fields(answer, "MSA")[1] == "AE" and fields(answer, "ERR")[3].startswith("207")
    assert b"Doe" not in answer


@pytest.mark.parametrize(("asks", "code"), [("", "AR"), ("AL|AL", "CR"), ("NE|NE", "CR")])
def test_what_can_never_be_kept_is_rejected_whatever_is_asked_for(asks: str, code: str) -> None:
    desk = FakeDesk()
    desk.not_kept = Refusal("invalid", "Doe^Jane")
    answers = answered(desk, oru(asks=asks))
    assert told(answers) == [code] and b"Doe" not in answers[0]


@pytest.mark.parametrize("sent", [b"", b"\x00\xff", b"PID|1", b"MSH", b"MSH|", b"MSH|^~\\&|" + b"x|" * 9])
def test_whatever_comes_is_kept_and_answered(sent: bytes) -> None:
    desk = FakeDesk("quarantined", UNREADABLE)
    assert told(answered(desk, sent)) == ["AR"]
    assert desk.kept[0].message == sent


@pytest.mark.parametrize("name", ["x" * 200, "a\x01b", "a\x0bb"])
def test_a_name_that_cannot_be_a_key_is_left_out_and_the_message_kept(name: str) -> None:
    desk = FakeDesk()
    answered(desk, oru(name))
    assert desk.kept[0].control_id == "" and desk.kept[0].sender == "LIS|NORTH"


@pytest.mark.parametrize("asks", ["", "AL|AL", "AL|NE", "NE|NE"])
def test_a_door_with_one_answer_gives_the_application_acknowledgement(asks: str) -> None:
    exchange = Exchange(FakeDesk("quarantined", UNMAPPED), log=Log())
    answer = asyncio.run(exchange.answer(oru("M9", asks=asks)))
    assert fields(answer, "MSA")[1:3] == ["AA", "M9"] and fields(answer, "ERR")[4] == "W"


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n ", b"\x0b"])
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_the_header_is_found_whatever_stands_before_it_and_ends_it(before: bytes, end: bytes) -> None:
    (answer,) = answered(FakeDesk(), before + oru("M5").replace(b"\r", end))
    assert fields(answer, "MSA")[1:3] == ["AA", "M5"] and fields(answer, "MSH")[5:7] == ["LIS", "NORTH"]


def test_a_message_in_two_byte_characters_is_answered_to_its_control_id() -> None:
    (answer,) = answered(FakeDesk(), oru("M5").decode().encode("utf-16"))
    assert b"M5" in answer.replace(b"\x00", b"")


def test_a_backlog_that_only_ca_was_said_for_is_bounded() -> None:
    async def test() -> None:
        desk = FakeDesk()
        desk.may_record.clear()
        exchange = Exchange(desk, log=Log(), most_waiting=3)

        async def send(number: int) -> None:
            async for _ in exchange.answers(oru(f"M{number}", asks="AL|NE")):
                pass

        sending = [asyncio.create_task(send(number)) for number in range(8)]
        await until(lambda: len(desk.kept) == 8)
        assert sum(task.done() for task in sending) == 3
        desk.may_record.set()
        await asyncio.gather(*sending)
        await exchange.finish()
        assert len(desk.recorded) == 8

    run(test)


def test_over_the_wire_a_database_that_is_down_closes_the_line_and_the_same_message_is_taken_later() -> None:
    async def test() -> None:
        desk = FakeDesk()
        desk.not_kept = unavailable()
        exchange = Exchange(desk, log=Log())
        async with listening(exchange.answers, refuse=exchange.refuse, frame_bytes=2000) as listener:
            async with connected(listener.port) as sender:
                await sender.send(framed(oru("M1")))
                assert await sender.answer() is None
            desk.not_kept = None
            async with connected(listener.port) as sender:
                await sender.send(framed(oru("M1")), framed(oru("M2") + b"x" * 3000), framed(oru("M3")))
                answers = [fields(each, "MSA")[1:3] for each in await sender.answers(3)]
        assert answers == [["AA", "M1"], ["AR", "M2"], ["AA", "M3"]]

    run(test)
