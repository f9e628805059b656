"""The desk: the intake for asynchronous doors. Messages that come while a commit runs share the next one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from app.services.errors import Refusal
from app.services.intake import Intake
from app.services.payloads import Kept, Outcome, Payload

A = TypeVar("A")
B = TypeVar("B")
MOST = 64  # messages in one transaction
RESUME_SECONDS = 5.0
MOST_RESUMED = 500
_OVERLAP = timedelta(hours=1)  # what was at work a while ago, here or elsewhere, is looked at again


class _Counter(Generic[A, B]):
    """One transaction at a time; what waits meanwhile goes into the next together."""

    def __init__(self, work: Callable[[Sequence[A]], Sequence[B]]) -> None:
        self._work = work
        self._waiting: list[tuple[A, asyncio.Future[B]]] = []
        self._busy: asyncio.Task[None] | None = None

    async def give(self, item: A) -> B:
        answer: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._serve())
        return await answer

    async def _serve(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._do(taken)

    async def _do(self, taken: Sequence[tuple[A, asyncio.Future[B]]]) -> None:
        try:
            answers = await asyncio.to_thread(self._work, [item for item, _ in taken])
        except Exception as error:
            if len(taken) > 1 and isinstance(error, Refusal) and error.kind == "invalid":
                for each in taken:  # one that can't be kept must not keep out the others
                    await self._do([each])
                return
            for _, future in taken:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(taken, answers, strict=True):
            if not future.done():
                future.set_result(answer)


class IntakeDesk:
    """A Desk (app.services.payloads) on an intake. log: told when what was left over cannot be taken up."""

    def __init__(self, intake: Intake, log: Any) -> None:
        self._keeping: _Counter[Payload, Kept] = _Counter(intake.keep)
        self._recording: _Counter[Kept, Outcome] = _Counter(intake.record)
        self._intake, self._log = intake, log
        self._resuming: asyncio.Task[None] | None = None

    async def keep(self, payload: Payload) -> Kept:
        """Store the bytes; they are on disk when this returns."""
        return await self._keeping.give(payload)

    async def record(self, kept: Kept) -> Outcome:
        """Read, map and record a kept message."""
        return await self._recording.give(kept)

    def start(self) -> None:
        """Take up, now and from time to time, what was kept and not recorded."""
        self._resuming = asyncio.create_task(self._resume())

    async def stop(self) -> None:
        """Stop taking up; what is being recorded goes on to its end."""
        if self._resuming is not None:
            self._resuming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._resuming

    async def _resume(self) -> None:
        since: datetime | None = None  # the first look is at all that there is
        while True:
            began = datetime.now(UTC)
            try:
                if await asyncio.to_thread(self._intake.resume, since, MOST_RESUMED) < MOST_RESUMED:
                    since = began - _OVERLAP
            except Exception as error:
                self._log.warning("resume_failed", error=type(error).__name__)
            await asyncio.sleep(RESUME_SECONDS)
