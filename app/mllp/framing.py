"""MLLP blocks from a byte stream: a start byte (VT), the message, an end byte (FS) and a carriage return.

A block ends at FS whatever follows, so a sender that leaves out the last CR is answered at once. Bytes between blocks
are passed over and counted. A block never holds more than the limit: what is beyond it is read and let go.
"""

from __future__ import annotations

import asyncio
from typing import Literal, NamedTuple

START, END, RETURN = 0x0B, 0x1C, 0x0D
MEBIBYTE = 1_048_576
_CHUNK = 65_536
# Another message that begins inside one: its own end byte was lost. A lone VT is a line break typed into a text.
_NESTED = b"\x0bMSH"


class Block(NamedTuple):
    """One block. fault: "" for a whole message; too_large: message holds its beginning only; nested: holds two."""

    message: bytes
    fault: Literal["", "too_large", "nested"] = ""


def framed(message: bytes) -> bytes:
    """The message as a block."""
    return b"\x0b" + message + b"\x1c\r"


class BlockReader:
    """Reads one connection. passed_over: bytes found between blocks, carriage returns after a block not counted."""

    def __init__(
        self, reader: asyncio.StreamReader, *, limit: int, idle_seconds: float | None, frame_seconds: float
    ) -> None:
        self.passed_over = 0
        self._reader, self._limit = reader, limit
        self._idle_seconds, self._frame_seconds = idle_seconds, frame_seconds
        self._buffer = bytearray()

    async def next(self) -> Block | None:
        """The next block, or None where the peer has closed; an unfinished block is then dropped, never answered.

        Raises TimeoutError: no block began within idle_seconds, or one took longer than frame_seconds to arrive.
        """
        while True:
            async with asyncio.timeout(self._idle_seconds):
                if not await self._begin():
                    return None
            async with asyncio.timeout(self._frame_seconds):
                block = await self._rest()
            # an empty block is how some engines ask whether anybody is there
            if block is None or block.message:
                return block

    async def _begin(self) -> bool:
        while (at := self._buffer.find(START)) < 0:
            self._pass_over(len(self._buffer))
            if not await self._more():
                return False
        self._pass_over(at)
        del self._buffer[:1]
        return True

    async def _rest(self) -> Block | None:
        searched, kept = 0, b""
        while (at := self._buffer.find(END, searched)) < 0:
            if len(self._buffer) > self._limit:
                kept = kept or bytes(self._buffer[:_CHUNK])
                self._buffer.clear()
            searched = len(self._buffer)
            if not await self._more():
                return None
        message = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        if kept or len(message) > self._limit:
            return Block(kept or message[:_CHUNK], "too_large")
        return Block(message, "nested" if _NESTED in message else "")

    async def _more(self) -> bool:
        received = await self._reader.read(_CHUNK)
        self._buffer += received
        return bool(received)

    def _pass_over(self, count: int) -> None:
        self.passed_over += count - (count > 0 and self._buffer[0] == RETURN)
        del self._buffer[:count]
