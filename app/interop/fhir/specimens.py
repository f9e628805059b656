"""Which case, specimen and block a result belongs to.

| asked for | taken from, the first that is there |
| --- | --- |
| accession | Specimen.accessionIdentifier of the result's specimen, or of the one it was made from (Specimen.parent) |
| | DiagnosticReport.identifier, then ServiceRequest.identifier (basedOn), typed ACSN; the same typed FILL |
| | basedOn.identifier typed ACSN or FILL, or not typed |
| specimen | the identifier of the nearest specimen that is neither block nor slide, else of the result's own |
| block | the nearest specimen in a tissue cassette: its container's identifier, else its own |

Of several identifiers of one specimen the laboratory's counts (typed FILL or FGN), then the official or usual one. One
that names a body structure (a tumour, as mCODE has it) names no specimen and no block.
"""

from __future__ import annotations

from typing import NamedTuple

from app.domain.problems import Problem
from app.interop.fhir.elements import Element, codings_of, is_cassette, is_slide
from app.interop.fhir.references import Resource, Resources, typed
from app.interop.received import Coding

_BODY_STRUCTURE = "http://hl7.org/fhir/resource-types"
_LONGEST_CHAIN = 5


class Sample(NamedTuple):
    """What is known of the tissue that a result is about; "" and () where not sent."""

    accession: str = ""
    specimen: str = ""
    block: str = ""
    collected_at: str = ""
    type: tuple[Coding, ...] = ()
    procedure: tuple[Coding, ...] = ()
    site: tuple[Coding, ...] = ()
    subject: Element | None = None
    holder: Resource | None = None


def sample_of(resources: Resources, reference: Element | None, holder: Resource) -> Sample:
    """The tissue that a Specimen reference points at, told by its chain of parents."""
    if reference is None:
        return Sample()
    chain = _chain(resources, resources.resolve(reference, holder))
    if not chain:
        logical = reference.one("identifier")
        told = reference.text("reference")
        # An id on the sender's server lasts; one inside a message does not.
        lasting = told if told.startswith("Specimen/") else ""
        return Sample(specimen=(logical.text("value") if logical else "") or lasting)
    kinds = [_containers(each.element) for each in chain]
    whole = [each for each, kind in zip(chain, kinds, strict=True) if not is_cassette(kind) and not is_slide(kind)]
    blocks = [each.element for each, kind in zip(chain, kinds, strict=True) if is_cassette(kind)]
    nearest = (whole or chain)[0].element
    collections = [found for each in chain if (found := each.element.one("collection"))]
    return Sample(
        accession=next((told for each in chain if (told := _accession(each.element))), ""),
        specimen=identifier_of(nearest),
        block=_block(blocks[0]) if blocks else "",
        collected_at=next((told for each in collections if (told := _collected(each))), ""),
        type=nearest.codings("type"),
        procedure=next((way for each in collections if (way := each.codings("method"))), ()),
        site=next((site for each in collections if (site := each.codings("bodySite"))), ()),
        subject=next((whose for each in chain if (whose := each.element.one("subject"))), None),
        holder=chain[0],
    )


def _chain(resources: Resources, first: Resource | None) -> list[Resource]:
    chain: list[Resource] = []
    while first is not None and first.type == "Specimen" and first not in chain and len(chain) < _LONGEST_CHAIN:
        chain.append(first)
        parents = first.element.many("parent")
        first = resources.resolve(parents[0], first) if len(parents) == 1 else None
    return chain


def _containers(specimen: Element) -> tuple[Coding, ...]:
    return tuple(each for container in specimen.many("container") for each in container.codings("type"))


def _accession(specimen: Element) -> str:
    identifier = specimen.one("accessionIdentifier")
    return identifier.text("value") if identifier else ""


def _block(specimen: Element) -> str:
    own = [
        found for each in specimen.many("container") for one in each.many("identifier") if (found := one.text("value"))
    ]
    return own[0] if len(set(own)) == 1 else identifier_of(specimen)


def _collected(collection: Element) -> str:
    period = collection.one("collectedPeriod")
    return collection.time("collectedDateTime") or (period.time("start") if period else "")


def identifier_of(specimen: Element) -> str:
    """The one identifier that tells a specimen; several that differ and none of them preferred are noted."""
    found = [
        (each.text("value"), typed(each), each.text("use"))
        for each in specimen.many("identifier")
        if not any(coding.system == _BODY_STRUCTURE for coding in _types(each))
    ]
    found = [each for each in found if each[0] and each[2] != "old"]
    for preferred in (
        [value for value, kind, _ in found if kind in ("FILL", "FGN")],
        [value for value, _, use in found if use == "official"],
        [value for value, _, use in found if use == "usual"],
        [value for value, _, _ in found],
    ):
        if len(set(preferred)) == 1:
            return preferred[0]
        if preferred:
            remedy = "mark the laboratory's own as official, or send one"
            told = Problem("AMBIGUOUS", specimen.at("identifier"), "several identifiers and none preferred", remedy)
            if told not in specimen.problems:
                specimen.problems.append(told)
            return ""
    return ""


def _types(identifier: Element) -> tuple[Coding, ...]:
    concept = identifier.one("type")
    return codings_of(concept) if concept else ()


def accession_of(resources: Resources, holders: list[Resource]) -> str:
    """The accession that a report, its orders or a result's orders tell; see the table above."""
    orders = [
        (reference, resources.resolve(reference, each))
        for each in holders
        for reference in each.element.many("basedOn")
    ]
    named = [each.element for each in holders if each.type == "DiagnosticReport"]
    named += [order.element for _, order in orders if order is not None and order.type == "ServiceRequest"]
    identifiers = [each for one in named for each in one.many("identifier")]
    logical = [each for reference, _ in orders if (each := reference.one("identifier"))]
    for listed, kinds in ((identifiers, ("ACSN",)), (identifiers, ("FILL",)), (logical, ("ACSN", "FILL", ""))):
        for each in listed:
            if typed(each) in kinds and (value := each.text("value")):
                return value
    return ""
