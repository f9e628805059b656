"""Messages beside what persons do, on both databases: merging patients, amending a result, processing again."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.records import tables as t
from app.records.errors import Busy, Unavailable
from app.records.inbox import Inbox
from app.records.outbox import Outbox, Wanted
from app.services.acts import amend
from app.services.errors import Refusal
from app.services.exchange import payload
from app.services.finding import find_history, find_result
from app.services.identity import merge
from app.services.intake import Intake, load_feeds
from app.services.messages import replay_message
from app.services.payloads import Outcome
from app.services.process import open_context
from app.services.recorder import Recorder

WHO = {"name": "Dr A. Reader", "role": "pathologist", "reason": "second reading"}
IHC = "ST|85319-2^IHC^LN||{}||||||{}"
RATIO = "NM|49683-6^Ratio^LN||{}||||||{}"
COPIES = "NM|74860-8^Copies^LN||{}||||||{}"
CELLS = "NM|62361-1^Cells^LN||{}||||||{}"
LATER = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y%m%d%H%M%S")


@pytest.fixture
def intake(store_url: str) -> Iterator[Intake]:
    context = open_context(store_url, "north", migrate_first=False)
    yield Intake(context, load_feeds(""))
    assert context.store.verify_audit("north").sound
    context.store.close()


def oru(
    number: int, *obx: str, case: str = "S26-1", patient: str = "P-1^^^NORTH^MR", at: str = "20251117090000"
) -> bytes:
    lines = [
        f"MSH|^~\\&|LIS|NORTH|H|H|{at}||ORU^R01|M{number}|P|2.5.1",
        f"PID|1||{patient}",
        f"OBR|1||{case}|HER2^HER2^L|||20251115||||||||||||||||||F",
        *(f"OBX|{n}|{each}|||{at}" for n, each in enumerate(obx, 1)),
    ]
    return "\r".join(lines).encode()


def take(intake: Intake, *messages: bytes) -> list[Outcome]:
    return intake.record(intake.keep([payload(each) for each in messages]))


def codes(outcome: Outcome) -> list[str]:
    return [each.code for each in outcome.problems]


def score_of(intake: Intake, result_id: str) -> str | None:
    found: str | None = find_result(intake.context, result_id)["input"].get("ihc", {}).get("score")
    return found


# ---- whose


def test_after_the_patients_are_merged_the_message_that_waited_is_recorded(intake: Intake) -> None:
    first, second = take(
        intake, oru(1, IHC.format("2+", "F")), oru(2, RATIO.format("1.80", "F"), patient="P-2^^^NORTH^MR")
    )
    assert codes(second) == ["PATIENT_DIFFERS"]
    take(intake, oru(3, IHC.format("0", "F"), case="S26-2", patient="P-2^^^NORTH^MR"))
    merge(intake.context, {"into": named(intake, "P-1"), "given_up": named(intake, "P-2"), **WHO}, None)
    again = replay_message(intake.context, intake, second.message_id, WHO)
    assert (again["state"], again["problems"]) == ("recorded", [])
    assert [each["id"] for each in again["results"]] == [first.results[0]["id"]]


def test_identifiers_of_two_patients_wait_until_those_are_merged(intake: Intake) -> None:
    take(
        intake,
        oru(1, IHC.format("2+", "F")),
        oru(2, IHC.format("0", "F"), case="S26-2", patient="P-2^^^NORTH^MR"),
    )
    both = oru(3, IHC.format("3+", "F"), case="S26-3", patient="P-1^^^NORTH^MR~P-2^^^NORTH^MR")
    (waits,) = take(intake, both)
    assert codes(waits) == ["PATIENT_DIFFERS"]
    merge(intake.context, {"into": named(intake, "P-1"), "given_up": named(intake, "P-2"), **WHO}, None)
    assert replay_message(intake.context, intake, waits.message_id, WHO)["state"] == "recorded"


def named(intake: Intake, value: str) -> dict[str, str]:
    """A patient's identifier as it was stored."""
    with intake.context.store.reading("north") as reading:
        column = t.patient_identity.c
        system = reading.connection.execute(select(column.system).where(column.value == value)).scalar_one()
    return {"system": system, "value": value}


# ---- amended


def test_what_a_person_amended_outlives_an_older_message(intake: Intake) -> None:
    (first,) = take(intake, oru(1, IHC.format("2+", "F")))
    (result,) = first.results
    amend(intake.context, result["id"], {"changes": {"ihc": {"score": "1+"}}, **WHO}, None, None)
    (older,) = take(intake, oru(2, IHC.format("3+", "C"), at="20251118090000"))
    assert older.state == "recorded"
    assert score_of(intake, result["id"]) == "1+"


def test_it_outlives_an_older_message_after_another_one_too(intake: Intake) -> None:
    (first,) = take(intake, oru(1, IHC.format("2+", "F")))
    (result,) = first.results
    amend(intake.context, result["id"], {"changes": {"ihc": {"score": "1+"}}, **WHO}, None, None)
    (other,) = take(intake, oru(2, RATIO.format("1.80", "F"), at="20251119090000"))
    assert other.results[0]["version"] == 3
    take(intake, oru(3, IHC.format("3+", "C"), at="20251118090000"))
    assert score_of(intake, result["id"]) == "1+"


