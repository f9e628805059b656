"""How far an observation has come goes with its fact; what is taken back is told as None (interop.md 2.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.interop.received import Status
from tests.interop.feeds.messages import facts, item, loinc, mapped, quantity, text, waits

IHC = loinc("85319-2")


@pytest.mark.parametrize("status", ["preliminary", "final", "corrected"])
def test_the_status_goes_with_the_value(status: Status) -> None:
    told = mapped(item(IHC, values=(text("2+"),), status=status))
    (fact,) = [each for each in told.parts[0].facts if each.field == "ihc.score"]
    assert (fact.value, fact.status) == ("2+", status)


@pytest.mark.parametrize("status", ["cancelled", "deleted", "wrong"])
@pytest.mark.parametrize("values", [(), (text("2+"),)])
def test_what_is_taken_back_has_no_value(status: Status, values: tuple) -> None:  # type: ignore[type-arg]
    told = mapped(item(IHC, values=values, status=status))
    (fact,) = [each for each in told.parts[0].facts if each.field == "ihc.score"]
    assert (fact.value, fact.status, told.problems) == (None, status, ())


def test_promoted_without_a_value_makes_the_value_before_final() -> None:
    told = mapped(item(IHC, status="promoted"))
    (fact,) = [each for each in told.parts[0].facts if each.field == "ihc.score"]
    assert (fact.value, fact.status) == (None, "promoted")


def test_a_document_taken_back_takes_back_the_lines_that_it_shows() -> None:
    """And not what another report gave."""
    shown = (text("HER2/CEP17 ratio: 2.4", 1), text("HER2 by ISH recount", 2), text("HER2/CEP17 ratio: 2.1", 3))
    told = mapped(item(loinc("22637-3"), values=shown, status="wrong"))
    assert (facts(told), told.problems) == ({"ish.ratio": None, "recount.ratio": None}, ())


@pytest.mark.parametrize("values", [(), (text("Report withdrawn."),)])
@pytest.mark.parametrize("status", ["deleted", "cancelled", "wrong", "promoted"])
def test_a_document_taken_back_that_shows_no_value_waits(status: Status, values: tuple) -> None:  # type: ignore[type-arg]
    """What it had given cannot be told, so a person says it."""
    told = mapped(item(loinc("22637-3"), values=values, status=status))
    assert (told.parts, waits(told)) == ((), {"AMBIGUOUS"})


@pytest.mark.parametrize(("first", "second"), [("deleted", "final"), ("final", "deleted"), ("wrong", "corrected")])
def test_a_value_that_replaces_one_taken_back_stands(first: Status, second: Status) -> None:
    told = mapped(
        item(IHC, values=(text("3+"),), status=first), item(IHC, values=(text("3+"),), status=second, where="OBX[2]")
    )
    assert (facts(told), told.problems) == ({"ihc.score": "3+"}, ())


def test_one_value_preliminary_and_final_is_final() -> None:
    told = mapped(item(IHC, values=(text("2+"),), status="preliminary"), item(IHC, values=(text("2+"),)))
    (fact,) = [each for each in told.parts[0].facts if each.field == "ihc.score"]
    assert (fact.value, fact.status, told.problems) == ("2+", "final", ())


def test_the_time_is_the_item_s_own_in_utc() -> None:
    at = datetime(2026, 11, 3, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    later = datetime(2026, 11, 4, tzinfo=UTC)
    told = mapped(item(IHC, values=(text("2+"),), at=at), item(loinc("49683-6"), values=(quantity("1.2"),)), at=later)
    times = {each.field: each.at for each in told.parts[0].facts}
    assert times["ihc.score"] == "2026-11-02T23:00:00.000000+00:00"
    assert times["ish.ratio"] == "2026-11-04T00:00:00.000000+00:00"
