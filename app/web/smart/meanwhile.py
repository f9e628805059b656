"""Until app.services.ehr_results is here: the same names, just enough to try the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from app.domain.problems import Problem
from app.domain.strict_json import write
from app.interop import tabular
from app.services.assessment import assess
from app.services.fhir_exchange import payload
from app.services.payloads import Outcome, Payload


class Found(NamedTuple):
    answer: dict[str, Any]
    document: dict[str, Any]
    problems: tuple[Problem, ...]
    sources: tuple[str, ...]
    specimen: str
    effective: str | None


def found_in(
    preview: Callable[[Payload], Outcome], resources: Iterable[Mapping[str, Any]], context: Mapping[str, Any]
) -> tuple[Found, ...]:
    together: dict[str, list[Mapping[str, Any]]] = {}
    for each in resources:
        if each.get("resourceType") == "Observation":
            told = each.get("specimen") or {}
            together.setdefault(str((told.get("identifier") or {}).get("value") or ""), []).append(each)
    return tuple(_found(preview, specimen, each, context) for specimen, each in together.items())


def _found(
    preview: Callable[[Payload], Outcome], specimen: str, parts: list[Mapping[str, Any]], context: Mapping[str, Any]
) -> Found:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in parts]}
    became = preview(payload(write(bundle), "", ""))
    fields = {each["field"]: each["value"] for each in became.lines if each.get("field")}
    document = {**tabular.case_document(fields), **context}
    problems = tuple(each for each in became.problems if each.code not in ("NO_PATIENT", "NO_ACCESSION"))
    effective = max((str(each.get("effectiveDateTime", "")) for each in parts), default="")
    sources = tuple(f"Observation/{each.get('id')}" for each in parts)
    return Found(assess(document).answer, document, problems, sources, specimen, effective)
