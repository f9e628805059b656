"""Rows of a table to case documents by a mapping, and answers back to cells. Pure: no file is opened here."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.domain.codes import POLICY_SWITCHES
from app.domain.evidence import BIOMARKERS
from app.domain.problems import Problem, shown

# What a field of the case document takes from a cell; a test holds this list against app.domain.reading.
_COUNTED = "ratio her2_copies cep17_copies her2_signals cep17_signals cells her2_cells cep17_cells"
_COUNT = dict.fromkeys(_COUNTED.split(), "number")
_ISH = _COUNT | {
    "assay": "text", "failed": "flag", "failure_reason": "text", "controls": "text", "method": "text",
    "observer": "text",
}  # fmt: skip
_RECOUNT = _COUNT | {"same_observer": "flag", "observer": "text", "blinded": "flag", "in_ihc_2plus_area": "flag"}
_BLOCKS: dict[str, dict[str, str]] = {
    "specimen": {
        "accession": "text", "block": "text", "site": "text", "kind": "text", "procedure": "text", "invasive": "flag",
        "breast_carcinoma": "flag", "collected_at": "text", "reported_at": "text", "histology": "text",
        "grade": "whole", "purity_percent": "number", "little_invasive_tumour": "flag", "excision_differs": "flag",
        "handling_doubt": "flag", "cold_ischaemia_minutes": "number", "fixation_hours": "number", "fixative": "text",
        "decalcified": "flag", "section_age_days": "number",
    },
    "ihc": {
        "score": "text", "controls": "text", "membrane": "text", "intensity": "text", "percent": "number",
        "scored_under": "text", "clone": "text",
    },
    "ish": _ISH,
    "follow_up_ish": _ISH,
    "recount": _RECOUNT,
    "third_count": _RECOUNT,
    "adjudication": {"group": "whole"},
    "cluster": _COUNT | {"share_percent": "number"},
    "policy": dict.fromkeys(POLICY_SWITCHES, "text"),
    "context.biomarkers": dict.fromkeys(BIOMARKERS, "text"),
    "context": {
        "er": "text", "er_percent": "number", "pgr": "text", "pgr_percent": "number", "setting": "text",
        "menopausal_status": "text", "line": "whole", "prior_therapies": "list",
    },
}  # fmt: skip
FIELDS: dict[str, str] = {"edition": "text", "reported_status": "text"} | {
    f"{block}.{name}": kind for block, names in _BLOCKS.items() for name, kind in names.items()
}
SHORT = {
    "ihc": "ihc.score", "ratio": "ish.ratio", "copies": "ish.her2_copies", "cep17": "ish.cep17_copies",
    "cells": "ish.cells",
}  # fmt: skip
# A table without any of these tests nothing.
TESTS = frozenset({"ihc.score", "ish.ratio", "ish.her2_copies", "ish.her2_signals"})
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
# Places at which numbers are compared (app.domain.numbers).
PLACES = 6


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file and the field it holds. values: cells, casefolded, to words; empty: as written.

    A word that is a mapping names other fields, which then hold its words instead of the column's field. also: fields
    and their words wherever the column's own field is filled. truncated: decimals that were kept, further ones cut off.
    shared: another column may hold the same field, but not in the same row with another value.
    """

    name: str
    field: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    otherwise: Any = None
    optional: bool = False
    missing: frozenset[str] = frozenset()
    also: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    truncated: int = 0
    shared: bool = False

    @property
    def kind(self) -> str:
        return FIELDS[self.field]


@dataclass(frozen=True, slots=True)
class Layout:
    """A mapping: columns to fields, what stands for missing, what identifies a row, what is carried through.

    patient: the column of the patient's pseudonym; a file that is imported needs it, one that is classified does not.
    """

    columns: tuple[Column, ...]
    id: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset({""})
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    decimal_comma: bool = False
    comment: str | None = None
    optional: frozenset[str] = frozenset()
    patient: str = "patient"

    def with_edition(self, edition: str) -> Layout:
        return replace(self, constants={**self.constants, "edition": edition})


