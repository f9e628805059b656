"""Webhook subscriptions: what each takes, whether it is served, and what became of the lines of the outbox at it.

Finding takes a Reading, appending a Transaction: `Subscriptions(reading)`, `SubscriptionsWriting(transaction)`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, select

from app.records import board_tables as b
from app.records import tables as t
from app.records.cursors import make_cursor, read_cursor
from app.records.ids import new_id
from app.records.inserts import insert_unless_there
from app.records.outbox import Wanted, facts_of, finished, lines_of, replayed
from app.records.queries import PAGE_SIZE, PAGE_SIZE_MOST, Reading, list_name, pick
from app.records.rows import Outgoing, Page
from app.records.writing import Transaction

State = Literal["active", "paused", "ended"]
LineState = Literal["waiting", "failing", "delivered", "parked"]


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """Fact 1, 2, ... about a subscription. sequence: of its secret, so a new one says that a new secret counts."""

    number: int
    state: State
    sequence: int
    person_name: str
    person_role: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told what. topics: separated by spaces; sees: nothing or patient; states: oldest first, never empty."""

    id: str
    url: str
    topics: str
    sees: str
    person_name: str
    person_role: str
    created_at: datetime
    states: tuple[SubscriptionState, ...] = ()

    @property
    def state(self) -> State:
        """As the newest fact says."""
        return self.states[-1].state


