"""The answer to one case, and the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

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


class Used(NamedTuple):
    """The value a decision was made on: decimal text, up to six places, unrounded; basis: reported or computed."""

    name: str
    value: str
    unit: str
    basis: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What follows from words alone: the same for all numbers that become the same words. Codes: app.domain.codes."""

    edition: str
    policy: dict[str, str]
    status: str
    final: bool
    ish_group: int | None
    ish_result: str | None
    her2_low: str
    comment: str | None
    report_notes: tuple[str, ...]
    notes: tuple[str, ...]
    next_steps: tuple[str, ...]
    flags: tuple[str, ...]
    review_required: bool
    retest: str | None
    problems: tuple[Problem, ...]
    trace: tuple[Step, ...]
    worlds: tuple[World, ...]


@dataclass(frozen=True, slots=True)
class Classification:
    """A HER2 answer that explains itself: what was settled, the values used, and the whole trace."""

    settled: Settled
    fda_ratio: str | None
    used: tuple[Used, ...]
    trace: tuple[Step, ...]

    @property
    def edition(self) -> str:
        return self.settled.edition

    @property
    def policy(self) -> dict[str, str]:
        return self.settled.policy

    @property
    def status(self) -> str:
        return self.settled.status

    @property
    def final(self) -> bool:
        return self.settled.final

    @property
    def ish_group(self) -> int | None:
        return self.settled.ish_group

    @property
    def ish_result(self) -> str | None:
        return self.settled.ish_result

    @property
    def her2_low(self) -> str:
        return self.settled.her2_low

    @property
    def comment(self) -> str | None:
        return self.settled.comment

    @property
    def report_notes(self) -> tuple[str, ...]:
        return self.settled.report_notes

    @property
    def notes(self) -> tuple[str, ...]:
        return self.settled.notes

    @property
    def next_steps(self) -> tuple[str, ...]:
        return self.settled.next_steps

    @property
    def flags(self) -> tuple[str, ...]:
        return self.settled.flags

    @property
    def review_required(self) -> bool:
        return self.settled.review_required

    @property
    def retest(self) -> str | None:
        return self.settled.retest

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.settled.problems

    @property
    def worlds(self) -> tuple[World, ...]:
        return self.settled.worlds
