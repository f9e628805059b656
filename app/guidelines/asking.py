"""Ask a table and keep the answer as one step of the trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.decision_table import Row, Table
from app.domain.classification import Place, Step
from app.domain.numbers import UNBOUNDED, decimal_text

# What is asked again and again is remembered: words have few combinations, and one number is often met again.
_REMEMBERED = 2_000
_asked: dict[int, dict[Any, tuple[Row, Step]]] = {}
_places: dict[int, dict[str, Place]] = {}


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
    places = _places.get(id(table))  # pragma: no mutate
    if places is None:
        places = _places[id(table)] = {each.id: _place(table, each) for each in table.rows}
    return Step(places[row.id], tuple([(name, shown(values[name])) for name in table.inputs]))


def _place(table: Table, row: Row) -> Place:
    said = [(name, told if isinstance(told, str) else ", ".join(told)) for name, told in row.outputs.items() if told]
    return Place(table.name, row.id, table.title, row.conditions, tuple(said), row.place)


def ask(table: Table, values: Mapping[str, Any], trace: list[Step]) -> Row:
    """The one row that holds; its step is appended to the trace."""
    if table.numbers > 1:
        row = table.decide(values)
        trace.append(step_of(table, row, values))
        return row
    asked = _asked.get(id(table))  # pragma: no mutate
    if asked is None:
        asked = _asked[id(table)] = {}
    key = table.key(values)
    known = asked.get(key)  # pragma: no mutate
    if known is None:
        if len(asked) >= _REMEMBERED:
            asked.clear()
        row = table.decide(values)
        known = asked[key] = (row, step_of(table, row, values))
    trace.append(known[1])
    return known[0]


def ask_range(table: Table, values: Mapping[str, Any], trace: list[Step]) -> Row | None:
    """As `ask`, where a number may be a range: the row only if every value of the range says the same, else None."""
    rows = table.meeting(values)
    if any(row.outputs != rows[0].outputs for row in rows):
        return None
    trace.append(step_of(table, rows[0], values))
    return rows[0]
