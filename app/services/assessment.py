"""Assess: classify and weigh. The answer of /her2/classify, of a stored result, of the CLI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import msgspec

from app import ENGINE_VERSION
from app.domain import codes
from app.domain.classification import Classification, Settled, Step, World
from app.domain.evidence import Weighing
from app.domain.problems import Problem
from app.domain.reading import read_case
from app.evidence.documents import to_document
from app.evidence.library import load_pack
from app.evidence.weighing import weigh
from app.guidelines.classify import classify
from app.guidelines.editions import EDITIONS

_PACK = load_pack()
_EDITION_IDENTITIES = {edition.id: edition.identity() for edition in EDITIONS.values()}
EVIDENCE_IDENTITY = {"id": _PACK.id, "version": _PACK.version, "digest": _PACK.digest}
EVIDENCE_SOURCE = _PACK.source.cited_as
SCORES = {"0": "0", "0+": "0", "1+": "1+", "2+": "2+", "3+": "3+"}
_encode = msgspec.json.Encoder().encode
_TEXTS = {
    code: entry.text
    for listed in (codes.NEXT_STEPS, codes.FLAGS, codes.COMMENTS, codes.REPORT_NOTES, codes.NOTES)
    for code, entry in listed.items()
}


@dataclass(frozen=True)
class Assessment:
    """A classification and what the evidence says beside it, as a document or as its JSON text."""

    classification: Classification
    weighing: Weighing

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.classification.problems

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The answer as plain JSON types; parts are shared between answers and must not be changed."""
        found = self.classification
        return {
            **_settled(found).document,
            "fda_ratio": found.fda_ratio,
            "measured": _measured(found),
            "trace": [step.document for step in found.trace],
            "considerations": _weighed(self.weighing)[0],
        }

    def encoded(self) -> bytes:
        """The same answer as JSON, put together from parts that were encoded before."""
        found = self.classification
        parts = _settled(found)
        own = found.trace[: len(found.trace) - len(found.settled.trace)]
        told = {
            "fda_ratio": found.fda_ratio,
            "measured": _measured(found),
            "trace": msgspec.Raw(b"[%b]" % b",".join([*map(_encoded, own), parts.trace])),
            "considerations": _weighed(self.weighing)[1],
        }
        return b"%b,%b" % (parts.opening, _encode(told)[1:])


def assess(document: Mapping[str, Any]) -> Assessment:
    """Classify one case document and weigh the evidence for its context. Stateless; never raises for bad input."""
    reading = read_case(document)
    found = classify(reading.case, reading.problems)
    ihc = SCORES.get(reading.case.ihc.score or "")
    return Assessment(found, weigh(_PACK, reading.context, found.status, found.final, found.her2_low, ihc))


def withheld(document: Mapping[str, Any], problems: Sequence[Problem]) -> dict[str, Any]:
    """The answer to a case whose report contradicts itself or cannot be read in full: invalid, and no status is shown.

    problems: at least one, each told in the answer.
    """
    found = assess(document)
    told = f"HER2 invalid. {problems[0].field}: {problems[0].message}"
    nothing: dict[str, Any] = dict.fromkeys(("ish_group", "ish_result", "comment", "retest", "fda_ratio"))
    nothing |= {name: [] for name in ("report_notes", "notes", "next_steps", "flags", "worlds", "measured", "trace")}
    nothing |= {"status": "invalid", "final": False, "her2_low": "undetermined", "review_required": True, "texts": {}}
    weighing = weigh(_PACK, read_case(document).context, "invalid", False, "undetermined", None)
    listed = [problem_document(each) for each in dict.fromkeys((*problems, *found.problems))]
    return found.answer | nothing | {"summary": told, "problems": listed, "considerations": _weighed(weighing)[0]}


def weighed_anew(document: Mapping[str, Any], answer: Mapping[str, Any], setting: str | None = None) -> dict[str, Any]:
    """What the evidence says beside an answer, by the pack at work. setting: in place of the document's own."""
    reading = read_case(document)
    context = reading.context if setting is None else reading.context._replace(setting=setting)
    ihc = SCORES.get(reading.case.ihc.score or "")
    return _weighed(weigh(_PACK, context, answer["status"], answer["final"], answer["her2_low"], ihc))[0]


