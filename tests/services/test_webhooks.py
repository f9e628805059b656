"""Webhooks: signed as the convention says, once per id, in order, through refusals, silence, restarts and changes."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.records.outbox import Outbox
from app.records.schema import metadata
from app.records.store import Store
from app.services import acts, identity, joining, webhooks
from app.services.deliveries import Deliveries, Line, Patience
from app.services.errors import Refusal
from app.services.reporting import Context, report
from app.services.webhook_events import EVENTS, VERSION_TOPICS, topics_of
from app.services.webhook_sending import WebhookDestination, Webhooks, secrets_of, wanted_of
from app.services.webhook_targets import BadTarget, Targets, origin_of
from tests.fixtures_webhooks import KEY, Receiver

QUICK = Patience(first=0.02, most=0.1, poll=0.01)
WHO = {"name": "Ada Engineer", "role": "interface engineer", "reason": "agreed with the cancer registry"}
PERSON = {"name": "Dr A. Reader", "role": "pathologist", "reason": "second reading"}
PENDING, POSITIVE, NEGATIVE = {"ihc": "2+"}, {"ihc": "3+"}, {"ihc": "1+"}
ISH = {"assay": "dual_probe", "ratio": "2.5", "her2_copies": "6.5", "cells": 40}
_numbers = count(1)


class Log:
    """Keeps what was logged: (level, event, fields)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda event, **fields: self.lines.append((level, event, fields))

    def named(self, event: str) -> list[dict[str, Any]]:
        return [fields for _, name, fields in self.lines if name == event]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(bounded())


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 -- what is waited for knows no event
        await asyncio.sleep(0.01)


@pytest.fixture
def context(store: Store) -> Context:
    return Context(store, "north")


def hooks(context: Context, *targets: str, **how: Any) -> Webhooks:
    return Webhooks(context, **({"key": KEY, "targets": Targets(targets), "base_url": "https://herald.test"} | how))


@contextlib.asynccontextmanager
async def delivering(use: Webhooks, log: Log | None = None, **how: Any) -> AsyncIterator[None]:
    told = {"patience": QUICK, "source": use.follow, "look_every": 0.03} | how
    deliveries = Deliveries(use.context, (), log=log or Log(), **told)
    deliveries.start()
    try:
        yield
    finally:
        await deliveries.stop()


def subscribe(use: Webhooks, receiver: Receiver, *topics: str, sees: str = "nothing", path: str = "") -> str:
    body = {"url": receiver.url + path, "topics": list(topics or EVENTS[:3]), "sees": sees, **WHO}
    made = webhooks.subscribe(use, body)
    receiver.secrets.append(made["secret"])
    return str(made["id"])


def stored(context: Context, case: dict[str, Any], patient: str | None = None) -> str:
    reply = report(context, {"patient": patient or f"MRN-SECRET-{next(_numbers)}", **case}, None)
    return str(reply.result_id)


def amended(context: Context, result_id: str, changes: dict[str, Any]) -> None:
    acts.amend(context, result_id, {"changes": changes, **PERSON}, None, None)


def log_of(use: Webhooks, id: str, state: str | None = None) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = webhooks.list_deliveries(use, id, state, None, 500)["items"]
    return items


# ---- what is told, and when


