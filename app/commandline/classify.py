"""herald classify: one case from options or a JSON file, answered as the API answers it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic_core import to_json

from app.commandline.answers import show_answer
from app.commandline.terminal import console, fail, tell_problems
from app.services.errors import Refusal
from app.services.reporting import assessed

_Text = str | None


def classify(
    ihc: Annotated[_Text, typer.Option(help="IHC score: 0, 0+, 1+, 2+, 3+ or indeterminate.")] = None,
    ratio: Annotated[_Text, typer.Option(help="HER2/CEP17 ratio, a decimal or an interval such as '<2.0'.")] = None,
    copies: Annotated[_Text, typer.Option(help="Average HER2 copies per cell.")] = None,
    cep17: Annotated[_Text, typer.Option(help="Average CEP17 copies per cell.")] = None,
    cells: Annotated[_Text, typer.Option(help="Cells counted.")] = None,
    her2_signals: Annotated[_Text, typer.Option(help="Total HER2 signals counted.")] = None,
    cep17_signals: Annotated[_Text, typer.Option(help="Total CEP17 signals counted.")] = None,
    assay: Annotated[_Text, typer.Option(help="dual_probe or single_probe.")] = None,
    edition: Annotated[_Text, typer.Option(help="asco-cap-2018 (default), -2023, -2013 or -2007.")] = None,
    er: Annotated[_Text, typer.Option(help="positive, negative or unknown.")] = None,
    pgr: Annotated[_Text, typer.Option(help="positive, negative or unknown.")] = None,
    setting: Annotated[_Text, typer.Option(help="metastatic, neoadjuvant or adjuvant.")] = None,
    menopausal_status: Annotated[_Text, typer.Option(help="pre, peri or post.")] = None,
    line: Annotated[int | None, typer.Option(help="Line of treatment: 1, 2 ...")] = None,
    file: Annotated[
        _Text, typer.Option("--input", metavar="FILE", help="A whole case as JSON; - reads standard input.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as the API gives it.")] = False,
) -> None:
    """Classify one case. Exit code 2 when it can't be: the problems stand on standard error."""
    document: dict[str, Any] = {}
    places: tuple[tuple[str, str, Any], ...] = (
        ("", "edition", edition), ("", "ihc", ihc), ("", "ratio", ratio), ("", "copies", copies), ("", "cep17", cep17),
        ("", "cells", cells), ("ish", "her2_signals", her2_signals), ("ish", "cep17_signals", cep17_signals),
        ("ish", "assay", assay), ("context", "er", er), ("context", "pgr", pgr), ("context", "setting", setting),
        ("context", "menopausal_status", menopausal_status), ("context", "line", line),
    )  # fmt: skip
    for block, name, value in places:
        if value is not None:
            (document.setdefault(block, {}) if block else document)[name] = value
    if file is not None:
        if document:
            fail("--input is a whole case: the other options of a case can't be added to it", "put them into the file")
        document = _case_in(file, as_json)
    try:
        found = assessed(document)
    except Refusal as refused:
        _refused(refused, as_json)
    if as_json:
        typer.echo(to_json(found.answer, indent=2).decode())
    else:
        show_answer(console(), found.answer, context_given=document.get("context") is not None)


def _case_in(name: str, as_json: bool) -> dict[str, Any]:
    # A door of its own: only reading JSON needs it.
    from app.api.bodies import parse_object

    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        fail(f"{name} can't be read: {error.strerror}")
    try:
        return parse_object(raw)
    except Refusal as refused:
        _refused(refused, as_json)


def _refused(refused: Refusal, as_json: bool) -> NoReturn:
    tell_problems(refused.detail, refused.problems)
    if as_json:
        from app.api.problems import problem_response

        response = problem_response(refused.kind, refused.detail, refused.problems, refused.extra)
        typer.echo(bytes(response.body).decode())
    raise typer.Exit(2)
