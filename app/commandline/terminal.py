"""What all commands share: the two consoles, and how a mistake of the user is told. Colour only in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.domain.problems import Problem

_WIDE = 240  # a pipe or a file has no width of its own
_COLOURS = {
    "positive": "bold white on red",
    "negative": "bold white on green",
    "equivocal": "bold black on yellow",
    "pending": "bold black on yellow",
    "indeterminate": "bold black on yellow",
    "invalid": "bold white on magenta",
}


def console(*, stderr: bool = False) -> Console:
    """Standard output or standard error as it is now. Rich leaves colour out where NO_COLOR is set or none is there."""
    made = Console(stderr=stderr, highlight=False, markup=False)
    if not made.is_terminal:
        made.width = _WIDE
    return made


def badge(status: str) -> Text:
    """A status, large."""
    return Text(f"  {' '.join(status.upper())}  ", style=_COLOURS.get(status, "bold"))


def grid(*headings: str) -> Table:
    """A table without frames, to be read in a terminal and in a file."""
    table = Table(box=None, pad_edge=False, show_header=bool(headings), header_style="dim", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def fail(message: str, remedy: str = "", *, code: int = 2) -> NoReturn:
    """Tell what was wrong and what to do, and leave."""
    told = console(stderr=True)
    told.print(Text.assemble(("herald: ", "bold red"), message))
    if remedy:
        told.print(Text(f"  {remedy}"))
    raise typer.Exit(code)


def tell_problems(title: str, problems: Sequence[Problem | Mapping[str, Any]]) -> None:
    """Every problem on standard error: code, field, what was wrong, what to send."""
    told = console(stderr=True)
    told.print(Text(title, style="bold red"))
    table = grid("code", "field", "what was wrong", "what to send")
    for each in problems:
        code, field, message, remedy = (
            (each.code, each.field, each.message, each.remedy)
            if isinstance(each, Problem)
            else (each["code"], each["field"], each["message"], each["remedy"])
        )
        table.add_row(Text(code, style="red"), Text(field, style="bold"), message, remedy)
    told.print(table)


def refuse(title: str, problems: Sequence[Problem]) -> NoReturn:
    """The problems, and exit code 2."""
    tell_problems(title, problems)
    raise typer.Exit(2)
