"""From a case document (plain JSON types, as received) to a Case, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.case import Case, Cluster, Count, Ihc, Specimen
from app.domain.codes import DEFAULT_EDITION, DEFAULT_POLICY, EDITIONS, POLICY_SWITCHES
from app.domain.evidence import BIOMARKERS, MENOPAUSAL, PATIENT_SETTINGS, RECEPTORS, UNKNOWN, PatientContext
from app.domain.numbers import AVERAGE, CELLS, DURATION, PERCENT, TOTAL, Digits, Kind, Measure, read_measure
from app.domain.problems import Problem, named, shown

Document = Mapping[str, Any]
_Reader = Callable[[Any, str, list[Problem]], Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """The case and the patient's context as far as they could be read, and the problems found (empty: all was read)."""

    case: Case
    context: PatientContext
    problems: tuple[Problem, ...]


# Text an IHC score may be wrapped in; what is left must be the score itself.
_SCORE = re.compile(
    r"(?:her-?2(?:/neu)?\s*)?(?:by\s+)?(?:ihc\s*)?(?:score\s*)?[:=]?\s*([0-3])\s*(\+?)", re.IGNORECASE | re.ASCII
)
_SCORE_WORDS = {
    "indeterminate": "indeterminate",
    "cannot be determined": "indeterminate",
    "not done": None,
    "not_done": None,
    "not performed": None,
}
_PLAIN_SCORES = {"0": "0", "0+": "0+", "1+": "1+", "2+": "2+", "3+": "3+", "1": "1+", "2": "2+", "3": "3+"}


def read_score(value: object, field: str, problems: list[Problem]) -> str | None:
    """The IHC score in its standard spelling; None for not done or unreadable (UNKNOWN_SCORE)."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        text = str(value).strip()
        if text in _PLAIN_SCORES:
            return _PLAIN_SCORES[text]
        match = _SCORE.fullmatch(text)
        if match:
            return _PLAIN_SCORES[match[1] + match[2]]
        if text.lower() in _SCORE_WORDS:
            return _SCORE_WORDS[text.lower()]
    problems.append(
        Problem(
            "UNKNOWN_SCORE",
            field,
            f"{shown(value)} is not an IHC score",
            "send 0, 0+, 1+, 2+, 3+ or indeterminate as scored by the pathologist; a word such as positive is a status",
        )
    )
    return None


def _number(kind: Kind) -> _Reader:
    def read(value: Any, field: str, problems: list[Problem]) -> Measure | None:
        got = read_measure(value, kind, field)
        if isinstance(got, Problem):
            problems.append(got)
            return None
        return got

    return read


def _choice(*values: object) -> _Reader:
    listed = ", ".join(str(value) for value in values)

    def read(value: Any, field: str, problems: list[Problem]) -> Any:
        if not isinstance(value, bool) and isinstance(value, str | int) and value in values:
            return value
        problems.append(Problem("UNKNOWN_VALUE", field, f"{shown(value)} is not in the list", f"send one of {listed}"))
        return None

    return read


def _flag(value: Any, field: str, problems: list[Problem]) -> bool | None:
    if isinstance(value, bool):
        return value
    problems.append(Problem("WRONG_TYPE", field, f"{shown(value)} is not true or false", "send true or false"))
    return None


def is_text(value: Any) -> bool:
    """A text that every database and every answer can hold: no NUL, no lone surrogate, no number in disguise."""
    # most texts are plain: asked first, since every text of every message is asked
    if type(value) is str and value.isascii():
        return "\x00" not in value
    if not isinstance(value, str) or isinstance(value, Digits) or "\x00" in value:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _text(value: Any, field: str, problems: list[Problem]) -> str | None:
    if is_text(value) and len(value) <= 500:
        return str(value)
    problems.append(Problem("WRONG_TYPE", field, f"{shown(value)} is not a text", "send at most 500 characters"))
    return None


_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
_MOMENT = re.compile(rf"{_DATE}({_TIME})?")


def moment(value: object) -> datetime:
    """A date or an RFC 3339 date-time with its offset, in UTC; a date is its midnight there. Raises ValueError."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("not a date or a date-time with an offset")
    read = datetime.fromisoformat(value.upper())
    try:
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("outside the calendar") from error


def _moment(value: Any, field: str, problems: list[Problem]) -> None:
    try:
        moment(value)
    except ValueError:
        remedy = "send a date (2026-11-25) or a date-time with its offset (2026-11-25T14:30:00+01:00)"
        problems.append(Problem("WRONG_TYPE", field, "not a date or a date-time with an offset", remedy))


