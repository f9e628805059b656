"""The proof, by property: random sound grids are accepted and answer as written; any slip in a condition is refused."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decision_table import Table, TableError
from app.guidelines.editions import EDITIONS

M = 1_000_000
EXACT = settings(max_examples=150, deadline=None, derandomize=True)
Box = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Made:
    """A grid made by cutting the whole space again and again: its columns' cells, and each row's cells by column."""

    cells: tuple[tuple[str, ...], ...]
    boxes: tuple[Box, ...]

    def text(self, boxes: tuple[Box, ...] | None = None) -> str:
        lines = ["table made: Made", "place: nowhere"]
        for i, names in enumerate(self.cells):
            number = names[0].startswith("(0")
            lines.append(f"in c{i}: " + ("(0..), missing" if number else ", ".join(names)))
        lines += ["out said: " + ", ".join(f"s{i}" for i in range(len(self.boxes)))]
        lines += ["row | " + " | ".join(f"c{i}" for i in range(len(self.cells))) + " || said"]
        for i, box in enumerate(self.boxes if boxes is None else boxes):
            lines.append(f"R{i} | " + " | ".join(", ".join(names) for names in box) + f" || s{i % len(self.boxes)}")
        return "\n".join(lines)


def _number_cells(cuts: list[int]) -> tuple[str, ...]:
    ends = [0, *cuts]
    first = f"(0..{ends[1]})"
    middle = [f"[{low}..{high})" for low, high in itertools.pairwise(ends[1:])]
    return (first, *middle, f">= {ends[-1]}", "missing")


@st.composite
def grids(draw: st.DrawFn) -> Made:
    columns: list[tuple[str, ...]] = []
    for i in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            cuts = draw(st.lists(st.integers(1, 20), min_size=1, max_size=3, unique=True))
            columns.append(_number_cells(sorted(cuts)))
        else:
            columns.append(tuple(f"w{i}{j}" for j in range(draw(st.integers(1, 4)))))
    boxes: list[Box] = [tuple(columns)]
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(boxes) - 1))
        axis = draw(st.integers(0, len(columns) - 1))
        names = boxes[place][axis]
        if len(names) > 1:
            at = draw(st.integers(1, len(names) - 1))
            box = boxes.pop(place)
            boxes += [(*box[:axis], part, *box[axis + 1 :]) for part in (names[:at], names[at:])]
    return Made(tuple(columns), tuple(boxes))


def _inside(name: str) -> Any:
    """A value in a cell: a word, a number in the range, None for missing."""
    if name == "missing":
        return None
    if name.startswith("(0"):
        return 1
    if name.startswith("["):
        return int(name[1 : name.index(".")]) * M
    if name.startswith(">="):
        return int(name[3:]) * M
    return name


@EXACT
@given(grids())
def test_a_sound_grid_is_accepted_and_answers_as_written(made: Made) -> None:
    table = Table.parse(made.text())
    asked = 0
    for i, box in enumerate(made.boxes):
        for names in itertools.product(*box):
            values = {f"c{j}": _inside(name) for j, name in enumerate(names)}
            assert table.decide(values).id == f"R{i}"
            assert [row.id for row in table.meeting(values)] == [f"R{i}"]
            asked += 1
    assert asked == len(list(table.every_cell()))


@EXACT
@given(grids(), st.data())
def test_any_slip_in_a_condition_is_refused(made: Made, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(made.boxes) - 1))
    axis = data.draw(st.integers(0, len(made.cells) - 1))
    box, all_names = made.boxes[place], made.cells[axis]
    other = data.draw(st.sets(st.sampled_from(all_names), min_size=1).filter(lambda some: some != set(box[axis])))
    slipped = (*box[:axis], tuple(name for name in all_names if name in other), *box[axis + 1 :])
    boxes = (*made.boxes[:place], slipped, *made.boxes[place + 1 :])
    with pytest.raises(TableError, match=r"both hold for|no row holds for"):
        Table.parse(made.text(boxes))


@EXACT
@given(grids(), st.data())
def test_a_row_left_out_or_written_twice_is_refused(made: Made, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(made.boxes) - 1))
    with pytest.raises(TableError, match="both hold for"):
        Table.parse(made.text((*made.boxes, made.boxes[place])))
    with pytest.raises(TableError, match=r"no row holds for|a table needs"):
        Table.parse(made.text(made.boxes[:place] + made.boxes[place + 1 :]))


def _tables() -> dict[str, Table]:
    return {f"{edition.id} {table.name}": table for edition in EDITIONS.values() for table in edition.tables}


def test_every_slip_in_a_condition_of_the_real_tables_is_refused() -> None:
    """Each cell that a condition covers or does not, flipped."""
    flipped = 0
    for table in {id(table): table for table in _tables().values()}.values():
        for r, row in enumerate(table.cells):
            for c, cells in enumerate(row):
                for cell in range(table.columns[c].size):
                    slipped = (*row[:c], cells ^ {cell}, *row[c + 1 :])
                    wrong = replace(table, cells=(*table.cells[:r], slipped, *table.cells[r + 1 :]))
                    with pytest.raises(TableError):
                        wrong.prove()
                    flipped += 1
    assert flipped > 4000
