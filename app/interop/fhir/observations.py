"""An Observation (or a component of one) as an Item: its value, its status, and what contradicts in it."""

from __future__ import annotations

from app.domain.problems import Problem, named, shown
from app.interop.fhir.elements import Element, aware, codings_of, words_of
from app.interop.received import Item, Status, Value

# Observation.status (required binding of R4) to the words of messages; a registered one has no value yet.
STATUSES: dict[str, Status] = {
    "registered": "preliminary", "preliminary": "preliminary", "final": "final", "amended": "corrected",
    "corrected": "corrected", "cancelled": "cancelled", "entered-in-error": "deleted", "unknown": "preliminary",
}  # fmt: skip
# DiagnosticReport.status has two more.
REPORT_STATUSES: dict[str, Status] = STATUSES | {"partial": "preliminary", "appended": "corrected"}
COMPARATORS = frozenset({"<", "<=", ">=", ">"})
UCUM = "http://unitsofmeasure.org"

_VALUES = (
    "Quantity", "CodeableConcept", "String", "Boolean", "Integer", "Range", "Ratio", "SampledData", "Time", "DateTime",
    "Period",
)  # fmt: skip
_NAMES = {f"value{each}": each for each in _VALUES}
_COMPONENT = frozenset(
    {"id", "extension", "modifierExtension", "code", "dataAbsentReason", "interpretation", "referenceRange"}
    | {f"value{each}" for each in _VALUES}
)
_OBSERVATION = _COMPONENT | {
    "resourceType", "meta", "implicitRules", "language", "text", "contained", "identifier", "basedOn", "partOf",
    "status", "category", "subject", "focus", "encounter", "effectiveDateTime", "effectivePeriod", "effectiveTiming",
    "effectiveInstant", "issued", "performer", "note", "bodySite", "method", "specimen", "device", "hasMember",
    "derivedFrom", "component",
}  # fmt: skip


def read_observation(resource: Element) -> Item:
    """The item of an Observation; its problems are the item's own.

    resource: an element with a list of problems of its own.
    """
    item = _item(resource, _OBSERVATION, status_of(resource, STATUSES))
    components = tuple(_item(each, _COMPONENT, item.status) for each in resource.many("component"))
    at = resource.time("issued") or effective(resource)
    return item._replace(
        components=components,
        at=aware(at),
        method=resource.codings("method"),
        notes=tuple(text for each in resource.many("note") if (text := each.text("text"))),
        problems=tuple(resource.problems),
    )


def status_of(resource: Element, known: dict[str, Status]) -> Status:
    """A resource's status; what is missing or outside its list is noted and counts as preliminary."""
    told = resource.text("status")
    if told in known:
        return known[told]
    code, message = ("UNKNOWN_VALUE", f"{shown(told)} is no status") if told else ("MISSING_FIELD", "is needed")
    resource.note(code, "status", message, f"send one of {', '.join(sorted(known))}")
    return "preliminary"


def effective(resource: Element) -> str:
    """effective[x] as a date or date-time text; of a period its start; "" where absent or told by year or month."""
    period = resource.one("effectivePeriod")
    told = resource.time("effectiveDateTime") or resource.time("effectiveInstant")
    return told or (period.time("start") if period else "")


def _item(element: Element, known: frozenset[str], status: Status) -> Item:
    element.extended()
    for name in element.members if not element.members.keys() <= known else ():
        if name.removeprefix("_") not in known:
            remedy = "send the elements of FHIR R4 (4.0.1) only"
            problem = Problem("UNKNOWN_FIELD", named(element.where, name), "is no element of an R4 Observation", remedy)
            element.problems.append(problem)
    code = element.one("code")
    if code is None and "code" not in element.members:
        element.note("MISSING_FIELD", "code", "is needed", "send what was observed as a CodeableConcept")
    codings = tuple(each for each in codings_of(code) if each.code) if code else ()
    return Item(
        where=element.where,
        codings=codings,
        text=words_of(code),
        values=_values(element),
        status=status,
        interpretation=tuple(each for concept in element.many("interpretation") for each in codings_of(concept)),
    )


