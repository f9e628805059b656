"""Settings, read from the environment once, by app.main and app.cli only. `python -m app.settings` prints the table."""

from __future__ import annotations

import sys

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting of Herald; the environment variable is HERALD_ and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix="HERALD_", extra="ignore", frozen=True)

    database_url: str = Field(
        "sqlite:///var/herald.sqlite3",
        description="Where results are kept: sqlite:///file or postgresql://user:password@host/database. "
        "Always the primary: decisions never read a replica.",
    )
    organisation: str = Field("default", min_length=1, description="The organisation that this process serves.")
    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told otherwise.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, description="Processes to serve with. More than one needs PostgreSQL.")
    migrate_on_start: bool = Field(True, description="Bring the schema up to date before serving.")
    log_level: str = Field("info", description="debug, info, warning or error.")
    log_format: str = Field("json", pattern="^(json|console)$", description="json or console.")
    idempotency_days: int = Field(30, ge=1, description="Days that an Idempotency-Key is remembered.")
    step_due_days: int = Field(14, ge=1, description="Days until an open step is due.")
    sign_off: bool = Field(
        True, description="Whether the laboratory confirms answers by sign-off; off: answers say so instead."
    )
    evidence_packs: str = Field(
        "",
        description="Folders of a hospital's own evidence packs, separated by `:` (`;` on Windows). "
        "GET and POST /considerations show each beside the review, apart and by its source.",
    )
    feeds: str = Field(
        "", description="Folder of feed files (TOML), one per sender: what its codes and words mean (docs/feeds.md)."
    )
    body_limit: int = Field(1_000_000, ge=1_000, description="Largest request body in bytes; larger is answered 413.")
    import_limit: int = Field(50_000_000, ge=1_000, description="The same for a file sent to POST /imports.")


def table() -> str:
    """The settings as a Markdown table."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `HERALD_{name.upper()}` | `{field.default}` | {field.description} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
