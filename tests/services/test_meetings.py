"""Meetings on both databases: who is put on a list and in which order, what was decided, and what has changed since."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.records.audit import COVERED
from app.records.store import open_store
from app.services import acts, identity, meetings, outcomes
from app.services.errors import Refusal
from app.services.process import open_context
from app.services.reporting import Context, Key, report

BY = {"name": "A. Chair", "role": "chair"}
WHO = {**BY, "reason": "same person"}
WAITING: dict[str, Any] = {"ihc": "2+"}
POSITIVE: dict[str, Any] = {"ihc": "3+", "context": {"er": "positive", "setting": "metastatic"}}
RECOUNT = {"ihc": "2+", "ish": {"assay": "dual_probe", "ratio": "1.8", "her2_copies": "4.5", "cells": 40}}
THREADS = 12
_numbers = itertools.count(1)


@pytest.fixture
def context(store_url: str) -> Iterator[Context]:
    opened = open_context(store_url, "north", migrate_first=False)
    yield opened
    assert opened.store.verify_audit("north").sound
    opened.store.close()


def stored(context: Context, case: dict[str, Any], patient: str | None = None, **specimen: Any) -> dict[str, Any]:
    """A result; of another patient each time where none is named."""
    body = {**case, "patient": patient or f"P-{next(_numbers)}", "laboratory": "North"}
    if specimen:
        body["specimen"] = specimen
    return report(context, body, None).body


def board(context: Context, *results: dict[str, Any]) -> str:
    """A meeting with these results' patients on its list."""
    made = meetings.make_meeting(context, {**BY, "held_on": "2026-12-03", "title": "Breast board"}, None)
    for each in results:
        meetings.place_case(context, made.body["id"], {**BY, "result_id": each["id"]}, None)
    return str(made.body["id"])


def listed(context: Context, meeting: str) -> list[str]:
    return [each["patient_id"] for each in meetings.find_meeting(context, meeting)["cases"]]


def outcome(result: dict[str, Any], **parts: Any) -> dict[str, Any]:
    looked_at = {"result_id": result["id"], "version": result["version"]}
    return {**BY, "decision": "as the board sees it", **looked_at, **parts}


def at_once(work: Callable[[int], Any]) -> list[Any]:
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        barrier.wait()
        while True:
            try:
                return work(number)
            except Refusal as refused:
                if refused.kind != "busy":
                    return refused

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


# ---- the list


def test_a_case_is_placed_by_patient_pseudonym_result_and_accession_and_never_twice(context: Context) -> None:
    result = stored(context, WAITING, "P-one", accession="S26-1")
    meeting = board(context)
    ways = [
        {"patient": result["patient_id"]},
        {"patient": "P-one"},
        {"patient": {"value": "P-one"}},
        {"result_id": result["id"]},
        {"accession": "S26-1"},
    ]
    told = [meetings.place_case(context, meeting, {**BY, **way}, None).body for way in ways]
    assert [each["changed"] for each in told] == [True, False, False, False, False]
    assert told[1]["already"] == [{"patient_id": result["patient_id"], "position": 1}]
    assert listed(context, meeting) == [result["patient_id"]]


def test_an_accession_of_two_patients_is_refused_and_not_the_first_taken(context: Context) -> None:
    for patient in ("P-a", "P-b"):
        stored(context, WAITING, patient, accession="S26-7")
    meeting = board(context)
    with pytest.raises(Refusal) as refused:
        meetings.place_case(context, meeting, {**BY, "accession": "S26-7"}, None)
    assert (refused.value.kind, refused.value.problems[0].code) == ("conflict", "AMBIGUOUS")
    assert listed(context, meeting) == []


@pytest.mark.parametrize("way", [{"patient": "secret"}, {"result_id": "secret"}, {"accession": "secret"}])
def test_who_is_not_known_is_not_placed(context: Context, way: dict[str, str]) -> None:
    meeting = board(context)
    with pytest.raises(Refusal) as refused:
        meetings.place_case(context, meeting, {**BY, **way}, None)
    assert refused.value.kind == "not_found"
    assert "secret" not in refused.value.detail + str(refused.value.problems)


