"""The answer to one case, and the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.domain.problems import Problem


@dataclass(frozen=True)
class Place:
    """A row of a table as a reader sees it: its conditions, what it says, its place in the paper."""

    table: str
    row: str
    title: str
    conditions: tuple[tuple[str, str], ...]
    outcome: tuple[tuple[str, str], ...]
    place: str

    @cached_property
    def document(self) -> dict[str, Any]:
        """The row as plain JSON types."""
        return {
            "table": self.table,
            "row": self.row,
            "title": self.title,
            "when": dict(self.conditions),
            "says": dict(self.outcome),
            "place": self.place,
        }

    @cached_property
    def ending(self) -> str:
        """What the row says and where it stands, as the end of a line."""
        says = ", ".join([f"{name} {value}" for name, value in self.outcome]) or "nothing to add"
        return f"; so {says} ({self.place})"


@dataclass(frozen=True)
class Step:
    """One table asked: the row hit and what was observed in each of its columns."""

    at: Place
    observed: tuple[tuple[str, str], ...]

    @property
    def table(self) -> str:
        return self.at.table

    @property
    def row(self) -> str:
        return self.at.row

    @property
    def document(self) -> dict[str, Any]:
        """The step as plain JSON types, with a line to read; made once."""
        made: dict[str, Any] | None = self.__dict__.get("_document")
        if made is None:
            made = self.__dict__["_document"] = self._made()
        return made

    def _made(self) -> dict[str, Any]:
        observed = ", ".join([f"{name} {value}" for name, value in self.observed])
        return {
            **self.at.document,
            "observed": dict(self.observed),
            "text": f"{self.at.title}: {observed}{self.at.ending}",
        }


@dataclass(frozen=True, slots=True)
class World:
    """One class the missing values can still hit, and the way through the figures from there."""

    assumption: str
    status: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """The value a decision was made on: decimal text, up to six places, unrounded; basis: reported or computed."""

    name: str
    value: str
    unit: str
    basis: str


@dataclass(frozen=True, slots=True)
class Classification:
    """A HER2 answer that explains itself. Codes: app.domain.codes."""

    edition: str
    policy: dict[str, str]
    status: str
    final: bool
    ish_group: int | None
    ish_result: str | None
    fda_ratio: str | None
    her2_low: str
    comment: str | None
    report_notes: tuple[str, ...]
    notes: tuple[str, ...]
    next_steps: tuple[str, ...]
    flags: tuple[str, ...]
    review_required: bool
    retest: str | None
    problems: tuple[Problem, ...]
    used: tuple[Used, ...]
    trace: tuple[Step, ...]
    worlds: tuple[World, ...]
