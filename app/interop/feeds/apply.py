"""Map a message by its sender's feed: what each item gives, line by line, and why the message waits if it does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.domain.problems import Problem
from app.interop.feeds.documents import read_document
from app.interop.feeds.feed import Feed
from app.interop.feeds.parts import Given, parts_of, utc
from app.interop.feeds.values import Said, contradiction, method_of, read_value
from app.interop.feeds.words import SAYS_NOTHING, folded, holds, is_about_her2
from app.interop.received import (
    CAP_ECC,
    LOINC,
    SNOMED,
    TAKEN_BACK,
    Coding,
    Fact,
    Item,
    Line,
    Mapped,
    Received,
    Report,
    Value,
)
from app.interop.tabular import plain

# an OBX-4 that names a specimen or block, as A or B2, and not the place in a list
_LETTERED = re.compile(r"[A-Za-z]\d{0,2}")
_SHORT = {LOINC: "loinc", SNOMED: "snomed", CAP_ECC: "cap", "": "local"}
Overlay = Mapping[tuple[str, str], str]


def map_received(received: Received, feed: Feed, overlay: Overlay = {}) -> Mapped:  # noqa: B006
    """The parts of a message. overlay: codes that persons mapped for this sender, before those of the feed."""
    lines: list[Line] = []
    problems: list[Problem] = [*received.problems]
    told: list[tuple[Report, Sequence[Given]]] = []
    for report in received.reports:
        reader = _ReportReader(received, report, feed, overlay)
        reader.read()
        lines += reader.lines
        problems += reader.problems
        told.append((report, reader.given))
    parts, contradictory = parts_of(told, feed, received.at)
    return Mapped(parts, tuple(lines), tuple(dict.fromkeys((*problems, *contradictory))), received.merges)


def _is_text(item: Item) -> bool:
    """A code that nobody mapped, whose text itself speaks of HER2."""
    return all(each.kind == "text" for each in item.values) and any(is_about_her2(each.text) for each in item.values)


class _Place(NamedTuple):
    """Where something was read, and as which text."""

    where: str
    text: str


class _ReportReader:
    """What the items of one report give."""

    def __init__(self, received: Received, report: Report, feed: Feed, overlay: Overlay) -> None:
        self.received, self.report, self.feed, self.overlay = received, report, feed, overlay
        self.lines: list[Line] = []
        self.problems: list[Problem] = []
        self.given: list[Given] = []
        self.known: dict[tuple[Coding, ...], set[str]] = {}
        self.named: set[tuple[str, str]] = set()
        self.about = any(self.is_her2(item) for item in report.items)

    def is_her2(self, item: Item) -> bool:
        """Is an item sent by a code of HER2, or does its text speak of it?"""
        fields = (target.split(".")[0] for target in self.targets(item))
        texts = (item.text, *(each.text for each in item.values), *(each.display for each in item.codings))
        mapped = any(each in ("ihc", "ish", "follow_up_ish", "recount", "reported_status") for each in fields)
        return mapped or is_about_her2("\n".join(texts)) or any(map(self.is_her2, item.components))

    def read(self) -> None:
        for item in self.report.items:
            self.item(item)
        self.notes(self.report.notes, self.report.where)
        letters = {each.group[0].casefold() for each in self.given if _LETTERED.fullmatch(each.group)}
        if len(letters) > 1 and self.feed.block_from == "specimen":
            told = "its results name several blocks (OBX-4) and one specimen"
            remedy = 'send a report for each specimen, or set block_from = "group" or "none" in the feed'
            self.problems.append(Problem("AMBIGUOUS", self.report.where, told, remedy))

    def item(self, item: Item) -> None:
        """An item, what stands below it, and its notes."""
        targets = self.targets(item)
        self.observation(item, targets)
        for component in item.components:
            self.item(component)
        block = next(iter(targets)).split(".")[0] if len(targets) == 1 else ""
        self.notes(item.notes, item.where, item, block if block in ("ihc", "ish", "follow_up_ish", "recount") else "")

    def observation(self, item: Item, targets: set[str]) -> None:
        names = " ".join((item.text, *(f"{each.code} {each.display}" for each in item.codings)))
        text = "\n".join(each.text for each in item.values)
        displays = " ".join(coding.display for value in item.values for coding in value.codings)
        about = is_about_her2(f"{names} {text} {displays}")
        if len(targets) > 1:
            told = f"its codes mean different things: {', '.join(sorted(targets))}"
            self.wait(item, "AMBIGUOUS", told, "send one code, or set one of them to ignore in the feed")
            return
        target = next(iter(targets), "")
        if target == "ignore" or (not target and not about):
            self.tell_values(item, "set to be ignored" if target else "not about HER2")
            return
        if not target and not item.values and item.components:
            self.tell(item, _Place(item.where, ""), note="its components are read")
            return
        receptor = target.startswith("context.")
        if item.problems and not receptor:
            self.problems += item.problems
            self.tell_values(item, item.problems[0].message)
            return
        if clash := contradiction(item.codings, item.text, target, item.where, self.feed):
            # a receptor never holds HER2 up
            self.problems += [] if receptor else [clash]
            self.tell_values(item, clash.message)
            return
        named = plain(names)
        elsewhere = any(holds(named, word) for word in self.feed.history)
        if elsewhere and target != "note" and not receptor:
            told = "its name speaks of another time or place"
            self.wait(item, "AMBIGUOUS", told, "set its code to note or ignore, or send the result by its own code")
            return
        if target == "note" or item.problems:
            self.tell_values(item, "known, gives nothing")
        elif target == "document" or (not target and _is_text(item)):
            self.document(item, "", about or self.about)
        elif not target:
            self.unknown(item)
        else:
            self.values(item, target, about)

    def targets(self, item: Item) -> set[str]:
        """What its codes are mapped to: asked twice of each item."""
        if item.codings not in self.known:
            self.known[item.codings] = self.mapped(item)
        return self.known[item.codings]

    def mapped(self, item: Item) -> set[str]:
        found = set()
        for coding in item.codings:
            at = (coding.system, coding.code)
            if target := self.overlay.get(at) or self.feed.codes.get(at):
                found.add(target)
        return found - {"ignore", "note"} or found - {"ignore"} or found

    def unknown(self, item: Item) -> None:
        code = _code(item)
        remedy = f"map {code} in the sender's feed or in the message browser, or set it to ignore"
        self.wait(item, "UNKNOWN_CODE", "speaks of HER2 by a code that this feed does not map", remedy)

    # ---- values

    def values(self, item: Item, target: str, about: bool) -> None:
        values = [each for each in item.values if each.kind != "none"]
        if item.status in TAKEN_BACK or (item.status == "promoted" and not values):
            place = _Place(item.where, " ".join(each.text for each in item.values))
            for field in (target, "reported_status") if target.endswith("ish.method") else (target,):
                self.give(item, field, None, place, about)
            self.tell(item, place, target, note=f"{item.status}: no value")
            return
        if not values:
            self.tell(item, _Place(item.where, ""), note="no value")
            return
        if len(values) == 1 and values[0].text.isprintable():
            self.value(item, target, values[0], about, values[0].text)
            return
        lines = [line for value in values for line in value.text.splitlines()]
        alone = [read_value(each, target, self.feed, item) for each in values]
        several = len(values) > 1 and not any(isinstance(each, Problem) for each in alone)
        if len(lines) > 1 and not several and all(each.kind == "text" for each in values):
            joined = Value("text", " ".join(lines), values[0].where)
            if isinstance(whole := read_value(joined, target, self.feed, item), Problem):
                before = len(self.given) + len(self.problems)
                self.document(item, target.split(".")[0] if "." in target else "", True)
                if before == len(self.given) + len(self.problems) and not target.startswith("context."):
                    # lines that give nothing under a code of HER2 are as unread as one line would be
                    self.problems.append(whole)
            else:
                self.value(item, target, joined, about, "\n".join(lines))
            return
        if len(values) > 1:
            self.wait(item, "CONTRADICTORY", "holds several values for one field", "send one value")
            return
        self.value(item, target, values[0], about, values[0].text)

    def value(self, item: Item, target: str, value: Value, about: bool, text: str) -> None:
        place = _Place(value.where, text)
        read = read_value(value, target, self.feed, item)
        if isinstance(read, Problem):
            if not target.startswith("context."):
                self.problems.append(read)
            self.tell(item, place, note=read.message)
        elif item.status == "corrected" and not read.facts and folded(value.text) in SAYS_NOTHING:
            # a correction that takes a value away without saying so
            remedy = "send the observation as deleted (OBX-11 D, entered-in-error), or with its right value"
            problem = Problem("AMBIGUOUS", value.where, "corrects a result to one that has no value", remedy)
            self.problems.append(problem)
            self.tell(item, place, note=problem.message)
        else:
            self.said(item, target, read, place, about)

    def said(self, item: Item, target: str, read: Said, place: _Place, about: bool) -> None:
        for field, value in read.facts:
            self.give(item, field, value, place, about)
            self.tell(item, place, field, str(value), read.note or self.state(item))
        if not read.facts:
            self.tell(item, place, note=read.note)
        for field, value in read.claims:
            remedy = "send the score or number under its own code"
            problem = Problem("AMBIGUOUS", place.where, f"tells of a value of {field} that is not sent", remedy)
            self.give(item, field, value, place, about, unless=problem)
        block, _, name = target.partition(".")
        measured = bool(read.facts) and block in ("ish", "follow_up_ish") and name != "method"
        if measured and (method := method_of(item, self.feed)):
            self.give(item, f"{block}.method", method, place, about)

    # ---- free text

    def document(self, item: Item, block: str, about: bool) -> None:
        taken_back = item.status in TAKEN_BACK
        before = len(self.given) + len(self.problems)
        for line in read_document(item.values, self.feed, self.named, block, about):
            place = _Place(line.where, line.text)
            if line.problem and line.if_missing:
                self.give(item, line.if_missing, None, place, True, unless=line.problem)
                self.tell(item, place, note="a status in words, gives nothing")
            elif line.problem:
                self.problems.append(line.problem)
                self.tell(item, place, note=line.problem.message)
            elif line.value is None:
                self.tell(item, place, note=line.note)
            elif taken_back:
                self.give(item, line.target, None, place, True)
                self.tell(item, place, line.target, note=f"{item.status}: no value")
            else:
                # what a label names ("HER2 by FISH") is the method of that line
                of_line = item._replace(method=(Coding("", "", line.text),)) if line.target == "ish.method" else item
                self.value(of_line, line.target, line.value, True, line.text)
        if (taken_back or item.status == "promoted") and before == len(self.given) + len(self.problems):
            told = f"a text is {item.status}, and no line says which values it gave"
            remedy = "send the lines with it, or set each value right"
            self.problems.append(Problem("AMBIGUOUS", item.where, told, remedy))
            self.tell(item, _Place(item.where, ""), note=told)

    def notes(self, notes: Sequence[str], where: str, item: Item | None = None, block: str = "") -> None:
        """Remarks beside an observation give nothing; one that may hold a result waits unless that is sent as well."""
        if not notes:
            return
        told_of = item or Item(where, (), "", (), self.report.status)
        values = tuple(Value("text", each, where) for each in notes if each.strip())
        for told in read_document(values, self.feed, set(), block, bool(block)):
            place = _Place(told.where, told.text)
            problem = told.problem
            if told.value is not None and not told.target.startswith("context."):
                read = read_value(told.value, told.target, self.feed, told_of)
                remedy = "send the value in an observation of its own"
                for field, value in () if isinstance(read, Problem) else (*read.facts, *read.claims):
                    if field.split(".")[0] not in ("reported_status", "specimen") and not field.endswith(".method"):
                        open_one = Problem("AMBIGUOUS", where, f"a note tells of {field}, which is not sent so", remedy)
                        self.give(told_of, field, value, place, True, unless=open_one)
                problem = read if isinstance(read, Problem) else None
            if problem and told.if_missing:
                self.give(told_of, told.if_missing, None, place, True, unless=problem)
            elif problem:
                self.problems.append(problem)
            self.lines.append(Line(where, "note", told.text, note=problem.message if problem else told.note))

    # ---- telling

    def give(
        self, item: Item, field: str, value: Any, place: _Place, about: bool, unless: Problem | None = None
    ) -> None:
        block = self.report.block
        if self.feed.block_from == "group":
            block = item.group or block
        elif self.feed.block_from == "none":
            block = ""
        at = utc(item.at or self.report.at or self.received.at)
        fact = Fact(field, value, item.status, at, place.where, place.text)
        self.given.append(Given(block, fact, about, unless, item.group))

    def wait(self, item: Item, code: str, message: str, remedy: str) -> None:
        named = {"hl7v2": f"{item.where}.3", "fhir": f"{item.where}.code"}[self.received.format]
        self.problems.append(Problem(code, named if code == "UNKNOWN_CODE" else item.where, message, remedy))
        self.tell_values(item, message)

    def tell_values(self, item: Item, note: str) -> None:
        for value in item.values or (Value("none", "", item.where),):
            for text in value.text.splitlines() or [""]:
                self.tell(item, _Place(value.where, text), note=note)

    def tell(self, item: Item, place: _Place, field: str = "", value: str = "", note: str = "") -> None:
        self.lines.append(Line(place.where or item.where, _code(item), place.text, field, value, note))

    def state(self, item: Item) -> str:
        if item.status not in ("final", "corrected"):
            return item.status
        return "" if item.at or self.report.at or self.received.at else "without a time: sorts first"


def _code(item: Item) -> str:
    codes = (f"{_SHORT.get(each.system, each.system)}|{each.code}" for each in item.codings)
    return "; ".join(codes) or item.text
