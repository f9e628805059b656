"""Runs the revisions on the connection it is handed, else on the url of its configuration (or -x url=...)."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from app.records.engine import make_engine, migration_connection, store_url
from app.records.tables import metadata

config = context.config


def run(connection: Connection) -> None:
    """All revisions in one transaction: a migration that fails half way leaves the schema as it was."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def configured_url() -> str:
    url = context.get_x_argument(as_dictionary=True).get("url") or config.get_main_option("sqlalchemy.url")
    if not url:
        raise ValueError("no database named: sqlalchemy.url in alembic.ini, or -x url=...")
    return url


if context.is_offline_mode():
    context.configure(url=store_url(configured_url()), target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif (given := config.attributes.get("connection")) is not None:
    run(given)
else:
    engine = make_engine(configured_url())
    try:
        with migration_connection(engine) as made:
            run(made)
    finally:
        engine.dispose()
