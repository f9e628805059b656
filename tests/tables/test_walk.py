"""The editions' tables as a whole: each cell one row, each row of the figures reached, the impossible never."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from app.domain.reading import read_case
from app.guidelines.classify import classify
from app.guidelines.editions import EDITIONS
from app.guidelines.outcomes import OUTCOMES

Document = dict[str, Any]
TABLES = {f"{table.name} {edition.id}": table for edition in EDITIONS.values() for table in edition.tables}
ONCE = {name: table for name, table in TABLES.items() if table not in EDITIONS["asco-cap-2018"].tables} | {
    f"{table.name} asco-cap-2018": table for table in EDITIONS["asco-cap-2018"].tables
}


@pytest.mark.parametrize("name", sorted(ONCE))
def test_every_cell_hits_one_row(name: str) -> None:
    table = ONCE[name]
    sizes = [range(column.size) for column in table.columns]
    for values, key in zip(table.every_cell(), itertools.product(*sizes), strict=True):
        holding = [
            row.id
            for row, cells in zip(table.rows, table.cells, strict=True)
            if all(k in have for k, have in zip(key, cells, strict=True))
        ]
        assert holding == [table.decide(values).id], values


GROUPS = {1: ("2.5", "5.0"), 2: ("2.5", "3.0"), 3: ("1.5", "6.5"), 4: ("1.5", "4.5"), 5: ("1.2", "2.5")}
SCORES: list[Any] = [None, "indeterminate", "0", "0+", "1+", "2+", "3+"]
HOLD = {"group1_ihc_negative": "hold", "group5_ihc_3plus": "hold", "single_probe_discordant": "hold"}
POLICIES = [{}, HOLD, {**HOLD, "low_in_groups_2_to_4": "exclude"}, {"single_probe_discordant": "hold"}]


def count(group: int, **more: Any) -> Document:
    ratio, copies = GROUPS[group]
    return {"ratio": ratio, "her2_copies": copies, "cells": 20, **more}


def single(copies: str, **more: Any) -> Document:
    return {"assay": "single_probe", "her2_copies": copies, "cells": 20, **more}


RECORDS: list[Document | None] = [
    None, {}, {"assay": "dual_probe"}, {"assay": "single_probe"}, {"failed": True},
    {"controls": "failed", "ratio": "2"},
    *[count(group) for group in GROUPS], *[single(copies) for copies in ("6.5", "5.0", "3.0", "3.0-5.0", "3.0-7.0")],
    single("5.0", ratio="2.5"), {"her2_copies": "3.0", "cells": 20}, {"her2_copies": "6.5", "cells": 20},
    {"her2_copies": "5.0", "cells": 20}, {"ratio": "1.2", "cells": 20}, {"ratio": "2.5", "cells": 20},
    {"ratio": "1.5", "her2_copies": ">4.0", "cells": 20}, {"ratio": "1.9-2.1", "her2_copies": "3.0", "cells": 20},
    count(1, cells=19), {"ratio": "3.0", "her2_copies": "4.0", "cep17_copies": "4.0", "cells": 20}, single("61"),
    count(1, assay="dual_probe", ratio="51"), single("5.0", cells=19),
]  # fmt: skip
CLUSTERS: list[Document] = [
    {**made, **share}
    for made in [*(count(group) for group in GROUPS), count(1, cells=19), {"ratio": "2.5", "cells": 20}, {}]
    for share in ({}, {"share_percent": 10}, {"share_percent": 11})
]
VALID = {"blinded": True, "in_ihc_2plus_area": True}
COUNTS: list[Document | None] = [
    None, count(4), *[count(group, **VALID) for group in GROUPS], count(4, **VALID, same_observer=True),
    count(4, blinded=True), count(4, **VALID, cells=19), {**VALID, "ratio": "2.5", "cells": 20},
]  # fmt: skip
SPECIMENS: list[Document] = [
    {"invasive": False}, {"breast_carcinoma": False}, {"fixation_hours": 1, "procedure": "core", "grade": 3},
    *[
        {"procedure": procedure, "histology": histology, "grade": grade, "purity_percent": purity,
         "handling_doubt": doubt}
        for procedure in ("core", "excision") for histology in ("ductal", "tubular", "other") for grade in (1, 2, 3)
        for purity in (None, 89, 90) for doubt in (False, True)
    ],
]  # fmt: skip

HANDLING: list[tuple[str, Any]] = [
    ("fixation_hours", 24), ("fixation_hours", 100), ("cold_ischaemia_minutes", 60), ("cold_ischaemia_minutes", 61),
    ("section_age_days", 42), ("section_age_days", 43), ("fixative", "other"), ("decalcified", True),
    ("fixative", "neutral_buffered_formalin"), ("little_invasive_tumour", True), ("excision_differs", True),
]  # fmt: skip


def documents() -> Iterator[Document]:
    for score, record, policy in itertools.product(SCORES, RECORDS, POLICIES):
        yield {"ihc": score, "ish": record, "policy": policy}
    for score, record, cluster in itertools.product(SCORES, RECORDS, CLUSTERS):
        yield {"ihc": score, "ish": record, "cluster": cluster}
    for record, second, third, named in itertools.product(
        [*(count(group) for group in GROUPS), RECORDS[-7]], COUNTS, (None, count(1, **VALID)), (None, 1, 4)
    ):
        adjudication = {"group": named} if named else None
        yield {"ihc": "2+", "ish": record, "recount": second, "third_count": third, "adjudication": adjudication}
    for first, second in itertools.product(RECORDS, repeat=2):
        yield {"ihc": "2+", "ish": first, "follow_up_ish": second}
    for score, specimen, er, pgr in itertools.product(
        ("1+", "2+", "3+"), SPECIMENS, ("positive", None), ("positive", None)
    ):
        yield {"ihc": score, "specimen": specimen, "context": {"er": er, "pgr": pgr}}
    for membrane, intensity, percent in itertools.product(
        (None, "none", "incomplete", "complete"), (None, "faint", "weak", "moderate", "intense"),
        (None, 0, 5, 10, 11, 31),
    ):  # fmt: skip
        for score in ("0", "0+", "3+"):
            yield {"ihc": {"score": score, "membrane": membrane, "intensity": intensity, "percent": percent}}
    for record, totals in itertools.product(
        ({}, {"ratio": "2.0"}, {"ratio": "3.0", "her2_copies": "7.1"}, {"ratio": "1.2", "her2_copies": "2.5"},
         {"ratio": "2.2", "her2_copies": "7.2", "cep17_copies": "3.8"}, {"ratio": "2.0", "her2_copies": "4.0"}),
        ({"her2_signals": 143, "cep17_signals": 48}, {"her2_signals": 79, "cep17_signals": 40}, {"cep17_copies": "2.0"},
         {"cep17_signals": 40}, {"her2_signals": 79}),
    ):  # fmt: skip
        for cells in ({"cells": 20}, {"cells": 19}, {"her2_cells": 20}, {"her2_cells": 19}, {}):
            yield {"ihc": "1+", "ish": {"assay": "dual_probe", **record, **totals, **cells}}
    for ratio, copies, cep17 in itertools.product(
        (None, "1.0", "2.0", "2.5", "3.5"), ("4.3", "5.0"), ("2.2", "2.0", "6.5", "13")
    ):
        yield {"ihc": "1+", "ish": {"ratio": ratio, "her2_copies": copies, "cep17_copies": cep17, "cells": 20}}
    for field, value in HANDLING:
        yield {"ihc": "1+", "specimen": {field: value, "procedure": "core"}}
    yield from [
        {"ihc": "1+", "ish": {"ratio": "2.0", "her2_copies": "4.3", "cep17_copies": "2.2", "her2_signals": 143,
                              "cep17_signals": 48, "cells": 20}},
        {"ihc": "1+", "ish": {"ratio": "?", "her2_copies": "5.0", "cells": 20}},
        {"ihc": "1+", "ish": {"her2_signals": 4, "cep17_signals": 3, "cep17_copies": "3.0"}},
        {"ihc": {"score": "3+", "controls": "failed"}}, {"ihc": "4+"}, {"ish": single("25")},
        {"ihc": "2+", "ish": count(2), "recount": count(5, **VALID), "adjudication": {"group": 5}},
        {"ihc": "2+", "ish": count(2), "recount": count(2, **VALID), "policy": {"low_in_groups_2_to_4": "exclude"}},
    ]  # fmt: skip


@cache
def reached(edition: str) -> frozenset[tuple[str, str]]:
    """Every (table, row) in the trace of any document; an outcome that leads on counts where its word was said."""
    found: set[tuple[str, str]] = set()
    words: set[str] = set()
    for document in documents():
        reading = read_case({"edition": edition, **document})
        answer = classify(reading.case, reading.problems)
        for steps in (answer.trace, *(world.steps for world in answer.worlds)):
            for step in steps:
                found.add((step.table, step.row))
                words.update(word for name, word in step.at.outcome if name == "outcome")
    for row in OUTCOMES.rows:
        word = dict(row.conditions)["outcome"]
        if row["next"] and word in words:
            found.add(("outcomes", row.id))
    return frozenset(found)


# Asked without a step of the trace: what they say stands in the answer's flags and notes.
UNTRACED = {
    "failure", "scope", "site", "pattern_check", "heterogeneity", "report_note", "fda_ratio",
    "recount_blinded", "recount_area", "recount_observer", "recount_cells", "recount_usable",
}  # fmt: skip
# Rows that make their table total and are not asked: staining of another score, what is not stated of handling, advice
# without a deviation, one world that needs no certainty, testing again under 2007.
UNASKED = {
    ("staining", "S1", "other"), ("decalcified", "Y7", "no"), ("advice", "J2", "no"), ("certainty", "K1", "one"),
    ("retest", "M1", "positive, negative, equivocal, pending, indeterminate, invalid"),
}  # fmt: skip


@pytest.mark.parametrize("edition", EDITIONS)
def test_impossible_rows_are_never_reached(edition: str) -> None:
    never = {(table.name, row.id) for table in EDITIONS[edition].tables for row in table.rows if row.impossible}
    assert never
    assert reached(edition) & never == set()


@pytest.mark.parametrize("name", sorted(name for name, table in ONCE.items() if table.name not in UNTRACED))
def test_every_other_row_is_reached(name: str) -> None:
    """A table shared by editions has each row reached under one of them."""
    table = ONCE[name]
    found = set().union(*(reached(edition) for edition in EDITIONS if table in EDITIONS[edition].tables))
    unasked = {row.id for row in table.rows for _, text in row.conditions if (table.name, row.id, text) in UNASKED}
    rows = {row.id for row in table.rows if not row.impossible}
    assert rows - unasked - {row for of, row in found if of == table.name} == set()
