"""$classify-her2: Parameters in, Parameters out; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.problems import Problem, named
from app.domain.strict_json import write
from app.interop import tabular
from app.interop.fhir import outcome, writing
from app.interop.fhir.elements import Element, shape_problems
from app.interop.fhir.outcome import Resource
from app.services.assessment import assess
from app.services.errors import Refusal
from app.services.fhir_exchange import payload
from app.services.payloads import Outcome, Payload
from app.services.views import result_document

_SIMPLE = ("ihc", "ratio", "copies", "cep17", "cells", "edition")
_VALUES = ("valueString", "valueCode", "valueDecimal", "valueInteger", "valuePositiveInt")
_TAKEN = ("Bundle", "Observation", "DiagnosticReport")
# Nothing is stored, so it does not matter whose result it is.
_NOT_ASKED = frozenset({"NO_PATIENT", "NO_ACCESSION"})


def classify(
    body: Mapping[str, Any], preview: Callable[[Payload], Outcome], sender: str, *, sign_off: bool
) -> Resource:
    """The classification of Observations, or of simple values. preview: of the intake; sender: whose feed maps codes.

    Raises Refusal("malformed") for Parameters that cannot be read; what is wrong with values stands in `problems`.
    """
    if problems := shape_problems(body, str(body.get("resourceType", "Parameters"))):
        raise Refusal("malformed", "The Parameters cannot be read.", problems)
    document, resources = _read(body)
    problems = ()
    if resources:
        became = preview(payload(write(_message(resources)), sender, ""))
        problems = tuple(each for each in became.problems if each.code not in _NOT_ASKED)
        fields, twice = _fields(became)
        problems += twice
        document = tabular.case_document(fields) | document
    return _answered(document, problems, sign_off)


def _read(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    """The simple values as a case document, and the resources."""
    if body.get("resourceType") in _TAKEN:
        return {}, [body]
    problems: list[Problem] = []
    parameters = Element(body, "Parameters", problems)
    document: dict[str, Any] = {}
    resources: list[Mapping[str, Any]] = []
    if parameters.type != "Parameters":
        parameters.note("UNSUPPORTED", "resourceType", "is not taken", "send Parameters, or Observations in a Bundle")
    for each in parameters.many("parameter"):
        name = each.text("name")
        if (resource := each.one("resource")) is not None:
            if resource.type in _TAKEN:
                resources.append(resource.members)
            else:
                each.note("UNSUPPORTED", "resource", "is not taken", f"send one of {', '.join(_TAKEN)}")
        elif name in document:
            each.note("TWICE_STATED", "name", f"{name} is given twice", f"send {name} once")
        elif name in _SIMPLE:
            _take(each, name, document)
        else:
            told, remedy = named("", name), f"use one of {', '.join(_SIMPLE)}, or a resource"
            each.note("UNKNOWN_FIELD", "name", f"there is no parameter {told}", remedy)
    if len(resources) > 1 and any(each["resourceType"] != "Observation" for each in resources):
        parameters.note("AMBIGUOUS", "parameter", "a Bundle beside other resources", "put all into one Bundle")
    if not problems and not document and not resources:
        parameters.note("MISSING_FIELD", "parameter", "is needed", f"send {', '.join(_SIMPLE)}, or resources")
    if problems:
        raise Refusal("malformed", "The Parameters cannot be read.", problems)
    return document, resources


def _take(parameter: Element, name: str, document: dict[str, Any]) -> None:
    given = [each for each in _VALUES if each in parameter.members]
    value = parameter.members[given[0]] if len(given) == 1 else None
    if isinstance(value, str | int) and not isinstance(value, bool):
        document[name] = value
    else:
        parameter.note("WRONG_TYPE", "value[x]", "is not one text or number", f"send one of {', '.join(_VALUES)}")


def _message(resources: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(resources) == 1:
        return resources[0]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


def _fields(became: Outcome) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """The fields of the one case that was read; a field with two values is a problem."""
    if len(became.results) > 1:
        told, remedy = "they are of several specimens", "send the Observations of one specimen"
        return {}, (Problem("AMBIGUOUS", "Parameters.parameter", told, remedy),)
    fields: dict[str, str] = {}
    problems = []
    for line in became.lines:
        field, value = line.get("field", ""), line.get("value", "")
        if field and fields.setdefault(field, value) != value:
            problems.append(Problem("AMBIGUOUS", line["where"], f"{field} has another value before", "send it once"))
    return fields, tuple(problems)


def _answered(document: Mapping[str, Any], problems: tuple[Problem, ...], sign_off: bool) -> Resource:
    """What was found; with a problem of the message no status is shown."""
    found = assess(document)
    answer = found.answer
    if problems:
        told = f"HER2 invalid. {problems[0].field}: {problems[0].message}"
        unknown = {"status": "invalid", "final": False, "her2_low": "undetermined", "ish_group": None}
        answer = {**answer, **unknown, "summary": told, "next_steps": []}
    observation = writing.observation_of(result_document(document, answer, None, sign_off=sign_off))
    issues = outcome.problem_issues((*problems, *found.problems))
    parameters: list[Resource] = [
        {"name": "status", "valueCode": answer["status"]},
        {"name": "final", "valueBoolean": answer["final"]},
        {"name": "her2Low", "valueCode": answer["her2_low"]},
        {"name": "summary", "valueString": answer["summary"]},
        {"name": "observation", "resource": observation},
    ]
    if answer["ish_group"] is not None:
        parameters.append({"name": "ishGroup", "valueInteger": answer["ish_group"]})
    if issues:
        parameters.append({"name": "problems", "resource": outcome.operation_outcome(issues)})
    return {"resourceType": "Parameters", "parameter": parameters}
