"""What only a person does: a second count, an adjudication, a sign-off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.api.cases import GROUP_1, GROUP_4, PERSON, POSITIVE, fields_of, problem, recount
from tests.fixtures_service import Service

OTHER_GROUP = {"ratio": "2.4", "her2_copies": "6.4"}


def _do(service: Service, result_id: str, verb: str, body: dict[str, Any], **sent: Any) -> dict[str, Any]:
    response = service.post(f"/results/{result_id}/{verb}", body, **sent)
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    return told


def test_a_blinded_second_count_in_the_same_group_makes_the_answer_final(service: Service) -> None:
    stored = service.report(GROUP_4)
    assert stored["classification"]["next_steps"] == ["blinded_recount_ihc2_area"]
    counted = _do(service, stored["id"], "recounts", recount())
    assert (counted["version"], counted["cause"]) == (2, "recount")
    assert counted["input"]["recount"] == {**recount()["count"], "observer": "Dr B. Counter"}
    answer = counted["classification"]
    assert (answer["status"], answer["final"], answer["comment"], answer["her2_low"]) == ("negative", True, "G4", "low")
    assert counted["open_steps"] == []


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"blinded": False}, "RECOUNT_NOT_BLINDED"),
        ({"blinded": None}, "RECOUNT_NOT_BLINDED"),
        ({"cells": 19}, "RECOUNT_LT_20"),
        ({"cells": None}, "RECOUNT_LT_20"),
        ({"in_ihc_2plus_area": False}, "RECOUNT_AREA_NOT_IHC2"),
        ({"same_observer": True}, "RECOUNT_SAME_OBSERVER"),
        ({"ratio": None}, "RECOUNT_UNUSABLE"),
    ],
)
def test_a_second_count_that_cannot_be_used_is_kept_and_the_step_stays_open(
    service: Service, change: dict[str, Any], flag: str
) -> None:
    stored = service.report(GROUP_4)
    body = recount(**change)
    body["count"] = {name: value for name, value in body["count"].items() if value is not None}
    counted = _do(service, stored["id"], "recounts", body)
    assert flag in counted["classification"]["flags"]
    assert counted["classification"]["status"] == "pending"
    assert [step["awaited"] for step in counted["open_steps"]] == ["blinded_recount_ihc2_area"]


def test_the_observer_of_the_first_count_is_no_second_observer(service: Service) -> None:
    case = {**GROUP_4, "ish": {**GROUP_4["ish"], "observer": "dr b. counter"}}  # type: ignore[dict-item]
    stored = service.report(case)
    counted = _do(service, stored["id"], "recounts", recount())
    assert "RECOUNT_SAME_OBSERVER" in counted["classification"]["flags"]


def test_the_second_recount_is_the_third_count_and_a_further_one_is_a_conflict(service: Service) -> None:
    stored = service.report(GROUP_4)
    second = _do(service, stored["id"], "recounts", recount(**OTHER_GROUP))
    assert second["classification"]["next_steps"] == ["adjudicate_ish_category"]
    third = _do(service, stored["id"], "recounts", recount(ratio="1.6"))
    assert third["input"]["recount"] == second["input"]["recount"]
    assert third["input"]["third_count"]["ratio"] == "1.6"
    assert third["version"] == 3
    problem(service.post(f"/results/{stored['id']}/recounts", recount()), 409, "conflict")
    assert service.get(f"/results/{stored['id']}").json() == third


@pytest.mark.parametrize(("group", "status"), [(1, "positive"), (4, "negative")])
def test_a_counted_group_that_a_person_names_settles_the_answer(service: Service, group: int, status: str) -> None:
    stored = service.report(GROUP_4)
    _do(service, stored["id"], "recounts", recount(**OTHER_GROUP))
    named = _do(service, stored["id"], "adjudications", {**PERSON, "group": group})
    answer = named["classification"]
    assert (answer["status"], answer["final"], answer["ish_group"]) == (status, True, group)
    assert (named["cause"], named["input"]["adjudication"]) == ("adjudication", {"group": group})
    assert named["open_steps"] == []


def test_a_group_that_nobody_counted_is_refused_and_nothing_is_stored(service: Service) -> None:
    stored = service.report(GROUP_4)
    before = _do(service, stored["id"], "recounts", recount(**OTHER_GROUP))
    told = problem(service.post(f"/results/{stored['id']}/adjudications", {**PERSON, "group": 5}), 422, "invalid")
    assert [each["code"] for each in told["problems"]] == ["ADJUDICATION_UNSUPPORTED"]
    assert service.get(f"/results/{stored['id']}").json() == before


def test_a_third_count_makes_its_group_one_that_can_be_named(service: Service) -> None:
    stored = service.report(GROUP_4)
    _do(service, stored["id"], "recounts", recount(**OTHER_GROUP))
    _do(service, stored["id"], "recounts", recount(ratio="1.2", her2_copies="3.1"))
    named = _do(service, stored["id"], "adjudications", {**PERSON, "group": 5})
    assert (named["classification"]["ish_group"], named["classification"]["status"]) == (5, "negative")


def test_a_sign_off_confirms_the_version_and_makes_no_new_one(service: Service) -> None:
    stored = service.report(POSITIVE)
    signed = _do(service, stored["id"], "sign-offs", {**PERSON, "meaning": "Reviewed and released."})
    assert (signed["version"], signed["signed"], signed["confirmation"]) == (1, True, "confirmed")
    (act,) = signed["acts"]
    wanted = {"kind": "sign_off", "name": PERSON["name"], "role": PERSON["role"], "meaning": "Reviewed and released."}
    assert {name: act[name] for name in wanted} == wanted
    assert service.get("/results?signed=true").json()["items"][0]["confirmation"] == "confirmed"
    assert signed["classification"] == stored["classification"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [("amendments", {**PERSON, "changes": {"ish": {"cells": 60}}}), ("recounts", recount())],
)
def test_what_follows_a_sign_off_is_not_confirmed_until_signed_again(
    service: Service, verb: str, body: dict[str, Any]
) -> None:
    stored = service.report(GROUP_4, patient="P-1")
    _do(service, stored["id"], "sign-offs", PERSON)
    changed = _do(service, stored["id"], verb, body)
    assert (changed["signed"], changed["confirmation"]) == (False, "computed, not yet confirmed")
    first, second = service.get(f"/results/{stored['id']}/history").json()["versions"]
    assert (first["signed"], first["confirmation"], second["signed"]) == (True, "confirmed", False)
    assert service.get("/patients/P-1/her2").json()["results"][0]["signed"] is False
    assert _do(service, stored["id"], "sign-offs", PERSON)["confirmation"] == "confirmed"


def test_the_history_tells_each_act_with_name_role_time_and_reason(service: Service) -> None:
    stored = service.report(GROUP_4)
    when = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)
    body = {**recount(**OTHER_GROUP), "reason": "required by the edition", "performed_at": when.isoformat()}
    _do(service, stored["id"], "recounts", body)
    _do(service, stored["id"], "adjudications", {**PERSON, "group": 1})
    _do(service, stored["id"], "sign-offs", PERSON)
    versions = service.get(f"/results/{stored['id']}/history").json()["versions"]
    acts = [act for version in versions for act in version["acts"]]
    assert [act["kind"] for act in acts] == ["recount", "adjudication", "sign_off"]
    counted, named, _ = acts
    assert (counted["name"], counted["role"], counted["reason"]) == (body["name"], body["role"], body["reason"])
    assert datetime.fromisoformat(counted["performed_at"]) == when
    assert counted["detail"]["ratio"] == "2.4"
    assert named["detail"] == {"group": 1}
    assert all(act["recorded_at"] and act["meaning"] for act in acts)
    assert [version["cause"] for version in versions] == ["reported", "recount", "adjudication"]


@pytest.mark.parametrize(
    "when", ["2026-01-01T10:00:00", "2026-01-01", "2099-01-01T00:00:00Z", "soon", 5, "2026-02-30T10:00:00Z"]
)
def test_the_time_of_an_act_has_its_offset_and_is_not_in_the_future(service: Service, when: Any) -> None:
    stored = service.report(POSITIVE)
    response = service.post(f"/results/{stored['id']}/sign-offs", {**PERSON, "performed_at": when})
    assert fields_of(problem(response, 422, "invalid")) == ["performed_at"]


def test_times_of_acts_are_read_on_the_leap_day_too(stateless: Service) -> None:
    with time_machine.travel("2028-02-29T12:00:00+00:00", tick=True):
        body = {**PERSON, "performed_at": "2028-02-29T11:00:00+00:00"}
        problem(stateless.post("/results/none/sign-offs", body), 404, "not_found")


@pytest.mark.parametrize("field", ["name", "role", "reason"])
@pytest.mark.parametrize("value", ["", "   ", "\x00", "a\nb", 1.5, ["x"], True, "x" * 2001])
def test_a_person_is_named_in_printable_words(service: Service, field: str, value: Any) -> None:
    stored = service.report(GROUP_1)
    response = service.post(f"/results/{stored['id']}/sign-offs", {**PERSON, field: value})
    assert fields_of(problem(response, 422, "invalid")) == [field]
    assert service.get(f"/results/{stored['id']}").json()["signed"] is False
