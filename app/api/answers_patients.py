"""The public contract: what comes back about patients. These models describe what app.services makes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from app.api.answers import Result, ResultRow


class Timeline(BaseModel):
    """A patient's HER2 over specimens, never merged into one status."""

    patient_id: str = Field(description="the patient who stays, where others were merged into this one")
    asked_patient_id: str = Field(description="the patient asked for; another than patient_id where that one is merged")
    patient_ids: list[str] = Field(description="all whose results are here, patient_id first; each row names its own")
    note: str | None = Field(description="said where the patient asked for was merged into another")
    results: list[ResultRow]
    changes: list[dict[str, Any]]
    moves: list[dict[str, Any]] = Field(description="results that came from, or went to, another patient: who and why")
    links: list[dict[str, Any]] = Field(description="merges and unmerges in the order they came: who and why")


class MovedResult(Result):
    """A stored result with the patient that it stands with now."""

    changed: bool = Field(description="false where it stood there already: nothing was stored")


class PatientLink(BaseModel):
    """Two patients by Herald's ids, after a merge or an unmerge."""

    changed: bool = Field(description="false where it was so already: nothing was stored")
    patient_id: str = Field(description="the patient given up")
    into_patient_id: str
    stands_with: str = Field(description="whose timeline shows the results of the patient given up")
