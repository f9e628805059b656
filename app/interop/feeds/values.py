"""What a value says for a field of the case document: read whole or not at all, never a part of it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from app.domain.problems import Problem, shown
from app.interop.feeds.feed import Feed
from app.interop.received import Coding, Value
from app.interop.tabular import FIELDS, plain

SCORES = ("0", "0+", "1+", "2+", "3+")
_PLUS = re.compile(r"(?<![\d.,/+-])([0-9])\s?\+(?![\d+/-])")
_ALONE = re.compile(r"(?:(?:ihc|her2)?\s*score\s*[:=]?\s*)?([0-3])")
_BRACKETED = re.compile(r"(?:negative|equivocal|positive)\s*\(\s*(?:score\s*)?([0-3])\s*\+?\s*\)")
_ZERO_TOLD = re.compile(r"(?:score\s*)?0\s*\(?negative\)?")
# beside a score these words say nothing; any other, also a percentage or an intensity that may not fit, leaves it open
_HARMLESS = frozenset(
    {"her2", "her-2", "her2/neu", "her-2/neu", "neu", "erbb2", "ihc", "score", "by", "immunohistochemistry",
     "immunostain", "stain", "result", "status", "protein", "expression", "overexpression", "in", "of", "the",
     "invasive", "tumour", "tumor", "carcinoma", "cells", "cell"}
)  # fmt: skip
_WORDS = {"negative": ("0", "0+", "1+"), "equivocal": ("2+",), "borderline": ("2+",), "positive": ("3+",)}
STATUS_WORDS = frozenset(
    {*_WORDS, "indeterminate", "amplified", "not amplified", "non-amplified", "low", "her2-low", "present", "absent"}
    | {"detected", "not detected", "overexpressed", "not overexpressed", "pos", "neg", "not done", "not performed"}
    | {"pending", "unknown", "see comment", "see note", "see interpretation"}
    | {"amplification detected", "amplification not detected", "no amplification"}
)
_NOT_DONE = ("not done", "not performed", "not indicated", "not applicable", "n/a")
_COMPARATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "≤": "<=", "≥": ">=", "=": "", "": ""}
_NUMBER = re.compile(r"(<=|>=|<|>|≤|≥|=)?\s*(\d{1,9}(?:[.,]\d{1,20})?)(?:\s*:\s*1(?:\.0+)?)?", re.ASCII)
_RANGE = re.compile(r"(\d{1,9}(?:[.,]\d{1,6})?)\s*(?:-|–|to)\s*(\d{1,9}(?:[.,]\d{1,6})?)", re.ASCII)
_STATUS_BESIDE = r"\((?:not |non-)?(?:amplified|negative|positive|equivocal|normal|low|high)\)"
# by the last word of the field: words that say of a number only what the field says already
_BESIDE_NUMBER = {
    "ratio": re.compile(rf"{_STATUS_BESIDE}|^ratio\b"),
    "copies": re.compile(
        rf"{_STATUS_BESIDE}|^(?:average|mean)\b|(?:signals?|copies)?(?:\s*(?:/|per)\s*(?:cell|nucleus))?$"
    ),
    "cells": re.compile(r"\b(?:cells|nuclei)$"),
}
_UNITS = re.compile(r"(?:1|#|\{[^{}]*\}|\{[^{}]*\}/(?:\{[^{}]*\}|cell|nucleus)|)")
PERCENTAGES = frozenset({"context.er_percent", "context.pgr_percent", "ihc.percent"})


def read_value(value: Value, target: str, feed: Feed) -> tuple[str, Any] | Problem | None:
    """(field, what the case document takes), why it stays open, or None where nothing is said.

    A word where a score is asked for is a reported status. Raises nothing.
    """
    if value.kind == "none" or not (value.text.strip() or value.codings or value.number):
        return None
    if contradiction := contradicts(value.codings, "", value.where, feed):
        return contradiction
    word = _coded_word(value, feed)
    if isinstance(word, Problem):
        return word
    own = feed.words.get(target, {}).get(plain(value.text))
    if own is not None:
        return target, own
    if target == "ihc.score":
        return _score(value, word, value.where)
    if target == "reported_status":
        if value.kind in ("quantity", "range", "ratio"):
            return _contradictory(value.where, "a number stands where a status is asked for")
        told = (word or value.text).strip()[:500]
        return (target, told) if told else None
    if target == "ish.method":
        if value.kind in ("quantity", "range", "ratio"):
            return _contradictory(value.where, "a number stands where amplified or not is asked for")
        told = plain(word or value.text)
        if told in _NOT_DONE:
            return None
        if told not in STATUS_WORDS:
            remedy = f'send amplified or not amplified, or add the text to [words."{target}"] of the feed'
            return Problem("AMBIGUOUS", value.where, "is not clearly a result of ISH", remedy)
        # that ISH was done is known, its values are not: an ISH whose values are outstanding
        return target, "ISH"
    if target in ("context.er", "context.pgr"):
        told = plain(word or value.text)
        return (target, told) if told in ("positive", "negative") else None
    kind = FIELDS.get(target)
    if kind in ("number", "whole"):
        return _number(value, word, target, feed)
    if kind == "text":
        return target, value.text.strip()
    return Problem("AMBIGUOUS", value.where, f"no words are given for {target}", f'add [words."{target}"] to the feed')


def contradicts(codings: tuple[Coding, ...], text: str, where: str, feed: Feed) -> Problem | None:
    """Does a code's display, or the text beside it, say what the code does not?"""
    for coding in codings:
        told = plain(f"{coding.display} {text}")
        if any(word in told for word in feed.contradicts.get((coding.system, coding.code), ())):
            return _contradictory(where, f"code {coding.code} and the text beside it contradict each other")
    return None


