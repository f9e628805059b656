"""An edition as a page: crosstabs drawn as the figures, row lists as tables, each row with its place."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from app.services.assessment import guideline_identities
from app.web import site


def guideline_page(document: dict[str, Any]) -> Response:
    """The page of an edition, as GET /guidelines/{id} answers it."""
    tables = map(_drawn, document["tables"])
    return site.page(
        "guideline.html", edition=document, tables=tables, editions=guideline_identities(), here="guidelines"
    )


def _drawn(table: dict[str, Any]) -> dict[str, Any]:
    """A table for drawing; a cross becomes its rows and columns of words."""
    if not table["cross"]:
        # A column of places only where rows differ from what stands above the table.
        return {**table, "grid": None, "places": any(row["place"] != table["place"] for row in table["rows"])}
    down, across = table["cross"]
    (output,) = table["outputs"]
    columns = list(dict.fromkeys(row["when"][across] for row in table["rows"]))
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in table["rows"]:
        lines.setdefault(row["when"][down], []).append({"id": row["id"], "word": row["then"][output]})
    return {**table, "grid": {"down": down, "across": across, "columns": columns, "lines": lines}}
