"""/fhir: HER2 results in and out as FHIR R4 JSON. Every error is an OperationOutcome."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.bodies import json_bytes, json_object
from app.api.problems import KINDS, known_parameters
from app.domain.problems import Problem
from app.domain.strict_json import write
from app.services import fhir_classify, fhir_exchange
from app.services.errors import Refusal
from app.services.fhir_exchange import Answer
from app.services.payloads import FHIR_JSON, Outcome, Payload
from app.services.reporting import Context

_ACCEPTED = ("application/fhir+json", "application/json", "application/*", "*/*")
_FORMATS = ("json", "application/json", "application/fhir+json", "application/fhir json")
_PRINTABLE = r"^[\x20-\x7e]{1,100}$"
_KEY = r"^[\x21-\x7e]{1,200}$"


def accepts_json(
    request: Request,
    format: Annotated[str | None, Query(alias="_format", description="json, or application/fhir+json")] = None,
) -> None:
    """Refuse a request that wants another format than JSON. _format counts before Accept."""
    if format is not None:
        fits = format in _FORMATS
    else:
        ranges = [each.split(";") for each in request.headers.get("accept", "*/*").split(",")]
        fits = any(
            kind.strip().lower() in _ACCEPTED and "q=0" not in [each.strip() for each in parameters]
            for kind, *parameters in ranges
        )
    if not fits:
        field = "Accept" if format is None else "_format"
        problem = Problem("UNSUPPORTED", field, "is not JSON", "send Accept: application/fhir+json")
        raise Refusal("not_acceptable", "Only JSON is given.", [problem])


router = APIRouter(tags=["fhir"], prefix="/fhir", dependencies=[Depends(known_parameters), Depends(accepts_json)])

Message = Annotated[bytes, Depends(json_bytes)]
Sender = Annotated[
    str, Header(alias="Herald-Sender", pattern=_PRINTABLE, description="the sending system, whose feed maps the codes")
]
RequestId = Annotated[str, Header(alias="X-Request-Id", pattern=_KEY, description="what the sender calls the message")]
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", pattern=_KEY, description="the same, counts before X-Request-Id")
]


def _payload(message: Message, sender: Sender = "", request_id: RequestId = "", key: IdempotencyKey = "") -> Payload:
    return fhir_exchange.payload(message, sender, key or request_id)


Sent = Annotated[Payload, Depends(_payload)]
DryRun = Annotated[bool, Query(description="what would be read; nothing is stored")]
_WRITES = ("malformed", "unsupported", "not_acceptable", "too_large", "conflict", "busy", "unavailable")
_READS = ("malformed", "not_found", "not_acceptable", "unavailable")


def _content(*kinds: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string", "enum": list(kinds)}},
    }
    return {FHIR_JSON: {"schema": schema}}


def _answers(kinds: tuple[str, ...], *errors: str, **more: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of a route: what 200 holds, further successes (s201="..."), errors."""
    told: dict[int | str, dict[str, Any]] = {200: {"description": "Done", "content": _content(*kinds)}}
    for status, words in more.items():
        told[int(status[1:])] = {"description": words, "content": _content("OperationOutcome")}
    for kind in (*errors, "internal"):
        status_code, title = KINDS[kind]
        description = f"{told[status_code]['description']}; {title}" if status_code in told else title
        told[status_code] = {"description": description, "content": _content("OperationOutcome")}
    return told


def _takes(*kinds: str) -> dict[str, Any]:
    content = _content(*kinds)
    return {"requestBody": {"required": True, "content": {**content, "application/json": content[FHIR_JSON]}}}


_ENDED = {
    "s202": "Kept; it waits for a person, the issues say why",
    "s422": "Refused: training data, or a rule of the inbox",
}
_DONE = {"s201": "Recorded; Location names the result", **_ENDED}


def _base(request: Request) -> str:
    return f"{request.base_url}fhir"


