"""herald webhooks: subscriptions, their deliveries, and sending again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from app.commandline.settings import read_settings
from app.commandline.store import opened
from app.commandline.terminal import console, fail, grid, refuse
from app.services import webhooks as service
from app.services.errors import Refusal
from app.services.webhook_sending import Webhooks
from app.services.webhook_targets import Targets

webhooks = typer.Typer(help="Webhook subscriptions and what became of their deliveries.", no_args_is_help=True)

_Name = Annotated[str, typer.Option(help="Who asks for it.")]
_Role = Annotated[str, typer.Option(help="In which role.")]
_Reason = Annotated[str, typer.Option(help="Why.")]
_Id = Annotated[str, typer.Argument(help="The id of a subscription.")]


@contextlib.contextmanager
def _opened() -> Iterator[Webhooks]:
    settings = read_settings()
    with opened(settings, settings.organisation, migrate_first=settings.migrate_on_start) as context:
        use = Webhooks(
            context,
            key=settings.webhook_key.get_secret_value(),
            targets=Targets(settings.webhook_targets.split()),
            base_url=settings.base_url,
        )
        try:
            yield use
        except Refusal as refused:
            if refused.problems:
                refuse(refused.detail, refused.problems)
            fail(refused.detail, code=1)


@webhooks.command("list")
def list_all() -> None:
    """Every subscription with its deliveries counted."""
    with _opened() as use:
        items = service.list_webhooks(use)["items"]
    table = grid("id", "state", *service.LINE_STATES, "events", "target")
    for each in items:
        counts = (str(each["deliveries"][state]) for state in service.LINE_STATES)
        table.add_row(each["id"], each["state"], *counts, " ".join(each["topics"]), each["url"])
    console().print(table)


@webhooks.command()
def add(
    url: Annotated[str, typer.Argument(help="The address; its origin is on the list HERALD_WEBHOOK_TARGETS.")],
    name: _Name,
    role: _Role,
    reason: _Reason,
    topic: Annotated[list[str], typer.Option(help="What is told; may be given several times.")],
    sees: Annotated[str, typer.Option(help="nothing, or patient: Herald's own patient id.")] = "nothing",
) -> None:
    """Subscribe, and show the secret this once."""
    body = {"url": url, "topics": topic, "sees": sees, "name": name, "role": role, "reason": reason}
    with _opened() as use:
        made = service.subscribe(use, body).body
    table = grid()
    for label, told in (("id", made["id"]), ("events", " ".join(made["topics"])), ("secret", made["secret"])):
        table.add_row(label, told)
    console().print(table)


@webhooks.command()
def log(
    webhook: _Id,
    state: Annotated[str | None, typer.Option(help="waiting, failing, delivered or parked.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
) -> None:
    """Deliveries, the newest first."""
    if state is not None and state not in service.LINE_STATES:
        fail(f"there is no state {state}", f"use one of {', '.join(service.LINE_STATES)}")
    with _opened() as use:
        page = service.list_deliveries(use, webhook, state, None, limit)
    table = grid("id", "made", "event", "state", "attempts", "last")
    for each in page["items"]:
        last: dict[str, Any] = each["attempts"][-1] if each["attempts"] else {}
        told = last.get("detail") or last.get("state", "")
        table.add_row(each["id"], each["made_at"], each["type"], each["state"], str(last.get("attempt", 0)), told)
    console().print(table)


@webhooks.command()
def replay(
    webhook: _Id,
    name: _Name,
    role: _Role,
    reason: _Reason,
    delivery: Annotated[str | None, typer.Option(help="The id of one delivery; else all that are parked.")] = None,
) -> None:
    """Send again one delivery, or all that are parked."""
    chosen = {"state": "parked"} if delivery is None else {"delivery": delivery}
    with _opened() as use:
        done = service.replay(use, webhook, {**chosen, "name": name, "role": role, "reason": reason})
    console().print(f"{done['replayed']} sent again")
