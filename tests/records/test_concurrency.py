"""The constraint decides, not a search: sixteen threads at once, and one of them wins."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.records.errors import Duplicate, Stale, Unfinished
from app.records.inbox import InboxWriting
from app.records.rows import StoredAnswer
from app.records.store import Store, open_store
from app.records.writing import Transaction
from tests.records.conftest import Raw
from tests.records.examples import VERSION, append_whole, patient, store_whole

THREADS = 16


def at_once(work: Callable[[int], Any]) -> list[Any]:
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def post(store: Store, key: str, digest: str = "d") -> tuple[str, str | None]:
    """As a door would: claim, work, complete; or give the answer kept."""
    with store.transaction("north") as tx:
        claim = tx.claim_idempotency(key, "POST /results", digest)
        if claim.state != "new":
            return claim.state, claim.answer and claim.answer.body
        version = append_whole(tx)
        tx.complete_idempotency(key, StoredAnswer(201, '{"ETag": "1"}', version.result_id))
        return "new", version.result_id


def test_one_key_stores_once_and_answers_all_alike(store: Store) -> None:
    answers = at_once(lambda _: post(store, "key"))
    assert Counter(state for state, _ in answers) == {"new": 1, "replay": THREADS - 1}
    assert len({body for _, body in answers}) == 1
    with store.reading("north") as find:
        assert len(find.list_results().items) == 1


def test_one_key_stores_once_across_stores_as_across_processes(store_url: str, store: Store) -> None:
    stores = [open_store(store_url, pool_size=1) for _ in range(THREADS)]
    answers = at_once(lambda n: post(stores[n], "key"))
    for opened in stores:
        opened.close()
    assert Counter(state for state, _ in answers) == {"new": 1, "replay": THREADS - 1}
    report = store.verify_audit("north")
    assert (report.sound, report.lines) == (True, 1)


def test_another_body_or_path_is_a_conflict(store: Store) -> None:
    post(store, "key")
    assert post(store, "key", "another body") == ("conflict", None)
    with store.transaction("north") as tx:
        assert tx.claim_idempotency("key", "POST /elsewhere", "d").state == "conflict"
    assert post(store, "key")[0] == "replay"


def test_a_failed_request_keeps_no_key(store: Store) -> None:
    def fail() -> None:
        with store.transaction("north") as tx:
            assert tx.claim_idempotency("key", "POST /results", "d").state == "new"
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError):
        fail()
    assert post(store, "key")[0] == "new"


def test_a_key_without_an_answer_is_never_stored(store: Store) -> None:
    with pytest.raises(Unfinished), store.transaction("north") as tx:
        tx.claim_idempotency("key", "POST /results", "d")
    with pytest.raises(Unfinished), store.transaction("north") as tx:
        tx.complete_idempotency("key", StoredAnswer(201, "{}", "{}"))
    assert post(store, "key")[0] == "new"


def test_a_key_still_at_work_says_so_after_the_wait(store: Store) -> None:
    if store._is_sqlite:
        pytest.skip("writers of SQLite queue before they begin")
    with store.transaction("north") as first:
        first.claim_idempotency("key", "POST /results", "d")
        with store.transaction("north") as second:
            assert second.claim_idempotency("key", "POST /results", "d", wait_ms=50).state == "in_progress"
            append_whole(second)  # the transaction that was told so still works
        first.complete_idempotency("key", StoredAnswer(200, "{}", "{}"))
    assert post(store, "key")[0] == "replay"


def test_a_key_expires_after_its_time_and_not_before(store_url: str, store: Store, raw: Raw) -> None:
    past = open_store(store_url, clock=lambda: datetime.now(UTC) - timedelta(hours=25))
    assert post(past, "old")[0] == "new"
    assert post(store, "fresh")[0] == "new"
    assert post(store, "old")[0] == "new", "its time is over: the key is free"
    past.close()
    with store.transaction("north") as tx:
        assert tx.expire_idempotency() == 0
    assert {row[0] for row in raw("SELECT key FROM idempotency")} == {"old", "fresh"}
    assert post(store, "fresh")[0] == "replay"


def test_one_amendment_of_a_version_wins(store: Store) -> None:
    first = store_whole(store)

    def amend(_: int) -> str:
        try:
            with store.transaction("north") as tx:
                tx.append_version(first.result_id, 1, VERSION)
                tx.append_audit("amended", {})
        except Stale as stale:
            return f"stale, now {stale.current}"
        return "stored"

    assert Counter(at_once(amend)) == {"stored": 1, "stale, now 2": THREADS - 1}
    with store.reading("north") as find:
        assert [v.version.number for v in find.find_history(first.result_id)] == [1, 2]


def test_one_specimen_becomes_one_result(store: Store) -> None:
    def report(_: int) -> str:
        try:
            return store_whole(store, join_key="lab|A-1").result_id
        except Duplicate as duplicate:
            return duplicate.existing_id

    assert len(set(at_once(report))) == 1


def test_one_identifier_becomes_one_patient(store: Store, raw: Raw) -> None:
    def find(tx: Transaction) -> str:
        tx.append_audit("patient", {})
        return tx.find_or_append_patient(patient())

    def work(_: int) -> str:
        with store.transaction("north") as tx:
            return find(tx)

    assert len(set(at_once(work))) == 1
    assert len(raw("SELECT * FROM patient")) == 1, "those who lost leave no patient without identifiers"
    assert store.verify_audit("north").sound


def test_one_message_is_new_once(store: Store) -> None:
    def receive(_: int) -> tuple[str, bool]:
        with store.transaction("north") as tx:
            (received,) = InboxWriting(tx).keep([("lab", "1", b"MSH|", "x-application/hl7-v2+er7")])
            tx.append_audit("received", {})
            return received

    received = at_once(receive)
    assert len({id for id, _ in received}) == 1
    assert sum(new for _, new in received) == 1


def test_the_chain_stays_one_under_many_writers(store: Store) -> None:
    at_once(lambda n: [store_whole(store, f"p-{n}-{i}") for i in range(5)])
    report = store.verify_audit("north")
    assert (report.problems, report.lines) == ((), THREADS * 5)
