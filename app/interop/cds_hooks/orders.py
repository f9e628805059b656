"""Draft orders, read leniently: which of the selected ones are an endocrine, anti-HER2 or CDK4/6 agent."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from app.domain.problems import Problem

_REFERENCE = re.compile(r"([A-Za-z]+/[A-Za-z0-9.-]{1,64}|urn:uuid:[0-9A-Fa-f-]{36})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Draft:
    """A selected draft order that names its medication: every name it is given there."""

    reference: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agent:
    """A drug by which evidence is looked for. kind: endocrine, anti-HER2 or CDK4/6; words: names of the drug;
    unless: words with which it is another drug; about: words by which a consideration speaks of it, in lower case."""

    name: str
    kind: str
    words: tuple[str, ...]
    unless: tuple[str, ...]
    about: tuple[str, ...]


@lru_cache(maxsize=1)
def agents() -> tuple[Agent, ...]:
    """The agents of agents.toml."""
    text = resources.files(__package__).joinpath("agents.toml").read_text("utf-8")
    return tuple(
        Agent(each["name"], each["kind"], tuple(each["words"]), tuple(each.get("unless", ())), tuple(each["about"]))
        for each in tomllib.loads(text)["agent"]
    )


def drafts_of(context: Mapping[str, Any], problems: list[Problem]) -> tuple[Draft, ...]:
    """The selected draft orders that name a medication. What is wrong with selections or draftOrders is noted."""
    selections, bundle = context.get("selections"), context.get("draftOrders")
    where = "context.selections"
    if not isinstance(selections, list):
        code, told = ("WRONG_TYPE", "is not a list") if "selections" in context else ("MISSING_FIELD", "is needed")
        problems.append(Problem(code, where, told, "send the references of the selected orders"))
        selections = []
    there = _resources(context, bundle, problems)
    found = []
    for at, selected in enumerate(selections):
        if not isinstance(selected, str) or not _REFERENCE.fullmatch(selected):
            remedy = "send a reference such as MedicationRequest/abc"
            problems.append(Problem("WRONG_TYPE", f"{where}[{at}]", "is not a reference", remedy))
        elif selected not in there:
            if isinstance(bundle, Mapping):
                remedy = "send each selected order in context.draftOrders"
                problems.append(Problem("UNKNOWN_VALUE", f"{where}[{at}]", "is not among the draft orders", remedy))
        elif not _is_for(there[selected], context):
            remedy = "send the orders of context.patientId alone"
            problems.append(Problem("PATIENT_DIFFERS", f"{where}[{at}]", "is an order for another patient", remedy))
        elif there[selected].get("doNotPerform") is True:
            continue
        elif names := tuple(dict.fromkeys(_names(there[selected], there))):
            found.append(Draft(selected, names))
    return tuple(found)


def _is_for(order: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    """Is an order for the patient whose chart is open? One that names nobody is."""
    subject = order.get("subject")
    told = subject.get("reference") if isinstance(subject, Mapping) else None
    return not isinstance(told, str) or told.partition("/_history/")[0].split("/")[-2:] == [
        "Patient",
        context.get("patientId"),
    ]


def _resources(context: Mapping[str, Any], bundle: Any, problems: list[Problem]) -> dict[str, Mapping[str, Any]]:
    """The resources of draftOrders by every reference that may name them."""
    where = "context.draftOrders"
    if not isinstance(bundle, Mapping):
        code, told = ("WRONG_TYPE", "is not a Bundle") if "draftOrders" in context else ("MISSING_FIELD", "is needed")
        problems.append(Problem(code, where, told, "send a Bundle of the draft orders"))
        return {}
    if bundle.get("resourceType") != "Bundle":
        problems.append(Problem("WRONG_TYPE", f"{where}.resourceType", "is not Bundle", "send a Bundle"))
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        problems.append(Problem("WRONG_TYPE", f"{where}.entry", "is not a list", "send a list of entries"))
        return {}
    there: dict[str, Mapping[str, Any]] = {}
    for at, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(resource, Mapping):
            place = f"{where}.entry[{at}].resource"
            problems.append(Problem("MISSING_FIELD", place, "is needed", "send a resource in each entry"))
            continue
        there[f"{resource.get('resourceType')}/{resource.get('id')}"] = resource
        if isinstance(url := entry.get("fullUrl"), str):
            there[url] = resource
    return there


def _names(order: Mapping[str, Any], there: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from _concept(order.get("medicationCodeableConcept"))
    reference = order.get("medicationReference")
    if not isinstance(reference, Mapping):
        return
    if isinstance(display := reference.get("display"), str):
        yield display
    told = reference.get("reference")
    contained = order.get("contained")
    for each in contained if isinstance(contained, list) else ():
        if isinstance(each, Mapping) and isinstance(told, str) and told == f"#{each.get('id')}":
            yield from _concept(each.get("code"))
    if isinstance(told, str) and told in there:
        yield from _concept(there[told].get("code"))


def _concept(concept: Any) -> Iterator[str]:
    if not isinstance(concept, Mapping):
        return
    codings = concept.get("coding")
    for each in (concept, *(codings if isinstance(codings, list) else [codings])):
        told = each.get("text" if each is concept else "display") if isinstance(each, Mapping) else None
        if isinstance(told, str) and told.strip():
            yield told


def agents_in(names: Iterable[str]) -> tuple[Agent, ...]:
    """The agents that the names of a medication hold, each once."""
    texts = [each.casefold() for each in names]
    return tuple(each for each in agents() if any(_is_named(each, text) for text in texts))


def _is_named(agent: Agent, text: str) -> bool:
    if any(word in text for word in agent.unless):
        return False
    return any(word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in agent.words)
