"""What a call raises. No text of these repeats what was sent: a problem names the field, never the patient."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing wrong. code: stable, see docs/codes.md; field: dotted path, HL7 path or FHIR expression."""

    code: str
    field: str
    message: str
    remedy: str


class HeraldError(Exception):
    """Every error of this client; raised as itself where the answer does not come from Herald."""


class Refused(HeraldError):
    """Herald said no; sending the same again gives the same.

    status: the HTTP status; kind: Herald's word for it ("invalid", "not_found" ...), "" where it told none.
    """

    def __init__(self, status: int, kind: str = "", detail: str = "", problems: tuple[Problem, ...] = ()) -> None:
        told = [f"{each.field}: {each.message}; {each.remedy}" for each in problems]
        super().__init__("\n".join([f"{status} {kind or 'refused'}: {detail}".rstrip(" :"), *told]))
        self.status, self.kind, self.detail, self.problems = status, kind, detail, problems


class Conflict(Refused):
    """409: it conflicts with what is on record."""


class KeyConflict(Conflict):
    """409: the Idempotency-Key was used before for another request."""


class Stale(Refused):
    """412: the result has changed since it was read. current_version: what it is at now, None where not told."""

    current_version: int | None = None


class Unavailable(HeraldError):
    """No answer that settles it, after every retry that was safe.

    outcome_unknown: True where it may have been stored all the same: send it again with the same key;
    attempts: how often it was sent; retry_after: seconds that the server asked to wait, None where it did not.
    """

    def __init__(self, reason: str, *, outcome_unknown: bool, attempts: int, retry_after: float | None = None) -> None:
        outcome = (
            "it may have been stored: send it again with the same key" if outcome_unknown else "nothing was stored"
        )
        super().__init__(f"{reason}, attempts: {attempts}; {outcome}")
        self.reason, self.outcome_unknown, self.attempts = reason, outcome_unknown, attempts
        self.retry_after = retry_after