def test_open_steps_fill_a_list_first_due_first_and_double_nobody(context: Context) -> None:
    later = stored(context, WAITING)
    first = stored(Context(context.store, "north", step_due_days=1), WAITING)
    pathologist = stored(context, {"ihc": "1+", "ish": {"assay": "dual_probe", "ratio": "2.5", "her2_copies": "6.5"}})
    stored(context, POSITIVE)
    meeting = board(context, later)
    wanted = {**BY, "open_steps": {"who": "laboratory"}}
    told = meetings.place_case(context, meeting, wanted, None).body
    assert [each["patient_id"] for each in told["placed"]] == [first["patient_id"]]
    assert [each["patient_id"] for each in told["already"]] == [later["patient_id"]]
    meetings.place_case(context, meeting, {**BY, "open_steps": {"who": "pathologist"}}, None)
    assert listed(context, meeting) == [later["patient_id"], first["patient_id"], pathologist["patient_id"]]
    overdue = meetings.place_case(context, meeting, {**BY, "open_steps": {"overdue": True}}, None).body
    assert (overdue["changed"], overdue["already"]) == (False, []), "nothing is overdue yet"


def test_only_overdue_steps_are_taken_where_that_is_asked(context: Context) -> None:
    late = stored(Context(context.store, "north", step_due_days=-1), WAITING)
    stored(context, WAITING)
    meeting = board(context)
    meetings.place_case(context, meeting, {**BY, "open_steps": {"overdue": True}}, None)
    assert listed(context, meeting) == [late["patient_id"]]


def test_a_fhir_list_is_placed_in_its_order_and_each_unknown_entry_is_told(context: Context) -> None:
    by_system = {"system": "urn:hospital", "value": "17"}
    one = stored(context, WAITING, "P-one")
    two = report(context, {**WAITING, "patient": by_system}, None).body
    three = report(context, {**WAITING, "patient": {"system": "urn:fhir:EHR", "value": "Patient/3"}}, None).body
    four = stored(context, WAITING)
    pseudonym = {"system": "urn:herald:pseudonym", "value": "P-one"}
    document = {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "contained": [{"resourceType": "Patient", "id": "p", "identifier": [pseudonym]}],
        "entry": [
            {"item": {"reference": "Patient/3"}},
            {"item": {"identifier": {"system": "urn:hospital", "value": "secret-99"}}},
            {"item": {"identifier": by_system}},
            {"item": {"reference": "#p"}},
            {"item": {"identifier": by_system, "display": "again"}},
            {"item": {"display": "Jane Secret"}},
            {"item": {"reference": f"Patient/{four['patient_id']}"}},
            {"item": {"reference": "Practitioner/1"}},
            {"deleted": True, "item": {"identifier": by_system}},
            {"item": {"reference": "#p", "identifier": by_system}},
        ],
    }
    meeting = board(context)
    told = meetings.place_list(context, meeting, document, None, sender="EHR", **BY).body
    wanted = [each["patient_id"] for each in (three, two, one, four)]
    assert [each["patient_id"] for each in told["placed"]] == wanted == listed(context, meeting)
    assert [(each["field"], each["code"]) for each in told["unknown"]] == [
        ("List.entry[1].item", "UNKNOWN_VALUE"),
        ("List.entry[5].item", "MISSING_FIELD"),
        ("List.entry[7].item", "UNSUPPORTED"),
        ("List.entry[8].deleted", "UNSUPPORTED"),
        ("List.entry[9].item", "PATIENT_DIFFERS"),
    ]
    assert "secret" not in str(told).lower()


def test_a_list_of_another_kind_or_without_a_person_is_refused(context: Context) -> None:
    meeting = board(context)
    entry = [{"item": {"identifier": {"system": "urn:hospital", "value": "1"}}}]
    for document in ({"resourceType": "Bundle"}, {"resourceType": "List"}, {"resourceType": "List", "entry": entry}):
        with pytest.raises(Refusal) as refused:
            meetings.place_list(context, meeting, document, None)
        assert refused.value.kind == "invalid"
    named = {"resourceType": "List", "entry": entry, "source": {"display": "Ward office"}}
    assert meetings.place_list(context, meeting, named, None).body["changed"] is False


