"""Results, versions, answers, acts and open steps: appended, then found as they were written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.records import tables as t
from app.records.errors import BrokenReference, Duplicate, IdentityConflict, NotFound, Stale, Unaudited, Unstorable
from app.records.inbox import InboxWriting
from app.records.rows import Identity, NewAct, NewStep, NewVersion, ResultFilter, StepFilter
from app.records.store import Store
from tests.records.conftest import Raw
from tests.records.examples import ANSWER, NOON, STEP, VERSION, append_whole, patient, store_whole

SIGN_OFF = NewAct("sign_off", "Dr A", "pathologist", "I confirm this answer", NOON, reason="seen")


def test_a_result_is_found_as_it_was_written(store: Store) -> None:
    version = store_whole(store, document='{"ish": {"ratio": "2.10"}}', specimen="S1", block="B2", collected_at=NOON)
    with store.reading("north") as find:
        found = find.find_result(version.result_id)
    assert found is not None
    assert found.view.version == version
    assert found.view.version.document == '{"ish": {"ratio": "2.10"}}'
    assert found.view.classification is not None
    assert found.view.classification.answer == ANSWER.answer
    assert found.view.classification.final is False
    assert not found.view.signed
    assert [(s.awaited, s.due_at, s.who) for s in found.open_steps] == [("ish", STEP.due_at, "pathologist")]


def test_an_unknown_result_is_none(store: Store) -> None:
    with store.reading("north") as find:
        assert find.find_result("nothing") is None
        assert find.find_history("nothing") == ()
        assert find.find_timeline("nothing") is None


def test_an_amendment_is_a_new_version_and_the_old_one_stays(store: Store) -> None:
    first = store_whole(store)
    amended = replace(
        VERSION,
        document='{"ihc": "3+"}',
        cause="amended",
        reason="misread",
        person_name="Dr B",
        person_role="consultant",
    )
    with store.transaction("north") as tx:
        tx.append_act(first.id, SIGN_OFF)
        tx.append_audit("result.signed", {})
    with store.transaction("north") as tx:
        second = tx.append_version(first.result_id, 1, amended)
        tx.append_classification(second.id, replace(ANSWER, status="positive", final=True))
        closed = tx.close_steps(first.result_id, "replaced", by_version_id=second.id)
        tx.append_audit("result.amended", {"version": second.id})
    assert (second.number, second.replaces_id, len(closed)) == (2, first.id, 1)
    with store.reading("north") as find:
        old, new = find.find_history(first.result_id)
        found = find.find_result(first.result_id)
        assert find.find_version(first.result_id, 1) == old
        assert find.find_version(first.result_id, 3) is None
    assert old.version == first
    assert [a.meaning for a in old.acts] == ["I confirm this answer"]
    assert old.steps[0].closed_cause == "replaced"
    assert old.steps[0].by_version_id == second.id
    assert (new.version.reason, new.version.person_name, new.acts, new.steps) == ("misread", "Dr B", (), ())
    assert found is not None
    assert found.view.version == second
    assert not found.view.signed, "a sign-off is of one version"
    assert found.open_steps == ()


def test_a_stale_amendment_is_refused(store: Store) -> None:
    first = store_whole(store)
    with store.transaction("north") as tx:
        tx.append_version(first.result_id, 1, VERSION)
        tx.append_audit("result.amended", {})
    for expected in (1, 3, 0):
        with pytest.raises(Stale) as stale, store.transaction("north") as tx:
            tx.append_version(first.result_id, expected, VERSION)
        assert stale.value.current == 2
    with pytest.raises(NotFound), store.transaction("north") as tx:
        tx.append_version("nothing", 1, VERSION)


def test_a_version_has_one_current_answer_and_any_number_of_re_evaluations(store: Store) -> None:
    version = store_whole(store)
    with store.transaction("north") as tx:
        for edition in ("asco-cap-2013", "asco-cap-2023"):
            tx.append_classification(version.id, replace(ANSWER, edition_id=edition, purpose="re-evaluation"))
        with pytest.raises(Duplicate):
            tx.append_classification(version.id, ANSWER)
        tx.append_audit("result.re-evaluated", {})
    with store.reading("north") as find:
        (only,) = find.find_history(version.result_id)
        found = find.find_result(version.result_id)
    assert [c.edition_id for c in only.classifications] == ["asco-cap-2018", "asco-cap-2013", "asco-cap-2023"]
    assert found is not None
    assert found.view.classification == only.classifications[0]
    assert store.verify_audit("north").sound, "what was refused is not claimed by the chain"


def test_split_reports_of_one_specimen_meet_in_one_result(store: Store) -> None:
    first = store_whole(store, join_key="lab 1|A-1|S1|B1")
    with pytest.raises(Duplicate) as duplicate, store.transaction("north") as tx:
        append_whole(tx, join_key="lab 1|A-1|S1|B1")
    assert duplicate.value.existing_id == first.result_id
    with store.reading("north") as find:
        found = find.find_result_by_join_key("lab 1|A-1|S1|B1")
        assert found is not None
        assert found.view.id == first.result_id
        assert find.find_result_by_join_key("lab 1|A-2|S1|B1") is None


def test_steps_close_once_and_only_those_meant(store: Store) -> None:
    first = store_whole(store, steps=[STEP, replace(STEP, awaited="recount", who=None), STEP])
    with store.transaction("north") as tx:
        assert len(tx.open_steps_of(first.result_id)) == 2, "a step named twice is one step"
        act = tx.append_act(first.id, replace(SIGN_OFF, kind="recount", detail='{"cells": "40"}'))
        assert len(tx.close_steps(first.result_id, "arrived", by_act_id=act.id, awaited=["recount"])) == 1
        assert tx.close_steps(first.result_id, "arrived", by_act_id=act.id, awaited=["recount"]) == ()
        tx.append_audit("recount", {})
    with store.reading("north") as find:
        assert [s.awaited for s in find.list_open_steps().items] == ["ish"]
        assert find.list_open_steps(StepFilter(awaited="recount")).items == ()
        assert len(find.list_open_steps(StepFilter(who="pathologist", due_before=NOON + timedelta(days=6))).items) == 1
        assert find.list_open_steps(StepFilter(due_before=STEP.due_at)).items == ()
        assert find.list_open_steps(StepFilter(result_id="other")).items == ()


def test_every_filter_finds_what_it_names_and_nothing_else(store: Store) -> None:
    one = store_whole(
        store, "p-1", status="positive", final=True, ish_group=1, her2_low=None, accession="A-1", collected_at=NOON
    )
    two = store_whole(
        store, "p-2", status="negative", final=True, her2_low="low", edition_id="asco-cap-2013", accession="A-2",
        laboratory="lab 2", collected_at=NOON + timedelta(days=1),
    )  # fmt: skip
    with store.transaction("north") as tx:
        tx.append_act(one.id, SIGN_OFF)
        tx.append_audit("signed", {})
    late = NOON + timedelta(hours=1)
    with store.reading("north") as find:
        owner = find.list_results(ResultFilter(accession="A-1")).items[0].patient_id
        for narrow, expected in (
            (ResultFilter(), {one.result_id, two.result_id}),
            (ResultFilter(status="positive"), {one.result_id}),
            (ResultFilter(final=True), {one.result_id, two.result_id}),
            (ResultFilter(final=False), set()),
            (ResultFilter(her2_low="low"), {two.result_id}),
            (ResultFilter(ish_group=1), {one.result_id}),
            (ResultFilter(edition_id="asco-cap-2013"), {two.result_id}),
            (ResultFilter(review_required=True, laboratory="lab 2"), {two.result_id}),
            (ResultFilter(signed=True), {one.result_id}),
            (ResultFilter(signed=False), {two.result_id}),
            (ResultFilter(patient_id=owner), {one.result_id}),
            (ResultFilter(collected_from=late), {two.result_id}),
            (ResultFilter(collected_before=late), {one.result_id}),
            (ResultFilter(collected_from=NOON, collected_before=NOON), set()),
            (ResultFilter(created_from=datetime(2020, 1, 1, tzinfo=UTC)), {one.result_id, two.result_id}),
            (ResultFilter(created_before=datetime(2020, 1, 1, tzinfo=UTC)), set()),
        ):
            assert {r.id for r in find.list_results(narrow).items} == expected, narrow


def test_lists_judge_the_newest_version_only(store: Store) -> None:
    first = store_whole(store, status="pending")
    with store.transaction("north") as tx:
        second = tx.append_version(first.result_id, 1, replace(VERSION, accession="A-9"))
        tx.append_classification(second.id, replace(ANSWER, status="negative"))
        tx.append_audit("amended", {})
    with store.reading("north") as find:
        assert find.list_results(ResultFilter(status="pending")).items == ()
        assert find.list_results(ResultFilter(accession="A-1")).items == ()
        assert [r.id for r in find.list_results(ResultFilter(status="negative")).items] == [first.result_id]


def test_the_same_identifiers_are_the_same_patient(store: Store) -> None:
    both = [Identity("urn:hospital", "p-1"), Identity("urn:trial", "t-1")]
    with store.transaction("north") as tx:
        first = tx.find_or_append_patient(patient("p-1"))
        assert tx.find_or_append_patient(both) == first, "an identifier more is added to the patient known"
        assert tx.find_or_append_patient([both[1]]) == first
        other = tx.find_or_append_patient(patient("p-2"))
        assert other != first
        with pytest.raises(IdentityConflict):
            tx.find_or_append_patient([both[1], *patient("p-2")])
        assert tx.find_or_append_patient([]) not in (first, other)
        tx.append_audit("patients", {})
    with store.reading("north") as find:
        timeline = find.find_timeline(first)
    assert timeline is not None
    assert set(timeline.identities) == set(both)


def test_a_timeline_follows_a_result_that_moved(store: Store, raw: Raw) -> None:
    late, early = (store_whole(store, "p-1", collected_at=NOON + timedelta(days=d)) for d in (2, 1))
    elsewhere = store_whole(store, "p-2")
    with store.transaction("north") as tx:
        there, here = (tx.find_or_append_patient(patient(p)) for p in ("p-2", "p-1"))
    assert [r.id for r in _timeline(store, here)] == [early.result_id, late.result_id]
    for number, (a, b) in enumerate(((here, there), (there, here), (here, there)), start=1):
        raw(
            "INSERT INTO result_move (organisation, id, result_id, from_patient_id, to_patient_id, number, person_name,"
            " person_role, reason, created_at) VALUES ('north', :id, :r, :a, :b, :n, 'n', 'r', 'w', :at)",
            id=f"move {number}", r=early.result_id, a=a, b=b, n=number, at="2026-03-01T12:00:00.000000Z",
        )  # fmt: skip
        stands, left = (there, here) if b == there else (here, there)
        assert early.result_id in [r.id for r in _timeline(store, stands)]
        assert early.result_id not in [r.id for r in _timeline(store, left)]
    with store.reading("north") as find:
        for owner in (here, there):
            timeline = find.find_timeline(owner)
            assert timeline is not None
            assert len(timeline.moves) == 3, "both timelines tell of the move"
        listed = find.list_results(ResultFilter(patient_id=there)).items
        assert {r.id for r in listed} == {early.result_id, elsewhere.result_id}
        assert {r.patient_id for r in listed} == {there}


def _timeline(store: Store, patient_id: str):  # type: ignore[no-untyped-def]
    with store.reading("north") as find:
        timeline = find.find_timeline(patient_id)
    assert timeline is not None
    return timeline.results


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(store: Store) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    given = datetime(2026, 3, 1, 1, 2, 3, 456789, tzinfo=zone)
    version = store_whole(store, collected_at=given, reported_at=datetime(1, 1, 2, tzinfo=UTC))
    with store.reading("north") as find:
        found = find.find_result(version.result_id)
    assert found is not None
    assert found.view.version.collected_at == given
    assert found.view.version.collected_at.isoformat() == "2026-02-28T19:32:03.456789+00:00"
    assert found.view.version.reported_at == datetime(1, 1, 2, tzinfo=UTC)
    assert found.view.created_at.utcoffset() == timedelta(0)
    assert store.verify_audit("north").sound
    with pytest.raises(Unstorable):
        store_whole(store, collected_at=datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "words", ["Ünïcödé ß ł 病理 🧬 e\u0301", "'; DROP TABLE result; --", "%(x)s :y ? \\ \r\n\t", ""]
)
def test_any_text_comes_back_unchanged(store: Store, words: str) -> None:
    version = store_whole(store, words, document=words, accession=words, laboratory=words, block=words)
    with store.reading("north") as find:
        (found,) = find.list_results(ResultFilter(accession=words, laboratory=words)).items
    assert found.version == version
    assert store.verify_audit("north").sound


@pytest.mark.parametrize("words", ["a\0b", "\ud800", "x" * 801, "é" * 401])
def test_what_one_database_could_not_hold_is_refused_on_both(store: Store, words: str) -> None:
    with pytest.raises(Unstorable):
        store_whole(store, accession=words)
    with pytest.raises(Unstorable), store.transaction("north") as tx:
        tx.append_audit("note", {"words": "\ud800"})
    with pytest.raises(Unstorable):
        store_whole(store, document="\ud800")
    with pytest.raises(Unstorable), store.reading("north") as find:
        find.list_results(ResultFilter(accession=words))
    with store.reading("north") as find:
        assert find.list_results().items == ()


def test_the_longest_keys_fit_the_indexes_of_both(store: Store) -> None:
    organisation, longest = "o" * 800, "".join(chr(0x4E00 + (i * 7919) % 20000) for i in range(266))
    store.append_organisation(organisation)
    with store.transaction(organisation) as tx:
        tx.find_or_append_patient([Identity(longest, longest)])
        InboxWriting(tx).keep([(longest, longest, b"x", "text/plain")])
        append_whole(tx, accession=longest, laboratory=longest, join_key=longest)


def test_a_large_document_comes_back_whole(store: Store) -> None:
    document = '{"x": "' + "ä1" * 2_500_000 + '"}'
    version = store_whole(store, document=document)
    with store.reading("north") as find:
        found = find.find_result(version.result_id)
    assert found is not None
    assert found.view.version.document == document


def test_an_error_leaves_nothing_behind(store: Store, raw: Raw) -> None:
    def fail() -> None:
        with store.transaction("north") as tx:
            append_whole(tx)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        fail()
    with pytest.raises(Unaudited), store.transaction("north") as tx:
        tx.find_or_append_patient(patient())
    with pytest.raises(BrokenReference), store.transaction("north") as tx:
        tx.append_act(append_whole(tx).id + "?", SIGN_OFF)
    with pytest.raises(BrokenReference), store.transaction("north") as tx:
        tx.append_result("no such patient", NewVersion("{}", "reported", "api"))
    for name in t.metadata.tables:
        assert raw(f"SELECT count(*) FROM {name}")[0][0] == (2 if name == "organisation" else 0)


def test_messages_keep_their_bytes_and_are_new_once(store: Store) -> None:
    sent = bytes(range(256))
    with store.transaction("north") as tx:
        inbox, kind = InboxWriting(tx), "application/octet-stream"
        ((first, new),) = inbox.keep([("lab", "", sent, kind)])
        assert new
        assert inbox.keep([("lab", "", sent, kind)]) == [(first, False)]
        assert inbox.keep([("lab", "2", sent, kind)])[0][1]
        assert inbox.keep([("lab", "", sent + b"!", kind)])[0][1]
        assert tx.append_message_state(first, 1, "quarantined", step="parse", detail="no OBX")
        assert not tx.append_message_state(first, 1, "recorded")
        tx.append_audit("received", {})
    with store.reading("north") as find:
        found = find.find_message(first)
    assert found is not None
    assert found.message == sent
    assert store.verify_audit("north").sound


def test_new_step_needs_no_person(store: Store) -> None:
    version = store_whole(store, steps=[NewStep("reflex_ish", NOON, NOON)])
    with store.reading("north") as find:
        assert find.open_steps_of(version.result_id)[0].who is None
