"""What a subscriber is told, and when; what a payload holds and what it never holds."""

from __future__ import annotations

import asyncio
import inspect
import json

from app.services import acts, identity, joining
from app.services.reporting import Context
from app.services.webhook_events import VERSION_TOPICS, topics_of
from tests.fixtures_webhooks import Receiver
from tests.services.hooks import (
    ISH,
    NEGATIVE,
    PENDING,
    PERSON,
    POSITIVE,
    amended,
    delivering,
    hooks,
    log_of,
    run,
    stored,
    subscribe,
    until,
)


def test_a_result_is_told_when_it_is_first_final_and_whenever_it_is_amended_after_that(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        subscribe(use, receiver, "result.final")
        pending = stored(context, PENDING)
        amended(context, pending, {"ish": ISH})
        amended(context, pending, {"ihc": "3+"})
        amended(context, pending, {"ish": None, "ihc": "2+"})
        async with delivering(use):
            await until(lambda: len(receiver.got) == 3)
            await asyncio.sleep(0.1)
        told = [(message["type"], message["data"]["version"], message["data"]["final"]) for _, message in receiver.got]
        assert told == [("result.final", 2, True), ("result.amended", 3, True), ("result.amended", 4, False)]
        assert context.store.verify_audit("north").sound

    run(test)


def test_an_amendment_of_what_was_never_final_is_told_and_a_first_report_that_is_not_final_is_not(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver, "result.amended")
        result = stored(context, PENDING)
        amended(context, result, {"specimen": {"block": "B2"}})
        async with delivering(use):
            await until(lambda: len(receiver.got) == 1)
        assert (receiver.types(), receiver.data()[0]["version"]) == (["result.amended"], 2)
        assert [each["version"] for each in log_of(use, id)] == [2]

    run(test)


def test_a_change_of_status_a_sign_off_and_a_move_are_told_to_those_who_asked(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        subscribe(use, receiver, "status.changed", "result.signed", "result.moved", sees="patient")
        result = stored(context, POSITIVE)
        acts.sign_off(context, result, {"name": "Dr A", "role": "pathologist"}, None, None)
        amended(context, result, {"ihc": "1+"})
        identity.move_result(context, result, {"to": "MRN-OTHER", **PERSON}, None, None)
        async with delivering(use):
            await until(lambda: len(receiver.got) == 3)
        assert receiver.types() == ["result.signed", "status.changed", "result.moved"]
        signed, changed, moved = receiver.data()
        assert signed["signed"] is True and changed["signed"] is False
        assert (changed["from"], changed["to"], changed["status"]) == ("positive", "negative", "negative")
        assert moved["from_patient_id"] == signed["patient_id"] != moved["patient_id"]

    run(test)


def test_every_topic_of_a_version_is_known_to_webhooks(context: Context) -> None:
    source = inspect.getsource(joining.cause_of) + inspect.getsource(acts)
    causes = ("reported", "preliminary", "corrected", "cancelled", "amended", "recount", "adjudication")
    assert all(f'"{cause}"' in source for cause in causes)
    assert set(VERSION_TOPICS) == {"result.final", *(f"result.{cause}" for cause in causes)}
    assert topics_of(("status.changed",)) == ("status.changed",)


def test_the_payload_is_of_the_version_it_is_about_and_not_of_now(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        subscribe(use, receiver, "result.final", sees="patient")
        result = stored(context, POSITIVE)
        receiver.answer = lambda message: 503
        async with delivering(use):
            await until(lambda: len(receiver.tried) >= 2)
        acts.sign_off(context, result, {"name": "Dr A", "role": "pathologist"}, None, None)
        identity.move_result(context, result, {"to": "MRN-OTHER", **PERSON}, None, None)
        amended(context, result, {"ihc": "1+"})
        receiver.answer = lambda message: 204
        async with delivering(use):
            await until(lambda: len(receiver.got) == 3)
        first = [body for id, body in zip(receiver.tried, receiver.bodies, strict=True) if id == receiver.tried[0]]
        assert len(first) >= 3 and len(set(first)) == 1, "the same bytes at each attempt"
        assert [each["status"] for each in receiver.data()] == ["positive", "positive", "negative"]
        assert receiver.data()[0]["patient_id"] != receiver.data()[1]["patient_id"]

    run(test)


def test_a_payload_holds_no_identifier_and_the_patients_id_only_where_it_may_be_seen(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        subscribe(use, receiver, sees="nothing")
        case = {**POSITIVE, "specimen": {"accession": "ACC-SECRET", "block": "BLOCK-SECRET"}}
        result = stored(context, case, "MRN-SECRET-9")
        async with delivering(use):
            await until(lambda: len(receiver.got) == 1)
            subscribe(use, receiver, sees="patient", path="/2")
            stored(context, case, "MRN-SECRET-9")
            await until(lambda: len(receiver.got) == 3)
        body = receiver.bodies[0]
        assert b"SECRET" not in b"".join(receiver.bodies)
        assert set(json.loads(body)) == {"type", "timestamp", "data"}
        assert json.loads(body)["data"] == {
            "result_id": result,
            "version": 1,
            "cause": "reported",
            "status": "positive",
            "final": True,
            "her2_low": "not_applicable",
            "signed": False,
            "edition": "asco-cap-2018",
            "links": {
                "result": f"https://herald.test/results/{result}",
                "history": f"https://herald.test/results/{result}/history",
            },
        }
        seeing = [each for each in receiver.data() if "patient_id" in each]
        assert len(seeing) == 1
        assert seeing[0]["links"]["case"] == f"https://herald.test/browser/patients/{seeing[0]['patient_id']}"

    run(test)


def test_events_from_before_a_subscription_are_not_its_own(context: Context, receiver: Receiver) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        stored(context, POSITIVE)
        id = subscribe(use, receiver)
        later = stored(context, NEGATIVE)
        async with delivering(use):
            await until(lambda: len(receiver.got) == 1)
        assert receiver.data()[0]["result_id"] == later
        assert len(log_of(use, id)) == 1

    run(test)
