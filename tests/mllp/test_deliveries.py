"""Lines out: at least once, in order, each destination for itself, through refusals, silence and restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.records.outbox import Outbox, Wanted
from app.records.store import Store
from app.services.deliveries import Delivered, Deliveries, Failed, Line, Patience
from app.services.reporting import Context
from tests.mllp.wire import Log, run, until

QUICK = Patience(first=0.02, most=0.1, poll=0.01)
Answer = Callable[[Line], Awaitable[Delivered | Failed]]


async def take(line: Line) -> Delivered | Failed:
    return Delivered("200")


@dataclass
class Target:
    """A destination in this process."""

    name: str = "there"
    topics: tuple[str, ...] = ("result.",)
    since: datetime | None = None
    seconds: float = 5.0
    answer: Answer = take
    tried: list[int] = field(default_factory=list)
    got: list[int] = field(default_factory=list)

    async def deliver(self, line: Line) -> Delivered | Failed:
        self.tried.append(line.content["n"])
        came = await self.answer(line)
        if isinstance(came, Delivered):
            self.got.append(line.content["n"])
        return came


@pytest.fixture
def context(store: Store) -> Context:
    return Context(store, "north")


def lines(context: Context, *numbers: int, topic: str = "result.final") -> None:
    with context.store.transaction(context.organisation) as tx:
        for number in numbers:
            tx.append_outbox(topic, f'{{"n":{number}}}')
        tx.append_audit("test", {})


@contextlib.asynccontextmanager
async def delivering(context: Context, *targets: Any, log: Log | None = None, **how: Any) -> AsyncIterator[None]:
    deliveries = Deliveries(context, targets, log=log or Log(), **({"patience": QUICK} | how))
    deliveries.start()
    try:
        yield
    finally:
        await deliveries.stop()


def still_open(context: Context, name: str = "there") -> bool:
    with context.store.reading(context.organisation) as reading:
        return Outbox(reading).oldest_open(Wanted(name, ("result.",))) is not None


def failing(times: int, how: Failed) -> Answer:
    left = times

    async def answer(line: Line) -> Delivered | Failed:
        nonlocal left
        left -= 1
        return how if left >= 0 else Delivered()

    return answer


def test_lines_are_delivered_once_in_their_order_and_not_again_after_a_restart(context: Context) -> None:
    async def test() -> None:
        target = Target()
        lines(context, 1, 2, 3)
        lines(context, 9, topic="status.changed")
        for more in (4, 5):
            async with delivering(context, target):
                lines(context, more)
                await until(lambda more=more: target.got[-1:] == [more])  # type: ignore[misc]
        assert target.got == [1, 2, 3, 4, 5]
        assert context.store.verify_audit("north").sound

    run(test)


def test_a_dead_destination_holds_up_no_other_and_is_left_alone_meanwhile(context: Context) -> None:
    async def test() -> None:
        dead = Target("dead", answer=failing(10**9, Failed("not reached", unreachable=True)))
        alive = Target("alive")
        lines(context, *range(20))
        async with delivering(context, dead, alive, patience=Patience(first=30, poll=0.01)):
            await until(lambda: len(alive.got) == 20 and len(dead.tried) == 1)
        assert dead.tried == [0]

    run(test)


def test_a_line_that_the_destination_dies_of_lets_the_others_pass(context: Context) -> None:
    async def test() -> None:
        async def deadly(line: Line) -> Delivered | Failed:
            return Failed("closed", unreachable=True) if line.content["n"] == 0 else Delivered()

        target = Target(answer=deadly)
        lines(context, 0, 1, 2)
        async with delivering(context, target):
            await until(lambda: len(target.got) == 2)
        assert target.got == [1, 2]

    run(test)


def test_a_destination_that_comes_back_gets_everything_and_the_trouble_is_logged_twice(context: Context) -> None:
    async def test() -> None:
        log = Log()
        target = Target(answer=failing(4, Failed("not reached", unreachable=True)))
        lines(context, 1, 2, 3)
        async with delivering(context, target, log=log):
            await until(lambda: sorted(target.got) == [1, 2, 3])
            await until(lambda: bool(log.named("delivery_unreachable_ended")))
        assert log.named("delivery_unreachable") == [{"error": "not reached", "kind": "there"}]
        assert log.named("delivery_unreachable_ended") == [{"count": 4, "kind": "there"}]

    run(test)


def test_a_line_that_is_refused_holds_up_no_line_of_another_result(context: Context) -> None:
    async def test() -> None:
        async def picky(line: Line) -> Delivered | Failed:
            return Failed("AE 207") if line.content["n"] == 1 and target.tried.count(1) < 4 else Delivered()

        log, target = Log(), Target(answer=picky)
        lines(context, 1, 2, 3)
        async with delivering(context, target, log=log):
            await until(lambda: len(target.got) == 3)
            await until(lambda: bool(log.named("delivery_refused_ended")))
        assert target.got == [2, 3, 1]
        assert len(log.named("delivery_refused")) == 1

    run(test)


def test_silence_and_exceptions_are_failures_and_are_tried_again(context: Context) -> None:
    async def test() -> None:
        async def troubled(line: Line) -> Delivered | Failed:
            if len(target.tried) == 1:
                await asyncio.sleep(60)
            if len(target.tried) == 2:
                raise ValueError("Doe^Jane")
            return Delivered()

        log, target = Log(), Target(answer=troubled, seconds=0.05)
        lines(context, 1)
        async with delivering(context, target, log=log):
            await until(lambda: target.got == [1])
        assert target.tried == [1, 1, 1]
        assert "Doe" not in repr(log.lines)

    run(test)


def test_what_was_tried_for_days_is_parked_with_an_alarm_and_the_next_goes_on(context: Context) -> None:
    async def test() -> None:
        log, target = Log(), Target(answer=failing(1, Failed("AR 203")))
        lines(context, 1)
        later = lambda: datetime.now(UTC) + timedelta(days=6)  # noqa: E731
        async with delivering(context, target, log=log, clock=later):
            await until(lambda: bool(log.named("delivery_parked")))
            lines(context, 2)
            await until(lambda: target.got == [2])
            await until(lambda: bool(log.named("delivery_parked_ended")))
        assert target.tried == [1, 2]
        assert not still_open(context)

    run(test)


def test_what_no_repetition_can_help_is_parked_at_once(context: Context) -> None:
    async def test() -> None:
        log, target = Log(), Target(answer=failing(1, Failed("erased by order", permanent=True)))
        lines(context, 1, 2)
        async with delivering(context, target, log=log):
            await until(lambda: target.got == [2] and not still_open(context))
        assert target.tried == [1, 2]

    run(test)


def test_of_two_workers_one_makes_each_attempt(context: Context) -> None:
    async def test() -> None:
        one, two = Target(), Target()
        lines(context, *range(30))
        async with delivering(context, one), delivering(context, two):
            await until(lambda: len(one.got) + len(two.got) >= 30)
        assert sorted(one.got + two.got) == list(range(30))

    run(test)


def test_what_a_killed_worker_was_at_is_tried_again_once_its_claim_has_ended(context: Context) -> None:
    async def test() -> None:
        lines(context, 1)
        with context.store.reading("north") as reading:
            (due,) = Outbox(reading).due(Wanted("there", ("result.",)), datetime.now(UTC))
        with context.store.transaction("north") as tx:
            ends = datetime.now(UTC) + timedelta(seconds=0.3)
            tx.append_delivery(due.line.id, "there", 1, "started", next_attempt_at=ends)
            tx.append_audit("test", {})
        target = Target()
        async with delivering(context, target):
            await until(lambda: target.got == [1])
        assert datetime.now(UTC) >= ends

    run(test)


def test_a_database_that_is_away_stops_no_loop(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        log, target = Log(), Target()
        lines(context, 1)
        reading, away = Store.reading, 3

        def broken(self: Store, organisation: str) -> Any:
            nonlocal away
            away -= 1
            if away >= 0:
                raise ConnectionError
            return reading(self, organisation)

        monkeypatch.setattr(Store, "reading", broken)
        async with delivering(context, target, log=log):
            await until(lambda: target.got == [1])
            await until(lambda: bool(log.named("delivery_stopped_ended")))
        assert len(log.named("delivery_stopped")) == 1

    run(test)


def test_pauses_double_up_to_hours_and_differ() -> None:
    patience = Patience(first=5, most=7200)
    for attempt, longest in ((1, 5), (2, 10), (5, 80), (40, 7200), (10_000, 7200)):
        pauses = {patience.pause(attempt) for _ in range(20)}
        assert len(pauses) > 1 and all(longest / 2 <= each <= longest for each in pauses)