def test_a_result_is_told_when_it_is_first_final_and_whenever_it_is_amended_after_that(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        subscribe(use, receiver, "result.final")
        pending = stored(context, PENDING)
        amended(context, pending, {"ish": ISH})
        amended(context, pending, {"ihc": "3+"})
        amended(context, pending, {"ish": None, "ihc": "2+"})
        async with delivering(use):
            await until(lambda: len(receiver.got) == 3)
            await asyncio.sleep(0.1)
        told = [(message["type"], message["data"]["version"], message["data"]["final"]) for _, message in receiver.got]
        assert told == [("result.final", 2, True), ("result.amended", 3, True), ("result.amended", 4, False)]
        assert context.store.verify_audit("north").sound

    run(test)


def test_an_amendment_of_what_was_never_final_is_told_and_a_first_report_that_is_not_final_is_not(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver, "result.amended")
        result = stored(context, PENDING)
        amended(context, result, {"specimen": {"block": "B2"}})
        async with delivering(use):
            await until(lambda: len(receiver.got) == 1)
        assert (receiver.types(), receiver.data()[0]["version"]) == (["result.amended"], 2)
        assert [each["version"] for each in log_of(use, id)] == [2]

    run(test)


def test_a_change_of_status_a_sign_off_and_a_move_are_told_to_those_who_asked(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        subscribe(use, receiver, "status.changed", "result.signed", "result.moved", sees="patient")
        result = stored(context, POSITIVE)
        acts.sign_off(context, result, {"name": "Dr A", "role": "pathologist"}, None, None)
        amended(context, result, {"ihc": "1+"})
        identity.move_result(context, result, {"to": "MRN-OTHER", **PERSON}, None, None)
        async with delivering(use):
            await until(lambda: len(receiver.got) == 3)
        assert receiver.types() == ["result.signed", "status.changed", "result.moved"]
        signed, changed, moved = receiver.data()
        assert signed["signed"] is True and changed["signed"] is False
        assert (changed["from"], changed["to"], changed["status"]) == ("positive", "negative", "negative")
        assert moved["from_patient_id"] == signed["patient_id"] != moved["patient_id"]

    run(test)


def test_every_topic_of_a_version_is_known_to_webhooks(context: Context) -> None:
    source = inspect.getsource(joining.cause_of) + inspect.getsource(acts)
    causes = ("reported", "preliminary", "corrected", "cancelled", "amended", "recount", "adjudication")
    assert all(f'"{cause}"' in source for cause in causes)
    assert set(VERSION_TOPICS) == {"result.final", *(f"result.{cause}" for cause in causes)}
    assert topics_of(("status.changed",)) == ("status.changed",)


def test_the_payload_is_of_the_version_it_is_about_and_not_of_now(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        subscribe(use, receiver, "result.final", sees="patient")
        result = stored(context, POSITIVE)
        receiver.answer = lambda message: 503
        async with delivering(use):
            await until(lambda: len(receiver.tried) >= 2)
        acts.sign_off(context, result, {"name": "Dr A", "role": "pathologist"}, None, None)
        identity.move_result(context, result, {"to": "MRN-OTHER", **PERSON}, None, None)
        amended(context, result, {"ihc": "1+"})
        receiver.answer = lambda message: 204
        async with delivering(use):
            await until(lambda: len(receiver.got) == 3)
        first = [body for id, body in zip(receiver.tried, receiver.bodies, strict=True) if id == receiver.tried[0]]
        assert len(first) >= 3 and len(set(first)) == 1, "the same bytes at each attempt"
        assert [each["status"] for each in receiver.data()] == ["positive", "positive", "negative"]
        assert receiver.data()[0]["patient_id"] != receiver.data()[1]["patient_id"]

    run(test)


def test_a_payload_holds_no_identifier_and_the_patients_id_only_where_it_may_be_seen(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        subscribe(use, receiver, sees="nothing")
        case = {**POSITIVE, "specimen": {"accession": "ACC-SECRET", "block": "BLOCK-SECRET"}}
        result = stored(context, case, "MRN-SECRET-9")
        async with delivering(use):
            await until(lambda: len(receiver.got) == 1)
            subscribe(use, receiver, sees="patient", path="/2")
            stored(context, case, "MRN-SECRET-9")
            await until(lambda: len(receiver.got) == 3)
        body = receiver.bodies[0]
        assert b"SECRET" not in b"".join(receiver.bodies)
        assert set(json.loads(body)) == {"type", "timestamp", "data"}
        assert json.loads(body)["data"] == {
            "result_id": result,
            "version": 1,
            "cause": "reported",
            "status": "positive",
            "final": True,
            "her2_low": "not_applicable",
            "signed": False,
            "edition": "asco-cap-2018",
            "links": {
                "result": f"https://herald.test/results/{result}",
                "history": f"https://herald.test/results/{result}/history",
            },
        }
        seeing = [each for each in receiver.data() if "patient_id" in each]
        assert len(seeing) == 1
        assert seeing[0]["links"]["case"] == f"https://herald.test/browser/patients/{seeing[0]['patient_id']}"

    run(test)


def test_events_from_before_a_subscription_are_not_its_own(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        stored(context, POSITIVE)
        id = subscribe(use, receiver)
        later = stored(context, NEGATIVE)
        async with delivering(use):
            await until(lambda: len(receiver.got) == 1)
        assert receiver.data()[0]["result_id"] == later
        assert len(log_of(use, id)) == 1

    run(test)


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


def context_clock_past(context: Context, id: str) -> None:
    """Nothing holds the line any more, as after the time it asked for: a later attempt without a wait."""
    with context.store.transaction("north") as tx:
        found = webhooks.Subscriptions(tx)
        of = found.find(id)
        assert of is not None
        (logged,) = found.log(wanted_of(of), passed="-").items
        number = max(each.attempt for each in logged.attempts) + 1
        tx.append_delivery(logged.line.id, f"webhook:{id}", number, "parked")
        tx.append_audit("test", {})
    webhooks.replay(hooks(context), id, {"delivery": logged.line.id, **WHO})


def destination_and_line(use: Webhooks, id: str) -> tuple[WebhookDestination, Line]:
    with use.context.store.reading("north") as reading:
        found = webhooks.Subscriptions(reading)
        of = found.find(id)
        assert of is not None
        told = found.log(wanted_of(of), passed="-").items[0].line
    line = Line(told.id, told.topic, told.version_id, json.loads(told.payload or "{}"), told.created_at)
    return WebhookDestination(use, of), line


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


# ---- secrets


def test_for_24_hours_after_a_rotation_both_secrets_sign_and_then_the_new_one_alone(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        (old,) = receiver.secrets
        new = webhooks.rotate_secret(use, id, WHO)["secret"]
        assert new != old and new.startswith("whsec_")
        for secret in (old, new):
            receiver.secrets = [secret]
            assert (await webhooks.try_out(use, id, {"name": "A", "role": "b"}))["delivered"]
        assert receiver.signatures[0].count("v1,") == 2
        with context.store.reading("north") as reading:
            of = webhooks.Subscriptions(reading).find(id)
        assert of is not None
        now = datetime.now(UTC)
        assert secrets_of(of, now) == (2, 1)
        assert secrets_of(of, now + timedelta(hours=25)) == (2,)

    run(test)


def test_no_secret_is_in_the_database_or_the_log(context: Context, receiver: Receiver, tmp_path: Any) -> None:
    async def test() -> None:
        use, log = hooks(context, receiver.origin), Log()
        id = subscribe(use, receiver)
        receiver.secrets.append(webhooks.rotate_secret(use, id, WHO)["secret"])
        receiver.answer = lambda message: 500 if len(receiver.tried) < 3 else 204
        stored(context, POSITIVE)
        async with delivering(use, log):
            await until(lambda: len(receiver.got) == 1)
        shown = json.dumps([webhooks.find_webhook(use, id), webhooks.list_webhooks(use), log_of(use, id)])
        dumped = shown + repr(log.lines) + dump(context)
        for secret in (*receiver.secrets, KEY):
            assert secret not in dumped and secret.removeprefix("whsec_") not in dumped

    run(test)


def dump(context: Context) -> str:
    """Every row of every table as text."""
    with context.store.reading("north") as reading:
        return "".join(repr(list(reading.connection.execute(table.select()))) for table in metadata.sorted_tables)


# ---- targets


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.test/x",
        "http://hooks.test:443/x",
        "https://hooks.test@evil.test/x",
        "https://evil.test#@hooks.test/",
        "https://hooks.test:8443/x",
        "https://evil.test\\@hooks.test/",
        "https://hooks.test.evil.test/",
        "https://hooks.test./x",
        "https://hooks%2etest/x",
        "https:///hooks.test/x",
        "https:hooks.test",
        "//hooks.test/x",
        "ftp://hooks.test/x",
        "file:///etc/passwd",
        "https://hooks.test\n.evil.test/",
        " https://hooks.test/",
        "https://hooks.test:99999/",
        "https://hooks.test:0/",
        "https://hooks.test:/",
        "https://ｈooks.test/",
        "http://2130706433:9000/x",
        "http://0x7f.1:9000/x",
        "http://127.1:9000/x",
        "http://0:9000/x",
        "http://[::ffff:127.0.0.1]:9000/x",
        "http://[::1%25lo]:9000/x",
        "http://[::]:9000/x",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost.evil.test:9000/x",
        "https://127.0.0.1:9000/x",
        "http://127.0.0.1:9001/x",
        "",
        "https://hooks.test/" + "a" * 2000,
    ],
)
def test_an_address_whose_origin_is_not_exactly_listed_is_refused(url: str) -> None:
    assert not Targets(["https://hooks.test", "http://127.0.0.1:9000"]).allow(url)


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("https://hooks.test", "https://HOOKS.test:443/a/b?c=d%20e"),
        ("https://hooks.test:8443/", "https://hooks.test:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/x"),
        ("http://[::1]:9000", "http://[::1]:9000/x"),
        ("http://localhost:9000", "http://localhost:9000/x"),
    ],
)
def test_an_address_of_a_listed_origin_is_allowed_and_means_the_same_to_the_client(listed: str, url: str) -> None:
    assert Targets([listed]).allow(url)
    told = httpx.URL(url)
    host = f"[{told.host}]" if ":" in told.host else told.host
    assert origin_of(url) == f"{told.scheme}://{host}:{told.port or {'https': 443, 'http': 80}[told.scheme]}"
    assert not told.userinfo


def test_the_list_takes_origins_only() -> None:
    for listed in ("https://hooks.test/path", "http://hooks.test", "hooks.test", "https://*.test"):
        with pytest.raises(BadTarget):
            Targets([listed])


def test_a_redirect_is_never_followed_and_no_proxy_of_the_environment_is_asked(
    context: Context, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        inner = Receiver()
        monkeypatch.setenv("HTTP_PROXY", inner.origin)
        monkeypatch.setenv("ALL_PROXY", inner.origin)
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        inner.secrets = receiver.secrets
        receiver.answer = lambda message: (307, {"Location": inner.url})
        said = await webhooks.try_out(use, id, {"name": "A", "role": "b"})
        assert (said["delivered"], said["status"]) == (False, 307)
        assert inner.tried == [] and inner.unverified == 0
        inner.stop()

    run(test)


# ---- the guide


def test_the_receiver_of_the_guide_takes_a_message_once_and_refuses_what_is_not_signed(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (Path(__file__).parents[2] / "docs/webhooks.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", guide, re.S)
    namespace: dict[str, Any] = {}
    exec(compile(example, "docs/webhooks.md", "exec"), namespace)
    namespace["Receiver"].log_message = lambda *told: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), namespace["Receiver"])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    origin = f"http://127.0.0.1:{server.server_address[1]}"

    async def test() -> None:
        use = hooks(context, origin)
        made = webhooks.subscribe(use, {"url": origin, "topics": ["result.final"], **WHO})
        namespace["SECRET"] = made["secret"]
        result = stored(context, POSITIVE)
        async with delivering(use):
            await until(lambda: bool(log_of(use, made["id"], "delivered")))
            webhooks.replay(use, made["id"], {"delivery": log_of(use, made["id"])[0]["id"], **WHO})
            await until(lambda: len(log_of(use, made["id"], "delivered")) == 1)
        assert capsys.readouterr().out == f"{result} 1 positive True\n"
        assert httpx.post(origin, content=b"{}", trust_env=False).status_code == 401

    try:
        run(test)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
