"""The exported contract itself: current, whole, and with examples that are true."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from app.main import create_app
from tests.api.cases import versions_missing
from tests.contract.conftest import EXPORTED, exported
from tests.fixtures_service import Service

Operation = tuple[str, str, dict[str, Any]]


def _operations() -> list[Operation]:
    return [
        (method, path, operation) for path, item in exported()["paths"].items() for method, operation in item.items()
    ]


OPERATIONS = [pytest.param(*each, id=each[2]["operationId"]) for each in _operations()]


def _nodes(node: Any, at: str = "#") -> Iterator[tuple[str, Any]]:
    yield at, node
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _nodes(value, f"{at}/{name}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _nodes(value, f"{at}/{number}")


def test_the_exported_contract_is_that_of_the_service_in_canonical_form() -> None:
    text = json.dumps(create_app().openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert EXPORTED.read_text(encoding="utf-8") == text, "export it anew: make openapi"


def test_the_service_serves_its_contract(stateless: Service, contract: dict[str, Any]) -> None:
    assert stateless.get("/openapi.json").json() == contract


def test_every_reference_leads_somewhere_and_every_schema_is_one(contract: dict[str, Any]) -> None:
    for at, node in _nodes(contract):
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            target: Any = contract
            for part in node["$ref"].removeprefix("#/").split("/"):
                assert part in target, f"{at} refers to {node['$ref']}"
                target = target[part]
    for schema in contract["components"]["schemas"].values():
        Draft202012Validator({**schema, "components": contract["components"]})  # raises for what is none


def test_operation_ids_are_there_once_each() -> None:
    ids = Counter(operation.get("operationId") for _, _, operation in _operations())
    assert None not in ids
    assert [name for name, times in ids.items() if times > 1] == []


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does_and_documents_its_problems(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation.get("summary")
    assert operation.get("description")
    assert operation.get("tags")
    responses = operation["responses"]
    wanted = set()
    media_of_problems = "application/fhir+json" if path.startswith("/fhir") else "application/problem+json"
    if path.startswith("/fhir"):
        wanted |= {"406"}  # FHIR has words of its own for what is refused
    elif path in ("/hl7v2", "/imports", "/messages/preview"):
        wanted |= {"413", "422", "503"}  # messages and files: what cannot be read is kept, and told in the answer
    elif "requestBody" in operation:
        assert operation["requestBody"]["required"] is True
        wanted |= {"400", "413", "415", "422"}
    if "{" in path:
        wanted |= {"404"}
    if operation.get("parameters") and not path.startswith("/fhir"):
        wanted |= {"422"}
    if path == "/cds-services/{service_id}":
        wanted = {"400", "404", "412", "413", "415"}  # CDS Hooks: what cannot be read is 400, what is missing 412
    if path.startswith(("/results", "/patients", "/open-steps", "/readyz")):
        wanted |= {"503"}
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    if "Idempotency-Key" in names:
        wanted |= {"409"}
    if "If-Match" in names:
        wanted |= {"412"}
    assert wanted <= set(responses), f"{method} {path} does not document {sorted(wanted - set(responses))}"
    for status, response in responses.items():
        assert response["description"]
        if status >= "4":
            (media,) = response["content"]
            assert media == media_of_problems
            if media == "application/problem+json":
                assert response["content"][media]["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}
        elif path != "/healthz" or status == "200":
            assert response["content"]


def test_every_post_that_stores_takes_a_key() -> None:
    stores = {
        path
        for method, path, operation in _operations()
        if method == "post" and "201" in operation["responses"] and not path.startswith("/fhir")
    }
    keyed = {
        path
        for _, path, operation in _operations()
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))
        and not path.startswith("/fhir")
    }
    assert stores <= keyed
    assert len(stores) >= 9


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": exported()["components"]})


def _examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example in the contract with the schema it stands in."""
    for at, node in _nodes(exported()):
        if not isinstance(node, dict) or "/examples" in at:
            continue
        schema = {name: value for name, value in node.items() if name not in ("example", "examples")}
        if isinstance(node.get("examples"), list):
            yield from ((f"{at}/{number}", schema, each) for number, each in enumerate(node["examples"]))
        if "example" in node and "properties" not in at.rsplit("/", 1)[-1]:
            yield at, schema, node["example"]


def test_every_example_is_valid_where_it_stands() -> None:
    examples = list(_examples())
    assert len(examples) > 10
    for at, schema, example in examples:
        errors = list(_validator(schema).iter_errors(example))
        assert not errors, f"{at}: {errors[0].message}"


def test_the_examples_of_whole_bodies_are_answered_as_promised(service: Service) -> None:
    schemas = exported()["components"]["schemas"]
    for example in schemas["Case"]["examples"]:
        response = service.post("/her2/classify", example)
        assert response.status_code == 200, response.text
        _validator({"$ref": "#/components/schemas/Answer"}).validate(response.json())
        assert versions_missing(response.json()) == []
    stored = None
    for example in schemas["Report"]["examples"]:
        response = service.post("/results", example)
        assert response.status_code == 201, response.text
        _validator({"$ref": "#/components/schemas/Result"}).validate(response.json())
        stored = response.json()["id"]
    for name, verb in (
        ("Amendment", "amendments"),
        ("RecountAct", "recounts"),
        ("AdjudicationAct", "adjudications"),
        ("SignOff", "sign-offs"),
        ("ReEvaluation", "re-evaluations"),
    ):
        for example in schemas[name].get("examples", []):
            response = service.post(f"/results/{stored}/{verb}", example)
            assert response.status_code == 201, (name, response.text)


def test_an_answer_may_not_lack_its_versions_by_the_contract(contract: dict[str, Any]) -> None:
    schemas = contract["components"]["schemas"]
    assert {"edition", "evidence", "engine", "policy", "trace"} <= set(schemas["Answer"]["required"])
    for identity in ("EditionIdentity", "EvidenceIdentity"):
        assert {"id", "version", "digest"} <= set(schemas[identity]["required"])
        assert all(schemas[identity]["properties"][name]["type"] == "string" for name in ("id", "version", "digest"))
