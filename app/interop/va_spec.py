"""A pack's statements in the shape of GA4GH VA-Spec 1.0 (core information model).

The proposition is what the statement speaks for, in words: Herald's sources speak of patients and drugs, seldom of
variants, so the variant-specific propositions of VA-Spec do not fit and the general one is used. What the core model
has no place for (effects as printed, who was studied, what contradicts it) goes into extensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Directions that say nothing for or against a claim.
_NEUTRAL = frozenset({"unclear", "descriptive"})


def statements(pack: Mapping[str, Any]) -> dict[str, Any]:
    """The whole pack, as given by GET /evidence/packs/{id}."""
    return {
        "pack": {name: pack[name] for name in ("id", "version", "digest")},
        "statements": [_statement(each, pack) for each in pack["statements"]],
    }


def _statement(told: Mapping[str, Any], pack: Mapping[str, Any]) -> dict[str, Any]:
    subject = told["intervention"] or told["population"]["text"]
    about = told["endpoint"] or (told["effects"][0]["endpoint"] if told["effects"] else told["section"])
    qualifiers = {"population": told["population"]["text"], "comparator": told["comparator"]}
    return {
        "id": f"herald:{pack['id']}:{told['id']}",
        "type": "Statement",
        "description": told["summary"],
        "proposition": {
            "type": "Proposition",
            "subject": subject,
            "predicate": told["direction"],
            "object": about,
            **{name: value for name, value in qualifiers.items() if value},
        },
        "direction": "neutral" if told["direction"] in _NEUTRAL else "supports",
        "specifiedBy": {
            "type": "Method",
            "name": f"Herald pack {pack['id']} {pack['version']}",
            "methodType": "curation",
        },
        "reportedIn": [_document(pack["source"]), *map(_document, told["references"])],
        "contributions": [{"type": "Contribution", "contributor": each} for each in pack["curators"]],
        "extensions": [
            {"name": name, "value": told[name]}
            for name in ("setting", "design", "bears_on", "population", "effects", "caveats", "contradicts", "locator")
        ],
    }


def _document(reference: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: reference[name] for name in ("title", "doi", "pmid") if reference.get(name)}
    if "pmid" in given:
        given["pmid"] = int(given["pmid"])
    return {"type": "Document", "name": reference["cited_as"], **given}
