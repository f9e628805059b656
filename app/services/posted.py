"""Results posted as JSON: kept in the inbox as they came, answered at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from app.records.inbox import InboxWriting
from app.services.assessment import problem_document
from app.services.documents import text_of
from app.services.errors import Refusal
from app.services.intake import Intake, refusing
from app.services.payloads import Kept, Payload

JSON = "application/json"
_AGAIN = ("busy", "unavailable", "in_progress")  # nothing was decided: the sender comes again


@contextlib.contextmanager
def posting(intake: Intake, message: bytes, sender: str, control_id: str) -> Iterator[Kept]:
    """Keep a body, let it be recorded, and where that is refused say so beside it. Raises what Intake.keep raises."""
    (kept,) = intake.keep([Payload(message, JSON, sender, control_id)])
    try:
        yield kept
    except Refusal as refused:
        if kept.new and refused.kind not in _AGAIN:
            _refused(intake, kept, refused)
        raise


def _refused(intake: Intake, kept: Kept, refused: Refusal) -> None:
    detail = {"step": "record", "problems": [problem_document(each) for each in refused.problems]}
    with refusing(), intake.context.store.transaction(intake.context.organisation) as tx:
        number = len(InboxWriting(tx).states(kept.id)) + 1
        if tx.append_message_state(kept.id, number, "refused", step="record", detail=text_of(detail)):
            tx.append_audit("message.refused", {"message": kept.id})
