"""Messages out: the lines that are due at a destination. What became of each attempt is a fact that only this reads.

A destination takes the lines whose topic begins with one of its own, from its own moment on. The lines of one result
are due in the order of its versions: a later one only when those before it are delivered or parked. A replay makes a
line due once more: what became of the attempts before it no longer counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, func, or_, select

from app.records import board_tables
from app.records import tables as t
from app.records.queries import PAGE_SIZE, Reading
from app.records.rows import Outgoing


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a destination takes. topics: beginnings of topics; since, until: older and newer lines are not its own."""

    destination: str
    topics: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A line to deliver. attempts: made so far, by whomever; asked_at: when a person last sent it again."""

    line: Outgoing
    attempts: int
    asked_at: datetime | None = None


class Outbox:
    """What can be found of messages out."""

    def __init__(self, reading: Reading) -> None:
        self._connection, self._organisation = reading.connection, reading.organisation

    def due(
        self, wanted: Wanted, now: datetime, *, looked_from: datetime | None = None, limit: int = PAGE_SIZE
    ) -> tuple[Due, ...]:
        """Lines not delivered, parked, being tried or waiting for their next attempt; the oldest first.

        looked_from: nothing older is looked at; only to spare the search, from what oldest_open answered before.
        """
        line, version = t.outbox.c, t.result_version.c
        attempts = (
            select(func.coalesce(func.max(t.outbox_delivery.c.attempt), 0))
            .where(*facts_of(t.outbox_delivery, t.outbox, wanted.destination))
            .correlate(t.outbox)
            .scalar_subquery()
        )
        replay = board_tables.delivery_replay
        asked = (
            select(func.max(replay.c.created_at, type_=replay.c.created_at.type))
            .where(*facts_of(replay, t.outbox, wanted.destination))
            .correlate(t.outbox)
            .scalar_subquery()
        )
        query = (
            self._open(select(*t.outbox.c, attempts.label("attempts"), asked.label("asked_at")), wanted)
            .where(~self._held(wanted, now), ~self._behind(wanted))
            .order_by(line.id)
            .limit(limit)
        )
        if looked_from is not None:
            query = query.where(line.created_at >= looked_from)
        joined = and_(version.organisation == line.organisation, version.id == line.version_id)
        query = query.select_from(t.outbox.outerjoin(t.result_version, joined))
        return tuple(
            Due(Outgoing(row.id, row.topic, row.version_id, row.payload, row.created_at), row.attempts, row.asked_at)
            for row in self._connection.execute(query)
        )

    def oldest_open(self, wanted: Wanted, *, looked_from: datetime | None = None) -> datetime | None:
        """When the oldest line was made that is neither delivered nor parked; None where there is none."""
        query = self._open(select(t.outbox.c.created_at), wanted).order_by(t.outbox.c.created_at).limit(1)
        if looked_from is not None:
            query = query.where(t.outbox.c.created_at >= looked_from)
        found: datetime | None = self._connection.execute(query).scalar()
        return found

    def _open(self, query: Select[Any], wanted: Wanted) -> Select[Any]:
        return query.where(*lines_of(t.outbox, self._organisation, wanted), ~finished(t.outbox, wanted.destination))

    def _held(self, wanted: Wanted, now: datetime) -> ColumnElement[bool]:
        """Somebody tries it, or its next attempt is later. Once an attempt has ended its beginning holds nothing."""
        fact, end = t.outbox_delivery.alias(), t.outbox_delivery.alias()
        ended = (
            exists()
            .where(
                *facts_of(end, t.outbox, wanted.destination),
                end.c.attempt == fact.c.attempt,
                end.c.state != "started",
            )
            .correlate(t.outbox, fact)
        )
        holds = and_(fact.c.next_attempt_at > now, or_(fact.c.state != "started", ~ended), ~replayed(fact))
        return exists().where(*facts_of(fact, t.outbox, wanted.destination), holds).correlate(t.outbox)

    def _behind(self, wanted: Wanted) -> ColumnElement[bool]:
        """An earlier line of the same result is still open."""
        before, before_version = t.outbox.alias(), t.result_version.alias()
        version = t.result_version.c
        return (
            exists()
            .where(
                before_version.c.organisation == version.organisation,
                before_version.c.result_id == version.result_id,
                before.c.organisation == before_version.c.organisation,
                before.c.version_id == before_version.c.id,
                or_(
                    before_version.c.number < version.number,
                    and_(before_version.c.number == version.number, before.c.id < t.outbox.c.id),
                ),
                *lines_of(before, self._organisation, wanted),
                ~finished(before, wanted.destination),
            )
            .correlate(t.outbox, t.result_version)
        )


def lines_of(line: FromClause, organisation: str, wanted: Wanted) -> Sequence[ColumnElement[bool]]:
    """A destination's own lines."""
    conditions = [
        line.c.organisation == organisation,
        or_(*(line.c.topic.startswith(each, autoescape=True) for each in wanted.topics)),
    ]
    if wanted.since is not None:
        conditions.append(line.c.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(line.c.created_at <= wanted.until)
    return conditions


def facts_of(fact: FromClause, line: FromClause, destination: str) -> Sequence[ColumnElement[bool]]:
    """Facts about a line at a destination; fact: attempts or replays."""
    return (
        fact.c.organisation == line.c.organisation,
        fact.c.outbox_id == line.c.id,
        fact.c.destination == destination,
    )


def finished(
    line: FromClause, destination: str, states: Collection[str] = ("delivered", "parked")
) -> ColumnElement[bool]:
    """An attempt ended in one of these states, and nobody sent the line again after it."""
    fact = t.outbox_delivery.alias()
    ended = and_(fact.c.state.in_(states), ~replayed(fact))
    return exists().where(*facts_of(fact, line, destination), ended).correlate(line)


def replayed(fact: FromClause) -> ColumnElement[bool]:
    """A person sent the line again after this attempt; a replay's number is the attempt that it follows."""
    replay = board_tables.delivery_replay.alias()
    return (
        exists()
        .where(
            replay.c.organisation == fact.c.organisation,
            replay.c.outbox_id == fact.c.outbox_id,
            replay.c.destination == fact.c.destination,
            replay.c.number >= fact.c.attempt,
        )
        .correlate(fact)
    )
