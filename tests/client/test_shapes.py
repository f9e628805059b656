"""The client's shapes against the exported contract: nothing is promised that is not there."""

from __future__ import annotations

import json
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, Required, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from herald_client import answers, calls, sent

CONTRACT = json.loads((Path(__file__).parents[2] / "openapi/openapi.json").read_text())
SCHEMAS = CONTRACT["components"]["schemas"]


def _shapes(module: Any) -> list[Any]:
    own = [each for each in vars(module).values() if is_typeddict(each) and each.__module__ == module.__name__]
    return [each for each in own if not each.__name__.startswith("_")]


FILTERS = {"ResultFilter": "/results", "StepFilter": "/open-steps"}
SENT = [shape for shape in _shapes(sent) if shape.__name__ not in FILTERS]


@pytest.mark.parametrize("shape", SENT, ids=lambda shape: str(shape.__name__))
def test_what_can_be_sent_is_every_field_of_the_contract(shape: Any) -> None:
    schema = SCHEMAS[shape.__name__]
    assert set(get_type_hints(shape)) == set(schema["properties"])
    assert set(shape.__required_keys__) == set(schema.get("required", []))


def _words(hint: Any) -> set[Any]:
    """The words that a hint allows, empty where it allows more than words."""
    if get_origin(hint) in (NotRequired, Required):
        return _words(get_args(hint)[0])
    return set(get_args(hint)) if get_origin(hint) is Literal else set()


def _enum(schema: dict[str, Any]) -> set[Any]:
    if "$ref" in schema:
        return set()
    either = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    return set(either[0].get("enum", [])) | ({either[0]["const"]} if "const" in either[0] else set())


@pytest.mark.parametrize("shape", SENT, ids=lambda shape: str(shape.__name__))
def test_the_words_that_can_be_sent_are_those_of_the_contract(shape: Any) -> None:
    for name, hint in get_type_hints(shape, include_extras=True).items():
        words = _words(hint)
        if words:
            assert words == _enum(SCHEMAS[shape.__name__]["properties"][name]), name


@pytest.mark.parametrize(("name", "path"), FILTERS.items())
def test_a_list_is_narrowed_by_the_parameters_of_the_contract(name: str, path: str) -> None:
    parameters = {each["name"] for each in CONTRACT["paths"][path]["get"]["parameters"]}
    assert set(get_type_hints(getattr(sent, name))) == parameters - {"cursor", "limit"}


def _kinds(hint: Any) -> set[str]:
    """The JSON types that a hint allows."""
    if get_origin(hint) in (UnionType,):
        return set().union(*map(_kinds, get_args(hint)))
    if hint is Any:
        return {"any"}
    if is_typeddict(hint) or get_origin(hint) is dict:
        return {"object"}
    if get_origin(hint) is list:
        return {"array"}
    return {{str: "string", bool: "boolean", int: "integer", type(None): "null"}[hint]}


def _types(schema: dict[str, Any]) -> set[str]:
    if "anyOf" in schema:
        return set().union(*map(_types, schema["anyOf"]))
    if "$ref" in schema:
        return {"object"}
    return {schema["type"]} if "type" in schema else {"any"}


@pytest.mark.parametrize("shape", _shapes(answers), ids=lambda shape: str(shape.__name__))
def test_what_comes_back_is_in_the_contract_with_that_type(shape: Any) -> None:
    properties = SCHEMAS[shape.__name__]["properties"]
    for name, hint in get_type_hints(shape).items():
        assert _kinds(hint) == _types(properties[name]), name


def test_every_path_that_is_merged_is_asked_for_as_the_contract_names_it() -> None:
    made = [
        calls.classify({}), calls.considerations({}), calls.report({"patient": "P"}, None, False),
        calls.find_result("{result_id}"), calls.history("{result_id}"), calls.list_results({}, 1),
        calls.open_steps({}, 1),
    ]  # fmt: skip
    for call in made:
        path = call.path.replace("%7B", "{").replace("%7D", "}")
        assert call.method.lower() in CONTRACT["paths"][path]
