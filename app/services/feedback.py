"""Feedback on CDS cards (CDS Hooks 2.0): stored as reported, all or nothing, and summarised without a word of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.cards import kind_of
from app.domain.problems import Problem
from app.domain.reading import is_text
from app.records.feedback import Feedback, FeedbackFilter, FeedbackWriting, Report
from app.records.writing import Transaction
from app.services.documents import text_of
from app.services.errors import Refusal
from app.services.finding import reading, times
from app.services.hooks import SERVICE_IDS
from app.services.reporting import Context, Reply, in_transaction
from app.services.requests import Fields, past_moment

OUTCOMES = ("accepted", "overridden")
COLUMNS = ("service", "kind", "outcome", "reason_system", "reason_code", "reports", "cards")
_MOST = 1_000
_COMMENT, _CODE = 4_000, 300  # characters
_CODING = ("code", "system", "display", "version", "userSelected")


def report(context: Context, service: str, body: Mapping[str, Any]) -> None:
    """Store what a CDS client reports of cards of a service. Raises Refusal with every problem, by its JSON path."""
    if service not in SERVICE_IDS:
        raise Refusal("not_found", "There is no such service.")
    fields = Fields(body)
    listed = fields.take("feedback")
    fields.take("extension")
    if not isinstance(listed, list) or not 1 <= len(listed) <= _MOST:
        wanted = f"a list of 1 to {_MOST} reports"
        fields.close(Problem("WRONG_TYPE", "feedback", f"is not {wanted}", f"send {wanted}"))
        return

    def record(tx: Transaction) -> Reply:
        problems: list[Problem] = []
        reports = [_report(service, each, f"feedback[{at}]", tx.now, problems) for at, each in enumerate(listed)]
        fields.close(*problems)
        rows = FeedbackWriting(tx)
        for each in reports:
            rows.append(each)
        tx.append_audit("card.feedback", {"service": service, "reports": len(reports)})
        return Reply({}, None, None)

    in_transaction(context, None, record)


def summary(context: Context, since: str | None, before: str | None, service: str | None) -> dict[str, Any]:
    """Reports counted by service, kind of card, outcome and reason, of those that came in [since, before)."""
    asked = times({"from": since, "before": before, "service": service}, "from", "before")
    narrow = FeedbackFilter(asked.get("from"), asked.get("before"), asked.get("service"))
    counted = reading(context, lambda records: Feedback(records).counts(narrow))
    rows = [{name: getattr(each, name) for name in COLUMNS} for each in counted]
    return {"from": since, "before": before, "reports": sum(each.reports for each in counted), "rows": rows}


def as_csv(told: Mapping[str, Any]) -> str:
    """The rows of a summary as CSV; a text that a spreadsheet would take for a formula has a quote before it."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for row in told["rows"]:
        cells = ["" if row[name] is None else str(row[name]) for name in COLUMNS]
        writer.writerow([f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell for cell in cells])
    return lines.getvalue()


def _report(service: str, told: Any, where: str, now: datetime, problems: list[Problem]) -> Report:
    item = _Item(told, where, problems)
    card, outcome = item.card(), item.outcome()
    at = item.moment(now)
    suggestions = item.suggestions(outcome)
    reason, comment = item.override(outcome)
    item.close()
    code, system = (None, None) if reason is None else (reason["code"], reason.get("system"))
    content = text_of({"acceptedSuggestions": suggestions, "reason": reason})
    return Report(service, card, kind_of(card) or "", outcome or "", at, system, code, comment, content)