def test_a_list_is_ordered_by_moves_and_its_ends_hold(context: Context) -> None:
    results = [stored(context, WAITING) for _ in range(3)]
    a, b, c = (each["patient_id"] for each in results)
    meeting = board(context, *results)
    for patient, direction, changed, order in (
        (c, "up", True, [a, c, b]),
        (c, "up", True, [c, a, b]),
        (c, "up", False, [c, a, b]),
        (b, "down", False, [c, a, b]),
        (a, "down", True, [c, b, a]),
    ):
        told = meetings.move_case(context, meeting, patient, {**BY, "direction": direction}, None).body
        assert told["changed"] is changed
        assert listed(context, meeting) == order
        assert told["position"] == order.index(patient) + 1


def test_a_removed_case_can_be_placed_again_and_one_with_an_outcome_stays(context: Context) -> None:
    result = stored(context, POSITIVE)
    patient = result["patient_id"]
    meeting = board(context, result)
    meetings.remove_case(context, meeting, patient, dict(BY), None)
    assert listed(context, meeting) == []
    with pytest.raises(Refusal) as refused:
        meetings.remove_case(context, meeting, patient, dict(BY), None)
    assert refused.value.kind == "not_found"
    meetings.place_case(context, meeting, {**BY, "patient": patient}, None)
    outcomes.record_outcome(context, meeting, patient, outcome(result), None)
    with pytest.raises(Refusal) as refused:
        meetings.remove_case(context, meeting, patient, dict(BY), None)
    assert refused.value.kind == "conflict"
    assert listed(context, meeting) == [patient]


def test_a_later_question_becomes_the_question_of_the_case(context: Context) -> None:
    result = stored(context, WAITING)
    meeting = board(context, result)
    body = {**BY, "result_id": result["id"], "question": "First line?\nOr wait?"}
    assert meetings.place_case(context, meeting, body, None).body["changed"] is True
    assert meetings.place_case(context, meeting, body, None).body["changed"] is False
    (case,) = meetings.find_meeting(context, meeting)["cases"]
    assert case["question"] == "First line?\nOr wait?"


def test_patients_merged_since_are_one_case_under_either_id(context: Context) -> None:
    old, new = stored(context, WAITING, "P-old"), stored(context, POSITIVE, "P-new")
    meeting = board(context, old, new)
    identity.merge(context, {"into": "P-new", "given_up": "P-old", **WHO}, None)
    assert listed(context, meeting) == [new["patient_id"]]
    told = outcomes.record_outcome(context, meeting, old["patient_id"], outcome(new), None).body
    assert told["patient_id"] == new["patient_id"]
    (case,) = meetings.find_meeting(context, meeting)["cases"]
    assert [each["id"] for each in case["results"]] == [old["id"], new["id"]]
    assert [each["number"] for each in case["outcomes"]] == [1]
    assert meetings.place_case(context, meeting, {**BY, "patient": "P-old"}, None).body["changed"] is False
    (found,) = meetings.meetings_of(context, old["patient_id"])
    assert (found["id"], found["case"]["patient_id"]) == (meeting, new["patient_id"])


@pytest.mark.parametrize("direction", ["up", "down"])
def test_cases_moved_together_and_then_unmerged_can_be_moved_past_each_other(context: Context, direction: str) -> None:
    old, new, other = stored(context, WAITING, "P-old"), stored(context, POSITIVE, "P-new"), stored(context, WAITING)
    meeting = board(context, old, new, other)
    told = {"into": "P-new", "given_up": "P-old", **WHO}
    identity.merge(context, told, None)
    meetings.move_case(context, meeting, new["patient_id"], {**BY, "direction": "down"}, None)
    identity.unmerge(context, told, None)
    first, second, third = listed(context, meeting)
    assert first == other["patient_id"]
    moved = third if direction == "up" else second
    meetings.move_case(context, meeting, moved, {**BY, "direction": direction}, None)
    assert listed(context, meeting) == [first, third, second]


