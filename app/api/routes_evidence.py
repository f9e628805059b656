"""/considerations, /evidence, /references: what the pack says, for a context or by search; the pack in its formats."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.api import answers
from app.api.bodies import encode, json_object
from app.api.problems import documented, known_parameters
from app.domain import codes
from app.domain.evidence import (
    BIOMARKERS,
    DESIGNS,
    DIRECTIONS,
    MENOPAUSAL,
    PATIENT_SETTINGS,
    RECEPTORS,
    SETTINGS,
    SPECIMENS,
    UNKNOWN,
)
from app.services import evidence
from app.services.reporting import Context

router = APIRouter(tags=["evidence"], dependencies=[Depends(known_parameters)])

_FHIR = "application/fhir+json"


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Use = Annotated[Context, Depends(_context)]


def _found(document: Any, media_type: str = "application/json") -> Response:
    return Response(encode(document), media_type=media_type)


@router.post(
    "/considerations",
    operation_id="weigh",
    responses={
        200: {"model": answers.Considerations},
        **documented("invalid", "malformed", "unsupported", "too_large", "not_found", "unavailable"),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ConsiderationsRequest"}}},
        }
    },
)
def weigh(body: Annotated[dict[str, Any], Depends(json_object)], use: Use) -> Response:
    """What the evidence says for a context, beside a stored result, a case, or a HER2 class. Nothing is stored."""
    return _found(evidence.considerations(use, body))


@router.get(
    "/considerations",
    operation_id="weigh_query",
    responses={200: {"model": answers.Considerations}, **documented("invalid")},
)
def weigh_query(
    use: Use,
    status: Literal[tuple(codes.STATUSES)],  # type: ignore[valid-type]
    final: bool,
    her2_low: Literal[tuple(codes.HER2_LOW)] | None = None,  # type: ignore[valid-type]
    ihc: Literal["0", "1+", "2+", "3+", "none", "unusable"] | None = None,
    er: Literal[RECEPTORS] | None = None,  # type: ignore[valid-type]
    pgr: Literal[RECEPTORS] | None = None,  # type: ignore[valid-type]
    setting: Literal[(*PATIENT_SETTINGS, UNKNOWN)] | None = None,  # type: ignore[valid-type]
    menopausal_status: Literal[MENOPAUSAL] | None = None,  # type: ignore[valid-type]
    line: Annotated[int | None, Query(ge=1, le=99)] = None,
    prior_therapies: Annotated[str | None, Query(max_length=1000, description="separated by ;")] = None,
    biomarkers_positive: Annotated[
        str | None, Query(max_length=500, description=f"separated by ; from {', '.join(BIOMARKERS)}")
    ] = None,
    specimen_kind: Literal[SPECIMENS] | None = None,  # type: ignore[valid-type]
) -> Response:
    """The same from a query, for a HER2 class: /considerations?status=positive&final=true&er=positive."""
    her2 = {"status": status, "final": final, "her2_low": her2_low, "ihc": ihc}
    told: dict[str, Any] = {
        "er": er, "pgr": pgr, "setting": setting, "menopausal_status": menopausal_status, "line": line,
        "prior_therapies": _split(prior_therapies),
    }  # fmt: skip
    if biomarkers_positive is not None:
        told["biomarkers"] = dict.fromkeys(_split(biomarkers_positive) or (), "positive")
    kind = None if specimen_kind == UNKNOWN else specimen_kind
    return _found(evidence.considerations(use, {"her2": her2, "context": told, "specimen_kind": kind}))


def _split(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(";") if part.strip()]


@router.get(
    "/evidence",
    operation_id="search_evidence",
    responses={200: {"model": answers.StatementPage}, **documented("invalid", "bad_cursor")},
)
def search_evidence(
    q: Annotated[str | None, Query(max_length=200, description="words that must all occur")] = None,
    setting: Literal[SETTINGS] | None = None,  # type: ignore[valid-type]
    drug: Annotated[str | None, Query(max_length=100, description="a name, or a class of the pack")] = None,
    biomarker: Annotated[Literal[tuple(evidence.BIOMARKERS)] | None, Query()] = None,  # type: ignore[valid-type]
    direction: Literal[DIRECTIONS] | None = None,  # type: ignore[valid-type]
    design: Literal[DESIGNS] | None = None,  # type: ignore[valid-type]
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Statements of the pack in the source's order, narrowed by what is given."""
    return _found(evidence.search(q, setting, drug, biomarker, direction, design, cursor, limit))


@router.get("/evidence/packs", operation_id="list_packs", responses={200: {"model": list[answers.PackIdentity]}})
def list_packs(use: Use) -> Response:
    """The packs at hand, each with its digest and changelog: what ships with Herald, then the hospital's own."""
    return _found(evidence.packs(use.packs))


@router.get(
    "/evidence/packs/{pack}",
    operation_id="download_pack",
    responses={
        200: {"model": answers.WholePack, "content": {"text/tab-separated-values": {}}},
        **documented("not_found", "invalid"),
    },
)
def download_pack(pack: str, format: Literal["json", "tsv", "va-spec"] = "json") -> Response:
    """The whole pack: JSON, TSV (a line for each effect), or statements in the shape of GA4GH VA-Spec."""
    text, media_type = evidence.pack_as(pack, format)
    name = {"json": "json", "tsv": "tsv", "va-spec": "va-spec.json"}[format]
    return Response(text, media_type=media_type, headers={"Content-Disposition": f'inline; filename="{pack}.{name}"'})


@router.get(
    "/evidence/packs/{pack}/difference",
    operation_id="compare_packs",
    responses={200: {"model": answers.PackDifference}, **documented("not_found", "invalid")},
)
def compare_packs(
    pack: str, before: Annotated[str, Query(max_length=40)], after: Annotated[str, Query(max_length=40)]
) -> Response:
    """What was added, removed and changed between two versions of a pack, field by field."""
    return _found(evidence.pack_changes(pack, before, after))


@router.get(
    "/evidence/{statement}",
    operation_id="find_statement",
    responses={
        200: {"model": answers.StatementView, "content": {_FHIR: {}}},
        **documented("not_found", "invalid"),
    },
)
def find_statement(statement: str, format: Literal["json", "fhir"] = "json") -> Response:
    """One statement with its citation and permanent link; format=fhir: as a FHIR R4B Evidence."""
    if format == "fhir":
        return _found(evidence.statement_as_fhir(statement), _FHIR)
    return _found(evidence.statement(statement))


@router.get("/references", operation_id="list_references", responses={200: {"model": answers.ReferenceList}})
def list_references() -> Response:
    """Every work that the pack cites; title, DOI and PMID only where they were seen in a source."""
    return _found(evidence.references())


@router.get(
    "/references/{key}",
    operation_id="find_reference",
    responses={
        200: {"model": answers.ReferenceView, "content": {_FHIR: {}}},
        **documented("not_found", "invalid"),
    },
)
def find_reference(key: str, format: Literal["json", "fhir"] = "json") -> Response:
    """One work, with the statements that cite it; format=fhir: as a FHIR R4B Citation."""
    if format == "fhir":
        return _found(evidence.reference_as_fhir(key), _FHIR)
    return _found(evidence.reference(key))
