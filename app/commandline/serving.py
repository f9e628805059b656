"""herald serve, migrate and openapi: the commands around the server."""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from app.commandline.settings import read_settings
from app.commandline.store import opened
from app.commandline.terminal import console, fail


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback unless told otherwise.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; more than one needs PostgreSQL.")] = None,
) -> None:
    """Bring the schema up to date and serve the API."""
    import uvicorn

    from app.web.smart.servers import Servers

    settings = read_settings()
    host, port, workers = host or settings.host, port or settings.port, workers or settings.workers
    if workers > 1 and settings.database_url.startswith("sqlite"):
        fail("more than one worker needs PostgreSQL", "set HERALD_DATABASE_URL, or serve with one worker")
    if settings.smart_servers is not None:
        try:
            Servers(settings.smart_servers)
        except ValueError as error:
            fail(str(error), "see docs/smart.md")
    with opened(settings, settings.organisation, migrate_first=settings.migrate_on_start):
        pass
    # Migrated once, here: the workers need not do it again.
    os.environ["HERALD_MIGRATE_ON_START"] = "false"
    os.environ["HERALD_WORKERS"] = str(workers)
    # Who may call without a token depends on the address.
    os.environ["HERALD_HOST"] = host
    told = console(stderr=True)
    told.print(Text(f"Herald serves {settings.organisation} on http://{_address(host)}:{port} (Ctrl-C stops it)"))
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        server_header=False,
        log_level="warning",
    )


def _address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def migrate() -> None:
    """Bring the schema of the configured database up to date."""
    settings = read_settings()
    with opened(settings, settings.organisation, migrate_first=True):
        console().print(Text(f"The schema is up to date; the organisation {settings.organisation} is known."))


def openapi(
    check: Annotated[Path | None, typer.Option(help="Compare with this file; exit code 1 where it differs.")] = None,
) -> None:
    """Print the API's contract (OpenAPI) as JSON, keys sorted."""
    from app.main import create_app

    contract = json.dumps(create_app().openapi(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    if check is None:
        typer.echo(contract, nl=False)
        return
    try:
        kept = check.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{check} can't be read: {error}")
    if kept != contract:
        changed = difflib.unified_diff(kept.splitlines(), contract.splitlines(), str(check), "this program", "", "", 1)
        for line in list(changed)[:40]:
            typer.echo(line, err=True)
        fail(f"{check} is not the contract of this program", "herald openapi > FILE writes it anew", code=1)
    console().print(Text(f"{check} is current"))
