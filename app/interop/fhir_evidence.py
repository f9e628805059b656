"""A statement as FHIR Evidence, a reference as FHIR Citation: R4B (4.3.0), whose shapes are those of R5.

R4 (4.0.1) itself has no Citation, and its Evidence cannot hold a result: no statistic, interval or P, no note. R4B can,
save these, which stay in notes: a finding's direction, what contradicts it, the place in the review, a P printed only
as a bound, an effect printed as one value for each group without a common statistic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_STATISTICS = {
    "relative risk": ("C93152", "Relative Risk"),
    "hazard ratio": ("C93150", "Hazard Ratio"),
}
_STATISTIC_SYSTEM = "http://terminology.hl7.org/CodeSystem/statistic-type"
_ESTIMATE_SYSTEM = "http://terminology.hl7.org/CodeSystem/attribute-estimate-type"
_ROLES = (("population", "population"), ("exposure", "intervention"), ("referenceExposure", "comparator"))


def evidence(told: Mapping[str, Any]) -> dict[str, Any]:
    """Evidence of one statement, as given by GET /evidence/{id}."""
    words = {"population": told["population"]["text"], **{name: told[name] for _, name in _ROLES[1:]}}
    variables = [{"description": words[name], "variableRole": _role(role)} for role, name in _ROLES if words[name]]
    measured = list(dict.fromkeys(each["endpoint"] for each in told["effects"])) or [
        told["endpoint"] or told["section"]
    ]
    variables += [{"description": each, "variableRole": _role("measuredVariable")} for each in measured]
    notes = [f"Direction: {told['direction']}.", f"Place in the review: “{told['locator']}”."]
    notes += [f"Caveat: {each}" for each in told["caveats"]]
    notes += [f"Contradicted by: {each}" for each in told["contradicts"]]
    return {
        "resourceType": "Evidence",
        "id": told["id"][:64],
        "identifier": [{"system": f"urn:herald:pack:{told['pack']['id']}", "value": told["id"]}],
        "version": told["pack"]["version"],
        "status": "active",
        "citeAsMarkdown": told["citation"],
        "description": told["summary"],
        "note": [{"text": each} for each in notes],
        "variableDefinition": variables,
        "statistic": [statistic for effect in told["effects"] for statistic in _statistics(effect)],
    }


def _role(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/variable-role", "code": code}]}


def _statistics(effect: Mapping[str, Any]) -> list[dict[str, Any]]:
    if effect["arms"]:
        return [_one(effect, arm["value"], arm["n"], f"{effect['endpoint']}: {arm['group']}") for arm in effect["arms"]]
    said = f"{effect['endpoint']}: {effect['compares']}" if effect["compares"] else effect["endpoint"]
    return [_one(effect, effect["value"], effect["n"], said)]


def _one(effect: Mapping[str, Any], value: str | None, n: int | None, said: str) -> dict[str, Any]:
    found: dict[str, Any] = {"description": said}
    code = _STATISTICS.get(effect["measure"])
    kind: dict[str, Any] = {"text": effect["measure"]}
    if code:
        kind["coding"] = [{"system": _STATISTIC_SYSTEM, "code": code[0], "display": code[1]}]
    found["statisticType"] = kind
    if value is not None:
        found["quantity"] = {"value": _number(value), **({"unit": effect["unit"]} if effect["unit"] else {})}
    if n is not None:
        found["sampleSize"] = {"numberOfParticipants": n}
    estimates: list[dict[str, Any]] = []
    if effect["ci95"]:
        low, high = effect["ci95"]
        span = {"low": {"value": _number(low)}, "high": {"value": _number(high)}}
        kind = {"coding": [{"system": _ESTIMATE_SYSTEM, "code": "C53324", "display": "Confidence interval"}]}
        estimates.append({"type": kind, "level": 0.95, "range": span})
    if effect["p"] and effect["p"].startswith("P = "):
        kind = {"coding": [{"system": _ESTIMATE_SYSTEM, "code": "C44185", "display": "P-value"}]}
        estimates.append({"type": kind, "quantity": {"value": _number(effect["p"].removeprefix("P = "))}})
    if estimates:
        found["attributeEstimate"] = estimates
    tests = {"p": "", "p_heterogeneity": "heterogeneity ", "p_interaction": "interaction "}
    printed = [effect["qualifier"]] if effect["qualifier"] else []
    printed += [label + effect[name] for name, label in tests.items() if effect[name]]
    if effect["span"]:
        printed.append(" to ".join(effect["span"]))
    printed += effect["reads_as"]
    if printed:
        found["note"] = [{"text": "; ".join(printed)}]
    return found


def _number(text: str) -> msgspec.Raw:
    """A JSON number written with the digits it was printed with: 1.70 stays 1.70."""
    return msgspec.Raw(text.encode())


def citation(told: Mapping[str, Any]) -> dict[str, Any]:
    """Citation of one reference, as given by GET /references/{key}: only what was seen in a source."""
    artifact: dict[str, Any] = {}
    systems = {"doi": "https://doi.org", "pmid": "https://pubmed.ncbi.nlm.nih.gov"}
    given = [{"system": system, "value": told[name]} for name, system in systems.items() if told[name]]
    if given:
        artifact["identifier"] = given
    if told["title"]:
        artifact["title"] = [{"text": told["title"]}]
    if told["note_from_outside_the_review"]:
        artifact["note"] = [{"text": told["note_from_outside_the_review"]}]
    return {
        "resourceType": "Citation",
        "id": told["key"],
        "status": "active",
        "title": told["cited_as"],
        **({"citedArtifact": artifact} if artifact else {}),
    }
