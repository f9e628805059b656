"""The segments of an ORU^R01 grouped by order, and each order as reports: one a specimen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from app.domain.problems import Problem
from app.interop.hl7.items import Observation, contradictions, items_of, with_problem
from app.interop.hl7.segments import Element, Segment
from app.interop.hl7.times import iso, moment
from app.interop.hl7.values import codings_of, comments_of, identifier_of, words_of
from app.interop.received import Identifier, Item, Report, Status

# HL7 table 0123: how far the whole order is. The single OBX decides what may classify.
_STATUS: dict[str, Status] = {"F": "final", "C": "corrected", "X": "cancelled"}
_BLOCK = re.compile(r"(?:(?:paraffin|tissue) )?block[ :#]*([A-Z0-9][A-Z0-9.-]{0,15})", re.IGNORECASE | re.ASCII)


@dataclass(slots=True)
class Order:
    """One OBR and what belongs to it. described: OBX that describe a specimen and are no test."""

    patient: Segment | None
    request: Segment
    common: Segment | None
    observations: list[Observation] = field(default_factory=list)
    specimens: list[Segment] = field(default_factory=list)
    described: list[Observation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def orders_of(segments: Sequence[Segment]) -> tuple[list[Order], list[str]]:
    """The orders of a message, and notes on the OBX that stand in none. Segments of no use here are passed over."""
    orders: list[Order] = []
    notes: list[str] = []
    patient: Segment | None = None
    common: Segment | None = None
    order: Order | None = None
    last: list[Observation] | None = None
    for segment in segments:
        if segment.name == "PID":
            patient, common, order, last = segment, None, None, None
        elif segment.name == "ORC":
            common, order, last = segment, None, None
        elif segment.name == "OBR":
            order = Order(patient, segment, common)
            orders.append(order)
            common, last = None, None
        elif order is None:
            if segment.name == "OBX":
                notes.append(
                    f"{segment.where} stands before an OBR: it describes the patient or a document, not a test"
                )
        elif segment.name == "SPM":
            order.specimens.append(segment)
            last = None
        elif segment.name == "OBX":
            last = order.described if order.specimens else order.observations
            last.append(Observation(segment, []))
        elif segment.name == "NTE":
            if last:
                last[-1].comments.append(segment)
            else:
                order.notes.extend(comments_of(segment))
    return orders, notes


def patient_of(segment: Segment | None) -> tuple[Identifier, ...]:
    """The identifiers of PID-3; PID-2 too where it names its authority, or where PID-3 is empty."""
    if segment is None:
        return ()
    listed = identifiers_of(segment.elements(3))
    external = identifiers_of(segment.elements(2))
    return tuple(dict.fromkeys((*listed, *(each for each in external if each.system or not listed))))


def identifiers_of(elements: Sequence[Element]) -> tuple[Identifier, ...]:
    found = (identifier_of(each) for each in elements)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def reports_of(order: Order, zone: tzinfo, facility: str, sent: datetime | None) -> list[Report]:
    """The reports of one order. facility: MSH-4; sent: MSH-7, for an order without a time of its own."""
    request = order.request
    accession, notes = _accession(order)
    items, said = _items(order, zone)
    whole = Report(
        where=request.where,
        patient=patient_of(order.patient),
        accession=accession,
        items=(),
        laboratory=facility or _performer(order),
        status=_status(request.text(25).upper(), items),
        at=moment(request.text(22), zone) or sent,
        specimen_type=codings_of(request.element(15).part(1, 1)),
        site=codings_of(request.element(15).part(4, 1)),
        collected_at=iso(request.text(7)),
        reported_at=iso(request.text(22)),
        notes=(*notes, *said, *order.notes),
    )
    specimens = _distinct(order.specimens)
    if len(specimens) <= 1:
        report = _of_specimen(whole, specimens[0]) if specimens else whole
        return [report._replace(items=contradictions(items))]
    names = {name: _name(each) for each in reversed(specimens) for name in _ids(each)}
    by_name: dict[str, list[Item]] = {_name(each): [] for each in specimens}
    for item in items:
        if item.group in names:
            by_name[names[item.group]].append(item)
    reports = [
        _of_specimen(whole, each)._replace(items=contradictions(by_name[_name(each)]))
        for each in specimens
        if by_name[_name(each)]
    ]
    assigned = {item.where for found in by_name.values() for item in found}
    rest = [_unassigned(item) for item in items if item.where not in assigned]
    if rest or not reports:
        reports.append(whole._replace(items=contradictions(rest)))
    return reports


def _items(order: Order, zone: tzinfo) -> tuple[tuple[Item, ...], list[str]]:
    """The items of the tests. An order with OBX only after its SPM may have them in the wrong place: those wait."""
    if order.observations or not order.described:
        said = [f"{each.segment.where} describes the specimen, it is not a test" for each in order.described]
        return items_of(order.observations, zone), said
    items = items_of(order.described, zone)
    return tuple(_after_specimen(item) for item in items), []


def _after_specimen(item: Item) -> Item:
    what = "It stands after the SPM, where an OBX describes the specimen, and the order has no other OBX."
    return with_problem(item, Problem("AMBIGUOUS", item.where, what, "Send the results before the SPM."))


def _unassigned(item: Item) -> Item:
    what = "The order has several specimens, and nothing says whose result this is."
    remedy = "Send one OBR for each specimen, or the specimen's id of SPM-2 in OBX-4."
    return with_problem(item, Problem("AMBIGUOUS", f"{item.where}.4", what, remedy))


def _accession(order: Order) -> tuple[str, list[str]]:
    """The filler's number of OBR-3, else the placer's of OBR-2, else those of the ORC."""
    for segment in (order.request, *([order.common] if order.common else [])):
        for place in (3, 2):
            found = segment.text(place) or segment.text(place, 3)
            if found:
                plain = segment is order.request and place == 3
                return found, [] if plain else [f"the accession was read from {segment.place(place)}"]
    return "", []


def _performer(order: Order) -> str:
    """The laboratory that all OBX name in OBX-23 (an organisation), else in OBX-15 (a code); else ""."""
    segments = [each.segment for each in order.observations]
    for found in ({each.text(23) for each in segments}, {words_of(each.element(15)) for each in segments}):
        named = found - {""}
        if len(named) == 1:
            return named.pop()
    return ""


def _status(code: str, items: Sequence[Item]) -> Status:
    if code:
        return _STATUS.get(code, "preliminary")
    done = all(item.status in ("final", "corrected", "promoted") for item in items)
    return "final" if items and done else "preliminary"


def _distinct(specimens: Sequence[Segment]) -> list[Segment]:
    """The specimens with different ids; those without an id are all different."""
    found: dict[str, Segment] = {}
    for each in specimens:
        found.setdefault(_name(each), each)
    return list(found.values())


def _name(specimen: Segment) -> str:
    return next(iter(_ids(specimen)), specimen.where)


def _ids(specimen: Segment) -> tuple[str, ...]:
    """The ids of SPM-2: the filler's, then the placer's."""
    return tuple(found for found in (specimen.text(2, 2, 1), specimen.text(2, 1, 1)) if found)


def _of_specimen(report: Report, specimen: Segment) -> Report:
    described = words_of(specimen.element(14))
    block = _BLOCK.fullmatch(described)
    return report._replace(
        specimen=next(iter(_ids(specimen)), ""),
        block=block[1] if block else "",
        specimen_type=codings_of(specimen.element(4)) or report.specimen_type,
        procedure=codings_of(specimen.element(7)),
        site=codings_of(specimen.element(8)) or report.site,
        collected_at=iso(specimen.text(17, 1, 1)) or report.collected_at,
        notes=(*report.notes, *([f"SPM-14: {described}"] if described else [])),
    )
