"""A line of a `cases` grid as a document, and the answer beside it.

Columns are the document's fields by their dotted names; `ratio`, `copies`, `cep17`, `cells` are its short forms. Two
averages may stand in one cell: `second`, `third`, `cluster` and `follow_up` take `ratio / HER2 copies`. `given X = y`
above the header holds for each line that says something of the same block. An empty cell is an absent field; a
block written `there` is present and empty.

An answer is compared in full: what a grid has no column for must be absent from the answer. Where the status is
invalid the codes stand in `problems`; flags, and a group that the grid does not speak of, need not be shown then
(guideline, section 14).
"""

from __future__ import annotations

from typing import Any

from app.domain.classification import Classification
from app.domain.reading import read_case
from app.guidelines.classify import classify
from tests.specs.grid import Grid, Line, SpecError

_SHORT = {"ratio", "copies", "cep17", "cells"}
_PAIRS = {
    "second": ("recount.ratio", "recount.her2_copies"),
    "third": ("third_count.ratio", "third_count.her2_copies"),
    "cluster": ("cluster.ratio", "cluster.her2_copies"),
    "follow_up": ("follow_up_ish.ratio", "follow_up_ish.her2_copies"),
}
_WHOLE = {"specimen.grade", "adjudication.group"}
_TRUTH = {"yes": True, "no": False}
_ABSENT = {"comment", "review", "retest", "problems", "flags", "steps", "group", "notes", "report_notes"}
_ANSWERED = _ABSENT | {"status", "final", "low", "result", "fda"}


def _set(document: dict[str, Any], field: str, value: Any) -> None:
    *blocks, name = field.split(".")
    for block in blocks:
        document = document.setdefault(block, {})
    document[name] = value


def _fields(line: Line) -> dict[str, str]:
    fields: dict[str, str] = {}
    for column, cell in line.given.items():
        if not cell:
            continue
        if column in _PAIRS and cell != "there":
            ratio, _, copies = (part.strip() for part in cell.partition("/"))
            fields |= {name: each for name, each in zip(_PAIRS[column], (ratio, copies), strict=True) if each}
        else:
            fields[column] = cell
    return fields


def _block(field: str) -> str:
    return "ish" if field in _SHORT else field.partition(".")[0]


def document_of(grid: Grid, line: Line, edition: str) -> dict[str, Any]:
    """The case document that a line stands for."""
    document: dict[str, Any] = {"edition": edition}
    fields = _fields(line)
    told = {_block(field) for field in (*fields, *(name for name in grid.given if "." not in name))}
    held = {field: cell for field, cell in grid.given.items() if "." not in field or _block(field) in told}
    for field, cell in (held | fields).items():
        if cell == "there":
            document.setdefault(field, {})
        elif cell != "absent":
            value: Any = _TRUTH.get(cell, cell)
            _set(document, field, int(cell) if field in _WHOLE else value)
    if isinstance(document.get("ihc"), str) and any(field.startswith("ihc.") for field in fields):
        raise SpecError(f"{line.where}: the score beside a description is ihc.score")
    return document


def _answer(found: Classification) -> dict[str, str]:
    def word(value: Any) -> str:
        return "-" if value is None else str(value)

    return {
        "status": found.status,
        "final": "yes" if found.final else "no",
        "group": word(found.ish_group),
        "low": found.her2_low,
        "comment": word(found.comment),
        "steps": ", ".join(found.next_steps) or "-",
        "flags": ", ".join(sorted(found.flags)) or "-",
        "review": "yes" if found.review_required else "no",
        "retest": word(found.retest),
        "problems": ", ".join(sorted({problem.code for problem in found.problems})) or "-",
        "result": word(found.ish_result),
        "fda": word(found.fda_ratio),
        "notes": ", ".join(found.notes) or "-",
        "report_notes": ", ".join(found.report_notes) or "-",
    }


def differences(grid: Grid, line: Line, edition: str) -> dict[str, tuple[str, str]]:
    """Field by field, what the line expects and what the rules answer, where they differ."""
    if unknown := set(line.expected) - _ANSWERED:
        raise SpecError(f"{line.where}: no such answer {unknown}")
    wanted = dict.fromkeys(_ABSENT, "-") | {"review": "no"} | grid.expect | line.expected
    wanted |= {name: ", ".join(sorted(wanted[name].split(", "))) for name in ("flags", "problems")}
    reading = read_case(document_of(grid, line, edition))
    found = _answer(classify(reading.case, reading.problems))
    if found["status"] == "invalid":
        wanted["flags"] = found["flags"]
        if "group" not in line.expected:
            wanted["group"] = found["group"]
    return {name: (told, found[name]) for name, told in wanted.items() if found[name] != told}
