"""Sending over MLLP: an answer belongs to its message, or to none."""

from __future__ import annotations

import asyncio

import pytest

from app.mllp.client import Client, NoAnswer
from app.services.oru import Acknowledged, acknowledged
from tests.mllp.certificates import make_certificates
from tests.mllp.receiver import acknowledgement, receiving
from tests.mllp.wire import listening, message, run


def test_a_connection_is_kept_between_messages() -> None:
    async def test() -> None:
        async with receiving() as receiver:
            client = Client("127.0.0.1", receiver.port, seconds=5)
            for number in range(3):
                answer = await client.ask(message(f"M{number}"))
                assert acknowledged(answer) == Acknowledged("AA", f"M{number}")
            assert receiver.connections == 1
            client.close()

    run(test)


def test_a_connection_that_the_receiver_closed_between_messages_is_made_anew() -> None:
    async def test() -> None:
        async with receiving() as receiver:
            receiver.closes = True
            client = Client("127.0.0.1", receiver.port, seconds=5)
            for number in range(3):
                assert acknowledged(await client.ask(message(f"M{number}"))).control_id == f"M{number}"
                await asyncio.sleep(0.02)
            assert len(receiver.got) == 3

    run(test)


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_ones() -> None:
    async def test() -> None:
        async with receiving() as receiver:
            client = Client("127.0.0.1", receiver.port, seconds=0.1)
            receiver.answer = lambda sent: None
            with pytest.raises(NoAnswer, match="in time"):
                await client.ask(message("M1"))
            receiver.answer = acknowledgement
            assert acknowledged(await client.ask(message("M2"))).control_id == "M2"
            assert receiver.connections == 2
            client.close()

    run(test)


def test_nobody_there_is_no_answer() -> None:
    async def test() -> None:
        async with receiving() as receiver:
            port = receiver.port
        with pytest.raises(NoAnswer, match="not reached"):
            await Client("127.0.0.1", port, seconds=5).ask(message("M1"))

    run(test)


def test_over_tls_with_a_certificate_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))

    async def test() -> None:
        async with listening(tls=certificates.server(clients=True)) as listener:
            client = Client("127.0.0.1", listener.port, seconds=5, tls=certificates.client(own=True))
            assert await client.ask(message("M1")) == b"AA M1"
            client.close()

    run(test)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"MSH|^~\\&|\rMSA|AE|M1\rERR||OBX^1|207^Internal^HL70357|E\r", Acknowledged("AE", "M1", "207")),
        (b"MSH|^~\\&|||||||ACK||P|2.3\rMSA|AR|M1\rERR|OBX^1^5^102&Type&HL70357\r", Acknowledged("AR", "M1", "102")),
        (b"MSH|^~\\&|\nMSA|AA|M1\n", Acknowledged("AA", "M1")),
        (b"MSH#*~\\&#\rMSA#CA#M1\r", Acknowledged("CA", "M1")),
        (b"MSH|^~\\&|\rMSA|AE|M1\rERR|||Doe Jane\r", Acknowledged("AE", "M1", "")),
        (b"MSH|^~\\&|\r", Acknowledged("", "")),
        (b"OK", Acknowledged("", "")),
        (b"", Acknowledged("", "")),
    ],
)
def test_what_an_answer_says(answer: bytes, said: Acknowledged) -> None:
    assert acknowledged(answer) == said
