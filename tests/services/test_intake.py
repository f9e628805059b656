"""What becomes of messages, on both databases: kept first, recorded once, joined by specimen, or waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.records.inbox import Inbox
from app.records.store import open_store
from app.services.exchange import payload
from app.services.finding import find_history, find_result
from app.services.intake import Intake, load_feeds
from app.services.payloads import Kept, Outcome
from app.services.process import open_context
from app.services.reporting import Context


@pytest.fixture
def intake(store_url: str) -> Iterator[Intake]:
    context = open_context(store_url, "north", migrate_first=False)
    yield Intake(context, load_feeds(""))
    assert context.store.verify_audit("north").sound
    context.store.close()


def oru(
    number: int, *obx: str, case: str = "S26-1", patient: str = "P-1", at: str = "20261116090000", **more: str
) -> bytes:
    lines = [
        f"MSH|^~\\&|LIS|NORTH|H|H|{at}||ORU^R01|M{number}|P|2.5.1",
        f"PID|1||{patient}^^^NORTH^MR",
        f"OBR|1||{case}|HER2^HER2^L|||20261115||||||||||||||||||F",
    ]
    lines += [f"OBX|{n}|{each}|||{at}" for n, each in enumerate(obx, 1)]
    return "\r".join(lines).encode()


IHC2 = "ST|85319-2^IHC^LN||2+||||||F"
RATIO = "NM|49683-6^Ratio^LN||1.80||||||F"
COPIES = "NM|74860-8^Copies^LN||3.5||||||F"
CELLS = "NM|62361-1^Cells^LN||40||||||F"


def take(intake: Intake, *messages: bytes) -> list[Outcome]:
    return intake.record(intake.keep([payload(each) for each in messages]))


def test_a_message_is_kept_byte_for_byte_before_it_is_read(intake: Intake) -> None:
    (kept,) = intake.keep([payload(b"MSH|rubbish \xff\x00")])
    with intake.context.store.reading("north") as reading:
        message = Inbox(reading).message(kept.id)
    assert message is not None and message.message == b"MSH|rubbish \xff\x00"
    assert intake.record([kept])[0].state == "quarantined"


def test_an_error_of_ours_is_logged_by_kind_and_place_and_never_by_what_was_sent(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[dict[str, str]] = []

    class Log:
        def error(self, event: str, **fields: str) -> None:
            lines.append({"event": event, **fields})

    def breaks(*_: object) -> None:
        raise ValueError("P-1 of 3+")

    intake.log = Log()
    monkeypatch.setattr("app.services.intake.map_received", breaks)
    (became,) = take(intake, oru(1, IHC2))
    assert became.state == "quarantined" and [each.code for each in became.problems] == ["INTERNAL"]
    (line,) = lines
    assert line["event"] == "message_failed" and line["error"] == "ValueError"
    assert line["where"].startswith("intake.py") and "P-1" not in str(line)


def test_the_same_bytes_are_one_message_and_answered_the_same(intake: Intake) -> None:
    (first,) = take(intake, oru(1, IHC2))
    (again,) = take(intake, oru(1, IHC2))
    assert (again.message_id, again.state, again.results) == (first.message_id, "recorded", first.results)
    assert len(find_history(intake.context, first.results[0]["id"])["versions"]) == 1


def test_a_control_id_that_came_with_other_content_waits(intake: Intake) -> None:
    _, second = take(intake, oru(1, IHC2), oru(1, IHC2, case="S26-2"))
    assert second.state == "quarantined"
    assert [each.code for each in second.problems] == ["CONTROL_ID_REUSED"]


def test_ihc_today_and_ish_next_week_are_one_result_with_its_history(intake: Intake) -> None:
    (first,) = take(intake, oru(1, IHC2))
    (second,) = take(intake, oru(2, RATIO, COPIES, CELLS, at="20261123090000"))
    (result,) = second.results
    assert (result["id"], result["version"]) == (first.results[0]["id"], 2)
    assert (result["status"], result["final"]) == ("negative", True)
    stored = find_result(intake.context, result["id"])
    assert stored["input"]["ish"]["ratio"] == "1.80"
    assert stored["open_steps"] == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_shuffled_corrections_end_in_the_same_document(intake: Intake, order: tuple[int, ...]) -> None:
    messages = [
        oru(1, IHC2, at="20261116090000"),
        oru(2, IHC2.replace("2+", "1+").replace("F", "C"), at="20261117090000"),
        oru(3, IHC2.replace("2+", "3+").replace("F", "C"), at="20261118090000"),
    ]
    for place in order:
        (outcome,) = take(intake, messages[place])
    stored = find_result(intake.context, outcome.results[0]["id"])
    assert stored["input"]["ihc"]["score"] == "3+"
    assert stored["classification"]["status"] == "positive"


def test_another_patient_for_the_same_case_waits(intake: Intake) -> None:
    _, second = take(intake, oru(1, IHC2), oru(2, RATIO, patient="P-2"))
    assert second.state == "quarantined"
    assert [each.code for each in second.problems] == ["PATIENT_DIFFERS"]


def test_what_the_rules_refuse_waits_at_its_place(intake: Intake) -> None:
    (outcome,) = take(intake, oru(1, COPIES.replace("3.5", "143")))
    assert (outcome.state, outcome.step) == ("quarantined", "record")
    assert [(each.code, each.field) for each in outcome.problems] == [("NOT_ACCEPTED", "OBX[1].5")]


def test_one_that_waits_does_not_hold_up_its_batch(intake: Intake) -> None:
    outcomes = take(intake, oru(1, IHC2), b"rubbish", oru(2, COPIES.replace("3.5", "143"), case="S26-2"))
    assert [each.state for each in outcomes] == ["recorded", "quarantined", "quarantined"]


def test_an_error_of_ours_makes_one_message_wait(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.services.intake.map_received", broken)
    (outcome,) = take(intake, oru(1, IHC2))
    assert [each.code for each in outcome.problems] == ["INTERNAL"]
    monkeypatch.undo()
    assert take(intake, oru(2, IHC2))[0].state == "recorded"


def test_the_same_messages_from_eight_senders_at_once_are_recorded_once(intake: Intake) -> None:
    messages = [oru(n, IHC2, case=f"S26-{n % 10}", at=f"202611{16 + n // 10}090000") for n in range(20)]
    kept = intake.keep([payload(each) for each in messages])
    outcomes: list[Outcome] = []

    def record(own: list[Kept]) -> None:
        outcomes.extend(intake.record(own))

    threads = [threading.Thread(target=record, args=(kept[n:] + kept[:n],)) for n in range(0, 16, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 160
    assert {each.state for each in outcomes} == {"recorded"}
    assert len({result["id"] for each in outcomes for result in each.results}) == 10
    with intake.context.store.reading("north") as reading:
        assert {len(Inbox(reading).states(each.id)) for each in kept} == {1}


def test_what_was_kept_and_not_recorded_is_taken_up(intake: Intake, store_url: str) -> None:
    earlier = open_store(store_url, clock=lambda: datetime.now(UTC) - timedelta(minutes=5))
    old = Intake(Context(earlier, "north"), load_feeds(""))
    (kept,) = old.keep([payload(oru(1, IHC2))])
    earlier.close()
    assert intake.resume() == 1
    assert intake.record([Kept(kept.id, kept.payload, False)])[0].state == "recorded"
    assert intake.resume() == 0


def test_an_identifier_that_comes_later_is_the_same_patient_s(intake: Intake) -> None:
    both = oru(2, RATIO, at="20261123090000").replace(b"P-1^^^NORTH^MR", b"P-1^^^NORTH^MR~N-9^^^NATION^NI")
    alone = oru(3, IHC2, case="S26-2").replace(b"P-1^^^NORTH^MR", b"N-9^^^NATION^NI")
    outcomes = take(intake, oru(1, IHC2)) + take(intake, both) + take(intake, alone)
    results = [find_result(intake.context, each.results[0]["id"]) for each in outcomes]
    assert len({each["patient_id"] for each in results}) == 1
