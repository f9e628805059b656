"""Messages in: kept as they came, with what became of each, what each said, and the codes mapped for a sender.

Finding takes a Reading, appending a Transaction: `Inbox(reading)`, `InboxWriting(transaction)`.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, select, tuple_

from app.records import tables as t
from app.records.cursors import make_cursor, read_cursor
from app.records.ids import new_id
from app.records.inserts import insert_all_unless_there
from app.records.queries import PAGE_SIZE, PAGE_SIZE_MOST, Reading, list_name, pick
from app.records.rows import Identity, Message, Page, ResultView, columns_of
from app.records.writing import Transaction

_CODES = (
    select(t.feed_code.c.system, t.feed_code.c.code, t.feed_code.c.target)
    .where(t.feed_code.c.organisation == bindparam("organisation"), t.feed_code.c.sender == bindparam("sender"))
    .order_by(t.feed_code.c.number)
)
RECEIVED = "received"  # the state of a message that has no fact yet


@dataclass(frozen=True, slots=True)
class MessageState:
    """What became of a message, as its fact 1, 2, ...; detail: JSON text."""

    message_id: str
    number: int
    state: str
    step: str | None
    detail: str | None
    person_name: str | None
    version_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Contribution:
    """What run `number` of a message says about one specimen; content: JSON text, None once erased by order."""

    message_id: str
    number: int
    sequence: int
    result_id: str | None
    accession: str | None
    content: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message without its bytes, at its newest state. size: bytes as received, None once erased by order."""

    id: str
    sender: str
    control_id: str
    content_hash: str
    media_type: str
    size: int | None
    received_at: datetime
    state: str
    number: int
    step: str | None
    detail: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What a list of messages is narrowed to; None asks nothing. Times take their start and leave out their end."""

    state: str | None = None
    sender: str | None = None
    accession: str | None = None
    control_id: str | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None
    result_id: str | None = None


class Inbox:
    """What can be found of messages."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._connection = reading.connection

    def message(self, message_id: str) -> Message | None:
        """The message with its bytes, or None."""
        return self._reading.find_message(message_id)

    def messages(self, ids: Sequence[str]) -> dict[str, Message]:
        """Messages by id, with their bytes."""
        found = self._connection.execute(select(t.inbox).where(self._own(t.inbox), t.inbox.c.id.in_(ids)))
        return {row.id: pick(Message, row._mapping) for row in found}

    def states(self, message_id: str) -> tuple[MessageState, ...]:
        """All facts about a message, oldest first."""
        fact = t.inbox_state
        query = select(fact).where(self._own(fact), fact.c.message_id == message_id).order_by(fact.c.number)
        return tuple(pick(MessageState, row._mapping) for row in self._connection.execute(query))

    def newest(self, ids: Collection[str]) -> dict[str, MessageState]:
        """The newest fact of each message that has one."""
        query = select(t.inbox_state).where(self._own(t.inbox_state), t.inbox_state.c.message_id.in_(ids), ~_outdated())
        return {row.message_id: pick(MessageState, row._mapping) for row in self._connection.execute(query)}

    def waiting(
        self,
        states: Collection[str],
        *,
        media_types: Collection[str] | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        limit: int = 500,
    ) -> tuple[str, ...]:
        """Ids of messages in these states, in the order they came; `received` has those without any fact too."""
        query = self._heads().where(_state().in_(states)).order_by(t.inbox.c.id).limit(limit)
        if media_types is not None:
            query = query.where(t.inbox.c.media_type.in_(media_types))
        if since is not None:
            query = query.where(t.inbox.c.received_at >= since)
        if before is not None:
            query = query.where(t.inbox.c.received_at < before)
        return tuple(row.id for row in self._connection.execute(query.with_only_columns(t.inbox.c.id)))

    def reused(self, messages: Sequence[tuple[str, str, str]]) -> set[str]:
        """Ids of those whose sender sent their control id before with other content. messages: id, sender, control."""
        asked = [each for each in messages if each[2]]
        if not asked:
            return set()
        controls = {control for _, _, control in asked}
        column = t.inbox.c
        query = (
            select(column.sender, column.control_id, func.min(column.id).label("first"))
            .where(
                self._own(t.inbox),
                column.sender.in_({sender for _, sender, _ in asked}),
                column.control_id.in_(controls),
            )
            .group_by(column.sender, column.control_id)
        )
        first = {(row.sender, row.control_id): row.first for row in self._connection.execute(query)}
        return {id for id, sender, control in asked if first.get((sender, control), id) != id}

    def counts(self) -> dict[str, dict[str, int]]:
        """How many messages are in each state, by sender."""
        state = _state()  # one expression: to PostgreSQL two alike with parameters are two
        query = self._heads().with_only_columns(t.inbox.c.sender, state.label("state"), func.count().label("many"))
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self._connection.execute(query.group_by(t.inbox.c.sender, state)):
            found[row.state][row.sender] += row.many
        return {state: dict(sorted(senders.items())) for state, senders in sorted(found.items())}

    def list_messages(
        self, narrow: MessageFilter, *, cursor: str | None = None, limit: int = PAGE_SIZE
    ) -> Page[MessageView]:
        """Messages without their bytes, the newest first. limit: 1 to 500. Raises BadCursor."""
        of = list_name("messages", columns_of(narrow))
        inbox, fact = t.inbox.c, t.inbox_state.c
        query = self._heads().with_only_columns(
            inbox.id, inbox.sender, inbox.control_id, inbox.content_hash, inbox.media_type, inbox.received_at,
            func.length(inbox.message).label("size"),
            _state().label("state"),
            func.coalesce(fact.number, 0).label("number"),
            fact.step, fact.detail,
            func.coalesce(fact.created_at, inbox.received_at).label("changed_at"),
        )  # fmt: skip
        query = query.where(*self._narrowed(narrow)).order_by(inbox.id.desc())
        if cursor is not None:
            (after,) = read_cursor(self._reading.organisation, of, cursor, 1)
            query = query.where(inbox.id < after)
        limit = max(1, min(limit, PAGE_SIZE_MOST))
        items = [pick(MessageView, row._mapping) for row in self._connection.execute(query.limit(limit + 1))]
        more = len(items) > limit
        items = items[:limit]
        return Page(tuple(items), make_cursor(self._reading.organisation, of, (items[-1].id,)) if more else None)

    def contributions(self, result_ids: Collection[str]) -> dict[str, tuple[Contribution, ...]]:
        """What stands of each result: of every message its newest run that reached a result."""
        part, later = t.contribution, t.contribution.alias()
        replaced = exists().where(
            later.c.organisation == part.c.organisation,
            later.c.message_id == part.c.message_id,
            later.c.number > part.c.number,
            later.c.result_id.is_not(None),
        )
        query = select(part).where(self._own(part), part.c.result_id.in_(result_ids), ~replaced).order_by(part.c.id)
        found: dict[str, list[Contribution]] = defaultdict(list)
        for row in self._connection.execute(query):
            found[row.result_id].append(pick(Contribution, row._mapping))
        return {result_id: tuple(parts) for result_id, parts in found.items()}

    def said_by(self, message_id: str) -> tuple[Contribution, ...]:
        """What a message said in all its runs, oldest first."""
        part = t.contribution
        query = select(part).where(self._own(part), part.c.message_id == message_id)
        rows = self._connection.execute(query.order_by(part.c.number, part.c.sequence))
        return tuple(pick(Contribution, row._mapping) for row in rows)

    def heads_by_key(self, join_keys: Collection[str]) -> dict[str, ResultView]:
        """Results at their newest version by join key."""
        query = select(t.result.c.id).where(self._own(t.result), t.result.c.join_key.in_(join_keys))
        ids = list(self._connection.execute(query).scalars())
        found = self._reading.views(t.result.c.id.in_(ids)) if ids else ()
        return {str(view.join_key): view for view in found}

    def owners(self, identities: Iterable[Identity]) -> dict[Identity, str]:
        """Whose each known identifier is, merges not followed."""
        wanted = {(each.system, each.value) for each in identities}
        if not wanted:
            return {}
        column = t.patient_identity.c
        query = select(column.system, column.value, column.patient_id).where(
            self._own(t.patient_identity), tuple_(column.system, column.value).in_(wanted)
        )
        found = self._connection.execute(query)
        return {Identity(row.system, row.value): row.patient_id for row in found}

    def codes(self, sender: str) -> dict[tuple[str, str], str]:
        """The codes that persons mapped for a sender: (system, code) to target, the newest of each."""
        values = {"organisation": self._reading.organisation, "sender": sender}
        return {(system, code): target for system, code, target in self._connection.execute(_CODES, values)}

    def _own(self, table: Any) -> ColumnElement[bool]:
        return self._reading.own(table)

    def _heads(self) -> Select[Any]:
        fact = t.inbox_state
        here = and_(fact.c.organisation == t.inbox.c.organisation, fact.c.message_id == t.inbox.c.id, ~_outdated())
        return select(t.inbox.c.id).select_from(t.inbox.outerjoin(fact, here)).where(self._own(t.inbox))

    def _narrowed(self, narrow: MessageFilter) -> list[ColumnElement[bool]]:
        inbox, part = t.inbox.c, t.contribution
        conditions: list[ColumnElement[bool]] = []
        for column, wanted in ((_state(), narrow.state), (inbox.sender, narrow.sender)):
            if wanted is not None:
                conditions.append(column == wanted)
        if narrow.control_id is not None:
            conditions.append(inbox.control_id == narrow.control_id)
        if narrow.received_from is not None:
            conditions.append(inbox.received_at >= narrow.received_from)
        if narrow.received_before is not None:
            conditions.append(inbox.received_at < narrow.received_before)
        for column, wanted in ((part.c.accession, narrow.accession), (part.c.result_id, narrow.result_id)):
            if wanted is not None:
                said = select(part.c.message_id).where(self._own(part), column == wanted)
                conditions.append(inbox.id.in_(said))
        return conditions


