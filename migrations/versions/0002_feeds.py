"""Feeds: what each message said about a result, and the codes that a person mapped for a sender."""

from __future__ import annotations

from importlib import import_module

from alembic import op

records = import_module("migrations.versions.0001_records")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PLANS = (
    # number: the run of the message, 1, 2, ... as it is processed again; sequence: the part within it
    records.Plan(
        "contribution",
        "message_id number sequence result_id? accession~ content~ created_at",
        refers="message_id>inbox result_id>result",
        unique=(("message_id", "number", "sequence"),),
        index=(("result_id",), ("accession",)),
    ),
    records.Plan(
        "feed_code",
        "sender system code number target person_name person_role reason~ created_at",
        unique=(("sender", "system", "code", "number"),),
        root=True,
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
    """Takes what was learnt of messages with it; results and raw messages stay."""
    for plan in reversed(PLANS):
        op.drop_table(plan.name)
