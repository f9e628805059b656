"""Patients are merged and taken apart again, results move: appended facts, each reversible, nothing lost."""

from __future__ import annotations

import itertools
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.records.errors import IdentityConflict, LinkConflict, NotFound
from app.records.rows import Decision, Identity, Link, Move, ResultFilter, Timeline
from app.records.store import Store, open_store
from app.records.writing import Transaction
from tests.records.conftest import Raw
from tests.records.examples import append_whole, patient, store_whole
from tests.records.test_concurrency import THREADS, at_once

BY = Decision("A. Clerk", "patient registry", "same person")


def merge(store: Store, given_up: str, into: str, organisation: str = "north") -> tuple[Link, ...]:
    """Merge by single identifiers."""
    with store.transaction(organisation) as tx:
        links = tx.merge_patients(patient(into), patient(given_up), BY)
        tx.append_audit("patient.merged", {})
        return links


def unmerge(store: Store, given_up: str, into: str, organisation: str = "north") -> Link | None:
    with store.transaction(organisation) as tx:
        link = tx.unmerge_patients(row_of(tx, into), row_of(tx, given_up), BY)
        tx.append_audit("patient.unmerged", {})
        return link


def move(store: Store, result_id: str, to: str, organisation: str = "north") -> Move | None:
    with store.transaction(organisation) as tx:
        moved = tx.move_result(result_id, tx.find_or_append_patient(patient(to)), BY)
        tx.append_audit("result.moved", {})
        return moved


def row_of(tx: Transaction, value: str) -> str:
    return tx.find_or_append_patient(patient(value))


def timeline(store: Store, value: str, organisation: str = "north") -> Timeline:
    """The timeline that asking for an identifier leads to."""
    with store.reading(organisation) as find:
        row = find.find_patient(*patient(value))
        assert row is not None
        told = find.find_timeline(row)
    assert told is not None
    return told


def results(store: Store, value: str, organisation: str = "north") -> set[str]:
    return {each.id for each in timeline(store, value, organisation).results}


# ---- merge and unmerge


def test_a_merged_patient_leads_to_the_survivor_who_shows_the_results_of_both(store: Store) -> None:
    a, b = (store_whole(store, value).result_id for value in ("A", "B"))
    (link,) = merge(store, "A", "B")
    told, asked = timeline(store, "B"), timeline(store, "A")
    assert {each.id for each in told.results} == {a, b}
    assert {each.id: each.patient_id for each in told.results} == {a: link.patient_id, b: link.into_patient_id}
    assert (asked.patient_id, asked.asked_id) == (link.into_patient_id, link.patient_id)
    assert asked.results == told.results
    assert asked.patient_ids == (link.into_patient_id, link.patient_id)
    assert told.links == (link,)
    assert (link.kind, link.number, link.person_name, link.person_role, link.reason) == ("merge", 1, *_who())
    assert set(told.identities) == {*patient("A"), *patient("B")}
    with store.reading("north") as find:
        assert find.find_patients([*patient("A"), *patient("B")]) == (link.into_patient_id,)
        for each in (link.patient_id, link.into_patient_id):
            listed = find.list_results(ResultFilter(patient_id=each)).items
            assert {result.id for result in listed} == {a, b}


def _who() -> tuple[str, str, str]:
    return BY.person_name, BY.person_role, BY.reason


def test_after_an_unmerge_everything_is_as_before_and_both_timelines_say_so(store: Store) -> None:
    for value in ("A", "B"):
        store_whole(store, value)
    before = [timeline(store, value) for value in ("A", "B")]
    merge(store, "A", "B")
    assert unmerge(store, "A", "B") is not None
    for old, new in zip(before, (timeline(store, value) for value in ("A", "B")), strict=True):
        assert (new.patient_id, new.asked_id, new.patient_ids) == (old.patient_id, old.asked_id, old.patient_ids)
        assert (new.results, new.identities) == (old.results, old.identities)
        assert [(link.kind, link.number) for link in new.links] == [("merge", 1), ("unmerge", 2)]


def test_the_same_merge_or_unmerge_twice_changes_nothing_more(store: Store, raw: Raw) -> None:
    store_whole(store, "A")
    store_whole(store, "B")
    assert unmerge(store, "A", "B") is None, "not merged yet"
    assert len(merge(store, "A", "B")) == 1
    assert merge(store, "A", "B") == ()
    assert unmerge(store, "A", "B") is not None
    assert unmerge(store, "A", "B") is None
    (again,) = merge(store, "A", "B")
    assert again.number == 3
    assert len(raw("SELECT * FROM patient_link")) == 3
    assert store.verify_audit("north").sound


