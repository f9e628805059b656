"""Two organisations with equal keys never meet."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from app.records.errors import BadCursor, BrokenReference, NotFound, UnknownOrganisation
from app.records.inbox import InboxWriting
from app.records.rows import Identity, NewAct, StoredAnswer
from app.records.store import Store
from tests.records.conftest import Raw
from tests.records.examples import ANSWER, NOON, VERSION, append_whole, patient, store_whole


def test_equal_keys_live_side_by_side(store: Store) -> None:
    versions = {}
    for organisation in ("north", "south"):
        with store.transaction(organisation) as tx:
            assert tx.claim_idempotency("same key", "POST /results", "same").state == "new"
            versions[organisation] = append_whole(tx, "same patient", join_key="same specimen")
            assert InboxWriting(tx).keep([("same sender", "1", b"same", "text/plain")])[0][1]
            tx.complete_idempotency("same key", StoredAnswer(201, "{}", organisation))
    for organisation in ("north", "south"):
        with store.transaction(organisation) as tx:
            claim = tx.claim_idempotency("same key", "POST /results", "same")
            assert claim.answer is not None
            assert claim.answer.body == organisation
            assert [r.id for r in tx.list_results().items] == [versions[organisation].result_id]
            assert [s.result_id for s in tx.list_open_steps().items] == [versions[organisation].result_id]
        report = store.verify_audit(organisation)
        assert (report.sound, report.lines) == (True, 1)


def test_nothing_of_another_organisation_is_found_or_added_to(store: Store) -> None:
    version = store_whole(store, organisation="north", join_key="j")
    with store.reading("north") as find:
        detail = find.find_result(version.result_id)
        assert detail is not None
    with store.transaction("south") as tx:
        assert tx.find_result(version.result_id) is None
        assert tx.find_history(version.result_id) == ()
        assert tx.find_result_by_join_key("j") is None
        assert tx.find_timeline(detail.view.patient_id) is None
        assert tx.find_patients([Identity("urn:hospital", "p-1")]) == ()
        assert tx.open_steps_of(version.result_id) == ()
        assert tx.list_results().items == ()
        with pytest.raises(NotFound):
            tx.append_version(version.result_id, 1, VERSION)
    with pytest.raises(BrokenReference), store.transaction("south") as tx:
        tx.append_act(version.id, NewAct("sign_off", "Dr A", "pathologist", "m", NOON))
    with pytest.raises(BrokenReference), store.transaction("south") as tx:
        tx.append_result(detail.view.patient_id, VERSION)
    with pytest.raises(BrokenReference), store.transaction("south") as tx:
        tx.append_classification(version.id, ANSWER)


def test_the_database_itself_refuses_a_reference_across(store: Store, raw: Raw) -> None:
    with store.transaction("north") as tx:
        patient_id = tx.find_or_append_patient(patient())
        tx.append_audit("patient", {})
    insert = "INSERT INTO result (organisation, id, patient_id, created_at) VALUES (:o, 'r', :p, :at)"
    values = {"p": patient_id, "at": "2026-03-01T12:00:00.000000Z"}
    if store._is_sqlite:
        with pytest.raises(BrokenReference), store._writing() as connection:
            connection.exec_driver_sql(insert.replace(":o", "'south'"), values)
        return
    with pytest.raises(DBAPIError, match="foreign key"):
        raw(insert, o="south", **values)
    raw(insert, o="north", **values)


def test_a_cursor_of_another_organisation_is_refused(store: Store) -> None:
    for organisation in ("north", "south"):
        for _ in range(3):
            store_whole(store, organisation=organisation)
    with store.reading("north") as find:
        results, steps = find.list_results(limit=1).next_cursor, find.list_open_steps(limit=1).next_cursor
    with store.reading("south") as find:
        with pytest.raises(BadCursor):
            find.list_results(cursor=results)
        with pytest.raises(BadCursor):
            find.list_open_steps(cursor=steps)


def test_an_unknown_organisation_is_refused(store: Store) -> None:
    with pytest.raises(UnknownOrganisation), store.transaction("west"):
        pass
    with pytest.raises(UnknownOrganisation), store.reading("west"):
        pass
    with pytest.raises(UnknownOrganisation):
        store.verify_audit("west")
    store.append_organisation("west")
    store.append_organisation("west")
    store_whole(store, organisation="west")
