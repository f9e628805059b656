"""The MLLP listener: many connections, each answered in the order in which its messages came.

Messages that a sender pipelines are handed on while earlier ones are being committed, so that they share a commit.
What cannot be answered truthfully is not answered: the connection is closed, and the sender sends again.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from app.mllp.framing import MEBIBYTE, Block, BlockReader, framed
from app.services.alarms import Alarm

Handle = Callable[[bytes], AsyncIterator[bytes]]
Refuse = Callable[[bytes, str], bytes]

_STOP_SECONDS = 30.0
# Seconds of silence until the peer is asked whether it is there, between askings, and how often.
_KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sender may take. pipelined: messages at work for one connection; idle_seconds None: for ever."""

    connections: int = 256
    idle_seconds: float | None = 3600.0
    frame_seconds: float = 30.0
    frame_bytes: int = 16 * MEBIBYTE
    pipelined: int = 64


class Listener:
    """Listens on a port. handle: the acknowledgements of a message, each as soon as it is true; it may raise, and
    then nothing more is answered on that connection. refuse: the answer to a block that is no message, by its fault.
    """

    def __init__(
        self,
        handle: Handle,
        refuse: Refuse,
        host: str,
        port: int,
        *,
        log: Any,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.handle, self.refuse, self.limits, self.log = handle, refuse, limits or Limits(), log
        self.unanswered = Alarm(log, "mllp_unanswered")
        self.work: set[asyncio.Task[None]] = set()
        self._host, self._port, self._tls = host, port, tls
        self._crowded = Alarm(log, "mllp_too_many_connections")
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port in use, also where 0 was asked for."""
        assert self._server is not None
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def start(self) -> None:
        """Take connections. Raises OSError where the address is in use."""
        handshake = self.limits.frame_seconds if self._tls else None
        self._server = await asyncio.start_server(
            self._accept, self._host, self._port, ssl=self._tls, ssl_handshake_timeout=handshake
        )
        self.log.info("mllp_started", address=f"{self._host}:{self.port}")

    async def stop(self) -> None:
        """Take nothing new, answer what was taken, then close; whoever does not read within 30 s is cut off."""
        if self._server is None:
            return
        self._server.close()
        for connection in self._connections.values():
            connection.finish()
        waiting = {*self._connections, *self.work}
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()
        self.log.info("mllp_stopped")

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= self.limits.connections:
            self._crowded.strike("")
            writer.transport.abort()
            return
        self._crowded.end()
        task = asyncio.current_task()
        assert task is not None
        _keep_alive(writer)
        connection = self._connections[task] = _Connection(self, reader, writer)
        try:
            await connection.run()
        finally:
            del self._connections[task]


class _Connection:
    def __init__(self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limits = listener.limits
        self.listener, self.writer = listener, writer
        self.blocks = BlockReader(
            reader, limit=limits.frame_bytes, idle_seconds=limits.idle_seconds, frame_seconds=limits.frame_seconds
        )
        self.room = asyncio.Semaphore(limits.pipelined)
        self.bytes_at_work = 0
        self.eased = asyncio.Event()
        # in the order of the messages; each holds that message's answers, and None or an error at their end
        self.taken: asyncio.Queue[asyncio.Queue[bytes | Exception | None] | None] = asyncio.Queue()
        self.taking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until the peer closes, is silent, or cannot be answered."""
        self.taking = asyncio.create_task(self._take())
        try:
            await self._answer()
        except (OSError, TimeoutError):
            pass  # the peer has gone or does not read: nobody is left to be answered
        finally:
            self.finish()
            await asyncio.wait({self.taking})
            if self.blocks.passed_over:
                self.listener.log.info("mllp_bytes_between_messages", count=self.blocks.passed_over)
            await self._close()

    def finish(self) -> None:
        """Take no more; what was taken is still answered."""
        if self.taking is not None:
            self.taking.cancel()

    async def _take(self) -> None:
        try:
            while (block := await self.blocks.next()) is not None:
                await self._wait_for_room(len(block.message))
                answers: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
                work = asyncio.create_task(self._work(block, answers))
                self.listener.work.add(work)
                work.add_done_callback(self.listener.work.discard)
                self.taken.put_nowait(answers)
        except TimeoutError:
            self.listener.log.info("mllp_silent")
        except OSError:
            pass  # reset by the peer
        finally:
            self.taken.put_nowait(None)

    async def _wait_for_room(self, size: int) -> None:
        await self.room.acquire()
        while self.bytes_at_work and self.bytes_at_work + size > self.listener.limits.frame_bytes:
            self.eased.clear()
            await self.eased.wait()
        self.bytes_at_work += size

    async def _work(self, block: Block, answers: asyncio.Queue[bytes | Exception | None]) -> None:
        """Not stopped when the peer goes: what was begun is brought to its end."""
        listener = self.listener
        try:
            if block.fault:
                answers.put_nowait(listener.refuse(block.message, block.fault))
            else:
                async for answer in listener.handle(block.message):
                    answers.put_nowait(answer)
                    listener.unanswered.end()
            answers.put_nowait(None)
        except Exception as error:
            listener.unanswered.strike(getattr(error, "kind", type(error).__name__))
            answers.put_nowait(error)
        finally:
            self.bytes_at_work -= len(block.message)
            self.room.release()
            self.eased.set()

    async def _answer(self) -> None:
        while (answers := await self.taken.get()) is not None:
            while (answer := await answers.get()) is not None:
                if isinstance(answer, Exception):
                    return
                self.writer.write(framed(answer))
                async with asyncio.timeout(self.listener.limits.frame_seconds):
                    await self.writer.drain()

    async def _close(self) -> None:
        self.writer.close()
        try:
            async with asyncio.timeout(self.listener.limits.frame_seconds):
                await self.writer.wait_closed()
        except (OSError, TimeoutError):
            self.writer.transport.abort()


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """A peer that vanished without a word is noticed within minutes, not never."""
    link = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE:
            if hasattr(socket, name):
                link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
