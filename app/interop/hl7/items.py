"""The OBX of one order as items: values, status, documents of several lines, and what contradicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import NamedTuple

from app.domain.problems import Problem
from app.interop.hl7.segments import Segment
from app.interop.hl7.times import moment
from app.interop.hl7.values import TEXTS, codings_of, comments_of, values_of, words_of
from app.interop.received import CAP_ECC, Coding, Item, Status

# HL7 table 0085. I, R, S and O hold no verified result yet; A, B and V leave a final one as it is.
_STATUS: dict[str, Status] = {
    "F": "final", "A": "final", "B": "final", "V": "final", "C": "corrected", "U": "promoted",
    "P": "preliminary", "I": "preliminary", "R": "preliminary", "S": "preliminary", "O": "preliminary",
    "X": "cancelled", "N": "cancelled", "D": "deleted", "W": "wrong",
}  # fmt: skip


_Key = tuple[str, tuple[tuple[str, str], ...] | str]


class Observation(NamedTuple):
    """An OBX and the comments that follow it."""

    segment: Segment
    comments: list[Segment]


def items_of(observations: Sequence[Observation], zone: tzinfo) -> tuple[Item, ...]:
    """One item an OBX; text lines with one OBX-3 and OBX-4 that follow each other are one item."""
    runs: list[list[Item]] = []
    previous: _Key | None = None
    for each in observations:
        item = _item(each, zone)
        line = _key(item) if each.segment.text(2).upper() in TEXTS and (item.codings or item.text) else None
        if line is not None and line == previous:
            runs[-1].append(item)
        else:
            runs.append([item])
        previous = line
    return tuple(run[0] if len(run) == 1 else _document(run) for run in runs)


def contradictions(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items, each with a problem where another one of the same code and group gives another value."""
    by_key: dict[tuple[_Key, bool, bool], list[Item]] = {}
    for item in items:
        if (item.codings or item.text) and _comparable(item):
            by_key.setdefault((_key(item), _measured(item), _asks_for_more(item)), []).append(item)
    told = {}
    for same in by_key.values():
        first = same[0]
        odd = next((each for each in same if _said(each) != _said(first)), None)
        if odd is None:
            continue
        for item in same:
            other = odd if _said(item) == _said(first) else first
            problem = Problem(
                "CONTRADICTORY",
                item.values[0].where,
                f"{item.values[0].where} and {other.values[0].where} give different values for one observation.",
                "Send one value, or tell the observations apart in OBX-4.",
            )
            told[item.where] = with_problem(item, problem)
    return tuple(told.get(item.where, item) for item in items)


def with_problem(item: Item, problem: Problem) -> Item:
    return item._replace(problems=(*item.problems, problem))


def _item(observation: Observation, zone: tzinfo) -> Item:
    segment = observation.segment
    values, said = values_of(segment)
    notes = list(said)
    problems = []
    code = segment.text(11).upper()
    status = _STATUS.get(code, "preliminary")
    if not code:
        notes.append("OBX-11 is empty: read as preliminary")
    elif code not in _STATUS:
        problems.append(
            Problem(
                "UNKNOWN_VALUE",
                segment.place(11),
                "The status is not a code of HL7 table 0085.",
                f"Send one of {', '.join(sorted(_STATUS))}.",
            )
        )
    name = segment.element(3)
    if not codings_of(name) and not words_of(name):
        what = "Nothing says what was observed."
        problems.append(Problem("MISSING_FIELD", segment.place(3), what, "Send the observation's code in OBX-3."))
    for comment in observation.comments:
        notes.extend(comments_of(comment))
    return Item(
        where=segment.where,
        codings=codings_of(name),
        text=words_of(name),
        values=values,
        status=status,
        group=segment.text(4),
        at=moment(segment.text(19), zone) or moment(segment.text(14), zone),
        method=_codings(segment, 17),
        interpretation=_codings(segment, 8),
        notes=tuple(notes),
        problems=tuple(problems),
    )


def _codings(segment: Segment, field: int) -> tuple[Coding, ...]:
    return tuple(coding for element in segment.elements(field) for coding in codings_of(element))


def _key(item: Item) -> _Key:
    """What names an observation: its codes, or its name where no code was sent, and its group."""
    codes = tuple((each.system, each.code) for each in item.codings)
    return item.group, codes or item.text.casefold()


def _measured(item: Item) -> bool:
    return any(each.kind not in ("text", "none") for each in item.values)


def _asks_for_more(item: Item) -> bool:
    """True for a CAP answer that OBX-4 repeats ("specify"): what was filled in follows under the same codes."""
    answers = {each.code.partition(".")[0] for value in item.values for each in value.codings if each.system == CAP_ECC}
    return item.group.lstrip("+").partition(".")[0] in answers


def _comparable(item: Item) -> bool:
    """True for a value that cannot stand beside another one. Documents, and text beside a value, are for the feed."""
    return _measured(item) or (len(item.values) == 1 and item.values[0].kind == "text")


def _said(item: Item) -> tuple[object, ...]:
    return item.status, tuple(each._replace(where="") for each in item.values)


def _document(lines: Sequence[Item]) -> Item:
    """Lines as one item. A line that is not final keeps the whole from being final."""
    first = lines[0]
    problems = [problem for line in lines for problem in line.problems]
    states = {line.status for line in lines}
    status: Status = first.status if len(states) == 1 else "corrected"
    if len(states) > 1 and states != {"final", "corrected"}:
        status = "preliminary"
        odd = next(line for line in lines if line.status != first.status)
        what = f"{first.where} and {odd.where} are lines of one text and have different states in OBX-11."
        problems.append(Problem("CONTRADICTORY", f"{odd.where}.11", what, "Send one state for all lines."))
    return first._replace(
        values=tuple(value for line in lines for value in line.values),
        status=status,
        at=max((line.at for line in lines if line.at is not None), default=None),
        method=_once(coding for line in lines for coding in line.method),
        interpretation=_once(coding for line in lines for coding in line.interpretation),
        notes=tuple(note for line in lines for note in line.notes),
        problems=tuple(problems),
    )


def _once(codings: Iterable[Coding]) -> tuple[Coding, ...]:
    return tuple(dict.fromkeys(codings))
