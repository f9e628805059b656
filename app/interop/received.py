"""What a message says, whatever its format: the words that readers write and that a sender's feed maps.

A reader (hl7, fhir) turns bytes into a Received and judges nothing. A feed turns a Received into a Mapped: the parts of
it that belong to one specimen's result. Digits stay as written; a place (`where`) is an HL7 path such as `OBX[3].5` or
a FHIR expression such as `Bundle.entry[2].resource.value`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from app.domain.problems import Problem

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
CAP_ECC = "http://cap.org/eCC"

# How far an observation has come. Only final, corrected and promoted ones may classify.
#   promoted: the preliminary value sent before is now final, and is not sent again (HL7 table 0085: U)
#   cancelled: could not be obtained; deleted: taken back; wrong: was another patient's
Status = Literal["preliminary", "final", "corrected", "promoted", "cancelled", "deleted", "wrong"]

TAKEN_BACK: tuple[Status, ...] = ("cancelled", "deleted", "wrong")  # there is no value any more


class Coding(NamedTuple):
    """One code. system: a URI where the sender's is known, "" for a sender's own list without a name."""

    system: str
    code: str
    display: str = ""


class Value(NamedTuple):
    """One value as sent. text: for a person, exactly as written.

    quantity: comparator ("", "<", "<=", ">", ">="), number and unit; range: number to second, both as written;
    ratio: number over second (comparator that of the numerator); coded: codings; none: nothing was sent.
    """

    kind: Literal["none", "text", "quantity", "range", "ratio", "coded"]
    text: str
    where: str
    comparator: str = ""
    number: str = ""
    second: str = ""
    unit: str = ""
    codings: tuple[Coding, ...] = ()


class Item(NamedTuple):
    """One observation. where: of the whole; codings and text: what was observed, text being the sender's own name.

    group: what ties it to others of its report (OBX-4); at: its own time (OBX-19, OBX-14; issued, effective), aware.
    A document of several narrative lines (same code and group) is one item with one text value per line, in order.
    interpretation: the sender's opinion. problems: what contradicts within the item; the message then waits.
    """

    where: str
    codings: tuple[Coding, ...]
    text: str
    values: tuple[Value, ...]
    status: Status
    group: str = ""
    at: datetime | None = None
    method: tuple[Coding, ...] = ()
    interpretation: tuple[Coding, ...] = ()
    notes: tuple[str, ...] = ()
    components: tuple[Item, ...] = ()
    problems: tuple[Problem, ...] = ()


class Identifier(NamedTuple):
    """A patient's identifier. kind: HL7 table 0203 (MR, PI, ...) or ""."""

    system: str
    value: str
    kind: str = ""


class Report(NamedTuple):
    """The items of one specimen in one report. accession, specimen, block: "" where not sent.

    laboratory: who performed it, "" where not sent; at: the report's own time (OBR-22; issued).
    specimen_type, procedure, site: codings as sent; collected_at, reported_at: ISO 8601 texts for the case document,
    a date-time only with its offset; "" where not sent.
    """

    where: str
    patient: tuple[Identifier, ...]
    accession: str
    items: tuple[Item, ...]
    specimen: str = ""
    block: str = ""
    laboratory: str = ""
    status: Status = "final"
    at: datetime | None = None
    specimen_type: tuple[Coding, ...] = ()
    procedure: tuple[Coding, ...] = ()
    site: tuple[Coding, ...] = ()
    collected_at: str = ""
    reported_at: str = ""
    notes: tuple[str, ...] = ()


class Merge(NamedTuple):
    """Two patients that the sender calls one: the identifiers that stay, and those that are given up."""

    where: str
    into: tuple[Identifier, ...]
    given_up: tuple[Identifier, ...]


class Received(NamedTuple):
    """A whole message. problems: why it cannot be read as it stands (the message waits); notes: said, not judged.

    event: "ORU^R01", "ADT^A40", "Bundle/transaction"...; processing: "P", "T", "D" or "".
    """

    format: Literal["hl7v2", "fhir"]
    sender: str
    control_id: str
    event: str
    reports: tuple[Report, ...] = ()
    merges: tuple[Merge, ...] = ()
    version: str = ""
    processing: str = ""
    at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


class Fact(NamedTuple):
    """One value for one field of a case document ("ish.ratio"), or None for a value that was taken back.

    Plain JSON types only, for it is stored. at: ISO 8601 in UTC, by which versions are ordered, never by arrival.
    """

    field: str
    value: Any
    status: str
    at: str
    where: str
    text: str


class Line(NamedTuple):
    """One line of what was received beside what became of it: for a person. field: "" where it gave nothing."""

    where: str
    code: str
    text: str
    field: str = ""
    value: str = ""
    note: str = ""


class Part(NamedTuple):
    """What a message says about one specimen's result."""

    patient: tuple[Identifier, ...]
    laboratory: str
    accession: str
    specimen: str
    block: str
    facts: tuple[Fact, ...]

    @property
    def document(self) -> dict[str, Any]:
        """As stored, plain JSON types."""
        return {
            "patient": [list(each) for each in self.patient],
            "laboratory": self.laboratory,
            "accession": self.accession,
            "specimen": self.specimen,
            "block": self.block,
            "facts": [list(each) for each in self.facts],
        }


def part_of(document: Mapping[str, Any]) -> Part:
    """The part that was stored."""
    return Part(
        tuple(Identifier(*each) for each in document["patient"]),
        document["laboratory"],
        document["accession"],
        document["specimen"],
        document["block"],
        tuple(Fact(*each) for each in document["facts"]),
    )


class Mapped(NamedTuple):
    """A message by a sender's feed. problems: why it waits; then no part of it is recorded.

    lines: everything that was received, told one by one. No part and no problem: nothing in it is about HER2.
    """

    parts: tuple[Part, ...]
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    merges: tuple[Merge, ...] = ()
