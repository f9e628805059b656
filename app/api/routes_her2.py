"""/her2/classify: stateless, computes only, so it never leaves the event loop."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api import answers, schemas
from app.api.bodies import json_object
from app.api.problems import documented, query_items
from app.services.case_query import PARAMETERS, case_of
from app.services.reporting import assessed


class _DirectRoute(APIRoute):
    """Calls the endpoint with the request alone: these two read their input themselves and depend on nothing.

    A Refusal goes up to the application's own handlers.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.methods and scope["method"] not in self.methods:
            await super().handle(scope, receive, send)
            return
        response: Response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


router = APIRouter(tags=["classify"], route_class=_DirectRoute)

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
    for name in PARAMETERS:
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
    return _answered(case_of(query_items(request)))


def _answered(document: dict[str, Any]) -> Response:
    return Response(assessed(document).encoded(), media_type="application/json")
