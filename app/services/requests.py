"""Reading the small documents around a case: who did it, why, when, and for which patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.problems import Problem, named, shown
from app.domain.reading import is_text, moment
from app.services.errors import Refusal

_CLOCKS_DIFFER = timedelta(minutes=5)
PSEUDONYM = "urn:herald:pseudonym"
# The system of an identifier that came without one, before the sender: its number is its own.
OWN_NUMBERS = "urn:herald:sender:"
_LONGEST = {"name": 200, "role": 100, "reason": 2000, "laboratory": 200, "value": 200, "system": 300, "meaning": 500}
_LONGEST |= {"title": 200, "question": 1000, "decision": 4000, "why": 2000, "accession": 500}
_LONGEST |= {"sender": 300, "code": 200, "target": 100, "state": 40}


@dataclass(frozen=True, slots=True)
class Person:
    """Who, in which role, why, and when it was done (aware)."""

    name: str
    role: str
    reason: str | None
    performed_at: datetime


def past_moment(value: Any, now: datetime) -> datetime | None:
    """A date-time with its offset, not in the future but for what clocks differ; None for anything else."""
    try:
        read = moment(value)
    except ValueError:
        return None
    return read if len(value) > len("2026-11-25") and read <= now + _CLOCKS_DIFFER else None


class Fields:
    """Takes fields out of a request document; collects every problem before anything is refused."""

    def __init__(self, document: Any, where: str = "") -> None:
        self.problems: list[Problem] = []
        self._where = f"{where}." if where else ""
        self._left: dict[str, Any] = dict(document) if isinstance(document, Mapping) else {}
        if not isinstance(document, Mapping):
            self._wrong(where or "body", document, "an object")

    def _wrong(self, field: str, value: Any, wanted: str) -> None:
        self.problems.append(Problem("WRONG_TYPE", field, f"{shown(value)} is not {wanted}", f"send {wanted}"))

    def take(self, name: str) -> Any:
        """The raw value, None where absent."""
        return self._left.pop(name, None)

    def text(self, name: str, *, needed: bool = False, lines: bool = False) -> str | None:
        """A text without control characters, trimmed; None where absent. lines: line breaks are taken, as \\n."""
        value = self.take(name)
        field = self._where + name
        if value is None:
            if needed:
                self.problems.append(Problem("MISSING_FIELD", field, "is needed", f"send {name} as a text"))
            return None
        if lines and is_text(value):
            value = "\n".join(value.splitlines())
        plain = value.replace("\n", " ") if lines and is_text(value) else value
        if not is_text(plain) or not plain.strip() or len(plain) > _LONGEST[name] or not plain.isprintable():
            wanted = f"a printable text of 1 to {_LONGEST[name]} characters"
            self.problems.append(Problem("WRONG_TYPE", field, f"is not {wanted}", f"send {wanted}"))
            return None
        return str(value).strip()

    def moment(self, name: str, now: datetime) -> datetime:
        """When something was done: a date-time with its offset, now where absent, not in the future."""
        value = self.take(name)
        if value is None:
            return now
        if (read := past_moment(value, now)) is not None:
            return read
        remedy = "send a date-time with its offset such as 2026-11-25T14:30:00+01:00, not in the future"
        self.problems.append(Problem("WRONG_TYPE", self._where + name, "is not a time in the past", remedy))
        return now

    def person(self, now: datetime, *, reason_needed: bool) -> Person:
        """name and role (needed), reason, performed_at."""
        name, role = self.text("name", needed=True), self.text("role", needed=True)
        reason = self.text("reason", needed=reason_needed)
        return Person(name or "", role or "", reason, self.moment("performed_at", now))

    def rest(self) -> dict[str, Any]:
        """What was not taken."""
        return self._left

    def close(self, *more: Problem) -> None:
        """Refuse when anything was wrong or left over."""
        for name in self._left:
            told = named(self._where.rstrip("."), name)
            self.problems.append(Problem("UNKNOWN_FIELD", told, "there is no such field here", "leave it out"))
        problems = [*self.problems, *more]
        if problems:
            raise Refusal("invalid", "The request has fields that cannot be read.", problems)


def patient_identity(value: Any, problems: list[Problem], where: str = "patient") -> tuple[str, str] | None:
    """The patient's pseudonym as (system, value): a text, or an object with system and value. where: its field."""
    fields = Fields({"value": value} if not isinstance(value, Mapping) else value, where)
    read = fields.text("value", needed=True)
    system = fields.text("system") or PSEUDONYM
    try:
        fields.close()
    except Refusal as refused:
        problems += refused.problems
        return None
    return system, read or ""
