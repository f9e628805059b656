"""herald guideline: the editions and their tables, drawn from the rows that decide."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from app.commandline.terminal import console, fail, grid
from app.interop.tabular import nearest
from app.services.assessment import guideline_document, guideline_identities

guideline = typer.Typer(help="The editions of the guideline and their tables.", no_args_is_help=True)


@guideline.command("list")
def list_editions() -> None:
    """Every edition: id, errata level, digest."""
    table = grid("id", "errata", "digest", "title")
    for each in guideline_identities():
        errata = f"{each['errata']} ({each['errata_date']})"
        table.add_row(Text(each["id"], style="bold"), errata, each["digest"][:12], each["title"])
    console().print(table)


@guideline.command("show")
def show(
    edition: Annotated[str, typer.Argument(help="asco-cap-2018, asco-cap-2023, asco-cap-2013 or asco-cap-2007.")],
    table: Annotated[str | None, typer.Option(help="Only this table, by its name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as the API gives it.")] = False,
) -> None:
    """An edition's tables, each row with its place in the paper."""
    document = guideline_document(edition)
    if document is None:
        fail(f"there is no edition {edition}", f"use one of {', '.join(each['id'] for each in guideline_identities())}")
    if table is not None:
        names = [each["name"] for each in document["tables"]]
        if table not in names:
            fail(f"{edition} has no table {table}", nearest(table, names) or f"use one of {', '.join(names)}")
        document = {**document, "tables": [each for each in document["tables"] if each["name"] == table]}
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    told = console()
    told.print(Text(f"{document['title']} ({document['id']})", style="bold"))
    told.print(Text(f"errata {document['errata']} of {document['errata_date']} · {document['digest']}", style="dim"))
    told.print(Text(document["source"], style="dim"))
    for note in document["notes"]:
        told.print(Text(note, style="dim"))
    for each in document["tables"]:
        told.print()
        told.print(Text.assemble((each["title"], "bold underline"), f"  {each['name']}"))
        told.print(Text(each["place"], style="dim"))
        told.print(_crossed(each) if each["cross"] else _listed(each))


def _listed(document: dict[str, Any]) -> Table:
    table = grid("row", *document["inputs"], *document["outputs"], "place")
    for row in document["rows"]:
        place = row["place"] if row["place"] != document["place"] else ""
        cells = [row["when"].get(name, "-") for name in document["inputs"]]
        says = [Text(_word(row["then"].get(name)), style="bold") for name in document["outputs"]]
        table.add_row(Text(row["id"], style="cyan"), *cells, *says, Text(place, style="dim"))
    return table


def _crossed(document: dict[str, Any]) -> Table:
    """A table of two inputs and one output, drawn as the figure is: one down, one across."""
    down, across = document["cross"]
    (output,) = document["outputs"]
    columns = list(dict.fromkeys(row["when"][across] for row in document["rows"]))
    words = {(row["when"][down], row["when"][across]): row["then"][output] for row in document["rows"]}
    table = grid(f"{down} \\ {across}", *columns)
    for label in dict.fromkeys(row["when"][down] for row in document["rows"]):
        table.add_row(Text(label, style="cyan"), *(Text(_word(words.get((label, each)))) for each in columns))
    return table


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
