"""Pages from templates: server-rendered, no script needed."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app import ENGINE_VERSION
from app.web import ledger
from app.web.catalogue import say

_environment = Environment(
    loader=PackageLoader("app.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@lru_cache(maxsize=64)
def static(name: str) -> str:
    """The address of a file in static/, with its digest, so that a browser may keep it for ever."""
    content = (resources.files("app.web") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


_environment.globals.update(t=say, static=static, engine=ENGINE_VERSION, told=ledger.told, forest=ledger.forest)


def render(name: str, **parts: Any) -> str:
    """A template of this room with its parts; every text in them is escaped."""
    return _environment.get_template(name).render(parts)


def guideline_page(document: dict[str, Any]) -> str:
    """An edition as a page: crosstabs drawn as the figures, row lists as tables, each row with its place."""
    return _environment.get_template("guideline.html").render(edition=document, tables=map(_drawn, document["tables"]))


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
