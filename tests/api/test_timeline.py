"""GET /patients/{id}/her2: a patient's HER2 over specimens, never merged into one status."""

from __future__ import annotations

from typing import Any

from tests.api.cases import AWAITS_ISH, GROUP_4, PERSON, POSITIVE, problem
from tests.fixtures_service import Service


def _specimen(day: str, **more: Any) -> dict[str, Any]:
    return {"specimen": {"accession": f"S-{day}", "collected_at": day, **more}}


def test_a_timeline_runs_by_collection_and_names_each_change_of_status(service: Service) -> None:
    reported = [
        service.report({**POSITIVE, **_specimen("2026-03-01", kind="metastasis")}, patient="P-1"),
        service.report({"ihc": "1+", **_specimen("2024-01-01", kind="primary")}, patient="P-1"),
        service.report({**AWAITS_ISH, **_specimen("2025-01-01")}, patient="P-1"),
    ]
    service.report(POSITIVE, patient="P-2")
    told = service.get("/patients/P-1/her2").json()
    assert [row["id"] for row in told["results"]] == [reported[place]["id"] for place in (1, 2, 0)]
    status = [change for change in told["changes"] if change["field"] == "status"]
    assert [(each["from"], each["to"], each["both_final"]) for each in status] == [
        ("negative", "equivocal", False),
        ("equivocal", "positive", False),
    ]
    assert [(each["from_result"], each["to_result"]) for each in status] == [
        (reported[1]["id"], reported[2]["id"]),
        (reported[2]["id"], reported[0]["id"]),
    ]
    assert status[0]["text"] == "HER2 status changed from negative to equivocal"
    low = [change for change in told["changes"] if change["field"] == "her2_low"]
    assert [(each["from"], each["to"]) for each in low] == [("low", "undetermined"), ("undetermined", "not_applicable")]
    assert told["moves"] == told["links"] == []


def test_a_change_between_two_final_answers_is_told_as_such(service: Service) -> None:
    service.report({"ihc": "1+", **_specimen("2024-01-01")}, patient="P-1")
    service.report({**POSITIVE, **_specimen("2026-01-01")}, patient="P-1")
    (change,) = [each for each in service.get("/patients/P-1/her2").json()["changes"] if each["field"] == "status"]
    assert change["both_final"] is True
    assert change["at"].startswith("2026-01-01")


def test_results_of_one_status_have_no_change_between_them(service: Service) -> None:
    for day in ("2024-01-01", "2025-01-01"):
        service.report({**POSITIVE, **_specimen(day)}, patient="P-1")
    assert service.get("/patients/P-1/her2").json()["changes"] == []


def test_a_timeline_is_found_by_id_by_pseudonym_and_by_system(service: Service) -> None:
    plain = service.report(POSITIVE, patient="P 1/ä")
    named = service.report(AWAITS_ISH, patient={"system": "urn:hospital|1", "value": "P 1/ä"})
    by_id = service.get(f"/patients/{plain['patient_id']}/her2").json()
    assert [row["id"] for row in by_id["results"]] == [plain["id"]]
    quoted = "/patients/P%201%2F%C3%A4/her2"
    if service.get(quoted).status_code == 200:  # a slash in a path is decoded before it is routed
        assert service.get(quoted).json() == by_id
    other = service.report(POSITIVE, patient="Pä-2")
    assert service.get("/patients/P%C3%A4-2/her2").json()["patient_id"] == other["patient_id"]
    third = service.report(GROUP_4, patient={"system": "urn:hospital|1", "value": "H-3"})
    found = service.get("/patients/H-3/her2", params={"system": "urn:hospital|1"})
    assert found.json()["patient_id"] == third["patient_id"]
    problem(service.get("/patients/H-3/her2"), 404, "not_found")
    problem(service.get("/patients/H-3/her2", params={"system": "urn:other"}), 404, "not_found")
    problem(service.get(f"/patients/{plain['patient_id']}/her2", params={"system": "urn:other"}), 404, "not_found")
    assert by_id["patient_id"] != named["patient_id"]


def test_a_pseudonym_with_a_slash_can_be_asked_for(service: Service) -> None:
    stored = service.report(POSITIVE, patient="A/1")
    response = service.get("/patients/A%2F1/her2")
    assert response.status_code == 200, response.text
    assert response.json()["patient_id"] == stored["patient_id"]


def test_a_timeline_shows_the_newest_version_and_whether_it_is_signed(service: Service) -> None:
    stored = service.report({**AWAITS_ISH, **_specimen("2026-01-01")}, patient="P-1")
    path = f"/results/{stored['id']}"
    service.post(f"{path}/amendments", {**PERSON, "changes": {"ihc": "3+"}})
    service.post(f"{path}/sign-offs", PERSON)
    (row,) = service.get("/patients/P-1/her2").json()["results"]
    assert (row["version"], row["status"], row["signed"], row["confirmation"]) == (2, "positive", True, "confirmed")


def test_results_without_a_time_of_collection_stand_in_the_order_they_came(service: Service) -> None:
    ids = [service.report(case, patient="P-1")["id"] for case in (POSITIVE, AWAITS_ISH, {"ihc": "1+"})]
    assert [row["id"] for row in service.get("/patients/P-1/her2").json()["results"]] == ids
