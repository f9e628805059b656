"""The resources of a message and what refers to which: by fullUrl, relative reference, urn:uuid and #contained."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.domain.problems import Problem
from app.interop.fhir.elements import Element, codings_of
from app.interop.received import Identifier

_RESTFUL = re.compile(r"(?P<base>https?://.+)/(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})")
_CONDITIONAL = re.compile(r"Patient\?identifier=(?P<system>[^|&]*)\|(?P<value>[^&]+)")
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"


@dataclass(eq=False, slots=True)
class Resource:
    """One resource of a message. full_url: of its entry, "" where none; within: what it is contained in."""

    element: Element
    full_url: str = ""
    within: Resource | None = None
    contained: dict[str, Resource] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return self.element.type


class Resources:
    """All resources of a message in order, contained ones after what holds them."""

    def __init__(self, entries: Iterable[tuple[Element, str]]) -> None:
        self.all: list[Resource] = []
        self._by_url: dict[str, Resource] = {}
        self._by_name: dict[str, list[Resource]] = {}
        for element, full_url in entries:
            resource = Resource(element, full_url)
            self.all.append(resource)
            if full_url:
                if full_url in self._by_url:
                    remedy = "send one version of a resource in a Bundle"
                    told = Problem("CONTRADICTORY", element.where, "another entry has the same fullUrl", remedy)
                    element.problems.append(told)
                self._by_url.setdefault(full_url, resource)
            name = f"{element.type}/{element.text('id')}"
            self._by_name.setdefault(name, []).append(resource)
            for each in element.many("contained"):
                inner = Resource(Element(each.members, each.where, []), within=resource)
                self.all.append(inner)
                resource.contained.setdefault(each.text("id"), inner)

    def of(self, type_: str) -> list[Resource]:
        return [each for each in self.all if each.type == type_]

    def resolve(self, reference: Element | None, holder: Resource) -> Resource | None:
        """What a Reference element of a resource points at inside the message."""
        told = reference.text("reference").partition("/_history/")[0] if reference is not None else ""
        outer = holder.within or holder
        if told.startswith("#"):
            return outer if told == "#" else outer.contained.get(told[1:])
        if told in self._by_url:
            return self._by_url[told]
        if base := _RESTFUL.fullmatch(outer.full_url):
            found = self._by_url.get(f"{base['base']}/{told}")
            if found is not None:
                return found
        # Senders give relative references in Bundles of urn:uuid entries, or without any fullUrl.
        named = self._by_name.get(told, [])
        return named[0] if len(named) == 1 and told else None


def patient_identifiers(
    resources: Resources, reference: Element, holder: Resource, sender: str
) -> tuple[Identifier, ...]:
    """Who a subject is: identifiers of the Patient in the message, of the reference, else the reference itself.

    A relative reference is one of the sender's own (system urn:fhir:<sender>, value Patient/x); an absolute one is kept
    whole, since two servers may use one id. A urn:uuid names nobody outside its message. Without a sender's name
    nothing is the sender's own, so what names no system names nobody.
    """
    told = reference.text("reference").partition("/_history/")[0]
    own = f"urn:fhir:{sender}" if sender else ""
    found: list[Identifier] = []
    patient = resources.resolve(reference, holder)
    if patient is not None and patient.type == "Patient":
        found += [each for one in patient.element.many("identifier") if (each := _identifier(one, own))]
    if (logical := reference.one("identifier")) is not None and (each := _identifier(logical, own)):
        found.append(each)
    if conditional := _CONDITIONAL.fullmatch(told.replace("%7C", "|")):
        found.append(Identifier(_plain(conditional["system"]), _plain(conditional["value"])))
    elif not found:
        url = patient.full_url if patient is not None and _RESTFUL.fullmatch(patient.full_url) else ""
        if url or _RESTFUL.fullmatch(told):
            found.append(Identifier(own or "urn:fhir", url or told))
        elif own and re.fullmatch(r"Patient/[A-Za-z0-9.-]{1,64}", told):
            found.append(Identifier(own, told))
    return tuple(dict.fromkeys(found))


def _plain(escaped: str) -> str:
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode(errors="replace"), escaped)


def _identifier(element: Element, own: str) -> Identifier | None:
    """An identifier in force; one without a system is the sender's own."""
    value, system = element.text("value"), element.text("system") or own
    if not value or not system or element.text("use") == "old":
        return None
    return Identifier(system, value, typed(element))


def typed(identifier: Element) -> str:
    """The type of an identifier by HL7 table 0203, "" where not told."""
    concept = identifier.one("type")
    return next((each.code for each in codings_of(concept) if each.system == IDENTIFIER_TYPES), "") if concept else ""


def laboratory_of(resources: Resources, holder: Resource) -> str:
    """The name of the organisation that performed a test, "" where only persons or none are named."""
    for reference in holder.element.many("performer"):
        target = resources.resolve(reference, holder)
        kind = target.type if target else reference.text("type") or reference.text("reference").split("/")[0]
        if kind == "Organization":
            name = target.element.text("name") if target else ""
            return name or reference.text("display")
    return ""
