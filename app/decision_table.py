"""The one machine: a text grid parsed into a table that is proved total and without overlap, then asked.

A grid is written in DMN's cell notation and nothing else: `-` (any), `>= 2.0`, `[4.0..6.0)`, a list of words,
`missing`; there are no expressions, priorities or else-rows, because they end the proof. Example:

    table band: HER2 copies, single probe
    place: figure 2
    in her2: (0..)
    out band: high, mid, low
    row | her2         || band
    B1  | >= 6.0       || high
    B2  | [4.0..6.0)   || mid
    B3  | < 4.0        || low

`in NAME: words` or a number domain `(0..)`, `[0..100]`, with `missing` where the value may be absent; `out` takes
one word, `outs` a list; `@name` stands for a list handed to `parse`, `set NAME: words` names one for the rows. A row
id that ends in `!` must never be reached. Two inputs can be written as the figure: `cross DOWN \\ ACROSS | ...`.
Numbers are whole millionths, so every condition is a half-open range of ints.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from app.domain.numbers import UNBOUNDED, micro
from app.domain.pairs import pairs

Value = str | int | tuple[int, int] | None
_END = UNBOUNDED + 1
_DOMAIN = re.compile(r"([\[(])\s*(\d+(?:\.\d+)?)\s*\.\.\s*(\d+(?:\.\d+)?)?\s*([\])])")
_COMPARISON = re.compile(r"(<=|>=|<|>|=)?\s*(\d+(?:\.\d+)?)")


class TableError(Exception):
    """A mistake of a table's author, or a value outside a table's domain. Names table, row, column and cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """An input: either words, or numbers cut into ranges [bounds[i], bounds[i+1]); `missing` is the last cell."""

    name: str
    words: tuple[str, ...]
    bounds: tuple[int, ...]
    missing: bool

    @property
    def size(self) -> int:
        return (len(self.words) or len(self.bounds) - 1) + self.missing

    def cells(self) -> list[str]:
        """Each elementary cell as a reader would write it."""
        named = list(self.words) or [f"[{low}..{high})" for low, high in itertools.pairwise(self.bounds)]
        return [*named, "missing"] if self.missing else named


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its id, its conditions, what it says, its place in the paper."""

    id: str
    conditions: tuple[tuple[str, str], ...]
    outputs: dict[str, Any]
    place: str
    impossible: bool

    def __getitem__(self, name: str) -> Any:
        return self.outputs[name]


@dataclass(frozen=True)
class Table:
    """A proved decision table. `cells[r][c]` holds the elementary cells of column c that row r covers."""

    name: str
    title: str
    place: str
    columns: tuple[Column, ...]
    outputs: tuple[str, ...]
    rows: tuple[Row, ...]
    cells: tuple[tuple[frozenset[int], ...], ...]
    down_across: tuple[str, str] | None = None

    @classmethod
    def parse(cls, text: str, vocabularies: Mapping[str, tuple[str, ...]] | None = None) -> Table:
        """Parse and prove a grid; raises TableError with the place of the mistake."""
        table = _Parser(text, dict(vocabularies or {})).table()
        table.prove()
        return table

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def numbers(self) -> int:
        """How many columns take numbers."""
        return sum(not column.words for column in self.columns)

    @cached_property
    def key(self) -> Callable[[Mapping[str, Any]], Any]:
        """Picks the inputs' values out of a mapping: the key by which an answer can be remembered."""
        return itemgetter(*self.inputs)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the table's whole content."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode()).hexdigest()

    def decide(self, values: Mapping[str, Any]) -> Row:
        """The one row that holds for one word or number (millionths, None for missing) in each column."""
        key = []
        for name, places, bounds, size, column in self._plan:
            value = values[name]
            cell = places.get(value) if places else bisect_right(bounds, value) - 1 if value is not None else None
            # Anything but a plain word or a number within the domain goes the long way, which may refuse it.
            key.append(self._cell(column, value) if cell is None or not 0 <= cell < size else cell)
        found = tuple(key)
        row = self._answers.get(found)  # pragma: no mutate
        if row is None:
            row = self._answers[found] = self._find(found)
        return row

    def meeting(self, values: Mapping[str, Value]) -> tuple[Row, ...]:
        """Every row whose box meets the values, where a value may also be a closed range of millionths."""
        wanted = [self._cells(column, values[column.name]) for column in self.columns]
        return tuple(
            row
            for row, cells in pairs(self.rows, self.cells)
            if all(not want.isdisjoint(have) for want, have in pairs(wanted, cells))
        )

    def cuts(self, column: str) -> tuple[int, ...]:
        """Where a number column changes its answer, in millionths, the ends of the domain left out."""
        return next(each.bounds[1:-1] for each in self.columns if each.name == column)

    def every_cell(self) -> Iterator[dict[str, str | int | None]]:
        """One set of values for each elementary cell: all combinations, missing included."""
        choices = [[*(each.words or each.bounds[:-1]), *([None] if each.missing else [])] for each in self.columns]
        for combination in itertools.product(*choices):
            yield dict(pairs(self.inputs, combination))

    def document(self) -> dict[str, Any]:
        """The table as plain data: what pages, the JSON of an edition and the digest are made from."""
        return {
            "name": self.name,
            "title": self.title,
            "place": self.place,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "cross": list(self.down_across) if self.down_across else None,
            "rows": [
                {
                    "id": row.id,
                    "when": dict(row.conditions),
                    "then": row.outputs,
                    "place": row.place,
                    "impossible": row.impossible,
                }
                for row in self.rows
            ],
        }

    def prove(self) -> None:
        """Rows are pairwise disjoint and fill the product of the inputs; else TableError names a cell."""
        for (i, first), (j, second) in itertools.combinations(enumerate(self.cells), 2):
            shared = [one & other for one, other in pairs(first, second)]
            if all(shared):
                cell = self._cell_name([min(cells) for cells in shared])
                raise TableError(f"{self.name}: rows {self.rows[i].id} and {self.rows[j].id} both hold for {cell}")
        covered = sum(math.prod(len(cells) for cells in row) for row in self.cells)
        if covered == math.prod(column.size for column in self.columns):
            return
        for key in itertools.product(*(range(column.size) for column in self.columns)):
            if not any(all(k in cells for k, cells in pairs(key, row)) for row in self.cells):
                raise TableError(f"{self.name}: no row holds for {self._cell_name(key)}")

    @cached_property
    def _answers(self) -> dict[tuple[int, ...], Row]:
        return {}

    @cached_property
    def _plan(self) -> tuple[tuple[str, dict[str, int] | None, tuple[int, ...], int, Column], ...]:
        return tuple(
            (each.name, self._places[each.name] or None, each.bounds, each.size - each.missing, each)
            for each in self.columns
        )

    @cached_property
    def _places(self) -> dict[str, dict[str, int]]:
        return {column.name: {word: i for i, word in enumerate(column.words)} for column in self.columns}

    def _cell(self, column: Column, value: Any) -> int:
        if column.words:
            place = self._places[column.name].get(value)
            if place is not None:
                return place
        elif value is None:
            if column.missing:
                return len(column.bounds) - 1
        elif column.bounds[0] <= value < column.bounds[-1]:
            return bisect_right(column.bounds, value) - 1
        raise TableError(f"{self.name}: {column.name} does not take {value!r}")

    def _cells(self, column: Column, value: Value) -> frozenset[int]:
        if not isinstance(value, tuple):
            return frozenset({self._cell(column, value)})
        low, high = (min(max(end, column.bounds[0]), column.bounds[-1] - 1) for end in value)
        return frozenset(range(self._cell(column, low), self._cell(column, high) + 1))

    def _find(self, key: tuple[int, ...]) -> Row:
        return next(
            row for row, cells in pairs(self.rows, self.cells) if all(k in have for k, have in pairs(key, cells))
        )

    def _cell_name(self, key: Any) -> str:
        return ", ".join(f"{column.name} = {column.cells()[k]}" for column, k in pairs(self.columns, key))


