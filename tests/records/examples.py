"""Records to try the store with: made up, and complete as a real result's are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.records.rows import Identity, NewClassification, NewStep, NewVersion, Version
from app.records.store import Store
from app.records.writing import Transaction

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VERSION = NewVersion(document='{"ihc": "2+"}', cause="reported", source="api", laboratory="lab 1", accession="A-1")
ANSWER = NewClassification(
    edition_id="asco-cap-2018",
    edition_digest="e" * 64,
    pack_id="alataki-dowsett-2022",
    pack_version="1",
    pack_digest="p" * 64,
    policy="{}",
    engine="0.1.0",
    status="pending",
    final=False,
    review_required=True,
    answer='{"status": "pending"}',
)
STEP = NewStep("ish", since=NOON, due_at=NOON + timedelta(days=5), who="pathologist")


def patient(value: str = "p-1") -> list[Identity]:
    return [Identity("urn:hospital", value)]


def append_whole(tx: Transaction, value: str = "p-1", **changes: Any) -> Version:
    """A result with everything that POST /results stores, save the idempotency key."""
    answers = {
        k: changes.pop(k) for k in list(changes) if k in ("status", "final", "ish_group", "her2_low", "edition_id")
    }
    steps = changes.pop("steps", [STEP])
    join_key = changes.pop("join_key", None)
    version = tx.append_result(
        tx.find_or_append_patient(patient(value)), replace(VERSION, **changes), join_key=join_key
    )
    tx.append_classification(version.id, replace(ANSWER, **answers))
    tx.append_open_steps(version.result_id, version.id, steps)
    tx.append_outbox("result.reported", "{}", version_id=version.id)
    tx.append_audit("result.reported", {"result": version.result_id, "by": "test"})
    return version


def store_whole(store: Store, value: str = "p-1", organisation: str = "north", **changes: Any) -> Version:
    with store.transaction(organisation) as tx:
        return append_whole(tx, value, **changes)
