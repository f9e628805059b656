"""The store for a command: opened, migrated where told, and closed again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from app.commandline.terminal import fail
from app.services.packs import PackProblems
from app.services.process import open_context
from app.services.reporting import Context
from app.settings import Settings


@contextlib.contextmanager
def opened(settings: Settings, organisation: str, *, migrate_first: bool) -> Iterator[Context]:
    """What a use case needs, on the configured database."""
    try:
        context = open_context(
            settings.database_url,
            organisation,
            migrate_first=migrate_first,
            idempotency_days=settings.idempotency_days,
            step_due_days=settings.step_due_days,
            sign_off=settings.sign_off,
            evidence_packs=settings.evidence_packs,
        )
    except PackProblems as error:
        fail(f"an evidence pack does not hold: {error.problems[0]}", "run herald evidence check FOLDER", code=1)
    except Exception as error:
        # Whatever it was, the person at the keyboard needs one line, and no password in it.
        kind = settings.database_url.partition(":")[0]
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        fail(f"the {kind} database can't be opened: {reason}", "check HERALD_DATABASE_URL", code=1)
    try:
        yield context
    finally:
        context.store.close()
