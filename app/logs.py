"""Structured logs by allow-list: a field that is not named here is never written."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Nothing here can hold an identifier, a name, a free text or a value that was sent.
ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "method", "route", "status", "milliseconds", "request_id", "kind", "count",
        "version", "revision", "address", "organisation", "error", "where",
    }
)  # fmt: skip


def _allow(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in ALLOWED}


def configure(level: str, style: str) -> None:
    """Log to standard error, as JSON lines or for a console."""
    threshold = {"debug": 10, "info": 20, "warning": 30, "error": 40}.get(level.lower(), 20)
    renderer: Any = structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allow,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Uvicorn's own lines name paths and addresses; ours say what is needed.
    logging.getLogger("uvicorn.access").disabled = True
    # The first two name the address of each call, and with it the patient asked for; the third the letters of a text
    # that its font lacks.
    for name, level_of in (("httpx", logging.WARNING), ("httpcore", logging.WARNING), ("fpdf", logging.ERROR)):
        logging.getLogger(name).setLevel(level_of)


def logger() -> Any:
    """The logger; its fields pass the allow-list."""
    return structlog.get_logger()
