"""A FHIR R4 List of patients: whom each entry names. Judges nothing; who is known is for others to find."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.problems import Problem
from app.interop.fhir.elements import Element
from app.interop.fhir.references import Resources, patient_identifiers
from app.interop.received import Identifier

_OWN = re.compile(r"Patient/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_TAKES = 'send {"resourceType": "List", "entry": [{"item": {"identifier": {"system": ..., "value": ...}}}]}'


@dataclass(frozen=True, slots=True)
class Named:
    """Whom one entry names. where: its FHIR expression; own_id: Herald's id of a patient, "" where it names none.

    problem: why nobody can be found by it, None where it can be tried.
    """

    where: str
    identifiers: tuple[Identifier, ...] = ()
    own_id: str = ""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class PatientList:
    """A List: its entries in order, the name of its source ("" where not told), problems of the List as a whole."""

    entries: tuple[Named, ...]
    source: str
    problems: tuple[Problem, ...]


def read_list(document: Mapping[str, Any], sender: str) -> PatientList:
    """Whom a List names, in its order; with problems of the List as a whole it names nobody.

    sender: the name of the sending system, whose own are relative references and identifiers without a system.
    """
    problems: list[Problem] = []
    root = Element(document, "List", problems)
    if root.type != "List":
        return PatientList((), "", (Problem("UNSUPPORTED", "resourceType", "is not List", _TAKES),))
    if root.text("status") in ("entered-in-error", "retired"):
        root.note("UNSUPPORTED", "status", "says that the List is not in force", "send a List that is current")
    entries = root.many("entry")
    if not entries and not problems:
        root.note("MISSING_FIELD", "entry", "is needed", _TAKES)
    source = root.one("source")
    if problems:
        return PatientList((), "", tuple(problems))
    resources = Resources([(root, "")])
    named = tuple(_named(entry, resources, sender) for entry in entries)
    return PatientList(named, source.text("display") if source else "", ())


def _named(entry: Element, resources: Resources, sender: str) -> Named:
    entry = Element(entry.members, entry.where, [])
    where = entry.at("item")
    if entry.members.get("deleted") is True:
        told = Problem("UNSUPPORTED", entry.at("deleted"), "says that this entry is not in force", "leave it out")
        return Named(where, problem=told)
    item = entry.one("item")
    if item is None:
        return Named(where, problem=Problem("MISSING_FIELD", where, "is needed", _TAKES))
    kind = item.text("type") or item.text("reference").split("/")[0]
    target = resources.resolve(item, resources.all[0])
    if (target is not None and target.type != "Patient") or (target is None and kind in _OTHERS):
        return Named(where, problem=Problem("UNSUPPORTED", where, "is no Patient", "send entries of Patients only"))
    own = _OWN.fullmatch(item.text("reference").partition("/_history/")[0])
    found = patient_identifiers(resources, item, resources.all[0], sender)
    if not found and own is None:
        remedy = "send item.identifier with system and value, or a contained Patient with an identifier"
        return Named(where, problem=Problem("MISSING_FIELD", where, "names nobody by an identifier", remedy))
    return Named(where, found, own[1] if own else "")


_OTHERS = frozenset({"Practitioner", "Group", "RelatedPerson", "Person", "Encounter", "Condition", "Observation"})
