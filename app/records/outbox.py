"""Messages out: the lines that are due at a destination. What became of each attempt is a fact that only this reads.

A destination takes the lines whose topic begins with one of its own, from its own moment on. The lines of one result
are due in the order of its versions: a later one only when those before it are delivered or parked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, func, or_, select

from app.records import tables as t
from app.records.queries import PAGE_SIZE, Reading
from app.records.rows import Outgoing


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a destination takes. topics: beginnings of topics; since: lines older than that are not its own."""

    destination: str
    topics: tuple[str, ...]
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A line to deliver. attempts: made so far, by whomever."""

    line: Outgoing
    attempts: int


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
            .where(*self._facts(t.outbox_delivery, t.outbox, wanted.destination))
            .correlate(t.outbox)
            .scalar_subquery()
        )
        query = (
            self._open(select(*t.outbox.c, attempts.label("attempts")), wanted)
            .where(~self._held(wanted, now), ~self._behind(wanted))
            .order_by(line.id)
            .limit(limit)
        )
        if looked_from is not None:
            query = query.where(line.created_at >= looked_from)
        joined = and_(version.organisation == line.organisation, version.id == line.version_id)
        query = query.select_from(t.outbox.outerjoin(t.result_version, joined))
        return tuple(
            Due(Outgoing(row.id, row.topic, row.version_id, row.payload, row.created_at), row.attempts)
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
        return query.where(*self._mine(t.outbox, wanted), ~self._finished(t.outbox, wanted.destination))

    def _mine(self, line: FromClause, wanted: Wanted) -> Sequence[ColumnElement[bool]]:
        conditions = [
            line.c.organisation == self._organisation,
            or_(*(line.c.topic.startswith(each, autoescape=True) for each in wanted.topics)),
        ]
        if wanted.since is not None:
            conditions.append(line.c.created_at >= wanted.since)
        return conditions

    def _facts(self, fact: FromClause, line: FromClause, destination: str) -> Sequence[ColumnElement[bool]]:
        return (
            fact.c.organisation == line.c.organisation,
            fact.c.outbox_id == line.c.id,
            fact.c.destination == destination,
        )

    def _finished(self, line: FromClause, destination: str) -> ColumnElement[bool]:
        fact = t.outbox_delivery.alias()
        ended = fact.c.state.in_(("delivered", "parked"))
        return exists().where(*self._facts(fact, line, destination), ended).correlate(line)

    def _held(self, wanted: Wanted, now: datetime) -> ColumnElement[bool]:
        """Somebody tries it, or its next attempt is later. Once an attempt has ended its beginning holds nothing."""
        fact, end = t.outbox_delivery.alias(), t.outbox_delivery.alias()
        ended = (
            exists()
            .where(
                *self._facts(end, t.outbox, wanted.destination),
                end.c.attempt == fact.c.attempt,
                end.c.state != "started",
            )
            .correlate(t.outbox, fact)
        )
        holds = and_(fact.c.next_attempt_at > now, or_(fact.c.state != "started", ~ended))
        return exists().where(*self._facts(fact, t.outbox, wanted.destination), holds).correlate(t.outbox)

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
                *self._mine(before, wanted),
                ~self._finished(before, wanted.destination),
            )
            .correlate(t.outbox, t.result_version)
        )
