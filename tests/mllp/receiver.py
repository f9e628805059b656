"""A receiver of MLLP that does as it is told, on a port that stays its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from app.mllp.framing import BlockReader, framed


class Receiver:
    """got: messages in their order. answer: what to say to a message; None says nothing. closes: after each answer."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.answer: Callable[[bytes], bytes | None] = acknowledgement
        self.closes = False
        self.connections = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        blocks = BlockReader(reader, limit=1_000_000, idle_seconds=None, frame_seconds=10)
        with contextlib.suppress(OSError):
            while (block := await blocks.next()) is not None:
                self.got.append(block.message)
                answer = self.answer(block.message)
                if answer is not None:
                    writer.write(framed(answer))
                    await writer.drain()
                    if self.closes:
                        break
        self._writers.discard(writer)
        writer.close()


def field(message: bytes, segment: str, number: int) -> str:
    """A field of the first segment of a name; "" where there is none."""
    for line in message.decode().split("\r"):
        parts = line.split("|")
        if parts[0] == segment:
            place = number - 1 if segment == "MSH" else number
            return parts[place] if place < len(parts) else ""
    return ""


def acknowledgement(message: bytes, code: str = "AA", to: str | None = None, error: str = "") -> bytes:
    """to: MSA-2, the message's own control id where none is given."""
    said = f"MSH|^~\\&|LIS|N|H|H|20260301||ACK|1|P|2.5.1\rMSA|{code}|{to or field(message, 'MSH', 10)}\r"
    return (said + (f"ERR||OBX^1|{error}|E\r" if error else "")).encode()


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()
