"""Lines out: an attempt belongs to one, what is due when, and the order of a result's versions at a destination."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.records.board_tables import delivery_replay
from app.records.outbox import Due, Outbox, Wanted
from app.records.rows import Outgoing
from app.records.store import Store
from app.records.writing import Transaction
from tests.records.examples import NOON, VERSION, append_whole

A, B = Wanted("a", ("topic",)), Wanted("b", ("topic",))
MINUTE = timedelta(minutes=1)


def due(store: Store, wanted: Wanted, now: datetime = NOON, organisation: str = "north") -> list[Outgoing]:
    with store.reading(organisation) as find:
        return [each.line for each in Outbox(find).due(wanted, now)]


def fact(store: Store, line: Outgoing, attempt: int, state: str, *, until: datetime | None = None) -> bool:
    with store.transaction("north") as tx:
        said = tx.append_delivery(line.id, "a", attempt, state, next_attempt_at=until)  # type: ignore[arg-type]
        tx.append_audit("sent", {})
    return said


def lines(store: Store, *topics: str) -> list[Outgoing]:
    with store.transaction("north") as tx:
        made = [tx.append_outbox(topic, "{}") for topic in topics]
        tx.append_audit("sent", {})
    return made


def test_an_attempt_belongs_to_one_and_each_destination_has_its_own(store: Store) -> None:
    first, second = lines(store, "topic", "topic")
    assert fact(store, first, 1, "started", until=NOON + MINUTE)
    assert not fact(store, first, 1, "started", until=NOON + MINUTE)
    assert due(store, A) == [second]
    assert due(store, B) == [first, second]
    assert due(store, A, organisation="south") == []


def test_what_was_begun_and_never_ended_is_due_again_with_its_attempts(store: Store) -> None:
    (line,) = lines(store, "topic")
    fact(store, line, 1, "started", until=NOON + MINUTE)
    with store.reading("north") as find:
        assert Outbox(find).due(A, NOON + 2 * MINUTE) == (Due(line, 1),)


def test_a_failed_attempt_holds_its_line_until_the_next_one_and_not_longer(store: Store) -> None:
    (line,) = lines(store, "topic")
    fact(store, line, 1, "started", until=NOON + 60 * MINUTE)
    fact(store, line, 1, "failed", until=NOON + MINUTE)
    assert due(store, A) == []
    assert due(store, A, NOON + 2 * MINUTE) == [line]


def test_delivered_and_parked_are_never_due(store: Store) -> None:
    first, second = lines(store, "topic", "topic")
    fact(store, first, 1, "delivered")
    fact(store, second, 1, "parked")
    assert due(store, A, NOON + timedelta(days=99)) == []
    assert due(store, B) == [first, second]


def replay(store: Store, line: Outgoing, number: int) -> None:
    """A person sends the line again after an attempt."""
    who = {"person_name": "A. Clerk", "person_role": "engineer", "reason": "asked for"}
    with store.transaction("north") as tx:
        told = {"outbox_id": line.id, "destination": "a", "number": number, **who, "created_at": tx.now}
        tx.append_row(delivery_replay, **told)
        tx.append_audit("replayed", {})


@pytest.mark.parametrize("state", ["delivered", "parked"])
def test_a_replay_makes_a_line_due_once_more_and_attempts_go_on(store: Store, state: str) -> None:
    (line,) = lines(store, "topic")
    fact(store, line, 1, "failed", until=NOON + 60 * MINUTE)
    fact(store, line, 2, state)
    replay(store, line, 2)
    with store.reading("north") as find:
        (found,) = Outbox(find).due(A, NOON)
        assert (found.line, found.attempts) == (line, 2)
        assert found.asked_at is not None and found.asked_at >= line.created_at
        assert Outbox(find).oldest_open(A) == line.created_at
    fact(store, line, 3, "started", until=NOON + MINUTE)
    assert due(store, A) == []
    fact(store, line, 3, "delivered")
    assert due(store, A, NOON + timedelta(days=99)) == []
    replay(store, line, 3)
    assert due(store, A) == [line]


def test_a_replay_is_of_one_line_at_one_destination(store: Store) -> None:
    first, second = lines(store, "topic", "topic")
    for each in (first, second):
        fact(store, each, 1, "delivered")
        with store.transaction("north") as tx:
            tx.append_delivery(each.id, "b", 1, "delivered")
            tx.append_audit("sent", {})
    replay(store, first, 1)
    assert due(store, A) == [first]
    assert due(store, B) == []


def test_a_replayed_version_holds_up_the_later_ones_that_are_due(store: Store) -> None:
    with store.transaction("north") as tx:
        versions(tx)
        tx.append_audit("sent", {})
    (first,) = due(store, A)
    fact(store, first, 1, "parked")
    (second,) = due(store, A)
    replay(store, first, 1)
    assert due(store, A) == [first]
    fact(store, first, 2, "delivered")
    assert due(store, A) == [second]


def test_a_destination_takes_topics_by_their_beginning(store: Store) -> None:
    final, reported, status = lines(store, "result.final", "result.reported", "status.changed")
    assert due(store, Wanted("a", ("result.",))) == [final, reported]
    assert due(store, Wanted("a", ("status.changed", "result.final"))) == [final, status]
    assert due(store, Wanted("a", ("result_",))) == []


def test_a_destination_takes_nothing_from_before_its_time(store: Store) -> None:
    (line,) = lines(store, "topic")
    assert due(store, Wanted("a", ("topic",), line.created_at)) == [line]
    assert due(store, Wanted("a", ("topic",), line.created_at + MINUTE)) == []


def versions(tx: Transaction) -> list[str]:
    """The line of each of two versions."""
    first = append_whole(tx)
    second = tx.append_version(first.result_id, 1, VERSION)
    made = [tx.append_outbox("topic", "{}", version_id=each.id) for each in (second, first)]
    return [made[1].id, made[0].id]


def test_a_later_version_waits_for_those_before_it_whatever_their_lines_ids_say(store: Store) -> None:
    with store.transaction("north") as tx:
        first, second = versions(tx)
        other = tx.append_outbox("topic", "{}").id
        tx.append_audit("sent", {})

    def ids() -> list[str]:
        return [each.id for each in due(store, A)]

    assert ids() == [first, other]
    line = next(each for each in due(store, A) if each.id == first)
    fact(store, line, 1, "started", until=NOON + MINUTE)
    assert ids() == [other]
    fact(store, line, 1, "failed", until=NOON + MINUTE)
    assert ids() == [other]
    fact(store, line, 2, "parked")
    assert ids() == [second, other]


def test_the_oldest_open_line_says_from_where_to_look(store: Store) -> None:
    first, second = lines(store, "topic"), lines(store, "topic")
    with store.reading("north") as find:
        assert Outbox(find).oldest_open(A) == first[0].created_at
    fact(store, first[0], 1, "delivered")
    with store.reading("north") as find:
        assert Outbox(find).oldest_open(A) == second[0].created_at
        assert Outbox(find).due(A, NOON, looked_from=second[0].created_at + MINUTE) == ()
    fact(store, second[0], 1, "parked")
    with store.reading("north") as find:
        assert Outbox(find).oldest_open(A) is None
