"""Classifications back to the LIS over MLLP, read by another parser; versions in order whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import hl7
import pytest

from app.mllp.client import Client
from app.mllp.oru import OruDestination
from app.records.outbox import Outbox, Wanted
from app.records.store import Store
from app.services.acts import amend, sign_off
from app.services.deliveries import Deliveries, Patience
from app.services.oru import Parties
from app.services.reporting import Context, report
from tests.mllp.receiver import Receiver, acknowledgement, field, receiving
from tests.mllp.wire import Log, run, until

QUICK = Patience(first=0.02, most=0.1, poll=0.01)
WHO = {"name": "Dr A", "role": "pathologist", "reason": "agreed"}
CASE = {
    "patient": {"system": "urn:oid:1.2.3", "value": "P-1"},
    "laboratory": "North",
    "specimen": {"accession": "S26-1", "block": "A1"},
    "ihc": "3+",
}


@pytest.fixture
def context(store: Store) -> Context:
    return Context(store, "north")


@contextlib.asynccontextmanager
async def delivering(context: Context, receiver: Receiver, seconds: float = 5.0, **more: Any) -> AsyncIterator[None]:
    client = Client("127.0.0.1", receiver.port, seconds=seconds)
    destination = OruDestination(context, client, Parties("HERALD|H", "LIS|N"), seconds=seconds, **more)
    deliveries = Deliveries(context, [destination], log=Log(), patience=QUICK)
    deliveries.start()
    try:
        yield
    finally:
        await deliveries.stop()
        client.close()


def corrected(context: Context) -> str:
    """Reported positive, signed, amended to negative, signed: four lines. The result's id."""
    result = report(context, CASE, None).result_id
    assert result is not None
    sign_off(context, result, WHO, None, 1)
    amend(context, result, {**WHO, "changes": {"ihc": "1+"}}, None, 1)
    sign_off(context, result, WHO, None, 2)
    return result


def states(receiver: Receiver) -> list[tuple[str, str]]:
    """OBX-11 and OBX-5 of each message."""
    return [(field(each, "OBX", 11), field(each, "OBX", 5).split("^")[0]) for each in receiver.got]


def test_each_version_goes_back_with_what_it_replaces(context: Context) -> None:
    async def test() -> None:
        result = corrected(context)
        async with receiving() as receiver, delivering(context, receiver):
            await until(lambda: len(receiver.got) == 4)
        assert states(receiver) == [("P", "LA6576-8"), ("F", "LA6576-8"), ("X", ""), ("C", "LA6577-6")]
        read = hl7.parse(receiver.got[-1].decode())
        assert str(read.segment("MSH")[5]) == "LIS" and str(read.segment("PID")[3]).startswith("P-1^^^&1.2.3&ISO")
        assert str(read.segment("OBR")[3]) == "S26-1"
        assert result in receiver.got[0].decode()

    run(test)


@pytest.mark.parametrize("trouble", ["refused", "silent", "wrong id", "AE", "no acknowledgement"])
def test_the_order_holds_through_every_trouble_and_a_repetition_is_the_same_message(
    context: Context, trouble: str
) -> None:
    answers = {
        "silent": lambda sent: None,
        "wrong id": lambda sent: acknowledgement(sent, to="another"),
        "AE": lambda sent: acknowledgement(sent, "AE", error="207"),
        "no acknowledgement": lambda sent: b"OK",
    }

    async def test() -> None:
        corrected(context)
        async with receiving() as receiver:
            if trouble == "refused":
                await receiver.stop()
            else:
                receiver.answer = answers[trouble]
            seconds = 0.1 if trouble == "silent" else 5.0
            async with delivering(context, receiver, seconds):
                if trouble == "refused":
                    await until(lambda: attempts(context) >= 2)
                    await receiver.start()
                else:
                    await until(lambda: len(receiver.got) >= 3)
                    assert len(set(receiver.got)) == 1
                    receiver.answer = acknowledgement
                await until(lambda: len(set(receiver.got)) == 4)
            told = list(dict.fromkeys(states(receiver)))
            assert told == [("P", "LA6576-8"), ("F", "LA6576-8"), ("X", ""), ("C", "LA6577-6")]
            ids = [field(each, "MSH", 10) for each in dict.fromkeys(receiver.got)]
            assert len(set(ids)) == 4 and all(len(each) <= 20 for each in ids)

    run(test)


def attempts(context: Context) -> int:
    with context.store.reading(context.organisation) as reading:
        far = datetime(2999, 1, 1, tzinfo=UTC)
        found = Outbox(reading).due(Wanted("oru", ("result.",)), far)
        return found[0].attempts if found else 0


def test_nothing_from_before_the_receivers_time_is_sent(context: Context) -> None:
    async def test() -> None:
        report(context, CASE, None)
        since = datetime.now(UTC)
        report(context, {**CASE, "specimen": {"accession": "S26-2"}}, None)
        async with receiving() as receiver, delivering(context, receiver, since=since):
            await until(lambda: len(receiver.got) == 1)
        assert field(receiver.got[0], "OBR", 3) == "S26-2"

    run(test)


def test_a_laboratory_without_sign_off_tells_its_answers_as_final(store: Store) -> None:
    context = Context(store, "north", sign_off=False)

    async def test() -> None:
        report(context, CASE, None)
        async with receiving() as receiver, delivering(context, receiver):
            await until(lambda: len(receiver.got) == 1)
        assert states(receiver) == [("F", "LA6576-8")]

    run(test)
