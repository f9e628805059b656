"""Webhooks of real processes: one is killed in the middle of a delivery, another makes the subscription."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fixtures_webhooks import KEY, Receiver
from tests.journeys.server import Server, serve

WHO = {"name": "Ada Engineer", "role": "interface engineer", "reason": "agreed"}


def wait(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until, "never came true"
        time.sleep(0.05)


def settings(receiver: Receiver) -> dict[str, Any]:
    return {"webhook_key": KEY, "webhook_targets": receiver.origin, "webhook_seconds": 0.5}


def subscribe(server: Server, receiver: Receiver) -> str:
    made = server.http.post("/webhooks", json={"url": receiver.url, "topics": ["result.final"], **WHO})
    assert made.status_code == 201, made.text
    receiver.secrets.append(made.json()["secret"])
    return str(made.json()["id"])


def report(server: Server) -> None:
    assert server.http.post("/results", json={"patient": "P-1", "ihc": "3+"}).status_code == 201


def test_what_a_killed_process_was_at_arrives_from_the_next_one_with_its_id(
    store_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    def hangs(message: Any) -> int:
        time.sleep(0.4)
        return 204

    receiver.answer = hangs
    with serve(store_url, tmp_path, **settings(receiver)) as server:
        id = subscribe(server, receiver)
        report(server)
        wait(lambda: len(receiver.tried) == 1)
        server.stop(signal.SIGKILL)
    receiver.answer = lambda message: 204
    with serve(store_url, tmp_path, **settings(receiver)) as server:
        wait(lambda: len(receiver.tried) == 2)
        assert len(set(receiver.tried)) == 1, "the same id, by which the receiver knows it"
        log = f"/webhooks/{id}/deliveries"
        wait(lambda: server.http.get(log).json()["items"][0]["state"] == "delivered")
        (line,) = server.http.get(log).json()["items"]
        assert [(each["attempt"], each["state"]) for each in line["attempts"]] == [
            (1, "started"), (2, "started"), (2, "delivered"),
        ]  # fmt: skip


def test_a_subscription_made_in_one_process_is_served_by_another(
    store_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    with serve(store_url, tmp_path, **settings(receiver)) as serving:
        (tmp_path / "other").mkdir()
        # it has no key, so it delivers nothing; the secret is made where the key is
        with serve(store_url, tmp_path / "other") as other:
            id = subscribe(serving, receiver)
            report(other)
            wait(lambda: len(receiver.got) == 1)
            assert other.http.get(f"/webhooks/{id}").json()["state"] == "active"
            paused = other.http.post(f"/webhooks/{id}/states", json={"state": "paused", **WHO})
            assert paused.status_code == 201
            report(other)
            assert other.http.post(f"/webhooks/{id}/states", json={"state": "active", **WHO}).status_code == 201
            wait(lambda: len(receiver.got) == 2)
