"""A listener on a real socket, a sender of raw bytes, and messages to send."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from app.mllp.framing import BlockReader
from app.mllp.listener import Handle, Limits, Listener, Refuse

PATIENCE = 20.0


class Log:
    """Keeps what was logged: (level, event, fields)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda event, **fields: self.lines.append((level, event, fields))

    def named(self, event: str) -> list[dict[str, Any]]:
        return [fields for _, name, fields in self.lines if name == event]


def message(control_id: str, text: str = "2+") -> bytes:
    """A small ORU, as far as the wire is concerned."""
    return (
        f"MSH|^~\\&|LIS|NORTH|HERALD||20260301||ORU^R01|{control_id}|P|2.5.1\r"
        f"OBR|1||A1|\rOBX|1|ST|85319-2^^LN||{text}||||||F\r"
    ).encode()


def control_id(sent: bytes) -> bytes:
    return sent.split(b"|")[9]


async def echo(sent: bytes) -> AsyncIterator[bytes]:
    """Acknowledges with the control id."""
    yield b"AA " + control_id(sent)


def refuse(beginning: bytes, fault: str) -> bytes:
    return b"AR " + fault.encode() + b" " + control_id(beginning)


class Sender:
    """One connection that sends bytes as they are and reads answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._blocks = BlockReader(reader, limit=1_000_000, idle_seconds=PATIENCE, frame_seconds=PATIENCE)

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def answer(self) -> bytes | None:
        """The next answer, None where the listener has closed."""
        try:
            block = await self._blocks.next()
        except ConnectionError:
            return None
        return None if block is None else block.message

    async def answers(self, count: int) -> list[bytes | None]:
        return [await self.answer() for _ in range(count)]

    def close(self) -> None:
        self.writer.close()


@contextlib.asynccontextmanager
async def listening(
    handle: Handle = echo,
    log: Log | None = None,
    tls: ssl.SSLContext | None = None,
    refuse: Refuse = refuse,
    **limits: Any,
) -> AsyncIterator[Listener]:
    listener = Listener(handle, refuse, "127.0.0.1", 0, log=log or Log(), tls=tls, limits=Limits(**limits))
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


@contextlib.asynccontextmanager
async def connected(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Sender]:
    sender = Sender(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))
    try:
        yield sender
    finally:
        sender.close()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine, with a limit so that a hang is a failure."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await test()

    asyncio.run(bounded())


async def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    while not true():  # noqa: ASYNC110 -- what is waited for knows no event
        await asyncio.sleep(0.005)
