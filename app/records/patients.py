"""Where a patient stands: merges and unmerges in turn, the newest of a patient counts; and results that move.

Identifiers stay with the patient row that they were given to, and results with the row that they were reported for,
so an unmerge gives back what was, with what has come since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    union_all,
)

from app.records import tables as t
from app.records.errors import IdentityConflict, LinkConflict, NotFound
from app.records.ids import new_id
from app.records.rows import Decision, Identity, Link, Move, columns_of

_LINK = [t.patient_link.c[field.name] for field in fields(Link)]
_AT_ONCE = 16  # identifiers that one statement looks for


@lru_cache(maxsize=_AT_ONCE)
def _owners_of(number: int) -> Select[Any]:
    """Whose so many identifiers are. Made once: building a statement costs as much as running it."""
    identity = t.patient_identity.c
    own = identity.organisation == bindparam("organisation")
    # each by the whole of its key
    there = (
        and_(own, identity.system == bindparam(f"system_{at}"), identity.value == bindparam(f"value_{at}"))
        for at in range(number)
    )
    return select(identity.system, identity.value, identity.patient_id).where(or_(*there))


def _newest_link_of() -> Select[Any]:
    """The newest link of a patient."""
    link = t.patient_link.c
    mine = select(*_LINK).where(
        link.organisation == bindparam("organisation"), link.patient_id == bindparam("patient_id")
    )
    return mine.order_by(link.number.desc()).limit(1)


def _merged_into_of() -> Select[Any]:
    """The patients whose newest link is a merge into one of these."""
    link, newer = t.patient_link, t.patient_link.alias()
    replaced = exists().where(
        newer.c.organisation == link.c.organisation,
        newer.c.patient_id == link.c.patient_id,
        newer.c.number > link.c.number,
    )
    into = link.c.into_patient_id.in_(bindparam("patients", expanding=True))
    mine = link.c.organisation == bindparam("organisation")
    return select(link.c.patient_id).where(mine, into, link.c.kind == "merge", ~replaced).order_by(link.c.id)


def _linked_of() -> CompoundSelect[Any]:
    """A link that a patient is in, on either side: each by its index."""
    link = t.patient_link.c
    sides = (
        select(link.id).where(link.organisation == bindparam("organisation"), side == bindparam("patient_id"))
        for side in (link.patient_id, link.into_patient_id)
    )
    return union_all(*sides).limit(1)


_LINKED = _linked_of()
_NEWEST_LINK, _MERGED_INTO = _newest_link_of(), _merged_into_of()


class PatientFinding:
    """What can be found about patients and their links; a part of Reading."""

    organisation: str
    connection: Connection
    own: Callable[[FromClause], ColumnElement[bool]]

    def find_patient(self, identity: Identity) -> str | None:
        """The patient that an identifier was given to, wherever that patient stands by now; None: nobody's."""
        return self._rows_of([identity]).get(identity)

    def find_patients(self, identities: Iterable[Identity]) -> tuple[str, ...]:
        """The patients that these identifiers stand with, merges followed: none, one, or several to be merged."""
        return tuple(sorted({self.find_survivor(owner) for owner in self._owners(identities).values()}))

    def is_linked(self, patient_id: str) -> bool:
        """Was this patient ever merged into another, or another into this one?"""
        values = {"organisation": self.organisation, "patient_id": patient_id}
        return self.connection.execute(_LINKED, values).first() is not None

    def find_chain(self, patient_id: str) -> tuple[str, ...]:
        """The patient, the one it was merged into, and so on: the last is the survivor that it stands with."""
        chain = [patient_id]
        while (link := self._newest_link(chain[-1])) and link.kind == "merge" and link.into_patient_id not in chain:
            chain.append(link.into_patient_id)
        return tuple(chain)

    def find_survivor(self, patient_id: str) -> str:
        """The patient that this one stands with: itself where it is not merged."""
        return self.find_chain(patient_id)[-1]

    def find_family(self, survivor_id: str) -> tuple[str, ...]:
        """The survivor and all who were merged into it, straight or through another."""
        family = [survivor_id]
        level: Collection[str] = family
        while level:
            level = [patient_id for patient_id in self._merged_into(level) if patient_id not in family]
            family.extend(level)
        return tuple(family)

    def _owners(self, identities: Iterable[Identity]) -> dict[Identity, str]:
        """Whose each known identifier is. Several patients who stand together count as one: their survivor."""
        known = self._rows_of(identities)
        if len(set(known.values())) > 1:
            survivors = {self.find_survivor(row) for row in known.values()}
            if len(survivors) == 1:
                return dict.fromkeys(known, survivors.pop())
        return known

    def _rows_of(self, identities: Iterable[Identity]) -> dict[Identity, str]:
        asked = list(dict.fromkeys(identities))
        found: dict[Identity, str] = {}
        for some in (asked[start : start + _AT_ONCE] for start in range(0, len(asked), _AT_ONCE)):
            values: dict[str, Any] = {"organisation": self.organisation}
            for at, identity in enumerate(some):
                values[f"system_{at}"], values[f"value_{at}"] = identity.system, identity.value
            known = {row[:2]: row[2] for row in map(tuple, self.connection.execute(_owners_of(len(some)), values))}
            found |= {one: known[one.system, one.value] for one in some if (one.system, one.value) in known}
        return found

    def _newest_link(self, patient_id: str) -> Link | None:
        values = {"organisation": self.organisation, "patient_id": patient_id}
        row = self.connection.execute(_NEWEST_LINK, values).first()
        return None if row is None else Link(*row)

    def _merged_into(self, patient_ids: Collection[str]) -> list[str]:
        values = {"organisation": self.organisation, "patients": list(patient_ids)}
        return list(self.connection.execute(_MERGED_INTO, values).scalars())


