"""Join what messages said about one specimen into one case document. Pure: the same set gives the same document.

Order is by the messages' own times, never by arrival. Of each block of the document (`ihc`, `ish`, ...) the newest
report counts; one that changes a value of an assay replaces that assay, so that no two counts are ever mixed. Only
final and corrected values classify: a preliminary one holds the field open, one taken back empties it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.domain.problems import Problem
from app.interop.received import TAKEN_BACK, Fact, Part
from app.interop.tabular import case_document

# at the same moment the later of these counts
_RANK = {"preliminary": 0, "promoted": 1, "final": 2, "corrected": 3, "cancelled": 4, "deleted": 5, "wrong": 6}
# each field for itself: about the specimen and the patient, not measured together
_LOOSE = ("specimen", "context", "reported_status", "edition", "policy")


def assembled(parts: Iterable[Part]) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The fields that stand, by path, and where two reports of one moment give a field two values."""
    entries: dict[str, list[tuple[tuple[str, int], Sequence[Fact]]]] = defaultdict(list)
    for part in parts:
        blocks: dict[str, list[Fact]] = defaultdict(list)
        for fact in part.facts:
            blocks[_block_of(fact.field)].append(fact)
        for block, facts in blocks.items():
            entries[block].append((max((fact.at, _RANK[fact.status]) for fact in facts), facts))
    fields: dict[str, Any] = {}
    problems: list[Problem] = []
    for reports in entries.values():
        reports.sort(key=_place)
        problems += _contradictions(reports)
        fields |= _block(reports)
    return fields, tuple(problems)


def _block_of(field: str) -> str:
    head = field.split(".")[0]
    return field if head in _LOOSE else head


def _place(report: tuple[tuple[str, int], Sequence[Fact]]) -> tuple[Any, ...]:
    """Where a report stands among others: by its time; what is less settled comes first of one moment."""
    order, facts = report
    said = sorted((fact.field, fact.at, _RANK[fact.status], repr(fact.value)) for fact in facts)
    return order, sorted(_RANK[fact.status] for fact in facts), said


def _block(reports: Sequence[tuple[tuple[str, int], Sequence[Fact]]]) -> dict[str, Any]:
    standing: dict[str, Any] = {}
    preliminary: dict[str, Any] = {}
    count: dict[str, Any] = {}  # the values of the present assay, with those held open or taken back since
    for _, facts in reports:
        if any(count.get(fact.field, value) != value for fact, value in _settled(facts, preliminary)):
            standing, count = {}, {}
        for fact in sorted(facts, key=lambda each: (each.at, _RANK[each.status])):
            if told := _settled([fact], preliminary):
                standing[fact.field] = count[fact.field] = told[0][1]
                preliminary.pop(fact.field, None)
            elif fact.status != "promoted":
                standing.pop(fact.field, None)
                preliminary.pop(fact.field, None)
                if fact.status == "preliminary":
                    preliminary[fact.field] = fact.value
    return standing


def _settled(facts: Iterable[Fact], preliminary: Mapping[str, Any]) -> list[tuple[Fact, Any]]:
    """The facts that may classify, with their values: a promoted one without has that of the preliminary one."""
    found = []
    for fact in facts:
        value = fact.value
        if fact.status == "promoted" and value is None:
            value = preliminary.get(fact.field)
        if fact.status in ("final", "corrected", "promoted") and value is not None:
            found.append((fact, value))
    return found


def _contradictions(reports: Sequence[tuple[tuple[str, int], Sequence[Fact]]]) -> list[Problem]:
    told: dict[tuple[str, str, tuple[str, int]], Fact] = {}
    problems = []
    for order, facts in reports:
        for fact in facts:
            final = fact.status in ("final", "corrected")
            if not final and (fact.value is None or fact.status in TAKEN_BACK):
                continue
            before = told.setdefault((fact.field, "final" if final else fact.status, order), fact)
            if before.value != fact.value:
                message = f"another report of the same time gives {fact.field} another value"
                remedy = "send the right one as corrected, with its time"
                problems.append(Problem("CONTRADICTORY", fact.where, message, remedy))
    return problems


def cause_of(part: Part) -> str:
    """What a message is to the result it reaches."""
    statuses = {fact.status for fact in part.facts}
    if statuses & set(TAKEN_BACK):
        return "cancelled"
    if "corrected" in statuses:
        return "corrected"
    return "preliminary" if statuses <= {"preliminary"} else "reported"


def document_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The case document with these fields, in one order."""
    return case_document(dict(sorted(fields.items())))


def fields_of(document: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """The fields of a case document by path; a score in its short form is `ihc.score`."""
    fields: dict[str, Any] = {}
    for name, value in document.items():
        path = f"{at}.{name}" if at else name
        if isinstance(value, Mapping):
            fields |= fields_of(value, path)
        else:
            fields["ihc.score" if path == "ihc" else path] = value
    return fields


def renewed(
    current: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], newest: Mapping[str, str], by: str
) -> dict[str, Any]:
    """The document when reports change the fields that they give from before to after.

    What a person changed since stays, save where a report is newer; one that changes a value of an assay replaces all
    of it. newest: when each field was last reported; by: when a person last changed the document, "" for never.
    """
    fields = fields_of(current)
    changed = [path for path in before.keys() & after.keys() if before[path] != after[path]]
    replaced = {_block_of(path) for path in changed if newest.get(path, "") > by}
    for path in sorted({*fields, *before, *after}):
        if _block_of(path) not in replaced:
            amended = fields.get(path) != before.get(path)
            if before.get(path) == after.get(path) or (amended and newest.get(path, "") <= by):
                continue
        fields.pop(path, None)
        if path in after:
            fields[path] = after[path]
    return document_of(fields)
