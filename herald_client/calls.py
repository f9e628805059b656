"""Each call as data: what is sent, how the answer is read, whether it may be sent again. No socket is touched here."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, TypedDict, TypeVar, cast
from urllib.parse import quote

import httpx

from herald_client.answers import Answer, Considerations, History, OpenStep, Result, ResultRow, Timeline
from herald_client.errors import HeraldError
from herald_client.sent import (
    AdjudicationAct,
    Amendment,
    Case,
    ConsiderationsRequest,
    RecountAct,
    Report,
    SignOff,
)
from herald_client.wire import Acknowledgement, acknowledgement, from_json, to_json

T = TypeVar("T")
Document = dict[str, Any]
_JSON, _FHIR, _HL7 = "application/json", "application/fhir+json", "x-application/hl7-v2+er7"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# By the end of a file's name.
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xlsx": _SHEET,
    ".parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call. stores: it may change the record; repeatable: sending it twice is the same as sending it once."""

    method: Literal["GET", "POST"]
    path: str
    read: Callable[[httpx.Response], T]
    params: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    content: bytes | None = None
    stores: bool = False
    repeatable: bool = True


class FhirAnswer(NamedTuple):
    """What became of a FHIR message. location: of the Observation that it gave, "" where not one."""

    status: int
    resource: Document
    location: str

    @property
    def waits(self) -> bool:
        """It is kept, but waits for a person: the issues of the resource say why."""
        return self.status == 202


class Person(TypedDict):
    """Who sends a message through again, and why."""

    name: str
    role: str
    reason: str


class MessageFilter(TypedDict, total=False):
    """What a list of messages is narrowed by. state: as in docs/connect-your-lis.md."""

    state: str
    sender: str
    accession: str


def classify(case: Case) -> Call[Answer]:
    return _post("/her2/classify", case, _document, stores=False)


def considerations(request: ConsiderationsRequest) -> Call[Considerations]:
    return _post("/considerations", request, _document, stores=False)


def report(result: Report, key: str | None, dry_run: bool) -> Call[Result]:
    return _post("/results", result, _document, params=_dry(dry_run), headers=_keyed(key), stores=not dry_run)


def act(
    result_id: str,
    verb: Literal["amendments", "recounts", "adjudications", "sign-offs"],
    body: Amendment | RecountAct | AdjudicationAct | SignOff,
    version: int | None,
    key: str | None,
) -> Call[Result]:
    headers = _keyed(key) if version is None else {**_keyed(key), "If-Match": f'"{version}"'}
    return _post(f"{_result(result_id)}/{verb}", body, _document, headers=headers)


def find_result(result_id: str) -> Call[Result]:
    return Call("GET", _result(result_id), _document)


def history(result_id: str) -> Call[History]:
    return Call("GET", f"{_result(result_id)}/history", _document)


def timeline(patient: str, system: str | None) -> Call[Timeline]:
    return Call("GET", f"/patients/{quote(patient, safe='')}/her2", _document, params=_query({"system": system}))


def list_results(narrow: Mapping[str, object], limit: int) -> Call[Page[ResultRow]]:
    return Call("GET", "/results", _page, params=_query({**narrow, "limit": limit}))


def open_steps(narrow: Mapping[str, object], limit: int) -> Call[Page[OpenStep]]:
    return Call("GET", "/open-steps", _page, params=_query({**narrow, "limit": limit}))


def send_fhir(resource: Mapping[str, Any] | bytes, key: str | None, dry_run: bool) -> Call[FhirAnswer]:
    content = resource if isinstance(resource, bytes) else to_json(resource)
    kind = _resource_type(resource)
    path = f"/fhir/{kind}" if kind in ("Observation", "DiagnosticReport") else "/fhir"
    headers = {"Content-Type": _FHIR, "Accept": _FHIR}
    if key is not None:
        headers["Idempotency-Key"] = key
    # the same bytes from the same sender are one message, so they may be sent again without a key
    return Call("POST", path, _fhir_answer, params=_dry(dry_run), headers=headers, content=content, stores=not dry_run)


