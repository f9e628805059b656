"""Coded elements and the values of OBX-5, by the type that OBX-2 names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.interop.hl7.segments import Element, Segment
from app.interop.received import CAP_ECC, LOINC, SNOMED, Coding, Identifier, Value

TEXTS = frozenset({"TX", "FT", "ST"})
_CODED = frozenset({"CE", "CWE", "CF", "CNE"})
# Documents, pictures, pointers: nothing that can be read here.
_DATA = frozenset({"ED", "RP", "AD", "XAD"})
_SYSTEMS = {
    "ln": LOINC, "loinc": LOINC, "2.16.840.1.113883.6.1": LOINC, LOINC: LOINC,
    "sct": SNOMED, "snm": SNOMED, "snomed": SNOMED, "snomed-ct": SNOMED, "snomedct": SNOMED, "snomed ct": SNOMED,
    "2.16.840.1.113883.6.96": SNOMED, SNOMED: SNOMED,
    "capecc": CAP_ECC, "capecp": CAP_ECC, "ecc": CAP_ECC, "cap ecc": CAP_ECC, CAP_ECC.lower(): CAP_ECC,
    "l": "", "": "",
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_COMPARATORS = {"": "", "=": "", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_OID = re.compile(r"[0-2](?:\.\d+){2,}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def system_of(name: str) -> str:
    """The URI of a coding system of HL7 table 0396; a name that is not known stays, "L" is ""."""
    return _SYSTEMS.get(name.strip().casefold(), name.strip())


def codings_of(element: Element) -> tuple[Coding, ...]:
    """The triplets of a coded element (CE, CWE: 1-3, 4-6, and 10-12 from 2.7) that have a code."""
    found = []
    for first in (1, 4, 10):
        code = element.text(first)
        if code:
            found.append(Coding(system_of(element.text(first + 2)), code, element.text(first + 1)))
    return tuple(found)


def words_of(element: Element) -> str:
    """What the sender calls it: the original text (CWE-9), else the first name, else the first code."""
    return next((word for word in (element.text(each) for each in (9, 2, 5, 1, 4)) if word), "")


def identifier_of(element: Element) -> Identifier | None:
    """A patient's identifier (CX): system urn:oid:, urn:uuid: or urn:hl7v2: with the assigning authority's name."""
    value = element.text(1)
    if not value:
        return None
    name, universal, kind = (element.text(4, part) for part in (1, 2, 3))
    return Identifier(_authority(name, universal, kind.upper()), value, element.text(5))


def _authority(name: str, universal: str, kind: str) -> str:
    for each in (universal, name):
        if _OID.fullmatch(each) and kind in ("", "ISO"):
            return f"urn:oid:{each}"
    if universal and (kind in ("UUID", "GUID") or _UUID.fullmatch(universal)):
        return f"urn:uuid:{universal.lower()}"
    if universal and kind == "URI":
        return universal
    return f"urn:hl7v2:{name or universal}" if name or universal else ""


def values_of(segment: Segment) -> tuple[tuple[Value, ...], tuple[str, ...]]:
    """The values of an OBX in order, and notes on what could not be taken as its type says."""
    kind = segment.text(2).upper()
    elements = segment.elements(5)
    if not elements:
        return (Value("none", "", segment.place(5)),), ()
    values: list[Value] = []
    notes = []
    if not kind:
        notes.append("OBX-2 is empty: the value was taken as text")
    for number, element in enumerate(elements, 1):
        where = segment.place(5, number)
        if element.null:
            values.append(Value("none", "", where))
            notes.append(f'{where} is "": there is no value')
            continue
        if element.left_out:
            notes.append(f"{where}: {element.left_out} escape sequences were left out")
        values.extend(_values(kind, element, where, segment, notes))
    return tuple(values), tuple(notes)


def _values(kind: str, element: Element, where: str, segment: Segment, notes: list[str]) -> Iterable[Value]:
    if kind in _DATA:
        notes.append(f"{where} is of type {kind}, which is not read")
        return [Value("none", "", where)]
    if kind == "NM":
        return [_number(element.whole.strip(), where, segment)]
    if kind == "SN":
        return [_structured(element, where, segment)]
    if kind in _CODED:
        codings = codings_of(element)
        words = words_of(element)
        return [Value("coded" if codings else "text" if words else "none", words, where, codings=codings)]
    return lines_of(element.whole, where)


def lines_of(text: str, where: str) -> list[Value]:
    """Text line by line; lines without a word are left out."""
    lines = [line.rstrip() for line in re.split(r"\r\n|\r|\n", text)]
    return [Value("text", line, where) for line in lines if line.strip()] or [Value("none", "", where)]


def _number(text: str, where: str, segment: Segment) -> Value:
    """A number; what is none ("2+", "<2.0", "1,8") stays text, for the sender's feed to decide."""
    if _NUMBER.fullmatch(text):
        return Value("quantity", text, where, number=text, unit=_unit(segment))
    return Value("text" if text else "none", text, where)


def _structured(element: Element, where: str, segment: Segment) -> Value:
    """A structured numeric (SN): comparator ^ number ^ separator ^ number."""
    sign, first, separator, second = (element.text(each) for each in (1, 2, 3, 4))
    text = "".join((sign, first, separator, second))
    comparator = _COMPARATORS.get(sign)
    numbers = _NUMBER.fullmatch(first) is not None
    if not text:
        return Value("none", "", where)
    if comparator is not None and numbers and not separator and not second:
        return Value("quantity", text, where, comparator, first, unit=_unit(segment))
    if numbers and _NUMBER.fullmatch(second):
        if separator == "-" and comparator == "":
            return Value("range", text, where, "", first, second, _unit(segment))
        if separator in (":", "/") and comparator is not None:
            return Value("ratio", text, where, comparator, first, second, _unit(segment))
    return Value("text", text, where)


def _unit(segment: Segment) -> str:
    return segment.text(6)


def comments_of(segment: Segment) -> tuple[str, ...]:
    """The text of an NTE, one line each."""
    lines: list[str] = []
    for element in segment.elements(3):
        lines.extend(each.text for each in lines_of(element.whole, "") if each.text)
    return tuple(lines)