@dataclass(frozen=True, slots=True)
class Bound:
    """A layout laid on the header of one file."""

    layout: Layout
    header: tuple[str, ...]
    read: tuple[tuple[int, Column], ...]
    id: tuple[int, ...]
    carry: tuple[int, ...]
    absent: tuple[str, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellProblem:
    """A problem and where it stands in the row. noted: the row is answered all the same."""

    column: str
    value: str
    problem: Problem
    noted: bool = False


@dataclass(frozen=True, slots=True)
class RowCase:
    """A row as a case document, and what could not be read of it."""

    document: dict[str, Any]
    problems: tuple[CellProblem, ...]

    @property
    def readable(self) -> bool:
        return all(each.noted for each in self.problems)


def plain(text: str) -> str:
    """A cell or a column's name as it is compared: without outer blanks, and in one case."""
    return text.strip().casefold()


def nearest(name: str, names: Sequence[str]) -> str:
    """What may have been meant, as words for a remedy."""
    folded = {plain(each): each for each in names}
    close = difflib.get_close_matches(plain(name), list(folded), 3, 0.6)
    return f"did you mean {' or '.join(folded[each] for each in close)}?" if close else ""


def direct_layout(header: Sequence[str]) -> Layout:
    """The layout of a table whose columns are named as the fields; all others are carried through."""
    columns, carried = [], []
    for name in header:
        path = SHORT.get(plain(name), plain(name))
        if path in FIELDS:
            columns.append(Column(name, path))
        elif name.strip():
            carried.append(name)
    return Layout(tuple(columns), carry=tuple(carried))


def known_columns(layout: Layout | None, header: Sequence[str]) -> int:
    """How many columns of a header a layout knows; None: as direct_layout reads it."""
    if layout is None:
        return len(direct_layout(header).columns)
    names = {plain(name) for name in (*(each.name for each in layout.columns), *layout.id, *layout.carry)}
    return len(names & {plain(name) for name in header})


def bind(layout: Layout, header: Sequence[str]) -> Bound | tuple[Problem, ...]:
    """Find the layout's columns in a header: by name, else by name in another case. Or all that does not fit."""
    problems: list[Problem] = []
    absent: list[str] = []
    stripped = [name.strip() for name in header]
    folded = [plain(name) for name in header]

    def place(name: str, where: str, optional: bool) -> int | None:
        found = [at for at, each in enumerate(stripped) if each == name.strip()]
        found = found or [at for at, each in enumerate(folded) if each == plain(name)]
        if len(found) > 1:
            told = f"{name} occurs {len(found)} times in the header"
            problems.append(Problem("TWICE_STATED", where, told, "leave one column of that name"))
        elif not found and optional:
            absent.append(name)
        elif not found:
            remedy = nearest(name, stripped) or f"the file has: {', '.join(stripped)}"
            problems.append(Problem("UNKNOWN_FIELD", where, f"the file has no column {name}", remedy))
        return found[0] if len(found) == 1 else None

    read = [(place(each.name, "columns", each.optional), each) for each in layout.columns]
    id_places = [place(name, "id", name in layout.optional) for name in layout.id]
    carried = [place(name, "carry", name in layout.optional) for name in layout.carry]
    bound = tuple((at, column) for at, column in read if at is not None)
    given: dict[str, Column] = {}
    for _, column in bound:
        if (before := given.get(column.field)) and not (before.shared and column.shared):
            told = f"{before.name} and {column.name} both hold {column.field}"
            problems.append(Problem("TWICE_STATED", "columns", told, "map one of them, carry the other"))
        given[column.field] = column
    if not problems and not TESTS & given.keys():
        told = "no column holds an IHC score, a ratio, HER2 copies or HER2 signals"
        remedy = f"name such a column, or give a mapping; the file has: {', '.join(stripped)}"
        problems.append(Problem("MISSING_FIELD", "columns", told, remedy))
    if problems:
        return tuple(problems)
    ids, carry = (tuple(at for at in places if at is not None) for places in (id_places, carried))
    used = {at for at, _ in bound} | set(ids) | set(carry)
    unused = tuple(name for at, name in enumerate(stripped) if at not in used and plain(name) != plain(layout.patient))
    return Bound(layout, tuple(stripped), bound, ids, carry, tuple(dict.fromkeys(absent)), unused)


def read_row(bound: Bound, cells: Sequence[str]) -> RowCase:
    """The case document of one row. A cell that stands for missing gives no field; nothing else is left out."""
    layout, document = bound.layout, dict[str, Any]()
    problems: list[CellProblem] = []
    surplus = [cell for cell in cells[len(bound.header) :] if cell.strip()]
    if len(cells) < len(bound.header) or surplus:
        told = f"the row has {len(cells)} cells, the header {len(bound.header)}: what stands in which column is unsure"
        remedy = "give every row as many cells as the header, quotes around a cell that holds the delimiter"
        return RowCase({}, (CellProblem("", "", Problem("WRONG_TYPE", "row", told, remedy)),))
    for path, constant in layout.constants.items():
        _put(document, path, constant)
    told_by: dict[str, tuple[Column, Any]] = {}
    for at, column in bound.read:
        cell = cells[at].strip()
        if _is_missing(layout, column, cell):
            continue
        fields, problem = _stated(layout, column, cell)
        if problem:
            problems.append(CellProblem(column.name, cell, problem, noted=bool(fields)))
        for path, value in fields.items():
            before, first = told_by.setdefault(path, (column, value))
            if first != value:
                told = f"{before.name} says {shown(first)}, {column.name} says {shown(value)}"
                problem = Problem("TWICE_STATED", path, told, "leave the one that is right, empty the other")
                problems.append(CellProblem(f"{before.name}, {column.name}", cell, problem))
            _put(document, path, value)
    return RowCase(document, tuple(problems))


def truncated_range(number: str) -> str:
    """All numbers of which these first decimals were kept: 1.9 is 1.9-1.999999 at the places that are compared."""
    return f"{number}-{number.ljust(number.index('.') + 1 + PLACES, '9')}"


def _is_missing(layout: Layout, column: Column, cell: str) -> bool:
    return plain(cell) in layout.missing or plain(cell) in column.missing


def _stated(layout: Layout, column: Column, cell: str) -> tuple[dict[str, Any], Problem | None]:
    """The fields a cell fills, or a problem; both: the cell was read as otherwise, which is noted."""
    value: Any = cell
    problem = None
    if plain(cell) in column.values:
        value = column.values[plain(cell)]
    elif column.kind == "number" and (column.truncated or not column.values):
        number = _number(layout, column, cell)
        if isinstance(number, Problem):
            return {}, number
        value = number
    elif column.values:
        told = f"{shown(cell)} is not in the mapping's values of this column"
        if column.otherwise is None:
            given = ", ".join(sorted(column.values))
            return {}, Problem("UNKNOWN_VALUE", column.field, told, f"add it to the values, or send {given}")
        problem = Problem("UNKNOWN_VALUE", column.field, f"{told}; read as {column.otherwise}", "check it")
        value = column.otherwise
    fields = value if isinstance(value, Mapping) else {column.field: value, **column.also}
    return {path: _typed(each, FIELDS[path]) for path, each in fields.items()}, problem


def _number(layout: Layout, column: Column, cell: str) -> str | Problem:
    """A cell of numbers as the case document writes them."""
    if layout.decimal_comma:
        if "." in cell:
            told = f"{shown(cell)} has a point where the mapping says that the comma is the decimal sign"
            return Problem("MALFORMED_NUMBER", column.field, told, "write one sign in the whole file")
        cell = cell.replace(",", ".")
    if not column.truncated:
        return cell
    if not re.fullmatch(rf"\d+\.\d{{{column.truncated}}}", cell, re.ASCII):
        codes = ", ".join(sorted({*column.values, *column.missing}))
        told = f"{shown(cell)} is no number cut off after {column.truncated} decimals, and no code of this column"
        remedy = f"write {column.truncated} decimals" + (f", or one of {codes}" if codes else "")
        return Problem("MALFORMED_NUMBER", column.field, told, remedy)
    return truncated_range(cell)


def _typed(value: Any, kind: str) -> Any:
    """A cell's text as the JSON type of its field; what does not fit stays text, and the reading says so."""
    if not isinstance(value, str):
        return value
    if kind == "flag":
        return _FLAGS.get(plain(value), value)
    if kind == "whole" and value.isascii() and value.isdigit() and len(value) <= 3:
        return int(value)
    if kind == "list":
        return [part.strip() for part in value.split(";") if part.strip()]
    return value


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *blocks, name = path.split(".")
    for block in blocks:
        document = document.setdefault(block, {})
    document[name] = value


def field_document(path: str, value: Any) -> dict[str, Any]:
    """A case document of one field."""
    document: dict[str, Any] = {}
    _put(document, path, value)
    return document


def case_document(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The case document of fields and their values; texts become the JSON type of their field."""
    document: dict[str, Any] = {}
    for path, value in fields.items():
        _put(document, path, _typed(value, FIELDS.get(path, "text")))
    return document


def locate(bound: Bound, cells: Sequence[str], problem: Problem) -> CellProblem:
    """Where a problem of the document stands in the row: the columns of its field, or of its block."""
    path = SHORT.get(problem.field, problem.field)
    found = [(at, column) for at, column in bound.read if column.field == path]
    if not found:
        # A problem of a whole block is one of its numbers, where it has any.
        block = [(at, column) for at, column in bound.read if column.field.startswith(f"{problem.field}.")]
        found = [(at, column) for at, column in block if column.kind == "number"] or block
    stated = [
        (column.name, cell) for at, column in found if not _is_missing(bound.layout, column, cell := cells[at].strip())
    ]
    names, values = ", ".join(name for name, _ in stated), ", ".join(cell for _, cell in stated)
    return CellProblem(names, values, problem)


# ---- and back

PLACE = ("row", "line")
ANSWER = (
    "status", "final", "ish_group", "ish_result", "her2_low", "comment", "next_steps", "flags", "problems",
    "review_required", "retest", "rows", "possible", "edition", "edition_digest", "evidence", "evidence_digest",
    "engine",
)  # fmt: skip
PROBLEM = ("row", "line", "effect", "column", "value", "code", "field", "message", "remedy")


def answer_header(bound: Bound) -> list[str]:
    """The columns of the answered file: place, identity, what is carried through, the answer."""
    taken = {*PLACE, *ANSWER}
    own = [bound.header[at] for at in (*bound.id, *bound.carry)]
    return [*PLACE, *(f"file.{name}" if name in taken else name for name in own), *ANSWER]


def answer_cells(
    bound: Bound, cells: Sequence[str], answer: Mapping[str, Any] | None, codes: Sequence[str]
) -> list[str]:
    """A row's own cells and its answer; None: the row could not be read, so its status is invalid."""
    own = [cells[at] if at < len(cells) else "" for at in (*bound.id, *bound.carry)]
    if answer is None:
        told: dict[str, Any] = {"status": "invalid", "final": False, "her2_low": "undetermined", "problems": codes}
    else:
        told = {
            **answer,
            "problems": codes,
            "rows": steps(answer["trace"]),
            "possible": " | ".join(
                f"{world['status']} if {world['assumption']}: {steps(world['trace'])}" for world in answer["worlds"]
            ),
            "edition": answer["edition"]["id"],
            "edition_digest": answer["edition"]["digest"],
            "evidence": f"{answer['evidence']['id']} {answer['evidence']['version']}",
            "evidence_digest": answer["evidence"]["digest"],
        }
    return [*own, *(_cell(told.get(name)) for name in ANSWER)]


def steps(trace: Sequence[Mapping[str, Any]]) -> str:
    """The rows of a trace, each as table:row."""
    return "; ".join(f"{step['table']}:{step['row']}" for step in trace)


def problem_cells(each: CellProblem) -> list[str]:
    """A line of the problems file, without the row's place."""
    told = each.problem
    place = ["noted" if each.noted else "invalid", each.column, each.value]
    return [*place, told.code, told.field, told.message, told.remedy]


def _cell(value: Any) -> str:
    told = "" if value is None else str(value).lower() if isinstance(value, bool) else value
    return "; ".join(told) if isinstance(told, list | tuple) else str(told)
