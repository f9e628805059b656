"""Every row of every edition's tables is named by a spec, no spec names another, and no planted slip goes unseen.

The proof at import sees slips in conditions and none in an outcome, so each row needs a cited line in tests/specs/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.decision_table import Row, Table
from app.guidelines.editions import EDITIONS
from tests.specs.grid import faults
from tests.specs.shelves import pairs, specs

PAIRS = pairs()


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_row_is_named(edition: str) -> None:
    shelf = specs(edition)
    for table in EDITIONS[edition].tables:
        assert table.name in shelf, f"{edition}: the table {table.name} has no spec"
        named = {line.name for line in shelf[table.name].lines}
        rows = {row.id + "!" * row.impossible for row in table.rows}
        assert rows - named == set(), f"{edition}, {table.name}: rows without a spec"
        assert named - rows == set(), f"{edition}, {table.name}: specs of rows that are not there"


@pytest.mark.parametrize("edition", EDITIONS)
def test_tables_have_their_own_names(edition: str) -> None:
    names = [table.name for table in EDITIONS[edition].tables]
    assert len(names) == len(set(names))


# A slip: what was done, the table with it, and the row whose spec must see it (None: any row's).
Slip = tuple[str, Table, str | None]


def _words(table: Table, name: str) -> list[Any]:
    """What an output could say instead: every value that the column takes anywhere in the table, and nothing."""
    values = {row[name] for row in table.rows}
    several = any(isinstance(value, tuple) for value in values)
    return [*values, () if several else None, ("SOMETHING_ELSE",) if several else "something else"]


def _with_row(table: Table, place: int, row: Row) -> Table:
    return replace(table, rows=(*table.rows[:place], row, *table.rows[place + 1 :]))


def _slips_in_outcomes(table: Table) -> Iterator[Slip]:
    for place, row in enumerate(table.rows):
        for name in table.outputs:
            for word in _words(table, name):
                if word != row[name]:
                    wrong = replace(row, outputs={**row.outputs, name: word})
                    yield f"row {row.id}: {name} = {word}", _with_row(table, place, wrong), row.id
        wrong = replace(row, impossible=not row.impossible)
        yield f"row {row.id}: impossible", _with_row(table, place, wrong), row.id


def _slips_in_thresholds(table: Table) -> Iterator[Slip]:
    """A threshold moved by a millionth in every row alike: the proof holds, the meaning does not."""
    for place, column in enumerate(table.columns):
        for i, bound in list(enumerate(column.bounds))[1:-1]:
            for moved in (bound - 1, bound + 1):
                bounds = (*column.bounds[:i], moved, *column.bounds[i + 1 :])
                if bounds == tuple(sorted(set(bounds))):
                    columns = (*table.columns[:place], replace(column, bounds=bounds), *table.columns[place + 1 :])
                    yield f"{column.name}: {bound} becomes {moved}", replace(table, columns=columns), None


def _slips_in_rows(table: Table) -> Iterator[Slip]:
    """Two rows that change their conditions: the proof holds, too."""
    for i, one in enumerate(table.rows):
        for j in range(i):
            cells = list(table.cells)
            cells[i], cells[j] = cells[j], cells[i]
            yield f"rows {one.id} and {table.rows[j].id}", replace(table, cells=tuple(cells)), one.id


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_no_slip_goes_unseen(name: str) -> None:
    grid, table = PAIRS[name]
    slips = [*_slips_in_outcomes(table), *_slips_in_thresholds(table), *_slips_in_rows(table)]
    assert len(slips) >= len(table.rows)
    unseen = [slip for slip, wrong, row in slips if next(faults(grid, wrong, row), None) is None]
    assert unseen == []
