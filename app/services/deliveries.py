"""Deliver the lines of the outbox: at least once, in the order of each result's versions, one loop a destination.

An attempt is claimed as a fact before it is made, so of several processes one makes it; the claim ends by itself, so
what a killed process was at is tried again. A dead destination never holds up another.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from app.records.outbox import Due, Outbox, Wanted
from app.records.rows import DeliveryState
from app.services.alarms import Alarm
from app.services.reporting import Context

# Clocks of several hosts differ, and a transaction takes its time: this far back is always looked.
_OVERLAP = timedelta(hours=1)


class Line(NamedTuple):
    """A line to deliver. version_id: of the result's version that it is about, if any; content: its payload.

    made_at: when what it tells was recorded, aware.
    """

    id: str
    topic: str
    version_id: str | None
    content: dict[str, Any]
    made_at: datetime


class Delivered(NamedTuple):
    """It is there. detail: what the destination answered, never what was sent."""

    detail: str = ""


class Failed(NamedTuple):
    """It is not known to be there. detail: as in Delivered; permanent: no repetition can help, so it is parked.

    unreachable: it is the destination that failed, as far as can be seen: it is left alone for a while, and then
    another line may be the first, in case it was this one after all.
    """

    detail: str
    permanent: bool = False
    unreachable: bool = False


class Destination(Protocol):
    """Where lines go. name: stands in the record, so it never changes; topics: beginnings of topics.

    since: older lines are not its own; seconds: the longest that one delivery takes.
    """

    name: str
    topics: tuple[str, ...]
    since: datetime | None
    seconds: float

    async def deliver(self, line: Line) -> Delivered | Failed:
        """Try once. An exception counts as failed."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How often. first, most: seconds until the second attempt and at most between two; parked_after: of a line's age.

    poll: seconds between looks at the outbox.
    """

    first: float = 5.0
    most: float = 2 * 3600.0
    parked_after: timedelta = timedelta(days=5)
    poll: float = 1.0

    def pause(self, attempt: int) -> float:
        """Seconds after attempt 1, 2, ...: doubled each time, and by chance shorter, so that not all come at once."""
        return min(self.most, self.first * 2.0 ** min(attempt - 1, 30)) * random.uniform(0.5, 1.0)


def _now() -> datetime:
    return datetime.now(UTC)


class Deliveries:
    """The loops of a process. start and stop belong to one event loop."""

    def __init__(
        self,
        context: Context,
        destinations: Sequence[Destination],
        *,
        log: Any,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        patience = patience or Patience()
        self._loops = [_Loop(context, each, patience, clock, log) for each in destinations]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(each.run(self._stopping)) for each in self._loops]

    async def stop(self) -> None:
        """End after the attempts that are being made."""
        self._stopping.set()
        if self._tasks:
            await asyncio.wait(self._tasks)


class _Loop:
    def __init__(
        self, context: Context, destination: Destination, patience: Patience, clock: Callable[[], datetime], log: Any
    ) -> None:
        self.context, self.destination, self.patience, self.clock = context, destination, patience, clock
        self.wanted = Wanted(destination.name, destination.topics, destination.since)
        self.looked_from: datetime | None = None
        self.look_again_at: datetime | None = None
        self.failing: set[str] = set()
        self.misses = 0  # in a row
        self.unreachable = Alarm(log, "delivery_unreachable", kind=destination.name)
        self.refused = Alarm(log, "delivery_refused", kind=destination.name)
        self.parked = Alarm(log, "delivery_parked", kind=destination.name)
        self.broken = Alarm(log, "delivery_stopped", kind=destination.name)

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                pause = await self.round(stopping)
                self.broken.end()
            except Exception as error:  # a loop that ended would deliver nothing more, and nobody would know
                self.broken.strike(type(error).__name__)
                pause = self.patience.first
            try:
                async with asyncio.timeout(pause):
                    await stopping.wait()
            except TimeoutError:
                pass

    async def round(self, stopping: asyncio.Event) -> float:
        """Try what is due; the seconds until there may be more."""
        found = await asyncio.to_thread(self.find)
        for due in found:
            if stopping.is_set():
                break
            pause = await self.attempt(due)
            if pause:
                return pause
        return 0.0 if found else self.patience.poll

    def find(self) -> tuple[Due, ...]:
        now = self.clock()
        with self.context.store.reading(self.context.organisation) as reading:
            outbox = Outbox(reading)
            if self.look_again_at is None or now >= self.look_again_at:
                oldest = outbox.oldest_open(self.wanted, looked_from=self.looked_from)
                self.looked_from = min(oldest or now, now) - _OVERLAP
                self.look_again_at = now + _OVERLAP / 2
            return outbox.due(self.wanted, now, looked_from=self.looked_from)

    async def attempt(self, due: Due) -> float:
        """One attempt, where nobody else has it; the seconds for which the destination is better left alone."""
        number = due.attempts + 1
        # the claim outlives the attempt, whatever the destination does
        until = self.clock() + timedelta(seconds=2 * self.destination.seconds + 10)
        if not await asyncio.to_thread(self.record, due, number, "started", "", until):
            return 0.0
        came = await self.deliver(due)
        if isinstance(came, Delivered):
            await asyncio.to_thread(self.record, due, number, "delivered", came.detail, None)
            self.parked.end()
            self.settled(due)
        else:
            await self.failed(due, number, came)
        if isinstance(came, Delivered) or not came.unreachable:
            self.misses = 0
            self.unreachable.end()
            return 0.0
        self.misses += 1
        self.unreachable.strike(came.detail)
        return self.patience.pause(max(number, self.misses))

    async def failed(self, due: Due, number: int, came: Failed) -> None:
        if came.permanent or self.clock() - due.line.created_at > self.patience.parked_after:
            await asyncio.to_thread(self.record, due, number, "parked", came.detail, None)
            self.parked.strike(came.detail)
            self.settled(due)
            return
        later = self.clock() + timedelta(seconds=self.patience.pause(number))
        await asyncio.to_thread(self.record, due, number, "failed", came.detail, later)
        if not came.unreachable:
            self.failing.add(due.line.id)
            self.refused.strike(came.detail)

    def settled(self, due: Due) -> None:
        self.failing.discard(due.line.id)
        if not self.failing:
            self.refused.end()

    async def deliver(self, due: Due) -> Delivered | Failed:
        if due.line.payload is None:
            return Failed("erased by order", permanent=True)
        try:
            told, content = due.line, json.loads(due.line.payload)
            line = Line(told.id, told.topic, told.version_id, content, told.created_at)
            async with asyncio.timeout(self.destination.seconds):
                return await self.destination.deliver(line)
        except TimeoutError:
            return Failed("no answer in time", unreachable=True)
        except Exception as error:
            return Failed(type(error).__name__)

    def record(self, due: Due, attempt: int, state: DeliveryState, detail: str, until: datetime | None) -> bool:
        """The fact, with its audit line; False where a rival has this attempt."""
        destination = self.destination.name
        with self.context.store.transaction(self.context.organisation) as tx:
            said = tx.append_delivery(
                due.line.id, destination, attempt, state, detail=detail or None, next_attempt_at=until
            )
            if said:
                told = {"outbox": due.line.id, "destination": destination, "attempt": attempt}
                tx.append_audit(f"delivery.{state}", told)
        return said
