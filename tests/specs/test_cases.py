"""Whole documents, from the words of the fact sheet to the whole answer."""

from __future__ import annotations

import pytest

from app.guidelines.editions import EDITIONS
from tests.specs.grid import HERE, Grid, Line, grids_of
from tests.specs.whole_case import differences

# How many lines an edition must have at the least.
LEAST = {"asco_cap_2018": 150, "asco_cap_2013": 40, "asco_cap_2007": 40, "asco_cap_2023": 10}
CASES: dict[str, tuple[Grid, Line, str]] = {}
for folder in LEAST:
    for grid in grids_of(f"{folder}/cases"):
        for line in grid.lines:
            CASES[f"{line.where} {line.name}"] = (grid, line, folder.replace("_", "-"))


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    assert differences(*CASES[name]) == {}


def test_enough_lines_for_every_edition() -> None:
    assert {edition.replace("-", "_") for edition in EDITIONS} == set(LEAST)
    for folder, least in LEAST.items():
        names = [
            (grid.name, line.name) for grid, line, edition in CASES.values() if edition == folder.replace("_", "-")
        ]
        assert len(names) >= least
        assert len(names) == len(set(names)), f"{folder}: two cases of one name"
    assert {path.parent.parent.name for path in HERE.rglob("cases/*.txt")} == set(LEAST)
