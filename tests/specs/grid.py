"""Read the text grids of this folder. Shares no code with the product's own parser, so that both can be wrong apart.

A file holds one or more grids. A grid starts with `table NAME` (rows of one decision table) or `cases TITLE` (whole
documents), then a header and lines; `#` starts a remark for the reader:

    table group
    row | ratio | her2     || group | result   | cited
    1   | 2.0   | 4.0      || 1     | positive | 1.2 [V S6]

Left of `||` stands what is given, right of it what must come out, last the place in the fact sheet or the paper. A
given cell holds one value, several with commas (each of them is tried, in every combination) or `any`: every word,
and every range between two thresholds. An id that ends in `!` is a row that must never be reached. `-` is nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_PLAIN = re.compile(r"\d+(\.\d+)?")


class SpecError(Exception):
    """A spec's author's mistake, with file and line."""


@dataclass(frozen=True)
class Line:
    """One line of a grid: its name (a row id or a case's name) and its cells by column."""

    name: str
    given: dict[str, str]
    expected: dict[str, str]
    cited: str
    where: str


@dataclass
class Grid:
    """One grid. given, expect: what `given X = y` and `expect X = y` above the header say for all lines."""

    kind: str
    name: str
    path: Path
    given: dict[str, str] = field(default_factory=dict)
    expect: dict[str, str] = field(default_factory=dict)
    columns: tuple[list[str], list[str]] | None = None
    lines: list[Line] = field(default_factory=list)


def _split(line: str, where: str) -> tuple[list[str], list[str]]:
    left, bar, right = line.partition("||")
    if not bar:
        raise SpecError(f"{where}: no '||' in the line")
    return [cell.strip() for cell in left.split("|")], [cell.strip() for cell in right.split("|")]


def read(path: Path) -> list[Grid]:
    """All grids of one file."""
    grids: list[Grid] = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line, where = raw.strip(), f"{path.relative_to(HERE)}:{number}"
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word in ("table", "cases"):
            grids.append(Grid(word, rest.strip(), path))
        elif not grids:
            raise SpecError(f"{where}: a grid starts with 'table NAME' or 'cases TITLE'")
        elif word in ("given", "expect"):
            name, _, value = (part.strip() for part in rest.partition("="))
            getattr(grids[-1], word)[name] = value
        else:
            _add(grids[-1], line, where)
    if not grids or not all(grid.lines for grid in grids):
        raise SpecError(f"{path.name}: a grid without lines")
    return grids


def _add(grid: Grid, line: str, where: str) -> None:
    left, right = _split(line, where)
    if grid.columns is None:
        if right[-1] != "cited":
            raise SpecError(f"{where}: the last column must be 'cited'")
        grid.columns = (left, right)
        return
    if (len(left), len(right)) != (len(grid.columns[0]), len(grid.columns[1])):
        raise SpecError(f"{where}: {len(left)} || {len(right)} cells under a header of other size")
    cited = right[-1]
    if not re.search(r"\d|Herald", cited):
        raise SpecError(f"{where}: no place is cited")
    given = dict(zip(grid.columns[0][1:], left[1:], strict=True))
    expected = dict(zip(grid.columns[1][:-1], right[:-1], strict=True))
    grid.lines.append(Line(left[0], given, expected, cited, where))


@cache
def grids_of(folder: str) -> tuple[Grid, ...]:
    """The grids of a folder of specs, in order of file name."""
    return tuple(grid for path in sorted((HERE / folder).glob("*.txt")) for grid in read(path))


# ---- specs of tables


def micro(text: str) -> int:
    """A plain decimal in millionths, exactly."""
    value = Decimal(text) * 10**6
    if value != int(value):
        raise SpecError(f"{text} has more than six places")
    return int(value)


def _values(column: Any, cell: str, where: str) -> list[Any]:
    if cell == "any":
        some = list(column.words) or list(column.bounds[:-1])
        return [*some, None] if column.missing else some
    values: list[Any] = []
    for part in (part.strip() for part in cell.split(",")):
        if column.words:
            values.append(part)
        elif part == "missing":
            values.append(None)
        elif _PLAIN.fullmatch(part):
            values.append(micro(part))
        else:
            raise SpecError(f"{where}: {part!r} is not a value of {column.name}")
    return values


def combinations(line: Line, table: Any) -> Iterator[dict[str, Any]]:
    """Every set of values that the line's given cells stand for."""
    choices = [_values(column, line.given[column.name], line.where) for column in table.columns]
    for values in itertools.product(*choices):
        yield dict(zip(table.inputs, values, strict=True))


def said(output: Any) -> str:
    """An output as a spec writes it."""
    if isinstance(output, tuple):
        return ", ".join(output) or "-"
    return output or "-"


def faults(grid: Grid, table: Any, row: str | None = None) -> Iterator[str]:
    """Where a table says something else than its spec; with `row`, the lines of that row alone are asked."""
    assert grid.columns is not None
    if (tuple(grid.columns[0][1:]), tuple(grid.columns[1][:-1])) != (table.inputs, table.outputs):
        yield f"{grid.path.name}: the header names {grid.columns}, the table {table.inputs} || {table.outputs}"
        return
    for line in grid.lines:
        if row not in (None, line.name.rstrip("!")):
            continue
        wanted = (line.name.rstrip("!"), line.name.endswith("!"))
        for values in combinations(line, table):
            hit = table.decide(values)
            if (hit.id, hit.impossible) != wanted:
                yield f"{line.where}: {values} is row {hit.id}{'!' * hit.impossible}, not {line.name}"
            for name in table.outputs:
                if said(hit[name]) != line.expected[name]:
                    yield f"{line.where}: row {hit.id}, {name} is {said(hit[name])!r}, not {line.expected[name]!r}"