def test_a_list_holds_no_more_than_its_most(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meetings, "MOST", 2)
    results = [stored(context, WAITING) for _ in range(3)]
    meeting = board(context)
    told = meetings.place_case(context, meeting, {**BY, "open_steps": {}}, None).body
    assert (len(told["placed"]), told["left"]) == (2, 1)
    with pytest.raises(Refusal) as refused:
        meetings.place_case(context, meeting, {**BY, "result_id": results[2]["id"]}, None)
    assert refused.value.kind == "conflict"


# ---- at once


def test_people_who_add_the_same_patient_at_once_place_it_once_and_all_are_told(context: Context) -> None:
    result = stored(context, WAITING)
    meeting = board(context)
    told = at_once(lambda _: meetings.place_case(context, meeting, {**BY, "result_id": result["id"]}, None).body)
    assert sum(each["changed"] for each in told) == 1
    assert all((each["placed"] or each["already"])[0]["position"] == 1 for each in told)
    assert listed(context, meeting) == [result["patient_id"]]


def test_people_who_add_different_patients_at_once_lose_none_and_no_place_is_shared(context: Context) -> None:
    results = [stored(context, WAITING) for _ in range(THREADS)]
    meeting = board(context)
    told = at_once(
        lambda number: meetings.place_case(context, meeting, {**BY, "result_id": results[number]["id"]}, None).body
    )
    assert sorted(each["placed"][0]["position"] for each in told) == list(range(1, THREADS + 1))
    assert set(listed(context, meeting)) == {each["patient_id"] for each in results}


def test_people_who_move_at_once_leave_a_whole_list(context: Context) -> None:
    results = [stored(context, WAITING) for _ in range(4)]
    meeting = board(context, *results)

    def move(number: int) -> Any:
        body = {**BY, "direction": "up" if number % 2 else "down"}
        return meetings.move_case(context, meeting, results[number % 4]["patient_id"], body, None).body

    assert all(isinstance(each, dict) for each in at_once(move))
    assert sorted(listed(context, meeting)) == sorted(each["patient_id"] for each in results)


def test_outcomes_recorded_at_once_are_all_kept_or_told_that_another_was_first(
    context: Context, store_url: str
) -> None:
    result = stored(context, POSITIVE)
    patient, meeting = result["patient_id"], board(context, result)
    others = [open_store(store_url, pool_size=1) for _ in range(THREADS)]  # as so many processes

    def record(number: int) -> Any:
        body = outcome(result, decision=f"decision {number}", **({"after": 0} if number % 2 else {}))
        own = Context(others[number], "north")
        return outcomes.record_outcome(own, meeting, patient, body, None)

    told = at_once(record)
    for each in others:
        each.close()
    refused = [each for each in told if isinstance(each, Refusal)]
    assert all(each.kind == "conflict" and "A. Chair, chair" in each.detail for each in refused)
    (case,) = meetings.find_meeting(context, meeting)["cases"]
    kept = THREADS - len(refused)
    assert kept >= THREADS // 2, "those who did not ask for the first place are all kept"
    assert [each["number"] for each in case["outcomes"]] == list(range(1, kept + 1))
    assert {each["decision"] for each in case["outcomes"]} == {
        f"decision {number}" for number, each in enumerate(told) if not isinstance(each, Refusal)
    }


# ---- outcomes