def test_a_chain_leads_to_its_end_and_breaks_where_it_is_taken_apart(store: Store) -> None:
    a, b, c = (store_whole(store, value).result_id for value in "ABC")
    merge(store, "A", "B")
    merge(store, "B", "C")
    assert {value: results(store, value) for value in "ABC"} == {value: {a, b, c} for value in "ABC"}
    assert timeline(store, "A").patient_id == timeline(store, "C").patient_id
    assert merge(store, "A", "C") == (), "they stand together already"
    unmerge(store, "B", "C")
    assert (results(store, "A"), results(store, "B"), results(store, "C")) == ({a, b}, {a, b}, {c})


def test_nobody_is_merged_into_one_who_was_merged_into_him(store: Store) -> None:
    for value in "ABC":
        store_whole(store, value)
    merge(store, "A", "B")
    merge(store, "B", "C")
    for given_up, into in (("B", "A"), ("C", "A"), ("C", "B")):
        with pytest.raises(LinkConflict):
            merge(store, given_up, into)
    assert merge(store, "A", "A") == ()


def test_a_patient_merged_already_is_not_merged_elsewhere_before_that_is_taken_back(store: Store) -> None:
    for value in "ABC":
        store_whole(store, value)
    merge(store, "A", "B")
    for into in ("C", "nobody yet"):
        with pytest.raises(LinkConflict):
            merge(store, "A", into)
    with store.reading("north") as find:
        assert find.find_patient(*patient("nobody yet")) is None, "a refused merge leaves nothing"
    unmerge(store, "A", "B")
    assert len(merge(store, "A", "C")) == 1


def test_an_unmerge_that_is_not_of_this_merge_is_refused(store: Store) -> None:
    for value in "ABC":
        store_whole(store, value)
    merge(store, "A", "B")
    merge(store, "B", "C")
    for given_up, into in (("A", "C"), ("B", "A")):
        with pytest.raises(LinkConflict):
            unmerge(store, given_up, into)
    with store.transaction("north") as tx:
        tx.find_or_append_patient([*patient("A"), *patient("A2")])
        tx.append_audit("patient", {})
    with pytest.raises(LinkConflict):
        unmerge(store, "A", "A2")


def test_what_comes_under_a_merged_identifier_goes_with_it_when_the_merge_is_taken_back(store: Store) -> None:
    a, b = (store_whole(store, value).result_id for value in ("A", "B"))
    merge(store, "A", "B")
    late = store_whole(store, "A").result_id
    assert results(store, "B") == {a, b, late}
    unmerge(store, "A", "B")
    assert (results(store, "A"), results(store, "B")) == ({a, late}, {b})


def test_identifiers_of_patients_merged_into_one_are_no_conflict(store: Store) -> None:
    for value in "ABC":
        store_whole(store, value)
    both = [*patient("A"), *patient("B")]
    with pytest.raises(IdentityConflict), store.transaction("north") as tx:
        tx.find_or_append_patient(both)
    merge(store, "A", "C")
    merge(store, "B", "C")
    with store.transaction("north") as tx:
        assert tx.find_or_append_patient(both) == row_of(tx, "C")
        assert tx.find_or_append_patient([*both, *patient("new")]) == row_of(tx, "C") == row_of(tx, "new")
        tx.append_audit("patient", {})
    unmerge(store, "B", "C")
    with pytest.raises(IdentityConflict), store.transaction("north") as tx:
        tx.find_or_append_patient(both)


@pytest.mark.parametrize("known", [(), ("A",), ("B",), ("A", "B")])
def test_a_merge_may_come_before_any_result(store: Store, known: tuple[str, ...]) -> None:
    came = {store_whole(store, value).result_id for value in known}
    assert len(merge(store, "A", "B")) == 1
    assert merge(store, "A", "B") == ()
    came |= {store_whole(store, value).result_id for value in ("A", "B")}
    assert results(store, "A") == results(store, "B") == came


def _identities(*values: str) -> list[Identity]:
    return [identity for value in values for identity in patient(value)]


def test_several_identifiers_given_up_are_all_merged_and_keep_together(store: Store) -> None:
    came = {value: store_whole(store, value).result_id for value in ("A", "B", "C")}
    with store.transaction("north") as tx:
        links = tx.merge_patients(_identities("C", "C2"), _identities("A", "A2"), BY)
        assert row_of(tx, "A2") == row_of(tx, "A"), "an identifier that nobody has goes to the patient given up"
        assert row_of(tx, "C2") == row_of(tx, "C")
        assert len(links) == 1
        more = tx.merge_patients(_identities("C"), _identities("A", "B", "new"), BY)
        assert {link.patient_id for link in more} == {row_of(tx, "B"), row_of(tx, "new")}
        assert len({row_of(tx, value) for value in ("A", "B", "C", "new")}) == 4
        tx.append_audit("patient.merged", {})
    assert results(store, "new") == set(came.values())
    assert store.verify_audit("north").sound