def _coded_word(value: Value, feed: Feed) -> str | Problem | None:
    words = {feed.answers[at] for each in value.codings if (at := (each.system, each.code)) in feed.answers}
    if len(words) > 1:
        return _contradictory(value.where, "its codes say different things")
    # a display is never read for a code; but what is written beside a code must not say something else
    written = [value.text, *(each.display for each in value.codings)]
    written += [each.code for each in value.codings if not each.system and value.kind == "coded"]
    read = {told for each in (*words, *written) if isinstance(told := read_score(plain(each)), tuple)}
    scores = {told for field, told in read if field == "ihc.score"}
    said = {told for field, told in read if field == "reported_status" and told in _WORDS}
    if len(scores) > 1 or len(said) > 1 or any(_agreeing(score, word) for score in scores for word in said):
        return _contradictory(value.where, "its code and the text beside it say different things")
    return words.pop() if words else None


def _score(value: Value, word: str | None, where: str) -> tuple[str, Any] | Problem:
    if value.kind in ("range", "ratio"):
        return _contradictory(where, "a range or ratio stands where a score is asked for")
    if value.kind == "quantity":
        whole = value.number in ("0", "1", "2", "3") and not value.comparator and _UNITS.fullmatch(value.unit.strip())
        if whole:
            return "ihc.score", "0" if value.number == "0" else f"{value.number}+"
        return _contradictory(where, f"{shown(value.number)} stands where a score is asked for")
    if word is None and any(each.system for each in value.codings):
        return Problem("UNKNOWN_CODE", where, "is an answer that this feed does not map", "add its code to [answers]")
    text = plain(word if word is not None else value.text)
    found = read_score(text)
    if found is None:
        remedy = 'send 0, 1+, 2+ or 3+ alone, or add the text to [words."ihc.score"] of the feed'
        return Problem("AMBIGUOUS", where, "is not clearly one score", remedy)
    if isinstance(found, Problem):
        return Problem(found.code, where, found.message, found.remedy)
    return found