_COUNT: dict[str, tuple[str, _Reader]] = {
    "ratio": ("ratio", _number(AVERAGE)),
    "her2_copies": ("her2", _number(AVERAGE)),
    "cep17_copies": ("cep17", _number(AVERAGE)),
    "her2_signals": ("her2_signals", _number(TOTAL)),
    "cep17_signals": ("cep17_signals", _number(TOTAL)),
    "cells": ("cells", _number(CELLS)),
    "her2_cells": ("her2_cells", _number(CELLS)),
    "cep17_cells": ("cep17_cells", _number(CELLS)),
}
_CONTROLS = ("controls", _choice("passed", "failed"))
_ISH = _COUNT | {
    "assay": ("assay", _choice("dual_probe", "single_probe")),
    "failed": ("failed", _flag),
    "failure_reason": ("", _text),
    "controls": _CONTROLS,
    "method": ("", _text),
    "observer": ("", _text),
}
_RECOUNT = _COUNT | {
    "same_observer": ("same_observer", _flag),
    "observer": ("", _text),
    "blinded": ("blinded", _flag),
    "in_ihc_2plus_area": ("in_ihc2_area", _flag),
}
_CLUSTER = _COUNT | {"share_percent": ("share_percent", _number(PERCENT))}
_IHC: dict[str, tuple[str, _Reader]] = {
    "score": ("score", read_score),
    "controls": _CONTROLS,
    "membrane": ("membrane", _choice("none", "incomplete", "complete")),
    "intensity": ("intensity", _choice("faint", "weak", "moderate", "intense")),
    "percent": ("percent", _number(PERCENT)),
    "scored_under": ("scored_under", _choice(*EDITIONS)),
    "clone": ("", _text),
}
_SPECIMEN: dict[str, tuple[str, _Reader]] = {
    "accession": ("", _text),
    "block": ("", _text),
    "site": ("", _text),
    "kind": ("kind", _choice("primary", "metastasis", "nodal")),
    "procedure": ("procedure", _choice("core", "excision", "cytology", "other")),
    "invasive": ("invasive", _flag),
    "breast_carcinoma": ("breast_carcinoma", _flag),
    "collected_at": ("", _moment),
    "reported_at": ("", _moment),
    "histology": (
        "histology",
        _choice("ductal", "lobular", "tubular", "mucinous", "cribriform", "adenoid_cystic", "other"),
    ),
    "grade": ("grade", _choice(1, 2, 3)),
    "purity_percent": ("purity_percent", _number(PERCENT)),
    "little_invasive_tumour": ("little_invasive_tumour", _flag),
    "excision_differs": ("excision_differs", _flag),
    "handling_doubt": ("handling_doubt", _flag),
    "cold_ischaemia_minutes": ("cold_ischaemia_minutes", _number(DURATION)),
    "fixation_hours": ("fixation_hours", _number(DURATION)),
    "fixative": ("fixative", _choice("neutral_buffered_formalin", "other")),
    "decalcified": ("decalcified", _flag),
    "section_age_days": ("section_age_days", _number(DURATION)),
}
_ADJUDICATION: dict[str, tuple[str, _Reader]] = {"group": ("group", _choice(1, 2, 3, 4, 5))}
_POLICY: dict[str, tuple[str, _Reader]] = {name: (name, _choice(*words)) for name, words in POLICY_SWITCHES.items()}


def _line(value: Any, field: str, problems: list[Problem]) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 99:
        return value
    problems.append(
        Problem("VALUE_OUT_OF_RANGE", field, f"{shown(value)} is not a line of treatment", "send 1, 2, 3 ...")
    )
    return None


def _texts(value: Any, field: str, problems: list[Problem]) -> tuple[str, ...] | None:
    if isinstance(value, list | tuple) and len(value) <= 50 and all(map(is_text, value)):
        return tuple(value)
    problems.append(Problem("WRONG_TYPE", field, f"{shown(value)} is not a list of texts", "send a list of names"))
    return None


def _biomarkers(value: Any, field: str, problems: list[Problem]) -> tuple[tuple[str, str], ...]:
    found = _block(value, field, {name: (name, _choice(*RECEPTORS)) for name in BIOMARKERS}, problems) or {}
    return tuple(sorted((name, word) for name, word in found.items() if word))


_CONTEXT: dict[str, tuple[str, _Reader]] = {
    "er": ("er", _choice(*RECEPTORS)),
    "er_percent": ("er_percent", _number(PERCENT)),
    "pgr": ("pgr", _choice(*RECEPTORS)),
    "pgr_percent": ("pgr_percent", _number(PERCENT)),
    "setting": ("setting", _choice(*PATIENT_SETTINGS, UNKNOWN)),
    "menopausal_status": ("menopausal_status", _choice(*MENOPAUSAL)),
    "line": ("line", _line),
    "prior_therapies": ("prior_therapies", _texts),
    "biomarkers": ("biomarkers", _biomarkers),
}
_SHORT = {"ratio": "ratio", "copies": "her2_copies", "cep17": "cep17_copies", "cells": "cells"}
_TOP = frozenset(
    {"edition", "policy", "specimen", "ihc", "ish", "follow_up_ish", "recount", "third_count", "adjudication"}
    | {"cluster", "context", "reported_status", *_SHORT}
)


