"""The store: open it, and append or find inside a transaction that belongs to one organisation."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sqlalchemy import URL, Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.records import audit
from app.records import tables as t
from app.records.engine import BUSY_SECONDS, is_file_of, make_engine
from app.records.errors import BrokenReference, Busy, Unavailable, UnknownOrganisation
from app.records.queries import Reading
from app.records.rows import AuditReport
from app.records.writing import Transaction

_GIVE_WAY = {"40001", "40P01", "55P03"}  # serialisation failure, deadlock, lock not available
_FOREIGN_KEY = {"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"}
_SQLITE_BUSY = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_TIMEOUT"}


def _utc_now() -> datetime:
    return datetime.now(UTC)


def open_store(url: str | URL, *, pool_size: int = 20, clock: Callable[[], datetime] = _utc_now) -> Store:
    """A store on a migrated database. url: sqlite:///file or postgresql://...; raises ValueError for another.

    clock: answers the moment that a transaction's rows bear; aware.
    """
    return Store(make_engine(url, pool_size=pool_size), clock)


class Store:
    """Shared by all threads of a process; holds connections and nothing of the records."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = _utc_now) -> None:
        self._engine = engine
        self._clock = clock
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite lets one writer in and makes the others poll: threads of this process queue here instead
        self._writer = threading.Lock()
        self._known: set[str] = set()  # organisations are never removed, so what was seen stays true

    def append_organisation(self, organisation: str, title: str = "") -> None:
        """Make an organisation known; does nothing when it is."""
        row = {"organisation": organisation, "title": title, "created_at": self._clock()}
        make = insert_sqlite if self._is_sqlite else insert_postgresql
        with self._writing() as connection:
            there = select(t.organisation.c.organisation).where(t.organisation.c.organisation == organisation)
            # the search only spares SQLite's trigger a refusal; writers there are one at a time
            if connection.execute(there).first() is None:
                connection.execute(make(t.organisation).on_conflict_do_nothing(), row)

    @contextlib.contextmanager
    def transaction(self, organisation: str) -> Iterator[Transaction]:
        """Append and find, all or nothing. Once the block has ended without an error, the records are on disk.

        A thread opens one at a time: on SQLite a second inside the first would wait for it, and give up as Busy.
        Raises UnknownOrganisation, Busy (nothing stored, may be tried again), Unavailable (see there), Unaudited.
        """
        with self._writing() as connection:
            self._expect(connection, organisation)
            transaction = Transaction(connection, organisation, self._clock())
            yield transaction
            transaction.finish()

    @contextlib.contextmanager
    def reading(self, organisation: str) -> Iterator[Reading]:
        """Find only: one consistent view, and no writer waits for it. Raises UnknownOrganisation, Unavailable."""
        with self._reading() as connection:
            self._expect(connection, organisation)
            yield Reading(connection, organisation)

    def verify_audit(self, organisation: str, anchor: tuple[int, str] | None = None) -> AuditReport:
        """Check the organisation's audit chain and every record it covers.

        anchor: sequence and digest of a head noted earlier outside the database; shows a chain cut short.
        """
        with self._reading() as connection:
            self._expect(connection, organisation)
            return audit.verify(connection, organisation, anchor)

    def ping(self) -> str | None:
        """The schema's revision, None where nothing was migrated. Raises Unavailable."""
        from alembic.runtime.migration import MigrationContext

        with self._reading() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def close(self) -> None:
        """Let all connections go."""
        self._engine.dispose()

    def _expect(self, connection: Connection, organisation: str) -> None:
        if organisation in self._known:
            return
        query = select(t.organisation.c.organisation).where(t.organisation.c.organisation == organisation)
        if connection.execute(query).first() is None:
            raise UnknownOrganisation(organisation)
        self._known.add(organisation)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _translated(), self._turn(), self._engine.connect() as connection:
            with connection.begin():
                yield connection
            self._expect_file(connection)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), self._engine.connect() as connection:
            self._expect_file(connection)
            if self._is_sqlite:
                connection = connection.execution_options(herald_write=False)
            else:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def _expect_file(self, connection: Connection) -> None:
        if self._is_sqlite and not is_file_of(connection):
            connection.invalidate()  # the next one opens what stands there then
            raise Unavailable("the SQLite file was removed or replaced")

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._is_sqlite:
            yield
            return
        if not self._writer.acquire(timeout=BUSY_SECONDS):
            raise Busy("other writers of this process took too long")
        try:
            yield
        finally:
            self._writer.release()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The driver's errors in this room's words; errors of our own making pass."""
    try:
        yield
    except IntegrityError as error:
        if _FOREIGN_KEY & {getattr(error.orig, "sqlstate", None), getattr(error.orig, "sqlite_errorname", None)}:
            raise BrokenReference("a record refers to one that is not there") from error
        raise
    except PoolTimeout as error:
        raise Busy("no connection was free in time") from error
    except (OperationalError, InterfaceError) as error:
        if getattr(error.orig, "sqlstate", None) in _GIVE_WAY:
            raise Busy("gave way to another transaction") from error
        if getattr(error.orig, "sqlite_errorname", None) in _SQLITE_BUSY:
            raise Busy("the SQLite file is locked by another process") from error
        raise Unavailable("the database can't be reached or can't write") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("the connection was lost") from error
        raise
