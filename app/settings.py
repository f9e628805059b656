"""Settings, read from the environment once, by app.main and app.cli only. `python -m app.settings` prints the table."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import AwareDatetime, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.services.webhook_targets import BadTarget, Targets

_SHORTEST_KEY = 32


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
    mllp_host: str = Field("127.0.0.1", description="Address to listen on for HL7 v2 over MLLP.")
    mllp_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port to listen on for HL7 v2 over MLLP; without it there is no listener. "
        "Of several workers one listens.",
    )
    mllp_certificate: Path | None = Field(None, description="Certificate chain (PEM): MLLP is then over TLS only.")
    mllp_key: Path | None = Field(None, description="Private key (PEM) of the certificate.")
    mllp_client_ca: Path | None = Field(
        None, description="CA (PEM): only senders with a certificate that it signed are heard. Needs a certificate."
    )
    mllp_connections: int = Field(256, ge=1, description="MLLP connections at once; further ones are closed.")
    mllp_idle_seconds: float = Field(
        3600, ge=0, description="Seconds of silence until a connection is closed; 0: never."
    )
    mllp_frame_seconds: float = Field(30, gt=0, description="Seconds in which a message has to arrive once it began.")
    mllp_frame_bytes: int = Field(
        16_777_216, ge=1_000, description="Largest message over MLLP in bytes; larger is answered AR."
    )
    oru_receiver: str = Field(
        "",
        pattern=r"^([^:\s]+:[0-9]{1,5}|\[[0-9A-Fa-f:]+\]:[0-9]{1,5})?$",
        description="host:port of the LIS that gets each classification as ORU^R01 over MLLP; else nothing is sent.",
    )
    oru_names: str = Field(
        "LIS|", pattern=r"^[^|]*\|[^|]*$", description="MSH-5 and MSH-6 of what is sent there, as APPLICATION|FACILITY."
    )
    oru_own_names: str = Field(
        "HERALD|", pattern=r"^[^|]*\|[^|]*$", description="MSH-3 and MSH-4 of what is sent there."
    )
    oru_ca: Path | None = Field(
        None,
        description="CA (PEM) of the receiver: sending is then over TLS, with the MLLP certificate as our own if set.",
    )
    oru_seconds: float = Field(30, gt=0, description="Seconds that the receiver has to answer.")
    oru_since: AwareDatetime | None = Field(
        None,
        description="What was recorded before this moment (with offset) is not sent; else all that is on record is.",
    )
    delivery_days: float = Field(
        5,
        gt=0,
        description="Days for which sending is tried again; then the message is parked, with an alarm in the log.",
    )
    feeds: str = Field(
        "", description="Folder of feed files (TOML), one per sender: what its codes and words mean (docs/feeds.md)."
    )
    base_url: str = Field(
        "",
        pattern=r"^(https?://[^/\s]+)?$",
        description="The address by which others reach this service, such as https://herald.example.org: links in "
        "cards, sheets and webhooks begin with it. Empty: the address of the request.",
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may call the API and the CDS service from a browser, separated by spaces, "
        "such as https://ehr.example.org. Empty: none.",
    )
    frame_ancestors: str = Field(
        "",
        pattern=r"^[^;,\r\n]*$",
        description="Origins whose pages may hold /embed pages in a frame, separated by spaces. Empty: none.",
    )
    fhir_servers: str = Field(
        "",
        description="Base URLs of the FHIR servers of EHRs that may be read from, separated by spaces, such as "
        "https://ehr.example.org/fhir/r4 (docs/ehr-security.md). Empty: none.",
    )
    fhir_seconds: float = Field(
        0.35, gt=0, description="Seconds in which all reads for one CDS answer have to come; what did not is left out."
    )
    fhir_ca: Path | None = Field(
        None, description="CA (PEM) of those servers and of the keys of CDS clients; else the usual authorities."
    )
    cds_clients: Path | None = Field(
        None,
        description="File (TOML) of the EHRs that may call the CDS services, with their keys (docs/ehr-security.md). "
        "Without it they are open on loopback and closed elsewhere. Needs HERALD_BASE_URL.",
    )
    smart_servers: Path | None = Field(
        None,
        description="File (TOML) of the FHIR servers that may launch Herald by SMART App Launch (docs/smart.md). "
        "Without it /smart is off.",
    )
    session_key: SecretStr | None = Field(
        None,
        description="Secret of 32 characters or more that encrypts the cookies of a launch; the same for all workers. "
        "Needed where SMART servers are listed.",
    )
    webhook_key: SecretStr = Field(
        SecretStr(""),
        description="Secret of at least 32 characters, the same for all processes, from which the secrets of webhook "
        "subscriptions are made; without it there are no webhooks. Another key makes every secret another.",
    )
    webhook_targets: str = Field(
        "",
        description="Origins that webhooks may call, separated by spaces, such as https://hooks.example.org:8443. "
        "Exactly these; http only to this machine. Empty: none.",
    )
    webhook_ca: Path | None = Field(None, description="CA (PEM) of the targets; else the authorities of this machine.")
    webhook_seconds: float = Field(15, gt=0, le=120, description="Seconds that a webhook's target has to answer.")
    body_limit: int = Field(1_000_000, ge=1_000, description="Largest request body in bytes; larger is answered 413.")
    import_limit: int = Field(50_000_000, ge=1_000, description="The same for a file sent to POST /imports.")

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        """Half of a TLS set-up would listen without it, or without asking who sends."""
        if (self.mllp_key is not None or self.mllp_client_ca is not None) and self.mllp_certificate is None:
            raise ValueError("HERALD_MLLP_KEY and HERALD_MLLP_CLIENT_CA need HERALD_MLLP_CERTIFICATE")
        if self.cds_clients is not None and not self.base_url:
            raise ValueError("HERALD_CDS_CLIENTS needs HERALD_BASE_URL: a token is made for an address of this service")
        if self.session_key is not None and len(self.session_key.get_secret_value()) < _SHORTEST_KEY:
            raise ValueError(f"HERALD_SESSION_KEY needs {_SHORTEST_KEY} characters or more")
        if self.smart_servers is not None and self.session_key is None:
            raise ValueError("HERALD_SMART_SERVERS needs HERALD_SESSION_KEY")
        if 0 < len(self.webhook_key.get_secret_value()) < _SHORTEST_KEY:
            raise ValueError(f"HERALD_WEBHOOK_KEY needs at least {_SHORTEST_KEY} characters")
        try:
            Targets(self.webhook_targets.split())
        except BadTarget as error:
            raise ValueError(f"an entry of HERALD_WEBHOOK_TARGETS {error}") from None
        return self


def table() -> str:
    """The settings as a Markdown table."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default, told = (str(each).replace("|", "\\|") for each in (field.default, field.description))
        lines.append(f"| `HERALD_{name.upper()}` | `{default}` | {told} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
