"""The public contract: webhook subscriptions and their deliveries. These models describe what app.services makes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.services.webhook_events import EVENTS
from app.services.webhooks import LINE_STATES, SEES, STATES

State = Literal[STATES]  # type: ignore[valid-type]
LineState = Literal[LINE_STATES]  # type: ignore[valid-type]
Event = Literal[EVENTS]  # type: ignore[valid-type]


class WebhookFact(BaseModel):
    """A fact about a subscription: its state and the number of its secret from then on, and who said so."""

    state: State
    secret: int = Field(description="number of the secret; the one before signs too for 24 hours")
    name: str
    role: str
    reason: str | None
    at: str


class Webhook(BaseModel):
    """A subscription."""

    id: str
    url: str
    topics: list[Event] = Field(description="with those that go with what was asked for")
    sees: Literal[SEES]  # type: ignore[valid-type]
    state: State
    name: str
    role: str
    created_at: str = Field(description="events from then on are its own")
    states: list[WebhookFact]


class WebhookWithSecret(Webhook):
    """A subscription with its secret, which no other answer tells."""

    secret: str = Field(description="whsec_ and base64, as Standard Webhooks has it", examples=["whsec_..."])


class DeliveryCounts(BaseModel):
    """How many deliveries are in each state."""

    waiting: int
    failing: int
    delivered: int
    parked: int


class WebhookCounted(Webhook):
    """A subscription with its deliveries counted."""

    deliveries: DeliveryCounts
    last_delivered_at: str | None


class WebhookList(BaseModel):
    """Every subscription, the newest first."""

    items: list[WebhookCounted]


class DeliveryAttempt(BaseModel):
    """A fact about an attempt: started, then delivered, failed or parked."""

    attempt: int
    state: Literal["started", "delivered", "failed", "parked"]
    detail: str | None = Field(description="the HTTP status answered, or why there was none")
    at: str
    next_attempt_at: str | None


class DeliveryReplay(BaseModel):
    """A person sent it again after an attempt."""

    after_attempt: int
    name: str
    role: str
    reason: str | None
    at: str


class Delivery(BaseModel):
    """One event at one subscription. id: the webhook-id that the target gets, the same at each attempt."""

    id: str
    type: str
    result_id: str | None
    version: int | None
    made_at: str
    state: LineState = Field(description="failing: tried, and will be tried again; parked: given up")
    attempts: list[DeliveryAttempt]
    replays: list[DeliveryReplay]


class DeliveryPage(BaseModel):
    """Deliveries, the newest first."""

    items: list[Delivery]
    next_cursor: str | None


class DeliveriesReplayed(BaseModel):
    """How many are due once more."""

    replayed: int


class WebhookTested(BaseModel):
    """What came back for a herald.test event. status: null where nothing was answered."""

    id: str
    delivered: bool
    status: int | None
    detail: str
    milliseconds: int


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, description="who asks for it")
    role: str = Field(max_length=100)
    reason: str = Field(max_length=2000)


class WebhookRequest(_Sent):
    """A new subscription. result.final takes result.amended with it; with a patient, result.moved too."""

    url: str = Field(max_length=2000, description="its origin is on the list HERALD_WEBHOOK_TARGETS")
    topics: Annotated[list[Event], Field(min_length=1)]
    sees: Literal[SEES] = Field("nothing", description="patient: payloads tell Herald's own id of the patient")  # type: ignore[valid-type]


class WebhookStateChange(_Sent):
    """A person pauses, activates or ends a subscription."""

    state: State


class SecretRotation(_Sent):
    """A person has a new secret made."""


class DeliveryReplayRequest(_Sent):
    """A person sends one delivery again (delivery), or all that are parked (state)."""

    delivery: str | None = None
    state: Literal["parked"] | None = None


class WebhookTest(BaseModel):
    """A person tries a subscription out."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, description="who asks for it")
    role: str = Field(max_length=100)


SENT = (WebhookRequest, WebhookStateChange, SecretRotation, DeliveryReplayRequest, WebhookTest)
