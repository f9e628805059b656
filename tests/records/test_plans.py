"""SQLite finds by key, however many rows an organisation has: its plans rest on the statistics of the migration."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import event

from app.records.rows import Decision, Identity, ResultFilter
from app.records.store import Store
from tests.records.examples import append_whole, patient

WHOLE_ORGANISATION = re.compile(r"SCAN|\(organisation=\?\)")


@pytest.fixture
def sqlite_store(store: Store) -> Store:
    if not store._is_sqlite:
        pytest.skip("PostgreSQL measures its tables itself")
    return store


def plans_of(store: Store, statements: list[tuple[str, Any]]) -> list[str]:
    with store._reading() as connection:
        return [
            row[3]
            for statement, values in statements
            if statement.startswith(("SELECT", "INSERT"))
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]


def test_no_search_by_key_walks_an_organisation(sqlite_store: Store) -> None:
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        seen.append((statement, values[0] if many else values))

    event.listen(sqlite_store._engine, "before_cursor_execute", note)
    with sqlite_store.transaction("north") as tx:
        version = append_whole(tx, join_key="j")
        owner = tx.find_or_append_patient(patient())
        by = Decision("A. Clerk", "patient registry", "same person")
        tx.merge_patients(patient(), patient("p-2"), by)
        tx.unmerge_patients(owner, tx.find_or_append_patient(patient("p-2")), by)
        tx.merge_patients(patient(), patient("p-2"), by)
        tx.move_result(version.result_id, tx.find_or_append_patient(patient("p-2")), by)
    with sqlite_store.reading("north") as find:
        find.find_result(version.result_id)
        find.find_result_by_join_key("j")
        find.find_history(version.result_id)
        find.find_timeline(owner)
        find.find_patients([Identity("s", "v")])
        find.find_results_of(Identity("s", f"v-{at}") for at in range(20))
        find.find_results_of([*patient(), *patient("p-2"), Identity("s", "v")])
        find.open_steps_of(version.result_id)
        find.is_linked(owner)
        find.list_results(ResultFilter(accession="A-1"))
        find.list_results(ResultFilter(patient_id=owner))
    event.remove(sqlite_store._engine, "before_cursor_execute", note)
    plans = plans_of(sqlite_store, seen)
    assert any("SEARCH" in plan for plan in plans)
    walked = {plan for plan in plans if WHOLE_ORGANISATION.search(plan)}
    assert walked <= {
        "SEARCH audit USING INDEX sqlite_autoindex_audit_2 (organisation=?)",  # read backwards, one row
        "SEARCH organisation USING COVERING INDEX sqlite_autoindex_organisation_1 (organisation=?)",  # its own key
    }


def test_a_list_is_read_in_order_and_not_sorted(sqlite_store: Store) -> None:
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        seen.append((statement, values))

    event.listen(sqlite_store._engine, "before_cursor_execute", note)
    with sqlite_store.reading("north") as find:
        find.list_results()
        find.list_open_steps()
    event.remove(sqlite_store._engine, "before_cursor_execute", note)
    assert [p for p in plans_of(sqlite_store, seen) if "SCAN" in p or p == "USE TEMP B-TREE FOR ORDER BY"] == []