def test_a_patient_given_up_brings_those_merged_into_it(store: Store) -> None:
    came = {value: store_whole(store, value).result_id for value in ("A", "B", "C")}
    merge(store, "A", "B")
    with store.transaction("north") as tx:
        (link,) = tx.merge_patients(_identities("C"), _identities("A", "B"), BY)
        assert link.patient_id == row_of(tx, "B")
        tx.append_audit("patient.merged", {})
    assert results(store, "A") == set(came.values())


def test_an_identifier_on_both_sides_is_given_up(store: Store) -> None:
    store_whole(store, "old")
    store_whole(store, "new")
    with store.transaction("north") as tx:
        (link,) = tx.merge_patients(_identities("new", "old"), _identities("old"), BY)
        assert (link.patient_id, link.into_patient_id) == (row_of(tx, "old"), row_of(tx, "new"))
        for into, given_up in (((), ("old",)), (("new",), ()), (("new",), ("new",)), (("other",), ("other",))):
            assert tx.merge_patients(_identities(*into), _identities(*given_up), BY) == ()
        tx.append_audit("patient.merged", {})


def test_a_merge_into_identifiers_of_different_patients_is_refused(store: Store) -> None:
    for value in "ABC":
        store_whole(store, value)
    with pytest.raises(IdentityConflict), store.transaction("north") as tx:
        tx.merge_patients(_identities("A", "B"), _identities("C"), BY)


def test_links_stay_in_their_organisation(store: Store) -> None:
    for organisation in ("north", "south"):
        for value in ("A", "B"):
            store_whole(store, value, organisation)
    merge(store, "A", "B")
    assert len(results(store, "A", "south")) == 1
    assert timeline(store, "A", "south").links == ()


# ---- moves


def test_a_result_moves_and_moving_it_back_takes_that_back(store: Store) -> None:
    a, b = (store_whole(store, value).result_id for value in ("A", "B"))
    there = move(store, a, "B")
    assert there is not None
    assert (there.number, there.person_name, there.person_role, there.reason) == (1, *_who())
    assert (results(store, "A"), results(store, "B")) == (set(), {a, b})
    assert move(store, a, "B") is None
    back = move(store, a, "A")
    assert back is not None
    assert (results(store, "A"), results(store, "B")) == ({a}, {b})
    assert timeline(store, "A").moves == timeline(store, "B").moves == (there, back)
    with store.reading("north") as find:
        found = find.find_result(a)
    assert found is not None
    assert found.view.patient_id == there.from_patient_id
    with pytest.raises(NotFound):
        move(store, "no such result", "A")


def test_a_move_inside_a_merge_holds_when_the_merge_is_taken_back(store: Store) -> None:
    a, b = (store_whole(store, value).result_id for value in ("A", "B"))
    merge(store, "A", "B")
    assert move(store, a, "B") is not None
    assert results(store, "A") == results(store, "B") == {a, b}
    unmerge(store, "A", "B")
    assert (results(store, "A"), results(store, "B")) == (set(), {a, b})


# ---- at once


def test_one_merge_of_many_at_once_is_one_row(store: Store, raw: Raw) -> None:
    store_whole(store, "A")
    store_whole(store, "B")
    assert Counter(len(links) for links in at_once(lambda _: merge(store, "A", "B"))) == {1: 1, 0: THREADS - 1}
    assert len(raw("SELECT * FROM patient_link")) == 1
    assert store.verify_audit("north").sound


def test_one_merge_of_unknown_patients_at_once_makes_two_patients(store: Store, raw: Raw) -> None:
    at_once(lambda _: merge(store, "A", "B"))
    assert (len(raw("SELECT * FROM patient")), len(raw("SELECT * FROM patient_link"))) == (2, 1)


def test_merges_in_opposite_directions_at_once_make_no_circle(store: Store, raw: Raw) -> None:
    values = "ABC"
    for value in values:
        store_whole(store, value)

    def work(number: int) -> None:
        try:
            merge(store, values[number % 3], values[(number + 1) % 3])
        except LinkConflict:
            return

    at_once(work)
    assert len(raw("SELECT * FROM patient_link")) == 2
    assert len({timeline(store, value).patient_id for value in values}) == 1
    assert all(len(results(store, value)) == 3 for value in values)


