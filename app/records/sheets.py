"""Printed sheets: the short code of a version, made once and never changed.

Finding takes a Reading, appending a Transaction: `Sheets(reading)`, `SheetWriting(transaction)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select

from app.records import board_tables as b
from app.records import tables as t
from app.records.ids import new_id
from app.records.inserts import insert_unless_there
from app.records.queries import Reading
from app.records.writing import Transaction


@dataclass(frozen=True, slots=True)
class PrintedSheet:
    """A sheet's code, and the version of the result that it shows. created_at: when the code was made."""

    code: str
    result_id: str
    version_id: str
    version: int
    created_at: datetime


class Sheets:
    """What can be found of sheets."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def by_code(self, code: str) -> PrintedSheet | None:
        """The sheet with a code, or None."""
        return self._one(b.sheet.c.code == code)

    def of_version(self, version_id: str) -> PrintedSheet | None:
        """The sheet of a version, or None where none was made."""
        return self._one(b.sheet.c.version_id == version_id)

    def _one(self, condition: ColumnElement[bool]) -> PrintedSheet | None:
        sheet, version = b.sheet.c, t.result_version.c
        query = (
            select(sheet.code, version.result_id, sheet.version_id, version.number, sheet.created_at)
            .join(t.result_version, and_(version.organisation == sheet.organisation, version.id == sheet.version_id))
            .where(self._reading.own(b.sheet), condition)
        )
        row = self._reading.connection.execute(query).first()
        return None if row is None else PrintedSheet(*row)


class SheetWriting(Sheets):
    """Appending sheets."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self._transaction = transaction

    def append(self, version_id: str, make_code: Callable[[], str]) -> tuple[PrintedSheet, bool]:
        """The sheet of a version, and whether it is new; a version has one code for ever. make_code: a random code."""
        while True:
            if (there := self.of_version(version_id)) is not None:
                return there, False
            tx = self._transaction
            names = {"organisation": tx.organisation, "id": new_id(), "version_id": version_id}
            row = {**names, "code": make_code(), "created_at": tx.now}
            if insert_unless_there(tx.connection, b.sheet, row):
                tx.cover(b.sheet, row)
                made = self.of_version(version_id)
                assert made is not None
                return made, True
