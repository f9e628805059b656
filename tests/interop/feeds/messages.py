"""Received trees built by hand, and what became of them."""

from __future__ import annotations

from typing import Any

from app.interop.feeds import Feed, map_received
from app.interop.feeds.feed import STANDARD
from app.interop.received import LOINC, SNOMED, Coding, Identifier, Item, Mapped, Received, Report, Status, Value

PATIENT = (Identifier("NORTH", "P-1", "MR"),)


def loinc(code: str, display: str = "") -> Coding:
    return Coding(LOINC, code, display)


def snomed(code: str, display: str = "") -> Coding:
    return Coding(SNOMED, code, display)


def text(written: str, line: int = 1) -> Value:
    return Value("text", written, f"OBX[{line}].5")


def coded(*codings: Coding, written: str = "") -> Value:
    return Value("coded", written, "OBX[1].5", codings=codings)


def quantity(number: str, unit: str = "", comparator: str = "") -> Value:
    return Value("quantity", f"{comparator}{number} {unit}".strip(), "OBX[1].5", comparator, number, unit=unit)


def item(*codings: Coding, values: tuple[Value, ...] = (), status: Status = "final", **more: Any) -> Item:
    return Item(**{"where": "OBX[1]", "codings": codings, "text": "", "values": values, "status": status} | more)


def report(*items: Item, **more: Any) -> Report:
    return Report(**{"where": "OBR[1]", "patient": PATIENT, "accession": "S1", "items": items} | more)


def received(*reports: Report) -> Received:
    return Received("hl7v2", "LIS", "1", "ORU^R01", reports)


def mapped(*items: Item, feed: Feed = STANDARD, **more: Any) -> Mapped:
    return map_received(received(report(*items, **more)), feed, {})


def lines(document: str, feed: Feed = STANDARD) -> Mapped:
    """A report sent as lines of text."""
    values = tuple(text(line, at) for at, line in enumerate(document.splitlines(), 1))
    return mapped(item(loinc("22637-3"), values=values), feed=feed)


def facts(told: Mapped) -> dict[str, Any]:
    """What the parts give, without what is said of the specimen."""
    found = {fact.field: fact.value for part in told.parts for fact in part.facts}
    return {name: value for name, value in found.items() if not name.startswith("specimen.")}


def waits(told: Mapped) -> set[str]:
    """The codes of the problems for which a message waits."""
    return {each.code for each in told.problems}
