"""A case as a query: one reading for the API and the calculator, problems by field, nothing unread in a link."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.reading import read_case
from app.services.errors import Refusal
from app.services.query import PARAMETERS, calculate, parameter_of, read_query


def _in(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    return value  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_is_a_field_of_a_case_and_its_problem_leads_back_to_it(name: str) -> None:
    (problem,) = read_case(read_query([(name, "no such word")])).problems
    assert parameter_of(problem.field) == name


@pytest.mark.parametrize("name", [name for name, each in PARAMETERS.items() if each.words])
def test_the_words_of_a_parameter_are_those_that_its_field_takes(name: str) -> None:
    parameter = PARAMETERS[name]
    for word in parameter.words:
        assert not read_case(read_query([(name, word)])).problems
    refused = read_case(_in(parameter.path, "no such word")).problems[0].remedy
    listed = "send true or false" if parameter.kind == "flag" else f"send one of {', '.join(parameter.words)}"
    assert refused == listed


def test_a_score_alone_stays_the_short_form_and_details_make_it_an_object() -> None:
    assert read_query([("ihc", "2+")]) == {"ihc": "2+"}
    assert read_query([("ihc", "0"), ("membrane", "none")]) == {"ihc": {"score": "0", "membrane": "none"}}


def test_flags_and_whole_numbers_are_read_as_such() -> None:
    read = read_query([("recount_blinded", "true"), ("adjudicated_group", "4"), ("line", "2")])
    assert read == {"recount": {"blinded": True}, "adjudication": {"group": 4}, "context": {"line": 2}}


@pytest.mark.parametrize("name", ["accession", "patient", "name", "mrn"])
def test_an_identifier_is_no_parameter_and_stands_in_no_link(name: str) -> None:
    with pytest.raises(Refusal):
        read_query([("ihc", "3+"), (name, "S26-1")])
    found = calculate([("ihc", "3+"), (name, "S26-1")])
    assert found.answer is None
    assert found.query == (("ihc", "3+"),)
    assert "S26-1" not in str(found)


def test_what_cannot_be_read_is_told_by_field_and_goes_into_no_link() -> None:
    found = calculate([("ihc", "2+"), ("ratio", "Mrs Smith"), ("er", "positive")])
    assert [(name, problem.code) for name, problem in found.problems] == [("ratio", "MALFORMED_NUMBER")]
    assert found.query == (("ihc", "2+"), ("er", "positive"))
    assert found.answer is not None and found.answer["status"] == "invalid"


def test_values_that_contradict_each_other_stay_in_the_link() -> None:
    items = (("ihc", "2+"), ("ratio", "2.1"), ("copies", "4.0"), ("cep17", "3.0"))
    found = calculate(items)
    assert found.query == items
    assert [(name, problem.code) for name, problem in found.problems] == [("ratio", "RATIO_MISMATCH")]
