"""What an EHR's own Observations say of HER2: one answer for each specimen, never guessed. Nothing is stored.

Observations that name a specimen stand with it. Those that name none stand together by report, else by day: what was
measured on another day may be of another tissue. An Observation of HER2 that is not understood, or that contradicts
another of its specimen, takes the status away, and the problem is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.domain.problems import Problem
from app.domain.reading import moment
from app.interop.feeds.feed import STANDARD
from app.interop.feeds.words import opposed
from app.interop.fhir.elements import Element
from app.interop.received import SNOMED
from app.services.assessment import assess, withheld
from app.services.payloads import FHIR_JSON, Outcome, Payload
from app.services.tissues import UNTOLD, day_of, time_of, together

Resource = Mapping[str, Any]
Preview = Callable[[Payload], Outcome]
# Nothing is stored, so it does not matter whose result it is.
NOT_ASKED = frozenset({"NO_PATIENT", "NO_ACCESSION"})
_AWAITED = ("registered", "preliminary", "unknown")
_FINAL = ("final", "amended", "corrected")
# A diagnosis that names the status (SNOMED CT); the results count, and a difference is told.
_DIAGNOSES = {"427685000": "positive", "431396003": "negative"}
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]\.resource")


@dataclass(frozen=True, slots=True)
class Found:
    """What the Observations of one specimen give.

    answer: as of /her2/classify; document: the case document that was read; problems: why there is no status, or what
    differs beside one; sources: the Observations, as Observation/id; specimen: its label, "" where none is named;
    effective: the time of the newest of them (ISO 8601, as written), None where none is told; awaited: whether one is
    not yet final, and not read.
    """

    answer: dict[str, Any]
    document: dict[str, Any]
    problems: tuple[Problem, ...]
    sources: tuple[str, ...]
    specimen: str
    effective: str | None
    awaited: bool = False


def previewed(preview: Preview, resources: Sequence[Resource], sender: str = "") -> Outcome:
    """What the intake reads of resources; nothing is stored. Several are read as one Bundle."""
    bundle: Resource = resources[0]
    if len(resources) > 1:
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}
    return preview(Payload(b"", FHIR_JSON, sender, resource=bundle))


def problems_of(became: Outcome, at: int) -> tuple[Problem, ...]:
    """The problems of one part of a preview: its own, and those of no part."""
    others = {each for place, part in enumerate(became.parts) if place != at for each in part.problems}
    own = set(became.parts[at].problems) if at < len(became.parts) else set()
    return tuple(each for each in became.problems if each.code not in NOT_ASKED and (each in own or each not in others))


def found_in(
    preview: Preview, resources: Iterable[Resource], context: Mapping[str, Any] | None = None
) -> tuple[Found, ...]:
    """What FHIR Observations say of HER2, one answer for each specimen, the oldest first; () for nothing about HER2.

    preview: of the intake; resources: Observations with what they refer to, and Conditions, read by strict_json, which
    keeps digits; context: what is known of the patient beside them, as in a case document: it holds where no
    Observation says otherwise.
    """
    listed = list(resources)
    groups = together([each for each in listed if not _never_was(each)])
    read = [(tissue, group, previewed(preview, group)) for tissue, group in groups.items()]
    loose = [(group, became) for _, group, became in read if not became.parts]
    found: list[Found] = []
    for tissue, group, became in read:
        known = {**(context or {}), **_receptors(loose, {day_of(each) for each in group})}
        found += _found(group, became, known, tuple(_unlinked(group)) if tissue == UNTOLD else ())
    diagnoses = [each for each in listed if each.get("resourceType") == "Condition"]
    return tuple(_beside(each, diagnoses) for each in sorted(found, key=_when))


def _never_was(resource: Resource) -> bool:
    return resource.get("resourceType") == "Observation" and resource.get("status") == "entered-in-error"


def _unlinked(group: Sequence[Resource]) -> Iterable[Problem]:
    """Several results of HER2 of which nothing says that they are of one tissue."""
    observations = [each for each in group if each.get("resourceType") == "Observation" and not _is_other(each)]
    if len(observations) > 1:
        remedy = "send Observation.specimen, or Observation.effectiveDateTime"
        told = "neither a specimen nor a day says that these are of one tissue"
        yield Problem("MISSING_FIELD", f"Observation/{_id_of(observations[0]) or '?'}.specimen", told, remedy)


def _receptors(others: Sequence[tuple[list[Resource], Outcome]], days: set[str]) -> dict[str, str]:
    """ER and PgR by Observations that name no specimen and are of one of these days, where all that are final, of
    whatever day, say the same: of another day they may be of another tumour."""
    said: dict[str, set[str]] = {}
    same_day = set[str]()
    for group, became in others:
        for line in became.lines:
            source = _source(group, line["where"])
            if source is None or "specimen" in source or source.get("status") not in _FINAL:
                continue
            if line["field"].startswith("context."):
                name = line["field"].removeprefix("context.")
                said.setdefault(name, set()).add(line["value"])
                same_day |= {name} if day_of(source) in days - {""} else set()
    return {name: values.pop() for name, values in said.items() if len(values) == 1 and name in same_day}


def _source(group: Sequence[Resource], where: str) -> Resource | None:
    """The resource in which a place stands."""
    if match := _ENTRY.match(where):
        at = int(match[1])
        return group[at] if at < len(group) else None
    return group[0] if len(group) == 1 else None


def _found(
    group: Sequence[Resource], became: Outcome, known: Mapping[str, Any], unlinked: tuple[Problem, ...]
) -> Iterable[Found]:
    observations = [each for each in group if each.get("resourceType") == "Observation"]
    if not became.parts:
        problems = problems_of(became, 0)
        if problems and not all(map(_is_other, observations)):
            yield _answered({}, {}, problems, group, observations, "")
        return
    for at, part in enumerate(became.parts):
        document, assessed = part.document, part.assessed
        own = document.get("context", {})
        if not known.keys() <= own.keys():
            document = {**document, "context": {**known, **own}}
            assessed = assess(document)
        specimen = part.specimen or _label(observations)
        sources = observations
        if len(became.parts) > 1:
            sources = [each for each in observations if _names(each, part.specimen)] or observations
        yield _answered(assessed.answer, document, (*problems_of(became, at), *unlinked), group, sources, specimen)


def _answered(
    answer: dict[str, Any],
    document: dict[str, Any],
    problems: Sequence[Problem],
    group: Sequence[Resource],
    observations: Sequence[Resource],
    specimen: str,
) -> Found:
    told = tuple(_placed(each, group) for each in problems)
    told = told or tuple(_reported(document, answer))
    if told:
        answer = withheld(document, told)
    ids = tuple(f"Observation/{id}" for id in map(_id_of, observations) if id)
    times = [each for each in map(time_of, observations) if each]
    awaited = any(each.get("status") in _AWAITED and not _is_other(each) for each in observations)
    return Found(answer, document, told, ids, specimen, max(times, key=_instant) if times else None, awaited)


def _id_of(resource: Resource) -> str:
    """The id of a resource, "" for free text in its place."""
    told = resource.get("id")
    return told if isinstance(told, str) and _ID.fullmatch(told) else ""


def _placed(problem: Problem, group: Sequence[Resource]) -> Problem:
    """The problem with the ids of resources in place of their numbers in a Bundle made here."""

    def name(match: re.Match[str]) -> str:
        at = int(match[1])
        id = _id_of(group[at]) if at < len(group) else ""
        return f"{group[at]['resourceType']}/{id}" if id else match[0]

    field, alone = problem.field, group[0]
    if len(group) == 1 and (id := _id_of(alone)):
        field = re.sub(r"^Observation(?![\w/])", f"Observation/{id}", field)
    return Problem(problem.code, _ENTRY.sub(name, field), _ENTRY.sub(name, problem.message), problem.remedy)


def _reported(document: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterable[Problem]:
    """A whole status that the sender reports and that the scores and counts do not bear out."""
    if not answer["final"]:
        return
    for said in str(document.get("reported_status") or "").split("; "):
        if " by " not in said and opposed(said, answer["status"]):
            told = f"is reported {said}, while the scores and counts give {answer['status']}"
            yield Problem("CONTRADICTORY", "reported_status", told, "have the laboratory correct the one that is wrong")


def _is_other(observation: Resource) -> bool:
    """Is an Observation, by its codes, of something else than HER2, such as a receptor?"""
    code = Element(observation, "Observation", []).codings("code")
    targets = [STANDARD.codes.get((each.system, each.code), "") for each in code]
    return bool(targets) and all(each == "ignore" or each.startswith("context.") for each in targets)


def _names(observation: Resource, specimen: str) -> bool:
    return specimen != "" and specimen in str(observation.get("specimen"))


def _label(observations: Sequence[Resource]) -> str:
    for each in observations:
        specimen = each.get("specimen")
        told = specimen.get("display") if isinstance(specimen, Mapping) else None
        if isinstance(told, str):
            return told
    return ""


def _beside(found: Found, diagnoses: Sequence[Resource]) -> Found:
    """Told beside: a diagnosis on the problem list that names another status than the results give."""
    if not found.answer["final"]:
        return found
    problems = [*found.problems]
    for each in diagnoses:
        element = Element(each, f"Condition/{_id_of(each) or '?'}", [])
        codes = {coding.code for coding in element.codings("code") if coding.system == SNOMED}
        verified = {coding.code for coding in element.codings("verificationStatus")} <= {"confirmed"}
        active = {coding.code for coding in element.codings("clinicalStatus")} <= {"active", "recurrence", "relapse"}
        said = {_DIAGNOSES[code] for code in codes if code in _DIAGNOSES} if verified and active else set()
        if any(opposed(word, found.answer["status"]) for word in said):
            told = f"the problem list says HER2 {' and '.join(said)}, the results give {found.answer['status']}"
            problems.append(Problem("CONTRADICTORY", element.at("code"), told, "correct the one that is wrong"))
    return replace(found, problems=tuple(problems))


def _instant(text: str) -> datetime:
    return moment(text).astimezone(UTC)


def _when(found: Found) -> datetime:
    return _instant(found.effective) if found.effective else datetime.min.replace(tzinfo=UTC)
