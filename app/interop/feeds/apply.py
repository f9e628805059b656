"""Map a message by its sender's feed: what each item gives, line by line, and why the message waits if it does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from app.domain.problems import Problem
from app.interop.feeds.documents import ELSEWHERE, document_fields, is_about_her2, read_document
from app.interop.feeds.feed import Feed
from app.interop.feeds.values import contradicts, read_value
from app.interop.received import Fact, Item, Line, Mapped, Part, Received, Report, Value

_TAKEN_BACK = ("cancelled", "deleted", "wrong")
# an OBX-4 that names a specimen or block, as A or B2, and not the place in a list
_LETTERED = re.compile(r"[A-Za-z]\d{0,2}")
Overlay = Mapping[tuple[str, str], str]


class _Given(NamedTuple):
    """What one item or line of text gives to a specimen's result."""

    block: str
    fact: Fact


def map_received(received: Received, feed: Feed, overlay: Overlay) -> Mapped:
    """The parts of a message. overlay: codes that persons mapped for this sender, before those of the feed."""
    mapper = _Mapper(received, feed, overlay)
    for report in received.reports:
        mapper.report(report)
    # parts before problems: joining them finds contradictions
    parts = tuple(mapper.parts())
    problems = tuple(dict.fromkeys((*received.problems, *mapper.problems)))
    return Mapped(parts, tuple(mapper.lines), problems, received.merges)


