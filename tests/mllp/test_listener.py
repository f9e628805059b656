"""The listener on real sockets: order, pipelining, slow and silent senders, what cannot be answered, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator

import pytest

from app.mllp.framing import framed
from tests.mllp.certificates import Certificates, make_certificates
from tests.mllp.wire import Log, connected, echo, listening, message, run, until


def test_the_acknowledgement_echoes_the_control_id() -> None:
    async def test() -> None:
        async with listening() as listener, connected(listener.port) as sender:
            await sender.send(framed(message("M1")))
            assert await sender.answer() == b"AA M1"
            await sender.send(framed(message("M2")))
            assert await sender.answer() == b"AA M2"

    run(test)


def test_a_message_may_come_byte_by_byte() -> None:
    async def test() -> None:
        async with listening() as listener, connected(listener.port) as sender:
            await sender.send(*(bytes([each]) for each in framed(message("M1"))))
            assert await sender.answer() == b"AA M1"

    run(test)


def test_fifty_messages_in_one_packet_are_answered_in_their_order() -> None:
    rng = random.Random(3)

    async def unsteady(sent: bytes) -> AsyncIterator[bytes]:
        await asyncio.sleep(rng.uniform(0, 0.02))
        async for answer in echo(sent):
            yield answer

    async def test() -> None:
        async with listening(unsteady) as listener, connected(listener.port) as sender:
            await sender.send(b"".join(framed(message(f"M{number}")) for number in range(50)))
            assert await sender.answers(50) == [f"AA M{number}".encode() for number in range(50)]

    run(test)


def test_pipelined_messages_are_at_work_together_up_to_the_limit() -> None:
    at_work, most = 0, 0

    async def counting(sent: bytes) -> AsyncIterator[bytes]:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.005)
        at_work -= 1
        yield b"AA"

    async def test() -> None:
        async with listening(counting, pipelined=8) as listener, connected(listener.port) as sender:
            await sender.send(b"".join(framed(message(f"M{number}")) for number in range(40)))
            assert await sender.answers(40) == [b"AA"] * 40

    run(test)
    assert most == 8


def test_two_senders_at_once_get_their_own_answers() -> None:
    async def test() -> None:
        async with listening() as listener, connected(listener.port) as one, connected(listener.port) as two:
            for number in range(20):
                await one.send(framed(message(f"A{number}")))
                await two.send(framed(message(f"B{number}")))
            assert await two.answers(20) == [f"AA B{number}".encode() for number in range(20)]
            assert await one.answers(20) == [f"AA A{number}".encode() for number in range(20)]

    run(test)


def test_a_message_may_have_two_answers_each_sent_when_it_is_true() -> None:
    recorded = asyncio.Event()

    async def enhanced(sent: bytes) -> AsyncIterator[bytes]:
        yield b"CA"
        await recorded.wait()
        yield b"AA"

    async def test() -> None:
        async with listening(enhanced) as listener, connected(listener.port) as sender:
            await sender.send(framed(message("M1")))
            assert await sender.answer() == b"CA"
            recorded.set()
            assert await sender.answer() == b"AA"

    run(test)


def test_a_message_that_wants_no_answer_gets_none_and_the_next_one_does() -> None:
    async def choosy(sent: bytes) -> AsyncIterator[bytes]:
        if b"|M2|" in sent:
            yield b"AA M2"

    async def test() -> None:
        async with listening(choosy) as listener, connected(listener.port) as sender:
            await sender.send(framed(message("M1")), framed(message("M2")))
            assert await sender.answer() == b"AA M2"

    run(test)


def test_without_a_return_after_fs_and_with_noise_before_vt() -> None:
    async def test() -> None:
        log = Log()
        async with listening(log=log) as listener:
            async with connected(listener.port) as sender:
                await sender.send(b"\r\nGET / HTTP/1.1\r\n\x0b" + message("M1") + b"\x1c")
                assert await sender.answer() == b"AA M1"
            await until(lambda: bool(log.named("mllp_bytes_between_messages")))
        assert log.named("mllp_bytes_between_messages") == [{"count": 17}]

    run(test)


def test_a_message_beyond_the_limit_is_refused_and_the_connection_goes_on() -> None:
    async def test() -> None:
        async with listening(frame_bytes=200) as listener, connected(listener.port) as sender:
            await sender.send(framed(message("M1", "x" * 300_000)), framed(message("M2")))
            assert await sender.answers(2) == [b"AR too_large M1", b"AA M2"]

    run(test)


def test_one_connection_never_holds_more_bytes_than_one_message_may_have() -> None:
    at_work, most = 0, 0

    async def counting(sent: bytes) -> AsyncIterator[bytes]:
        nonlocal at_work, most
        at_work += len(sent)
        most = max(most, at_work)
        await asyncio.sleep(0.005)
        at_work -= len(sent)
        yield b"AA"

    async def test() -> None:
        async with listening(counting, frame_bytes=1000) as listener, connected(listener.port) as sender:
            await sender.send(*(framed(message(f"M{number}", "x" * 250)) for number in range(20)))
            assert await sender.answers(20) == [b"AA"] * 20

    run(test)
    assert 500 < most <= 1000


@pytest.mark.parametrize("sent", [b"", b"noise", framed(message("M1")), b"\x0bMSH|half"], ids=str)
def test_a_silent_or_slow_sender_is_let_go(sent: bytes) -> None:
    async def test() -> None:
        log = Log()
        async with listening(log=log, idle_seconds=0.1, frame_seconds=0.1) as listener:
            async with connected(listener.port) as sender:
                await sender.send(sent)
                answers = await sender.answers(2)
            assert answers[-1] is None
            assert (answers[0] == b"AA M1") == (b"|M1|" in sent)
        assert log.named("mllp_silent")

    run(test)


def test_what_cannot_be_kept_is_not_answered_and_nor_is_what_came_after_it() -> None:
    class Unavailable(Exception):
        kind = "unavailable"

    down = True

    async def keeping(sent: bytes) -> AsyncIterator[bytes]:
        if down and b"|M2|" in sent:
            await asyncio.sleep(0.02)
            raise Unavailable
        async for answer in echo(sent):
            yield answer

    async def test() -> None:
        nonlocal down
        log = Log()
        async with listening(keeping, log=log) as listener:
            for _ in range(3):
                async with connected(listener.port) as sender:
                    await sender.send(b"".join(framed(message(f"M{number}")) for number in (2, 3)))
                    assert await sender.answer() is None
            down = False
            async with connected(listener.port) as sender:
                await sender.send(framed(message("M2")))
                assert await sender.answer() == b"AA M2"
        assert {fields["error"] for fields in log.named("mllp_unanswered")} == {"unavailable"}

    run(test)


def test_a_trouble_is_logged_when_it_starts_and_when_it_ends_not_each_time() -> None:
    down = True

    async def keeping(sent: bytes) -> AsyncIterator[bytes]:
        if down:
            raise ValueError("Doe^Jane")
        yield b"AA"

    async def test() -> None:
        nonlocal down
        log = Log()
        async with listening(keeping, log=log) as listener:
            for attempt in range(6):
                down = attempt < 5
                async with connected(listener.port) as sender:
                    await sender.send(framed(message("M1")))
                    assert await sender.answer() == (None if down else b"AA")
        assert log.named("mllp_unanswered") == [{"error": "ValueError"}]
        assert log.named("mllp_unanswered_ended") == [{"count": 5}]

    run(test)


def test_stopping_answers_what_was_taken() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(sent: bytes) -> AsyncIterator[bytes]:
        begun.set()
        await go_on.wait()
        async for answer in echo(sent):
            yield answer

    async def test() -> None:
        async with listening(slow) as listener, connected(listener.port) as sender:
            await sender.send(framed(message("M1")))
            await begun.wait()
            stopping = asyncio.create_task(listener.stop())
            await asyncio.sleep(0.02)
            await sender.send(framed(message("M2")))
            go_on.set()
            assert await sender.answers(2) == [b"AA M1", None]
            await stopping
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", listener.port if listener._server.sockets else 1)

    run(test)


def test_work_goes_on_where_the_sender_has_gone() -> None:
    begun, recorded = asyncio.Event(), []

    async def slow(sent: bytes) -> AsyncIterator[bytes]:
        begun.set()
        await asyncio.sleep(0.05)
        recorded.append(sent)
        yield b"AA"

    async def test() -> None:
        async with listening(slow) as listener:
            async with connected(listener.port) as sender:
                await sender.send(framed(message("M1")))
                await begun.wait()
                sender.writer.transport.abort()
            await until(lambda: len(recorded) == 1)

    run(test)


def test_connections_beyond_the_limit_are_closed_at_once() -> None:
    async def test() -> None:
        log = Log()
        async with listening(log=log, connections=1) as listener:
            async with connected(listener.port) as first:
                await first.send(framed(message("M1")))
                assert await first.answer() == b"AA M1"
                for _ in range(3):
                    async with connected(listener.port) as second:
                        assert await second.answer() is None
            await until(lambda: not listener._connections)
            async with connected(listener.port) as third:
                await third.send(framed(message("M3")))
                assert await third.answer() == b"AA M3"
        assert len(log.named("mllp_too_many_connections")) == 1
        assert log.named("mllp_too_many_connections_ended") == [{"count": 3}]

    run(test)


def test_no_log_line_repeats_what_was_sent() -> None:
    async def test() -> None:
        log = Log()
        async with listening(log=log, frame_bytes=100) as listener, connected(listener.port) as sender:
            await sender.send(b"Doe^Jane" + framed(b"MSH|||||||||DOE|" + b"Doe" * 100) + b"\x0bDoe")
            assert await sender.answer() == b"AR too_large DOE"
        assert "Doe" not in repr(log.lines) and "DOE" not in repr(log.lines)

    run(test)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def test_over_tls(certificates: Certificates) -> None:
    async def test() -> None:
        tls, known = certificates.server(clients=False), certificates.client(own=False)
        async with listening(tls=tls) as listener, connected(listener.port, known) as sender:
            await sender.send(framed(message("M1")))
            assert await sender.answer() == b"AA M1"

    run(test)


def test_with_a_client_ca_only_known_senders_are_heard(certificates: Certificates) -> None:
    heard = []

    async def hearing(sent: bytes) -> AsyncIterator[bytes]:
        heard.append(sent)
        yield b"AA"

    async def test() -> None:
        async with listening(hearing, tls=certificates.server(clients=True)) as listener:
            # In TLS 1.3 a client learns that it was refused when it reads, so the connection may seem to be made.
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                async with connected(listener.port, certificates.client(own=False)) as stranger:
                    await stranger.send(framed(message("M1")))
                    assert await stranger.answer() is None
            async with connected(listener.port, certificates.client(own=True)) as sender:
                await sender.send(framed(message("M2")))
                assert await sender.answer() == b"AA"
        assert heard == [message("M2")]

    run(test)


def test_plain_bytes_to_a_tls_port_are_not_heard(certificates: Certificates) -> None:
    async def test() -> None:
        tls = certificates.server(clients=False)
        async with listening(tls=tls) as listener, connected(listener.port) as sender:
            await sender.send(framed(message("M1")))
            assert await sender.reader.read(2) in (b"", b"\x15\x03")  # closed, or a TLS alert

    run(test)
