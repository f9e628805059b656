"""The answer to one case, and the way to it."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.problems import Problem


@dataclass(frozen=True, slots=True)
class Step:
    """One table asked: the row hit, what was observed, the row's conditions, what it said, its place in the paper."""

    table: str
    row: str
    title: str
    observed: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str], ...]
    outcome: tuple[tuple[str, str], ...]
    place: str


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