class _Mapper:
    def __init__(self, received: Received, feed: Feed, overlay: Overlay) -> None:
        self.received, self.feed, self.overlay = received, feed, overlay
        self.lines: list[Line] = []
        self.problems: list[Problem] = []
        self._named: set[tuple[str, str]] = set()  # specimens that the documents of a report name
        self._reports: list[tuple[Report, list[_Given]]] = []

    # ---- reports

    def report(self, report: Report) -> None:
        before = len(self.problems)
        self._named = set()
        by_item = [(item, tuple(self.item(item, report))) for item in report.items]
        given = [each for _, found in by_item for each in found]
        if {each.fact.field for each in given} == {"ish.cells"} and not any(is_about_her2(str(i)) for i, _ in by_item):
            # cells of a report that says nothing else of HER2 are those of another test
            given = []
        if not given and len(self.problems) == before:
            return
        if not report.patient:
            remedy = "send the patient's identifier (PID-3, Patient.identifier)"
            self.problems.append(Problem("NO_PATIENT", report.where, "nothing says whose result this is", remedy))
        if not report.accession:
            remedy = "send the laboratory's case number (OBR-3, Specimen.accessionIdentifier)"
            self.problems.append(Problem("NO_ACCESSION", report.where, "nothing says which case this is", remedy))
        groups = {item.group[0].casefold() for item, found in by_item if found and _LETTERED.fullmatch(item.group)}
        if len(groups) > 1 and self.feed.block_from == "specimen":
            remedy = 'send a report for each specimen, or set block_from = "group" or "none" in the feed'
            told = "its results name several blocks (OBX-4) and one specimen"
            self.problems.append(Problem("AMBIGUOUS", report.where, told, remedy))
        self._reports.append((report, given))

    def parts(self) -> Iterator[Part]:
        """One part for each specimen and block; two values for one field of it are a contradiction."""
        found: dict[tuple[Any, ...], dict[str, Fact]] = {}
        for report, given in self._reports:
            laboratory = self.feed.laboratory or report.laboratory
            for block in dict.fromkeys(each.block for each in given):
                name = (report.patient, laboratory, report.accession, report.specimen, block)
                facts = found.setdefault(name, {})
                for each in given:
                    if each.block == block:
                        self._put(facts, each.fact)
                for fact in self._specimen(report, block):
                    facts.setdefault(fact.field, fact)
        for name, facts in found.items():
            yield Part(*name, tuple(facts.values()))

    def _put(self, facts: dict[str, Fact], fact: Fact) -> None:
        before = facts.setdefault(fact.field, fact)
        if before.value != fact.value or before.status != fact.status:
            message = f"gives {fact.field} another value than {before.where}"
            self.problems.append(Problem("CONTRADICTORY", fact.where, message, "send it once"))

    def _specimen(self, report: Report, block: str) -> Iterator[Fact]:
        at = _time(report.at or self.received.at)
        site = next((each.display or each.code for each in report.site), "")
        told = {"accession": report.accession, "block": block, "site": site}
        told |= {"collected_at": report.collected_at, "reported_at": report.reported_at}
        for name, value in told.items():
            if value:
                yield Fact(f"specimen.{name}", value, "final", at, report.where, value)

    # ---- items

    def item(self, item: Item, report: Report) -> Iterator[_Given]:
        """What an item gives; its lines and problems are told beside."""
        for component in item.components:
            yield from self.item(component, report)
        targets = self._targets(item)
        text = " ".join(each.text for each in item.values)
        names = " ".join((item.text, *(f"{c.code} {c.display}" for c in item.codings)))
        if len(targets) > 1:
            told = f"its codes mean different things: {', '.join(sorted(targets))}"
            self._wait(item, "AMBIGUOUS", told, "send one code, or set one of them to ignore in the feed")
            return
        target = next(iter(targets), "")
        if target == "ignore" or (not target and not is_about_her2(f"{names} {text}")):
            self._tell(item, note="not about HER2" if not target else "set to be ignored")
            return
        if not target and not (item.components and not item.values):
            if all(value.kind == "text" for value in item.values) and is_about_her2(text):
                target = "document"
            else:
                code = item.codings[0] if item.codings else None
                name = f"{code.system or 'local'}|{code.code}" if code else "the text"
                remedy = f"map {name} in the sender's feed or in the message browser, or set it to ignore"
                self._wait(item, "UNKNOWN_CODE", "speaks of HER2 by a code that this feed does not map", remedy)
                return
        receptor = target.startswith("context.")
        if target and not receptor and target not in ("note", "ignore") and ELSEWHERE.search(names):
            told = "its name speaks of another time or place"
            self._wait(item, "AMBIGUOUS", told, "map its code to note or ignore, or send the result by its own code")
            return
        found = [*item.problems]
        if clash := contradicts(item.codings, item.text, item.where, self.feed):
            found.append(clash)
        if found and not receptor:
            self.problems += found
            self._tell(item, note=found[0].message)
            return
        if not target or target == "note" or (receptor and found):
            self._tell(item, note="known, gives nothing" if target else "its components are read")
            return
        if target == "document":
            yield from self._document(item, report)
        else:
            yield from self._value(item, report, target)

    def _targets(self, item: Item) -> set[str]:
        found = set()
        for coding in item.codings:
            at = (coding.system, coding.code)
            target = self.overlay.get(at) or self.feed.codes.get(at)
            if target:
                found.add(target)
        return found - {"ignore"} or found

    def _value(self, item: Item, report: Report, target: str) -> Iterator[_Given]:
        values = [each for each in item.values if each.kind != "none"]
        if item.status in _TAKEN_BACK or (item.status == "promoted" and not values):
            yield self._given(item, report, target, None, item.where, " ".join(v.text for v in values))
            self._tell(item, target, note=item.status)
            return
        if len(values) > 1 and target not in ("reported_status",):
            self._wait(item, "CONTRADICTORY", "holds several values for one field", "send one value")
            return
        if not values:
            self._tell(item, note="no value")
        for value in values:
            yield from self._read(item, report, target, value, value.text)

    def _read(self, item: Item, report: Report, target: str, value: Value, text: str) -> Iterator[_Given]:
        read = read_value(value, target, self.feed)
        if isinstance(read, Problem):
            if target.startswith("context."):
                self._tell(item, note=read.message, text=text, where=value.where)
                return
            self.problems.append(read)
            self._tell(item, note=read.message, text=text, where=value.where)
        elif read is None:
            self._tell(item, note="gives nothing", text=text, where=value.where)
        else:
            field, told = read
            yield self._given(item, report, field, told, value.where, text)
            note = "" if item.status in ("final", "corrected", "promoted") else item.status
            self._tell(item, field, str(told), note, text, value.where)

    def _document(self, item: Item, report: Report) -> Iterator[_Given]:
        if item.status in _TAKEN_BACK or (item.status == "promoted" and not any(v.text for v in item.values)):
            # which lines it had is not told again: all that a document can give is meant
            for target in document_fields(self.feed):
                yield self._given(item, report, target, None, item.where, "")
            self._tell(item, note=f"the whole document is {item.status}")
            return
        for told in read_document(item.values, self.feed, self._named):
            if told.problem:
                self.problems.append(told.problem)
                self._tell(item, note=told.problem.message, text=told.text, where=told.where)
            elif told.value is None:
                self._tell(item, note=told.note, text=told.text, where=told.where)
            else:
                yield from self._read(item, report, told.target, told.value, told.text)

    # ---- telling

    def _given(self, item: Item, report: Report, field: str, value: Any, where: str, text: str) -> _Given:
        block = report.block or (item.group if self.feed.block_from == "group" else "")
        at = _time(item.at or report.at or self.received.at)
        return _Given("" if self.feed.block_from == "none" else block, Fact(field, value, item.status, at, where, text))

    def _wait(self, item: Item, code: str, message: str, remedy: str) -> None:
        named = {"hl7v2": f"{item.where}.3", "fhir": f"{item.where}.code"}[self.received.format]
        self.problems.append(Problem(code, named if code == "UNKNOWN_CODE" else item.where, message, remedy))
        self._tell(item, note=message)

    def _tell(
        self, item: Item, field: str = "", value: str = "", note: str = "", text: str | None = None, where: str = ""
    ) -> None:
        code = "; ".join(f"{each.system or 'local'}|{each.code}" for each in item.codings)
        shown = " ".join(each.text for each in item.values) if text is None else text
        self.lines.append(Line(where or item.where, code or item.text, shown, field, value, note))


def _time(at: datetime | None) -> str:
    """As texts that sort by time; "" sorts first."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else ""
