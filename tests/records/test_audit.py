"""The chain verifies; whatever is changed behind its back is found and named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, inspect, text

from app.records import tables as t
from app.records.store import Store
from tests.records.conftest import Raw
from tests.records.examples import store_whole


@pytest.fixture
def disarmed(raw_engine: Engine, raw: Raw) -> Raw:
    """Raw SQL of one who owns the tables and has taken the triggers away."""
    with raw_engine.begin() as connection:
        if raw_engine.dialect.name == "sqlite":
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for name in inspect(connection).get_table_names():
                connection.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER ALL"))
    return raw


def codes(store: Store) -> set[str]:
    return {problem.code for problem in store.verify_audit("north").problems}


def test_an_empty_and_a_full_chain_verify(store: Store) -> None:
    empty = store.verify_audit("north")
    assert (empty.sound, empty.lines, empty.head_sequence) == (True, 0, 0)
    for _ in range(3):
        store_whole(store)
    report = store.verify_audit("north")
    assert (report.sound, report.lines, report.head_sequence) == (True, 3, 3)
    assert report.records == 5 + 5 + 5 + 2, "result, version, answer, step and outbox line; the patient once"


def test_the_chain_holds_no_content(store: Store, raw: Raw) -> None:
    store_whole(store, "secret-id", document='{"secret": 1}')
    assert "secret" not in json.dumps([list(map(str, row)) for row in raw("SELECT * FROM audit")])


@pytest.mark.parametrize(
    ("tampering", "code"),
    [
        ("UPDATE audit SET kind = 'nothing' WHERE sequence = 2", "altered"),
        ("UPDATE audit SET recorded_at = '2020-01-01T00:00:00.000000Z' WHERE sequence = 2", "altered"),
        ("DELETE FROM audit WHERE sequence = 2", "broken"),
        ("UPDATE audit_content SET content = replace(content, 'test', 'best')", "content_altered"),
        ("UPDATE audit_content SET content = NULL, salt = NULL", "content_gone"),
        ("DELETE FROM audit_content", "content_gone"),
        ("UPDATE result_version SET document = '{}'", "record_altered"),
        ("UPDATE result_version SET document = NULL", "record_altered"),
        ("UPDATE classification SET status = 'positive'", "record_altered"),
        ("UPDATE classification SET final = NOT final", "record_altered"),
        ("UPDATE open_step SET due_at = '2030-01-01T00:00:00.000000Z'", "record_altered"),
        ("UPDATE patient_identity SET value = 'other'", "record_altered"),
        ("DELETE FROM outbox", "record_gone"),
        (
            "INSERT INTO act (organisation, id, version_id, kind, person_name, person_role, meaning, performed_at,"
            " recorded_at) SELECT organisation, 'a', id, 'sign_off', 'Dr X', 'pathologist', 'm', created_at, created_at"
            " FROM result_version LIMIT 1",
            "uncovered",
        ),
    ],
)
def test_tampering_is_found(store: Store, disarmed: Raw, tampering: str, code: str) -> None:
    for _ in range(3):
        store_whole(store)
    assert codes(store) == set()
    disarmed(tampering)
    assert code in codes(store)


def test_a_chain_cut_short_is_seen_with_a_head_noted_elsewhere(store: Store, disarmed: Raw) -> None:
    for _ in range(3):
        store_whole(store)
    head = store.verify_audit("north")
    anchor = (head.head_sequence, head.head_digest)
    store_whole(store)
    assert store.verify_audit("north", anchor).sound
    for table in reversed(t.metadata.sorted_tables):
        if table.name not in ("audit", "audit_content", "organisation"):
            disarmed(f"DELETE FROM {table.name}")
    disarmed("DELETE FROM audit_content")
    disarmed("DELETE FROM audit")
    assert store.verify_audit("north").sound, "nothing in the database tells that there was something"
    assert {p.code for p in store.verify_audit("north", anchor).problems} == {"cut_short"}


def test_erased_by_order_is_told_from_merely_gone(store: Store, raw: Raw, raw_engine: Engine) -> None:
    store_whole(store, "p-1")
    store_whole(store, "p-2")
    ((audit_id,),) = raw("SELECT id FROM audit WHERE sequence = 1")
    ((covered,),) = raw("SELECT content FROM audit_content WHERE audit_id = :id", id=audit_id)
    with _order(raw):
        for number, (table, id, _) in enumerate([("audit_content", audit_id, ""), *json.loads(covered)["records"]]):
            raw("INSERT INTO erasure_item VALUES ('north', :n, 'e', :t, :id)", n=f"i{number}", t=table, id=id)
            columns = [c.name for c in t.erasable_columns(t.metadata.tables[table])]
            if columns:
                identity = "audit_id" if table == "audit_content" else "id"
                emptied = ", ".join(f"{name} = NULL" for name in columns)
                raw(f"UPDATE {table} SET {emptied} WHERE {identity} = :id", id=id)
    report = store.verify_audit("north")
    assert report.problems == ()
    assert (report.lines, report.erased) == (2, 1)


@contextmanager
def _order(raw: Raw) -> Iterator[None]:
    raw(
        "INSERT INTO erasure (organisation, id, subject_kind, subject_id, person_name, person_role, reason, ordered_at,"
        " performed_at) VALUES ('north', 'e', 'patient', 'p', 'n', 'r', 'w', :at, :at)",
        at="2026-03-01T12:00:00.000000Z",
    )
    yield


def test_long_chains_are_walked_in_batches(store: Store) -> None:
    with store.transaction("north") as tx:
        for number in range(1203):
            tx.append_audit("note", {"number": number})
    report = store.verify_audit("north")
    assert (report.sound, report.lines) == (True, 1203)