def test_merges_and_unmerges_at_once_come_one_after_the_other(store: Store, raw: Raw) -> None:
    store_whole(store, "A")
    store_whole(store, "B")
    at_once(lambda number: merge(store, "A", "B") if number % 2 else unmerge(store, "A", "B"))
    links = raw("SELECT number, kind FROM patient_link ORDER BY number")
    assert [tuple(each) for each in links] == [
        (place, "merge" if place % 2 else "unmerge") for place in range(1, len(links) + 1)
    ]
    assert len(links) >= 1
    assert store.verify_audit("north").sound


def test_results_that_arrive_while_their_patient_is_merged_all_stand_with_the_survivor(store: Store) -> None:
    store_whole(store, "A")
    store_whole(store, "B")

    def work(number: int) -> str | None:
        if number == 0:
            merge(store, "A", "B")
            return None
        return store_whole(store, "A" if number % 2 else "B").result_id

    came = {result_id for result_id in at_once(work) if result_id}
    assert came <= results(store, "B")
    assert len(results(store, "A")) == THREADS + 1


def test_one_move_of_many_at_once_is_one_row_and_none_is_lost(store: Store, raw: Raw) -> None:
    a = store_whole(store, "A").result_id
    moved = at_once(lambda _: move(store, a, "B"))
    assert sum(each is not None for each in moved) == 1
    at_once(lambda number: move(store, a, "ABCD"[number % 4]))
    rows = [
        tuple(each) for each in raw("SELECT number, from_patient_id, to_patient_id FROM result_move ORDER BY number")
    ]
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert all(before[2] == after[1] for before, after in itertools.pairwise(rows)), "each goes on from where it stood"
    assert sum(len(timeline(store, value).results) for value in "ABCD") == 1
    assert store.verify_audit("north").sound


# ---- any sequence

VALUES = "ABCD"
VALUE = st.sampled_from(VALUES)
STEP = st.one_of(
    st.tuples(st.just("merge"), VALUE, VALUE),
    st.tuples(st.just("unmerge"), VALUE, VALUE),
    st.tuples(st.just("move"), VALUE, VALUE),
)


@pytest.fixture
def one_store(tmp_path: Path, sqlite_template: Path) -> Iterator[Store]:
    path = tmp_path / "herald.sqlite3"
    shutil.copyfile(sqlite_template, path)
    store = open_store(f"sqlite:///{path}")
    yield store
    store.close()


def _standing(store: Store, organisation: str) -> dict[str, tuple[str, frozenset[str]]]:
    told = {value: timeline(store, value, organisation) for value in VALUES}
    return {value: (each.patient_id, frozenset(r.id for r in each.results)) for value, each in told.items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=12))
def test_whatever_is_merged_taken_apart_and_moved(one_store: Store, steps: list[tuple[str, str, str]]) -> None:
    """Beside a plain model: who stands below whom, and where each result was put."""
    store, organisation = one_store, uuid.uuid4().hex
    store.append_organisation(organisation)
    with store.transaction(organisation) as tx:
        result = {value: append_whole(tx, value).result_id for value in VALUES}
        row = {value: row_of(tx, value) for value in VALUES}
    below: dict[str, str] = {}
    place = {value: value for value in VALUES}

    def survivor(value: str) -> str:
        while value in below:
            value = below[value]
        return value

    for kind, one, other in steps:
        together = survivor(one) == survivor(other)
        if kind == "move":
            moved = move(store, result[one], other, organisation)
            assert (moved is None) == (place[one] == other)
            place[one] = other
        elif kind == "merge":
            before = _standing(store, organisation)
            try:
                links = merge(store, one, other, organisation)
            except LinkConflict:
                assert one in below or together, "only those merged otherwise are refused"
                assert _standing(store, organisation) == before
                continue
            assert bool(links) == (not together)
            if links:
                below[one] = other
                unmerge(store, one, other, organisation)
                assert _standing(store, organisation) == before, "an unmerge restores exactly"
                merge(store, one, other, organisation)
        else:
            try:
                link = unmerge(store, one, other, organisation)
            except LinkConflict:
                assert together
                assert below.get(one) != other
                continue
            assert (link is not None) == (below.get(one) == other)
            if link:
                del below[one]
    told = _standing(store, organisation)
    for value in VALUES:
        assert told[value][0] == row[survivor(value)]
        wanted = {result[each] for each in VALUES if survivor(place[each]) == survivor(value)}
        assert told[value][1] == wanted
    timelines = dict(told.values())
    assert sorted(id for ids in timelines.values() for id in ids) == sorted(result.values()), "with exactly one patient"
    assert store.verify_audit(organisation).sound