def send_hl7(message: bytes) -> Call[Acknowledgement]:
    return Call("POST", "/hl7v2", _acknowledged, headers={"Content-Type": _HL7}, content=message, stores=True)


def preview_hl7(message: bytes) -> Call[Document]:
    return Call("POST", "/hl7v2", _document, params=_dry(True), headers={"Content-Type": _HL7}, content=message)


def import_file(path: Path, mapping: str | None) -> Call[str]:
    media_type = MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        raise ValueError(f"send a file that ends in {', '.join(MEDIA_TYPES)}")
    return Call(
        "POST",
        "/imports",
        _location,
        params=_query({"mapping": mapping}),
        headers={"Content-Type": media_type},
        content=path.read_bytes(),
        stores=True,
    )


def find_import(import_id: str) -> Call[Document]:
    return Call("GET", f"/imports/{quote(import_id, safe='')}", _document)


def messages(narrow: Mapping[str, object], limit: int) -> Call[Page[Document]]:
    return Call("GET", "/messages", _page, params=_query({**narrow, "limit": limit}))


def message(message_id: str) -> Call[Document]:
    return Call("GET", f"/messages/{quote(message_id, safe='')}", _document)


def replay(message_id: str, person: Person) -> Call[Document]:
    path = f"/messages/{quote(message_id, safe='')}/replay"
    return _post(path, person, _document, repeatable=False)


class Page(TypedDict, Generic[T]):
    """Some of a list; next_cursor asks for what follows."""

    items: list[T]
    next_cursor: str | None


def following(call: Call[Page[T]], page: Page[T]) -> Call[Page[T]] | None:
    """The call for the next page, None after the last."""
    cursor = page.get("next_cursor")
    return dataclasses.replace(call, params={**call.params, "cursor": cursor}) if cursor else None


def _post(
    path: str,
    body: Mapping[str, Any],
    read: Callable[[httpx.Response], T],
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    stores: bool = True,
    repeatable: bool = True,
) -> Call[T]:
    sent = {"Content-Type": _JSON, **(headers or {})}
    return Call("POST", path, read, params or {}, sent, to_json(body), stores, repeatable)


def _resource_type(resource: Mapping[str, Any] | bytes) -> object:
    """The type of a resource, None of bytes that are none: those go to the door that keeps them and says why."""
    if isinstance(resource, bytes):
        with suppress(HeraldError):
            read = from_json(resource)
            return read.get("resourceType") if isinstance(read, dict) else None
        return None
    return resource.get("resourceType")


def _keyed(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4()) if key is None else key}


def _result(result_id: str) -> str:
    return f"/results/{quote(result_id, safe='')}"


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dry_run": "true"} if dry_run else {}


def _query(wanted: Mapping[str, object]) -> dict[str, str]:
    told = {name: value for name, value in wanted.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in told.items()}


def _document(response: httpx.Response) -> Any:
    document = from_json(response.content)
    if not isinstance(document, dict):
        raise HeraldError("the answer is no JSON object: is base_url the address of Herald?")
    return document


def _page(response: httpx.Response) -> Any:
    document = _document(response)
    if not isinstance(document.get("items"), list):
        raise HeraldError("the answer is no list: is base_url the address of Herald?")
    return document


def _fhir_answer(response: httpx.Response) -> FhirAnswer:
    return FhirAnswer(response.status_code, _document(response), response.headers.get("Location", ""))


def _acknowledged(response: httpx.Response) -> Acknowledgement:
    return acknowledgement(response.content)


def _location(response: httpx.Response) -> str:
    import_id = response.headers.get("Location", "").rpartition("/")[2]
    if not import_id:
        raise HeraldError("the answer does not say where the import stands: is base_url the address of Herald?")
    return cast(str, import_id)
