"""Free text as documents of synoptic lines: a label, a value; headings say what the labels below them are about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.domain.problems import Problem
from app.interop.feeds.feed import Feed
from app.interop.received import Value
from app.interop.tabular import plain

ABOUT_HER2 = re.compile(r"her-?2|\bneu\b|erb-?b-?2|cep-?\s?17|chr-?\s?17|d17z1", re.IGNORECASE)
# speaks of what is measured, so that a number beside it could be a result
_MEASURED = re.compile(
    r"\bratio\b|\bcop(?:y|ies)\b|\bsignals?\b|\bscored?\b|\bi(?:hc|sh)\b|\bfish\b|\d\s?\+", re.IGNORECASE
)
# digits that are names, not results
_NAMES = re.compile(
    r"her-?2(?:/neu)?|erb-?b-?2|cep-?\s?17|chr(?:omosome)?-?\s?17|d17z1|17q\d*(?:\.\d+)?|\b(?:4b5|sp3|cb11|a0?485)\b|"
    r"\b(?:19|20)\d\d\b|\bp16\b|\bki-?67\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^[\s\-*•·]+")
_SEPARATOR = re.compile(r"\s*(?:[:=]|\s[-–]\s)?\s*")


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


def read_document(values: tuple[Value, ...], feed: Feed) -> Iterator[Told]:
    """The lines of a document in order. A line that may hold a result and has no known label is a problem."""
    block: str | None = None
    labels = sorted(feed.phrases, key=len, reverse=True)
    for value in values:
        for text in value.text.splitlines() or [""]:
            line = " ".join(_BULLET.sub("", text).split())
            heading = plain(line).rstrip(" :")
            if heading in feed.headings and (plain(line).endswith(":") or heading not in feed.phrases):
                block = feed.headings[heading] or None
                yield Told(value.where, text, note=f"heading: {block or 'no block'}")
                continue
            yield _line(value, text, line, block, labels, feed)


def _line(value: Value, text: str, line: str, block: str | None, labels: list[str], feed: Feed) -> Told:
    folded = plain(line)
    for label in labels:
        if not folded.startswith(label) or (folded[len(label) :][:1].isalnum()):
            continue
        rest = line[len(label) :]
        separator = _SEPARATOR.match(rest)
        written = rest[separator.end() :] if separator else rest
        target = _within(feed.phrases[label], block)
        if target in ("note", "ignore"):
            return Told(value.where, text, note="known, gives nothing")
        if not written.strip():
            return Told(value.where, text, note="a label without a value")
        return Told(value.where, text, target, Value("text", written, value.where))
    bare = _NAMES.sub(" ", line)
    if re.search(r"\d", bare) and (is_about_her2(line) or _MEASURED.search(line)):
        message = "may hold a HER2 result, and no label of this feed fits"
        remedy = 'add its label to [phrases] of the feed, with "note" if it never holds a result'
        return Told(value.where, text, problem=Problem("UNKNOWN_CODE", value.where, message, remedy))
    return Told(value.where, text, note="gives nothing")


def _within(target: str, block: str | None) -> str:
    """The field that a label means below a heading: in a recount the labels of the first count mean the second."""
    if block is None or "." not in target:
        return target if block in (None, "ish") else "note"
    head, _, name = target.partition(".")
    if head == "ish" and block != "ish":
        return "note" if name == "method" else f"{block}.{name}"
    return target if head == block or block == "ish" else "note"