def test_a_newer_report_goes_before_what_a_person_amended(intake: Intake) -> None:
    (first,) = take(intake, oru(1, IHC.format("2+", "F")))
    (result,) = first.results
    amend(intake.context, result["id"], {"changes": {"ihc": {"score": "1+"}}, **WHO}, None, None)
    take(intake, oru(2, IHC.format("3+", "C"), at=LATER))
    assert score_of(intake, result["id"]) == "3+"


def test_a_score_amended_in_its_short_form_is_the_same_field(intake: Intake) -> None:
    (first,) = take(intake, oru(1, IHC.format("2+", "F")))
    (result,) = first.results
    amend(intake.context, result["id"], {"changes": {"ihc": "1+"}, **WHO}, None, None)
    (newer,) = take(intake, oru(2, IHC.format("3+", "C"), at=LATER))
    assert (newer.state, codes(newer)) == ("recorded", [])
    assert score_of(intake, result["id"]) == "3+"


# ---- order, repetition, rivals


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_preliminary_final_and_corrected_in_any_order(intake: Intake, order: tuple[int, ...]) -> None:
    messages = [
        oru(1, IHC.format("1+", "P"), at="20251116090000"),
        oru(2, IHC.format("2+", "F"), at="20251117090000"),
        oru(3, IHC.format("3+", "C"), at="20251118090000"),
    ]
    outcomes = [take(intake, messages[place])[0] for place in order]
    assert {each.state for each in outcomes} == {"recorded"}
    assert score_of(intake, outcomes[-1].results[0]["id"]) == "3+"


@pytest.mark.parametrize("status", ["X", "D", "W"])
def test_what_is_taken_back_leaves_no_status(intake: Intake, status: str) -> None:
    (first,) = take(intake, oru(1, IHC.format("3+", "F")))
    (second,) = take(intake, oru(2, IHC.format("", status), at="20251118090000"))
    (result,) = second.results
    assert (second.state, result["id"], result["version"]) == ("recorded", first.results[0]["id"], 2)
    assert (result["status"], result["final"]) == ("pending", False)


def test_a_change_of_status_is_told(intake: Intake) -> None:
    (first,) = take(intake, oru(1, IHC.format("2+", "F")))
    take(intake, oru(2, IHC.format("3+", "C"), at="20251118090000"))
    with intake.context.store.reading("north") as reading:
        due = Outbox(reading).due(Wanted("hospital", ("status.",)), datetime.now(UTC))
    (told,) = [json.loads(each.line.payload) for each in due]
    assert told == {"result": first.results[0]["id"], "version": 2, "from": "equivocal", "to": "positive"}


def test_processing_again_what_was_recorded_changes_nothing(intake: Intake) -> None:
    (first,) = take(intake, oru(1, IHC.format("2+", "F")))
    again = replay_message(intake.context, intake, first.message_id, WHO)
    assert [(each["version"], each["changed"]) for each in again["results"]] == [(1, False)]
    assert len(find_history(intake.context, first.results[0]["id"])["versions"]) == 1


def test_two_threads_record_one_message_once(intake: Intake) -> None:
    kept = intake.keep([payload(oru(1, IHC.format("2+", "F")))])
    outcomes: list[Outcome] = []
    start = threading.Barrier(2)

    def record() -> None:
        start.wait()
        outcomes.extend(intake.record(kept))

    threads = [threading.Thread(target=record) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.state for each in outcomes] == ["recorded", "recorded"]
    assert outcomes[0].results[0]["id"] == outcomes[1].results[0]["id"]
    assert len(find_history(intake.context, outcomes[0].results[0]["id"])["versions"]) == 1


def test_eight_threads_over_twenty_specimens_record_every_message_once(intake: Intake) -> None:
    count = (COPIES.format("3.5", "F"), CELLS.format("40", "F"))
    said = ([IHC.format("2+", "F")], [RATIO.format("1.80", "F")], count, [RATIO.format("1.80", "F"), *count])
    outcomes: list[Outcome] = []
    start = threading.Barrier(8)

    def work(own: int) -> None:
        # each thread sends part of every specimen's report, two threads each part, beginning at another specimen
        cases = [(own * 3 + n) % 20 for n in range(20)]
        messages = [oru(own * 100 + n, *said[own % 4], case=f"S26-{n}", patient=f"P-{n}^^^NORTH^MR") for n in cases]
        start.wait()
        for first in range(0, 20, 5):
            outcomes.extend(take(intake, *messages[first : first + 5]))

    threads = [threading.Thread(target=work, args=(own,)) for own in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.state for each in outcomes] == ["recorded"] * 160
    results = {result["id"] for each in outcomes for result in each.results}
    assert len(results) == 20
    for result_id in results:
        stored = find_result(intake.context, result_id)
        assert stored["input"]["ihc"]["score"] == "2+"
        assert stored["input"]["ish"]["ratio"] == "1.80"
        assert stored["classification"]["status"] == "negative"
    with intake.context.store.reading("north") as reading:
        assert {len(Inbox(reading).states(each.message_id)) for each in outcomes} == {1}


@pytest.mark.parametrize("errors", [[Unavailable], [Busy, Unavailable]], ids=["at once", "while it is tried again"])
def test_a_database_that_is_away_does_not_make_a_message_wait(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, errors: list[type[Exception]]
) -> None:
    kept = intake.keep([payload(oru(1, IHC.format("2+", "F")))])
    met = iter(errors)

    def away(self: Recorder) -> None:
        raise next(met)("the connection was lost")

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", away)
        with pytest.raises(Refusal) as refused:
            intake.record(kept)
    assert refused.value.kind == "unavailable"
    assert intake.record(kept)[0].state == "recorded"
