"""Webhooks: once per id, in order, through refusals, silence and restarts; come and gone while it runs; replayed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.records.outbox import Outbox
from app.services import webhooks
from app.services.deliveries import Deliveries, Patience
from app.services.errors import Refusal
from app.services.reporting import Context
from app.services.webhook_sending import wanted_of
from tests.fixtures_webhooks import Receiver
from tests.services.hooks import (
    POSITIVE,
    QUICK,
    WHO,
    Log,
    amended,
    context_clock_past,
    delivering,
    destination_and_line,
    hooks,
    log_of,
    run,
    stored,
    subscribe,
    until,
)

# ---- at least once, in order, each for itself


def test_a_target_that_was_down_gets_everything_once_per_id_in_the_order_of_each_results_versions(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        port = receiver.port
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver, "result.final")
        receiver.stop()
        results = [stored(context, POSITIVE) for _ in range(4)]
        for result in results:
            for score in ("1+", "3+", "0"):
                amended(context, result, {"ihc": score})
        log = Log()
        async with delivering(use, log):
            await until(lambda: bool(log.named("delivery_unreachable")))
            back = Receiver(port)
            back.secrets = receiver.secrets
            try:
                await until(lambda: len(back.got) == 16)
                await until(lambda: len(log_of(use, id, "delivered")) == 16)
            finally:
                back.stop()
        ids = [each for each, _ in back.got]
        assert len(set(ids)) == len(ids) == 16
        for result in results:
            assert [each["version"] for each in back.data() if each["result_id"] == result] == [1, 2, 3, 4]
        assert log.named("delivery_unreachable") == [{"error": "not reached", "kind": f"webhook:{id}"}]

    run(test)


def test_a_dead_target_holds_up_no_other(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        silent = await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", 0)
        dead = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        use = hooks(context, receiver.origin, dead, seconds=20.0)
        webhooks.subscribe(use, {"url": dead, "topics": ["result.final"], **WHO})
        subscribe(use, receiver)
        for _ in range(5):
            stored(context, POSITIVE)
        deliveries = Deliveries(context, (), log=Log(), patience=QUICK, source=use.follow, look_every=0.03)
        deliveries.start()
        await until(lambda: len(receiver.got) == 5)
        for task in deliveries._tasks:
            task.cancel()
        await deliveries.stop()
        silent.close()

    run(test)


def test_what_a_killed_process_was_at_is_tried_again_with_the_same_id(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        stored(context, POSITIVE)
        with context.store.reading("north") as reading:
            of = webhooks.Subscriptions(reading).find(id)
            assert of is not None
            (due,) = Outbox(reading).due(wanted_of(of), datetime.now(UTC))
        with context.store.transaction("north") as tx:
            ends = datetime.now(UTC) + timedelta(seconds=0.3)
            tx.append_delivery(due.line.id, f"webhook:{id}", 1, "started", next_attempt_at=ends)
            tx.append_audit("test", {})
        async with delivering(use):
            await until(lambda: len(receiver.got) == 1)
        assert receiver.got[0][0] == due.line.id
        assert datetime.now(UTC) >= ends

    run(test)


def test_of_two_processes_one_makes_each_attempt(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        one, two = hooks(context, receiver.origin), hooks(context, receiver.origin)
        id = subscribe(one, receiver)
        for _ in range(10):
            stored(context, POSITIVE)
        async with delivering(one), delivering(two):
            await until(lambda: len(log_of(one, id, "delivered")) == 10)
        assert len(receiver.tried) == len(set(receiver.tried)) == 10

    run(test)


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500, 503, 302])
def test_any_refusal_is_tried_again(context: Context, receiver: Receiver, status: int) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        receiver.answer = lambda message: status if len(receiver.tried) < 3 else 200
        stored(context, POSITIVE)
        async with delivering(use):
            await until(lambda: len(log_of(use, id, "delivered")) == 1)
        (line,) = log_of(use, id)
        ends = [(each["state"], each["detail"]) for each in line["attempts"] if each["state"] != "started"]
        assert ends == [("failed", str(status)), ("failed", str(status)), ("delivered", "200")]

    run(test)


def test_a_target_is_left_alone_for_as_long_as_it_asks_and_at_most_an_hour(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        stored(context, POSITIVE)
        for asked, seconds in (("120", 120), ("9999999", 3600), ("soon", 0)):
            receiver.answer = lambda message, asked=asked: (503, {"Retry-After": asked})
            async with delivering(use):
                tried = len(receiver.tried)
                await until(lambda tried=tried: len(receiver.tried) > tried)  # type: ignore[misc]
            last = log_of(use, id)[0]["attempts"][-1]
            waits = datetime.fromisoformat(last["next_attempt_at"]) - datetime.fromisoformat(last["at"])
            assert abs(waits.total_seconds() - seconds) < 5
            context_clock_past(context, id)
        receiver.answer = lambda message: (
            503,
            {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)},
        )
        destination, line = destination_and_line(use, id)
        said = await destination.deliver(line)
        assert 95 < said.after <= 100  # type: ignore[union-attr]

    run(test)


# ---- subscriptions come and go


def test_a_subscription_made_later_and_by_another_process_is_served_without_a_restart(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        async with delivering(hooks(context, receiver.origin)):
            await asyncio.sleep(0.1)
            subscribe(hooks(context, receiver.origin), receiver)
            stored(context, POSITIVE)
            await until(lambda: len(receiver.got) == 1)

    run(test)


def test_what_happens_while_it_is_paused_waits_and_is_sent_when_it_is_active_again(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        async with delivering(use):
            webhooks.change_state(use, id, {"state": "paused", **WHO})
            stored(context, POSITIVE)
            await asyncio.sleep(0.2)
            assert receiver.tried == []
            assert [each["state"] for each in log_of(use, id)] in (["waiting"], ["failing"])
            webhooks.change_state(use, id, {"state": "active", **WHO})
            await until(lambda: len(receiver.got) == 1)

    run(test)


def test_410_ends_the_subscription_and_nothing_more_is_sent(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        receiver.answer = lambda message: 410
        stored(context, POSITIVE)
        async with delivering(use):
            await until(lambda: webhooks.find_webhook(use, id)["state"] == "ended")
            await until(lambda: bool(log_of(use, id, "parked")))
            stored(context, POSITIVE)
            await asyncio.sleep(0.2)
        assert len(receiver.tried) == 1
        assert [each["state"] for each in log_of(use, id)] == ["parked"], "what comes after the end is not its own"
        assert webhooks.find_webhook(use, id)["states"][-1]["reason"] == "answered 410 gone"
        with pytest.raises(Refusal):
            webhooks.change_state(use, id, {"state": "active", **WHO})

    run(test)


# ---- days, parking, replay


def test_after_days_a_line_is_parked_with_an_alarm_and_a_replay_sends_the_same_id_again(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        log, use = Log(), hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        receiver.answer = lambda message: 422
        stored(context, POSITIVE)
        later = lambda: datetime.now(UTC) + timedelta(days=6)  # noqa: E731
        async with delivering(use, log, clock=later):
            await until(lambda: bool(log_of(use, id, "parked")))
        assert log.named("delivery_parked") == [{"error": "422", "kind": f"webhook:{id}"}]
        (parked,) = log_of(use, id, "parked")
        receiver.answer = lambda message: 204
        async with delivering(use, patience=Patience(first=60, most=60, poll=0.01)):
            await asyncio.sleep(0.1)
            assert receiver.got == []
            assert webhooks.replay(use, id, {"state": "parked", **WHO}) == {"replayed": 1}
            await until(lambda: len(receiver.got) == 1)
        assert receiver.tried == [parked["id"], parked["id"]]
        async with delivering(use):
            await until(lambda: not log_of(use, id, "waiting"))
        (line,) = log_of(use, id, "delivered")
        assert [each["attempt"] for each in line["attempts"]] == [1, 1, 2, 2]
        assert [(each["after_attempt"], each["name"]) for each in line["replays"]] == [(1, "Ada Engineer")]

    run(test)


def test_a_loop_that_leaves_a_target_alone_is_woken_by_a_replay_of_a_line_older_than_it_looks(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        stored(context, POSITIVE)
        async with delivering(use):
            await until(lambda: len(receiver.got) == 1)
            await until(lambda: bool(log_of(use, id, "delivered")))
            (old,) = log_of(use, id)
        tomorrow = lambda: datetime.now(UTC) + timedelta(days=1)  # noqa: E731
        slow = Patience(first=600, most=600, poll=0.01)
        async with delivering(use, clock=tomorrow, patience=slow):
            await asyncio.sleep(0.1)  # it now looks from a day later on
            webhooks.replay(use, id, {"delivery": old["id"], **WHO})
            await until(lambda: len(receiver.got) == 2)

    run(test)


def test_a_line_is_replayed_once_however_often_it_is_asked_for(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        stored(context, POSITIVE)
        with pytest.raises(Refusal, match="waiting"):
            webhooks.replay(use, id, {"delivery": log_of(use, id)[0]["id"], **WHO})
        async with delivering(use):
            await until(lambda: bool(log_of(use, id, "delivered")))
        (line,) = log_of(use, id)
        assert webhooks.replay(use, id, {"delivery": line["id"], **WHO}) == {"replayed": 1}
        with pytest.raises(Refusal, match="waiting"):
            webhooks.replay(use, id, {"delivery": line["id"], **WHO})

    run(test)


def test_a_target_no_longer_listed_is_never_called_and_its_lines_are_parked(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        id = subscribe(hooks(context, receiver.origin), receiver)
        shrunk = hooks(context, "https://other.test")
        stored(context, POSITIVE)
        async with delivering(shrunk):
            await until(lambda: bool(log_of(shrunk, id, "parked")))
        assert receiver.tried == []
        assert "HERALD_WEBHOOK_TARGETS" in log_of(shrunk, id)[0]["attempts"][-1]["detail"]

    run(test)
