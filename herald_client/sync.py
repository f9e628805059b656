"""The client for plain code."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import httpx
import stamina

from herald_client import calls
from herald_client.answers import Answer, Considerations, History, OpenStep, Result, ResultRow, Timeline
from herald_client.calls import Call, Document, FhirAnswer, MessageFilter, Page, Person
from herald_client.sent import (
    AdjudicationAct,
    Amendment,
    Case,
    ConsiderationsRequest,
    RecountAct,
    Report,
    ResultFilter,
    SignOff,
    StepFilter,
)
from herald_client.settings import SETTLED, Settings
from herald_client.trial import BROKEN, Trial
from herald_client.wire import Acknowledgement

T = TypeVar("T")


class Herald:
    """A Herald service. Every call raises Refused (or Conflict, KeyConflict, Stale) and Unavailable.

    base_url: with a path where Herald stands behind one; sender: the name of the sending system, by which Herald
    finds its feed (HL7 v2 names its own in MSH-3 and MSH-4); timeout: seconds for one attempt; retries: how often a
    call is sent again where that is safe; token: sent as a bearer token.
    transport: of httpx, for tests and for a proxy or certificates of one's own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        sender: str | None = None,
        timeout: float = 30.0,
        retries: int = 5,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = Settings(base_url, sender, timeout, retries, token)
        self._http = httpx.Client(**self._settings.http, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def classify(self, case: Case) -> Answer:
        """The HER2 answer to one case; nothing is stored."""
        return self._do(calls.classify(case))

    def considerations(self, request: ConsiderationsRequest) -> Considerations:
        """What the evidence says for a context, for and against; nothing is stored."""
        return self._do(calls.considerations(request))

    def report(self, result: Report, *, key: str | None = None, dry_run: bool = False) -> Result:
        """Store a result once, however often the line breaks; with dry_run the same answer and nothing stored.

        key: an Idempotency-Key, such as the LIS's own number of the message; one is made where none is given, and
        kept over the retries of this call. Give your own where you may have to call again after Unavailable.
        """
        return self._do(calls.report(result, key, dry_run))

    def amend(
        self, result_id: str, amendment: Amendment, *, version: int | None = None, key: str | None = None
    ) -> Result:
        """Correct a result. version: the one that was read; Stale is raised where it is no longer the newest."""
        return self._do(calls.act(result_id, "amendments", amendment, version, key))

    def recount(
        self, result_id: str, count: RecountAct, *, version: int | None = None, key: str | None = None
    ) -> Result:
        """Record a second count. version, key: as of `amend`."""
        return self._do(calls.act(result_id, "recounts", count, version, key))

    def adjudicate(
        self, result_id: str, group: AdjudicationAct, *, version: int | None = None, key: str | None = None
    ) -> Result:
        """Record the final ISH group that a person named. version, key: as of `amend`."""
        return self._do(calls.act(result_id, "adjudications", group, version, key))

    def sign_off(
        self, result_id: str, sign_off: SignOff, *, version: int | None = None, key: str | None = None
    ) -> Result:
        """Record that a person confirms the present version. version, key: as of `amend`."""
        return self._do(calls.act(result_id, "sign-offs", sign_off, version, key))

    def find_result(self, result_id: str) -> Result:
        """A stored result at its newest version."""
        return self._do(calls.find_result(result_id))

    def list_results(self, *, page_size: int = 100, **narrow: Unpack[ResultFilter]) -> Iterator[ResultRow]:
        """Stored results, the newest first; pages of 1 to 500 are asked for as they are needed."""
        return self._all(calls.list_results(narrow, page_size))

    def history(self, result_id: str) -> History:
        """Every version of a result, the oldest first."""
        return self._do(calls.history(result_id))

    def timeline(self, patient: str, *, system: str | None = None) -> Timeline:
        """A patient's HER2 over specimens. patient: Herald's patient id or a pseudonym; system: who gave it out.

        The pseudonym stands in the address that is asked for, which httpx logs at level INFO.
        """
        return self._do(calls.timeline(patient, system))

    def open_steps(self, *, page_size: int = 100, **narrow: Unpack[StepFilter]) -> Iterator[OpenStep]:
        """What not-final answers wait for, the first due first."""
        return self._all(calls.open_steps(narrow, page_size))

    def send_fhir(
        self, resource: Mapping[str, Any] | bytes, *, key: str | None = None, dry_run: bool = False
    ) -> FhirAnswer:
        """Send a Bundle, Observation or DiagnosticReport (FHIR R4). Bytes go out as they are.

        key: the sender's name of this message; the same bytes from the same sender are one message without it.
        """
        return self._do(calls.send_fhir(resource, key, dry_run))

    @overload
    def send_hl7(self, message: bytes, *, dry_run: Literal[False] = False) -> Acknowledgement: ...
    @overload
    def send_hl7(self, message: bytes, *, dry_run: Literal[True]) -> Document: ...
    def send_hl7(self, message: bytes, *, dry_run: bool = False) -> Acknowledgement | Document:
        """Send an HL7 v2 message and give its acknowledgement, also a negative one; with dry_run what would be read."""
        return self._do(calls.preview_hl7(message)) if dry_run else self._do(calls.send_hl7(message))

    def import_file(self, path: str | Path, *, mapping: str | None = None) -> Job:
        """Send a table (CSV, TSV, Excel, Parquet) to be recorded row by row. mapping: its name at the service."""
        return Job(self, self._do(calls.import_file(Path(path), mapping)))

    def find_import(self, import_id: str) -> Document:
        """How far an import has come."""
        return self._do(calls.find_import(import_id))

    def messages(self, *, page_size: int = 100, **narrow: Unpack[MessageFilter]) -> Iterator[Document]:
        """What was received, the newest first."""
        return self._all(calls.messages(narrow, page_size))

    def message(self, message_id: str) -> Document:
        """One message: what came, what was read, what became of it and why it waits."""
        return self._do(calls.message(message_id))

    def replay(self, message_id: str, person: Person) -> Document:
        """Send a message through again; sent once only, so that Unavailable may leave the outcome unknown."""
        return self._do(calls.replay(message_id, person))

    def _do(self, call: Call[T]) -> T:
        trial = Trial(call)
        for attempt in stamina.retry_context(trial.again, **self._settings.again):
            with attempt:
                try:
                    response = self._http.request(
                        call.method, call.path, params=call.params, headers=call.headers, content=call.content
                    )
                except BROKEN as error:
                    raise trial.broken(error) from error
                return trial.answered(response)
        raise AssertionError("stamina always tries once")

    def _all(self, first: Call[Page[T]]) -> Iterator[T]:
        call: Call[Page[T]] | None = first
        while call is not None:
            page = self._do(call)
            yield from page["items"]
            call = calls.following(call, page)


class Job:
    """An import at work."""

    def __init__(self, herald: Herald, import_id: str) -> None:
        self.id, self._herald = import_id, herald

    def find(self) -> Document:
        """How far it has come."""
        return self._herald.find_import(self.id)

    def wait(self, timeout: float = 600.0, every: float = 1.0) -> Document:
        """The import when it has ended; asked every so many seconds. Raises TimeoutError after timeout seconds."""
        until = time.monotonic() + timeout
        while (document := self.find())["state"] not in SETTLED:
            if time.monotonic() >= until:
                raise TimeoutError(f"the import is still {document['state']} after {timeout} seconds")
            time.sleep(every)
        return document
