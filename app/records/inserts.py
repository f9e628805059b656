"""INSERT statements made once per table: a result takes nine, and building each anew cost more than running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.exc import IntegrityError

_TAKEN = {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_TRIGGER"}


@dataclass(frozen=True, slots=True)
class _Prepared:
    sql: str
    sql_unless_there: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    positional: bool

    def parameters(self, row: Mapping[str, Any]) -> Any:
        bound = [(n, v if make is None else make(v)) for n, make in self.columns for v in (row.get(n),)]
        return tuple(v for _, v in bound) if self.positional else dict(bound)


_prepared: dict[tuple[str, str], _Prepared] = {}


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows; a column that a row lacks is null."""
    prepared = _of(table, connection.dialect)
    parameters = [prepared.parameters(row) for row in rows]
    connection.exec_driver_sql(prepared.sql, parameters if len(rows) > 1 else parameters[0])


def insert_unless_there(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Append a row, or answer False because a unique constraint says that another was first."""
    prepared = _of(table, connection.dialect)
    if connection.dialect.name == "postgresql":
        # waits for a rival that has not committed yet, and takes its commit as the answer
        return connection.exec_driver_sql(prepared.sql_unless_there, prepared.parameters(row)).first() is not None
    try:
        connection.exec_driver_sql(prepared.sql, prepared.parameters(row))
    except IntegrityError as error:  # SQLite undoes the statement only, the transaction goes on
        if getattr(error.orig, "sqlite_errorname", None) not in _TAKEN:
            raise
        return False
    return True


def insert_all_unless_there(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Append the rows whose unique keys are free; the ids of those appended."""
    if connection.dialect.name != "postgresql" or len(rows) == 1:
        return {row["id"] for row in rows if insert_unless_there(connection, table, row)}
    wanted = insert_postgresql(table).on_conflict_do_nothing().returning(table.c.id)
    return set(connection.execute(wanted, rows).scalars())


def _of(table: Table, dialect: Dialect) -> _Prepared:
    known = _prepared.get((table.name, dialect.name))
    if known is not None:
        return known
    names = [c.name for c in table.columns]
    unless = insert_postgresql(table).on_conflict_do_nothing().returning(table.c.organisation)
    sql = str(table.insert().compile(dialect=dialect, column_keys=names))
    made = _Prepared(
        sql,
        str(unless.compile(dialect=dialect, column_keys=names)) if dialect.name == "postgresql" else sql,
        tuple((c.name, c.type.dialect_impl(dialect).bind_processor(dialect)) for c in table.columns),
        dialect.positional,
    )
    return _prepared.setdefault((table.name, dialect.name), made)
