"""Ask a table and keep the answer as one step of the trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.decision_table import Row, Table
from app.domain.classification import Step
from app.domain.numbers import UNBOUNDED, decimal_text

_steps: dict[tuple[str, int, tuple[Any, ...]], tuple[Row, Step]] = {}
_LIMIT = 20_000


def shown(value: Any) -> str:
    """A value as the trace prints it: a word, a decimal, a range, or missing."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        low, high = value
        if low == high:
            return decimal_text(low)
        return f"{decimal_text(low)} to {decimal_text(high)}" if high < UNBOUNDED else f"{decimal_text(low)} or more"
    return decimal_text(value)


def step_of(table: Table, row: Row, values: Mapping[str, Any]) -> Step:
    """The trace step of a row that was hit."""
    return Step(
        table.name,
        row.id,
        table.title,
        tuple([(name, shown(values[name])) for name in table.inputs]),
        row.conditions,
        tuple(
            [(name, said if isinstance(said, str) else ", ".join(said)) for name, said in row.outputs.items() if said]
        ),
        row.place,
    )


def ask(table: Table, values: Mapping[str, Any], trace: list[Step]) -> Row:
    """The one row that holds; its step is appended to the trace."""
    key = (table.name, id(table), tuple([values[name] for name in table.inputs]))
    known = _steps.get(key)
    if known is None:
        row = table.decide(values)
        if len(_steps) >= _LIMIT:
            _steps.clear()
        known = _steps[key] = (row, step_of(table, row, values))
    trace.append(known[1])
    return known[0]


def ask_range(table: Table, values: Mapping[str, Any], trace: list[Step]) -> Row | None:
    """As `ask`, where a number may be a range: the row only if every value of the range says the same, else None."""
    rows = table.meeting(values)
    if any(row.outputs != rows[0].outputs for row in rows):
        return None
    trace.append(step_of(table, rows[0], values))
    return rows[0]
