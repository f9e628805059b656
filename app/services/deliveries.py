"""Deliver the lines of the outbox: at least once, in the order of each result's versions, one loop a destination.

Destinations are fixed, or followed: loops begin and end as a source names them, also those of another process.

An attempt is claimed as a fact before it is made, so of several processes one makes it; the claim ends by itself, so
what a killed process was at is tried again. A dead destination never holds up another.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Sequence
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
    another line may be the first, in case it was this one after all. after: seconds, at least, until the next attempt.
    """

    detail: str
    permanent: bool = False
    unreachable: bool = False
    after: float = 0.0


class Passed(NamedTuple):
    """The line is of no concern to the destination after all: it is settled and nothing was sent."""

    detail: str


class Destination(Protocol):
    """Where lines go. name: stands in the record, so it never changes; topics: beginnings of topics.

    since: older lines are not its own; seconds: the longest that one delivery takes.
    """

    name: str
    topics: tuple[str, ...]
    since: datetime | None
    seconds: float

    async def deliver(self, line: Line) -> Delivered | Failed | Passed:
        """Try once. An exception counts as failed."""
        ...


class Following(NamedTuple):
    """Whom to serve now. asked: changes whenever a person has sent something again, so that no loop sleeps over it."""

    destinations: Sequence[Destination]
    asked: object = None


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
    """The loops of a process. start and stop belong to one event loop.

    source: names the destinations that are followed; asked in a thread every look_every seconds.
    """

    def __init__(
        self,
        context: Context,
        destinations: Sequence[Destination],
        *,
        log: Any,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = _now,
        source: Callable[[], Following] | None = None,
        look_every: float = 2.0,
    ) -> None:
        self._context, self._log, self._clock = context, log, clock
        self._patience = patience or Patience()
        self._fixed, self._source, self._look_every = destinations, source, look_every
        self._loops: dict[str, _Loop] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._asked: object = None
        self._broken = Alarm(log, "deliveries_not_followed")

    def start(self) -> None:
        """Begin."""
        for each in self._fixed:
            self._begin(each)
        if self._source is not None:
            self._run(self._follow(self._source))

    async def stop(self) -> None:
        """End after the attempts that are being made."""
        self._stopping.set()
        for loop in self._loops.values():
            loop.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _begin(self, destination: Destination) -> None:
        loop = _Loop(self._context, destination, self._patience, self._clock, self._log)
        self._loops[destination.name] = loop
        self._run(loop.run())

    async def _follow(self, source: Callable[[], Following]) -> None:
        while not self._stopping.is_set():
            try:
                following = await asyncio.to_thread(source)
                if not self._stopping.is_set():
                    self._adjust(following)
                self._broken.end()
            except Exception as error:  # whom to serve is asked again, and those known are served meanwhile
                self._broken.strike(type(error).__name__)
            await _wait(self._stopping, self._look_every)

    def _adjust(self, following: Following) -> None:
        now = {each.name: each for each in following.destinations}
        for name in self._loops.keys() - now.keys() - {each.name for each in self._fixed}:
            self._loops.pop(name).stop(for_good=True)
        for name in now.keys() - self._loops.keys():
            self._begin(now[name])
        if following.asked != self._asked:
            self._asked = following.asked
            for loop in self._loops.values():
                loop.wake()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event, or until the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


class _Loop:
    def __init__(
        self, context: Context, destination: Destination, patience: Patience, clock: Callable[[], datetime], log: Any
    ) -> None:
        self.context, self.destination, self.patience, self.clock = context, destination, patience, clock
        self.wanted = Wanted(destination.name, destination.topics, destination.since)
        self.looked_from: datetime | None = None
        self.look_again_at: datetime | None = None
        self.forget = False  # where was looked from: an older line may be due
        self.stopping, self.nudged = False, asyncio.Event()
        self.failing: set[str] = set()
        self.misses = 0  # in a row
        self.unreachable = Alarm(log, "delivery_unreachable", kind=destination.name)
        self.refused = Alarm(log, "delivery_refused", kind=destination.name)
        self.parked = Alarm(log, "delivery_parked", kind=destination.name)
        self.broken = Alarm(log, "delivery_stopped", kind=destination.name)

    def stop(self, *, for_good: bool = False) -> None:
        """End after the attempt that is being made. for_good: the destination is not served any more: no trouble."""
        self.stopping = True
        self.nudged.set()
        if for_good:
            for alarm in (self.unreachable, self.refused, self.parked, self.broken):
                alarm.end()

    def wake(self) -> None:
        """Look at once, and at all there is: a person may have sent an old line again."""
        self.misses, self.forget = 0, True
        self.nudged.set()

    async def run(self) -> None:
        while not self.stopping:
            self.nudged.clear()
            try:
                pause = await self.round()
                self.broken.end()
            except Exception as error:  # a loop that ended would deliver nothing more, and nobody would know
                self.broken.strike(type(error).__name__)
                pause = self.patience.first
            if not self.stopping:
                await _wait(self.nudged, pause)

    async def round(self) -> float:
        """Try what is due; the seconds until there may be more."""
        found = await asyncio.to_thread(self.find)
        for due in found:
            if self.stopping:
                break
            pause = await self.attempt(due)
            if pause:
                return pause
        return 0.0 if found else self.patience.poll

    def find(self) -> tuple[Due, ...]:
        now = self.clock()
        if self.forget:
            self.forget, self.looked_from, self.look_again_at = False, None, None
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
        if isinstance(came, Passed):
            await asyncio.to_thread(self.record, due, number, "delivered", came.detail, None, "passed")
            return 0.0
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
        return max(came.after, self.patience.pause(max(number, self.misses)))

    async def failed(self, due: Due, number: int, came: Failed) -> None:
        waits_since = due.asked_at or due.line.created_at
        if came.permanent or self.clock() - waits_since > self.patience.parked_after:
            await asyncio.to_thread(self.record, due, number, "parked", came.detail, None)
            self.parked.strike(came.detail)
            self.settled(due)
            return
        later = self.clock() + timedelta(seconds=max(came.after, self.patience.pause(number)))
        await asyncio.to_thread(self.record, due, number, "failed", came.detail, later)
        if not came.unreachable:
            self.failing.add(due.line.id)
            self.refused.strike(came.detail)

    def settled(self, due: Due) -> None:
        self.failing.discard(due.line.id)
        if not self.failing:
            self.refused.end()

    async def deliver(self, due: Due) -> Delivered | Failed | Passed:
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

    def record(
        self, due: Due, attempt: int, state: DeliveryState, detail: str, until: datetime | None, act: str | None = None
    ) -> bool:
        """The fact, with its audit line (act: else named by the state); False where a rival has this attempt."""
        destination = self.destination.name
        with self.context.store.transaction(self.context.organisation) as tx:
            said = tx.append_delivery(
                due.line.id, destination, attempt, state, detail=detail or None, next_attempt_at=until
            )
            if said:
                told = {"outbox": due.line.id, "destination": destination, "attempt": attempt}
                tx.append_audit(f"delivery.{act or state}", told)
        return said