def _block(
    value: Any, where: str, fields: dict[str, tuple[str, _Reader]], problems: list[Problem]
) -> dict[str, Any] | None:
    """The named values of one object; a null field, or one that was refused, is as an absent one."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        problems.append(Problem("WRONG_TYPE", where, f"{shown(value)} is not an object", "send an object of fields"))
        return None
    found: dict[str, Any] = {}
    for name, content in value.items():
        entry = fields.get(name)
        if entry is None:
            problems.append(_unknown(where, name, fields))
            continue
        if content is None:
            continue
        target, read = entry
        got = read(content, f"{where}.{name}", problems)
        if target and got is not None:
            found[target] = got
    return found


def _unknown(where: str, name: str, fields: Any) -> Problem:
    remedy = f"use one of {', '.join(sorted(fields))}"
    return Problem("UNKNOWN_FIELD", named(where, name), "there is no such field here", remedy)


def _ish(value: Any, where: str, problems: list[Problem]) -> Count | None:
    if isinstance(value, Mapping) and value.get("failed") is True:
        # The values of a failed assay are not read at all (reading 14).
        value = {name: content for name, content in value.items() if name not in _COUNT}
    found = _block(value, where, _ISH, problems)
    return None if found is None else Count(**found)


def _with_short_forms(document: Document, problems: list[Problem]) -> Any:
    block = document.get("ish")
    if _SHORT.keys().isdisjoint(document):
        return block
    given = {name: document[name] for name in _SHORT if document.get(name) is not None}
    if not given or (block is not None and not isinstance(block, Mapping)):
        return block
    merged = dict(block or {})
    for name, value in given.items():
        target = _SHORT[name]
        if merged.get(target) not in (None, value):
            problems.append(
                Problem(
                    "TWICE_STATED",
                    name,
                    f"{name} and ish.{target} are both given and differ",
                    f"send ish.{target} alone",
                )
            )
        merged[target] = value
    return merged


def read_case(document: Document) -> Reading:
    """Read one case document.

    Problems: the codes of app.domain.codes SHAPE_PROBLEMS, and MALFORMED_NUMBER, VALUE_OUT_OF_RANGE, UNKNOWN_SCORE.
    Nothing is raised for what a sender can get wrong, and all problems are found in one pass.
    """
    problems: list[Problem] = [_unknown("", name, _TOP) for name in document if name not in _TOP]
    facts: dict[str, Any] = {}
    if (edition := document.get("edition")) is not None:
        facts["edition"] = _choice(*EDITIONS)(edition, "edition", problems) or DEFAULT_EDITION
    if "policy" in document and (policy := _block(document["policy"], "policy", _POLICY, problems)):
        facts["policy"] = DEFAULT_POLICY | policy
    specimen = _block(document["specimen"], "specimen", _SPECIMEN, problems) if "specimen" in document else None
    ihc = document.get("ihc")
    if isinstance(ihc, Mapping):
        facts["ihc"] = Ihc(**(_block(ihc, "ihc", _IHC, problems) or {}))
    elif ihc is not None:
        facts["ihc"] = Ihc(score=read_score(ihc, "ihc", problems))
    facts["ish"] = _ish(_with_short_forms(document, problems), "ish", problems)
    if "follow_up_ish" in document:
        facts["follow_up_ish"] = _ish(document["follow_up_ish"], "follow_up_ish", problems)
    for name in ("recount", "third_count"):
        if document.get(name) is not None and (found := _block(document[name], name, _RECOUNT, problems)) is not None:
            facts[name] = Count(**found)
    adjudication = document.get("adjudication")
    if adjudication is not None and (named := _block(adjudication, "adjudication", _ADJUDICATION, problems)):
        facts["adjudicated_group"] = named.get("group")
    cluster = document.get("cluster")
    if cluster is not None and (cluster := _block(cluster, "cluster", _CLUSTER, problems)) is not None:
        share = cluster.pop("share_percent", None)
        facts["cluster"] = Cluster(share, Count(**cluster))
    if document.get("reported_status") is not None:
        # The sender's opinion: kept with the input and shown, never used to classify.
        _text(document["reported_status"], "reported_status", problems)
    told = document.get("context")
    context = (_block(told, "context", _CONTEXT, problems) or {}) if told is not None else {}
    if context:
        facts["er"], facts["pgr"] = context.get("er"), context.get("pgr")
    if specimen and (kind := specimen.pop("kind", None)):
        context["specimen_kind"] = kind
    if specimen:
        facts["specimen"] = Specimen(**specimen)
    return Reading(Case(**facts), PatientContext(**context) if context else _NO_CONTEXT, tuple(problems))


_NO_CONTEXT = PatientContext()