def read_score(text: str) -> tuple[str, Any] | Problem | None:
    """A score, a reported status, a contradiction, or None for what is not clearly one of them. text: in one case."""
    text = " ".join(text.split()).strip(" .;")
    if text in _NOT_DONE:
        return "ihc.score", "not_done"
    if text == "indeterminate":
        return "ihc.score", "indeterminate"
    if text in STATUS_WORDS:
        return "reported_status", text
    for pattern in (_ALONE, _BRACKETED):
        if match := pattern.fullmatch(text):
            score = "0" if match[1] == "0" else f"{match[1]}+"
            return _agreeing(score, text) or ("ihc.score", score)
    if _ZERO_TOLD.fullmatch(text):
        return "ihc.score", "0"
    found = {f"{digit}+" for digit in _PLUS.findall(text)}
    if len(found) != 1:
        return None
    score = found.pop()
    if score not in SCORES:
        return Problem("UNKNOWN_SCORE", "", f"{score} is not a HER2 score", "send 0, 1+, 2+ or 3+")
    rest = _PLUS.sub(" ", text)
    words = [word for word in re.split(r"[\s(),;:.=\[\]]+", rest) if word]
    if any(word not in _HARMLESS and word not in _WORDS for word in words):
        return None
    return _agreeing(score, text) or ("ihc.score", score)


def _agreeing(score: str, text: str) -> Problem | None:
    for word, scores in _WORDS.items():
        if re.search(rf"\b{word}\b", text) and score not in scores:
            return _contradictory("", f"{score} and {word} contradict each other")
    return None


def _number(value: Value, word: str | None, target: str, feed: Feed) -> tuple[str, Any] | Problem:
    where = value.where
    if value.kind == "coded" or word is not None:
        return _contradictory(where, f"a coded answer stands where {target} asks for a number")
    percent = target in PERCENTAGES
    if value.unit.strip() == "%" and not percent:
        return _contradictory(where, f"a percentage stands where {target} asks for a number")
    if not (percent and value.unit.strip() == "%") and not _UNITS.fullmatch(value.unit.strip()):
        return Problem("AMBIGUOUS", where, "the unit is not one of this number", "send no unit, 1 or {ratio}")
    if value.kind == "ratio":
        if not re.fullmatch(r"1(\.0+)?", value.second):
            return Problem("AMBIGUOUS", where, "is a ratio over another number than 1", "send the ratio itself, over 1")
        return target, f"{value.comparator}{value.number}"
    if value.kind == "range":
        return target, f"{value.number}-{value.second}"
    if value.kind == "quantity":
        return target, f"{value.comparator}{value.number}"
    return read_number(value.text, target, where, feed)


def read_number(text: str, target: str, where: str, feed: Feed) -> tuple[str, Any] | Problem:
    """A number or an interval written as text."""
    told = plain(text)
    if target in PERCENTAGES:
        told = told.replace("%", " ")
    if beside := _BESIDE_NUMBER.get(re.split("[._]", target)[-1]):
        told = beside.sub(" ", " ".join(told.split()).rstrip(" .;"))
    # a leading full stop is a digit lost, not an ornament
    told = " ".join(told.split()).rstrip(" .;")
    if not feed.decimal_comma and "," in told:
        remedy = "send a decimal point, or set decimal_comma = true in this sender's feed"
        return Problem("AMBIGUOUS", where, "has a comma", remedy)
    match = _RANGE.fullmatch(told)
    # "2 to 1" is a ratio in words, not a range
    if match and Decimal(match[1].replace(",", ".")) <= Decimal(match[2].replace(",", ".")):
        return target, f"{match[1]}-{match[2]}".replace(",", ".")
    if (match := _NUMBER.fullmatch(told)) and (":" not in told or target.endswith(".ratio")):
        return target, f"{_COMPARATORS[match[1] or '']}{match[2]}".replace(",", ".")
    return Problem("AMBIGUOUS", where, f"is not clearly one number for {target}", "send the number alone")


def _contradictory(where: str, message: str) -> Problem:
    return Problem("CONTRADICTORY", where, message, "send what was reported, once and by its right code")
