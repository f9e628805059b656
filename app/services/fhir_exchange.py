"""FHIR in and out: a message to the inbox and its answer; stored results as resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from app import ENGINE_VERSION
from app.domain.problems import Problem
from app.domain.strict_json import NotJson, read_object
from app.interop.fhir import capability, outcome, writing
from app.interop.fhir.outcome import Resource
from app.services import finding
from app.services.errors import Refusal
from app.services.payloads import FHIR_JSON, Desk, Outcome, Payload
from app.services.reporting import Context
from app.services.views import COMPUTED

# Codes of a message that cannot even be read; it is kept all the same.
_UNREAD = frozenset({"UNREADABLE", "UNSUPPORTED"})


class Answer(NamedTuple):
    """What a door sends back. status: of HTTP; location: relative to the FHIR endpoint, "" where nothing was made."""

    status: int
    resource: Resource
    location: str = ""


def payload(message: bytes, sender: str, control_id: str) -> Payload:
    """A FHIR message as the intake takes it."""
    return Payload(message, FHIR_JSON, sender, control_id)


async def receive(desk: Desk, sent: Payload) -> Answer:
    """Keep a message, then record it, and answer what became of it. Raises Refusal("busy") and ("unavailable")."""
    kept = await desk.keep(sent)
    return answered(sent.message, await desk.record(kept))


def answered(message: bytes, became: Outcome) -> Answer:
    """What became of a message, as FHIR tells it: see docs of the routes for the status codes."""
    if became.state in ("quarantined", "received", "processing"):
        unread = became.step == "read" or any(each.code in _UNREAD for each in became.problems)
        severity: outcome.Severity = "error" if unread else "warning"
        waits = outcome.issue("informational", f"Kept as message {became.message_id}; it waits for a person.")
        issues = [*outcome.problem_issues(became.problems, severity), waits]
        return Answer(400 if unread else 202, outcome.operation_outcome(issues))
    if became.state == "refused":
        reused = any(each.code == "CONTROL_ID_REUSED" for each in became.problems)
        return Answer(409 if reused else 422, outcome.operation_outcome(outcome.problem_issues(became.problems)))
    document = _object(message)
    if document.get("type") in ("transaction", "batch"):
        return Answer(200, outcome.response_bundle(document, became.results, became.lines))
    return _recorded(became)


def _recorded(became: Outcome) -> Answer:
    issues = [*outcome.problem_issues(became.problems, "warning"), *(_told(each) for each in became.results)]
    if not became.results:
        issues.append(outcome.issue("informational", "Kept; nothing in it gives a HER2 result."))
    changed = [each for each in became.results if each.get("changed", True)]
    if len(changed) == 1 and len(became.results) == 1:
        location = f"Observation/{changed[0]['id']}/_history/{changed[0]['version']}"
        return Answer(201, outcome.operation_outcome(issues), location)
    return Answer(200, outcome.operation_outcome(issues))


def _told(result: dict[str, Any]) -> Resource:
    place = f"Observation/{result['id']} version {result['version']}: " if result.get("id") else ""
    final = "final" if result["final"] else "not final"
    return outcome.issue("informational", f"{place}HER2 {result['status']}, {final}")


def validated(became: Outcome) -> Resource:
    """What would become of a message of which nothing was stored: every problem, else what each line gives."""
    issues = [
        *outcome.problem_issues(became.problems),
        *outcome.line_issues(became.lines),
        *(_told(each) for each in became.results),
    ]
    return outcome.operation_outcome(issues)


def _object(message: bytes) -> dict[str, Any]:
    try:
        return read_object(message)
    except NotJson:
        return {}


# ---- and back


def capability_statement(base: str) -> Resource:
    """What this service can do."""
    return capability.capability_statement(base, ENGINE_VERSION)


def _resources(context: Context, result_id: str) -> list[Resource]:
    """The resources of a result; Refusal where there is none, or where its content was erased."""
    result = finding.find_result(context, result_id)
    *earlier, _ = finding.find_history(context, result_id)["versions"]
    final_before = any(each["classification"] and each["classification"]["final"] for each in earlier)
    awaited = result["confirmation"] == COMPUTED
    return writing.resources_of(result, final_before=final_before, awaits_sign_off=awaited)


def find_resource(context: Context, kind: str, id: str) -> Resource:
    """One Observation, DiagnosticReport, Specimen or Patient. Raises Refusal("not_found")."""
    if kind not in ("Observation", "DiagnosticReport", "Specimen", "Patient"):
        raise Refusal("not_found", "There is no such kind of resource here.")
    if kind == "Patient":
        return _patient(finding.find_patient(context, id))
    for each in _resources(context, id[:36]):
        if (each["resourceType"], each["id"]) == (kind, id):
            return each
    raise Refusal("not_found", f"There is no such {kind}.")


def _patient(found: dict[str, Any]) -> Resource:
    return writing.patient(found["id"], found["identifiers"])


def everything(context: Context, patient_id: str, base: str) -> Resource:
    """A patient's results with all that they refer to, as one Bundle."""
    found = finding.find_patient(context, patient_id)
    return writing.bundle(base, [_patient(found), *_of_patient(context, found)])


def search_observations(context: Context, patient: str, codes: str | None, base: str) -> Resource:
    """A patient's Observations. patient: id or Patient/id; codes: FHIR tokens (system|code or code), commas between."""
    try:
        found = finding.find_patient(context, patient.removeprefix("Patient/"))
    except Refusal as refused:
        if refused.kind != "not_found":
            raise
        return writing.bundle(base, [])
    wanted = None if codes is None else [each.rpartition("|")[::2] for each in codes.split(",")]
    observations = [
        each
        for each in _of_patient(context, found)
        if each["resourceType"] == "Observation" and (wanted is None or _is_coded(each, wanted))
    ]
    return writing.bundle(base, observations)


def _of_patient(context: Context, found: dict[str, Any]) -> Iterator[Resource]:
    for result_id in found["results"]:
        yield from _resources(context, result_id)


def _is_coded(observation: Resource, wanted: Sequence[tuple[str, ...]]) -> bool:
    codings = observation["code"]["coding"]
    return any(code == each["code"] and system in ("", each["system"]) for each in codings for system, code in wanted)


def refused(kind: str, detail: str, problems: Sequence[Problem]) -> Resource:
    """A request that was not done, as an OperationOutcome. kind: of a Refusal."""
    issues = outcome.problem_issues(problems)
    return outcome.operation_outcome(issues or [outcome.issue(_KINDS.get(kind, "invalid"), detail, "error")])


_KINDS = {
    "malformed": "structure", "unsupported": "not-supported", "not_found": "not-found", "busy": "transient",
    "method_not_allowed": "not-supported", "too_large": "too-long", "unavailable": "transient", "internal": "exception",
    "conflict": "conflict", "key_conflict": "conflict", "not_acceptable": "not-supported",
}  # fmt: skip
