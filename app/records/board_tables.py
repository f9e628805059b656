"""Tables of what stands in front of a tumour board: feedback on cards, meetings, sheets, subscriptions."""

from __future__ import annotations

from sqlalchemy import CheckConstraint

from app.records.columns import key, number, refer, text, when
from app.records.schema import make_table

# ---- cards: what a clinician did with one; a card may be reported many times
card_feedback = make_table(
    "card_feedback",
    key("service"),
    key("card"),
    key("kind"),  # what the card was about, read from its uuid
    text("outcome"),
    text("reason_system", null=True),
    text("reason_code", null=True),
    text("comment", erasable=True),
    text("content", erasable=True),
    when("outcome_at"),
    when("created_at"),
    CheckConstraint("outcome IN ('accepted', 'overridden')", name="outcome"),
    index=(("service", "created_at"), ("card",)),
    root=True,
)

# ---- meetings: a board on a date; who is on its list is a fact with a number, the newest of a patient counts
meeting = make_table(
    "meeting",
    key("held_on"),  # YYYY-MM-DD
    text("title"),
    text("person_name"),
    text("person_role"),
    when("created_at"),
    index=(("held_on",),),
    root=True,
)
meeting_case = make_table(
    "meeting_case",
    *refer("meeting_id", "meeting"),
    *refer("patient_id", "patient"),
    number("number"),
    text("kind"),
    number("sequence"),  # place on the list
    text("source"),  # hand, open-steps, fhir-list
    text("question", erasable=True),
    text("person_name"),
    text("person_role"),
    when("created_at"),
    CheckConstraint("kind IN ('placed', 'removed')", name="kind"),
    unique=(("meeting_id", "patient_id", "number"),),
    index=(("patient_id",),),
)
# what was decided on a case, and the version that was looked at; the newest number counts, the others stay
meeting_outcome = make_table(
    "meeting_outcome",
    *refer("meeting_id", "meeting"),
    *refer("patient_id", "patient"),
    *refer("version_id", "result_version", null=True),
    number("number"),
    text("decision", erasable=True),
    text("views", erasable=True),  # agreeing or not with which consideration, and why
    text("person_name"),
    text("person_role"),
    when("created_at"),
    unique=(("meeting_id", "patient_id", "number"),),
    index=(("patient_id",), ("version_id",)),
)

# ---- sheets: the short code on a printed page, one for each version that was printed
sheet = make_table(
    "sheet",
    *refer("version_id", "result_version"),
    key("code"),
    when("created_at"),
    unique=(("code",), ("version_id",)),
)

# ---- webhooks: a subscriber; whether it is served is a fact with a number, the newest counts
subscription = make_table(
    "subscription",
    text("url"),
    text("topics"),
    text("sees"),  # nothing, or patient: Herald's id of the patient
    text("person_name"),
    text("person_role"),
    when("created_at"),
    root=True,
)
subscription_state = make_table(
    "subscription_state",
    *refer("subscription_id", "subscription"),
    number("number"),
    text("state"),
    number("sequence"),  # of the secret: it is derived from the key of the settings; a new number is a new secret
    text("person_name"),
    text("person_role"),
    text("reason", erasable=True),
    when("created_at"),
    CheckConstraint("state IN ('active', 'paused', 'ended')", name="state"),
    unique=(("subscription_id", "number"),),
)
# a person sends a line again that was delivered or parked: it is due once more
delivery_replay = make_table(
    "delivery_replay",
    *refer("outbox_id", "outbox"),
    key("destination"),
    number("number"),
    text("person_name"),
    text("person_role"),
    text("reason", erasable=True),
    when("created_at"),
    unique=(("outbox_id", "destination", "number"),),
)
