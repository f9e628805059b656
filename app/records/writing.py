"""Appending: verbs that add rows to one organisation's records, all or none. There is no update and no delete."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.records import tables as t
from app.records.audit import Line, append_lines, row_digest
from app.records.columns import utf8
from app.records.errors import Busy, Duplicate, IdentityConflict, Stale, Unaudited, Unfinished
from app.records.ids import new_id
from app.records.inserts import insert, insert_unless_there
from app.records.patients import PatientWriting
from app.records.queries import Reading
from app.records.rows import (
    Act,
    Claim,
    Classification,
    ClosingCause,
    DeliveryState,
    Identity,
    NewAct,
    NewClassification,
    NewStep,
    NewVersion,
    Outgoing,
    Step,
    StoredAnswer,
    Version,
    columns_of,
)

KEY_KEPT = timedelta(hours=24)  # how long an idempotency key answers again; documented in the API
_LOCK_NOT_AVAILABLE = "55P03"


class Transaction(PatientWriting, Reading):
    """One use case's records. now: the moment that all its rows bear. Errors leave nothing of it behind."""

    def __init__(self, connection: Connection, organisation: str, now: datetime) -> None:
        super().__init__(connection, organisation)
        self.now = now
        self._records: list[tuple[str, str, str]] = []
        self._lines: list[Line] = []
        self._later: dict[str, list[dict[str, Any]]] | None = None
        self._unfinished: str | None = None  # the key claimed and not completed yet
        self._kept_until = now

    def defer(self) -> None:
        """From now on rows are appended together at the end: no find sees them, and a rival's commit ends in Busy."""
        self._later = {}

    # ---- patients

    def append_patient(self) -> str:
        """A new patient without an identifier; its id."""
        return self._append(t.patient, created_at=self.now)

    def append_identity(self, patient_id: str, identity: Identity) -> None:
        """An identifier that is known to be nobody's."""
        values = {"patient_id": patient_id, "system": identity.system, "value": identity.value}
        self._append(t.patient_identity, **values, created_at=self.now)

    def find_or_append_patient(self, identities: Iterable[Identity]) -> str:
        """The id of the patient with these identifiers; those not known yet are added to it. None: a new patient.

        Raises IdentityConflict when they belong to several patients.
        """
        wanted = sorted(set(identities), key=lambda i: (i.system, i.value))
        while True:
            known = self._owners(wanted)
            owners = tuple(sorted(set(known.values())))
            if len(owners) > 1:
                raise IdentityConflict(owners)
            if owners and len(known) == len(wanted):
                return owners[0]
            before = len(self._records)
            nested = self.connection.begin_nested()
            patient_id = owners[0] if owners else self._append(t.patient, created_at=self.now)
            if all(self._append_identity(patient_id, identity) for identity in wanted if identity not in known):
                nested.commit()
                return patient_id
            nested.rollback()  # another transaction was first with one of them: see whose it is
            del self._records[before:]

    def _append_identity(self, patient_id: str, identity: Identity) -> bool:
        values = {"patient_id": patient_id, "system": identity.system, "value": identity.value}
        return self._append_unless_there(t.patient_identity, **values, created_at=self.now) is not None

    # ---- results

    def append_result(self, patient_id: str, new: NewVersion, *, join_key: str | None = None) -> Version:
        """A new result with its first version. join_key: where split reports of one specimen must meet, unique.

        Raises Duplicate(existing_id=result id) when the join key is taken; BrokenReference for an unknown patient.
        """
        values = {"patient_id": patient_id, "join_key": join_key, "created_at": self.now}
        if join_key is None:
            result_id = self._append(t.result, **values)
        else:
            appended = self._append_unless_there(t.result, **values)
            if appended is None:
                there = select(t.result.c.id).where(self.own(t.result), t.result.c.join_key == join_key)
                raise Duplicate("result", self.connection.execute(there).scalar_one())
            result_id = appended
        version = self._version(result_id, 1, None, new)
        self._append(t.result_version, **columns_of(version))
        return version

    def append_version(self, result_id: str, expected_version: int, new: NewVersion) -> Version:
        """The version after expected_version (1, 2, ...). Raises NotFound, or Stale when someone was first."""
        replaced_id, current = self._newest(result_id)
        if current != expected_version:
            raise Stale(result_id, expected_version, current)
        version = self._version(result_id, current + 1, replaced_id, new)
        if self._append_unless_there(t.result_version, **columns_of(version)) is None:
            raise Stale(result_id, expected_version, self._newest(result_id)[1])
        return version

    def append_version_after(self, newest: Version, new: NewVersion) -> Version:
        """The version after the newest, read in this transaction. Raises Stale when someone was first."""
        version = self._version(newest.result_id, newest.number + 1, newest.id, new)
        if self._append_unless_there(t.result_version, **columns_of(version)) is None:
            raise Stale(newest.result_id, newest.number, self._newest(newest.result_id)[1])
        return version

    def append_classification(self, version_id: str, new: NewClassification) -> Classification:
        """An answer to a version. Raises Duplicate when the version already has its current one."""
        stored = Classification(id=new_id(), version_id=version_id, created_at=self.now, **columns_of(new))
        if self._append_unless_there(t.classification, **columns_of(stored)) is None:
            raise Duplicate("current classification of version", version_id)
        return stored

    def append_act(self, version_id: str, new: NewAct) -> Act:
        """What a person did to a version, recorded now."""
        stored = Act(id=new_id(), version_id=version_id, recorded_at=self.now, **columns_of(new))
        self._append(t.act, **columns_of(stored))
        return stored

    # ---- open steps

    def append_open_steps(self, result_id: str, version_id: str, steps: Iterable[NewStep]) -> tuple[Step, ...]:
        """What the answer to a version waits for; a step named twice is one step."""
        appended = []
        for step in {s.awaited: s for s in steps}.values():
            values = {"result_id": result_id, "version_id": version_id, **columns_of(step), "created_at": self.now}
            appended.append(Step(id=self._append(t.open_step, **values), **values))
        return tuple(appended)

    def close_steps(
        self,
        result_id: str,
        cause: ClosingCause,
        *,
        by_version_id: str | None = None,
        by_act_id: str | None = None,
        reason: str | None = None,
        awaited: Collection[str] | None = None,
        steps: Collection[str] | None = None,
    ) -> tuple[str, ...]:
        """Close open steps of a result: those of earlier versions than by_version_id, where that is given.

        awaited, steps: only those codes, only those ids. Answers the ids closed; one closed already is left as it is.
        """
        closed = []
        for step in self.open_steps_of(result_id):
            chosen = (awaited is None or step.awaited in awaited) and (steps is None or step.id in steps)
            if not chosen or step.version_id == by_version_id:
                continue
            values = {"step_id": step.id, "cause": cause, "by_version_id": by_version_id, "by_act_id": by_act_id}
            if self._append_unless_there(t.open_step_closing, **values, reason=reason, closed_at=self.now):
                closed.append(step.id)
        return tuple(closed)

    # ---- idempotency

    def claim_idempotency(
        self, key: str, method_path: str, body_digest: str, *, kept: timedelta = KEY_KEPT, wait_ms: int | None = None
    ) -> Claim:
        """Take a key for this transaction, as its first deed; a transaction that took it must complete it.

        The unique key decides: a second claimant waits for the first to commit (then: replay or conflict) or to fail
        (then: new), on PostgreSQL at most wait_ms, by default as long as for any lock, and is then told in_progress.
        On SQLite writers queue before they begin.
        """
        row: dict[str, Any] = {"organisation": self.organisation, "key": key}
        row |= {"method_path": method_path, "body_digest": body_digest}
        row |= {"created_at": self.now, "expires_at": self.now + kept}
        first = None
        for _ in range(2):
            new = self._claim(row, wait_ms)
            if new is None:
                return Claim("in_progress")
            if new:
                self._unfinished, self._kept_until = key, self.now + kept
                return Claim("new")
            query = select(t.idempotency).where(self.own(t.idempotency), t.idempotency.c.key == key)
            first = self.connection.execute(query).first()
            if first is not None and (first.expires_at > self.now or not self.expire_idempotency()):
                break
        if first is None or self._unfinished == key:
            return Claim("in_progress")
        if (first.method_path, first.body_digest) != (method_path, body_digest):
            return Claim("conflict")
        answer = t.idempotency_answer
        stored = self.connection.execute(select(answer).where(self.own(answer), answer.c.key == key)).one()
        erased = stored.body is None or stored.headers is None
        return Claim("replay", None if erased else StoredAnswer(stored.http_status, stored.headers, stored.body))

    def _claim(self, row: dict[str, Any], wait_ms: int | None) -> bool | None:
        """Whether the key was free; None when its holder took too long."""
        if self.connection.dialect.name != "postgresql":
            return insert_unless_there(self.connection, t.idempotency, row)
        nested = self.connection.begin_nested()  # a wait that runs out spoils what it is in
        try:
            if wait_ms is not None:
                self.connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait_ms)}")
            new = insert_unless_there(self.connection, t.idempotency, row)
        except OperationalError as error:
            nested.rollback()
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            return None
        nested.commit()
        return new

    def complete_idempotency(self, key: str, answer: StoredAnswer) -> None:
        """Keep the answer of the key that this transaction claimed."""
        if self._unfinished != key:
            raise Unfinished(f"key {key!r} was not claimed in this transaction")
        row = {"organisation": self.organisation, "key": key, "expires_at": self._kept_until, **columns_of(answer)}
        insert(self.connection, t.idempotency_answer, [row])
        self._unfinished = None

    def expire_idempotency(self) -> int:
        """Forget keys whose time is over, by the database's own clock; how many."""
        if self.connection.dialect.name == "postgresql":
            expire = select(func.herald_expire_idempotency(self.organisation))
            return int(self.connection.execute(expire).scalar_one())
        past = "organisation = :whose AND expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        for table in ("idempotency_answer", "idempotency"):
            gone = self.connection.execute(text(f"DELETE FROM {table} WHERE {past}"), {"whose": self.organisation})  # noqa: S608
        return gone.rowcount

    # ---- audit and messages

    def append_audit(self, kind: str, content: Mapping[str, Any]) -> None:
        """A line of the audit chain, chained when the transaction commits; content: what JSON can say.

        The last line of a transaction covers all rows that the transaction appends.
        """
        self._lines.append(Line(kind, content))

    def append_message_state(
        self,
        message_id: str,
        number: int,
        state: str,
        *,
        step: str | None = None,
        detail: str | None = None,
        person_name: str | None = None,
        version_id: str | None = None,
    ) -> bool:
        """What became of a message, as its fact 1, 2, ...; False when another was first with that number."""
        facts = {"message_id": message_id, "number": number, "state": state, "step": step, "detail": detail}
        facts |= {"person_name": person_name, "version_id": version_id, "created_at": self.now}
        return self._append_unless_there(t.inbox_state, **facts) is not None

    def append_outbox(self, topic: str, payload: str, *, version_id: str | None = None) -> Outgoing:
        """A line to deliver once the transaction has committed."""
        stored = Outgoing(new_id(), topic, version_id, payload, self.now)
        self._append(t.outbox, **columns_of(stored))
        return stored

    def append_delivery(
        self,
        outbox_id: str,
        destination: str,
        attempt: int,
        state: DeliveryState,
        *,
        detail: str | None = None,
        next_attempt_at: datetime | None = None,
    ) -> bool:
        """What became of attempt 1, 2, ... to deliver. False when it is said already: a rival has that attempt."""
        facts = {"outbox_id": outbox_id, "destination": destination, "attempt": attempt, "state": state}
        facts |= {"detail": detail, "next_attempt_at": next_attempt_at, "created_at": self.now}
        return self._append_unless_there(t.outbox_delivery, **facts) is not None

    # ---- the end

    def finish(self) -> None:
        """Chain the audit lines; the store calls it just before the commit. Raises Unaudited, Unfinished."""
        if self._unfinished is not None:
            raise Unfinished(f"key {self._unfinished!r} was claimed and has no answer")
        if self._later:
            self._append_deferred()
        if self._records and not self._lines:
            raise Unaudited(f"{len(self._records)} rows were appended and no audit line")
        if self._lines:
            last = self._lines[-1]
            self._lines[-1] = Line(last.kind, last.content, tuple(self._records))
            append_lines(self.connection, self.organisation, self._lines, self.now)

    # ---- rows

    def _version(self, result_id: str, number: int, replaces_id: str | None, new: NewVersion) -> Version:
        digest = hashlib.sha256(utf8(new.document)).hexdigest()
        return Version(
            id=new_id(),
            result_id=result_id,
            number=number,
            replaces_id=replaces_id,
            digest=digest,
            created_at=self.now,
            **columns_of(new),
        )

    def _append_deferred(self) -> None:
        later, self._later = self._later or {}, None
        try:
            for table in t.metadata.sorted_tables:
                if rows := later.get(table.name):
                    insert(self.connection, table, rows)
        except IntegrityError as error:
            raise Busy("another transaction was first with one of these rows") from error

    def _append(self, table: Table, **values: Any) -> str:
        row = self._row(values)
        if self._later is not None:
            self._later.setdefault(table.name, []).append(row)
            return self.cover(table, row)
        insert(self.connection, table, [row])
        return self.cover(table, row)

    def _append_unless_there(self, table: Table, **values: Any) -> str | None:
        """The id, or None when a unique constraint says that another row was first."""
        if self._later is not None:
            return self._append(table, **values)
        row = self._row(values)
        return self.cover(table, row) if insert_unless_there(self.connection, table, row) else None

    def _row(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"organisation": self.organisation, "id": values.pop("id", None) or new_id(), **values}

    def append_row(self, table: Table, **values: Any) -> str:
        """For the other modules of this room: a row of a table, its id."""
        return self._append(table, **values)

    def append_fact(self, table: Table, **values: Any) -> str:
        """The same for a row whose number another transaction may have taken. Raises Busy: read again and retry."""
        appended = self._append_unless_there(table, **values)
        if appended is None:
            raise Busy("another transaction was first with this number")
        return appended

    def cover(self, table: Table, row: dict[str, Any]) -> str:
        """The audit line of this transaction is to cover the row; its id."""
        self._records.append((table.name, row["id"], row_digest(row)))
        return str(row["id"])
