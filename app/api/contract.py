"""The contract that is exported: what FastAPI makes, with the models of what is sent."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api import (
    answers_cds,
    answers_feedback,
    answers_meetings,
    answers_messages,
    answers_webhooks,
    problems,
    schemas,
)

_SENT: tuple[type[BaseModel], ...] = (
    schemas.Case, schemas.Report, schemas.Amendment, schemas.RecountAct, schemas.AdjudicationAct, schemas.SignOff,
    schemas.ReEvaluation, schemas.PatientMerge, schemas.ResultMove, schemas.ConsiderationsRequest,
    problems.ProblemDocument, *answers_cds.SENT, *answers_feedback.SENT, *answers_meetings.SENT,
    *answers_messages.SENT, *answers_webhooks.SENT,
)  # fmt: skip


def describe(app: FastAPI) -> None:
    """Add the models of what is sent to the contract: the routes read bodies themselves, to keep every digit."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            components = schema.setdefault("components", {}).setdefault("schemas", {})
            _, sent = models_json_schema(
                [(model, "validation") for model in _SENT], ref_template="#/components/schemas/{model}"
            )
            components.update(sent["$defs"])
            for unused in ("HTTPValidationError", "ValidationError"):
                components.pop(unused, None)
            _without_added_errors(schema["paths"])
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _without_added_errors(paths: dict[str, Any]) -> None:
    """FHIR answers what cannot be read by 400: take away the 422 that FastAPI adds where a route tells none."""
    for path, operations in paths.items():
        for operation in operations.values():
            told = operation["responses"].get("422", {}).get("content", {})
            if path.startswith("/fhir") and "application/json" in told:
                del operation["responses"]["422"]
