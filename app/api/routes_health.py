"""/healthz: the process answers. /readyz: it can do its work."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from app import ENGINE_VERSION
from app.api.problems import documented, known_parameters
from app.services.errors import Refusal

router = APIRouter(tags=["health"], dependencies=[Depends(known_parameters)])


class Health(BaseModel):
    """The process answers."""

    status: str
    engine: str


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", operation_id="healthz")
async def healthz() -> Health:
    """The process answers; says nothing of the database."""
    return Health(status="ok", engine=ENGINE_VERSION)


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", operation_id="readyz", responses=documented("unavailable"))
def readyz(request: Request) -> Health:
    """The database is reached and its schema is there."""
    check: Any = request.app.state.ready
    if not check():
        raise Refusal("unavailable", "The database is not reached or not migrated.")
    return Health(status="ready", engine=ENGINE_VERSION)
