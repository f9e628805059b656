"""Free text as documents of synoptic lines: a label, a value; headings say what the labels below them are about.

A line is read by its label or not at all. One that may hold a result and has no label waits for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.domain.problems import Problem
from app.interop.feeds.feed import Feed
from app.interop.feeds.prose import gives_status, is_definition, may_hold_result
from app.interop.feeds.words import STATUS_WORDS, folded, is_about_her2, without
from app.interop.received import Value

_BULLET = re.compile(r"^(?:[-*•·>#]+|\d{1,2}[.)])\s+")
_SPECIMEN = re.compile(
    r"\s*(?:(?:specimen|part|block)\s*[:#]?\s*([A-Z]\d{0,2}|\d{1,2})\b|([A-H])[.):](?=\s))", re.IGNORECASE
)
_SEPARATOR = re.compile(r"\s*(?:(?<![<>])[:=](?!=)|\.{2,}|\s[-–]\s|\s(?:is|was)(?=\s+[<>\d]))\s*")
# a value without a separator has to be all that is left: "HER2 IHC 2+ cases are reflexed" is a sentence
_VALUE_AFTER_BLANK = re.compile(r"\s+(?=\d+(?:\.\d+)?(?:\s?\+)?(?:\s*\([^()]{1,30}\))?$)")
_HOW = re.compile(
    r"^\s*\((?:by )?(?:ihc|fish|ish|average|mean|score|immunohistochemistry|4b5|sp3|cb11|herceptest|pathway)\)"
)
_SECOND_COUNT = re.compile(r"re-?count|(?:second|repeat|additional|2nd|third|3rd)\s+(?:count|observer|reader|reviewer)")
_COUNTS = ("ish", "follow_up_ish", "recount", "third_count", "cluster")
_NOT_THIS = {"history": "an earlier result", "reference": "a limit of reference"}


class Told(NamedTuple):
    """One line of a document: the target and value it gives, or a problem; if_missing: that field must be given."""

    where: str
    text: str
    target: str = ""
    value: Value | None = None
    note: str = ""
    problem: Problem | None = None
    if_missing: str = ""


def read_document(values: Sequence[Value], feed: Feed, block: str = "", about: bool = False) -> Iterator[Told]:
    """The lines of a document in order. block: what its code is about; about: its code or name speaks of HER2."""
    about = about or any(is_about_her2(value.text) for value in values)
    reader = _Reader(feed, block, about)
    for value in values:
        for text in value.text.splitlines() or [""]:
            yield reader.line(value.where, text)


class _Reader:
    """What the lines so far were about. near: the block that a label without HER2 in it belongs to."""

    def __init__(self, feed: Feed, block: str, about: bool) -> None:
        self.feed, self.block, self.near, self.about = feed, block, block, about
        self.labels = sorted(feed.phrases, key=len, reverse=True)
        self.specimen, self.read_of = "", set[str]()

    def line(self, where: str, text: str) -> Told:
        if match := _SPECIMEN.match(text):
            self.specimen = (match[1] or match[2]).upper()
            if match[2]:
                text_read = text[match.end() :]
            else:
                text_read = text
        else:
            text_read = text
        line = folded(_BULLET.sub("", text_read.strip()))
        bare = line.strip(" :=-_*.")
        if not bare:
            return Told(where, text)
        if any(line.startswith(each) for each in self.feed.comments):
            return Told(where, text, note="a comment of this feed")
        if bare in self.feed.headings:
            self.block = self.near = self.feed.headings[bare]
            return Told(where, text, note=f"heading: {self.block or 'no block'}")
        for label in self.labels:
            if line.startswith(label) and (written := _written(line[len(label) :])) is not None:
                return self.labelled(where, text, label, written)
        return self.unlabelled(where, text, line)

    def labelled(self, where: str, text: str, label: str, written: str) -> Told:
        target = self.feed.phrases[label]
        head, _, name = target.partition(".")
        if target in ("note", "ignore"):
            return Told(where, text, note="known, gives nothing")
        if head == "context":
            self.near = "other"
            return Told(where, text, target, Value("text", written, where))
        if not is_about_her2(label) and self.near not in (*_COUNTS, *_NOT_THIS, "unsure"):
            if not self.about or self.near == "other":
                return Told(where, text, note="not about HER2")
            return self.open(where, text, "no heading or line above says that this belongs to HER2")
        if not written:
            return Told(where, text, note="a label without a value")
        if self.block in _NOT_THIS:
            if self.block == "reference" and re.search("[<>]", written):
                return Told(where, text, note="a limit of reference, not a result")
            return self.open(where, text, f"stands where {_NOT_THIS[self.block]} is told")
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
        self.read_of.add(self.specimen)
        if len(self.read_of - {""}) > 1:
            return self.open(where, text, "the document tells of several specimens or blocks")
        return Told(where, text, target, Value("text", written, where))

    def unlabelled(self, where: str, text: str, line: str) -> Told:
        if any(re.match(rf"{re.escape(word)}(?!\w)", line) for word in self.feed.others):
            self.near = "other"
        about = is_about_her2(text) or (self.near in (*_COUNTS, "ihc", "unsure") and self.about)
        if self.about and _SECOND_COUNT.search(line) and not may_hold_result(line, True):
            self.block = self.near = "unsure"
            return Told(where, text, note="speaks of another count")
        if (
            self.about
            and (is_about_her2(text) or about or "fish" in line)
            and may_hold_result(line, is_about_her2(text))
        ):
            if is_definition(line, self.feed.definitions):
                return Told(where, text, note="a definition or disclaimer, gives nothing")
            return self.open(where, text, "may hold a HER2 result, and no label of this feed fits")
        if self.about and gives_status(line) and not is_definition(line, self.feed.definitions):
            problem = self.open(where, text, "says what ISH gave, and no ISH is in the report").problem
            return Told(where, text, problem=problem, if_missing="ish")
        return Told(where, text, note="gives nothing")

    def open(self, where: str, text: str, message: str) -> Told:
        remedy = "add its label to [phrases], its heading to [headings], or its first words to comments of the feed"
        code = "UNKNOWN_CODE" if "no label" in message else "AMBIGUOUS"
        return Told(where, text, problem=Problem(code, where, message, remedy))


def _written(rest: str) -> str | None:
    """The value after a label; None where the label only begins a longer word or a sentence."""
    rest = _HOW.sub("", rest)
    if separator := _SEPARATOR.match(rest):
        return rest[separator.end() :].strip()
    if not rest.strip():
        return ""
    if blank := _VALUE_AFTER_BLANK.match(rest):
        return rest[blank.end() :].strip()
    if rest[0].isspace() and without(rest, ("see comment", "see note", "see interpretation")) in STATUS_WORDS:
        return rest.strip()
    return None