class PatientWriting(PatientFinding):
    """What is decided about patients, appended; a part of Transaction."""

    now: datetime
    find_or_append_patient: Callable[[Iterable[Identity]], str]
    _append: Callable[..., str]
    _append_unless_there: Callable[..., str | None]

    def merge_patients(self, into: Iterable[Identity], given_up: Iterable[Identity], by: Decision) -> tuple[Link, ...]:
        """Merge the patients with the identifiers given up into the other; nothing where they stand together already.

        Identifiers that nobody has get a patient, so that results to come land right. One that is in both is given up.
        Raises, before anything is appended, IdentityConflict when `into` belongs to several patients, LinkConflict.
        """
        gone = set(given_up)
        stay = set(into) - gone or set(into)
        if not stay or not gone:
            return ()
        self._lock_links()
        owners = set(self._owners(stay).values())
        if len(owners) > 1:
            raise IdentityConflict(tuple(sorted(owners)))
        known = self._rows_of(gone)
        rows = set(known.values()) - owners
        apart = self._apart(rows, next(iter(owners), None))
        into_id = self.find_or_append_patient(stay)
        if unknown := gone - stay - known.keys():
            beside = [identity for identity in known if known[identity] in rows] if len(rows) == 1 else []
            row = self.find_or_append_patient([*beside, *unknown])
            apart += [] if beside else self._apart({row} - {into_id}, into_id)
        return tuple(self._append_link(row, into_id, "merge", by) for row in apart)

    def unmerge_patients(self, into_id: str, given_up_id: str, by: Decision) -> Link | None:
        """Take back that one patient was merged into the other; None where they do not stand together.

        Raises LinkConflict when they do for another reason than this merge.
        """
        self._lock_links()
        newest = self._newest_link(given_up_id)
        if newest is not None and (newest.kind, newest.into_patient_id) == ("merge", into_id):
            return self._append_link(given_up_id, into_id, "unmerge", by)
        if self.find_survivor(given_up_id) != self.find_survivor(into_id):
            return None
        if given_up_id == into_id:
            raise LinkConflict("Both identifiers were given to one patient from the start", (into_id,))
        told = f"Patient {given_up_id} stands with patient {into_id} by other merges than this one"
        raise LinkConflict(told, (given_up_id, into_id))

    def move_result(self, result_id: str, to_patient_id: str, by: Decision) -> Move | None:
        """The result goes to another patient; None where it stands there already. Raises NotFound."""
        while True:
            number, here = self._place(result_id)
            if here == to_patient_id:
                return None
            decided = columns_of(by)
            move = Move(new_id(), result_id, here, to_patient_id, number + 1, **decided, created_at=self.now)
            if self._append_unless_there(t.result_move, **columns_of(move)) is not None:
                return move

    def _place(self, result_id: str) -> tuple[int, str]:
        """How often a result has moved, and the patient that it stands with."""
        move, result = t.result_move, t.result
        here = and_(move.c.organisation == result.c.organisation, move.c.result_id == result.c.id)
        query = (
            select(func.coalesce(move.c.number, 0), func.coalesce(move.c.to_patient_id, result.c.patient_id))
            .select_from(result.outerjoin(move, here))
            .where(self.own(result), result.c.id == result_id)
            .order_by(func.coalesce(move.c.number, 0).desc())
            .limit(1)
        )
        row = self.connection.execute(query).first()
        if row is None:
            raise NotFound("result", result_id)
        return row[0], row[1]

    def _apart(self, rows: set[str], into_id: str | None) -> list[str]:
        """Which of these patients a merge has to link. Raises LinkConflict where no link may be made."""
        into = () if into_id is None else self.find_chain(into_id)
        apart = []
        for row in sorted(rows):
            if row in into:
                told = f"Patient {into_id} was itself merged into patient {row}"
                raise LinkConflict(told, (row, into[0]))
            chain = self.find_chain(row)
            if chain[-1] in into or rows & set(chain[1:]):
                continue
            if len(chain) > 1:
                raise LinkConflict(f"Patient {row} stands merged into patient {chain[1]}", (row, chain[1]))
            apart.append(row)
        return apart

    def _append_link(self, patient_id: str, into_id: str, kind: Literal["merge", "unmerge"], by: Decision) -> Link:
        newest = self._newest_link(patient_id)
        number = newest.number + 1 if newest else 1
        link = Link(new_id(), patient_id, into_id, number, kind, **columns_of(by), created_at=self.now)
        self._append(t.patient_link, **columns_of(link))
        return link

    def _lock_links(self) -> None:
        """One at a time: two merges in opposite directions break no unique constraint and would make a circle."""
        if self.connection.dialect.name == "postgresql":
            digest = hashlib.sha256(f"herald patients\0{self.organisation}".encode()).digest()
            number = int.from_bytes(digest[:8], "big", signed=True)
            self.connection.execute(select(func.pg_advisory_xact_lock(number)))
