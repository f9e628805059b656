"""POST /results/{id}/amendments: a correction is a new version; who, why and what changed can be read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.cases import AWAITS_ISH, GROUP_1, GROUP_4, PERSON, POSITIVE, fields_of, problem, recount
from tests.fixtures_service import Service

SPECIMEN = {"accession": "S-1", "block": "A1", "kind": "primary", "collected_at": "2026-01-02"}


def _amend(service: Service, result_id: str, body: dict[str, Any], **sent: Any) -> Any:
    return service.post(f"/results/{result_id}/amendments", {**PERSON, **body}, **sent)


def _history(service: Service, result_id: str) -> list[dict[str, Any]]:
    versions: list[dict[str, Any]] = service.get(f"/results/{result_id}/history").json()["versions"]
    return versions


def test_a_whole_case_replaces_the_input(service: Service) -> None:
    stored = service.report({**GROUP_4, "specimen": SPECIMEN})
    response = _amend(service, stored["id"], {"case": GROUP_1})
    assert response.status_code == 201
    amended = response.json()
    assert (amended["version"], amended["cause"], amended["input"]) == (2, "amended", GROUP_1)
    assert amended["classification"]["status"] == "positive"
    assert response.headers["etag"] == '"2"'
    assert amended == service.get(f"/results/{stored['id']}").json()


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ({"ihc": "3+"}, {"ihc": "3+", "ish": {"ratio": "1.8", "her2_copies": "4.5"}, "specimen": SPECIMEN}),
        ({"ish": None}, {"ihc": "2+", "specimen": SPECIMEN}),
        (
            {"ish": {"ratio": "1.80"}},
            {"ihc": "2+", "ish": {"ratio": "1.80", "her2_copies": "4.5"}, "specimen": SPECIMEN},
        ),
        (
            {"ish": {"ratio": None, "cep17_copies": "2.5"}, "specimen": {"kind": "nodal", "block": None}},
            {
                "ihc": "2+",
                "ish": {"her2_copies": "4.5", "cep17_copies": "2.5"},
                "specimen": {"accession": "S-1", "kind": "nodal", "collected_at": "2026-01-02"},
            },
        ),
        (
            {"ihc": {"score": "2+", "percent": "15"}},
            {
                "ihc": {"score": "2+", "percent": "15"},
                "ish": {"ratio": "1.8", "her2_copies": "4.5"},
                "specimen": SPECIMEN,
            },
        ),
    ],
)
def test_a_merge_patch_changes_what_it_names(service: Service, changes: dict[str, Any], after: dict[str, Any]) -> None:
    stored = service.report({"ihc": "2+", "ish": {"ratio": "1.8", "her2_copies": "4.5"}, "specimen": SPECIMEN})
    response = _amend(service, stored["id"], {"changes": changes})
    assert response.status_code == 201, response.text
    assert response.json()["input"] == after


@pytest.mark.parametrize("body", [{}, {"case": POSITIVE, "changes": {"ihc": "3+"}}, {"case": None, "changes": None}])
def test_exactly_one_of_case_and_changes_is_needed(service: Service, body: dict[str, Any]) -> None:
    stored = service.report(GROUP_4)
    assert fields_of(problem(_amend(service, stored["id"], body), 422, "invalid")) == ["case"]


def test_an_amendment_to_something_invalid_is_refused_and_the_version_stays(service: Service) -> None:
    stored = service.report(GROUP_4)
    for body in ({"case": {"ihc": "4+"}}, {"changes": {"ish": {"ratio": "0"}}}, {"changes": {"specimen": "x"}}):
        told = problem(_amend(service, stored["id"], body), 422, "invalid")
        assert fields_of(told)[0] in ("ihc", "ish.ratio", "specimen")
    assert service.get(f"/results/{stored['id']}").json() == stored


def test_the_history_keeps_every_version_and_names_each_change_with_person_and_reason(service: Service) -> None:
    stored = service.report({**AWAITS_ISH, "specimen": SPECIMEN})
    _amend(service, stored["id"], {"changes": {"ish": GROUP_4["ish"]}, "reason": "ISH arrived"})
    _amend(
        service,
        stored["id"],
        {"changes": {"ish": {"ratio": "2.50", "her2_copies": "6.5"}}, "reason": "typing error", "name": "Dr C"},
    )
    first, second, third = _history(service, stored["id"])
    assert first["input"] == stored["input"]
    assert first["classification"] == stored["classification"]
    assert [each["version"] for each in (first, second, third)] == [1, 2, 3]
    assert (second["name"], second["role"], second["reason"]) == (PERSON["name"], PERSON["role"], "ISH arrived")
    assert (third["name"], third["reason"]) == ("Dr C", "typing error")
    assert first["changes"] == []
    assert second["changes"] == [{"field": "ish", "before": None, "after": GROUP_4["ish"]}]
    assert third["changes"] == [
        {"field": "ish.her2_copies", "before": "4.5", "after": "6.5"},
        {"field": "ish.ratio", "before": "1.80", "after": "2.50"},
    ]
    assert [each["classification"]["status"] for each in (first, second, third)] == ["equivocal", "pending", "positive"]
    assert len({each["digest"] for each in (first, second, third)}) == 3


def test_the_laboratory_stays_unless_another_is_named(service: Service) -> None:
    stored = service.report(GROUP_4, laboratory="North")
    assert _amend(service, stored["id"], {"changes": {"ihc": "3+"}}).json()["laboratory"] == "North"
    assert _amend(service, stored["id"], {"changes": {"ihc": "1+"}, "laboratory": "West"}).json()["laboratory"] == (
        "West"
    )


def test_digits_survive_amendments(service: Service) -> None:
    stored = service.report({"ihc": "2+", "ish": {"ratio": "1.80", "her2_copies": "4.50", "cells": 40}})
    amended = _amend(service, stored["id"], {"changes": {"ish": {"cells": 60}}}).json()
    assert amended["input"]["ish"] == {"ratio": "1.80", "her2_copies": "4.50", "cells": 60}


# ---- If-Match

VERBS = [
    ("amendments", {**PERSON, "changes": {"ish": {"cells": 50}}}),
    ("recounts", recount()),
    ("adjudications", {**PERSON, "group": 4}),
    ("sign-offs", PERSON),
]


@pytest.mark.parametrize(("verb", "body"), VERBS)
@pytest.mark.parametrize("tag", ['"1"', "*", None])
def test_the_tag_that_was_read_or_a_star_or_none_lets_a_change_pass(
    service: Service, verb: str, body: dict[str, Any], tag: str | None
) -> None:
    stored = service.report(GROUP_4)
    headers = {} if tag is None else {"If-Match": tag}
    response = service.post(f"/results/{stored['id']}/{verb}", body, headers=headers)
    assert response.status_code == 201, response.text
    assert response.headers["etag"] == ('"1"' if verb == "sign-offs" else '"2"')


@pytest.mark.parametrize(("verb", "body"), VERBS)
def test_a_stale_tag_is_told_with_the_version_that_is_current(
    service: Service, verb: str, body: dict[str, Any]
) -> None:
    stored = service.report(GROUP_4)
    assert _amend(service, stored["id"], {"changes": {"ish": {"cells": 60}}}).status_code == 201
    for tag in ('"1"', '"3"', '"0"'):
        response = service.post(f"/results/{stored['id']}/{verb}", body, headers={"If-Match": tag})
        assert problem(response, 412, "stale")["current_version"] == 2
    assert len(_history(service, stored["id"])) == 2


@pytest.mark.parametrize("tag", ["1", '"one"', '"-1"', '"1', "", '"1.0"', '"99999999999999999999"', "''", '"1" x'])
def test_a_tag_that_cannot_be_read_is_refused_and_nothing_is_changed(service: Service, tag: str) -> None:
    stored = service.report(GROUP_4)
    response = _amend(service, stored["id"], {"changes": {"ihc": "3+"}}, headers={"If-Match": tag})
    assert response.status_code in (412, 422), response.text
    assert response.headers["content-type"] == "application/problem+json"
    if response.status_code == 422:
        assert fields_of(response.json()) == ["If-Match"]
    assert service.get(f"/results/{stored['id']}").json() == stored


def test_every_answer_about_one_result_carries_its_tag(service: Service) -> None:
    posted = service.post("/results", {"patient": "P", **GROUP_4})
    path = posted.headers["location"]
    answers = [
        posted,
        service.get(path),
        service.post(f"{path}/recounts", recount()),
        service.post(f"{path}/adjudications", {**PERSON, "group": 4}),
        service.post(f"{path}/amendments", {**PERSON, "changes": {"ish": {"cells": 60}}}),
        service.post(f"{path}/sign-offs", PERSON),
        service.post(f"{path}/re-evaluations", {"edition": "asco-cap-2013"}),
        service.get(path),
    ]
    tags = ['"1"', '"1"', '"2"', '"3"', '"4"', '"4"', '"4"', '"4"']
    assert [answer.headers.get("etag") for answer in answers] == tags


def test_of_two_corrections_of_the_same_version_one_wins_and_the_other_is_told(service: Service) -> None:
    stored = service.report(GROUP_4)
    tag = {"If-Match": '"1"'}
    codes = [
        _amend(service, stored["id"], {"changes": {"ish": {"cells": cells}}}, headers=tag).status_code
        for cells in (50, 60)
    ]
    assert codes == [201, 412]
    assert service.get(f"/results/{stored['id']}").json()["input"]["ish"]["cells"] == 50
