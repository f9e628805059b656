"""The evidence by itself: weighed for a context, searched, cited, and handed out in formats that agree."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import quote

import pytest
from fhir.resources.R4B.citation import Citation
from fhir.resources.R4B.evidence import Evidence

from tests.api.cases import POSITIVE, fields_of, problem
from tests.fixtures_service import Service

METASTATIC = {"er": "positive", "setting": "metastatic"}
PACK = "/evidence/packs/alataki-dowsett-2022"


def weighed(service: Service, **body: Any) -> dict[str, Any]:
    response = service.post("/considerations", body)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def ids(told: dict[str, Any]) -> list[str]:
    return [each["id"] for each in told["considerations"]]


# POST and GET /considerations


def test_a_class_a_case_and_a_stored_result_are_weighed_alike(service: Service) -> None:
    stored = service.report(POSITIVE)
    by_class = weighed(service, her2={"status": "positive", "final": True, "ihc": "3+"}, context=METASTATIC)
    by_case = weighed(service, case={"ihc": "3+"}, context=METASTATIC)
    by_result = weighed(service, result_id=stored["id"], context=METASTATIC)
    assert by_class["her2"] == by_case["her2"] == by_result["her2"] == "positive"
    assert ids(by_class) == ids(by_case) == ids(by_result) != []
    beside = service.post("/her2/classify", {"ihc": "3+", "context": METASTATIC}).json()["considerations"]
    assert by_case["considerations"] == beside["considerations"]


def test_the_query_answers_as_the_body(stateless: Service) -> None:
    asked = "status=positive&final=true&er=positive&setting=metastatic&line=1&biomarkers_positive=pik3ca_mutation"
    got = stateless.get(f"/considerations?{asked}&prior_therapies=trastuzumab%3B%20chemotherapy").json()
    context = {**METASTATIC, "line": 1, "biomarkers": {"pik3ca_mutation": "positive"}}
    context["prior_therapies"] = ["trastuzumab", "chemotherapy"]
    assert got == weighed(stateless, her2={"status": "positive", "final": True}, context=context)


@pytest.mark.parametrize("status", ["equivocal", "pending", "indeterminate"])
def test_no_treatment_is_weighed_while_her2_is_open(stateless: Service, status: str) -> None:
    told = weighed(stateless, her2={"status": status, "final": False}, context=METASTATIC)
    assert told["her2"] == "open"
    assert {each["kind"] for each in told["considerations"]} <= {"testing"}


def test_unknown_is_not_negative_and_what_is_missing_is_named_with_what_it_would_change(stateless: Service) -> None:
    told = weighed(stateless, her2={"status": "positive", "final": True}, context={"setting": "metastatic"})
    missing = {each["field"]: each for each in told["missing"]}
    assert missing["er"]["opens"]
    negative = weighed(
        stateless, her2={"status": "positive", "final": True}, context={"er": "negative", "setting": "metastatic"}
    )
    assert "er" not in {each["field"] for each in negative["missing"]}


def test_a_context_the_review_does_not_cover_gets_nothing_and_says_so(stateless: Service) -> None:
    told = weighed(
        stateless, her2={"status": "negative", "final": True, "her2_low": "null", "ihc": "0"},
        context={"er": "negative", "setting": "adjuvant"},
    )  # fmt: skip
    assert told["says_nothing"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["her2"]),
        ({"case": {}, "her2": {"status": "positive", "final": True}}, ["her2"]),
        ({"her2": {"final": True}}, ["her2.status"]),
        ({"her2": {"status": "positive"}}, ["her2.final"]),
        ({"her2": {"status": "amplified", "final": "yes"}}, ["her2.status", "her2.final"]),
        ({"her2": {"status": "positive", "final": True, "x": 1}}, ["her2.x"]),
        ({"case": [], "surprise": 1}, ["case", "surprise"]),
        ({"result_id": 7}, ["result_id"]),
        ({"case": {"ihc": "3+"}, "context": {"er": "maybe"}}, ["context.er"]),
        ({"case": {"ihc": "3+"}, "specimen_kind": "toe"}, ["specimen.kind"]),
        ({"case": {"ihc": "positive"}}, ["ihc"]),
    ],
)
def test_what_cannot_be_weighed_is_named(stateless: Service, body: dict[str, Any], fields: list[str]) -> None:
    assert sorted(fields_of(problem(stateless.post("/considerations", body), 422, "invalid"))) == sorted(fields)


def test_a_result_that_is_not_there_is_not_weighed(service: Service) -> None:
    problem(service.post("/considerations", {"result_id": "0" * 36}), 404, "not_found")


# GET /evidence


@pytest.mark.parametrize(
    ("query", "field", "wanted"),
    [
        ("setting=adjuvant", "setting", "adjuvant"),
        ("direction=benefit", "direction", "benefit"),
        ("design=meta-analysis", "design", "meta-analysis"),
    ],
)
def test_a_filter_keeps_only_what_fits_and_all_of_it(stateless: Service, query: str, field: str, wanted: str) -> None:
    found = stateless.get(f"/evidence?limit=500&{query}").json()["items"]
    every = stateless.get("/evidence?limit=500").json()["items"]
    assert found and len(found) < len(every)
    assert found == [each for each in every if each[field] == wanted]


def test_words_are_searched_whatever_their_case_and_all_must_occur(stateless: Service) -> None:
    one = stateless.get("/evidence?limit=500&q=LETROZOLE").json()
    two = stateless.get("/evidence?limit=500&q=letrozole+tamoxifen").json()
    assert 0 < two["total"] < one["total"]
    assert {each["id"] for each in two["items"]} < {each["id"] for each in one["items"]}


@pytest.mark.parametrize("biomarker", ["ki67", "pam50", "pik3ca", "esr1", "pgr", "egfr", "fish_ratio", "serum_her2"])
def test_a_biomarker_of_the_review_is_found(stateless: Service, biomarker: str) -> None:
    assert stateless.get(f"/evidence?biomarker={biomarker}").json()["total"] > 0


def test_pages_follow_each_other_and_lose_nothing(stateless: Service) -> None:
    every = [each["id"] for each in stateless.get("/evidence?limit=500").json()["items"]]
    seen: list[str] = []
    cursor = ""
    while True:
        page = stateless.get(f"/evidence?limit=40{cursor}").json()
        assert page["total"] == len(every)
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == every
    problem(stateless.get("/evidence?cursor=nothing"), 422, "bad_cursor")


def test_each_statement_can_be_cited_and_found_by_its_link(stateless: Service) -> None:
    for each in stateless.get("/evidence?limit=500").json()["items"][::9]:
        found = stateless.get(each["link"]).json()
        assert found == each
        assert each["id"] in found["citation"] and found["pack"]["version"] in found["citation"]
        assert "10.1530/ERC-21-0293" in found["citation"]
        for cited in found["cited_as"]:
            assert cited in found["citation"]
    problem(stateless.get("/evidence/no-such"), 404, "not_found")


def test_a_reference_names_the_statements_that_cite_it(stateless: Service) -> None:
    every = stateless.get("/evidence?limit=500").json()["items"]
    for each in stateless.get("/references").json()["items"][::7]:
        assert each["cited_by"] == [told["id"] for told in every if each["cited_as"] in told["cited_as"]]
        assert stateless.get(each["link"]).json() == each
    problem(stateless.get("/references/no-such"), 404, "not_found")


def test_each_row_of_a_trace_has_a_permanent_link(stateless: Service) -> None:
    answer = stateless.post("/her2/classify", {"ihc": "2+", "ratio": "2.5", "copies": "5.0"}).json()
    edition = answer["edition"]["id"]
    for step in answer["trace"]:
        link = f"/guidelines/{edition}/tables/{quote(step['table'])}/rows/{quote(step['row'])}"
        row = stateless.get(link).json()
        assert (row["table"], row["id"], row["place"]) == (step["table"], step["row"], step["place"])
        assert step["row"] in row["citation"] and row["edition"]["digest"] == answer["edition"]["digest"]
    problem(stateless.get(f"/guidelines/{edition}/tables/x/rows/y"), 404, "not_found")


# Downloads


def test_the_files_of_one_release_agree(stateless: Service) -> None:
    (listed,) = stateless.get("/evidence/packs").json()
    whole = stateless.get(PACK).json()
    lines = list(csv.DictReader(io.StringIO(stateless.get(f"{PACK}?format=tsv").text), dialect="excel-tab"))
    spec = stateless.get(f"{PACK}?format=va-spec").json()
    assert listed["digest"] == whole["digest"] == spec["pack"]["digest"] == lines[0]["pack_digest"]
    assert listed["statements"] == len(whole["statements"])
    names = [each["id"] for each in whole["statements"]]
    assert list(dict.fromkeys(line["id"] for line in lines)) == names
    assert [each["id"].rpartition(":")[2] for each in spec["statements"]] == names
    for told, other in zip(whole["statements"], spec["statements"], strict=True):
        held = {each["name"]: each["value"] for each in other["extensions"]}
        assert (other["description"], held["effects"]) == (told["summary"], told["effects"])
        mine = [line for line in lines if line["id"] == told["id"]]
        assert len(mine) == max(len(told["effects"]), 1)
        for line, effect in zip(mine, told["effects"], strict=False):
            assert line["value"] == (effect["value"] or "")
            assert line["ci95"] == " to ".join(effect["ci95"] or [])
            assert line["p"] == (effect["p"] or "")
    problem(stateless.get("/evidence/packs/no-such"), 404, "not_found")


def test_fhir_keeps_the_digits_as_printed(stateless: Service) -> None:
    response = stateless.get("/evidence/delaurentiis-2005-pooled-failure?format=fhir")
    assert response.headers["content-type"] == "application/fhir+json"
    resource = response.json()
    assert (resource["resourceType"], resource["status"]) == ("Evidence", "active")
    first = resource["statistic"][0]
    assert first["quantity"]["value"] == 1.45
    assert first["attributeEstimate"][0]["range"] == {"low": {"value": 1.34}, "high": {"value": 1.57}}
    for each in stateless.get("/evidence?limit=500").json()["items"]:
        text = stateless.get(f"{each['link']}?format=fhir").text
        for effect in each["effects"]:
            if effect["value"] is not None:
                assert f'"value":{effect["value"]}' in text, each["id"]
    citation = stateless.get("/references/alataki-dowsett-2022?format=fhir").json()
    assert citation["citedArtifact"]["identifier"][0] == {"system": "https://doi.org", "value": "10.1530/ERC-21-0293"}


def test_what_changed_between_two_versions_is_told_field_by_field(stateless: Service) -> None:
    (listed,) = stateless.get("/evidence/packs").json()
    assert listed["changelog"][0]["version"] == listed["version"]
    told = stateless.get(f"{PACK}/difference?before={listed['releases'][0]}&after={listed['version']}").json()
    assert told["after"]["digest"] == listed["digest"] != told["before"]["digest"]
    assert told["statements"]["added"] and told["statements"]["removed"] == []
    same = stateless.get(f"{PACK}/difference?before={listed['version']}&after={listed['version']}").json()
    assert same["statements"] == {"added": [], "removed": [], "changed": []}


@pytest.mark.parametrize("name", ["/etc/passwd", "..", "2020.1", ""])
def test_only_versions_at_hand_are_compared(stateless: Service, name: str) -> None:
    response = stateless.get(f"{PACK}/difference", params={"before": name, "after": "2026.1"})
    assert fields_of(problem(response, 422, "invalid")) == ["before"]


def test_fhir_is_valid_r4b(stateless: Service) -> None:
    for each in stateless.get("/evidence?limit=500").json()["items"]:
        Evidence.model_validate(stateless.get(f"{each['link']}?format=fhir").json())
    for each in stateless.get("/references").json()["items"]:
        Citation.model_validate(stateless.get(f"{each['link']}?format=fhir").json())
