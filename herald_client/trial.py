"""What the answers to one call mean: done, refused, or to be sent again, and when."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import httpx

from herald_client.calls import Call
from herald_client.errors import Conflict, HeraldError, KeyConflict, Problem, Refused, Stale, Unavailable
from herald_client.wire import from_json

T = TypeVar("T")
# The request did not leave, or the answer did not arrive. What is wrong with the request itself is not among them.
BROKEN = (
    httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ProxyError, httpx.DecodingError,
)  # fmt: skip
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_PASSING = frozenset({429, 502, 503, 504})
# Seconds. A server that asks for more is told to the caller instead.
_LONGEST_WAIT = 60.0


class Trial(Generic[T]):
    """The attempts at one call."""

    def __init__(self, call: Call[T]) -> None:
        self._call, self._attempts, self._unknown, self._again = call, 0, False, False

    def broken(self, error: httpx.RequestError) -> Unavailable:
        """No answer came."""
        sent = not isinstance(error, _NOT_SENT)
        return self._unavailable(f"no answer ({type(error).__name__})", done=sent, again=not sent or self._safe)

    def answered(self, response: httpx.Response) -> T:
        """What the call gives. Raises Unavailable, or what it was refused with."""
        if response.is_success:
            return self._call.read(response)
        status, kind = response.status_code, _kind(_object(response))
        if status in _PASSING or kind == "in_progress":
            # too many requests, and a database that is busy, are said before anything is done
            undone = status == 429 or kind == "busy"
            wait = _seconds(response.headers.get("Retry-After"))
            again = (undone or self._safe) and (wait or 0) <= _LONGEST_WAIT
            raise self._unavailable(f"answered {status}", done=not undone, again=again, retry_after=wait)
        if status >= 500:
            raise self._unavailable(f"answered {status}", done=True, again=False)
        if response.headers.get("Content-Type", "").startswith("x-application/hl7-v2"):
            return self._call.read(response)
        raise refusal(response)

    def again(self, error: Exception) -> bool | float:
        """Whether to send it again, and after how many seconds where the server said so. A hook for stamina."""
        if not isinstance(error, Unavailable) or not self._again:
            return False
        # spread, so that all who were told the same do not come at once
        return True if error.retry_after is None else error.retry_after + random.random()

    @property
    def _safe(self) -> bool:
        return self._call.repeatable or not self._call.stores

    def _unavailable(self, why: str, *, done: bool, again: bool, retry_after: float | None = None) -> Unavailable:
        self._attempts += 1
        self._unknown = self._unknown or (done and self._call.stores)
        self._again = again
        return Unavailable(why, outcome_unknown=self._unknown, attempts=self._attempts, retry_after=retry_after)


def refusal(response: httpx.Response) -> Refused:
    """What an answer refuses with: a problem document, an OperationOutcome, or a status of somebody in between."""
    status, document = response.status_code, _object(response)
    kind, detail = _kind(document), str(document.get("detail", ""))
    if document.get("resourceType") == "OperationOutcome":
        issues = document.get("issue", [])
        kind, detail = str(issues[0].get("code", "")) if issues else "", ""
        problems = tuple(map(_issue, issues))
    else:
        if not kind:
            return Refused(status, "", "this was not answered by Herald")
        problems = tuple(
            Problem(*(str(each.get(name, "")) for name in Problem._fields)) for each in document.get("problems", [])
        )
    if status == 412:
        stale = Stale(status, kind, detail, problems)
        stale.current_version = document.get("current_version")
        return stale
    if status == 409:
        return (KeyConflict if kind == "key_conflict" else Conflict)(status, kind, detail, problems)
    return Refused(status, kind, detail, problems)


def _object(response: httpx.Response) -> dict[str, Any]:
    with suppress(HeraldError):
        document = from_json(response.content)
        if isinstance(document, dict):
            return document
    return {}


def _kind(document: Mapping[str, Any]) -> str:
    """Herald's word for what is wrong, "" in a document that is not Herald's."""
    before, _, kind = str(document.get("type", "")).rpartition(":")
    return kind if before == "urn:herald:problem" else ""


def _issue(issue: dict[str, Any]) -> Problem:
    """An issue as a problem: Herald's diagnostics are `field: message; remedy`."""
    details = issue.get("details", {})
    code = next((str(each.get("code")) for each in details.get("coding", [])), str(issue.get("code", "")))
    said, message = str(issue.get("diagnostics", "")), str(details.get("text", ""))
    field, found, remedy = said.partition(f": {message}; ") if message else ("", "", "")
    if found:
        return Problem(code, field, message, remedy)
    return Problem(code, next(iter(issue.get("expression", [])), ""), message or said, "")


def _seconds(retry_after: str | None) -> float | None:
    """Seconds of a Retry-After, which is a number or a date."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    with suppress(ValueError, TypeError):
        at = parsedate_to_datetime(retry_after)
        return max(0.0, (at - datetime.now(UTC)).total_seconds())
    return None
