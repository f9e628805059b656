"""A case written as the query of a link: read for GET /her2/classify and for the calculator by the same code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.codes import EDITIONS
from app.domain.evidence import BIOMARKERS, MENOPAUSAL, PATIENT_SETTINGS, RECEPTORS, UNKNOWN
from app.domain.problems import Problem, named
from app.domain.reading import read_case
from app.services.assessment import assess
from app.services.errors import Refusal

Items = Iterable[tuple[str, str]]
_CONTROLS = ("passed", "failed")
_FLAG = ("true", "false")
_PLAIN = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """Where a query parameter stands in a case document. words: the list it is from, () for a score or a number.

    kind: text, or what the text stands for in the document: flag (true, false) or whole (a whole number).
    """

    path: tuple[str, ...]
    words: tuple[str, ...] = ()
    kind: str = "text"


PARAMETERS: Mapping[str, Parameter] = {
    "edition": Parameter(("edition",), EDITIONS),
    "ihc": Parameter(("ihc", "score")),
    "ratio": Parameter(("ratio",)),
    "copies": Parameter(("copies",)),
    "cep17": Parameter(("cep17",)),
    "cells": Parameter(("cells",)),
    "her2_signals": Parameter(("ish", "her2_signals")),
    "cep17_signals": Parameter(("ish", "cep17_signals")),
    "assay": Parameter(("ish", "assay"), ("dual_probe", "single_probe")),
    "er": Parameter(("context", "er"), RECEPTORS),
    "pgr": Parameter(("context", "pgr"), RECEPTORS),
    "setting": Parameter(("context", "setting"), (*PATIENT_SETTINGS, UNKNOWN)),
    "menopausal_status": Parameter(("context", "menopausal_status"), MENOPAUSAL),
    "membrane": Parameter(("ihc", "membrane"), ("none", "incomplete", "complete")),
    "intensity": Parameter(("ihc", "intensity"), ("faint", "weak", "moderate", "intense")),
    "percent": Parameter(("ihc", "percent")),
    "ihc_controls": Parameter(("ihc", "controls"), _CONTROLS),
    "ish_controls": Parameter(("ish", "controls"), _CONTROLS),
    "ish_failed": Parameter(("ish", "failed"), _FLAG, "flag"),
    "follow_up_ratio": Parameter(("follow_up_ish", "ratio")),
    "follow_up_copies": Parameter(("follow_up_ish", "her2_copies")),
    "follow_up_cep17": Parameter(("follow_up_ish", "cep17_copies")),
    "follow_up_cells": Parameter(("follow_up_ish", "cells")),
    "recount_ratio": Parameter(("recount", "ratio")),
    "recount_copies": Parameter(("recount", "her2_copies")),
    "recount_cep17": Parameter(("recount", "cep17_copies")),
    "recount_cells": Parameter(("recount", "cells")),
    "recount_blinded": Parameter(("recount", "blinded"), _FLAG, "flag"),
    "recount_in_ihc_2plus_area": Parameter(("recount", "in_ihc_2plus_area"), _FLAG, "flag"),
    "recount_same_observer": Parameter(("recount", "same_observer"), _FLAG, "flag"),
    "adjudicated_group": Parameter(("adjudication", "group"), ("1", "2", "3", "4", "5"), "whole"),
    "er_percent": Parameter(("context", "er_percent")),
    "pgr_percent": Parameter(("context", "pgr_percent")),
    "line": Parameter(("context", "line"), (), "whole"),
    "specimen_kind": Parameter(("specimen", "kind"), ("primary", "metastasis", "nodal")),
    **{f"biomarker_{name}": Parameter(("context", "biomarkers", name), RECEPTORS) for name in BIOMARKERS},
}
_SHORT = {"ratio": "ratio", "copies": "her2_copies", "cep17": "cep17_copies", "cells": "cells"}
_FIELDS = {".".join(each.path): name for name, each in PARAMETERS.items()}
_FIELDS |= {f"ish.{field}": name for name, field in _SHORT.items()} | {"ihc": "ihc"}


def read_query(items: Items) -> dict[str, Any]:
    """The case document that a query stands for. Raises Refusal with every parameter unknown, twice or unclear."""
    document, problems = _read(items)
    if problems:
        raise Refusal("invalid", "The query cannot be read.", problems)
    return document


def _read(items: Items) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The document, and what of the query could not be put into it."""
    document: dict[str, Any] = {}
    problems = []
    for name, value in items:
        parameter = PARAMETERS.get(name)
        if parameter is None:
            remedy = f"use one of {', '.join(PARAMETERS)}; POST takes whole cases"
            problems.append(Problem("UNKNOWN_FIELD", named("", name), "there is no such parameter", remedy))
            continue
        *blocks, last = parameter.path
        block = document
        for each in blocks:
            block = block.setdefault(each, {})
        if last in block:
            problems.append(Problem("TWICE_STATED", name, "is given twice", f"send {name} once"))
        # An unescaped + arrives as a blank: "2 " can only be 2+, but "0 " may be 0 or 0+.
        if name == "ihc" and value.endswith("0 "):
            problems.append(Problem("UNKNOWN_SCORE", name, "is 0 or an unescaped 0+", "send 0, or 0+ written as 0%2B"))
        block[last] = _value(parameter, value)
    if document.get("ihc", {}).keys() == {"score"}:
        document["ihc"] = document["ihc"]["score"]
    return document, tuple(problems)


def _value(parameter: Parameter, text: str) -> Any:
    if parameter.kind == "flag":
        return _PLAIN.get(text, text)
    if parameter.kind == "whole" and text.isascii() and text.isdecimal() and len(text) < 5:
        return int(text)
    return text


def parameter_of(field: str) -> str | None:
    """The query parameter that a problem's field belongs to; None where it belongs to several, or to none."""
    return _FIELDS.get(field, field if field in PARAMETERS else None)


@dataclass(frozen=True, slots=True)
class Calculated:
    """What a query is answered. answer: None where the query itself cannot be read.

    problems: each with the parameter it belongs to, None for none; query: what could be read of it, fit for a link.
    """

    answer: Mapping[str, Any] | None
    problems: tuple[tuple[str | None, Problem], ...]
    query: tuple[tuple[str, str], ...]


def calculate(items: Items) -> Calculated:
    """The answer to a query with its problems by parameter; nothing is refused, nothing stored."""
    asked = list(items)
    document, problems = _read(asked)
    unread = (*problems, *read_case(document).problems)
    found = None if problems else assess(document)
    # What cannot be read may be anything, a name too: it goes into no link.
    left_out = {parameter_of(each.field) for each in unread}
    return Calculated(
        found.answer if found else None,
        tuple((parameter_of(each.field), each) for each in (found.problems if found else unread)),
        tuple((name, value) for name, value in asked if name in PARAMETERS and name not in left_out),
    )
