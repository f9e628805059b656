"""The audit chain: one per organisation; each line holds the digest of the line before and of its own content.

A line covers the rows appended in its transaction, by a digest of each row, so a record changed behind the store's
back is found as surely as a line is. The chain itself holds only salted digests: content and salt lie beside it, and
may be erased by order without breaking it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, bindparam, func, select, text

from app.records import tables as t
from app.records.columns import instant_text, utf8
from app.records.ids import new_id
from app.records.inserts import insert
from app.records.rows import AuditProblem, AuditReport

_BATCH = 500
_LOCK = text("SELECT pg_advisory_xact_lock(:number)")
_HEAD = (
    select(t.audit.c.sequence, t.audit.c.digest)
    .where(t.audit.c.organisation == bindparam("organisation"))
    .order_by(t.audit.c.sequence.desc())
    .limit(1)
)
# not covered: the chain itself, idempotency (expires), the organisation's own row, and what only erasure writes
COVERED = {
    table.name: table
    for table in t.metadata.sorted_tables
    if table.name
    not in ("organisation", "audit", "audit_content", "idempotency", "idempotency_answer", "erasure", "erasure_item")
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line to append. content: what JSON can say; records: (table, id, digest of the row)."""

    kind: str
    content: Mapping[str, Any]
    records: tuple[tuple[str, str, str], ...] = ()


def row_digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of a row in hex. Nulls are left out, so a column added later does not change it."""
    plain = {k: _plain(v) for k, v in values.items() if v is not None}
    return _digest(json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def genesis(organisation: str) -> str:
    """What the first line of an organisation names as the line before."""
    return _digest(f"herald audit\0{organisation}")


def append_lines(connection: Connection, organisation: str, lines: list[Line], now: datetime) -> None:
    """Chain lines to the organisation's newest one. To be the last thing before the commit: others wait meanwhile."""
    if connection.dialect.name == "postgresql":
        # the role may not UPDATE, so it can't lock the head row; the unique sequence stands behind this lock
        connection.execute(_LOCK, {"number": _lock_number(organisation)})
    head = connection.execute(_HEAD, {"organisation": organisation}).first()
    sequence, previous = (head.sequence, head.digest) if head else (0, genesis(organisation))
    chained, contents = [], []
    for line in lines:
        sequence += 1
        salt = secrets.token_hex(16)
        content = json.dumps(
            {"content": line.content, "records": line.records},
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )
        row = {
            "organisation": organisation,
            "id": new_id(),
            "sequence": sequence,
            "kind": line.kind,
            "recorded_at": now,
            "content_digest": _digest(salt + content),
            "previous": previous,
        }
        row["digest"] = previous = _line_digest(row)
        chained.append(row)
        contents.append({"organisation": organisation, "audit_id": row["id"], "content": content, "salt": salt})
    insert(connection, t.audit, chained)
    insert(connection, t.audit_content, contents)


def verify(connection: Connection, organisation: str, anchor: tuple[int, str] | None) -> AuditReport:
    """Walk the whole chain and every row it covers. anchor: a head noted earlier elsewhere, (sequence, digest)."""
    return _Verification(connection, organisation).run(anchor)


