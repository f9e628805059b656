"""Every decision table says, row by row, what the specs of this folder say."""

from __future__ import annotations

import pytest

from tests.specs.grid import HERE, faults, grids_of
from tests.specs.shelves import SHELVES, pairs

PAIRS = pairs()


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_table_says_what_the_spec_says(name: str) -> None:
    grid, table = PAIRS[name]
    assert list(faults(grid, table)) == []


def test_every_spec_was_held_against_a_table() -> None:
    asked = {id(grid) for grid, _ in PAIRS.values()}
    folders = {folder for shelf in SHELVES.values() for folder in shelf}
    assert folders == {path.name for path in HERE.iterdir() if any(path.rglob("*.txt"))}
    unasked = [
        f"{grid.path.name}: {grid.name}" for folder in folders for grid in grids_of(folder) if id(grid) not in asked
    ]
    assert unasked == []
