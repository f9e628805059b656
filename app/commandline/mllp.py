"""herald mllp: HL7 v2 over MLLP without the HTTP door, on the same settings and database."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from app.commandline.settings import read_settings
from app.commandline.terminal import console, fail

if TYPE_CHECKING:
    from fastapi import FastAPI


def mllp(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback unless told otherwise.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
) -> None:
    """Bring the schema up to date and take HL7 v2 messages over MLLP; send what is to be sent."""
    from app.main import create_app

    settings = read_settings()
    host, port = host or settings.mllp_host, port or settings.mllp_port
    if port is None:
        fail("there is no port to listen on", "set HERALD_MLLP_PORT, or give --port")
    # one process, whatever serves beside it: a port in use is then an error
    settings = settings.model_copy(update={"mllp_host": host, "mllp_port": port, "workers": 1})
    over = "MLLP over TLS" if settings.mllp_certificate else "MLLP"
    told = f"Herald takes HL7 v2 for {settings.organisation} on {host}:{port}, {over} (Ctrl-C stops it)"
    console(stderr=True).print(Text(told))
    try:
        asyncio.run(_until_stopped(create_app(settings)))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        fail(f"it can't listen on {host}:{port}: {reason}", "check the port and the files of HERALD_MLLP_*", code=1)


async def _until_stopped(app: FastAPI) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with app.router.lifespan_context(app):
        await stopped.wait()
