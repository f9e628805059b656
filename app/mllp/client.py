"""Send over MLLP: one message at a time, each with its own acknowledgement or none."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from app.mllp.framing import MEBIBYTE, BlockReader, framed


class NoAnswer(Exception):
    """The receiver could not be reached, closed, or did not answer in time: whether it has the message is unknown."""


class _Closed(Exception):
    pass


class Client:
    """A receiver. The connection is kept between messages; after anything unexpected it is closed, so that an answer
    that comes late is never taken for that of the next message. seconds: to connect, and to be answered.
    """

    def __init__(self, host: str, port: int, *, seconds: float, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._seconds, self._tls = host, port, seconds, tls
        self._link: tuple[BlockReader, asyncio.StreamWriter] | None = None

    async def ask(self, message: bytes) -> bytes:
        """The receiver's answer. Raises NoAnswer."""
        if self._link is not None:
            # the receiver may have closed the kept connection meanwhile, as it may: then once more on a new one
            with contextlib.suppress(_Closed):
                return await self._ask(message)
        try:
            return await self._ask(message)
        except _Closed:
            raise NoAnswer("not reached, or closed") from None

    async def _ask(self, message: bytes) -> bytes:
        answer = None
        try:
            async with asyncio.timeout(self._seconds):
                blocks, writer = self._link or await self._connect()
                writer.write(framed(message))
                await writer.drain()
                block = await blocks.next()
            answer = block.message if block and not block.fault else None
        except TimeoutError:
            raise NoAnswer("no answer in time") from None
        except OSError:
            raise _Closed from None
        finally:
            if answer is None:
                self.close()
        if answer is None:
            raise _Closed
        return answer

    async def _connect(self) -> tuple[BlockReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        blocks = BlockReader(reader, limit=MEBIBYTE, idle_seconds=None, frame_seconds=self._seconds)
        self._link = (blocks, writer)
        return self._link

    def close(self) -> None:
        """Let the connection go."""
        if self._link is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                self._link[1].transport.abort()
            self._link = None
