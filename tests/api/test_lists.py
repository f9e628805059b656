"""GET /results: every filter, and pages that make up the whole list while others write."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.cases import AWAITS_ISH, GROUP_1, GROUP_4, GROUP_5, NEGATIVE, PERSON, POSITIVE, fields_of, problem
from tests.fixtures_service import Service, Start


def _ids(service: Service, path: str = "/results", **query: Any) -> list[str]:
    response = service.get(path, params=query)
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()["items"]]


def _pages(service: Service, path: str, limit: int, **query: Any) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        asked = {**query, "limit": limit, **({"cursor": cursor} if cursor else {})}
        page = service.get(path, params=asked).json()
        pages.append([each["id"] for each in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return pages


CASES = {
    "awaits": AWAITS_ISH,
    "positive": {**POSITIVE, "specimen": {"accession": "S 1/26+ä", "block": "A1", "collected_at": "2026-01-10"}},
    "group 1": {**GROUP_1, "specimen": {"collected_at": "2026-01-11T00:30:00+02:00"}},
    "group 4": {**GROUP_4, "specimen": {"collected_at": "2026-01-20"}},
    "group 5": {**GROUP_5, "edition": "asco-cap-2013"},
    "review": {"ihc": "3+", "ish": {"ratio": "1.2", "her2_copies": "2.4", "cells": 40}},
    "ultralow": {"ihc": "0+"},
}


@pytest.fixture
def listed(service: Service) -> tuple[Service, dict[str, dict[str, Any]]]:
    """One result of each kind; the positive one is another laboratory's and signed."""
    stored = {
        name: service.report(case, laboratory="South ü" if name == "positive" else "North")
        for name, case in CASES.items()
    }
    assert service.post(f"/results/{stored['positive']['id']}/sign-offs", PERSON).status_code == 201
    return service, stored


def test_each_filter_narrows_to_the_rows_that_have_what_it_names(
    listed: tuple[Service, dict[str, dict[str, Any]]],
) -> None:
    service, stored = listed
    rows = service.get("/results").json()["items"]
    assert [row["id"] for row in rows] == [stored[name]["id"] for name in reversed(CASES)]
    for name in ("status", "final", "her2_low", "ish_group", "edition", "review_required", "signed", "laboratory"):
        values = {row[name] for row in rows if row[name] is not None}
        assert len(values) > 1, f"the cases do not tell {name} apart"
        for value in values:
            asked = str(value).lower() if isinstance(value, bool) else value
            assert _ids(service, **{name: asked}) == [row["id"] for row in rows if row[name] == value], (name, value)


def test_filters_of_identity_and_time_narrow_too(listed: tuple[Service, dict[str, dict[str, Any]]]) -> None:
    service, stored = listed

    def named(*names: str) -> list[str]:
        return [stored[name]["id"] for name in names]

    assert _ids(service, accession="S 1/26+ä") == named("positive")
    assert _ids(service, accession="S 1/26") == []
    assert _ids(service, patient_id=stored["review"]["patient_id"]) == named("review")
    assert _ids(service, patient_id="none") == []
    assert _ids(service, collected_from="2026-01-10") == named("group 4", "group 1", "positive")
    assert _ids(service, collected_from="2026-01-11") == named("group 4")  # 00:30+02:00 is the tenth in UTC
    assert _ids(service, collected_before="2026-01-11") == named("group 1", "positive")
    assert _ids(service, collected_from="2026-01-10T22:30:00Z", collected_before="2026-01-20") == named("group 1")
    soon, past = (datetime.now(UTC) + timedelta(hours=1)).isoformat(), "2020-01-01"
    assert len(_ids(service, created_from=past, created_before=soon)) == len(CASES)
    assert _ids(service, created_from=soon) == _ids(service, created_before=past) == []
    newest = stored["ultralow"]["created_at"]
    assert _ids(service, created_from=newest) == named("ultralow")  # the start belongs, the end does not
    assert named("ultralow")[0] not in _ids(service, created_before=newest)
    assert _ids(service, status="positive", signed="false", final="true") == named("group 1")


def test_filters_look_at_the_newest_version_only(service: Service) -> None:
    stored = service.report(AWAITS_ISH)
    assert _ids(service, status="equivocal") == [stored["id"]]
    amended = service.post(f"/results/{stored['id']}/amendments", {**PERSON, "case": POSITIVE})
    assert amended.status_code == 201
    assert _ids(service, status="equivocal") == []
    assert _ids(service, status="positive") == [stored["id"]]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 9), status=st.sampled_from([None, "positive", "negative"]))
def test_pages_joined_are_the_whole_list(service: Service, limit: int, status: str | None) -> None:
    """The list only grows between examples; each example pages through what is there."""
    for case in (POSITIVE, NEGATIVE, POSITIVE):
        service.report(case)
    query = {"status": status} if status else {}
    whole = _ids(service, limit=500, **query)
    pages = _pages(service, "/results", limit, **query)
    assert [each for page in pages for each in page] == whole
    assert all(len(page) == limit for page in pages[:-1])
    assert len(set(whole)) == len(whole)


def test_pages_have_no_doubles_and_no_gaps_while_rows_are_added(service: Service) -> None:
    before = [service.report(POSITIVE)["id"] for _ in range(25)]
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            service.report(NEGATIVE, patient="writer")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(5):
            seen = [each for page in _pages(service, "/results", 4) for each in page]
            assert len(set(seen)) == len(seen)
            assert [each for each in seen if each in set(before)] == before[::-1]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert len(_ids(service, limit=500)) > len(before)


def test_pages_of_open_steps_joined_are_the_whole_list(service: Service) -> None:
    for _ in range(5):
        service.report(AWAITS_ISH)
        service.report(GROUP_4)
    whole = _ids(service, "/open-steps", limit=500)
    assert len(whole) == 10
    for limit in (1, 3, 10, 11):
        assert [each for page in _pages(service, "/open-steps", limit) for each in page] == whole


def test_a_cursor_is_good_for_its_own_list_filters_and_organisation_alone(start: Start, shared_url: str) -> None:
    north, south = start(shared_url, organisation="north"), start(shared_url, organisation="south")
    for service in (north, south):
        for _ in range(3):
            service.report(AWAITS_ISH)
    cursor = north.get("/results?limit=1").json()["next_cursor"]
    assert north.get("/results", params={"cursor": cursor}).status_code == 200
    for service, path, more in (
        (north, "/results", {"status": "equivocal"}),
        (north, "/open-steps", {}),
        (south, "/results", {}),
    ):
        told = problem(service.get(path, params={"cursor": cursor, **more}), 422, "bad_cursor")
        assert fields_of(told) == ["cursor"]


@pytest.mark.parametrize("cursor", ["x", "", "AAAA", "%00", "é", "A" * 1000, "eyJhIjoxfQ", "..", "' OR 1=1 --"])
def test_a_damaged_cursor_is_refused(service: Service, cursor: str) -> None:
    service.report(POSITIVE)
    assert fields_of(problem(service.get("/results", params={"cursor": cursor}), 422, "bad_cursor")) == ["cursor"]


@pytest.mark.parametrize("limit", [1, 500])
def test_limits_that_are_allowed(service: Service, limit: int) -> None:
    stored = [service.report(POSITIVE)["id"] for _ in range(3)]
    assert _ids(service, limit=limit) == stored[::-1][:limit]
    page = service.get("/results", params={"limit": 3}).json()
    assert page["next_cursor"] is None  # nothing follows, and the answer says so
