"""Read a mapping file (TOML): every mistake of its author is named with its place and what to write instead."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from app.domain.problems import Problem
from app.domain.reading import read_case
from app.interop.tabular import (
    FIELDS,
    PLACES,
    SHORT,
    Column,
    Layout,
    field_document,
    nearest,
    plain,
    truncated_range,
)

_TOP = ("title", "patient", "id", "carry", "missing", "decimal_comma", "comment", "optional", "constants", "columns")
_COLUMN = ("field", "values", "otherwise", "optional", "missing", "also", "truncated", "shared")


def read_mapping(text: str) -> Layout | tuple[Problem, ...]:
    """The layout a mapping describes, or everything that is wrong with it."""
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        remedy = "quote column names that hold blanks; write each key once; see docs/file-mapping.md"
        return (Problem("WRONG_TYPE", "mapping", f"is not TOML: {error}", remedy),)
    return _Reader(read).layout()


def _filled(column: Column) -> set[str]:
    """All fields that a column can fill."""
    elsewhere = (path for word in column.values.values() if isinstance(word, Mapping) for path in word)
    return {column.field, *column.also, *elsewhere}


class _Reader:
    """Takes a mapping apart and collects what is wrong."""

    def __init__(self, read: Mapping[str, Any]) -> None:
        self.read, self.problems = read, list[Problem]()

    def wrong(self, code: str, place: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(code, place, message, remedy))

    def layout(self) -> Layout | tuple[Problem, ...]:
        for name in self.read:
            if name not in _TOP:
                self.unknown(name, name, _TOP)
        self.typed("title", str, "", "a text")
        columns = self.columns()
        layout = Layout(
            columns=tuple(columns),
            id=self.texts("id"),
            carry=self.texts("carry"),
            missing=frozenset(map(plain, ("", *self.texts("missing")))),
            constants=self.constants({path for column in columns for path in _filled(column)}),
            decimal_comma=self.typed("decimal_comma", bool, False, "true or false"),
            comment=self.typed("comment", str, None, "a text") or None,
            optional=frozenset(self.texts("optional")),
            patient=self.typed("patient", str, "patient", "a text"),
        )
        for name in sorted(layout.optional - {*layout.id, *layout.carry}):
            told = f"{name} is neither in id nor in carry"
            self.wrong("UNKNOWN_VALUE", "optional", told, "write optional = true at the column itself")
        return tuple(self.problems) or layout

    def unknown(self, name: str, place: str, known: tuple[str, ...]) -> None:
        remedy = nearest(name, known) or f"use one of {', '.join(known)}"
        self.wrong("UNKNOWN_FIELD", place, f"there is no {name} here", remedy)

    def typed(self, name: str, kind: type, default: Any, wanted: str) -> Any:
        value = self.read.get(name, default)
        if value is default or isinstance(value, kind):
            return value
        self.wrong("WRONG_TYPE", name, f"is not {wanted}", f"write {wanted}")
        return default

    def texts(self, name: str, read: Mapping[str, Any] | None = None, place: str = "") -> tuple[str, ...]:
        value = (self.read if read is None else read).get(name, [])
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        self.wrong("WRONG_TYPE", place or name, "is not a list of texts", f'write {name} = ["...", "..."]')
        return ()

    def columns(self) -> list[Column]:
        given = self.read.get("columns")
        if not isinstance(given, Mapping) or not given:
            self.wrong(
                "MISSING_FIELD", "columns", "no column is mapped", 'write [columns] and lines such as ihc = "ihc"'
            )
            return []
        columns = [column for name, entry in given.items() if (column := self.column(name, entry))]
        seen: dict[str, Column] = {}
        for column in columns:
            before = seen.get(column.field)
            if before and not (before.optional and column.optional) and not (before.shared and column.shared):
                told = f"{before.name} and {column.name} both hold {column.field}"
                self.wrong("TWICE_STATED", f"columns.{column.name}", told, "map one of them, carry the other")
            seen[column.field] = column
        return columns

    def column(self, name: str, entry: Any) -> Column | None:
        place = f"columns.{name}"
        entry = {"field": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, Mapping) or not isinstance(entry.get("field"), str):
            self.wrong("MISSING_FIELD", place, "has no field", 'write a field path such as "ihc.score"')
            return None
        for key in entry:
            if key not in _COLUMN:
                self.unknown(key, f"{place}.{key}", _COLUMN)
        path = self.path(entry["field"], place)
        values, also, truncated = entry.get("values", {}), entry.get("also", {}), entry.get("truncated")
        for key in ("optional", "shared"):
            if not isinstance(entry.get(key, False), bool):
                self.wrong("WRONG_TYPE", f"{place}.{key}", "is not true or false", "write true or false")
        if not isinstance(values, Mapping):
            self.wrong("WRONG_TYPE", f"{place}.values", "is not a table", 'write values = { Positive = "positive" }')
            values = {}
        if "otherwise" in entry and not values:
            self.wrong("MISSING_FIELD", f"{place}.values", "otherwise stands without values", "add values")
        if path is None:
            return None
        if truncated is not None and (type(truncated) is not int or not 0 < truncated < PLACES):
            self.wrong("WRONG_TYPE", f"{place}.truncated", "is no number of decimals", f"write 1 to {PLACES - 1}")
            truncated = None
        if truncated:
            self.word(path, truncated_range(f"1.{'0' * truncated}"), f"{place}.truncated")
        if not isinstance(also, Mapping):
            self.wrong("WRONG_TYPE", f"{place}.also", "is not a table", 'write also = { "ish.assay" = "dual_probe" }')
            also = {}
        also = self.words(also, f"{place}.also")
        values = dict(values)
        for told, word in values.items():
            if isinstance(word, Mapping):
                values[told] = self.words(word, f"{place}.values.{told}")
            else:
                self.word(path, word, f"{place}.values.{told}")
        if (otherwise := entry.get("otherwise")) is not None:
            self.word(path, otherwise, f"{place}.otherwise")
        folded: dict[str, Any] = {}
        for told, word in values.items():
            if folded.get(plain(told), word) != word:
                self.wrong("TWICE_STATED", f"{place}.values.{told}", "is given twice, in two cases", "write it once")
            folded[plain(told)] = word
        missing = frozenset(map(plain, self.texts("missing", entry, f"{place}.missing")))
        optional, shared = entry.get("optional") is True, entry.get("shared") is True
        return Column(name, path, folded, otherwise, optional, missing, also, truncated or 0, shared)

    def words(self, given: Mapping[str, Any], place: str) -> dict[str, Any]:
        """Fields and the words they hold."""
        told: dict[str, Any] = {}
        for name, word in given.items():
            if path := self.path(name, place):
                self.word(path, word, place)
                told[path] = word
        return told

    def path(self, told: str, place: str) -> str | None:
        path = SHORT.get(told, told)
        if path in FIELDS:
            return path
        remedy = nearest(told, (*SHORT, *FIELDS)) or "see docs/file-mapping.md for the fields"
        self.wrong("UNKNOWN_FIELD", place, f"the case document has no field {told}", remedy)
        return None

    def word(self, path: str, word: Any, place: str) -> None:
        """Would the case document take this word in this field?"""
        for problem in read_case(field_document(path, word)).problems:
            self.wrong(problem.code, place, problem.message, problem.remedy)

    def constants(self, mapped: set[str]) -> dict[str, Any]:
        given = self.read.get("constants", {})
        if not isinstance(given, Mapping):
            self.wrong("WRONG_TYPE", "constants", "is not a table", 'write [constants] and "ish.assay" = "dual_probe"')
            return {}
        told: dict[str, Any] = {}
        for name, value in given.items():
            place = f"constants.{name}"
            if isinstance(value, Mapping):
                self.wrong("WRONG_TYPE", place, "is a table", f'write the path in quotes: "{name}.field" = "..."')
                continue
            path = self.path(name, place)
            if path is None:
                continue
            self.word(path, value, place)
            if path in mapped:
                self.wrong("TWICE_STATED", place, "is a constant and a column as well", "write one of them")
            told[path] = value
        return told
