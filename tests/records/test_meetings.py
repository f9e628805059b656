"""Meetings on both databases: facts with numbers, the newest counts, and people who act at once lose nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.records.board_tables import meeting_outcome
from app.records.errors import BadCursor, BrokenReference, Busy
from app.records.meetings import MeetingFilter, Meetings, MeetingsWriting
from app.records.store import Store
from tests.records.conftest import Raw
from tests.records.examples import patient, store_whole
from tests.records.test_concurrency import THREADS, at_once

BY = {"name": "A. Chair", "role": "chair"}


def make(store: Store, day: str = "2026-12-03", organisation: str = "north") -> str:
    with store.transaction(organisation) as tx:
        meeting = MeetingsWriting(tx).append_meeting(day, "Board", **BY)
        tx.append_audit("meeting.made", {"meeting": meeting.id})
        return meeting.id


def patient_of(store: Store, value: str) -> str:
    with store.reading("north") as find:
        found = find.find_patient(*patient(value))
    assert found is not None
    return found


def place(store: Store, meeting: str, who: str, sequence: int = 1, kind: Any = "placed") -> None:
    with store.transaction("north") as tx:
        meetings = MeetingsWriting(tx)
        meetings.lock(meeting)
        meetings.append_case(meeting, who, kind, sequence, "hand", None, **BY)
        tx.append_audit("meeting.case-placed", {"meeting": meeting, "patient": who})


def decide(store: Store, meeting: str, who: str, decision: str, version: str | None = None) -> None:
    with store.transaction("north") as tx:
        meetings = MeetingsWriting(tx)
        meetings.lock(meeting)
        meetings.append_outcome(meeting, who, version, decision, "{}", **BY)
        tx.append_audit("meeting.outcome", {"meeting": meeting, "patient": who})


def listed(store: Store, meeting: str) -> list[tuple[str, int]]:
    with store.reading("north") as find:
        return [(each.patient_id, each.number) for each in Meetings(find).cases([meeting]).get(meeting, ())]


def test_the_newest_fact_of_a_patient_says_whether_and_where_it_is_on_the_list(store: Store) -> None:
    meeting = make(store)
    for value in "AB":
        store_whole(store, value)
    a, b = patient_of(store, "A"), patient_of(store, "B")
    place(store, meeting, a, 1)
    place(store, meeting, b, 2)
    assert listed(store, meeting) == [(a, 1), (b, 1)]
    place(store, meeting, a, 3)
    assert listed(store, meeting) == [(b, 1), (a, 2)]
    place(store, meeting, b, 2, "removed")
    assert listed(store, meeting) == [(a, 2)]
    place(store, meeting, b, 1)
    assert listed(store, meeting) == [(b, 3), (a, 2)]
    assert store.verify_audit("north").sound


def test_an_outcome_knows_the_version_that_was_looked_at_and_those_before_it_stay(store: Store) -> None:
    meeting, version = make(store), store_whole(store, "A", status="pending")
    a = patient_of(store, "A")
    decide(store, meeting, a, "first", version.id)
    decide(store, meeting, a, "second", version.id)
    with store.reading("north") as find:
        told = Meetings(find).outcomes([meeting])[meeting]
    assert [(each.number, each.decision) for each in told] == [(1, "first"), (2, "second")]
    assert [(each.result_id, each.version, each.status, each.final) for each in told] == [
        (version.result_id, 1, "pending", False)
    ] * 2


def test_meetings_are_listed_by_date_both_ways_page_by_page(store: Store) -> None:
    days = ["2026-12-03", "2026-11-03", "2026-12-03", "2027-01-07"]
    made = [make(store, day) for day in days]
    ordered = [made[at] for at in (1, 0, 2, 3)]
    for earliest_first in (True, False):
        found: list[str] = []
        cursor = None
        with store.reading("north") as find:
            while True:
                page = Meetings(find).list_meetings(
                    MeetingFilter(), cursor=cursor, limit=1, earliest_first=earliest_first
                )
                found += [each.id for each in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break
        assert found == (ordered if earliest_first else ordered[::-1])
    with store.reading("north") as find:
        meetings = Meetings(find)
        narrowed = meetings.list_meetings(MeetingFilter(held_from="2026-12-03", held_before="2027-01-07"))
        assert {each.id for each in narrowed.items} == {made[0], made[2]}
        cursor = meetings.list_meetings(MeetingFilter(), limit=1).next_cursor
        with pytest.raises(BadCursor):
            meetings.list_meetings(MeetingFilter(held_from="2026-01-01"), cursor=cursor)


def test_no_meeting_of_another_organisation_is_found_or_written_to(store: Store) -> None:
    meeting = make(store, organisation="south")
    store_whole(store, "A")
    a = patient_of(store, "A")
    with store.reading("north") as find:
        assert Meetings(find).find(meeting) is None
        assert Meetings(find).list_meetings(MeetingFilter()).items == ()
    with pytest.raises(BrokenReference):
        place(store, meeting, a)


def test_outcomes_recorded_at_once_are_all_kept_in_one_order(store: Store) -> None:
    meeting, version = make(store), store_whole(store, "A")
    a = patient_of(store, "A")
    at_once(lambda number: decide(store, meeting, a, f"decision {number}", version.id))
    with store.reading("north") as find:
        told = Meetings(find).outcomes([meeting])[meeting]
    assert [each.number for each in told] == list(range(1, THREADS + 1))
    assert {each.decision for each in told} == {f"decision {number}" for number in range(THREADS)}
    assert store.verify_audit("north").sound


def test_a_number_is_given_once_even_without_the_lock(store: Store, raw: Raw) -> None:
    meeting, version = make(store), store_whole(store, "A")
    a = patient_of(store, "A")

    def same_number(number: int) -> bool:
        values = {"meeting_id": meeting, "patient_id": a, "version_id": version.id, "number": 1}
        try:
            with store.transaction("north") as tx:
                tx.append_fact(
                    meeting_outcome, **values, decision=str(number), views="{}", person_name="A", person_role="B",
                    created_at=tx.now,
                )  # fmt: skip
                tx.append_audit("meeting.outcome", {"meeting": meeting})
        except Busy:
            return False
        return True

    assert sum(at_once(same_number)) == 1
    assert len(raw("SELECT * FROM meeting_outcome")) == 1
