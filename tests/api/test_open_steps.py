"""GET /open-steps: every answer that is not final waits there, and leaves by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.api.cases import AWAITS_ISH, GROUP_4, PERSON, POSITIVE, recount
from tests.fixtures_service import Service, Start


def _open(service: Service, **query: Any) -> list[dict[str, Any]]:
    response = service.get("/open-steps", params=query)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


def _amend(service: Service, result_id: str, changes: dict[str, Any]) -> dict[str, Any]:
    response = service.post(f"/results/{result_id}/amendments", {**PERSON, "changes": changes})
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    return told


def test_each_next_step_of_an_answer_that_is_not_final_is_a_row(service: Service) -> None:
    stored = service.report(AWAITS_ISH)
    (step,) = _open(service)
    assert stored["open_steps"] == [step]
    assert (step["result_id"], step["awaited"]) == (stored["id"], "reflex_ish_or_new_specimen")
    assert step["text"] and step["who"] == "laboratory"
    assert step["closed_at"] is step["closed_cause"] is None


def test_a_final_answer_waits_for_nothing(service: Service) -> None:
    assert service.report(POSITIVE)["open_steps"] == []
    advice = {"ihc": "1+", "specimen": {"fixation_hours": "100"}}
    stored = service.report(advice)
    assert stored["classification"]["next_steps"] == ["consider_repeat"]
    assert stored["classification"]["final"] is True
    assert _open(service) == []


@pytest.mark.parametrize("days", [1, 14])
def test_a_step_is_due_by_the_setting(start: Start, shared_url: str, days: int) -> None:
    (step,) = start(shared_url, step_due_days=days).report(AWAITS_ISH)["open_steps"]
    since, due = (datetime.fromisoformat(step[name]) for name in ("since", "due_at"))
    assert due - since == timedelta(days=days)
    assert abs(since - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_step_that_is_still_awaited_keeps_its_since_and_due(service: Service) -> None:
    with time_machine.travel("2026-01-01T00:00:00+00:00", tick=True):
        stored = service.report(GROUP_4)
    (before,) = stored["open_steps"]
    (after,) = _amend(service, stored["id"], {"ish": {"cells": 60}})["open_steps"]
    assert [after[name] for name in ("awaited", "since", "due_at", "who")] == [
        before[name] for name in ("awaited", "since", "due_at", "who")
    ]
    assert len(_open(service)) == 1
    first, second = service.get(f"/results/{stored['id']}/history").json()["versions"]
    assert [step["closed_cause"] for step in first["open_steps"]] == ["replaced"]
    assert [step["closed_cause"] for step in second["open_steps"]] == [None]


def test_a_step_closes_by_itself_when_what_it_awaits_arrives(service: Service) -> None:
    stored = service.report(AWAITS_ISH)
    counted = _amend(service, stored["id"], {"ish": GROUP_4["ish"]})
    assert [step["awaited"] for step in counted["open_steps"]] == ["blinded_recount_ihc2_area"]
    assert service.post(f"/results/{stored['id']}/recounts", recount()).status_code == 201
    assert _open(service) == []
    first, second, third = service.get(f"/results/{stored['id']}/history").json()["versions"]
    closed = [step for version in (first, second) for step in version["open_steps"]]
    assert [(step["awaited"], step["closed_cause"]) for step in closed] == [
        ("reflex_ish_or_new_specimen", "arrived"),
        ("blinded_recount_ihc2_area", "arrived"),
    ]
    assert all(step["closed_at"] >= step["since"] for step in closed)
    assert third["open_steps"] == []


def test_a_step_opens_again_when_a_correction_takes_the_result_away(service: Service) -> None:
    stored = service.report(POSITIVE)
    reopened = _amend(service, stored["id"], {"ihc": "2+"})
    assert [step["awaited"] for step in reopened["open_steps"]] == ["reflex_ish_or_new_specimen"]
    assert [step["result_id"] for step in _open(service)] == [stored["id"]]


def test_a_refused_or_dry_request_opens_and_closes_nothing(service: Service) -> None:
    stored = service.report(AWAITS_ISH)
    before = _open(service)
    service.post("/results?dry_run=true", {"patient": "P", **GROUP_4})
    service.post("/results", {"patient": "P", "ihc": "4+"})
    service.post(f"/results/{stored['id']}/amendments", {**PERSON, "changes": {"ihc": "4+"}})
    service.post(f"/results/{stored['id']}/re-evaluations", {"edition": "asco-cap-2007"})
    assert _open(service) == before


def test_steps_are_listed_the_first_due_first_and_narrowed_by_every_filter(service: Service) -> None:
    stored = []
    for day, case in ((3, AWAITS_ISH), (1, GROUP_4), (2, AWAITS_ISH)):
        with time_machine.travel(f"2026-01-0{day}T12:00:00+00:00", tick=True):
            stored.append(service.report(case)["id"])
    late, early, middle = stored
    assert [step["result_id"] for step in _open(service)] == [early, middle, late]
    assert [step["result_id"] for step in _open(service, awaited="blinded_recount_ihc2_area")] == [early]
    assert [step["result_id"] for step in _open(service, who="second observer")] == [early]
    assert [step["result_id"] for step in _open(service, who="nobody")] == []
    assert [step["result_id"] for step in _open(service, result_id=late)] == [late]
    due = _open(service)[1]["due_at"]
    assert [step["result_id"] for step in _open(service, due_before=due)] == [early]
    assert [step["result_id"] for step in _open(service, due_before="2026-01-17", awaited="perform_dual_probe")] == []


def test_every_not_final_answer_has_a_row_and_no_final_one_has(service: Service) -> None:
    cases: list[dict[str, Any]] = [
        {},
        AWAITS_ISH,
        GROUP_4,
        POSITIVE,
        {"ihc": "indeterminate"},
        {"ihc": "1+", "ratio": "2.5", "copies": "6.5", "cells": 40},
        {"ratio": "2.5", "copies": "4.5", "cells": 40},
        {"ish": {"assay": "single_probe", "her2_copies": "5"}},
        {"ish": {"failed": True}},
        {"ihc": "3+", "ratio": "2.5"},
        {"ihc": "1+", "ratio": "1.2", "copies": "2.4", "cells": 10},
        {"ihc": "2+", "ratio": "1.9", "copies": "3", "cells": 20, "edition": "asco-cap-2007"},
    ]
    for case in cases:
        stored = service.report(case)
        answer = stored["classification"]
        awaited = [step["awaited"] for step in stored["open_steps"]]
        assert awaited == ([] if answer["final"] else answer["next_steps"]), case
        assert answer["final"] or awaited, f"not final, and nobody is asked for anything: {case}"