class _Parser:
    """One grid's text. Everything outside the notation is refused with its place."""

    def __init__(self, text: str, vocabularies: dict[str, tuple[str, ...]]) -> None:
        self.vocabularies = vocabularies
        self.name = self.title = self.place = ""
        self.domains: dict[str, str] = {}
        self.single: dict[str, tuple[str, ...]] = {}
        self.several: dict[str, tuple[str, ...]] = {}
        self.sets: dict[str, tuple[str, ...]] = {}
        self.header: list[str] = []
        self.cross: tuple[str, str] | None = None
        self.lines: list[tuple[str, dict[str, str], dict[str, str]]] = []
        for line in filter(None, (line.strip() for line in text.splitlines())):
            self._line(line)

    def _line(self, line: str) -> None:
        if self.cross:
            self._cross_row(line)
        elif self.header:
            self._row(line)
        elif re.match(r"row\s*\|", line):
            self.header = [part.strip() for part in line.replace("||", "|").split("|")][1:]
            wanted = [*self.domains, *self.single, *self.several]
            if [name for name in self.header if name != "place"] != wanted:
                raise TableError(f"{self.name}: the header names {self.header}, the declarations {wanted}")
        elif line.startswith("cross "):
            corner, *across = (part.strip() for part in line.removeprefix("cross ").split("|"))
            down, _, right = (part.strip() for part in corner.partition("\\"))
            self.cross, self.header = (down, right), across
            if [down, right] != list(self.domains) or len(self.single) != 1 or self.several:
                raise TableError(f"{self.name}: a cross needs inputs {down}, {right} and one out")
        else:
            self._declare(line)

    def _declare(self, line: str) -> None:
        key, _, value = (part.strip() for part in line.partition(":"))
        word, _, name = key.partition(" ")
        if word == "table":
            self.name, self.title = name, value
        elif word == "place":
            self.place = value
        elif word == "in":
            self.domains[name] = value
        elif word == "out":
            self.single[name] = self._vocabulary(value)
        elif word == "outs":
            self.several[name] = self._vocabulary(value)
        elif word == "set":
            self.sets[name] = self._vocabulary(value)
        else:
            raise TableError(f"{self.name}: cannot read the line {line!r}")

    def _vocabulary(self, text: str) -> tuple[str, ...]:
        words: list[str] = []
        for word in (part.strip() for part in text.split(",")):
            if word.startswith("@"):
                if word[1:] not in self.vocabularies:
                    raise TableError(f"{self.name}: no vocabulary {word}")
                words += self.vocabularies[word[1:]]
            else:
                words.append(word)
        return tuple(words)

    def _row(self, line: str) -> None:
        cells = [part.strip() for part in line.replace("||", "|").split("|")]
        if len(cells) != len(self.header) + 1 or "||" not in line:
            raise TableError(f"{self.name} row {cells[0]}: {len(cells) - 1} cells where {len(self.header)} are needed")
        named = dict(pairs(self.header, cells[1:]))
        self.lines.append((cells[0], {name: named[name] for name in self.domains}, named))

    def _cross_row(self, line: str) -> None:
        label, *words = (part.strip() for part in line.split("|"))
        if len(words) != len(self.header):
            raise TableError(f"{self.name} row {label}: {len(words)} cells where {len(self.header)} are needed")
        down, right = self.domains
        (output,) = self.single
        for across, word in pairs(self.header, words):
            row = f"{self.name}[{label.replace(',', '')}, {across.replace(',', '')}]"
            self.lines.append((row, {down: label, right: across}, {output: word}))

    def table(self) -> Table:
        columns = tuple(self._column(name, domain) for name, domain in self.domains.items())
        rows: list[Row] = []
        cells: list[tuple[frozenset[int], ...]] = []
        for row_id, conditions, said in self.lines:
            where = f"{self.name} row {row_id}"
            if any(row.id == row_id.rstrip("!") for row in rows):
                raise TableError(f"{where}: the id is used twice")
            cells.append(tuple(self._covered(column, conditions[column.name], where) for column in columns))
            told: dict[str, Any] = {}
            for name, words in self.single.items():
                told[name] = self._said(name, words, said[name], where)
            for name, words in self.several.items():
                listed = [] if said[name] in ("", "-") else said[name].split(",")
                told[name] = tuple(self._said(name, words, word.strip(), where) for word in listed)
            place = said.get("place") or self.place
            conditions = {name: self._spelt(text) for name, text in conditions.items()}
            rows.append(Row(row_id.rstrip("!"), tuple(conditions.items()), told, place, row_id.endswith("!")))
        if not (self.name and self.title and self.place and rows):
            raise TableError(f"{self.name}: a table needs a name, a title, a place and rows")
        outputs = (*self.single, *self.several)
        return Table(self.name, self.title, self.place, columns, outputs, tuple(rows), tuple(cells), self.cross)

    def _spelt(self, text: str) -> str:
        """A condition as a reader sees it: the words of a named set instead of its name."""
        return ", ".join(word for part in text.split(",") for word in self.sets.get(part.strip(), (part.strip(),)))

    def _said(self, name: str, words: tuple[str, ...], word: str, where: str) -> str | None:
        if word == "-":
            return None
        if word not in words:
            raise TableError(f"{where}, column {name}: {word!r} is not one of {', '.join(words)}")
        return word

    def _column(self, name: str, domain: str) -> Column:
        parts = [part.strip() for part in domain.split(",")]
        missing = "missing" in parts
        numbers = _DOMAIN.fullmatch(parts[0])
        if not numbers:
            return Column(name, self._vocabulary(domain), (), False)
        least, most = self._range(parts[0], name)
        bounds = {least, most}
        for row_id, conditions, _ in self.lines:
            for part in conditions[name].split(","):
                if part.strip() not in ("-", "missing"):
                    bounds |= {
                        min(max(end, least), most) for end in self._range(part.strip(), f"row {row_id}, column {name}")
                    }
        return Column(name, (), tuple(sorted(bounds)), missing)

    def _range(self, text: str, where: str) -> tuple[int, int]:
        """A number condition as a half-open range of millionths."""
        if span := _DOMAIN.fullmatch(text):
            low = micro(span[2]) + (span[1] == "(")
            return low, (_END if span[3] is None else micro(span[3]) + (span[4] == "]"))
        if compared := _COMPARISON.fullmatch(text):
            bound = micro(compared[2])
            return {
                "<": (0, bound),
                "<=": (0, bound + 1),
                ">": (bound + 1, _END),
                ">=": (bound, _END),
            }.get(compared[1], (bound, bound + 1))
        raise TableError(f"{self.name} {where}: cannot read the cell {text!r}")

    def _covered(self, column: Column, text: str, where: str) -> frozenset[int]:
        if text == "-":
            return frozenset(range(column.size))
        covered: set[int] = set()
        for part in (part.strip() for part in text.split(",")):
            covered |= self._part(column, part, f"{where}, column {column.name}")
        return frozenset(covered)

    def _part(self, column: Column, part: str, where: str) -> set[int]:
        if column.words:
            words = self.sets.get(part, (part,))
            if unknown := [word for word in words if word not in column.words]:
                raise TableError(f"{where}: {unknown[0]!r} is not one of {', '.join(column.words)}")
            return {column.words.index(word) for word in words}
        if part == "missing":
            if not column.missing:
                raise TableError(f"{where}: this column takes no missing value")
            return {len(column.bounds) - 1}
        low, high = self._range(part, where)
        found = {i for i, bound in enumerate(column.bounds[:-1]) if low <= bound < high}
        if not found:
            raise TableError(f"{where}: the cell {part!r} lies outside the domain")
        return found
