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
from app.services.query import PARAMETERS, Parameter, read_query
from app.services.reporting import assessed

router = APIRouter(tags=["classify"], route_class=DirectRoute)

_MODELS: dict[str, type[BaseModel]] = {
    "ihc": schemas.Ihc, "ish": schemas.Ish, "follow_up_ish": schemas.Ish, "recount": schemas.Recount,
    "context": schemas.Context,
}  # fmt: skip


def _parameters() -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "schema": _schema(parameter)}
        for name, parameter in PARAMETERS.items()
    ]


def _schema(parameter: Parameter) -> dict[str, Any]:
    """What a parameter takes: a word of its list, else what the text of its field in a case document takes."""
    if parameter.words:
        return {"type": "string", "enum": list(parameter.words)}
    if parameter.kind == "whole":
        return {"type": "string", "pattern": "^[1-9][0-9]?$"}
    model = _MODELS[parameter.path[0]] if len(parameter.path) > 1 else schemas.Case
    field = model.model_json_schema()["properties"][parameter.path[-1]]
    texts = [each for part in field["anyOf"] for each in part.get("anyOf", [part]) if "pattern" in each]
    return {"type": "string", "pattern": texts[0]["pattern"]}


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
    return _answered(read_query(query_items(request)))


def _answered(document: dict[str, Any]) -> Response:
    return Response(assessed(document).encoded(), media_type="application/json")
