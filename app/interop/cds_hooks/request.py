"""The request of a hook, every problem told by its field. Orders are read leniently, prefetched data strictly.

The standard's own example of order-select and the public sandbox send orders that are not valid FHIR R4 (a Bundle
without type, category and doseAndRate as objects, no medication yet): of an order only its medication is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.problems import Problem
from app.interop.cds_hooks.orders import Draft, drafts_of
from app.interop.cds_hooks.services import CONDITIONS, OBSERVATIONS, PATIENT, Service

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_USER = re.compile(r"(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9.-]{1,64}", re.ASCII)
_SERVER = re.compile(r"https?://[^\s?#/]+[^\s?#]*", re.ASCII)
_LEFT_OUT = ("incomplete", "suppressed", "security", "forbidden", "timeout", "too-costly", "throttled")
_TYPES = {
    PATIENT: ("Patient",),
    OBSERVATIONS: ("Observation", "Specimen", "DiagnosticReport"),
    CONDITIONS: ("Condition",),
}


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What came under one key. satisfied: False where the key is missing, or an OperationOutcome stands there.

    complete: False for one page of a longer list.
    """

    resources: tuple[Mapping[str, Any], ...] = ()
    satisfied: bool = True
    complete: bool = True


MISSING = Prefetched(satisfied=False)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A request that can be answered. fhir_server, token: "" where not sent; drafts: the selected medications."""

    hook_instance: str
    patient_id: str
    fhir_server: str = ""
    token: str = ""
    prefetch: Mapping[str, Prefetched] = field(default_factory=dict)
    drafts: tuple[Draft, ...] = ()

    def of(self, key: str) -> Prefetched:
        """What came under a key of the prefetch templates."""
        return self.prefetch.get(key, MISSING)


class _Members:
    """The members of an object of the request, taken by type; what is wrong is noted by its field."""

    def __init__(self, members: Mapping[str, Any], where: str, problems: list[Problem]) -> None:
        self.members, self.where, self.problems = members, where, problems

    def at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def note(self, code: str, name: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(code, self.at(name), message, remedy))

    def text(self, name: str, pattern: re.Pattern[str], wanted: str, *, needed: bool = True) -> str:
        value = self.members.get(name)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        if value is None and not needed and name not in self.members:
            return ""
        if name not in self.members:
            self.note("MISSING_FIELD", name, "is needed", f"send {wanted}")
        else:
            self.note("WRONG_TYPE", name, f"is not {wanted}", f"send {wanted}")
        return ""

    def object(self, name: str, *, needed: bool = True) -> _Members | None:
        value = self.members.get(name)
        if isinstance(value, Mapping):
            return _Members(value, self.at(name), self.problems)
        if name in self.members:
            self.note("WRONG_TYPE", name, "is not an object", "send an object")
        elif needed:
            self.note("MISSING_FIELD", name, "is needed", "send an object")
        return None


_ANY = re.compile(r".+", re.DOTALL)


def read_request(body: Mapping[str, Any], service: Service) -> HookRequest | tuple[Problem, ...]:
    """The request of a service's hook, or everything that is wrong with it. Members that are not known are let be."""
    problems: list[Problem] = []
    root = _Members(body, "", problems)
    hook = root.text("hook", _ANY, "the name of the hook")
    if hook and hook != service.hook:
        root.note("UNKNOWN_VALUE", "hook", "is not the hook of this service", f"send {service.hook}")
    instance = root.text("hookInstance", _UUID, "a UUID")
    server, token = _access(root)
    patient, drafts = "", tuple[Draft, ...]()
    if (context := root.object("context")) is not None:
        context.text("userId", _USER, "a reference such as Practitioner/abc")
        patient = context.text("patientId", _ID, "the FHIR id of the patient")
        context.text("encounterId", _ID, "the FHIR id of the encounter", needed=False)
        if service.hook == "order-select":
            drafts = drafts_of(context.members, problems)
    given = root.object("prefetch", needed=False)
    prefetch = {key: _prefetched(given, key, patient, server) for key in _TYPES} if given else {}
    return tuple(problems) or HookRequest(instance, patient, server, token, prefetch, drafts)


def _access(root: _Members) -> tuple[str, str]:
    """fhirServer without a slash at its end, and the token to read there."""
    given = root.object("fhirAuthorization", needed=False)
    server = root.text("fhirServer", _SERVER, "an address beginning with https://", needed=given is not None)
    if given is None:
        return server.rstrip("/"), ""
    token = given.text("access_token", _ANY, "a text")
    kind = given.text("token_type", _ANY, "Bearer")
    if kind and kind.casefold() != "bearer":
        given.note("UNKNOWN_VALUE", "token_type", "is not Bearer", "send Bearer")
    seconds = given.members.get("expires_in")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        code = "WRONG_TYPE" if "expires_in" in given.members else "MISSING_FIELD"
        given.note(code, "expires_in", "is not a whole number of seconds", "send a whole number")
    given.text("scope", _ANY, "the scopes that were granted")
    given.text("subject", _ANY, "the client id of this service")
    return server.rstrip("/"), token


def _prefetched(given: _Members, key: str, patient_id: str, server: str) -> Prefetched:
    """null: asked, and nothing was found. An OperationOutcome: the EHR could not get it."""
    if key not in given.members:
        return MISSING
    value = given.members[key]
    if value is None:
        return Prefetched()
    return read_given(value, key, patient_id, server, given.at(key), given.problems)


