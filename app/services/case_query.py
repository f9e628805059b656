"""A case as a query: the parameters of GET /her2/classify and of the pages that take the same query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.domain.problems import Problem, named
from app.services.errors import Refusal

# Where a query parameter stands in a case document.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "edition": ("edition",),
    "ihc": ("ihc",),
    "ratio": ("ratio",),
    "copies": ("copies",),
    "cep17": ("cep17",),
    "cells": ("cells",),
    "her2_signals": ("ish", "her2_signals"),
    "cep17_signals": ("ish", "cep17_signals"),
    "assay": ("ish", "assay"),
    "er": ("context", "er"),
    "pgr": ("context", "pgr"),
    "setting": ("context", "setting"),
    "menopausal_status": ("context", "menopausal_status"),
}


def case_of(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The case document of a query's names and values. Raises Refusal for what is unknown, doubled or unclear."""
    document: dict[str, Any] = {}
    problems = []
    for name, value in items:
        path = PARAMETERS.get(name)
        if path is None:
            remedy = f"use one of {', '.join(PARAMETERS)}; POST takes whole cases"
            told = named("", name)
            problems.append(Problem("UNKNOWN_FIELD", told, "there is no such parameter", remedy))
            continue
        block = document if len(path) == 1 else document.setdefault(path[0], {})
        if path[-1] in block:
            problems.append(Problem("TWICE_STATED", name, "is given twice", f"send {name} once"))
        # An unescaped + arrives as a blank: "2 " can only be 2+, but "0 " may be 0 or 0+.
        if name == "ihc" and value.endswith("0 "):
            problems.append(Problem("UNKNOWN_SCORE", name, "is 0 or an unescaped 0+", "send 0, or 0+ written as 0%2B"))
        block[path[-1]] = value
    if problems:
        raise Refusal("invalid", "The query cannot be read.", problems)
    return document
