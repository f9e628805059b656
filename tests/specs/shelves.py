"""Which specs hold for which edition: its own folder, else the one it affirms, else every_edition."""

from __future__ import annotations

from typing import Any

from app.guidelines.editions import EDITIONS
from tests.specs.grid import Grid, grids_of

# An edition reads its own folder first; 2023 affirms 2018.
SHELVES = {
    "asco-cap-2018": ("asco_cap_2018", "every_edition"),
    "asco-cap-2023": ("asco_cap_2023", "asco_cap_2018", "every_edition"),
    "asco-cap-2013": ("asco_cap_2013", "every_edition"),
    "asco-cap-2007": ("asco_cap_2007", "every_edition"),
}


def specs(edition: str) -> dict[str, Grid]:
    """The spec of each table, by the table's name."""
    found: dict[str, Grid] = {}
    for folder in SHELVES[edition]:
        own: dict[str, Grid] = {}
        for grid in grids_of(folder):
            if grid.name in own:
                raise AssertionError(f"two specs of {grid.name} in {folder}")
            own[grid.name] = grid
        found = own | found
    return found


def pairs() -> dict[str, tuple[Grid, Any]]:
    """Every spec with every table it must hold for, once, by folder, table and first edition."""
    found: dict[tuple[int, int], tuple[str, Grid, Any]] = {}
    for edition in EDITIONS.values():
        shelf = specs(edition.id)
        for table in edition.tables:
            if grid := shelf.get(table.name):
                key = f"{grid.path.parent.name}/{table.name}/{edition.id}"
                found.setdefault((id(grid), id(table)), (key, grid, table))
    return {key: (grid, table) for key, grid, table in found.values()}
