"""/cds-services: CDS Hooks 2.0. The work stays on the event loop; only what is stored is looked up in a thread."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api import answers_cds as answers
from app.api.bodies import encode, json_object
from app.api.client_jwt import authenticated
from app.api.direct import DirectRoute
from app.api.problems import documented
from app.api.stored import found, sent
from app.services import hooks

# On the router itself: a direct route does not see what an including application adds.
router = APIRouter(
    tags=["cds-hooks"],
    prefix="/cds-services",
    route_class=DirectRoute,
    dependencies=[Depends(authenticated)],
    responses=documented("unauthenticated"),
)
_SERVICE = {
    "name": "service_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "enum": list(hooks.SERVICE_IDS)},
}


@router.get("", operation_id="cds_services", responses={200: {"model": answers.CdsServices}, **documented()})
async def list_services(request: Request) -> Response:
    """The services, the hook of each, and what to prefetch."""
    return found(hooks.told())


@router.post(
    "/{service_id}",
    operation_id="cds_cards",
    responses={
        200: {"model": answers.CdsCards},
        **documented("malformed", "not_found", "prefetch_missing", "unsupported", "too_large", "unavailable"),
    },
    openapi_extra={**sent("CdsRequest"), "parameters": [_SERVICE]},
)
async def cards(request: Request) -> Response:
    """The cards of a service for one call of its hook: an empty list where there is nothing to do or to know."""
    state = request.app.state
    told = await state.hooks.answer(
        request.path_params["service_id"],
        lambda: json_object(request),
        ehr=getattr(state, "ehr", None),
        base=state.settings.base_url or str(request.base_url).rstrip("/"),
        in_thread=run_in_threadpool,
    )
    return Response(encode(told), media_type="application/json")
