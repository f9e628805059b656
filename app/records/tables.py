"""The tables. Rows are appended, never changed; each belongs to one organisation, and so does every key.

migrations/ makes the schema; this module is what `alembic check` compares it with.
Columns with what a patient may have erased are marked `erasable`: an order of erasure sets them to null in the rows
that it lists, and nothing else in those rows may change (triggers see to that).
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table
from sqlalchemy.sql.schema import ForeignKeyConstraint

from app.records import board_tables
from app.records.columns import flag, key, number, raw, refer, text, when
from app.records.schema import make_table, metadata, organisation

__all__ = ["board_tables", "metadata", "organisation"]

# ---- patients: a surrogate id that results refer to; identifiers live in patient_identity and nowhere else
patient = make_table("patient", when("created_at"), root=True)
patient_identity = make_table(
    "patient_identity",
    *refer("patient_id", "patient"),
    key("system"),
    key("value", erasable=True),
    when("created_at"),
    unique=(("system", "value"),),
    index=(("patient_id",),),
)
# merge and unmerge in turn: the newest number of a patient says where it stands
patient_link = make_table(
    "patient_link",
    *refer("patient_id", "patient"),
    *refer("into_patient_id", "patient"),
    number("number"),
    text("kind"),
    text("person_name"),
    text("person_role"),
    text("reason", erasable=True),
    when("created_at"),
    CheckConstraint("kind IN ('merge', 'unmerge')", name="kind"),
    unique=(("patient_id", "number"),),
    index=(("into_patient_id",),),
)

# ---- results: a chain of versions; a classification belongs to a version
# join_key: laboratory, accession, specimen and block in one text, where split reports of one specimen must meet
result = make_table(
    "result",
    *refer("patient_id", "patient"),
    key("join_key", erasable=True),
    when("created_at"),
    unique=(("join_key",),),
    index=(("patient_id",), ("created_at",)),
)
result_move = make_table(
    "result_move",
    *refer("result_id", "result"),
    *refer("from_patient_id", "patient"),
    *refer("to_patient_id", "patient"),
    number("number"),
    text("person_name"),
    text("person_role"),
    text("reason", erasable=True),
    when("created_at"),
    unique=(("result_id", "number"),),
    index=(("from_patient_id",), ("to_patient_id",)),
)
result_version = make_table(
    "result_version",
    *refer("result_id", "result"),
    number("number"),
    *refer("replaces_id", "result_version", null=True),
    text("cause"),
    text("reason", erasable=True),
    text("person_name", null=True),
    text("person_role", null=True),
    text("source"),
    key("laboratory", null=True),
    key("accession", erasable=True),
    key("specimen", erasable=True),
    key("block", erasable=True),
    when("collected_at", erasable=True),
    when("reported_at", erasable=True),
    text("document", erasable=True),
    text("digest", erasable=True),  # of the document; unsalted, so it goes with it
    when("created_at"),
    CheckConstraint("number >= 1 AND (number = 1) = (replaces_id IS NULL)", name="number"),
    unique=(("result_id", "number"),),
    index=(("accession",), ("laboratory",), ("collected_at",), ("replaces_id",)),
)
classification = make_table(
    "classification",
    *refer("version_id", "result_version"),
    text("purpose"),
    key("edition_id"),
    text("edition_digest"),
    text("pack_id"),
    text("pack_version"),
    text("pack_digest"),
    text("policy"),
    text("engine"),
    key("status"),
    flag("final"),
    number("ish_group", null=True),
    key("her2_low", null=True),
    flag("review_required"),
    text("answer", erasable=True),
    when("created_at"),
    CheckConstraint("purpose IN ('current', 're-evaluation')", name="purpose"),
    CheckConstraint("ish_group BETWEEN 1 AND 5", name="ish_group"),
    index=(("version_id",), ("status",)),
)
# a version has one answer that counts; another that is to count is a new version
Index(
    "uq_classification_current",
    classification.c.organisation,
    classification.c.version_id,
    unique=True,
    sqlite_where=classification.c.purpose == "current",
    postgresql_where=classification.c.purpose == "current",
)
act = make_table(
    "act",
    *refer("version_id", "result_version"),
    *refer("led_to_version_id", "result_version", null=True),
    text("kind"),
    text("person_name"),
    text("person_role"),
    text("meaning"),
    text("reason", erasable=True),
    text("detail", erasable=True),
    when("performed_at"),
    when("recorded_at"),
    CheckConstraint("kind IN ('recount', 'adjudication', 'sign_off')", name="kind"),
    index=(("version_id", "kind"), ("led_to_version_id",)),
)
open_step = make_table(
    "open_step",
    *refer("result_id", "result"),
    *refer("version_id", "result_version"),
    key("awaited"),
    when("since"),
    when("due_at"),
    key("who", null=True),
    when("created_at"),
    unique=(("version_id", "awaited"),),
    index=(("result_id",), ("due_at",)),
)
open_step_closing = make_table(
    "open_step_closing",
    *refer("step_id", "open_step"),
    text("cause"),
    *refer("by_version_id", "result_version", null=True),
    *refer("by_act_id", "act", null=True),
    text("reason", erasable=True),
    when("closed_at"),
    CheckConstraint("cause IN ('arrived', 'replaced', 'person')", name="cause"),
    unique=(("step_id",),),
    index=(("by_version_id",), ("by_act_id",)),
)

# ---- idempotency: two rows in one transaction, so a stored key always has its answer; both expire
idempotency = make_table(
    "idempotency",
    text("method_path"),
    text("body_digest"),
    when("created_at"),
    when("expires_at"),
    identity="key",
    root=True,
)
Index("ix_idempotency_expires_at", idempotency.c.organisation, idempotency.c.expires_at)
idempotency_answer = make_table(
    "idempotency_answer",
    ForeignKeyConstraint(["organisation", "key"], ["idempotency.organisation", "idempotency.key"]),
    number("http_status"),
    text("headers", erasable=True),
    text("body", erasable=True),
    when("expires_at"),
    identity="key",
)

# ---- audit: the chain holds digests, the content with its salt lies beside it
audit = make_table(
    "audit",
    number("sequence"),
    text("kind"),
    when("recorded_at"),
    text("content_digest"),
    text("previous"),
    text("digest"),
    unique=(("sequence",), ("previous",)),
    root=True,
)
audit_content = make_table(
    "audit_content",
    ForeignKeyConstraint(["organisation", "audit_id"], ["audit.organisation", "audit.id"]),
    text("content", erasable=True),
    text("salt", erasable=True),
    identity="audit_id",
)

# ---- erasure, retention, legal hold
# an order lists each row it empties in erasure_item; triggers let those rows, and no others, be emptied
erasure = make_table(
    "erasure",
    text("subject_kind"),
    key("subject_id"),
    text("person_name"),
    text("person_role"),
    text("reason"),
    when("ordered_at"),
    when("performed_at"),
    text("signature", null=True),
    index=(("subject_id",),),
    root=True,
)
erasure_item = make_table(
    "erasure_item",
    *refer("erasure_id", "erasure"),
    key("record_kind"),
    key("record_id"),
    unique=(("record_kind", "record_id"),),
    index=(("erasure_id",),),
)
retention = make_table(
    "retention",
    key("record_kind"),
    number("number"),
    number("days", null=True),  # null: kept for ever
    text("person_name"),
    text("person_role"),
    text("reason"),
    when("created_at"),
    unique=(("record_kind", "number"),),
    root=True,
)
legal_hold = make_table(
    "legal_hold",
    text("subject_kind"),
    key("subject_id"),
    text("name"),
    text("person_name"),
    text("person_role"),
    text("reason"),
    when("placed_at"),
    index=(("subject_id",),),
    root=True,
)
legal_hold_release = make_table(
    "legal_hold_release",
    *refer("hold_id", "legal_hold"),
    text("person_name"),
    text("person_role"),
    text("reason"),
    when("released_at"),
    unique=(("hold_id",),),
)

# ---- messages in and out; their states are facts with a number, the newest counts
inbox = make_table(
    "inbox",
    key("sender"),
    key("control_id"),  # empty where the sender gives none: null would make every message unique
    key("content_hash"),
    text("media_type"),
    raw("message"),
    when("received_at"),
    unique=(("sender", "control_id", "content_hash"),),
    index=(("received_at",),),
    root=True,
)
inbox_state = make_table(
    "inbox_state",
    *refer("message_id", "inbox"),
    number("number"),
    key("state"),
    text("step", null=True),
    text("detail", erasable=True),
    text("person_name", null=True),
    *refer("version_id", "result_version", null=True),
    when("created_at"),
    unique=(("message_id", "number"),),
    index=(("version_id",),),
)
# what a message, in its run 1, 2, ..., says about one specimen; sequence: the part; no result while it waits
contribution = make_table(
    "contribution",
    *refer("message_id", "inbox"),
    number("number"),
    number("sequence"),
    *refer("result_id", "result", null=True),
    key("accession", erasable=True),
    text("content", erasable=True),
    when("created_at"),
    unique=(("message_id", "number", "sequence"),),
    index=(("result_id",), ("accession",)),
)
# a code that a person mapped for a sender beside its feed file; the newest number counts
feed_code = make_table(
    "feed_code",
    key("sender"),
    key("system"),
    key("code"),
    number("number"),
    text("target"),
    text("person_name"),
    text("person_role"),
    text("reason", erasable=True),
    when("created_at"),
    unique=(("sender", "system", "code", "number"),),
    root=True,
)
outbox = make_table(
    "outbox",
    key("topic"),
    *refer("version_id", "result_version", null=True),
    text("payload", erasable=True),
    when("created_at"),
    index=(("version_id",), ("created_at",)),
    root=True,
)
outbox_delivery = make_table(
    "outbox_delivery",
    *refer("outbox_id", "outbox"),
    key("destination"),
    number("attempt"),
    key("state"),
    text("detail", erasable=True),
    when("next_attempt_at", null=True),
    when("created_at"),
    CheckConstraint("state IN ('started', 'delivered', 'failed', 'parked')", name="state"),
    unique=(("outbox_id", "destination", "attempt", "state"),),
)


def erasable_columns(table: Table) -> tuple[Column[object], ...]:
    """The columns that an order of erasure empties."""
    return tuple(c for c in table.columns if c.info.get("erasable"))
