"""Which Observations of an EHR are of one tissue. What nothing links is kept apart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.interop.fhir.elements import Element
from app.interop.fhir.observations import effective

Resource = Mapping[str, Any]
# What links them: a specimen and the one it was made from, a report without one, else the day alone.
Tissue = tuple[str, str]
UNTOLD: Tissue = ("day", "")
_LONGEST_CHAIN = 5


def together(resources: Sequence[Resource]) -> dict[Tissue, list[Resource]]:
    """The Observations of each tissue, with the specimens, reports and orders that are there of them."""
    observations = [each for each in resources if each.get("resourceType") == "Observation"]
    orders = [each for each in resources if each.get("resourceType") == "ServiceRequest"]
    named = {_name(each): each for each in resources}
    listing = _listing(named, resources)
    groups: dict[Tissue, list[Resource]] = {}
    beside: dict[Tissue, list[Resource]] = {}
    for each in observations:
        reports = listing.get(_name(each), [])
        tissue, chain = _tissue(each, reports, named)
        groups.setdefault(tissue, []).append(each)
        beside.setdefault(tissue, []).extend((*chain, *reports))
    return {tissue: [*group, *_once(beside[tissue]), *orders] for tissue, group in groups.items()}


def time_of(observation: Resource) -> str | None:
    """When the tissue was taken (ISO 8601, as written); None where not told: old tissue can be tested today."""
    return effective(Element(observation, "Observation", [])) or None


def day_of(observation: Resource) -> str:
    """The day of that, "" where not told."""
    return (time_of(observation) or "")[:10]


def _tissue(
    observation: Resource, reports: Sequence[Resource], named: Mapping[str, Resource]
) -> tuple[Tissue, list[Resource]]:
    """The tissue of an Observation, and the specimens that tell it."""
    specimen, holder = observation.get("specimen"), observation
    if specimen is None and reports:
        listed = reports[0].get("specimen")
        if not isinstance(listed, list) or len(listed) != 1:
            return ("report", _name(reports[0])), []
        specimen, holder = listed[0], reports[0]
    if not isinstance(specimen, Mapping) or not any(specimen.get(each) for each in ("reference", "identifier")):
        # Words such as "biopsy" name no specimen of their own.
        told = specimen.get("display") if isinstance(specimen, Mapping) else None
        return ("day", f"{day_of(observation)} {told or ''}".rstrip()), []
    reference = _reference(specimen)
    if reference.startswith("#"):
        # Its id means nothing in another resource; an identifier does.
        inner = next((each for each in _listed(holder, "contained") if f"#{each.get('id')}" == reference), {})
        told = [inner.get("accessionIdentifier"), inner.get("identifier")]
        return ("specimen", json.dumps(told) if any(told) else f"{reference} of {_name(holder)}"), []
    chain = list(_chain(reference, named))
    whole = _name(chain[-1]) if chain else reference
    return ("specimen", whole or json.dumps(specimen["identifier"], sort_keys=True)), chain


def _chain(reference: str, named: Mapping[str, Resource]) -> Iterator[Resource]:
    """A specimen that is there, the one it was made from, and so on."""
    for _ in range(_LONGEST_CHAIN):
        specimen = named.get(reference)
        if specimen is None or specimen.get("resourceType") != "Specimen":
            return
        yield specimen
        parents = list(_listed(specimen, "parent"))
        if len(parents) != 1:
            return
        reference = _reference(parents[0])


def _listing(named: Mapping[str, Resource], resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    """The reports that list an Observation, itself or by a panel, by the Observation's name."""
    listing: dict[str, list[Resource]] = {}
    for report in resources:
        if report.get("resourceType") != "DiagnosticReport":
            continue
        waiting, seen = [_reference(each) for each in _listed(report, "result")], set[str]()
        while waiting:
            name = waiting.pop()
            if name in named and name not in seen:
                seen.add(name)
                listing.setdefault(name, []).append(report)
                waiting += [_reference(each) for each in _listed(named[name], "hasMember")]
    return listing


def _name(resource: Resource) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id') or id(resource)}"


def _reference(reference: Resource) -> str:
    told = reference.get("reference")
    return told.partition("/_history/")[0] if isinstance(told, str) else ""


def _listed(resource: Resource, name: str) -> Iterator[Resource]:
    listed = resource.get(name)
    yield from (each for each in listed if isinstance(each, Mapping)) if isinstance(listed, list) else ()


def _once(resources: Iterable[Resource]) -> list[Resource]:
    return list({id(each): each for each in resources}.values())
