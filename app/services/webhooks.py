"""Webhook subscriptions: make, list, pause, end; rotate secrets; the log of deliveries; send again; try out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from app.domain.problems import Problem, shown
from app.records.errors import Busy, Unavailable, Unstorable
from app.records.ids import is_id, new_id
from app.records.queries import Reading
from app.records.subscriptions import (
    LoggedLine,
    Place,
    State,
    Subscription,
    Subscriptions,
    SubscriptionsWriting,
)
from app.records.writing import Transaction
from app.services.errors import Refusal
from app.services.finding import reading
from app.services.reporting import Context, Document, Key, Reply, in_transaction
from app.services.requests import Fields, Person
from app.services.webhook_events import EVENTS, TEST_EVENT, event_of, with_companions
from app.services.webhook_sending import NO_EVENT, Webhooks, destination_of, end, wanted_of
from app.services.webhook_targets import BadTarget, origin_of

T = TypeVar("T")
STATES = ("active", "paused", "ended")
LINE_STATES = ("waiting", "failing", "delivered", "parked")
SEES = ("nothing", "patient")
MOST = 5000  # lines that one request sends again
_PAGE = 500


def subscribe(webhooks: Webhooks, body: Mapping[str, Any], key: Key | None = None) -> Reply:
    """A subscription that takes events from now on. Its secret stands in this answer and in no other."""
    _needs_key(webhooks)
    fields = Fields(body)
    url, topics, sees = fields.take("url"), fields.take("topics"), fields.take("sees")
    person = fields.person(datetime.now(UTC), reason_needed=True)
    wrong = _wrong_url(webhooks, url)
    if not isinstance(topics, list) or not topics or any(each not in EVENTS for each in topics):
        remedy = f"send a list of one or more of {', '.join(EVENTS)}"
        wrong.append(Problem("UNKNOWN_VALUE", "topics", "is not a list of events", remedy))
    if sees is not None and sees not in SEES:
        wrong.append(Problem("UNKNOWN_VALUE", "sees", f"{shown(sees)} is neither", "send nothing or patient"))
    fields.close(*wrong)
    seen = sees or "nothing"
    events = " ".join(with_companions(set(topics), seen))

    def record(tx: Transaction) -> Reply:
        writing = SubscriptionsWriting(tx)
        made = writing.append(url, events, seen, name=person.name, role=person.role, reason=person.reason)
        tx.append_audit("webhook.subscribed", {"subscription": made.id, "topics": events, "sees": seen})
        return Reply(_document(made), None, None)

    return _with_secret(webhooks, in_transaction(webhooks.context, key, record))


def list_webhooks(webhooks: Webhooks) -> Document:
    """Every subscription with how many of its deliveries are in each state; the newest first."""

    def find(records: Reading) -> list[Document]:
        found = Subscriptions(records)
        return [_counted(found, each) for each in found.all()]

    return {"items": reading(webhooks.context, find)}


def find_webhook(webhooks: Webhooks, subscription_id: str) -> Document:
    """One subscription, its facts and how many of its deliveries are in each state."""

    def find(records: Reading) -> Document:
        found = Subscriptions(records)
        return _counted(found, _known(found, subscription_id))

    return reading(webhooks.context, find)


def change_state(webhooks: Webhooks, subscription_id: str, body: Mapping[str, Any], key: Key | None = None) -> Reply:
    """Pause, activate or end. An ended one stays ended; what waits while paused is sent when it is active again."""
    fields = Fields(body)
    state = fields.text("state", needed=True)
    person = fields.person(datetime.now(UTC), reason_needed=True)
    wrong = []
    if state is not None and state not in STATES:
        wrong.append(Problem("UNKNOWN_VALUE", "state", f"{shown(state)} is no state", f"send {', '.join(STATES)}"))
    fields.close(*wrong)

    def record(tx: Transaction) -> Reply:
        writing = SubscriptionsWriting(tx)
        of = _not_ended(writing, subscription_id)
        if of.state == state:
            raise Refusal("conflict", f"It is {state} already.")
        told: State = "active" if state == "active" else "paused" if state == "paused" else "ended"
        _append_state(writing, of, told, of.states[-1].sequence, person)
        tx.append_audit(f"webhook.{told}", {"subscription": of.id})
        return Reply(_document(_known(writing, of.id)), None, None)

    return in_transaction(webhooks.context, key, record)


def rotate_secret(webhooks: Webhooks, subscription_id: str, body: Mapping[str, Any], key: Key | None = None) -> Reply:
    """A new secret, which stands in this answer only; for 24 hours the one before signs beside it."""
    _needs_key(webhooks)
    fields = Fields(body)
    person = fields.person(datetime.now(UTC), reason_needed=True)
    fields.close()

    def record(tx: Transaction) -> Reply:
        writing = SubscriptionsWriting(tx)
        of = _not_ended(writing, subscription_id)
        sequence = of.states[-1].sequence + 1
        _append_state(writing, of, of.state, sequence, person)
        tx.append_audit("webhook.rotated", {"subscription": of.id, "secret": sequence})
        return Reply(_document(_known(writing, of.id)), None, None)

    return _with_secret(webhooks, in_transaction(webhooks.context, key, record))


def list_deliveries(
    webhooks: Webhooks, subscription_id: str, state: str | None, cursor: str | None, limit: int
) -> Document:
    """The log: each line with every attempt and what was answered, the newest line first."""
    chosen = next((each for each in LINE_STATES if each == state), None)

    def find(records: Reading) -> Document:
        found = Subscriptions(records)
        of = _known(found, subscription_id)
        page = found.log(wanted_of(of), state=chosen, passed=NO_EVENT, cursor=cursor, limit=limit)  # type: ignore[arg-type]
        places = found.places({each.line.version_id for each in page.items if each.line.version_id})
        items = [_line_document(each, places) for each in page.items]
        return {"items": items, "next_cursor": page.next_cursor}

    return reading(webhooks.context, find)


def replay(webhooks: Webhooks, subscription_id: str, body: Mapping[str, Any]) -> Document:
    """Send again one line that was delivered or parked, or all that are parked; ids and contents stay the same."""
    fields = Fields(body)
    line_id, state = fields.take("delivery"), fields.take("state")
    person = fields.person(datetime.now(UTC), reason_needed=True)
    wrong = []
    if (line_id is None) == (state is None):
        remedy = 'send the id of a delivery, or "state": "parked"'
        wrong.append(Problem("MISSING_FIELD", "delivery", "exactly one of delivery and state is needed", remedy))
    elif line_id is not None and not isinstance(line_id, str):
        wrong.append(Problem("WRONG_TYPE", "delivery", "is not an id", "send the id of a delivery"))
    elif state is not None and state != "parked":
        wrong.append(Problem("UNKNOWN_VALUE", "state", f"{shown(state)} is not parked", "send parked"))
    fields.close(*wrong)

    def record(tx: Transaction) -> int:
        writing = SubscriptionsWriting(tx)
        of = _not_ended(writing, subscription_id)
        lines = _parked(writing, of) if line_id is None else [_sendable(writing, of, line_id)]
        done = [each.line.id for each in lines if _append_replay(writing, of, each, person)]
        if done:
            tx.append_audit("webhook.replayed", {"subscription": of.id, "deliveries": done})
        return len(done)

    return {"replayed": _writing(webhooks.context, record)}


async def try_out(webhooks: Webhooks, subscription_id: str, body: Mapping[str, Any]) -> Document:
    """Send a herald.test event at once, whether active or paused, and tell what came back. It is not in the log."""
    _needs_key(webhooks)
    fields = Fields(body)
    person = fields.person(datetime.now(UTC), reason_needed=False)
    fields.close()

    def record(tx: Transaction) -> Subscription:
        of = _not_ended(SubscriptionsWriting(tx), subscription_id)
        tx.append_audit("webhook.tested", {"subscription": of.id, "by": person.name, "role": person.role})
        return of

    of = await asyncio.to_thread(_writing, webhooks.context, record)
    if not webhooks.targets.allow(of.url):
        raise Refusal("conflict", "The target is not on the list HERALD_WEBHOOK_TARGETS; nothing was sent.")
    now, began = datetime.now(UTC), time.perf_counter()
    message = {"type": TEST_EVENT, "timestamp": now.isoformat(), "data": {}}
    message_id = f"test-{new_id()}"
    said = await webhooks.send(of, message_id, message, now)
    if said.status == 410:
        await asyncio.to_thread(end, webhooks.context, of.id)
    return {
        "id": message_id,
        "delivered": 200 <= said.status < 300,
        "status": said.status or None,
        "detail": said.detail,
        "milliseconds": round((time.perf_counter() - began) * 1000),
    }


def _with_secret(webhooks: Webhooks, reply: Reply) -> Reply:
    """The answer with its secret, which the answer kept for an Idempotency-Key does not hold."""
    secret = webhooks.secret(reply.body["id"], reply.body["states"][-1]["secret"])
    return replace(reply, body={**reply.body, "secret": secret})


def _needs_key(webhooks: Webhooks) -> None:
    if not webhooks.on:
        raise Refusal("conflict", "Webhooks are off here: HERALD_WEBHOOK_KEY is not set.")


def _wrong_url(webhooks: Webhooks, url: Any) -> list[Problem]:
    if url is None:
        return [Problem("MISSING_FIELD", "url", "is needed", "send the address to call")]
    if not isinstance(url, str):
        return [Problem("WRONG_TYPE", "url", "is not a text", "send the address to call")]
    try:
        origin_of(url)
    except BadTarget as error:
        return [Problem("UNKNOWN_VALUE", "url", str(error), "send an address such as https://hooks.example.org/her2")]
    if not webhooks.targets.allow(url):
        remedy = "ask who runs Herald to list its origin in HERALD_WEBHOOK_TARGETS"
        return [Problem("UNKNOWN_VALUE", "url", "its origin is not on the list of targets", remedy)]
    return []


def _writing(context: Context, record: Callable[[Transaction], T]) -> T:
    """One transaction; what the store refuses becomes a Refusal."""
    try:
        with context.store.transaction(context.organisation) as tx:
            return record(tx)
    except Unstorable as error:
        raise Refusal("not_found", "There is nothing with this id.") from error
    except Busy as error:
        raise Refusal("busy", "The database is busy; nothing was stored, send it again.") from error
    except Unavailable as error:
        raise Refusal("unavailable", "The database cannot be reached.") from error


def _known(found: Subscriptions, subscription_id: str) -> Subscription:
    of = found.find(subscription_id) if is_id(subscription_id) else None
    if of is None:
        raise Refusal("not_found", "There is no such subscription.")
    return of


def _not_ended(found: Subscriptions, subscription_id: str) -> Subscription:
    of = _known(found, subscription_id)
    if of.state == "ended":
        raise Refusal("conflict", "The subscription has ended; make a new one.")
    return of


def _append_state(writing: SubscriptionsWriting, of: Subscription, state: State, sequence: int, by: Person) -> None:
    if not writing.append_state(of, state, sequence, name=by.name, role=by.role, reason=by.reason):
        raise Refusal("busy", "Somebody else has just changed this subscription; look at it and send again.")


def _append_replay(writing: SubscriptionsWriting, of: Subscription, line: LoggedLine, by: Person) -> bool:
    return writing.append_replay(line, destination_of(of.id), name=by.name, role=by.role, reason=by.reason)


def _sendable(found: Subscriptions, of: Subscription, line_id: str) -> LoggedLine:
    page = found.log(wanted_of(of), passed=NO_EVENT, line_id=line_id, limit=1)
    if not page.items:
        raise Refusal("not_found", "There is no such delivery of this subscription.")
    (line,) = page.items
    if line.state not in ("delivered", "parked"):
        raise Refusal("conflict", f"This delivery is {line.state}: it will be tried again by itself.")
    return line


def _parked(found: Subscriptions, of: Subscription) -> list[LoggedLine]:
    """At most MOST."""
    lines: list[LoggedLine] = []
    cursor: str | None = None
    while len(lines) < MOST:
        page = found.log(wanted_of(of), state="parked", passed=NO_EVENT, cursor=cursor, limit=_PAGE)
        lines += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return lines


def _counted(found: Subscriptions, of: Subscription) -> Document:
    wanted = wanted_of(of)
    counts, last = found.counts(wanted, NO_EVENT), found.last_delivered(wanted, NO_EVENT)
    told = {state: counts.get(state, 0) for state in LINE_STATES}
    return {**_document(of), "deliveries": told, "last_delivered_at": last.isoformat() if last else None}


def _document(of: Subscription) -> Document:
    return {
        "id": of.id,
        "url": of.url,
        "topics": of.topics.split(),
        "sees": of.sees,
        "state": of.state,
        "name": of.person_name,
        "role": of.person_role,
        "created_at": of.created_at.isoformat(),
        "states": [
            {
                "state": each.state,
                "secret": each.sequence,
                "name": each.person_name,
                "role": each.person_role,
                "reason": each.reason,
                "at": each.created_at.isoformat(),
            }
            for each in of.states
        ],
    }


def _line_document(logged: LoggedLine, places: Mapping[str, Place]) -> Document:
    place = places.get(logged.line.version_id or "")
    return {
        "id": logged.line.id,
        "type": event_of(logged.line.topic, place) or logged.line.topic,
        "result_id": place.result_id if place else None,
        "version": place.number if place else None,
        "made_at": logged.line.created_at.isoformat(),
        "state": logged.state,
        "attempts": [
            {
                "attempt": each.attempt,
                "state": each.state,
                "detail": each.detail,
                "at": each.created_at.isoformat(),
                "next_attempt_at": each.next_attempt_at.isoformat() if each.next_attempt_at else None,
            }
            for each in logged.attempts
        ],
        "replays": [
            {
                "after_attempt": each.number,
                "name": each.person_name,
                "role": each.person_role,
                "reason": each.reason,
                "at": each.created_at.isoformat(),
            }
            for each in logged.replays
        ],
    }