def _values(element: Element) -> tuple[Value, ...]:
    present = [each for name, each in _NAMES.items() if name in element.members]
    absent = element.one("dataAbsentReason")
    if len(present) > 1 or (present and absent is not None):
        told = "a value and a dataAbsentReason" if absent is not None else " and ".join(f"value{x}" for x in present)
        element.note("CONTRADICTORY", "value[x]", f"{told} are given", "send exactly one value[x]")
        return ()
    if absent is not None:
        return (Value("none", words_of(absent), absent.where),)
    return (value,) if present and (value := _value(element, present[0])) else ()


def _value(element: Element, kind: str) -> Value | None:
    name = f"value{kind}"
    if kind == "String":
        text = element.text(name)
        return Value("text", text, element.at(name)) if text else None
    if kind == "Integer":
        number = element.number(name)
        return Value("quantity", number, element.at(name), number=number) if number else None
    if kind == "CodeableConcept":
        concept = element.one(name)
        return _coded(concept) if concept else None
    if kind in ("Quantity", "Range", "Ratio"):
        inner = element.one(name)
        if inner is None:
            return None
        return {"Quantity": _quantity, "Range": _range, "Ratio": _ratio}[kind](inner)
    remedy = "send valueQuantity, valueCodeableConcept or valueString"
    element.note("UNSUPPORTED", name, f"{name} holds no result of a tumour marker", remedy)
    return None


def _coded(concept: Element) -> Value | None:
    codings = tuple(each for each in codings_of(concept) if each.code)
    text = words_of(concept)
    if not codings and not text:
        concept.note("UNREADABLE", "", "has neither a coding with a code nor a text", "send the code of the answer")
        return None
    return Value("coded" if codings else "text", text, concept.where, codings=codings)


def _quantity(quantity: Element) -> Value | None:
    number = quantity.number("value")
    if not number:
        if "value" not in quantity.members:
            quantity.note("MISSING_FIELD", "value", "is needed", "send the number, or a dataAbsentReason")
        return None
    comparator = quantity.text("comparator")
    if comparator and comparator not in COMPARATORS:
        quantity.note("UNKNOWN_VALUE", "comparator", f"{shown(comparator)} is no comparator", "send <, <=, >= or >")
        return None
    unit = _unit(quantity)
    return Value("quantity", f"{comparator}{number} {unit}".strip(), quantity.where, comparator, number, unit=unit)


def _unit(quantity: Element) -> str:
    code = quantity.text("code")
    return code if code and quantity.text("system") == UCUM else quantity.text("unit") or code


def _range(span: Element) -> Value | None:
    """A closed range; one with a single end is a comparison, since R4's ranges include their ends."""
    ends = [_plain(span, name) for name in ("low", "high")]
    low, high = ends
    if low and high:
        text = f"{low.number} - {high.number} {low.unit}".strip()
        if low.unit != high.unit:
            span.note("CONTRADICTORY", "", "its two ends have different units", "send both ends in one unit")
            return None
        return Value("range", text, span.where, number=low.number, second=high.number, unit=low.unit)
    end = low or high
    if end is None:
        return None
    comparator = ">=" if low else "<="
    return end._replace(text=f"{comparator}{end.text}", comparator=comparator, where=span.where)


def _plain(element: Element, name: str) -> Value | None:
    inner = element.one(name)
    value = _quantity(inner) if inner else None
    if inner is not None and value is not None and value.comparator:
        inner.note("AMBIGUOUS", "comparator", "stands where only a plain number can", "send one Quantity with it")
        return None
    return value


def _ratio(ratio: Element) -> Value | None:
    numerator = ratio.one("numerator")
    upper = _quantity(numerator) if numerator else None
    lower = _plain(ratio, "denominator")
    if upper is None or lower is None:
        if not {"numerator", "denominator"} <= ratio.members.keys():
            ratio.note("MISSING_FIELD", "", "has no numerator or no denominator", "send both numbers")
        return None
    unit = "" if upper.unit == lower.unit else f"{upper.unit}/{lower.unit}".strip("/")
    text = f"{upper.text} : {lower.text}"
    return Value("ratio", text, ratio.where, upper.comparator, upper.number, lower.number, unit)
