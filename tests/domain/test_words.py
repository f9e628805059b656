"""The exact words of every kind of problem, and the lists of words and fields that a remedy offers."""

from __future__ import annotations

import pytest

from app.domain import codes
from app.domain.problems import Problem
from app.domain.reading import read_case
from tests.domain.test_reading import Document

AVERAGE = "send a number above 0 with a decimal point, or an interval such as >6.0"
CELLS = "send the whole number of cells counted, above 0, without < or >"
TOTAL = "send the whole number of signals counted, above 0"
PERCENT = "send a percentage from 0 to 100"
DURATION = "send a number of 0 or more"
NUMBERS = {
    "ish.ratio": AVERAGE, "ish.her2_copies": AVERAGE, "ish.cep17_copies": AVERAGE, "ish.her2_signals": TOTAL,
    "ish.cep17_signals": TOTAL, "ish.cells": CELLS, "ish.her2_cells": CELLS, "ish.cep17_cells": CELLS,
    "cluster.share_percent": PERCENT, "ihc.percent": PERCENT, "specimen.purity_percent": PERCENT,
    "specimen.cold_ischaemia_minutes": DURATION, "specimen.fixation_hours": DURATION,
    "specimen.section_age_days": DURATION, "context.er_percent": PERCENT, "context.pgr_percent": PERCENT,
}  # fmt: skip
EDITIONS = "asco-cap-2018, asco-cap-2023, asco-cap-2013, asco-cap-2007"
CHOICES = {
    "policy.group1_ihc_negative": "review, hold", "policy.group5_ihc_3plus": "review, hold",
    "policy.single_probe_discordant": "review, hold", "policy.low_in_groups_2_to_4": "include, exclude",
    "specimen.kind": "primary, metastasis, nodal", "specimen.procedure": "core, excision, cytology, other",
    "specimen.histology": "ductal, lobular, tubular, mucinous, cribriform, adenoid_cystic, other",
    "specimen.grade": "1, 2, 3", "specimen.fixative": "neutral_buffered_formalin, other",
    "ihc.controls": "passed, failed", "ihc.membrane": "none, incomplete, complete",
    "ihc.intensity": "faint, weak, moderate, intense", "ihc.scored_under": EDITIONS,
    "ish.assay": "dual_probe, single_probe", "ish.controls": "passed, failed", "adjudication.group": "1, 2, 3, 4, 5",
}  # fmt: skip
COUNT = ["cells", "cep17_cells", "cep17_copies", "cep17_signals", "her2_cells", "her2_copies", "her2_signals", "ratio"]
FIELDS = {
    "ish": [*COUNT, "assay", "controls", "failed", "failure_reason", "method", "observer"],
    "follow_up_ish": [*COUNT, "assay", "controls", "failed", "failure_reason", "method", "observer"],
    "recount": [*COUNT, "blinded", "in_ihc_2plus_area", "observer", "same_observer"],
    "third_count": [*COUNT, "blinded", "in_ihc_2plus_area", "observer", "same_observer"],
    "cluster": [*COUNT, "share_percent"],
    "adjudication": ["group"],
    "policy": ["group1_ihc_negative", "group5_ihc_3plus", "low_in_groups_2_to_4", "single_probe_discordant"],
    "ihc": ["clone", "controls", "intensity", "membrane", "percent", "score", "scored_under"],
    "context": ["biomarkers", "er", "er_percent", "line", "menopausal_status", "pgr", "pgr_percent", "prior_therapies",
                "setting"],
}  # fmt: skip
TOP = [
    "adjudication", "cells", "cep17", "cluster", "context", "copies", "edition", "follow_up_ish", "ihc", "ish",
    "policy", "ratio", "recount", "reported_status", "specimen", "third_count",
]  # fmt: skip


def wrong(field: str, value: object) -> tuple[Problem, ...]:
    block, _, name = field.partition(".")
    document: Document = {block: {name: value}}
    return read_case(document).problems


@pytest.mark.parametrize("field", NUMBERS)
def test_a_number_that_is_none(field: str) -> None:
    assert wrong(field, "1,8") == (
        Problem("MALFORMED_NUMBER", field, "'1,8' is not a plain decimal or interval", NUMBERS[field]),
    )
    assert wrong(field, "-1") == (
        Problem("VALUE_OUT_OF_RANGE", field, "'-1' is outside what can be measured", NUMBERS[field]),
    )


@pytest.mark.parametrize("field", CHOICES)
def test_a_word_outside_the_list(field: str) -> None:
    problem = Problem(
        "UNKNOWN_VALUE", field, "a text of 6 characters is not in the list", f"send one of {CHOICES[field]}"
    )
    assert wrong(field, "purple") == (problem,)
    for word in CHOICES[field].split(", "):
        assert wrong(field, int(word) if word.isdigit() else word) == ()


@pytest.mark.parametrize("block", FIELDS)
def test_an_unknown_field(block: str) -> None:
    remedy = f"use one of {', '.join(sorted(FIELDS[block]))}"
    problem = Problem("UNKNOWN_FIELD", f"{block}.colour", "there is no such field here", remedy)
    assert wrong(f"{block}.colour", 1) == (problem,)


def test_an_unknown_block() -> None:
    problem = Problem("UNKNOWN_FIELD", "colour", "there is no such field here", f"use one of {', '.join(TOP)}")
    assert read_case({"colour": 1}).problems == (problem,)


def test_several_problems_in_the_order_of_the_document() -> None:
    document: Document = {"ratio": "3", "ish": {"ratio": "2", "failed": "x"}, "colour": 1, "recount": 7}
    assert [(each.code, each.field) for each in read_case(document).problems] == [
        ("UNKNOWN_FIELD", "colour"), ("TWICE_STATED", "ratio"), ("WRONG_TYPE", "ish.failed"), ("WRONG_TYPE", "recount"),
    ]  # fmt: skip


def test_the_problems_of_shape_are_these() -> None:
    assert list(codes.SHAPE_PROBLEMS) == [
        "UNKNOWN_FIELD",
        "UNKNOWN_VALUE",
        "WRONG_TYPE",
        "MISSING_FIELD",
        "TWICE_STATED",
    ]