def _sent(resource: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(write(resource), status, headers, media_type=FHIR_JSON)


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


def _preview(request: Request, sent: Payload) -> Outcome:
    became: Outcome = request.app.state.intake.preview(sent)
    return became


async def _taken(request: Request, sent: Payload, dry_run: bool) -> Response:
    if dry_run:
        return _sent(fhir_exchange.validated(await run_in_threadpool(_preview, request, sent)))
    answer: Answer = await fhir_exchange.receive(request.app.state.desk, sent)
    headers = {"Location": f"{_base(request)}/{answer.location}"} if answer.location else {}
    return _sent(answer.resource, answer.status, headers)


@router.post(
    "",
    operation_id="fhir_bundle",
    responses=_answers(("Bundle", "OperationOutcome"), *_WRITES, **_DONE),
    openapi_extra=_takes("Bundle"),
)
async def take_bundle(request: Request, sent: Sent, dry_run: DryRun = False) -> Response:
    """A transaction, batch, collection or message Bundle: kept as it came, then read and recorded."""
    return await _taken(request, sent, dry_run)


@router.post(
    "/Observation",
    operation_id="fhir_create_observation",
    responses=_answers(("OperationOutcome",), *_WRITES, **_DONE),
    openapi_extra=_takes("Observation"),
)
async def take_observation(request: Request, sent: Sent, dry_run: DryRun = False) -> Response:
    """One Observation: kept as it came, then read and recorded."""
    return await _taken(request, sent, dry_run)


@router.post(
    "/DiagnosticReport",
    operation_id="fhir_create_report",
    responses=_answers(("OperationOutcome",), *_WRITES, **_DONE),
    openapi_extra=_takes("DiagnosticReport"),
)
async def take_report(request: Request, sent: Sent, dry_run: DryRun = False) -> Response:
    """A DiagnosticReport with its Observations contained: kept as it came, then read and recorded."""
    return await _taken(request, sent, dry_run)


@router.post(
    "/$validate",
    operation_id="fhir_validate",
    responses=_answers(("OperationOutcome",), *_WRITES),
    openapi_extra=_takes("Bundle", "Observation", "DiagnosticReport"),
)
async def validate(request: Request, message: Message, sender: Sender = "") -> Response:
    """What would be read and what would be wrong; nothing is stored."""
    return await _taken(request, fhir_exchange.payload(message, sender, ""), True)


@router.post(
    "/Observation/$validate",
    operation_id="fhir_validate_observation",
    responses=_answers(("OperationOutcome",), *_WRITES),
    openapi_extra=_takes("Observation"),
)
async def validate_observation(request: Request, message: Message, sender: Sender = "") -> Response:
    """What would be read of an Observation; nothing is stored."""
    return await _taken(request, fhir_exchange.payload(message, sender, ""), True)


@router.post(
    "/$classify-her2",
    operation_id="fhir_classify_her2",
    responses=_answers(("Parameters",), *_WRITES),
    openapi_extra=_takes("Parameters", "Bundle", "Observation"),
)
async def classify_her2(
    request: Request, body: Annotated[dict[str, Any], Depends(json_object)], sender: Sender = ""
) -> Response:
    """Classify Observations, or simple values (ihc, ratio, copies, cep17, cells, edition). Nothing is stored."""

    def classified() -> dict[str, Any]:
        sign_off = _context(request).sign_off
        return fhir_classify.classify(body, lambda sent: _preview(request, sent), sender, sign_off=sign_off)

    return _sent(await run_in_threadpool(classified))


@router.get(
    "/metadata",
    operation_id="fhir_metadata",
    responses=_answers(("CapabilityStatement",), "malformed", "not_acceptable"),
)
def metadata(request: Request) -> Response:
    """What this service can do over FHIR."""
    return _sent(fhir_exchange.capability_statement(_base(request)))


@router.get(
    "/Observation",
    operation_id="fhir_search_observations",
    responses=_answers(("Bundle",), "malformed", "not_acceptable", "unavailable"),
)
def search_observations(
    request: Request,
    patient: Annotated[str, Query(min_length=1, max_length=100, description="id, or Patient/id")],
    code: Annotated[str | None, Query(min_length=1, max_length=1000, description="system|code, commas between")] = None,
) -> Response:
    """A patient's Observations: classifications and what they were made from."""
    return _sent(fhir_exchange.search_observations(_context(request), patient, code, _base(request)))


@router.get(
    "/Patient/{id}/$everything",
    operation_id="fhir_patient_everything",
    responses=_answers(("Bundle",), *_READS),
)
def everything(request: Request, id: str) -> Response:
    """A patient's results with all that they refer to."""
    return _sent(fhir_exchange.everything(_context(request), id, _base(request)))


@router.get(
    "/{kind}/{id}",
    operation_id="fhir_read",
    responses=_answers(("Observation", "DiagnosticReport", "Specimen", "Patient"), *_READS),
)
def read(request: Request, kind: str, id: str) -> Response:
    """One Observation, DiagnosticReport, Specimen or Patient at its newest version."""
    resource = fhir_exchange.find_resource(_context(request), kind, id)
    version = resource.get("meta", {}).get("versionId")
    return _sent(resource, headers={"ETag": f'W/"{version}"'} if version else {})
