"""Free text as documents of synoptic lines: a label, a value; headings say what the labels below them are about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.domain.problems import Problem
from app.interop.feeds.feed import Feed
from app.interop.received import Value
from app.interop.tabular import plain

ABOUT_HER2 = re.compile(
    r"her[-\u2010-\u2015]?2|(?-i:HER) 2\b|\bneu\b|erb-?b[- ]?2|cep-?\s?17|\bchr(?:omosome)?[- ]?17\b|d17z1",
    re.IGNORECASE,
)
# speaks of what is measured, so that a number beside it could be a result
_MEASURED = re.compile(
    r"\bratio\b|\bcop(?:y|ies)\b|\bsignals?\b|\bscored?\b|\bi(?:hc|sh)\b|\bfish\b|\d\s?\+", re.IGNORECASE
)
# digits that are names, not results
_NAMES = re.compile(
    r"her[-\u2010-\u2015 ]?2(?:/neu)?|erb-?b[- ]?2|cep-?\s?17|chr(?:omosome)?[- ]?17|d17z1|17q\d*(?:\.\d+)?|"
    r"\b(?:4b5|sp3|cb11|a0?485)\b|\b(?:19|20)\d\d\b|\bp16\b|\bki-?67\b",
    re.IGNORECASE,
)
# a digit, plus marks, or a score in words
_RESULT = re.compile(r"\d|\+\+|\b(?:one|two|three)[- ]plus\b", re.IGNORECASE)
# lines that may say: what is below is another specimen's, or of another time
_PART = re.compile(
    r"(?:specimen|part|block|container|sample|tumou?r|lesion)\s*(?:no\.?|#|:)?\s*"
    r"(?:([a-h])\d{0,2}\b|(\d{1,2}|i{1,3})(?!\.\d)(?=\s*(?:$|[:.,)(–-])))|([a-h])\d{0,2}\s*[.):](?:\s|$)",
    re.IGNORECASE,
)
# names of one kind of which two can't both be this specimen's
_NAMED = (
    re.compile(r"\b(left|right)\b", re.IGNORECASE),
    re.compile(r"\b(\d{1,2})(?::\d\d)?\s?o.?clock\b", re.IGNORECASE),
    re.compile(r"\b((?:upper|lower)[- ](?:inner|outer))\b", re.IGNORECASE),
    re.compile(r"\b(first|second|third)(?= (?:tumou?r|lesion|focus|specimen|biopsy|part)\b)", re.IGNORECASE),
)
_SITE = re.compile(
    r"(?:lymph node|axilla|metasta|liver|bone|brain|lung|skin|chest wall|excision|resection|mastectomy|lumpectomy|core|"
    r"biopsy|primary|recurren|control)",
    re.IGNORECASE,
)
ELSEWHERE = re.compile(
    r"\b(?:history|previous(?:ly)?|prior|outside|referred|referral|external|control|example|reference|criteria)\b",
    re.IGNORECASE,
)
_SECTION = "send results of this specimen only, or begin them with a heading such as Diagnosis:"
# headings that begin what this report itself found
_HERE = re.compile(r"\b(?:diagnos[ie]s|final|results?|current|microscopic|synoptic|addendum)\b", re.IGNORECASE)
_BULLET = re.compile(r"^[\s\-*•·]+")
_SEPARATOR = re.compile(r"\s*(?:[:=]|(?<=\s)[-–](?=\s))?\s*")


class Told(NamedTuple):
    """One line of a document: what it gives. target: "" for nothing; problem: why it stays open."""

    where: str
    text: str
    target: str = ""
    value: Value | None = None
    note: str = ""
    problem: Problem | None = None


def is_about_her2(text: str) -> bool:
    """Does a text name HER2 or its probe?"""
    return ABOUT_HER2.search(text) is not None


def document_fields(feed: Feed) -> tuple[str, ...]:
    """All fields that a document of this feed can give, also below its headings."""
    blocks = (None, *(each or None for each in feed.headings.values()))
    found = dict.fromkeys(_within(target, block) for target in feed.phrases.values() for block in blocks)
    return tuple(each for each in found if each not in ("note", "ignore", "document"))


def read_document(values: tuple[Value, ...], feed: Feed, parts: set[tuple[str, str]]) -> Iterator[Told]:
    """The lines of a document in order. A line that may hold a result and has no known label is a problem.

    parts: (kind of name, name) of the specimens that the documents of this report have named; added to.
    """
    reader = _Reader(feed, parts)
    for value in values:
        for text in value.text.splitlines() or [""]:
            yield from reader.line(value.where, text)
    yield from reader.end()


class _Reader:
    """Reads line by line. What the lines before have said decides what a label means, and whether it is plain."""

    def __init__(self, feed: Feed, parts: set[tuple[str, str]]) -> None:
        self.feed = feed
        self.labels = sorted(feed.phrases, key=len, reverse=True)
        self.block: str | None = None
        self.her2 = False  # the lines just before are about HER2
        self.elsewhere = False  # this section tells of another time or place
        self.after: Told | None = None  # the label just before: an answer, or one that is still to come
        self.parts = parts
        self.given = False
        self.where = ""
        self.site = False  # a site was named after a result

    def line(self, where: str, text: str) -> Iterator[Told]:
        line = " ".join(_BULLET.sub("", text).split())
        if not line:
            yield Told(where, text, note="gives nothing")
            return
        heading = plain(line).rstrip(" :")
        if heading in self.feed.headings and (plain(line).endswith(":") or heading not in self.feed.phrases):
            self.block, self.her2, self.after = self.feed.headings[heading] or None, True, None
            yield Told(where, text, note=f"heading: {self.block or 'no block'}")
            return
        found = self._labelled(line)
        told = self._answer(where, text, *found) if found else self._other(where, text, line)
        yield told

    def end(self) -> Iterator[Told]:
        """What only the whole document says."""
        kinds = [kind for kind, _ in self.parts]
        if self.given and len(kinds) > len(set(kinds)):
            yield self._waits(self.where, "", "AMBIGUOUS", "names more than one specimen", "send a report for each one")

    def _labelled(self, line: str) -> tuple[str, str] | None:
        """(label, what is written after it)."""
        folded = plain(line)
        for label in self.labels:
            if folded.startswith(label) and not folded[len(label) :][:1].isalnum():
                # one case can be longer than as written: the label ends where it is whole
                end = next(at for at in range(1, len(line) + 1) if plain(line[:at]) == label)
                separator = _SEPARATOR.match(line, end)
                return label, line[separator.end() if separator else end :].strip()
        return None

    def _answer(self, where: str, text: str, label: str, written: str) -> Told:
        target = _within(self.feed.phrases[label], self.block)
        about, self.her2 = self.her2, is_about_her2(label) or self.her2
        if target.startswith("context."):
            about, self.her2 = True, False
        if target in ("note", "ignore"):
            self.after = None
            return Told(where, text, note="known, gives nothing")
        if not written:
            self.after = Told(where, text, target, note="a label without a value")
            return self.after
        self.after = Told(where, text, target, Value("text", written, where))
        if target.startswith("context."):
            return self.after
        self.given, self.where = True, where
        if self.elsewhere:
            return self._waits(where, text, "AMBIGUOUS", "stands below a line on another time or place", _SECTION)
        if self.site:
            return self._waits(where, text, "AMBIGUOUS", "stands below the name of another site", _SECTION)
        if not (about or is_about_her2(label)):
            remedy = "send it below a line that names HER2, or add its heading to [headings]"
            return self._waits(where, text, "AMBIGUOUS", "does not say that it is about HER2", remedy)
        if target == "reported_status" and _RESULT.search(_NAMES.sub(" ", written)):
            return self._waits(
                where, text, "AMBIGUOUS", "a status with a result beside it", "send each on its own line"
            )
        return self.after

    def _other(self, where: str, text: str, line: str) -> Told:
        before, self.after = self.after, None
        words = line.split()
        if part := _PART.match(line):
            self.parts.add(("number", part[2]) if part[2] else ("letter", (part[1] or part[3]).casefold()))
        if len(words) < 9:
            self.parts |= {(at.pattern, each.casefold()) for at in _NAMED for each in at.findall(line)}
        if self.given and len(words) < 9 and _SITE.match(line):
            self.site = True
        away = ELSEWHERE.search(line) is not None
        if away or ((line.endswith(":") or line.isupper()) and _HERE.search(line)):
            self.elsewhere = away
        self.her2 = is_about_her2(line)
        if before and before.value is None and before.target:
            return self._waits(where, text, "AMBIGUOUS", "may be the value of the label above", "send both on one line")
        if before and before.value and away:
            return self._waits(where, text, "AMBIGUOUS", "may change what the line above says", "send it as a note")
        bare = _NAMES.sub(" ", line)
        continued = before is not None and not re.search(r"[^\W\d_]", line)
        if _RESULT.search(bare) and (continued or self.her2 or _MEASURED.search(line)):
            message = "may hold a HER2 result, and no label of this feed fits"
            remedy = 'add its label to [phrases] of the feed, with "note" if it never holds a result'
            return self._waits(where, text, "UNKNOWN_CODE", message, remedy)
        return Told(where, text, note="gives nothing")

    def _waits(self, where: str, text: str, code: str, message: str, remedy: str) -> Told:
        return Told(where, text, problem=Problem(code, where, message, remedy))


def _within(target: str, block: str | None) -> str:
    """The field that a label means below a heading: in a recount the labels of the first count mean the second."""
    if target == "reported_status":
        return target if block in (None, "ish") else "note"
    head, _, name = target.partition(".")
    if head == "ish" and block not in (None, "ish"):
        return "note" if name == "method" else f"{block}.{name}"
    return target
