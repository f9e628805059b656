"""A list read page by page is the list; a cursor is good for that list alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.cursors import make_cursor, read_cursor
from app.records.errors import BadCursor
from app.records.ids import new_id
from app.records.queries import Reading
from app.records.rows import NewStep, ResultFilter, ResultView, Step, StepFilter
from app.records.store import Store
from tests.records.examples import NOON, append_whole, store_whole

COUNT = 23


@pytest.fixture
def filled(store: Store) -> Store:
    with store.transaction("north") as tx:
        for number in range(COUNT):
            due = NOON + timedelta(days=number // 4)  # several steps are due at the same moment
            steps = [NewStep("ish", NOON, due)]
            append_whole(tx, f"p-{number}", status="negative" if number % 3 else "positive", steps=steps)
    return store


def all_results(find: Reading, narrow: ResultFilter, limit: int) -> list[ResultView]:
    items, cursor = [], None
    while True:
        page = find.list_results(narrow, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        items += page.items
        if (cursor := page.next_cursor) is None:
            return items
        assert page.items, "a page with a next one is not empty"


def all_steps(find: Reading, limit: int) -> list[Step]:
    items, cursor = [], None
    while True:
        page = find.list_open_steps(cursor=cursor, limit=limit)
        items += page.items
        if (cursor := page.next_cursor) is None:
            return items


@pytest.mark.parametrize("limit", [1, 2, 7, COUNT - 1, COUNT, COUNT + 1])
def test_pages_join_to_the_whole_list_in_order(filled: Store, limit: int) -> None:
    with filled.reading("north") as find:
        for narrow in (ResultFilter(), ResultFilter(status="positive")):
            whole = find.list_results(narrow, limit=500).items
            assert tuple(all_results(find, narrow, limit)) == whole
            assert [r.id for r in whole] == sorted((r.id for r in whole), reverse=True)
        steps = find.list_open_steps(limit=500).items
        assert tuple(all_steps(find, limit)) == steps
        assert [(s.due_at, s.id) for s in steps] == sorted((s.due_at, s.id) for s in steps)
        assert len(steps) == COUNT


def test_a_result_that_arrives_meanwhile_moves_no_page(filled: Store) -> None:
    with filled.reading("north") as find:
        before = find.list_results(limit=500).items
        first = find.list_results(limit=10)
    store_whole(filled)
    with filled.reading("north") as find:
        rest = find.list_results(cursor=first.next_cursor, limit=500)
    assert first.items + rest.items == before


def test_limits_are_kept_within_reason(filled: Store) -> None:
    with filled.reading("north") as find:
        assert len(find.list_results(limit=0).items) == 1
        assert len(find.list_results(limit=10_000).items) == COUNT


def test_a_cursor_is_for_its_own_list_and_filters(filled: Store) -> None:
    with filled.reading("north") as find:
        cursor = find.list_results(ResultFilter(status="negative"), limit=2).next_cursor
        steps = find.list_open_steps(limit=2).next_cursor
        for narrow in (None, ResultFilter(status="positive"), ResultFilter(status="negative", final=True)):
            with pytest.raises(BadCursor):
                find.list_results(narrow, cursor=cursor)
        with pytest.raises(BadCursor):
            find.list_results(cursor=steps)
        with pytest.raises(BadCursor):
            find.list_open_steps(StepFilter(who="x"), cursor=steps)


@given(st.text())
def test_no_text_is_a_cursor_by_chance(text: str) -> None:
    with pytest.raises(BadCursor):
        read_cursor("north", "results", text, 1)


@given(st.text(), st.text(), st.lists(st.text(), min_size=1, max_size=3), st.data())
def test_cursors_go_round_and_one_changed_sign_is_seen(
    organisation: str, of: str, keys: list[str], data: st.DataObject
) -> None:
    cursor = make_cursor(organisation, of, tuple(keys))
    assert read_cursor(organisation, of, cursor, len(keys)) == tuple(keys)
    with pytest.raises(BadCursor):
        read_cursor(organisation + "x", of, cursor, len(keys))
    with pytest.raises(BadCursor):
        read_cursor(organisation, of, cursor, len(keys) + 1)
    place = data.draw(st.integers(0, len(cursor) - 2))  # the last sign may hold bits that mean nothing
    with pytest.raises(BadCursor):
        read_cursor(
            organisation, of, cursor[:place] + "-" * (1 + (cursor[place] == "-")) + cursor[place + 1 :], len(keys)
        )


def test_ids_sort_by_time_and_never_meet() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(set(ids))
    assert {(len(id), id[14], id[19] in "89ab") for id in ids} == {(36, "7", True)}
