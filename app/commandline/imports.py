"""herald import: the rows of a file recorded, and the file given back with what was wrong in each row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from app.commandline.settings import read_settings
from app.commandline.store import opened
from app.commandline.terminal import console, fail, grid, refuse
from app.domain.problems import Problem
from app.services.errors import Refusal
from app.services.files import mapping_names, mapping_text

_SHOWN = 10  # problems in the terminal; the file holds all of them


def import_file(
    file: Annotated[Path, typer.Argument(help="A table with a header: .csv, .tsv, .xlsx or .parquet.")],
    mapping: Annotated[
        str | None, typer.Option(help="A mapping file (TOML), or the name of one that comes with Herald.")
    ] = None,
    sender: Annotated[str, typer.Option(help="Who sends it: its patients' numbers are this sender's.")] = "import",
    laboratory: Annotated[str, typer.Option(help="The laboratory whose cases these are.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would become of each row; store nothing.")
    ] = False,
) -> None:
    """Record every row of a table. Exit code 2 where the file can't be read or a row was refused."""
    from app.interop.sheets import SUFFIXES
    from app.services.imports import Imports, upload
    from app.services.intake import Intake, load_feeds

    kind = SUFFIXES.get(file.suffix.lower())
    if kind is None:
        fail(f"{file} has no suffix of a table", f"use one of {', '.join(SUFFIXES)}")
    try:
        data = file.read_bytes()
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}")
    text = _mapping(mapping)
    settings = read_settings()
    with opened(settings, settings.organisation, migrate_first=settings.migrate_on_start) as context:
        imports = Imports(Intake(context, load_feeds(settings.feeds)))
        try:
            sent = upload(data, kind, None, sender, laboratory or None, text=text)
            if dry_run:
                _previewed(imports.preview(sent))
                return
            message_id = imports.keep(sent)
            imports.run(message_id)
            report = imports.report(message_id)
            back = imports.given_back(message_id)[1] if report["state"] != "quarantined" else None
        except Refusal as refused:
            if refused.problems:
                refuse(refused.detail, refused.problems)
            fail(refused.detail, code=1)
    _tell(report)
    if back is not None:
        beside = file.with_name(f"{file.stem}.problems{file.suffix}")
        beside.write_bytes(back)
        console().print(Text(f"problems: {beside}"))
    if report["state"] != "recorded":
        raise typer.Exit(2)


def _mapping(named: str | None) -> str | None:
    if named is None:
        return None
    text = mapping_text(named)
    if text is None:
        try:
            text = Path(named).read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            fail(f"the mapping {named} can't be read", f"give a file in UTF-8, or one of: {', '.join(mapping_names())}")
    return text


def _tell(report: dict[str, Any]) -> None:
    told = console()
    lines = grid()
    lines.add_row("import", report["id"])
    for name in ("state", "rows", "recorded", "changed", "refused"):
        lines.add_row(name, str(report[name]))
    told.print(lines)
    _tell_problems(report["problems"])


def _tell_problems(problems: list[dict[str, Any]]) -> None:
    if not problems:
        return
    told = console(stderr=True)
    table = grid("row", "column", "code", "what was wrong", "what to send")
    for each in problems[:_SHOWN]:
        row = "" if each.get("row") is None else str(each["row"])
        table.add_row(row, each.get("column", ""), each["code"], each["message"], each["remedy"])
    told.print(table)
    if len(problems) > _SHOWN:
        told.print(Text(f"and {len(problems) - _SHOWN} more"))


def _previewed(preview: dict[str, Any]) -> None:
    """What would become of the rows, one line a row."""
    if preview["state"] == "quarantined":
        refuse("The file can't be imported:", [Problem(**each) for each in preview["problems"]])
    table = grid("row", "status", "final", "accepted")
    for each in preview["answers"]:
        table.add_row(
            str(each["row"]), each["status"], *("yes" if each[name] else "no" for name in ("final", "accepted"))
        )
    console().print(table)
    _tell_problems([problem for each in preview["answers"] for problem in each["problems"]])
    if preview["state"] != "recorded":
        raise typer.Exit(2)
