"""Problems as OperationOutcome, and the answers to transactions, batches and messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from app.domain.problems import Problem

Severity = Literal["error", "warning", "information"]
Resource = dict[str, Any]

# IssueType (required binding of R4) of each code; every other code is a rule's.
ISSUE_TYPES = {
    "UNREADABLE": "structure",
    "UNSUPPORTED": "not-supported",
    "CONTROL_ID_REUSED": "conflict",
    "NO_PATIENT": "required",
    "PATIENT_DIFFERS": "conflict",
    "NO_ACCESSION": "required",
    "UNKNOWN_CODE": "code-invalid",
    "AMBIGUOUS": "multiple-matches",
    "CONTRADICTORY": "invariant",
    "INTERNAL": "exception",
    "UNKNOWN_FIELD": "structure",
    "UNKNOWN_VALUE": "code-invalid",
    "WRONG_TYPE": "structure",
    "MISSING_FIELD": "required",
    "TWICE_STATED": "invariant",
    "MALFORMED_NUMBER": "value",
    "VALUE_OUT_OF_RANGE": "value",
    "UNKNOWN_SCORE": "code-invalid",
}
CODES = "urn:herald:problem-code"
_EXPRESSION = re.compile(r"[A-Z][A-Za-z]+(\.[a-zA-Z]+(\[[a-z0-9]+\])?)*")


def operation_outcome(issues: Sequence[Resource]) -> Resource:
    """An OperationOutcome; one without issues says that all is well."""
    told = list(issues) or [issue("informational", "All is well.")]
    return {"resourceType": "OperationOutcome", "issue": told}


def issue(code: str, text: str, severity: Severity = "information") -> Resource:
    """An issue of a type of R4's list, in words."""
    return {"severity": severity, "code": code, "diagnostics": text}


def problem_issues(problems: Iterable[Problem], severity: Severity = "error") -> list[Resource]:
    """Each problem as an issue: its code, its FHIR expression where its field is one, and the remedy in diagnostics."""
    return [
        {
            "severity": severity,
            "code": ISSUE_TYPES.get(each.code, "business-rule"),
            "details": {"coding": [{"system": CODES, "code": each.code}], "text": each.message},
            "diagnostics": f"{each.field}: {each.message}; {each.remedy}",
            **({"expression": [each.field]} if _EXPRESSION.fullmatch(each.field) else {}),
        }
        for each in problems
    ]


def line_issues(lines: Iterable[Mapping[str, str]]) -> list[Resource]:
    """What was read, line by line: which place gave which value of the case, or why it gave none."""
    return [
        {
            "severity": "information",
            "code": "informational",
            "diagnostics": " ".join(part for part in (told.get("code", ""), _became(told)) if part),
            **({"expression": [told["where"]]} if _EXPRESSION.fullmatch(told["where"]) else {}),
        }
        for told in lines
    ]


def _became(told: Mapping[str, str]) -> str:
    if told.get("field"):
        return f"gives {told['field']} = {told.get('value', '')}"
    return told.get("note") or "gives nothing"


def response_bundle(
    request: Mapping[str, Any], results: Sequence[Mapping[str, Any]], lines: Iterable[Mapping[str, str]]
) -> Resource:
    """The transaction-response or batch-response of a Bundle that was recorded, an entry for each of its entries.

    An entry that gave values of a result names it, where the message gave one result only; the others are kept with
    the message and are no resources of their own here.
    """
    gave = {told["where"].split(".resource")[0] for told in lines if told.get("field")}
    one = results[0] if len(results) == 1 else None
    entries = []
    for at, _ in enumerate(request.get("entry") or []):
        if f"Bundle.entry[{at}]" in gave:
            response: Resource = {"status": "201 Created"}
            if one is not None:
                response["location"] = f"Observation/{one['id']}/_history/{one['version']}"
            text = "read into a result"
        else:
            response = {"status": "200 OK"}
            text = "kept with the message; no resource of its own here"
        response["outcome"] = operation_outcome([issue("informational", text)])
        entries.append({"response": response})
    return {
        "resourceType": "Bundle",
        "type": f"{request['type']}-response",
        **({"entry": entries} if entries else {}),
    }
