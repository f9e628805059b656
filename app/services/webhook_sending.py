"""Send one event to one subscriber, by the convention of Standard Webhooks (standardwebhooks.com).

Secrets are nowhere stored: each is derived from the service's key, the subscription's id and the secret's number.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from standardwebhooks import Webhook

from app import ENGINE_VERSION
from app.records.outbox import Wanted
from app.records.subscriptions import Subscription, Subscriptions, SubscriptionsWriting
from app.services.deliveries import Delivered, Failed, Following, Line, Passed
from app.services.documents import text_of
from app.services.reporting import Context
from app.services.webhook_events import event_of, payload, topics_of
from app.services.webhook_targets import Targets

NO_EVENT = "no event of this subscription"
BOTH_SECRETS = timedelta(hours=24)
GONE = "410 gone: the subscription has ended"
_LONGEST_WAIT = 3600.0
# answers that speak of this message; after any other the target is left alone for a while
_OF_THE_MESSAGE = (400, 409, 413, 415, 422)


class Answer(NamedTuple):
    """What a target answered. status: 0 for nothing; detail: in words without anything that was sent."""

    status: int
    detail: str
    retry_after: float = 0.0


class Webhooks:
    """What webhooks need of the process. key: of the settings, "" where webhooks are off; base_url: of the links.

    seconds: that a target has to answer; ca: CA (PEM) of the targets, else those of this machine.
    """

    def __init__(
        self,
        context: Context,
        *,
        key: str,
        targets: Targets,
        base_url: str = "",
        seconds: float = 15.0,
        ca: Path | None = None,
    ) -> None:
        self.context, self.targets, self.base_url, self.seconds = context, targets, base_url, seconds
        self._key = key.encode()
        self._tls = ssl.create_default_context(cafile=str(ca) if ca else None) if key else None

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        assert self._tls is not None
        # no proxy and no certificate from the environment, and no redirect: only the listed origin is called
        return httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            verify=self._tls,
            timeout=self.seconds,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    @property
    def on(self) -> bool:
        """Is there a key to make secrets from?"""
        return bool(self._key)

    async def close(self) -> None:
        """Let go of the connections."""
        if "_client" in vars(self):
            await self._client.aclose()

    def secret(self, subscription_id: str, sequence: int) -> str:
        """The secret 1, 2, ... of a subscription, as whsec_ and base64."""
        told = text_of(["herald webhook secret", self.context.organisation, subscription_id, sequence])
        return "whsec_" + base64.b64encode(hmac.digest(self._key, told.encode(), hashlib.sha256)).decode()

    async def send(self, of: Subscription, message_id: str, body: dict[str, Any], now: datetime) -> Answer:
        """POST one message, signed by every secret that counts now. Raises nothing of the network."""
        text = text_of(body)
        signed = (
            Webhook(self.secret(of.id, each)).sign(message_id, now.astimezone(UTC), text)
            for each in secrets_of(of, now)
        )
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Herald/{ENGINE_VERSION}",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signed),
        }
        try:
            async with (
                asyncio.timeout(self.seconds),
                # what the answer says beyond its status is left unread
                self._client.stream("POST", of.url, content=text.encode(), headers=headers) as answer,
            ):
                return Answer(answer.status_code, str(answer.status_code), _retry_after(answer, now))
        except (TimeoutError, httpx.TimeoutException):
            return Answer(0, "no answer in time")
        except httpx.ConnectError as error:
            return Answer(0, "its certificate is not trusted" if "CERTIFICATE" in str(error) else "not reached")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Answer(0, f"no answer ({type(error).__name__})")

    def follow(self) -> Following:
        """Whom to serve now."""
        with self.context.store.reading(self.context.organisation) as reading:
            found = Subscriptions(reading)
            active = [each for each in found.all() if each.state == "active"]
            return Following([WebhookDestination(self, each) for each in active], found.replays())


def destination_of(subscription_id: str) -> str:
    """The destination's name in the record."""
    return f"webhook:{subscription_id}"


def wanted_of(of: Subscription) -> Wanted:
    """The lines in which a subscription's events can be."""
    until = of.states[-1].created_at if of.state == "ended" else None
    return Wanted(destination_of(of.id), topics_of(tuple(of.topics.split())), of.created_at, until)


def secrets_of(of: Subscription, now: datetime) -> tuple[int, ...]:
    """The numbers of the secrets that sign now: the newest, and for 24 h those that it replaced."""
    newest = of.states[-1].sequence
    replaced_at = {each.sequence - 1: each.created_at for each in reversed(of.states)}
    return tuple(n for n in range(newest, 0, -1) if n == newest or now - replaced_at[n] < BOTH_SECRETS)


def _retry_after(answer: httpx.Response, now: datetime) -> float:
    """Seconds that the target asks to be left alone, at most an hour; 0 where it asks nothing that can be read."""
    told = answer.headers.get("retry-after", "").strip()
    try:
        seconds = float(told) if told.isdigit() else (parsedate_to_datetime(told) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_WAIT)


class WebhookDestination:
    """A subscription as a destination of deliveries; it is read anew at each attempt."""

    def __init__(
        self, webhooks: Webhooks, of: Subscription, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._webhooks, self._id, self._clock = webhooks, of.id, clock
        wanted = wanted_of(of)
        self.name, self.topics, self.since = wanted.destination, wanted.topics, wanted.since
        self.seconds = webhooks.seconds + 5  # what is told is read first

    async def deliver(self, line: Line) -> Delivered | Failed | Passed:
        """Delivered once the target has answered 2xx; 410 ends the subscription."""
        of, message = await asyncio.to_thread(self._message, line)
        if of is None or of.state != "active":
            return Failed("the subscription is not active", unreachable=True)
        if isinstance(message, Failed | Passed):
            return message
        if not self._webhooks.targets.allow(of.url):
            return Failed("the target is not on the list HERALD_WEBHOOK_TARGETS", permanent=True)
        said = await self._webhooks.send(of, line.id, message, self._clock())
        if 200 <= said.status < 300:
            return Delivered(said.detail)
        if said.status == 410:
            await asyncio.to_thread(self._end)
            return Failed(GONE, permanent=True, unreachable=True)
        return Failed(said.detail, unreachable=said.status not in _OF_THE_MESSAGE, after=said.retry_after)

    def _message(self, line: Line) -> tuple[Subscription | None, dict[str, Any] | Failed | Passed]:
        context = self._webhooks.context
        with context.store.reading(context.organisation) as reading:
            found = Subscriptions(reading)
            of = found.find(self._id)
            if of is None:
                return None, Passed(NO_EVENT)
            place = found.places([line.version_id]).get(line.version_id) if line.version_id else None
            event = event_of(line.topic, place)
            if event is None or event not in of.topics.split():
                return of, Passed(NO_EVENT)
            told = payload(reading, line, event, sees=of.sees, base_url=self._webhooks.base_url)
            return of, told if told is not None else Failed("erased by order", permanent=True)

    def _end(self) -> None:
        end(self._webhooks.context, self._id)


def end(context: Context, subscription_id: str) -> None:
    """The subscriber has answered that it is gone."""
    with context.store.transaction(context.organisation) as tx:
        writing = SubscriptionsWriting(tx)
        of = writing.find(subscription_id)
        if of is None or of.state == "ended":
            return
        said = writing.append_state(
            of, "ended", of.states[-1].sequence, name="subscriber", role="system", reason="answered 410 gone"
        )
        if said:
            tx.append_audit("webhook.ended", {"subscription": of.id})
