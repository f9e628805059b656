"""In front of the tumour board: feedback on cards, meetings and their outcomes, sheets, webhook subscriptions."""

from __future__ import annotations

from importlib import import_module

from alembic import op

records = import_module("migrations.versions.0001_records")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PERSON = "person_name person_role"
PLANS = (
    records.Plan(
        "card_feedback",
        "service card kind outcome reason_system? reason_code? comment~ content~ outcome_at created_at",
        checks=(("outcome", "outcome IN ('accepted', 'overridden')"),),
        index=(("service", "created_at"), ("card",)),
        root=True,
    ),
    records.Plan("meeting", f"held_on title {_PERSON} created_at", index=(("held_on",),), root=True),
    # the newest number of a patient says whether it is on the list
    records.Plan(
        "meeting_case",
        f"meeting_id patient_id number kind sequence source question~ {_PERSON} created_at",
        refers="meeting_id>meeting patient_id>patient",
        checks=(("kind", "kind IN ('placed', 'removed')"),),
        unique=(("meeting_id", "patient_id", "number"),),
        index=(("patient_id",),),
    ),
    # version_id: what was looked at
    records.Plan(
        "meeting_outcome",
        f"meeting_id patient_id version_id? number decision~ views~ {_PERSON} created_at",
        refers="meeting_id>meeting patient_id>patient version_id>result_version",
        unique=(("meeting_id", "patient_id", "number"),),
        index=(("patient_id",), ("version_id",)),
    ),
    records.Plan(
        "sheet",
        "version_id code created_at",
        refers="version_id>result_version",
        unique=(("code",), ("version_id",)),
    ),
    records.Plan("subscription", f"url topics sees {_PERSON} created_at", root=True),
    records.Plan(
        "subscription_state",
        f"subscription_id number state sequence {_PERSON} reason~ created_at",
        refers="subscription_id>subscription",
        checks=(("state", "state IN ('active', 'paused', 'ended')"),),
        unique=(("subscription_id", "number"),),
    ),
    records.Plan(
        "delivery_replay",
        f"outbox_id destination number {_PERSON} reason~ created_at",
        refers="outbox_id>outbox",
        unique=(("outbox_id", "destination", "number"),),
    ),
)


def upgrade() -> None:
    for plan in PLANS:
        plan.create()
    for statement in records.guards(PLANS):
        op.execute(statement)
    if op.get_bind().dialect.name == "sqlite":
        records.tell_sqlite_what_to_expect(tuple(plan.name for plan in PLANS))


def downgrade() -> None:
    """Takes meetings, feedback, sheets and subscriptions with it; results stay."""
    for plan in reversed(PLANS):
        op.drop_table(plan.name)
