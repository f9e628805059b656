"""One entry of a pack's file, read field by field; whatever is wrong is written to a list with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

T = TypeVar("T")
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What a year and a month lack of a day.
_FIRST_DAY = {4: "-01-01", 7: "-01"}


def prose(text: str) -> str:
    """A text with its line breaks and runs of blanks made one blank: a file may wrap its lines anywhere."""
    return " ".join(text.split())


def is_date(text: str) -> bool:
    """A day of the calendar written YYYY-MM-DD."""
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


class Fields:
    """A table of a TOML file. Each reading marks its field as known; `close` reports the rest."""

    def __init__(self, raw: Any, where: str, problems: list[str]) -> None:
        self._where = where
        self._problems = problems
        self._seen: set[str] = set()
        self._raw: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(raw, Mapping):
            self.problem("must be a table")

    def problem(self, message: str) -> None:
        self._problems.append(f"{self._where}: {message}")

    def has(self, name: str) -> bool:
        return name in self._raw

    def names(self) -> tuple[str, ...]:
        return tuple(self._raw)

    def close(self) -> None:
        """Report every field that nothing has asked for."""
        for name in sorted(set(self._raw) - self._seen):
            self.problem(f"unknown field {name!r}; known here: {', '.join(sorted(self._seen))}")

    def maybe(self, name: str) -> str | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.problem(f"{name} must be a text, not {value!r}")
            return None
        return prose(value)

    def text(self, name: str) -> str:
        if not self.has(name):
            self._seen.add(name)
            self.problem(f"missing field {name!r}")
            return ""
        return self.maybe(name) or ""

    def id(self, name: str = "id") -> str:
        value = self.text(name)
        if value and not ID.fullmatch(value):
            self.problem(f"{name} {value!r} must be lower-case words and digits joined by '-'")
        return value

    def date(self, name: str, in_part: bool = False) -> str:
        """A date as YYYY-MM-DD; in_part: YYYY or YYYY-MM where a source gives no more."""
        value = self.text(name)
        full = value + _FIRST_DAY.get(len(value), "") if in_part else value
        if value and not is_date(full):
            self.problem(f"{name} {value!r} is not a date written {'YYYY, YYYY-MM or ' if in_part else ''}YYYY-MM-DD")
        return value

    def texts(self, name: str, required: bool = False) -> tuple[str, ...]:
        value = self._take(name)
        if value is None:
            if required:
                self.problem(f"missing field {name!r}")
            return ()
        full = isinstance(value, list) and value and all(isinstance(each, str) and each.strip() for each in value)
        if not full:
            self.problem(f"{name} must be a list of texts, not {value!r}")
            return ()
        if len(set(value)) != len(value):
            self.problem(f"{name} says something twice")
        return tuple(prose(each) for each in value)

    def word(self, name: str, vocabulary: tuple[str, ...], default: Any = ...) -> Any:
        if default is not ... and not self.has(name):
            self._seen.add(name)
            return default
        value = self.text(name)
        if value and value not in vocabulary:
            self.problem(f"{name} {value!r} is not one of {', '.join(vocabulary)}")
        return value

    def words(self, name: str, vocabulary: tuple[str, ...], required: bool = False) -> tuple[str, ...]:
        values = self.texts(name, required)
        for value in values:
            if value not in vocabulary:
                self.problem(f"{name} {value!r} is not one of {', '.join(vocabulary)}")
        return values

    def number(self, name: str) -> Decimal | None:
        value = self._take(name)
        return None if value is None else self._decimal(name, value)

    def pair(self, name: str) -> tuple[Decimal, Decimal] | None:
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            self.problem(f"{name} must have both ends: [low, high]")
            return None
        low, high = (self._decimal(name, end) for end in value)
        if low is None or high is None:
            return None
        if low > high:
            self.problem(f"{name} has its ends the wrong way round: {low} > {high}")
        return low, high

    def whole(self, name: str) -> int | None:
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.problem(f"{name} must be a whole number from 1, not {value!r}")
            return None
        return value

    def wholes(self, name: str) -> tuple[int, ...]:
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(type(each) is int and each > 0 for each in value):
            self.problem(f"{name} must be a list of whole numbers from 1, not {value!r}")
            return ()
        return tuple(value)

    def table(self, name: str) -> Fields:
        value = self._take(name)
        if value is None:
            self.problem(f"missing field {name!r}")
            return Fields({}, f"{self._where}, {name}", [])
        return Fields(value, f"{self._where}, {name}", self._problems)

    def entries(self, name: str, make: Callable[[Fields], T]) -> list[T]:
        """Each table of a list, made and closed. An entry is named by its id or key, else by its place."""
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(f"{name} must be a list of tables: [[{name}]]")
            return []
        made = []
        for place, raw in enumerate(value, start=1):
            named = raw if isinstance(raw, Mapping) else {}
            title = named.get("id") or named.get("key") or named.get("name") or place
            entry = Fields(raw, f"{self._where}, {name} {title}", self._problems)
            made.append(make(entry))
            entry.close()
        return made

    def _take(self, name: str) -> Any:
        self._seen.add(name)
        return self._raw.get(name)

    def _decimal(self, name: str, value: Any) -> Decimal | None:
        if isinstance(value, float):
            self.problem(f"{name} is a binary float ({value!r}): read TOML with parse_float=Decimal")
        elif isinstance(value, str):
            self.problem(f"{name} is a text ({value!r}): write the number without quotes")
        elif isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.problem(f"{name} must be a number, not {value!r}")
        elif not Decimal(value).is_finite():
            self.problem(f"{name} must be a finite number, not {value}")
        elif isinstance(value, Decimal) and value.as_tuple().exponent > 0:  # type: ignore[operator]
            self.problem(f"{name} must be written as printed, without an exponent")
        else:
            return Decimal(value)
        return None
