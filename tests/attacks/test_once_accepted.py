"""Requests that were once answered although they say something that cannot be meant: each is refused by name."""

from __future__ import annotations

import pytest

from tests.api.cases import GROUP_4, PERSON, POSITIVE, fields_of, problem
from tests.fixtures_service import Service

BLOCKS = (
    "specimen", "ihc", "ish", "follow_up_ish", "recount", "third_count", "adjudication", "cluster", "context", "policy",
)  # fmt: skip
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("value", [1, None])
@pytest.mark.parametrize("block", BLOCKS)
def test_an_unknown_field_in_a_block_is_refused_whatever_its_value(
    stateless: Service, block: str, value: int | None
) -> None:
    response = stateless.post("/her2/classify", {"ihc": "2+", block: {"surprise": value}})
    told = problem(response, 422, "invalid")
    assert f"{block}.surprise" in fields_of(told)


def test_an_amendment_that_changes_nothing_but_an_unknown_field_makes_no_version(service: Service) -> None:
    stored = service.report(POSITIVE)
    told = {**PERSON, "reason": "a reason", "changes": {"recount": {"surprise": None}}}
    response = service.post(f"/results/{stored['id']}/amendments", told)
    assert response.status_code in (409, 422), response.text[:300]
    assert service.get(f"/results/{stored['id']}").json()["version"] == 1


@pytest.mark.parametrize("query", ["accession=%ff", "accession=%ED%A0%80", "laboratory=a%c3"])
def test_a_query_that_is_not_utf_8_is_refused(service: Service, query: str) -> None:
    service.report(GROUP_4, specimen={"accession": "\ufffd"})
    told = problem(service.get(f"/results?{query}"), 422, "invalid")
    assert query.split("=")[0] in fields_of(told)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "nonsense"])
def test_a_body_said_to_be_compressed_is_refused_as_such(stateless: Service, coding: str) -> None:
    headers = {**JSON, "Content-Encoding": coding}
    problem(stateless.request("POST", "/her2/classify", content=b'{"ihc": "2+"}', headers=headers), 415, "unsupported")


def test_an_empty_system_of_a_pseudonym_is_refused(service: Service) -> None:
    stored = service.report(POSITIVE, patient="P-system")
    assert stored["patient_id"]
    told = problem(service.get("/patients/P-system/her2?system="), 422, "invalid")
    assert "system" in fields_of(told)


def test_an_unescaped_0_plus_in_a_query_is_not_taken_for_0(stateless: Service) -> None:
    told = problem(stateless.get("/her2/classify?ihc=0+"), 422, "invalid")
    assert fields_of(told) == ["ihc"]
    assert stateless.get("/her2/classify?ihc=2+").json()["ish_group"] is None