def test_an_outcome_agrees_and_disagrees_with_considerations_by_name(context: Context) -> None:
    result = stored(context, POSITIVE)
    first, second, *_ = outcomes.offered(result)
    meeting = board(context, result)
    views = [
        {"consideration": first, "view": "agrees"},
        {"consideration": second, "view": "disagrees", "why": "Other disease is in front."},
    ]
    told = outcomes.record_outcome(context, meeting, result["patient_id"], outcome(result, views=views), None).body
    assert [(each["consideration"], each["view"], each["why"]) for each in told["views"]] == [
        (first, "agrees", None),
        (second, "disagrees", "Other disease is in front."),
    ]
    assert [each["title"] for each in told["views"]] == [outcomes.offered(result)[name] for name in (first, second)]
    assert told["evidence"] == result["classification"]["evidence"]
    assert (told["version"], told["status"], told["final"], told["since"]) == (1, "positive", True, [])


@pytest.mark.parametrize(
    ("views", "code"),
    [
        ([{"consideration": "none-such", "view": "agrees"}], "UNKNOWN_VALUE"),
        ([{"consideration": "{first}", "view": "disagrees"}], "MISSING_FIELD"),
        ([{"consideration": "{first}", "view": "agrees"}] * 2, "TWICE_STATED"),
        ([{"consideration": "{first}", "view": "maybe"}], "UNKNOWN_VALUE"),
        ([{"view": "agrees"}], "MISSING_FIELD"),
        ("agrees", "WRONG_TYPE"),
    ],
)
def test_a_view_that_cannot_be_kept_is_refused_with_its_place(context: Context, views: Any, code: str) -> None:
    result = stored(context, POSITIVE)
    first = next(iter(outcomes.offered(result)))
    if isinstance(views, list):
        views = [{name: value.replace("{first}", first) for name, value in each.items()} for each in views]
    meeting = board(context, result)
    with pytest.raises(Refusal) as refused:
        outcomes.record_outcome(context, meeting, result["patient_id"], outcome(result, views=views), None)
    assert refused.value.kind == "invalid"
    assert code in [each.code for each in refused.value.problems]
    assert meetings.find_meeting(context, meeting)["cases"][0]["outcomes"] == []


def test_an_outcome_on_a_result_that_changed_is_refused_with_what_changed(context: Context) -> None:
    result = stored(context, WAITING)
    meeting = board(context, result)
    change = {"name": "Dr Reader", "role": "pathologist", "reason": "typed wrong", "changes": {"ihc": "3+"}}
    acts.amend(context, result["id"], change, None, None)
    with pytest.raises(Refusal) as refused:
        outcomes.record_outcome(context, meeting, result["patient_id"], outcome(result), None)
    told = refused.value
    assert (told.kind, told.extra) == ("stale", {"current_version": 2})
    for words in ("version 1 (HER2 equivocal, not final)", "version 2 (HER2 positive, final)", "Dr Reader", "ihc"):
        assert words in told.detail


def test_an_outcome_whose_result_was_amended_afterwards_says_so_and_stays(context: Context) -> None:
    result = stored(context, WAITING)
    patient, meeting = result["patient_id"], board(context, result)
    outcomes.record_outcome(context, meeting, patient, outcome(result, decision="wait for ISH"), None)
    change = {"name": "Dr Reader", "role": "pathologist", "reason": "typed wrong", "changes": {"ihc": "3+"}}
    newer = acts.amend(context, result["id"], change, None, None).body
    (case,) = meetings.find_meeting(context, meeting)["cases"]
    (before,) = case["outcomes"]
    assert before["since"] == [
        "Decided on version 1 (HER2 equivocal, not final); now version 2 says HER2 positive, final."
    ]
    outcomes.record_outcome(context, meeting, patient, outcome(newer, decision="seen again"), None)
    (case,) = meetings.find_meeting(context, meeting)["cases"]
    assert [(each["decision"], bool(each["since"])) for each in case["outcomes"]] == [
        ("wait for ISH", True),
        ("seen again", False),
    ]


def test_a_result_that_came_or_went_after_the_decision_is_told(context: Context) -> None:
    primary = stored(context, WAITING, "P-two", accession="S26-1", kind="primary", collected_at="2026-01-05")
    patient, meeting = primary["patient_id"], board(context, primary)
    outcomes.record_outcome(context, meeting, patient, outcome(primary), None)
    stored(context, POSITIVE, "P-two", accession="S26-2", kind="metastasis", collected_at="2026-06-05")
    identity.move_result(context, primary["id"], {"to": "P-elsewhere", **WHO}, None, None)
    (case,) = meetings.find_meeting(context, meeting)["cases"]
    assert case["outcomes"][0]["since"] == [
        "The result decided on stands with another patient now.",
        "A further result was reported after this decision: HER2 positive, final.",
    ]


