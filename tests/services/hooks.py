"""What tests of webhooks share: a log, loops of deliveries, subscriptions and results."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from app.services import acts, webhooks
from app.services.deliveries import Deliveries, Line, Patience
from app.services.reporting import Context, report
from app.services.webhook_events import EVENTS
from app.services.webhook_sending import WebhookDestination, Webhooks, wanted_of
from app.services.webhook_targets import Targets
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

    # in a thread of its own: Playwright leaves a loop running in the thread of the tests
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(bounded())).result()


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 -- what is waited for knows no event
        await asyncio.sleep(0.01)


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
    made = webhooks.subscribe(use, body).body
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