@dataclass(frozen=True, slots=True)
class Attempt:
    """A fact about attempt 1, 2, ... to deliver a line."""

    outbox_id: str
    attempt: int
    state: str
    detail: str | None
    next_attempt_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Replay:
    """A person sent a line again. number: the attempt that it follows."""

    outbox_id: str
    number: int
    person_name: str
    person_role: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """A line at a destination with all that became of it, oldest first."""

    line: Outgoing
    state: LineState
    attempts: tuple[Attempt, ...]
    replays: tuple[Replay, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a version stands among those of its result. final: its answer; final_before: that of an earlier one."""

    result_id: str
    number: int
    cause: str
    final: bool
    final_before: bool


class Subscriptions:
    """What can be found of subscriptions."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._connection = reading.connection

    def all(self, subscription_id: str | None = None) -> tuple[Subscription, ...]:
        """Every subscription, or the one, with its states; the newest first."""
        row, fact = b.subscription, b.subscription_state
        query, facts = select(row).where(self._own(row)), select(fact).where(self._own(fact))
        if subscription_id is not None:
            query = query.where(row.c.id == subscription_id)
            facts = facts.where(fact.c.subscription_id == subscription_id)
        states: dict[str, list[SubscriptionState]] = defaultdict(list)
        for each in self._connection.execute(facts.order_by(fact.c.subscription_id, fact.c.number)):
            states[each.subscription_id].append(pick(SubscriptionState, each._mapping))
        return tuple(
            pick(Subscription, {**each._mapping, "states": tuple(states[each.id])})
            for each in self._connection.execute(query.order_by(row.c.id.desc()))
        )

    def find(self, subscription_id: str) -> Subscription | None:
        """One with its states, or None."""
        return next(iter(self.all(subscription_id)), None)

    def replays(self) -> int:
        """How often anything was sent again: it only grows."""
        replay = b.delivery_replay
        return int(self._connection.execute(select(func.count()).where(self._own(replay))).scalar_one())

    def places(self, version_ids: Collection[str]) -> dict[str, Place]:
        """Where versions stand, by id."""
        version, answer = t.result_version, t.classification
        earlier, answered = version.alias(), answer.alias()
        before = (
            exists()
            .where(
                earlier.c.organisation == version.c.organisation,
                earlier.c.result_id == version.c.result_id,
                earlier.c.number < version.c.number,
                answered.c.organisation == earlier.c.organisation,
                answered.c.version_id == earlier.c.id,
                answered.c.purpose == "current",
                answered.c.final,
            )
            .correlate(version)
        )
        current = and_(
            answer.c.organisation == version.c.organisation,
            answer.c.version_id == version.c.id,
            answer.c.purpose == "current",
        )
        query = (
            select(
                version.c.id, version.c.result_id, version.c.number, version.c.cause,
                func.coalesce(answer.c.final, literal(False)).label("final"), before.label("final_before"),
            )
            .select_from(version.outerjoin(answer, current))
            .where(self._own(version), version.c.id.in_(version_ids))
        )  # fmt: skip
        return {
            row.id: Place(row.result_id, row.number, row.cause, bool(row.final), bool(row.final_before))
            for row in self._connection.execute(query)
        }

    def patient_at(self, result_id: str, at: datetime) -> str:
        """The patient whose a result was at a moment, merges not followed. Raises NoResultFound."""
        move = t.result_move
        query = select(move).where(self._own(move), move.c.result_id == result_id).order_by(move.c.number)
        moves = list(self._connection.execute(query))
        before = [each.to_patient_id for each in moves if each.created_at <= at]
        if before or moves:
            return str(before[-1] if before else moves[0].from_patient_id)
        first = select(t.result.c.patient_id).where(self._own(t.result), t.result.c.id == result_id)
        return str(self._connection.execute(first).scalar_one())

    def log(
        self,
        wanted: Wanted,
        *,
        state: LineState | None = None,
        passed: str,
        line_id: str | None = None,
        cursor: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> Page[LoggedLine]:
        """Lines of a destination, the newest first. passed: the detail of lines that were not its own after all,
        which are left out. limit: 1 to 500. Raises BadCursor."""
        line = t.outbox
        of = list_name("deliveries", {"destination": wanted.destination, "state": state})
        stands = _stands(wanted.destination)
        query = select(line, stands.label("stands")).where(*self._sent(wanted, passed)).order_by(line.c.id.desc())
        if state is not None:
            query = query.where(stands == state)
        if line_id is not None:
            query = query.where(line.c.id == line_id)
        if cursor is not None:
            (after,) = read_cursor(self._reading.organisation, of, cursor, 1)
            query = query.where(line.c.id < after)
        limit = max(1, min(limit, PAGE_SIZE_MOST))
        rows = list(self._connection.execute(query.limit(limit + 1)))
        more, rows = len(rows) > limit, rows[:limit]
        ids = [row.id for row in rows]
        attempts = self._of(Attempt, t.outbox_delivery, wanted.destination, ids)
        replays = self._of(Replay, b.delivery_replay, wanted.destination, ids)
        items = tuple(
            LoggedLine(pick(Outgoing, row._mapping), row.stands, tuple(attempts[row.id]), tuple(replays[row.id]))
            for row in rows
        )
        return Page(items, make_cursor(self._reading.organisation, of, (ids[-1],)) if more else None)

    def counts(self, wanted: Wanted, passed: str) -> dict[str, int]:
        """How many lines are in each state."""
        stands = _stands(wanted.destination).label("stands")
        inner = select(stands).where(*self._sent(wanted, passed)).subquery()
        query = select(inner.c.stands, func.count().label("many")).group_by(inner.c.stands)
        return Counter({row.stands: row.many for row in self._connection.execute(query)})

    def last_delivered(self, wanted: Wanted, passed: str) -> datetime | None:
        """When a line was last delivered."""
        fact = t.outbox_delivery
        query = (
            select(fact.c.created_at)
            .where(
                self._own(fact),
                fact.c.destination == wanted.destination,
                fact.c.state == "delivered",
                func.coalesce(fact.c.detail, "") != passed,
            )
            .order_by(fact.c.id.desc())
            .limit(1)
        )
        found: datetime | None = self._connection.execute(query).scalar()
        return found

    def _sent(self, wanted: Wanted, passed: str) -> Sequence[ColumnElement[bool]]:
        fact = t.outbox_delivery.alias()
        left = (
            exists()
            .where(*facts_of(fact, t.outbox, wanted.destination), fact.c.state == "delivered", fact.c.detail == passed)
            .correlate(t.outbox)
        )
        return (*lines_of(t.outbox, self._reading.organisation, wanted), ~left)

    def _of(self, kind: Any, table: Any, destination: str, ids: Sequence[str]) -> dict[str, list[Any]]:
        query = (
            select(table)
            .where(self._own(table), table.c.outbox_id.in_(ids), table.c.destination == destination)
            .order_by(table.c.id)
        )
        found: dict[str, list[Any]] = defaultdict(list)
        for row in self._connection.execute(query) if ids else ():
            found[row.outbox_id].append(pick(kind, row._mapping))
        return found

    def _own(self, table: Any) -> ColumnElement[bool]:
        return self._reading.own(table)


class SubscriptionsWriting(Subscriptions):
    """Appending subscriptions, their states and replays."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self._transaction = transaction

    def append(self, url: str, topics: str, sees: str, *, name: str, role: str, reason: str | None) -> Subscription:
        """A subscription that is active from now on, with its first secret."""
        now = self._transaction.now
        made = Subscription(new_id(), url, topics, sees, name, role, now)
        row = {"url": url, "topics": topics, "sees": sees, "person_name": name, "person_role": role}
        self._transaction.append_row(b.subscription, id=made.id, **row, created_at=now)
        self.append_state(made, "active", 1, name=name, role=role, reason=reason)
        found = self.find(made.id)
        assert found is not None
        return found

    def append_state(
        self, of: Subscription, state: State, sequence: int, *, name: str, role: str, reason: str | None
    ) -> bool:
        """The next fact about a subscription; False where another was first."""
        values = {
            "subscription_id": of.id,
            "number": of.states[-1].number + 1 if of.states else 1,
            "state": state,
            "sequence": sequence,
            "person_name": name,
            "person_role": role,
            "reason": reason,
        }
        return self._append_unless_there(b.subscription_state, values)

    def append_replay(self, of: LoggedLine, destination: str, *, name: str, role: str, reason: str | None) -> bool:
        """Make a line that was delivered or parked due once more; False where somebody did so already."""
        values = {
            "outbox_id": of.line.id,
            "destination": destination,
            "number": max(each.attempt for each in of.attempts),
            "person_name": name,
            "person_role": role,
            "reason": reason,
        }
        return self._append_unless_there(b.delivery_replay, values)

    def _append_unless_there(self, table: Any, values: dict[str, Any]) -> bool:
        row = {"organisation": self._transaction.organisation, "id": new_id(), **values}
        row["created_at"] = self._transaction.now
        if not insert_unless_there(self._connection, table, row):
            return False
        self._transaction.cover(table, row)
        return True


def _stands(destination: str) -> ColumnElement[str]:
    """Where a line of the outbox stands at a destination: a LineState."""
    fact = t.outbox_delivery.alias()
    failed = (
        exists()
        .where(*facts_of(fact, t.outbox, destination), fact.c.state == "failed", ~replayed(fact))
        .correlate(t.outbox)
    )
    return case(
        (finished(t.outbox, destination, ("delivered",)), "delivered"),
        (finished(t.outbox, destination, ("parked",)), "parked"),
        (failed, "failing"),
        else_="waiting",
    )
