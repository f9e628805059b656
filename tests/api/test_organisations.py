"""Two organisations in one database: neither sees, changes or disturbs the other."""

from __future__ import annotations

import pytest

from tests.api.cases import AWAITS_ISH, GROUP_4, PERSON, POSITIVE, problem, recount
from tests.fixtures_service import Service, Start

Two = tuple[Service, Service]


@pytest.fixture
def two(start: Start, shared_url: str) -> Two:
    return start(shared_url, organisation="north"), start(shared_url, organisation="south")


def test_nothing_of_another_organisation_is_read(two: Two) -> None:
    north, south = two
    stored = north.report({**AWAITS_ISH, "specimen": {"accession": "S-1"}}, patient="P-1")
    for path in (
        f"/results/{stored['id']}",
        f"/results/{stored['id']}/history",
        "/patients/P-1/her2",
        f"/patients/{stored['patient_id']}/her2",
    ):
        problem(south.get(path), 404, "not_found")
    problem(south.post(f"/results/{stored['id']}/replay"), 404, "not_found")
    for path in (
        "/results",
        "/results?accession=S-1",
        f"/results?patient_id={stored['patient_id']}",
        "/open-steps",
        f"/open-steps?result_id={stored['id']}",
    ):
        assert south.get(path).json()["items"] == [], path
        assert len(north.get(path).json()["items"]) == 1, path


def test_nothing_of_another_organisation_is_changed(two: Two) -> None:
    north, south = two
    stored = north.report(GROUP_4)
    history = north.get(f"/results/{stored['id']}/history").json()
    for verb, body in (
        ("amendments", {**PERSON, "changes": {"ihc": "3+"}}),
        ("recounts", recount()),
        ("adjudications", {**PERSON, "group": 4}),
        ("sign-offs", PERSON),
        ("re-evaluations", {"edition": "asco-cap-2013"}),
    ):
        for headers in ({}, {"If-Match": '"1"'}, {"If-Match": "*"}):
            response = south.post(f"/results/{stored['id']}/{verb}", body, headers=headers)
            problem(response, 404, "not_found")
    assert north.get(f"/results/{stored['id']}/history").json() == history


def test_equal_keys_and_patients_live_side_by_side(two: Two) -> None:
    north, south = two
    answers = [
        service.post("/results", {"patient": "P-1", **case}, key="k-1")
        for service, case in ((north, POSITIVE), (south, AWAITS_ISH))
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["patient_id"] != answers[1].json()["patient_id"]
    again = south.post("/results", {"patient": "P-1", **AWAITS_ISH}, key="k-1")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == answers[1].json()
    for service, answer in zip(two, answers, strict=True):
        (row,) = service.get("/patients/P-1/her2").json()["results"]
        assert row["id"] == answer.json()["id"]
        assert [each["id"] for each in service.get("/results").json()["items"]] == [answer.json()["id"]]


def test_a_missing_result_and_one_of_another_organisation_look_the_same(two: Two) -> None:
    north, south = two
    stored = north.report(POSITIVE)
    foreign, missing = south.get(f"/results/{stored['id']}"), south.get("/results/none")
    assert foreign.json() == missing.json()
    assert "etag" not in foreign.headers
