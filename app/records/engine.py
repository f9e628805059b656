"""Connections: made durable and checked on both databases; migrations, one process at a time."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text

from app.records.errors import Busy
from app.records.tables import metadata

BUSY_SECONDS = 30.0  # the longest wait for SQLite's one writer
LOCK_WAIT_MS = 10_000  # the longest wait for a row or a lock of PostgreSQL
_MIGRATION_LOCK = 0x4865_7261_6C64  # "Herald": the advisory lock that migrating processes queue for
# written by the procedure of erasure alone, which its owner runs
_NOT_FOR_THE_APPLICATION = {"erasure", "erasure_item"}


def store_url(url: str | URL) -> URL:
    """The url with its driver. Raises ValueError for what can't hold records: a memory, a replica, another database."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or "mode=memory" in str(parsed):
            raise ValueError("records need a file: sqlite:///path/to/herald.sqlite3")
        return parsed.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        # a decision read from a replica may be stale: idempotency, If-Match, chain heads
        if parsed.query.get("target_session_attrs", "read-write") not in ("read-write", "primary"):
            raise ValueError("records read the primary only: target_session_attrs must be read-write or primary")
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"records are kept in SQLite or PostgreSQL, not in {backend}")


def make_engine(url: str | URL, *, pool_size: int = 20) -> Engine:
    """An engine whose commits are on disk when they return. pool_size: connections kept; as many again on demand."""
    parsed = store_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database is not None
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed, pool_size=pool_size, max_overflow=pool_size, connect_args={"timeout": BUSY_SECONDS}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    arguments = {} if "target_session_attrs" in parsed.query else {"target_session_attrs": "read-write"}
    engine = create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args=arguments,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin for us: _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")  # NORMAL may lose the last commits when the power fails
    cursor.execute("PRAGMA fullfsync = ON")  # macOS: through the disk's own cache
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA recursive_triggers = ON")  # so that REPLACE meets the triggers that refuse DELETE
    path = cursor.execute("PRAGMA database_list").fetchone()[2]
    cursor.close()
    record.info["file"] = (path, _identity(path))


def _identity(path: str) -> tuple[int, int] | None:
    """What tells a file from another under the same name; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_file_of(connection: Connection) -> bool:
    """Does the SQLite file that a connection holds open still stand under its name?

    An open file goes on answering after it was deleted, and nobody would find what it is given.
    """
    path, identity = connection.info["file"]
    return identity is not None and _identity(path) == identity


def _use_wal(cursor: Any) -> None:
    """The switch to WAL needs the file alone for an instant and does not heed busy_timeout."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        with contextlib.suppress(Exception):
            if cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                return
        if time.monotonic() > deadline:
            raise Busy("the SQLite file can't be switched to WAL")
        time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    # a writer takes the lock at once: a reader that turns writer half way can only fail
    writes = connection.get_execution_options().get("herald_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, record: object) -> None:
    before = connection.autocommit
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone()[0] in ("off", "local"):  # stronger settings of the server stay
            cursor.execute("SET synchronous_commit TO on")
        cursor.execute("SET timezone TO 'UTC'")
        cursor.execute(f"SET lock_timeout TO {LOCK_WAIT_MS}")
    connection.autocommit = before


@contextlib.contextmanager
def migration_connection(engine: Engine) -> Iterator[Connection]:
    """One transaction in which a migration runs; other processes that migrate wait until it has ended."""
    with engine.connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # a migration may take longer than a request
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
        yield connection


def migrate(url: str | URL, revision: str = "head") -> None:
    """Bring the schema up to a revision. Safe when several processes start at once; does nothing when it is there."""
    from alembic import command  # slow to import, and only migrating needs it

    engine = make_engine(url)
    try:
        with migration_connection(engine) as connection:
            command.upgrade(alembic_config(connection), revision)
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> Any:
    """Alembic's configuration for an open connection; migrations/ lies beside app/, installed or not."""
    from alembic.config import Config

    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).resolve().parents[2] / "migrations").replace("%", "%%")
    )
    config.attributes["connection"] = connection
    return config


def grant_application_role(url: str | URL, role: str) -> None:
    """Let a role of PostgreSQL run Herald and own nothing: it may read and append, and expire idempotency keys.

    Run by the owner of the tables, after each migration. UPDATE, DELETE and TRUNCATE are revoked, and the tables of
    erasure are closed to it. Raises ValueError on SQLite, which has no roles.
    """
    engine = make_engine(url)
    try:
        with migration_connection(engine) as connection:
            if connection.dialect.name != "postgresql":
                raise ValueError("SQLite has no roles: there the triggers stand alone")
            name = connection.dialect.identifier_preparer.quote_identifier(role)
            schema = connection.dialect.identifier_preparer.quote_identifier(
                connection.execute(text("SELECT current_schema()")).scalar_one()
            )
            tables = [*metadata.tables, "alembic_version"]
            appended = [t for t in metadata.tables if t not in _NOT_FOR_THE_APPLICATION]
            for statement in (
                f"GRANT USAGE ON SCHEMA {schema} TO {name}",
                f"REVOKE CREATE ON SCHEMA {schema} FROM {name}",
                f"REVOKE ALL ON {', '.join(tables)} FROM {name}",
                f"GRANT SELECT ON {', '.join(tables)} TO {name}",
                f"GRANT INSERT ON {', '.join(appended)} TO {name}",
                f"GRANT EXECUTE ON FUNCTION herald_expire_idempotency(text) TO {name}",
            ):
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