class _Item:
    """Takes one report apart; what is wrong is added to the problems, so that all of them are told at once."""

    def __init__(self, told: Any, where: str, problems: list[Problem]) -> None:
        self._fields, self._where, self._problems = Fields(told, where), where, problems
        self._fields.take("extension")

    def close(self) -> None:
        try:
            self._fields.close()
        except Refusal as refused:
            self._problems += refused.problems

    def _wrong(self, field: str, message: str, remedy: str, code: str = "WRONG_TYPE") -> None:
        self._problems.append(Problem(code, f"{self._where}.{field}", message, remedy))

    def _needed(self, name: str, remedy: str) -> Any:
        value = self._fields.take(name)
        if value is None:
            self._wrong(name, "is needed", remedy, "MISSING_FIELD")
        return value

    def card(self) -> str:
        remedy = "send the uuid of the card"
        value = self._needed("card", remedy)
        if value is None:
            return ""
        if not is_text(value) or kind_of(value) is None:
            self._wrong("card", "is not the uuid of a card of this service", remedy, "UNKNOWN_VALUE")
            return ""
        return str(value).lower()

    def outcome(self) -> str | None:
        remedy = f"send {' or '.join(OUTCOMES)}"
        value = self._needed("outcome", remedy)
        if value in OUTCOMES:
            return str(value)
        if value is not None:
            self._wrong("outcome", "is not an outcome", remedy, "UNKNOWN_VALUE")
        return None

    def moment(self, now: datetime) -> datetime:
        remedy = "send a date-time in UTC such as 2026-11-25T14:30:00Z, not in the future"
        value = self._needed("outcomeTimestamp", remedy)
        if (read := past_moment(value, now)) is not None:
            return read
        if value is not None:
            self._wrong("outcomeTimestamp", "is not a time in the past", remedy)
        return now

    def suggestions(self, outcome: str | None) -> list[str]:
        """The ids of the suggestions taken."""
        name, remedy = "acceptedSuggestions", 'send [{"id": the uuid of the suggestion}], with accepted only'
        value = self._fields.take(name)
        if value is None and outcome != "accepted":
            return []
        if outcome == "overridden":
            self._wrong(name, "stands beside outcome overridden", remedy, "TWICE_STATED")
        elif value is None:
            self._wrong(name, "is needed", remedy, "MISSING_FIELD")
        elif not isinstance(value, list) or not value:
            self._wrong(name, "is not a list of suggestions", remedy)
        else:
            ids = [each.get("id") if isinstance(each, Mapping) else None for each in value]
            for at, each in enumerate(ids):
                if not _is_code(each):
                    self._wrong(f"{name}[{at}].id", "is not the id of a suggestion", remedy)
            return [str(each) for each in ids]
        return []

    def override(self, outcome: str | None) -> tuple[dict[str, Any] | None, str | None]:
        """The reason as a coding, and what the user wrote."""
        name = "overrideReason"
        value = self._fields.take(name)
        if value is None:
            return None, None
        if outcome == "accepted":
            self._wrong(name, "stands beside outcome accepted", "send it with overridden only", "TWICE_STATED")
        if not isinstance(value, Mapping):
            self._wrong(name, "is not an object", 'send {"reason": a Coding, "userComment": a text}')
            return None, None
        inner = Fields(value, f"{self._where}.{name}")
        reason, comment = inner.take("reason"), inner.take("userComment")
        inner.take("extension")
        if comment is not None and not (is_text(comment) and len(comment) <= _COMMENT):
            remedy = f"send a text of at most {_COMMENT} characters"
            self._wrong(f"{name}.userComment", "is not a text, or too long", remedy)
            comment = None
        try:
            inner.close()
        except Refusal as refused:
            self._problems += refused.problems
        return self._coding(f"{name}.reason", reason), comment

    def _coding(self, name: str, value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self._wrong(name, "is not a Coding", "send the Coding that the card offered: code, system, display")
            return None
        told = {each: value[each] for each in _CODING if value.get(each) is not None}
        for each in ("code", "system", "display"):
            if (each == "code" or each in told) and not _is_code(told.get(each)):
                wanted = f"a printable text of 1 to {_CODE} characters"
                self._wrong(f"{name}.{each}", f"is not {wanted}", f"send {wanted}")
        return {"code": None, **told}


def _is_code(value: Any) -> bool:
    return is_text(value) and value.isprintable() and len(value.strip()) >= 1 and len(value) <= _CODE
