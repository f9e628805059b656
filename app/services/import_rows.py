"""A file to rows that can be recorded: which part of which specimen's result each gives, or why it gives none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.problems import Problem
from app.interop.mapping import read_mapping
from app.interop.received import Fact, Identifier, Part
from app.interop.sheets import Sheet, Unreadable, read
from app.interop.tabular import Bound, CellProblem, Layout, known_columns, plain
from app.services.files import Answered, Row, answer_rows, layout_of
from app.services.joining import fields_of
from app.services.requests import patient_identity

GUIDE = "see docs/file-mapping.md"
_ROW = "row "  # where a fact of a file stands


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row. part: what it says about its specimen, None where problems refuse it; answer: of the row by itself.

    empty: the columns whose cell is missing in this row, by field.
    """

    number: int
    part: Part | None
    answer: dict[str, Any] | None
    problems: tuple[CellProblem, ...]
    empty: Mapping[str, str] = field(default_factory=dict)

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Its problems, each with its row and column; values are left out, for they may name somebody."""
        return [row_problem(self.number, each.column, each.problem) for each in self.problems]


@dataclass(frozen=True, slots=True)
class ImportTable:
    """A file that can be imported, row by row."""

    sheet: Sheet
    rows: tuple[ImportRow, ...]


def row_problem(number: int, column: str, problem: Problem) -> dict[str, Any]:
    """A problem of a row as a document."""
    told = {"code": problem.code, "field": problem.field, "message": problem.message, "remedy": problem.remedy}
    return {"row": number, "column": column, **told}


def import_table(
    data: bytes, media_type: str, mapping: str | None, laboratory: str, at: str
) -> ImportTable | tuple[Problem, ...]:
    """The rows of a file by a mapping's text (None: columns named as the fields), or why it can't be imported.

    at: when the file came, ISO 8601 in UTC: what it says is ordered by that.
    """
    layout = None if mapping is None else read_mapping(mapping)
    if isinstance(layout, tuple):
        return layout
    try:
        sheet = read(data, media_type, lambda header: known_columns(layout, header))
    except Unreadable as error:
        return (error.problem,)
    bound = layout_of(mapping, sheet.header, None)
    if not isinstance(bound, Bound):
        return tuple(_guided(each, sheet) for each in bound)
    problems = tuple(_needed(bound))
    if problems:
        return tuple(_guided(each, sheet) for each in problems)
    if not sheet.rows:
        return (Problem("MISSING_FIELD", "rows", "the file holds a header and no row", "send at least one row"),)
    patient = _patient_column(bound)
    rows = (Row(number, number, cells) for number, cells in sheet.rows)
    read_rows = [_row(each, bound, patient, laboratory, at) for each in answer_rows(rows, bound)]
    return ImportTable(sheet, tuple(_without_rivals(read_rows)))


def _guided(problem: Problem, sheet: Sheet) -> Problem:
    """A problem of the header, with what is there and where it is told what may be."""
    there = ", ".join(name.strip() or "(no name)" for name in sheet.header)
    message = problem.message if there in problem.remedy else f"{problem.message}; the file has: {there}"
    return Problem(problem.code, problem.field, message, f"{problem.remedy}; {GUIDE}")


def _patient_column(bound: Bound) -> int | None:
    found = [at for at, name in enumerate(bound.header) if plain(name) == plain(bound.layout.patient)]
    return found[0] if len(found) == 1 else None


def _needed(bound: Bound) -> Iterator[Problem]:
    """What an import needs beside what a classification does: whose result, and of which case."""
    layout: Layout = bound.layout
    if _patient_column(bound) is None:
        remedy = 'name one column patient, or write patient = "its name" in the mapping'
        yield Problem("NO_PATIENT", "patient", f"there is not exactly one column {layout.patient}", remedy)
    if all(column.field != "specimen.accession" for _, column in bound.read):
        remedy = "name a column specimen.accession, or map one to it"
        yield Problem("NO_ACCESSION", "specimen.accession", "no column holds the laboratory's case number", remedy)


def _row(answered: Answered, bound: Bound, patient: int | None, laboratory: str, at: str) -> ImportRow:
    number, cells = answered.row.number, answered.row.cells
    wrong = [each for each in answered.problems if not each.noted or answered.status == "invalid"]
    if answered.document is None or len(cells) < len(bound.header):
        return ImportRow(number, None, answered.answer, tuple(wrong))
    name = bound.header[patient or 0]
    told: list[Problem] = []
    cell = cells[patient or 0].strip()
    if plain(cell) in bound.layout.missing:
        told.append(Problem("NO_PATIENT", "patient", "nothing says whose result this is", "give the pseudonym"))
    else:
        patient_identity(cell, told)
    wrong += [CellProblem(name, "", each) for each in told]
    specimen: Mapping[str, Any] = answered.document.get("specimen", {})
    if not specimen.get("accession"):
        column = next((each.name for _, each in bound.read if each.field == "specimen.accession"), "")
        problem = Problem(
            "NO_ACCESSION", "specimen.accession", "nothing says which case this is", "give the case number"
        )
        wrong.append(CellProblem(column, "", problem))
    if wrong:
        return ImportRow(number, None, answered.answer, tuple(wrong))
    facts = tuple(
        Fact(path, value, "final", at, f"{_ROW}{number}", value if isinstance(value, str) else str(value))
        for path, value in fields_of(answered.document).items()
    )
    block = str(specimen.get("block") or "")
    part = Part((Identifier("", cell),), laboratory, str(specimen["accession"]), "", block, facts)
    empty = {each.field: each.name for place, each in bound.read if plain(cells[place].strip()) in bound.layout.missing}
    return ImportRow(number, part, answered.answer, answered.problems, empty)


def withdrawn(row: ImportRow, before: Iterable[Part]) -> list[dict[str, Any]]:
    """Problems of cells that are empty now and held a value in an earlier file: nothing says if it is taken back."""
    stated = {fact.field for part in before for fact in part.facts if fact.where.startswith(_ROW)}
    message = "an earlier file gives a value here, and this cell is empty: whether it is taken back is not said"
    remedy = "repeat the value; to take it back, amend the result, then leave the column out"
    return [
        row_problem(row.number, column, Problem("AMBIGUOUS", path, message, remedy))
        for path, column in row.empty.items()
        if path in stated
    ]


def _without_rivals(rows: list[ImportRow]) -> Iterator[ImportRow]:
    """Rows of one specimen that say different things: none of them is taken, for nothing tells which is right."""
    said: dict[tuple[str, str], list[ImportRow]] = defaultdict(list)
    for row in rows:
        if row.part is not None:
            said[(row.part.accession, row.part.block)].append(row)
    for row in rows:
        if row.part is None:
            yield row
            continue
        others = [each for each in said[(row.part.accession, row.part.block)] if _what(each) != _what(row)]
        if not others:
            yield row
            continue
        numbers = ", ".join(str(each.number) for each in others[:5])
        message = f"row {numbers} says something else of the same accession and block"
        remedy = "send one row for each specimen, or name the blocks in specimen.block"
        problem = Problem("CONTRADICTORY", "specimen.accession", message, remedy)
        yield ImportRow(row.number, None, row.answer, (CellProblem("", "", problem),))


def _what(row: ImportRow) -> Any:
    part = row.part
    return part and (part.patient, [(fact.field, fact.value) for fact in part.facts])