class _Verification:
    def __init__(self, connection: Connection, organisation: str) -> None:
        self.connection, self.organisation = connection, organisation
        self.problems: list[AuditProblem] = []
        self.covered: Counter[str] = Counter()
        self.erased_and_covered: Counter[str] = Counter()
        self.erased = 0

    def run(self, anchor: tuple[int, str] | None) -> AuditReport:
        sequence, previous = 0, genesis(self.organisation)
        anchored = anchor is None or anchor == (sequence, previous)
        for batch in self._batches():
            claims: list[tuple[int, str, str, str]] = []
            for row in batch:
                if row.sequence != sequence + 1 or row.previous != previous:
                    self._problem(row.sequence, "broken", f"does not follow line {sequence}")
                if _line_digest(row._asdict()) != row.digest:
                    self._problem(row.sequence, "altered", "the line differs from its digest")
                claims += self._claims(row)
                sequence, previous = row.sequence, row.digest
                anchored = anchored or anchor == (sequence, previous)
            self._compare(claims)
        if not anchored:
            self._problem(0, "cut_short", "the chain does not hold the head that was noted elsewhere")
        self._count()
        records = sum(self.covered.values())
        return AuditReport(self.organisation, sequence, records, self.erased, sequence, previous, tuple(self.problems))

    def _batches(self) -> Iterator[list[Row[Any]]]:
        line, content, order = t.audit, t.audit_content, t.erasure_item
        query = (
            select(line, content.c.content, content.c.salt, order.c.id.label("order_id"))
            .outerjoin(content, and_(content.c.organisation == line.c.organisation, content.c.audit_id == line.c.id))
            .outerjoin(
                order,
                and_(
                    order.c.organisation == line.c.organisation,
                    order.c.record_kind == "audit_content",
                    order.c.record_id == line.c.id,
                ),
            )
            .where(line.c.organisation == self.organisation)
            .order_by(line.c.sequence)
            .limit(_BATCH)
        )
        after = 0
        while batch := list(self.connection.execute(query.where(line.c.sequence > after))):
            yield batch
            after = batch[-1].sequence

    def _claims(self, row: Row[Any]) -> list[tuple[int, str, str, str]]:
        """What a line says of its records: (sequence, table, id, digest)."""
        if row.content is None or row.salt is None:
            if row.order_id is None:
                self._problem(row.sequence, "content_gone", "the content is gone, and no order of erasure says why")
            else:
                self.erased += 1
            return []
        if _digest(row.salt + row.content) != row.content_digest:
            self._problem(row.sequence, "content_altered", "the content differs from the digest in the chain")
            return []
        return [(row.sequence, *record) for record in json.loads(row.content)["records"]]

    def _compare(self, claims: list[tuple[int, str, str, str]]) -> None:
        for name in sorted({c[1] for c in claims}):
            wanted = {id: (sequence, digest) for sequence, kind, id, digest in claims if kind == name}
            table = COVERED[name]
            erased = self._erased(name, list(wanted))
            found = {row.id: row for row in self._rows(table, list(wanted))}
            for id, (sequence, digest) in wanted.items():
                self.covered[name] += 1
                if id in erased:
                    self.erased += 1
                    self.erased_and_covered[name] += 1
                elif id not in found:
                    self._problem(sequence, "record_gone", f"{name} {id} is gone")
                elif row_digest(found[id]._asdict()) != digest:
                    self._problem(sequence, "record_altered", f"{name} {id} differs from what was recorded")

    def _rows(self, table: Table, ids: list[str]) -> Iterator[Row[Any]]:
        for start in range(0, len(ids), _BATCH):
            few = ids[start : start + _BATCH]
            query = select(table).where(table.c.organisation == self.organisation, table.c.id.in_(few))
            yield from self.connection.execute(query)

    def _erased(self, name: str, ids: list[str]) -> set[str]:
        item, found = t.erasure_item, set[str]()
        for start in range(0, len(ids), _BATCH):
            query = select(item.c.record_id).where(
                item.c.organisation == self.organisation,
                item.c.record_kind == name,
                item.c.record_id.in_(ids[start : start + _BATCH]),
            )
            found.update(self.connection.execute(query).scalars())
        return found

    def _count(self) -> None:
        """Rows that no line covers were put in behind the store's back."""
        own = t.erasure_item.c.organisation == self.organisation
        kinds = select(t.erasure_item.c.record_kind, func.count()).where(own).group_by(t.erasure_item.c.record_kind)
        ordered = {row[0]: row[1] for row in self.connection.execute(kinds)}
        for name, table in COVERED.items():
            query = select(func.count()).select_from(table).where(table.c.organisation == self.organisation)
            rows = self.connection.execute(query).scalar_one()
            known = self.covered[name] + ordered.get(name, 0) - self.erased_and_covered[name]
            if rows > known:
                self._problem(0, "uncovered", f"{rows - known} rows of {name} are in no line of the chain")

    def _problem(self, sequence: int, code: str, detail: str) -> None:
        self.problems.append(AuditProblem(sequence, code, detail))


def _line_digest(row: Mapping[str, Any]) -> str:
    named = ("organisation", "id", "sequence", "kind", "recorded_at", "content_digest", "previous")
    return row_digest({name: row[name] for name in named})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else value


def _digest(written: str) -> str:
    return hashlib.sha256(utf8(written)).hexdigest()


def _lock_number(organisation: str) -> int:
    return int.from_bytes(hashlib.sha256(f"herald audit\0{organisation}".encode()).digest()[:8], "big", signed=True)
