"""What a process opens before it can work: the migrated store and its organisation."""

from __future__ import annotations

import os
from pathlib import Path

from app.records import migrate, open_store
from app.records.errors import RecordsError
from app.services.packs import own_pack
from app.services.reporting import Context


def open_context(
    database_url: str,
    organisation: str,
    *,
    migrate_first: bool = True,
    idempotency_days: int = 30,
    step_due_days: int = 14,
    sign_off: bool = True,
    evidence_packs: str = "",
) -> Context:
    """Migrate where told, open the store, make the organisation known, read the hospital's own packs.

    Raises PackProblems, before anything is opened, for a pack that does not hold.
    """
    packs = tuple(own_pack(Path(folder)) for folder in evidence_packs.split(os.pathsep) if folder)
    if migrate_first:
        migrate(database_url)
    store = open_store(database_url)
    store.append_organisation(organisation)
    return Context(store, organisation, idempotency_days, step_due_days, sign_off, packs)


def ready(context: Context) -> bool:
    """Is the database reached and migrated?"""
    try:
        return context.store.ping() is not None
    except RecordsError:
        return False
