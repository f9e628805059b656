"""The tables and the plain specification, which share no code, agree on every cell and on 100,000 random cases."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from app.domain.reading import read_case
from app.guidelines.classify import classify
from tests.oracle.cases import grid_cases, random_case
from tests.oracle.plain import classify as plain

FIELDS = (
    "status", "final", "ish_group", "ish_result", "fda_ratio", "comment", "report_notes", "her2_low", "next_steps",
    "flags", "review_required", "retest",
)  # fmt: skip
CHUNKS, CHUNK = 8, 12_500


def tables(document: dict[str, Any]) -> dict[str, Any]:
    reading = read_case(document)
    found = classify(reading.case, reading.problems)
    answer = {field: getattr(found, field) for field in FIELDS}
    answer["problems"] = {problem.code for problem in found.problems}
    return answer


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer for comparison. The two routes name values that disagree by either code (rounding or beyond)."""
    one_code = {"ROUNDING_CROSSES_THRESHOLD": "RATIO_MISMATCH"}
    flags = {one_code.get(flag, flag) for flag in answer["flags"]}
    if answer["status"] == "invalid":
        # Which of several reasons are told beside the first is left to each route.
        return {"status": "invalid", "final": answer["final"], "her2_low": answer["her2_low"]}
    return {field: answer[field] for field in FIELDS} | {
        "flags": flags,
        "next_steps": list(answer["next_steps"]),
        "report_notes": list(answer["report_notes"]),
    }


def agree(document: dict[str, Any]) -> None:
    ours, theirs = tables(document), plain(document)
    assert comparable(ours) == comparable(theirs), document
    if ours["status"] == "invalid":
        values_disagree = {"RATIO_MISMATCH", "ROUNDING_CROSSES_THRESHOLD"}
        shared = ours["problems"] & theirs["problems"]
        assert shared or (ours["problems"] & values_disagree and theirs["problems"] & values_disagree), document


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_100_000_random_cases(chunk: int) -> None:
    rng = random.Random(20180530 + chunk)
    for _ in range(CHUNK):
        agree(random_case(rng))


@pytest.mark.parametrize("part", range(4))
def test_every_cell(part: int) -> None:
    counted = 0
    for document in itertools.islice(grid_cases(), part, None, 4):
        agree(document)
        counted += 1
    assert counted > 10_000


def test_the_comparison_can_fail() -> None:
    """A planted wrong cell is seen: the plain route and the tables are really two."""
    document = {"ihc": "2+", "ish": {"ratio": "2.0", "her2_copies": "4.0", "cells": 20}}
    right = comparable(plain(document))
    assert right["status"] == "positive"
    assert comparable({**tables(document), "status": "negative"}) != right
