"""$classify-her2: Parameters in, Parameters out; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.problems import Problem, named
from app.interop.fhir import outcome, writing
from app.interop.fhir.elements import Element, shape_problems
from app.interop.fhir.outcome import Resource
from app.services.assessment import assess, withheld
from app.services.ehr_results import previewed, problems_of
from app.services.errors import Refusal
from app.services.payloads import Outcome, Payload
from app.services.views import result_document

_SIMPLE = ("ihc", "ratio", "copies", "cep17", "cells", "edition")
_VALUES = ("valueString", "valueCode", "valueDecimal", "valueInteger", "valuePositiveInt")
_TAKEN = ("Bundle", "Observation", "DiagnosticReport")


def classify(
    body: Mapping[str, Any], preview: Callable[[Payload], Outcome], sender: str, *, sign_off: bool
) -> Resource:
    """The classification of Observations, or of simple values. preview: of the intake; sender: whose feed maps codes.

    Raises Refusal("malformed") for Parameters that cannot be read; what is wrong with values stands in `problems`.
    """
    problems = shape_problems(body, str(body.get("resourceType", "Parameters")))
    if problems:
        raise Refusal("malformed", "The Parameters cannot be read.", problems)
    document, resources = _read(body)
    if resources:
        became = previewed(preview, resources, sender)
        problems = problems_of(became, 0)
        if len(became.parts) > 1:
            told, remedy = "they are of several specimens", "send the Observations of one specimen"
            problems += (Problem("AMBIGUOUS", "Parameters.parameter", told, remedy),)
        elif became.parts:
            document = {**became.parts[0].document, **document}
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


def _answered(document: Mapping[str, Any], problems: tuple[Problem, ...], sign_off: bool) -> Resource:
    """What was found; with a problem of the message no status is shown."""
    found = assess(document)
    answer = withheld(document, problems) if problems else found.answer
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