def _measured(found: Classification) -> list[dict[str, str]]:
    return [{"name": used.name, "value": used.value, "unit": used.unit, "basis": used.basis} for used in found.used]


class _Parts(NamedTuple):
    """What follows from words alone: as a document, and encoded. `of` is held so that its id stays its own."""

    of: Settled
    document: dict[str, Any]
    opening: bytes
    trace: bytes


_remembered: dict[int, _Parts] = {}
_REMEMBERED = 10_000


def _settled(found: Classification) -> _Parts:
    known = _remembered.get(id(found.settled))
    if known is None or known.of is not found.settled:
        if len(_remembered) >= _REMEMBERED:
            _remembered.clear()
        made = _made(found)
        trace = b",".join(map(_encoded, found.settled.trace))
        known = _remembered[id(found.settled)] = _Parts(found.settled, made, _encode(made)[:-1], trace)
    return known


def _encoded(step: Step) -> bytes:
    """A step as JSON, kept with the step."""
    kept: bytes | None = step.__dict__.get("_encoded")
    if kept is None:
        kept = step.__dict__["_encoded"] = _encode(step.document)
    return kept


@lru_cache(maxsize=4096)
def _weighed(weighing: Weighing) -> tuple[dict[str, Any], msgspec.Raw]:
    document = {key: value for key, value in to_document(weighing).items() if key != "evidence"}
    return document, msgspec.Raw(_encode(document))


def _made(found: Classification) -> dict[str, Any]:
    told = (*found.next_steps, *found.flags, *found.report_notes, *found.notes)
    told += (found.comment,) if found.comment else ()
    return {
        "status": found.status,
        "final": found.final,
        "summary": _summary(found),
        "ish_group": found.ish_group,
        "ish_result": found.ish_result,
        "her2_low": found.her2_low,
        "comment": found.comment,
        "report_notes": list(found.report_notes),
        "notes": list(found.notes),
        "next_steps": list(found.next_steps),
        "flags": list(found.flags),
        "review_required": found.review_required,
        "retest": found.retest,
        "problems": [problem_document(problem) for problem in found.problems],
        "texts": {code: _TEXTS[code] for code in told},
        "policy": found.policy,
        "worlds": [_world_document(world) for world in found.worlds],
        "edition": _EDITION_IDENTITIES[found.edition],
        "evidence": EVIDENCE_IDENTITY,
        "engine": ENGINE_VERSION,
    }


def problem_document(problem: Problem) -> dict[str, str]:
    """A problem as plain JSON types."""
    return {
        "code": problem.code,
        "field": problem.field,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _world_document(world: World) -> dict[str, Any]:
    return {
        "assumption": world.assumption,
        "status": world.status,
        "trace": [step.document for step in world.steps],
    }


def _summary(found: Classification) -> str:
    """One line that a person can read aloud."""
    words = [f"HER2 {found.status}"]
    if found.status in ("positive", "negative"):
        words.append("final" if found.final else "not final")
    if found.ish_group:
        words.append(f"ISH group {found.ish_group}")
    if found.her2_low in ("low", "ultralow", "null"):
        words.append(f"HER2-{found.her2_low}")
    line = ", ".join(words)
    if found.problems:
        return f"{line}. {found.problems[0].field}: {found.problems[0].message}"
    open_steps = [step for step in found.next_steps if not found.final or step not in codes.ADVICE_STEPS]
    return f"{line}. Next: {_TEXTS[open_steps[0]]}" if open_steps and not found.final else line


def guideline_document(edition_id: str) -> dict[str, Any] | None:
    """An edition as data, drawn from its tables; None for an unknown id."""
    edition = EDITIONS.get(edition_id)
    if edition is None:
        return None
    return {
        **edition.identity(),
        "source": edition.source,
        "notes": list(edition.notes),
        "tables": [{**table.document(), "digest": table.digest} for table in edition.tables],
    }


def guideline_identities() -> list[dict[str, Any]]:
    """Every edition, the default first."""
    return list(_EDITION_IDENTITIES.values())