def test_the_result_looked_at_is_named_and_is_the_patients_own(context: Context) -> None:
    result, other = stored(context, WAITING), stored(context, WAITING)
    meeting = board(context, result)
    for body, kind in (
        ({**BY, "decision": "x"}, "invalid"),
        (outcome(other), "not_found"),
        ({**outcome(result), "version": None}, "invalid"),
        ({**outcome(result), "version": "1"}, "invalid"),
        ({**outcome(result), "decision": " "}, "invalid"),
        ({**outcome(result), "after": 3}, "conflict"),
    ):
        with pytest.raises(Refusal) as refused:
            outcomes.record_outcome(context, meeting, result["patient_id"], body, None)
        assert refused.value.kind == kind, body


def test_the_same_key_records_an_outcome_once(context: Context) -> None:
    result = stored(context, POSITIVE)
    patient, meeting = result["patient_id"], board(context, result)
    body = outcome(result)
    told = [outcomes.record_outcome(context, meeting, patient, body, Key("k", "POST x", body)) for _ in range(2)]
    assert told[0].body == told[1].body
    assert [each.replayed for each in told] == [False, True]
    (case,) = meetings.find_meeting(context, meeting)["cases"]
    assert len(case["outcomes"]) == 1


# ---- meetings


@pytest.mark.parametrize("day", ["2026-13-01", "2026-02-30", "03.12.2026", "20261203", 20261203, None])
def test_a_meeting_needs_a_date(context: Context, day: Any) -> None:
    with pytest.raises(Refusal) as refused:
        meetings.make_meeting(context, {**BY, "title": "Board", "held_on": day}, None)
    assert [each.field for each in refused.value.problems] == ["held_on"]


def test_meetings_are_counted_and_divided_into_coming_and_past(context: Context) -> None:
    today = datetime.now(UTC).date()
    for days in (-7, 0, 7):
        body = {**BY, "title": f"{days}", "held_on": (today + timedelta(days=days)).isoformat()}
        made = meetings.make_meeting(context, body, None).body
    result = stored(context, POSITIVE)
    meetings.place_case(context, made["id"], {**BY, "result_id": result["id"]}, None)
    outcomes.record_outcome(context, made["id"], result["patient_id"], outcome(result), None)
    coming = meetings.list_meetings(context, {"held_from": meetings.today()}, None, 50, earliest_first=True)
    past = meetings.list_meetings(context, {"held_before": meetings.today()}, None, 50)
    assert [each["title"] for each in coming["items"]] == ["0", "7"]
    assert [each["title"] for each in past["items"]] == ["-7"]
    assert [(each["cases"], each["decided"]) for each in coming["items"]] == [(0, 0), (1, 1)]


def test_no_free_text_of_a_meeting_stands_in_the_audit_chain(context: Context) -> None:
    result = stored(context, POSITIVE)
    meeting = board(context, result)
    asked = {**BY, "result_id": result["id"], "question": "free-text-one"}
    meetings.place_case(context, meeting, asked, None)
    first = next(iter(outcomes.offered(result)))
    views = [{"consideration": first, "view": "disagrees", "why": "free-text-two"}]
    body = outcome(result, decision="free-text-three", views=views)
    outcomes.record_outcome(context, meeting, result["patient_id"], body, None)
    with context.store.reading("north") as find:
        lines = find.connection.exec_driver_sql("SELECT content FROM audit_content").fetchall()
    assert any("meeting" in str(line) for line in lines)
    assert "free-text" not in str(lines) and "Breast board" not in str(lines)
    assert {"meeting", "meeting_case", "meeting_outcome"} <= COVERED.keys()