def read_given(value: Any, key: str, patient_id: str, server: str, where: str, problems: list[Problem]) -> Prefetched:
    """A resource that was prefetched or fetched under a key, a list of them unfolded; what is wrong is noted."""
    if not isinstance(value, Mapping):
        problems.append(Problem("WRONG_TYPE", where, "is not a resource", "send a resource, or null for nothing found"))
        return MISSING
    kind = value.get("resourceType")
    if kind == "OperationOutcome":
        return MISSING
    if kind == "Bundle":
        found, complete = _entries(value, where, problems)
    else:
        found, complete = [(value, where)], True
    taken = []
    for resource, place in found:
        name = resource.get("resourceType")
        if not isinstance(name, str):
            told = Problem("MISSING_FIELD", f"{place}.resourceType", "is needed", "send the type of the resource")
            problems.append(told)
        elif name in _TYPES[key]:
            if not is_of(resource, patient_id, server):
                remedy = "send the resources of context.patientId alone"
                told = Problem("PATIENT_DIFFERS", place, "is another patient's", remedy)
                problems.append(told)
            taken.append(resource)
        elif kind != "Bundle":
            remedy = f"send a Bundle, or one of {', '.join(_TYPES[key])}"
            problems.append(Problem("UNSUPPORTED", place, "is of another type than was asked for", remedy))
    return Prefetched(tuple(taken), complete=complete)


def _entries(bundle: Mapping[str, Any], where: str, problems: list[Problem]) -> tuple[list[tuple[Any, str]], bool]:
    """The resources of a Bundle with their places, and whether that is all of the list."""
    entries = bundle.get("entry", [])
    found: list[tuple[Any, str]] = []
    if not isinstance(entries, list):
        problems.append(Problem("WRONG_TYPE", f"{where}.entry", "is not a list", "send a list of entries"))
        entries = []
    for at, entry in enumerate(entries):
        place = f"{where}.entry[{at}].resource"
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping):
            found.append((resource, place))
        else:
            problems.append(Problem("MISSING_FIELD", place, "is needed", "send a resource in each entry"))
    return found, is_whole(bundle)


def is_whole(bundle: Mapping[str, Any]) -> bool:
    """Is a searchset all that there is: no page follows, no match is missing, and the server left nothing out?"""
    links, entries, total = bundle.get("link", []), bundle.get("entry", []), bundle.get("total")
    if not isinstance(links, list) or not isinstance(entries, list):
        return False
    resources = [each.get("resource") for each in entries if isinstance(each, Mapping)]
    goes_on = any(isinstance(each, Mapping) and str(each.get("relation")).lower() == "next" for each in links)
    lacks = isinstance(total, int) and total > len(entries)
    return not goes_on and not lacks and not any(map(_left_out, resources))


def _left_out(resource: Any) -> bool:
    """Does an OperationOutcome within a searchset say that something was not searched or not shown?"""
    if not isinstance(resource, Mapping) or resource.get("resourceType") != "OperationOutcome":
        return False
    issues = resource.get("issue")
    return any(
        isinstance(each, Mapping) and (each.get("severity") in ("fatal", "error") or each.get("code") in _LEFT_OUT)
        for each in (issues if isinstance(issues, list) else [])
    )


def is_of(resource: Mapping[str, Any], patient_id: str, server: str) -> bool:
    """Is a resource the patient's? One that names nobody was found for the patient by the EHR.

    server: base URL of the EHR, "" where not known: an absolute reference then counts by its end.
    """
    if resource.get("resourceType") == "Patient":
        return resource.get("id") in (None, patient_id)
    subject = resource.get("subject")
    # Observation.focus: whom or what a result is about, where not the patient.
    focus = resource.get("focus")
    people = [subject] if subject is not None else []
    people += [each for each in focus if _is_person(each)] if isinstance(focus, list) else []
    return all(_names_patient(each, patient_id, server) for each in people)


def _names_patient(reference: Any, patient_id: str, server: str) -> bool:
    told = reference.get("reference") if isinstance(reference, Mapping) else None
    if not isinstance(told, str):
        return True
    base, slash, name = told.partition("/_history/")[0].rpartition(f"Patient/{patient_id}")
    return bool(slash) and not name and (not base or base == f"{server}/" or (not server and base.endswith("/")))


def _is_person(reference: Any) -> bool:
    told = reference.get("reference") if isinstance(reference, Mapping) else None
    return isinstance(told, str) and re.search(r"\b(Patient|RelatedPerson|Person|Group)/", told) is not None


def identifiers_of(request: HookRequest) -> tuple[tuple[str, str], ...]:
    """By what the patient may be on record, as (system, value): the id within the EHR, and the Patient's identifiers.

    A FHIR message recorded from this server under its address names the patient by one of the first three.
    """
    found: list[tuple[str, str]] = []
    if request.fhir_server:
        reference = f"Patient/{request.patient_id}"
        found.append((request.fhir_server, request.patient_id))
        found.append((f"urn:fhir:{request.fhir_server}", reference))
        found.append(("urn:fhir", f"{request.fhir_server}/{reference}"))
    for patient in request.of(PATIENT).resources:
        listed = patient.get("identifier")
        for each in listed if isinstance(listed, list) else ():
            system, value = (each.get("system"), each.get("value")) if isinstance(each, Mapping) else (None, None)
            if isinstance(system, str) and isinstance(value, str) and each.get("use") != "old" and system and value:
                found.append((system, value))
    return tuple(dict.fromkeys(found))
