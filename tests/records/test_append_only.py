"""What was appended stays: refused by the database itself, whoever asks."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, Table, create_engine
from sqlalchemy.exc import DBAPIError

from app.records import board_tables as b
from app.records import tables as t
from app.records.engine import grant_application_role
from app.records.engine import store_url as with_driver
from app.records.ids import new_id
from app.records.inbox import InboxWriting
from app.records.rows import NewAct, StoredAnswer
from app.records.store import Store, open_store
from tests.records.conftest import Raw
from tests.records.examples import NOON, append_whole, store_whole

REFUSED = "append-only"


def put(engine: Engine, table: Table, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(table.insert(), {"organisation": "north", "id": "x", **values})


@pytest.fixture
def filled(store: Store, raw_engine: Engine) -> None:
    """At least one row in every table."""
    with store.transaction("north") as tx:
        tx.claim_idempotency("key", "POST /results", "digest")
        version = append_whole(tx)
        act = tx.append_act(version.id, NewAct("sign_off", "Dr A", "pathologist", "final", NOON, "agreed"))
        tx.close_steps(version.result_id, "person", by_act_id=act.id, reason="done")
        kept = InboxWriting(tx)
        ((message_id, _),) = kept.keep([("lab", "1", b"MSH|", "x-application/hl7-v2+er7")])
        tx.append_message_state(message_id, 1, "recorded", detail="as sent", version_id=version.id)
        said = {"message_id": message_id, "number": 1, "sequence": 1, "accession": "A-1", "content": "{}"}
        kept.append_contribution({**said, "result_id": version.result_id})
        kept.append_code("lab", "", "HER2", "ihc.score", name="Dr A", role="registrar", reason="as agreed")
        line = tx.append_outbox("topic", "{}")
        tx.append_delivery(line.id, "webhook", 1, "failed", detail="503")
        tx.complete_idempotency("key", StoredAnswer(201, "{}", "{}"))
        other = tx.find_or_append_patient([])
        first = tx.find_or_append_patient([])
    who = {"person_name": "Dr A", "person_role": "registrar", "reason": "wanted"}
    subject = {"subject_kind": "patient", "subject_id": first}
    put(
        raw_engine,
        t.patient_link,
        patient_id=first,
        into_patient_id=other,
        number=1,
        kind="merge",
        created_at=NOON,
        **who,
    )
    moved = {"from_patient_id": first, "to_patient_id": other}
    put(raw_engine, t.result_move, result_id=version.result_id, number=1, created_at=NOON, **moved, **who)
    put(raw_engine, t.erasure, ordered_at=NOON, performed_at=NOON, **subject, **who)
    put(raw_engine, t.erasure_item, erasure_id="x", record_kind="none", record_id="none")
    put(raw_engine, t.retention, record_kind="inbox", number=1, days=30, created_at=NOON, **who)
    put(raw_engine, t.legal_hold, name="hold", placed_at=NOON, **subject, **who)
    put(raw_engine, t.legal_hold_release, hold_id="x", released_at=NOON, **who)
    person = {"person_name": "Dr A", "person_role": "registrar", "created_at": NOON}
    feedback = {"service": "her2", "card": "c", "kind": "status", "outcome": "accepted", "outcome_at": NOON}
    put(raw_engine, b.card_feedback, created_at=NOON, comment="seen", content="{}", **feedback)
    put(raw_engine, b.meeting, held_on="2026-12-01", title="Board", **person)
    case = {"meeting_id": "x", "patient_id": first, "number": 1, **person}
    put(raw_engine, b.meeting_case, kind="placed", sequence=1, source="hand", question="?", **case)
    put(raw_engine, b.meeting_outcome, version_id=version.id, decision="as discussed", views="[]", **case)
    put(raw_engine, b.sheet, version_id=version.id, code="AAAA-BBBB", created_at=NOON)
    put(raw_engine, b.subscription, url="https://board.test", topics="result.final", sees="nothing", **person)
    put(raw_engine, b.subscription_state, subscription_id="x", number=1, state="active", sequence=1, **person)
    put(raw_engine, b.delivery_replay, outbox_id=line.id, destination="webhook", number=1, **person)


@pytest.mark.usefixtures("filled")
def test_raw_sql_is_refused_on_every_table(raw: Raw, store_url: str) -> None:
    for table in t.metadata.tables.values():
        name, before = table.name, raw(f"SELECT * FROM {table.name}")
        assert before, f"{name} has no row to try with"
        changed = [c.name for c in table.columns]
        attempts = [f"UPDATE {name} SET {column} = {column}" for column in changed]
        attempts += [f"DELETE FROM {name}", f"DELETE FROM {name} WHERE organisation = 'north'"]
        if store_url.startswith("postgresql"):
            attempts += [f"TRUNCATE {name} CASCADE"]
        else:
            attempts += [f"INSERT OR REPLACE INTO {name} SELECT * FROM {name}"]
        for attempt in attempts:
            with pytest.raises(DBAPIError, match=REFUSED):
                raw(attempt)
        assert raw(f"SELECT * FROM {name}") == before


def test_replacing_by_another_unique_key_is_refused(store: Store, raw: Raw, store_url: str) -> None:
    if not store_url.startswith("sqlite"):
        pytest.skip("REPLACE is SQLite's")
    version = store_whole(store)
    with pytest.raises(DBAPIError, match=REFUSED):
        raw(
            "INSERT OR REPLACE INTO result_version (organisation, id, result_id, number, cause, source, created_at)"
            " VALUES ('north', 'another id', :r, 1, 'x', 'x', 'x')",
            r=version.result_id,
        )


def test_a_row_may_be_emptied_only_where_an_order_of_erasure_lists_it(store: Store, raw: Raw) -> None:
    version, other = store_whole(store), store_whole(store)
    emptied = ", ".join(f"{c.name} = NULL" for c in t.erasable_columns(t.result_version))
    erase = f"UPDATE result_version SET {emptied} WHERE id = :id"
    with pytest.raises(DBAPIError, match=REFUSED):
        raw(erase, id=version.id)
    at = "2026-03-01T12:00:00.000000Z"
    raw(
        "INSERT INTO erasure (organisation, id, subject_kind, subject_id, person_name, person_role, reason, ordered_at,"
        " performed_at) VALUES ('north', 'e', 'patient', 'p', 'n', 'r', 'w', :at, :at)",
        at=at,
    )
    raw("INSERT INTO erasure_item VALUES ('north', 'i', 'e', 'result_version', :id)", id=version.id)
    for wrong in ("document = NULL", f"{emptied}, cause = 'x'", "document = '{}'", f"{emptied}, number = 2"):
        with pytest.raises(DBAPIError, match=REFUSED):
            raw(f"UPDATE result_version SET {wrong} WHERE id = :id", id=version.id)
    with pytest.raises(DBAPIError, match=REFUSED):
        raw(erase, id=other.id)
    raw(erase, id=version.id)
    with store.reading("north") as find:
        found = find.find_result(version.result_id)
        assert found is not None
        assert found.view.version.document is None
        assert found.view.version.cause == "reported"
    report = store.verify_audit("north")
    assert (report.sound, report.erased) == (True, 1)


def test_every_table_belongs_to_an_organisation_and_so_does_every_key() -> None:
    for table in t.metadata.tables.values():
        keys = [table.primary_key, *(c for c in table.constraints if type(c).__name__ == "UniqueConstraint")]
        for key in [*keys, *table.indexes]:
            assert next(iter(key.columns)).name == "organisation", f"{table.name}: {key}"
        assert not table.c.organisation.nullable


def test_the_application_role_may_append_and_read_and_nothing_more(store: Store, store_url: str) -> None:
    if not store_url.startswith("postgresql"):
        with pytest.raises(ValueError, match="no roles"):
            grant_application_role(store_url, "herald")
        return
    role = "role_" + new_id().replace("-", "")
    admin = create_engine(with_driver(store_url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        try:
            grant_application_role(store_url, role)
            as_role = with_driver(store_url).set(username=role)
            limited = open_store(as_role)
            version = store_whole(limited)
            with limited.transaction("north") as tx:
                assert tx.claim_idempotency("k", "POST /results", "d").state == "new"
                tx.complete_idempotency("k", StoredAnswer(201, "{}", "{}"))
                assert tx.expire_idempotency() == 0
            with limited.reading("north") as find:
                assert find.find_result(version.result_id)
            limited.close()
            engine = create_engine(as_role)
            for attempt in (
                "UPDATE result SET join_key = 'x'",
                "DELETE FROM idempotency",
                "TRUNCATE audit CASCADE",
                "DROP TABLE audit CASCADE",
                "ALTER TABLE result DISABLE TRIGGER ALL",
                "CREATE TABLE mine (a int)",
                "INSERT INTO erasure_item VALUES ('north', 'i', 'e', 'result_version', 'x')",
            ):
                with pytest.raises(DBAPIError, match=r"denied|must be owner"), engine.begin() as limited_connection:
                    limited_connection.exec_driver_sql(attempt)
            engine.dispose()
        finally:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")
    admin.dispose()
