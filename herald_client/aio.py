"""The client for code on an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
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


class AsyncHerald:
    """A Herald service: `Herald` with the same calls and arguments, each to be awaited; lists by `async for`."""

    def __init__(
        self,
        base_url: str,
        *,
        sender: str | None = None,
        timeout: float = 30.0,
        retries: int = 5,
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = Settings(base_url, sender, timeout, retries, token)
        self._http = httpx.AsyncClient(**self._settings.http, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def classify(self, case: Case) -> Answer:
        """As in Herald."""
        return await self._do(calls.classify(case))

    async def considerations(self, request: ConsiderationsRequest) -> Considerations:
        """As in Herald."""
        return await self._do(calls.considerations(request))

    async def report(self, result: Report, *, key: str | None = None, dry_run: bool = False) -> Result:
        """As in Herald."""
        return await self._do(calls.report(result, key, dry_run))

    async def amend(
        self, result_id: str, amendment: Amendment, *, version: int | None = None, key: str | None = None
    ) -> Result:
        """As in Herald."""
        return await self._do(calls.act(result_id, "amendments", amendment, version, key))

    async def recount(
        self, result_id: str, count: RecountAct, *, version: int | None = None, key: str | None = None
    ) -> Result:
        """As in Herald."""
        return await self._do(calls.act(result_id, "recounts", count, version, key))

    async def adjudicate(
        self, result_id: str, group: AdjudicationAct, *, version: int | None = None, key: str | None = None
    ) -> Result:
        """As in Herald."""
        return await self._do(calls.act(result_id, "adjudications", group, version, key))

    async def sign_off(
        self, result_id: str, sign_off: SignOff, *, version: int | None = None, key: str | None = None
    ) -> Result:
        """As in Herald."""
        return await self._do(calls.act(result_id, "sign-offs", sign_off, version, key))

    async def find_result(self, result_id: str) -> Result:
        """As in Herald."""
        return await self._do(calls.find_result(result_id))

    def list_results(self, *, page_size: int = 100, **narrow: Unpack[ResultFilter]) -> AsyncIterator[ResultRow]:
        """As in Herald."""
        return self._all(calls.list_results(narrow, page_size))

    async def history(self, result_id: str) -> History:
        """As in Herald."""
        return await self._do(calls.history(result_id))

    async def timeline(self, patient: str, *, system: str | None = None) -> Timeline:
        """As in Herald."""
        return await self._do(calls.timeline(patient, system))

    def open_steps(self, *, page_size: int = 100, **narrow: Unpack[StepFilter]) -> AsyncIterator[OpenStep]:
        """As in Herald."""
        return self._all(calls.open_steps(narrow, page_size))

    async def send_fhir(
        self, resource: Mapping[str, Any] | bytes, *, key: str | None = None, dry_run: bool = False
    ) -> FhirAnswer:
        """As in Herald."""
        return await self._do(calls.send_fhir(resource, key, dry_run))

    @overload
    async def send_hl7(self, message: bytes, *, dry_run: Literal[False] = False) -> Acknowledgement: ...
    @overload
    async def send_hl7(self, message: bytes, *, dry_run: Literal[True]) -> Document: ...
    async def send_hl7(self, message: bytes, *, dry_run: bool = False) -> Acknowledgement | Document:
        """As in Herald."""
        if dry_run:
            return await self._do(calls.preview_hl7(message))
        return await self._do(calls.send_hl7(message))

    async def import_file(self, path: str | Path, *, mapping: str | None = None) -> AsyncJob:
        """As in Herald."""
        return AsyncJob(self, await self._do(calls.import_file(Path(path), mapping)))

    async def find_import(self, import_id: str) -> Document:
        """As in Herald."""
        return await self._do(calls.find_import(import_id))

    def messages(self, *, page_size: int = 100, **narrow: Unpack[MessageFilter]) -> AsyncIterator[Document]:
        """As in Herald."""
        return self._all(calls.messages(narrow, page_size))

    async def message(self, message_id: str) -> Document:
        """As in Herald."""
        return await self._do(calls.message(message_id))

    async def replay(self, message_id: str, person: Person) -> Document:
        """As in Herald."""
        return await self._do(calls.replay(message_id, person))

    async def _do(self, call: Call[T]) -> T:
        trial = Trial(call)
        async for attempt in stamina.retry_context(trial.again, **self._settings.again):
            with attempt:
                try:
                    response = await self._http.request(
                        call.method, call.path, params=call.params, headers=call.headers, content=call.content
                    )
                except BROKEN as error:
                    raise trial.broken(error) from error
                return trial.answered(response)
        raise AssertionError("stamina always tries once")

    async def _all(self, first: Call[Page[T]]) -> AsyncIterator[T]:
        call: Call[Page[T]] | None = first
        while call is not None:
            page = await self._do(call)
            for each in page["items"]:
                yield each
            call = calls.following(call, page)


class AsyncJob:
    """An import at work."""

    def __init__(self, herald: AsyncHerald, import_id: str) -> None:
        self.id, self._herald = import_id, herald

    async def find(self) -> Document:
        """How far it has come."""
        return await self._herald.find_import(self.id)

    async def wait(self, timeout: float = 600.0, every: float = 1.0) -> Document:  # noqa: ASYNC109
        """The import when it has ended; asked every so many seconds. Raises TimeoutError after timeout seconds."""
        until = time.monotonic() + timeout
        while (document := await self.find())["state"] not in SETTLED:
            if time.monotonic() >= until:
                raise TimeoutError(f"the import is still {document['state']} after {timeout} seconds")
            await asyncio.sleep(every)
        return document