class InboxWriting(Inbox):
    """Appending to the inbox."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self._transaction = transaction

    def keep(self, payloads: Sequence[tuple[str, str, bytes, str]]) -> list[tuple[str, bool]]:
        """Keep messages as they came: sender, control id, bytes, media type. Answers the id of each, and if it is new.

        Sender, control id and content are one identity for ever: what came before is found again, not kept twice.
        """
        now = self._transaction.now
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        names = []
        for sender, control_id, message, media_type in payloads:
            name = (sender, control_id, hashlib.sha256(message).hexdigest())
            names.append(name)
            if name not in rows:
                stored = Message(new_id(), *name, media_type, message, now)
                rows[name] = {"organisation": self._transaction.organisation, **columns_of(stored)}
        new = insert_all_unless_there(self._connection, t.inbox, list(rows.values()))
        for row in rows.values():
            if row["id"] in new:
                self._transaction.cover(t.inbox, row)
        ids = {name: row["id"] for name, row in rows.items() if row["id"] in new}
        for name in rows.keys() - ids.keys():
            ids[name] = self._id_of(*name)
        seen: set[str] = set()
        answers = []
        for name in names:
            answers.append((ids[name], ids[name] in new and ids[name] not in seen))
            seen.add(ids[name])
        return answers

    def append_contribution(self, part: Mapping[str, Any]) -> None:
        """What a run of a message says about one specimen: the columns of Contribution but the time."""
        self._transaction.append_row(t.contribution, **part, created_at=self._transaction.now)

    def append_code(
        self, sender: str, system: str, code: str, target: str, *, name: str, role: str, reason: str | None
    ) -> bool:
        """Map a code for a sender from now on; False where it is mapped so already."""
        entry = t.feed_code
        same = (entry.c.sender == sender) & (entry.c.system == system) & (entry.c.code == code)
        query = select(entry).where(self._own(entry), same).order_by(entry.c.number.desc()).limit(1)
        before = self._connection.execute(query).first()
        if before is not None and before.target == target:
            return False
        self._transaction.append_row(
            entry,
            sender=sender,
            system=system,
            code=code,
            number=before.number + 1 if before else 1,
            target=target,
            person_name=name,
            person_role=role,
            reason=reason,
            created_at=self._transaction.now,
        )
        return True

    def _id_of(self, sender: str, control_id: str, content_hash: str) -> str:
        column = t.inbox.c
        same = (column.sender == sender) & (column.control_id == control_id) & (column.content_hash == content_hash)
        return str(self._connection.execute(select(column.id).where(self._own(t.inbox), same)).scalar_one())


def _outdated() -> ColumnElement[bool]:
    fact, newer = t.inbox_state, t.inbox_state.alias()
    return exists().where(
        newer.c.organisation == fact.c.organisation,
        newer.c.message_id == fact.c.message_id,
        newer.c.number > fact.c.number,
    )


def _state() -> ColumnElement[str]:
    return func.coalesce(t.inbox_state.c.state, RECEIVED)
