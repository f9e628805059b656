"""/her2/classify: stateless, computes only, so it never leaves the event loop."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from app.api import answers, schemas
from app.api.bodies import json_object
from app.api.direct import DirectRoute
from app.api.problems import documented, query_items
from app.domain.problems import Problem, named
from app.services.errors import Refusal
from app.services.reporting import assessed

router = APIRouter(tags=["classify"], route_class=DirectRoute)

# Where a query parameter stands in a case document.
_QUERY: dict[str, tuple[str, ...]] = {
    "edition": ("edition",),
    "ihc": ("ihc",),
    "ratio": ("ratio",),
    "copies": ("copies",),
    "cep17": ("cep17",),
    "cells": ("cells",),
    "her2_signals": ("ish", "her2_signals"),
    "cep17_signals": ("ish", "cep17_signals"),
    "assay": ("ish", "assay"),
    "er": ("context", "er"),
    "pgr": ("context", "pgr"),
    "setting": ("context", "setting"),
    "menopausal_status": ("context", "menopausal_status"),
}
_PROPERTIES: dict[str, type[BaseModel]] = {
    "ihc": schemas.Case, "ratio": schemas.Case, "copies": schemas.Case, "cep17": schemas.Case, "cells": schemas.Case,
    "her2_signals": schemas.Ish, "cep17_signals": schemas.Ish,
}  # fmt: skip


def _parameters() -> list[dict[str, Any]]:
    words = {
        "edition": ["asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007"],
        "assay": ["dual_probe", "single_probe"],
        "er": ["positive", "negative", "unknown"],
        "pgr": ["positive", "negative", "unknown"],
        "setting": ["metastatic", "neoadjuvant", "adjuvant", "unknown"],
        "menopausal_status": ["pre", "peri", "post", "unknown"],
    }
    told = []
    for name in _QUERY:
        schema: dict[str, Any] = {"type": "string"}
        if name in words:
            schema["enum"] = words[name]
        else:
            field = _PROPERTIES[name].model_json_schema()["properties"][name]
            texts = [each for part in field["anyOf"] for each in part.get("anyOf", [part]) if "pattern" in each]
            schema["pattern"] = texts[0]["pattern"]
        told.append({"name": name, "in": "query", "required": False, "schema": schema})
    return told


@router.post(
    "/her2/classify",
    operation_id="classify",
    responses={200: {"model": answers.Answer}, **documented("invalid", "malformed", "unsupported", "too_large")},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Case"}}},
        }
    },
)
async def classify(request: Request) -> Response:
    """Classify one case and weigh the evidence for its context. Nothing is stored."""
    return _answered(await json_object(request))


@router.get(
    "/her2/classify",
    operation_id="classify_query",
    responses={200: {"model": answers.Answer}, **documented("invalid")},
    openapi_extra={"parameters": _parameters()},
)
async def classify_query(request: Request) -> Response:
    """The same answer from a query: /her2/classify?ihc=2%2B&ratio=1.8&copies=4.5 (write + as %2B)."""
    document: dict[str, Any] = {}
    problems = []
    for name, value in query_items(request):
        path = _QUERY.get(name)
        if path is None:
            remedy = f"use one of {', '.join(_QUERY)}; POST takes whole cases"
            told = named("", name)
            problems.append(Problem("UNKNOWN_FIELD", told, "there is no such parameter", remedy))
            continue
        block = document if len(path) == 1 else document.setdefault(path[0], {})
        if path[-1] in block:
            problems.append(Problem("TWICE_STATED", name, "is given twice", f"send {name} once"))
        # An unescaped + arrives as a blank: "2 " can only be 2+, but "0 " may be 0 or 0+.
        if name == "ihc" and value.endswith("0 "):
            problems.append(Problem("UNKNOWN_SCORE", name, "is 0 or an unescaped 0+", "send 0, or 0+ written as 0%2B"))
        block[path[-1]] = value
    if problems:
        raise Refusal("invalid", "The query cannot be read.", problems)
    return _answered(document)


def _answered(document: dict[str, Any]) -> Response:
    return Response(assessed(document).encoded(), media_type="application/json")
