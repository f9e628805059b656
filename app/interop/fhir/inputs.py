"""What a classification was made from, as Observations: the IHC score and the numbers of each ISH count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from app.domain.reading import read_score
from app.interop.fhir.observations import UCUM
from app.interop.fhir.parts import CATEGORY, MARKER_TEST, RESULT_ID, Resource, about, coded, effective, meta
from app.interop.received import LOINC
from app.interop.tabular import SHORT

IHC = ("85319-2", "HER2 [Presence] in Breast cancer specimen by Immune stain")
IHC_ANY_TISSUE = ("18474-7", "HER2 Ag [Presence] in Tissue by Immune stain")
SCORES = {
    "0": ("LA6111-4", "0"),
    "0+": ("LA6111-4", "0"),
    "1+": ("LA11841-6", "1+"),
    "2+": ("LA11842-4", "2+"),
    "3+": ("LA11843-2", "3+"),
    "indeterminate": ("LA11884-6", "Indeterminate"),
}
_NUMBERS = {
    "ratio": ("49683-6", "ERBB2 gene copy number/Chromosome 17 copy number in Tissue by FISH", "{ratio}"),
    "her2_copies": ("74860-8", "ERBB2 gene copy number/nucleus in Tissue by FISH", "{copies}/{nucleus}"),
    "cep17_copies": ("74861-6", "Chromosome 17 copy number/nucleus in Tissue by FISH", "{copies}/{nucleus}"),
}
# Every count of a case document, and what tells it apart.
_COUNTS = {"ish": "", "follow_up_ish": "further ISH", "recount": "second count", "third_count": "third count"}
_TOTALS = ("cells", "her2_signals", "cep17_signals", "her2_cells", "cep17_cells")
_NUMBER = re.compile(r"(?P<comparator><=|>=|<|>|≤|≥)?\s*(?P<digits>\d+(\.\d*)?|\.\d+)", re.ASCII)
_SIGNS = {"≤": "<=", "≥": ">="}


def input_observations(result: Mapping[str, Any]) -> list[Resource]:
    """An Observation for the IHC score and for each ISH number of a stored result's input.

    Ids are the result's with what was measured. An interval with one end is a Quantity with its comparator; one with
    two ends is a string, since the profile knows no Range.
    """
    document = _unfolded(result["input"])
    found = [*_ihc(result, document)]
    for block, words in _COUNTS.items():
        count = document.get(block)
        if isinstance(count, Mapping) and count.get("failed") is not True:
            found += _count(result, block, words, count)
    return found


def totals_of(result: Mapping[str, Any]) -> list[str]:
    """What was counted in each ISH count of a result's input, in words: totals have no LOINC code."""
    counts = [(words, result["input"].get(block)) for block, words in _COUNTS.items()]
    return [
        f"{words or 'ISH'}: {', '.join(told)}"
        for words, count in counts
        if isinstance(count, Mapping) and (told := _counted(count))
    ]


def _counted(count: Mapping[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' ')} {count[name]}" for name in _TOTALS if count.get(name) is not None]


def _unfolded(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its short forms (ratio, copies, ...) at their places."""
    told = dict(document)
    for short, path in SHORT.items():
        block, name = path.split(".")
        value = told.get(short)
        if value is None or isinstance(value, Mapping):
            continue
        told[block] = {**(told.get(block) or {} if block != short else {}), name: value}
    return told


def _observation(result: Mapping[str, Any], name: str, code: tuple[str, str], **more: Any) -> Resource:
    id = f"{result['id']}-{name}"
    return {
        "resourceType": "Observation",
        "id": id,
        "meta": meta(result, [MARKER_TEST] if result["patient_id"] else []),
        "identifier": [{"system": RESULT_ID, "value": id}],
        "status": "final",
        "category": CATEGORY,
        "code": coded(LOINC, *code),
        **about(result),
        **effective(result["input"]),
        **more,
    }


def _ihc(result: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Resource]:
    ihc = document.get("ihc") or {}
    score = read_score(ihc["score"], "ihc.score", []) if ihc.get("score") is not None else None
    if score is None:
        return
    specimen = document.get("specimen") or {}
    code = IHC_ANY_TISSUE if specimen.get("breast_carcinoma") is False else IHC
    value = {**coded(LOINC, *SCORES[score]), "text": score}
    clone = {"method": {"text": f"IHC, clone {ihc['clone']}"}} if ihc.get("clone") else {}
    yield _observation(result, "ihc", code, valueCodeableConcept=value, **clone)


def _count(result: Mapping[str, Any], block: str, words: str, count: Mapping[str, Any]) -> Iterator[Resource]:
    told = ([words] if words else []) + _counted(count)
    more: Resource = {"note": [{"text": each} for each in told]} if told else {}
    if count.get("method"):
        more["method"] = {"text": count["method"]}
    for name, (code, display, unit) in _NUMBERS.items():
        if count.get(name) is not None:
            place = f"{block}-{name}".replace("_", "-")
            yield _observation(result, place, (code, display), **_value(str(count[name]).strip(), unit), **more)


def _value(text: str, unit: str) -> Resource:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return {"valueString": text}
    comparator = match["comparator"]
    told = {"comparator": _SIGNS.get(comparator, comparator)} if comparator else {}
    return {
        "valueQuantity": {"value": Decimal(match["digits"]), **told, "unit": unit, "system": UCUM, "code": unit},
    }
