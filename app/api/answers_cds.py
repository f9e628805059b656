"""The public contract of CDS Hooks 2.0: what discovery and the services answer, and what a hook sends.

These models describe what app.interop.cds_hooks writes and reads. Optional members are left out, never null.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

_LEFT_OUT = "left out where there is nothing"


class CdsService(BaseModel):
    """One service."""

    hook: str
    title: str
    description: str
    id: str
    prefetch: dict[str, str] = Field(description="FHIR queries by key, with {{context.patientId}} in them")


class CdsServices(BaseModel):
    """The services of this process."""

    services: list[CdsService]


class CdsCoding(BaseModel):
    """A code with its system and words."""

    system: str
    code: str
    display: str


class CdsSource(BaseModel):
    """Who tells this."""

    label: str
    topic: CdsCoding


class CdsLink(BaseModel):
    """A link of a card."""

    label: str
    url: str
    type: Literal["absolute", "smart"]
    appContext: str = Field("", description=f"of a SMART link: what the application is told; {_LEFT_OUT}")


class CdsCard(BaseModel):
    """One card."""

    uuid: str
    summary: str = Field(max_length=139)
    indicator: Literal["info", "warning", "critical"]
    detail: str = Field(description="GitHub Flavoured Markdown")
    source: CdsSource
    overrideReasons: list[CdsCoding]
    links: list[CdsLink] = Field([], description=_LEFT_OUT)


class CdsCards(BaseModel):
    """The answer of a service; an empty list where there is nothing to do or to know."""

    cards: list[CdsCard]


class CdsAuthorization(BaseModel):
    """The EHR's access token for its FHIR server."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    subject: str
    patient: str | None = None


class CdsContext(BaseModel):
    """patient-view: userId, patientId, encounterId; order-select: selections and draftOrders besides."""

    userId: str
    patientId: str
    encounterId: str | None = None
    selections: list[str] | None = None
    draftOrders: dict[str, Any] | None = Field(None, description="a FHIR Bundle; read leniently")


class CdsRequest(BaseModel):
    """What an EHR sends when a hook is called."""

    hook: Literal["patient-view", "order-select"]
    hookInstance: str = Field(description="UUID")
    context: CdsContext
    fhirServer: str | None = None
    fhirAuthorization: CdsAuthorization | None = None
    prefetch: dict[str, Any] | None = Field(
        None, description="resources by the keys of discovery; null: asked, nothing found; a missing key: not sent"
    )


SENT = (CdsRequest,)
