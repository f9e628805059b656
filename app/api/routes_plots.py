"""/evidence/plots: the evidence pack's printed numbers as pictures, each with the same in words."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import PlainTextResponse, Response

from app.api import answers
from app.api.bodies import encode
from app.api.problems import documented, known_parameters
from app.services.errors import Refusal

router = APIRouter(tags=["evidence"], dependencies=[Depends(known_parameters)])
_TEXT = {"schema": {"type": "string"}}


@router.get("/evidence/plots", operation_id="list_plots", responses={200: {"model": list[answers.EvidencePlot]}})
async def list_plots(request: Request) -> Response:
    """Every picture of the evidence pack, with all that it shows in words."""
    listed = [
        {
            "name": plot.name,
            "title": plot.title,
            "text_alternative": plot.text_alternative,
            "link": f"/evidence/plots/{plot.name}",
        }
        for plot in request.app.state.plots.values()
    ]
    return Response(encode(listed), media_type="application/json")


@router.get(
    "/evidence/plots/{name}",
    operation_id="find_plot",
    response_class=Response,
    responses={
        200: {"description": "The picture, or its text", "content": {"image/svg+xml": _TEXT, "text/plain": _TEXT}},
        **documented("not_found", "invalid"),
    },
)
def find_plot(
    request: Request, name: str, format: Annotated[Literal["svg", "text"] | None, Query()] = None
) -> Response:
    """A picture as SVG, or with format=text every line of it in words. Numbers as printed; nothing pooled or ranked."""
    # Not async: the first drawing of a picture takes long, and the loop must not wait for it.
    plot = request.app.state.plots.get(name)
    if plot is None:
        raise Refusal("not_found", "There is no such picture; GET /evidence/plots lists them.")
    if format == "text":
        return PlainTextResponse(plot.text_alternative)
    return Response(plot.svg(), media_type="image/svg+xml")
