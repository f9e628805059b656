"""The statements that are made once: building one costs as much as running it. The organisation is a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, func, select, union

from app.records import tables as t


def stands_at() -> ColumnElement[Any]:
    """The patient of a result's newest move; null where it never moved."""
    move = t.result_move
    return (
        select(move.c.to_patient_id)
        .where(move.c.organisation == t.result.c.organisation, move.c.result_id == t.result.c.id)
        .order_by(move.c.number.desc())
        .limit(1)
        .correlate(t.result)
        .scalar_subquery()
    )


def stands_with(patient_ids: Sequence[str] | None = None) -> ColumnElement[bool]:
    """Results that stand with these patient rows; without any, with those of the parameter `patients`."""
    patients: BindParameter[Any] = bindparam("patients", patient_ids, expanding=True, required=patient_ids is None)
    organisation: BindParameter[str] = bindparam("organisation")
    move, result = t.result_move.c, t.result.c
    came = select(move.result_id).where(move.organisation == organisation, move.to_patient_id.in_(patients))
    began = select(result.id).where(result.organisation == organisation, result.patient_id.in_(patients))
    # the first condition finds the few candidates by index, the second decides
    return and_(result.id.in_(union(came, began)), func.coalesce(stands_at(), result.patient_id).in_(patients))


def signed() -> ColumnElement[bool]:
    act, version = t.act, t.result_version
    return (
        exists()
        .where(act.c.organisation == version.c.organisation, act.c.version_id == version.c.id, act.c.kind == "sign_off")
        .correlate(version)
    )


def _heads() -> Select[Any]:
    """Each result with its newest version, the answer that counts, where it stands and whether it is signed."""
    version, answer = t.result_version, t.classification
    newer = version.alias()
    replaced = exists().where(
        newer.c.organisation == version.c.organisation,
        newer.c.result_id == version.c.result_id,
        newer.c.number > version.c.number,
    )
    return (
        select(
            t.result,
            *(c.label(f"version_{c.name}") for c in version.columns),
            *(c.label(f"answer_{c.name}") for c in answer.columns),
            func.coalesce(stands_at(), t.result.c.patient_id).label("stands_with"),
            signed().label("signed"),
        )
        .join(version, and_(version.c.organisation == t.result.c.organisation, version.c.result_id == t.result.c.id))
        .outerjoin(
            answer,
            and_(
                answer.c.organisation == version.c.organisation,
                answer.c.version_id == version.c.id,
                answer.c.purpose == "current",
            ),
        )
        .where(*(c == bindparam("organisation") for c in (t.result.c.organisation, version.c.organisation)), ~replaced)
    )


def _steps() -> Select[Any]:
    """Each step with how it was closed, the first due first."""
    step, closing = t.open_step, t.open_step_closing
    here = and_(closing.c.organisation == step.c.organisation, closing.c.step_id == step.c.id)
    return (
        select(
            step,
            closing.c.closed_at,
            closing.c.cause.label("closed_cause"),
            closing.c.reason.label("closed_reason"),
            closing.c.by_version_id,
            closing.c.by_act_id,
        )
        .outerjoin(closing, here)
        .where(step.c.organisation == bindparam("organisation"))
        .order_by(step.c.due_at, step.c.id)
    )


HEADS = _heads()
STEPS = _steps()
OPEN_STEPS = STEPS.where(
    t.open_step.c.result_id.in_(bindparam("results", expanding=True)), t.open_step_closing.c.closed_at.is_(None)
)
STANDING = HEADS.where(stands_with())
