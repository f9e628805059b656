"""Free text as documents of synoptic lines: a label, a value; headings say what the labels below them are about.

A line is read by its label or not at all. One that may hold a result and has no label waits for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.domain.problems import Problem
from app.interop.feeds.feed import Feed
from app.interop.feeds.prose import gives_status, is_definition, may_hold_result, measures_ish, names, tells_controls
from app.interop.feeds.scores import read_score
from app.interop.feeds.words import LONGEST, STATUS_WORDS, folded, holds, is_about_her2, without
from app.interop.received import Value

_BULLET = re.compile(r"^(?:[-*•·>#]+|\d{1,2}[.)])\s+")
_SPECIMEN = re.compile(
    r"\s*(?:(?:specimen|part|block|container|sample|tumou?r|lesion)\s*(?:no\.?|#|:)?\s*"
    r"(?:([a-h])\d{0,2}\b|(\d{1,2}|i{1,3})(?!\.\d)(?=\s*(?:$|[:.,)(–-])))|((?-i:([A-H]))\d{0,2}\s*[.):])(?:\s|$))",
    re.IGNORECASE,
)
# names of one kind of which two can't both be this specimen's
_NAMED = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        r"\b(left|right)\b",
        r"\b(\d{1,2})(?::\d\d)?\s?o.?clock\b",
        r"\b((?:upper|lower)[- ](?:inner|outer))\b",
        r"\b(first|second|third)(?= (?:tumou?r|lesion|focus|specimen|biopsy|part)\b)",
    )
)
# headings that begin what this report itself found
_HERE = re.compile(r"\b(?:diagnos[ie]s|final|results?|current|microscopic|synoptic|addendum)\b", re.IGNORECASE)
_SITE = re.compile(
    r"\s*(lymph node|axilla|metasta|liver|bone|brain|lung|skin|chest wall|excision|resection|mastectomy|lumpectomy|"
    r"core|biopsy|primary|recurren)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*(?:=(?![=<>])|(?<![<>]):|\.{2,}|\s-\s|\s(?:is|was)(?=\s+[<>\d]))\s*")
# a value without a separator has to be all that is left: "HER2 IHC 2+ cases are reflexed" is a sentence
_VALUE_AFTER_BLANK = re.compile(r"\s+(?=\d+(?:[.,]\d+)?(?:\s?\+)?(?:\s*\([^()]{1,30}\))?$)")
# a short line that goes on with the value of the line above, takes it back, or begins with another number
_GOES_ON = re.compile(r"(?:to|or|not)\b|(?:.*\s)?(?:to|or|not|no|non)\W*$|\d\S*(?:\s\S+){0,2}$")
_HOW = re.compile(
    r"^\s*\((?:by )?(?:ihc|fish|ish|average|mean|score|immunohistochemistry|4b5|sp3|cb11|herceptest|pathway)\)"
)
_SECOND_COUNT = re.compile(r"re-?count|(?:second|repeat|additional|2nd|third|3rd)\s+(?:count|observer|reader|reviewer)")
_COUNTS = ("ish", "follow_up_ish", "recount", "third_count")
_NOT_THIS = {"history": "another time or place is told of", "reference": "limits of reference are told"}


class Told(NamedTuple):
    """One line of a document: the target and value it gives, or a problem; if_missing: that field must be given."""

    where: str
    text: str
    target: str = ""
    value: Value | None = None
    note: str = ""
    problem: Problem | None = None
    if_missing: str = ""


def read_document(
    values: Sequence[Value], feed: Feed, named: set[tuple[str, str]], block: str = "", about: bool = False
) -> Iterator[Told]:
    """The lines of a document in order.

    named: the specimens that the documents of this report name, added to; block: what its code is about; about: the
    report speaks of HER2.
    """
    about = about or any(is_about_her2(value.text) for value in values)
    named |= _specimens(values)
    several = len({kind for kind, _ in named}) < len(named)
    reader = _Reader(feed, block, about, several)
    for value in values:
        for text in value.text.splitlines() or [""]:
            yield reader.line(value.where, text)


class _Reader:
    """What the lines so far were about: the block of the heading above; near: the block of the label just above."""

    def __init__(self, feed: Feed, block: str, about: bool, several: bool) -> None:
        self.feed, self.block, self.near, self.about, self.several = feed, block, block, about, several
        self.labels = sorted(feed.phrases, key=len, reverse=True)
        self.site, self.read_of = "", set[str]()
        self.after: Told | None = None  # the labelled line just above

    def line(self, where: str, text: str) -> Told:
        if len(text) > LONGEST:
            if not (self.about or is_about_her2(text)):
                return Told(where, text, note="not about HER2")
            return self.open(where, text, "is too long to be read as one line")
        written = text.strip()
        if (match := _SPECIMEN.match(written)) and match[3]:
            written = written[match.end(3) :]
        line = folded(_BULLET.sub("", written.strip()))
        bare = line.strip(" :=-_*.")
        if not bare:
            return Told(where, text)
        if any(line.startswith(each) for each in self.feed.comments):
            return Told(where, text, note="a comment of this feed")
        if (block := self.heading(line, bare, line.endswith(":") or written.isupper())) is not None:
            self.block = self.near = block
            self.after = None
            return Told(where, text, note=f"heading: {block or 'no block'}")
        for label in self.labels:
            if line.startswith(label) and (value := _written(line[len(label) :])) is not None:
                self.after = self.labelled(where, text, label, value)
                return self.after
        before, self.after = self.after, None
        return self.unlabelled(where, text, line, before)

    def heading(self, line: str, bare: str, like_one: bool) -> str | None:
        """The block of a heading, also of one that its text follows on the same line; None for another line."""
        named = self.feed.headings.get(bare)
        before_colon = self.feed.headings.get(line.partition(":")[0].strip()) if ":" in line else None
        for each in (named, before_colon):
            if each in _NOT_THIS:
                return each
        elsewhere = any(holds(line, word) for word in self.feed.history)
        if elsewhere and (line.endswith(":") or len(line.split()) < 3) and not may_hold_result(line, True):
            return "history"
        if self.block != "history":
            return named
        if _HERE.search(line) and (like_one or named is not None):
            return named or ""
        return "history" if named is not None else None

    # ---- lines with a label

    def labelled(self, where: str, text: str, label: str, written: str) -> Told:
        target = self.feed.phrases[label]
        head, _, name = target.partition(".")
        if target in ("note", "ignore"):
            return Told(where, text, note="known, gives nothing")
        if head == "context":
            self.near = "other"
            return Told(where, text, target, Value("text", written, where))
        if not is_about_her2(label) and self.near not in (*_COUNTS, *_NOT_THIS, "unsure"):
            if not self.about:
                return Told(where, text, note="not about HER2")
            return self.open(where, text, "no heading or line above says that this belongs to HER2")
        if not written:
            return Told(where, text, target, note="a label without a value")
        if target == "reported_status" and self.block == "ihc" and isinstance(read_score(written, where), str):
            target, head = "ihc.score", "ihc"
        if target == "reported_status" and is_definition(folded(text), self.feed.definitions):
            return Told(where, text, note="a definition or disclaimer, gives nothing")
        if self.block in _NOT_THIS:
            if self.block == "reference" and re.search("[<>]", written):
                return Told(where, text, note="a limit of reference, not a result")
            return self.open(where, text, f"stands where {_NOT_THIS[self.block]}")
        if head in _COUNTS:
            if self.block == "unsure":
                return self.open(where, text, "follows words about another count that no heading of the feed names")
            if head == "ish" and self.block in _COUNTS[1:]:
                if name == "method":
                    return Told(where, text, note=f"method of {self.block}, not kept")
                target = f"{self.block}.{name}"
            self.near = target.split(".")[0]
        elif head == "ihc":
            self.near = self.near if self.block else "ihc"
        elif self.block in ("recount", "third_count"):
            return Told(where, text, note=f"a status of {self.block}, not kept")
        self.read_of.add(self.site)
        if self.several or len(self.read_of) > 1:
            return self.open(where, text, "the document tells of several specimens")
        return Told(where, text, target, Value("text", written, where))

    # ---- other lines

    def unlabelled(self, where: str, text: str, line: str, before: Told | None) -> Told:
        named = is_about_her2(text)
        self.follow(text, line, named)
        if before and before.target and not before.value:
            return self.open(where, text, "may be the value of the label above")
        if tells_controls(line):
            return Told(where, text, note="controls, gives nothing")
        goes_on = (
            before
            and before.value
            and (not re.search(r"[^\W\d_]", line) or (_GOES_ON.match(line) and not self.other(line)))
        )
        if goes_on or (before and before.value and any(holds(line, word) for word in self.feed.history)):
            return self.open(where, text, "may change what the line above says")
        if not self.about:
            return Told(where, text, note="not about HER2")
        held = may_hold_result(line, named or self.near in (*_COUNTS, "ihc", "unsure"))
        if _SECOND_COUNT.search(line) and not held:
            self.block = self.near = "unsure"
            return Told(where, text, note="speaks of another count")
        defined = is_definition(line, self.feed.definitions)
        # a score below another test is that test's; a ratio or copies are so only where the line itself says it
        if held and (named or self.near != "other" or (measures_ish(line) and not self.other(line))):
            if defined:
                return Told(where, text, note="a definition or disclaimer, gives nothing")
            return self.open(where, text, "may hold a HER2 result, and no label of this feed fits")
        if gives_status(line) and not defined:
            problem = self.open(where, text, "says what ISH gave, and no ISH is in the report").problem
            return Told(where, text, problem=problem, if_missing="ish")
        return Told(where, text, note="gives nothing")

    def other(self, line: str) -> bool:
        return any(line.startswith(word) and not re.match(r"\w", line[len(word) :]) for word in self.feed.others)

    def follow(self, text: str, line: str, named: bool) -> None:
        """Which test and which site the lines from here on may be about."""
        few = len(line.split()) < 9
        if self.other(line):
            self.near = "other"
        elif named:
            self.near = "" if self.near == "other" else self.near
        elif few and names(line) and (line.endswith(":") or text.isupper() or re.search(r"\b(?:fish|ish|ihc)\b", line)):
            self.near = ""
        if few and self.read_of and (site := _SITE.match(text)):
            self.site = site[1].casefold()

    def open(self, where: str, text: str, message: str) -> Told:
        remedy = "add its label to [phrases], its heading to [headings], or its first words to comments of the feed"
        code = "UNKNOWN_CODE" if "no label" in message else "AMBIGUOUS"
        return Told(where, text, problem=Problem(code, where, message, remedy))


def _specimens(values: Sequence[Value]) -> set[tuple[str, str]]:
    """(kind of name, name) of the specimens, sides and places that short lines name."""
    named = set[tuple[str, str]]()
    for text in (text for value in values for text in value.text.splitlines()):
        if match := _SPECIMEN.match(text):
            named.add(("number", match[2]) if match[2] else ("letter", (match[1] or match[4]).casefold()))
        if len(text) < LONGEST and len(text.split()) < 9:
            named |= {(at.pattern, each.casefold()) for at in _NAMED for each in at.findall(text)}
    return named


def _written(rest: str) -> str | None:
    """The value after a label; None where the label only begins a longer word or a sentence."""
    rest = _HOW.sub("", rest)
    if separator := _SEPARATOR.match(rest):
        return rest[separator.end() :].strip()
    if not rest.strip():
        return ""
    if blank := _VALUE_AFTER_BLANK.match(rest):
        return rest[blank.end() :].strip()
    said = without(rest, ("see comment", "see note", "see interpretation")).strip()
    if rest[0].isspace() and (said in STATUS_WORDS or said in ("not done", "not performed")):
        return said
    return None
