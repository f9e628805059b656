"""herald evidence: the packs as their curators handle them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

from app.commandline.terminal import console, fail, grid
from app.services import packs

evidence = typer.Typer(help="The packs of evidence: what they hold, and whether it holds.", no_args_is_help=True)

_Folder = Annotated[Path | None, typer.Argument(help="A pack's folder; without it the pack Herald answers from.")]
_SIGNS = (("added", "+", "green"), ("removed", "-", "red"))


@evidence.command("list")
def list_packs(as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Every pack that ships with Herald: id, version, digest, how much it holds."""
    found = packs.pack_identities()
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = grid("id", "version", "digest", "statements", "considerations", "works looked up", "releases", "title")
    for each in found:
        table.add_row(
            Text(each["id"], style="bold"),
            f"{each['version']} ({each['date']})",
            each["digest"][:12],
            str(each["statements"]),
            str(each["considerations"]),
            f"{each['looked_up']} of {each['references']}",
            ", ".join(each["releases"]) or "-",
            each["title"],
        )
    console().print(table)


@evidence.command("check")
def check(
    folder: _Folder = None,
    review: Annotated[Path | None, typer.Option(help="The source's text, to hold every statement against.")] = None,
) -> None:
    """Load a pack and tell every mistake; exit code 1 where there is one."""
    try:
        checked = packs.check_pack(folder or packs.shipped_folder(), review)
    except packs.PackProblems as error:
        _refuse(error)
    told = console()
    for finding in checked.findings:
        told.print(Text(finding), soft_wrap=True)
    count = len(checked.findings)
    told.print(Text(f"{checked.title}: {f'{count} findings' if count != 1 else '1 finding'}", style="bold"))
    if checked.findings:
        raise typer.Exit(1)


@evidence.command("diff")
def diff(
    before: Annotated[str, typer.Argument(help="A pack's folder, a release file, or a version such as 2026.1.")],
    after: Annotated[str, typer.Argument(help="The same.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """What was added, removed and changed from one version of a pack to another."""
    try:
        document = packs.pack_difference(before, after)
    except packs.PackProblems as error:
        _refuse(error)
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    told = console()
    ends = [document.pop(name) for name in ("before", "after")]
    told.print(
        Text(" -> ".join(f"{each['id']} {each['version']} ({each['digest'][:12]})" for each in ends), style="bold")
    )
    if not any(any(changes.values()) for changes in document.values()):
        told.print("no difference in content")
    for kind, changes in document.items():
        if any(changes.values()):
            told.print(Text(kind, style="bold underline"))
        for name, sign, style in _SIGNS:
            for id_ in changes[name]:
                told.print(Text(f"{sign} {id_}", style=style))
        for each in changes["changed"]:
            told.print(Text(f"~ {each['id']}", style="yellow"))
            for field in each["fields"]:
                told.print(
                    Text(f"    {field['field']}: {_word(field['before'])} -> {_word(field['after'])}"), soft_wrap=True
                )


@evidence.command("release")
def release(folder: _Folder = None) -> None:
    """Print a pack as a release: one file with every digit, to be kept and never changed."""
    try:
        typer.echo(packs.release_text(folder or packs.shipped_folder()), nl=False)
    except packs.PackProblems as error:
        _refuse(error)


@evidence.command("new-pack")
def new_pack(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    pack_id: Annotated[str, typer.Option("--id", help="Lower-case words and digits joined by '-'.")],
    title: Annotated[str, typer.Option(help="What the source is called.")],
) -> None:
    """Begin a pack for another source: a skeleton that passes `herald evidence check`."""
    try:
        packs.begin_pack(folder, pack_id, title)
    except packs.PackProblems as error:
        _refuse(error)
    console().print(Text(f"{folder} begun: replace its examples, then herald evidence check {folder}"))


@evidence.command("standings")
def standings(
    export: Annotated[Path, typer.Argument(help="The Crossref/Retraction Watch export, CSV.")],
    folder: _Folder = None,
    checked_on: Annotated[
        str | None,
        typer.Option(help="The export is complete as of this day (YYYY-MM-DD): works with a DOI not in it are valid."),
    ] = None,
) -> None:
    """Look the cited works up in an export and print the new standings.toml."""
    try:
        found = packs.look_up_standings(export, folder or packs.shipped_folder(), checked_on)
    except packs.PackProblems as error:
        _refuse(error)
    told = console(stderr=True)
    for note in found.notes:
        told.print(Text(note, style="yellow"), soft_wrap=True)
    typer.echo(found.text, nl=False)


def _refuse(error: packs.PackProblems) -> NoReturn:
    fail(error.problems[0], "\n  ".join(error.problems[1:]))


def _word(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
