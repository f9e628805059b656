"""Pages from templates: server-rendered, no script needed."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_environment = Environment(
    loader=PackageLoader("app.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


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
