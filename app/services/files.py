"""Files: classify a table row by row. Rows in, an answer or the problems of each row out; no row is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from app.domain.problems import Problem
from app.interop.mapping import read_mapping
from app.interop.tabular import (
    Bound,
    CellProblem,
    Layout,
    answer_cells,
    bind,
    direct_layout,
    locate,
    problem_cells,
    read_row,
)
from app.services.assessment import assess

_MAPPINGS = resources.files("app.interop") / "mappings"


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a table. number: as a spreadsheet counts, the header included; line: where it begins."""

    number: int
    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a row. document: what was classified, None where the row could not be read."""

    row: Row
    document: dict[str, Any] | None
    answer: dict[str, Any] | None
    problems: tuple[CellProblem, ...]

    @property
    def status(self) -> str:
        return str(self.answer["status"]) if self.answer else "invalid"

    def cells(self, bound: Bound) -> list[str]:
        """Its line in the answered file."""
        codes = list(dict.fromkeys(each.problem.code for each in self.problems if not each.noted))
        return [str(self.row.number), str(self.row.line), *answer_cells(bound, self.row.cells, self.answer, codes)]

    def problem_lines(self) -> list[list[str]]:
        """Its lines in the problems file."""
        return [[str(self.row.number), str(self.row.line), *problem_cells(each)] for each in self.problems]


def answer_rows(rows: Iterable[Row], bound: Bound) -> Iterator[Answered]:
    """Each row, in order, with its answer or its problems; nothing is kept in memory."""
    for row in rows:
        read = read_row(bound, row.cells)
        if not read.readable:
            yield Answered(row, None, None, read.problems)
            continue
        found = assess(read.document)
        told = tuple(locate(bound, row.cells, problem) for problem in found.problems)
        yield Answered(row, read.document, found.answer, (*told, *read.problems))


def mapping_names() -> list[str]:
    """The mappings that come with Herald."""
    return sorted(each.name.removesuffix(".toml") for each in _MAPPINGS.iterdir() if each.name.endswith(".toml"))


def mapping_text(name: str) -> str | None:
    """The text of a mapping that comes with Herald."""
    return (_MAPPINGS / f"{name}.toml").read_text("utf-8") if name in mapping_names() else None


def layout_of(mapping: str | None, header: Sequence[str], edition: str | None) -> Bound | tuple[Problem, ...]:
    """A mapping's text (None: columns named as the fields) laid on a header, under an edition where one is named."""
    layout = direct_layout(header) if mapping is None else read_mapping(mapping)
    if not isinstance(layout, Layout):
        return layout
    if edition is not None:
        if any(column.field == "edition" for column in layout.columns):
            told = "the file holds the edition in a column"
            return (Problem("TWICE_STATED", "edition", told, "leave --edition out, or do not map that column"),)
        layout = layout.with_edition(edition)
    return bind(layout, header)
