"""FHIR R4 JSON to the words of messages: a Bundle, an Observation or a DiagnosticReport. Judges no result.

A report of the answer is what one DiagnosticReport (without one: the observations without) says of one specimen of one
patient. Where its case, specimen and block come from stands in app.interop.fhir.specimens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.domain.problems import Problem, shown
from app.domain.strict_json import NotJson, read_object
from app.interop.fhir.elements import Element, aware, shape_problems
from app.interop.fhir.observations import REPORT_STATUSES, effective, read_observation, status_of
from app.interop.fhir.references import Resource, Resources, laboratory_of, patient_identifiers
from app.interop.fhir.specimens import Sample, accession_of, sample_of
from app.interop.received import Identifier, Item, Received, Report

BUNDLES = ("transaction", "batch", "collection", "message", "searchset")
_TAKES = "send a Bundle, an Observation or a DiagnosticReport in JSON"
_MOST_PROBLEMS = 50
_ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
# What belongs to a result and is read with it.
_READ = frozenset(
    {"Observation", "DiagnosticReport", "Specimen", "Patient", "ServiceRequest", "Organization", "MessageHeader"}
)


def read(message: bytes, sender: str) -> Received:
    """One JSON resource. sender: the name of the sending system, for identifiers that say no system.

    Raises nothing for what a sender can get wrong: Received.problems say why the message cannot be read, an item's
    problems what contradicts in it; places are FHIR expressions.
    """
    try:
        document = read_object(message)
    except NotJson as error:
        remedy = "send JSON, not XML" if message.lstrip()[:1] == b"<" else error.remedy
        return _unread(sender, "", Problem("UNREADABLE", "body", error.message, remedy))
    return read_resource(document, sender)


def read_resource(document: Mapping[str, Any], sender: str) -> Received:
    """The same for a resource that was read from JSON by app.domain.strict_json before."""
    problems: list[Problem] = []
    name = document.get("resourceType")
    if name not in ("Bundle", "Observation", "DiagnosticReport"):
        return _unread(sender, "", Problem("UNSUPPORTED", "resourceType", f"{_type_shown(name)} is not taken", _TAKES))
    root = Element(document, str(name), problems)
    if shape := shape_problems(document, root.where):
        return _unread(sender, root.type, *shape)
    root.extended()
    notes: list[str] = []
    if root.type == "Bundle":
        entries = list(_entries(root, notes))
    else:
        entries = [(Element(document, root.where, []), "")]
    resources = Resources(entries)
    reports = tuple(_reports(resources, sender, problems, notes))
    beside = [each.element for each in resources.all if each.type != "Observation"]
    for element in beside:
        element.extended()
    problems += [each for element in beside for each in element.problems]
    return Received(
        format="fhir",
        sender=sender,
        control_id=_control_id(root, resources),
        event=f"Bundle/{root.text('type')}" if root.type == "Bundle" else root.type,
        reports=reports,
        processing="T" if any(_for_test(each.element) for each in (Resource(root), *resources.all)) else "",
        at=aware(root.time("timestamp")) if root.type == "Bundle" else None,
        problems=tuple(dict.fromkeys(problems))[:_MOST_PROBLEMS],
        notes=tuple(dict.fromkeys(notes)),
    )


def _unread(sender: str, event: str, *problems: Problem) -> Received:
    return Received("fhir", sender, "", event, problems=problems)


def _type_shown(name: object) -> str:
    known = isinstance(name, str) and name.isascii() and name.isalpha() and len(name) <= 40
    return str(name) if known else shown(name)


def _entries(bundle: Element, notes: list[str]) -> Iterator[tuple[Element, str]]:
    """The resources of a Bundle with their fullUrls; what cannot be taken is noted as a problem of the Bundle."""
    kind = bundle.text("type")
    if kind not in BUNDLES:
        code = "UNSUPPORTED" if kind else "MISSING_FIELD"
        bundle.note(code, "type", f"{_type_shown(kind)} is not taken", f"send one of {', '.join(BUNDLES)}")
        return
    if any(link.text("relation") == "next" for link in bundle.many("link")):
        notes.append("a page of a longer list: what follows it is not in the message")
    entries = bundle.many("entry")
    if kind == "message" and _resource_type(entries[0] if entries else None) != "MessageHeader":
        bundle.note("MISSING_FIELD", "entry", "does not start with a MessageHeader", "send the MessageHeader first")
    for entry in entries:
        request = entry.one("request")
        method = request.text("method") if request else ""
        if kind in ("transaction", "batch") and request is None:
            entry.note("MISSING_FIELD", "request", "is needed", "send the method and url of each entry")
        elif method and method not in ("POST", "PUT"):
            told = f"{_type_shown(method)} is not taken"
            entry.note("UNSUPPORTED", "request.method", told, "send POST or PUT; take back a result by its status")
        resource = entry.one("resource")
        if resource is None:
            if not method:
                entry.note("MISSING_FIELD", "resource", "is needed", "send one resource in each entry")
            continue
        element = Element(resource.members, resource.where, [])
        if not element.type:
            entry.note("MISSING_FIELD", "resource.resourceType", "is needed", "send the type of the resource")
        elif element.type == "Bundle":
            entry.note("UNSUPPORTED", "resource", "is a Bundle in a Bundle", "send its entries, or each Bundle alone")
        elif element.type not in _READ:
            notes.append(f"{_type_shown(element.type)}: not read")
        if element.type in _READ:
            yield element, entry.text("fullUrl")


def _resource_type(entry: Element | None) -> str:
    resource = entry.members.get("resource") if entry else None
    told = resource.get("resourceType") if isinstance(resource, dict) else ""
    return str(told)


def _control_id(root: Element, resources: Resources) -> str:
    """What the sender calls the message: the Bundle's identifier, of a message also the header's id."""
    identifier = root.one("identifier") if root.type == "Bundle" else None
    if identifier is not None and (value := identifier.text("value")):
        return value
    return next((each.element.text("id") for each in resources.of("MessageHeader")), "")


def _for_test(element: Element) -> bool:
    """Is a resource labelled as test data (meta.security HTEST)?"""
    told = element.members.get("meta")
    if isinstance(told, dict) and "security" not in told:
        return False
    meta = element.one("meta")
    labels = meta.many("security") if meta else []
    return any(each.text("system") == _ACT_REASON and each.text("code") == "HTEST" for each in labels)


class _Place(NamedTuple):
    """Where a result belongs: the report that lists it, the tissue, the patient, the case."""

    report: Resource | None
    sample: Sample
    patient: tuple[Identifier, ...]
    accession: str
    laboratory: str


def _reports(resources: Resources, sender: str, problems: list[Problem], notes: list[str]) -> Iterator[Report]:
    """The items put together by report, specimen, patient and case, in the order of the message."""
    listing = _listing(resources, notes)
    together: dict[tuple[object, ...], tuple[_Place, list[tuple[Resource, Item]]]] = {}
    before: Resource | None = None
    place: _Place | None = None
    for resource in resources.of("Observation"):
        if place is None or listing or before is None or not _stands_alike(resource, before):
            place = _place(resources, resource, listing.get(id(resource)), sender, problems)
        before = resource
        item = _item(resource, place.report)
        key = (id(place.report), place.patient, place.accession, place.sample.specimen, place.sample.block)
        together.setdefault(key, (place, []))[1].append((resource, item))
    for place, items in together.values():
        yield _report(place, items)


def _stands_alike(one: Resource, other: Resource) -> bool:
    """Do two results that no report lists refer to the same things in the same words?"""
    if one.full_url or other.full_url or one.within is not None or other.within is not None:
        return False
    mine, others = one.element.members, other.element.members
    if "contained" in mine or "contained" in others:
        return False
    return all(mine.get(name) == others.get(name) for name in ("subject", "specimen", "basedOn", "performer"))


def _listing(resources: Resources, notes: list[str]) -> dict[int, list[Resource]]:
    """The reports that list an Observation, itself or by a panel (hasMember), by the identity of its resource."""
    listing: dict[int, list[Resource]] = {}
    for report in resources.of("DiagnosticReport"):
        waiting = [(report, each) for each in report.element.many("result")]
        seen: set[int] = set()
        while waiting:
            holder, reference = waiting.pop()
            target = resources.resolve(reference, holder)
            if target is None:
                notes.append(f"{reference.where}: refers to what is not in the message")
            elif id(target) not in seen and target.type == "Observation":
                seen.add(id(target))
                listing.setdefault(id(target), []).append(report)
                waiting += [(target, each) for each in target.element.many("hasMember")]
    return listing


def _place(
    resources: Resources, resource: Resource, reports: list[Resource] | None, sender: str, problems: list[Problem]
) -> _Place:
    element = resource.element
    within = [resource.within] if resource.within is not None and resource.within.type == "DiagnosticReport" else []
    reports = reports or within
    report = reports[0] if reports else None
    if len({accession_of(resources, [each]) for each in reports}) > 1:
        element.note("AMBIGUOUS", "", "reports of several cases list it", "list a result in the report of its case")
    sample = sample_of(resources, element.one("specimen"), resource)
    if report is not None and "specimen" not in element.members:
        specimens = report.element.many("specimen")
        if len(specimens) == 1:
            sample = sample_of(resources, specimens[0], report)
        elif specimens:
            remedy = "send Observation.specimen where the report has several"
            element.note("AMBIGUOUS", "specimen", "the report names several specimens", remedy)
    subjects = [(element.one("subject"), resource)]
    if report is not None:
        subjects.append((report.element.one("subject"), report))
    if sample.holder is not None:
        subjects.append((sample.subject, sample.holder))
    named = [
        found
        for subject, holder in subjects
        if subject is not None and (found := patient_identifiers(resources, subject, holder, sender))
    ]
    if any(set(each).isdisjoint(named[0]) for each in named[1:]):
        told = "the result, its report and its specimen name different patients"
        problem = Problem("PATIENT_DIFFERS", element.at("subject"), told, "send one patient for all of them")
        problems.append(problem)
    holders = [report, resource] if report is not None else [resource]
    return _Place(
        report,
        sample,
        named[0] if named else (),
        sample.accession or accession_of(resources, holders),
        next((told for each in (resource, *holders) if (told := laboratory_of(resources, each))), ""),
    )


def _item(resource: Resource, report: Resource | None) -> Item:
    """The item; one that stands while its report was taken back contradicts it."""
    element = resource.element
    item = read_observation(element)
    if report is not None and item.status in ("final", "corrected"):
        of_report = REPORT_STATUSES.get(report.element.text("status"))
        if of_report in ("deleted", "cancelled"):
            told = f"the result is {item.status} while its report is {of_report}"
            element.note("CONTRADICTORY", "status", told, "send the status of both alike")
    return item._replace(problems=tuple(dict.fromkeys(element.problems)))


def _report(place: _Place, items: list[tuple[Resource, Item]]) -> Report:
    element = place.report.element if place.report is not None else None
    issued = element.time("issued") if element is not None else ""
    collected = place.sample.collected_at
    first = items[0][0].element
    own = next((told for one, _ in items if (told := one.element.time("issued"))), "")
    notes = [element.text("conclusion")] if element is not None else []
    return Report(
        where=element.where if element is not None else first.where,
        patient=place.patient,
        accession=place.accession,
        items=tuple(item for _, item in items),
        specimen=place.sample.specimen,
        block=place.sample.block,
        laboratory=place.laboratory,
        status=status_of(element, REPORT_STATUSES) if element is not None else items[0][1].status,
        at=aware(issued or own),
        specimen_type=place.sample.type,
        procedure=place.sample.procedure,
        site=place.sample.site or first.codings("bodySite"),
        collected_at=collected or next((told for one, _ in items if (told := effective(one.element))), ""),
        reported_at=issued or own,
        notes=tuple(each for each in notes if each),
    )
